"""The seeded conversations: believable, complete, and the same for the same moment."""

import datetime as dt
import re

import pytest

from adapters.sandbox import script, seed, state
from adapters.sandbox.world import DiscordIds, SlackIds, World

NOW = dt.datetime(2026, 11, 24, 15, 30, tzinfo=dt.UTC).timestamp()
DAY_S = 86_400


def filled(platform: str, now: float = NOW) -> World:
    if platform == "slack":
        world = World("slack", SlackIds(), lambda: now)
        seed.fill_slack(world, now=now)
    else:
        world = World("discord", DiscordIds(), lambda: now)
        seed.fill_discord(world, now=now)
    return world


def everything(world: World) -> list:
    return [message for channel in world.channels for message in world.messages(channel)]


@pytest.fixture(params=["slack", "discord"])
def world(request) -> World:
    return filled(request.param)


def test_the_same_moment_gives_the_same_world(world):
    """A screenshot and a benchmark must be repeatable."""
    assert state.dump(filled(world.platform)) == state.dump(world)


def test_there_is_enough_to_read_and_it_ends_today(world):
    """A summary of ten messages proves nothing."""
    said = everything(world)

    assert len(said) >= 350
    assert max(m.at for m in said) < NOW
    assert max(m.at for m in said) > NOW - DAY_S / 4
    assert min(m.at for m in said) < NOW - 19 * DAY_S
    assert len({m.author for m in said}) >= 16


def test_there_is_some_of_everything_that_platforms_have(world):
    """Each of these has broken a bot that had only been shown plain messages."""
    said = everything(world)
    channels = world.channels.values()

    assert any(m.reactions for m in said)
    assert any(m.files for m in said)
    assert any(m.edited_at for m in said)
    assert any(m.thread or m.reply_to for m in said)
    assert any(world.members[m.author].bot for m in said)
    assert any(world.members[m.author].deleted for m in said)
    assert any(not c.writable_by_bot and world.bot_id in c.members for c in channels)
    assert any(c.private and c.kind == "text" and world.bot_id not in c.members for c in channels)
    assert any(c.kind == "direct" for c in channels)


def test_no_sign_of_the_script_is_left_in_what_is_said(world):
    """A reader would stumble over `{day w+2}`."""
    for message in everything(world):
        assert not re.search(r"\{\w+ [wds]|(?<![\w@<])@\w", message.text), message.text


def test_replies_come_after_what_they_answer(world):
    """A thread that runs backwards is believable to nobody."""
    for message in everything(world):
        root = world.get(message.channel, message.thread or message.reply_to or message.id)
        assert root is not None
        assert root.at <= message.at


@pytest.mark.parametrize("day", range(23, 30))
def test_it_can_be_told_on_any_day_and_at_any_hour(day):
    """The demo is run on Sundays, too, and just after midnight."""
    now = dt.datetime(2026, 11, day, 0, 5, tzinfo=dt.UTC).timestamp()

    for platform in ("slack", "discord"):
        said = everything(filled(platform, now))
        assert max(m.at for m in said) < now


@pytest.mark.parametrize(
    ("name", "date"),
    [
        ("today", (11, 24)),
        ("d-2", (11, 22)),
        ("w-2", (11, 20)),
        ("w+4", (11, 30)),
        ("s+0", (11, 28)),
        ("s+7", (12, 5)),
    ],
)
def test_days_are_named_from_today(name, date):
    """Offices are empty on Sundays, and planting is on a Saturday."""
    found = script.day_of(name, dt.date(2026, 11, 24))

    assert (found.month, found.day) == date


def test_dates_in_a_text_are_filled_in():
    """ "Friday" must be the Friday that the others speak of."""
    said = script.with_dates("{day w+3}, {date d+1}, {wd w-1}, {month w+20}", dt.date(2026, 11, 24))

    assert said == "Friday 27 November, 25 November, Monday, December"


def test_a_line_that_is_none_is_named():
    """Whoever edits the seeds finds the mistake by its number."""
    with pytest.raises(ValueError, match="line 3"):
        script.parse("= general\n@ today\n9:00 maya too short an hour\n")
