"""The surface, over a real socket, against the sandbox's REST API."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest
from discord_listening import ASIDE, Clock, Ear, Listen, until

from adapters.discord import DiscordEdge, DiscordSurface
from adapters.discord.answers import live_handle
from adapters.sandbox.discord import DiscordSide, Limits
from adapters.sandbox.faults import Faults
from adapters.sandbox.world import World
from bot.errors import (
    MayNotWrite,
    MessageGone,
    PlatformUnreachable,
    Rejected,
    TokenRefused,
    TooFast,
)
from bot.messages import Place
from bot.ports import Target
from bot.settings import DiscordSettings


@pytest.fixture
def place(side: DiscordSide, general: str) -> Place:
    return Place(platform="discord", workspace=side.guild_id, channel=general)


@pytest.fixture
def target(side: DiscordSide, place: Place, maya: str) -> Target:
    asked = side.say_as(maya, place.channel, "@Jay hello")
    return Target(place=place, reply_to=asked.id, person=maya)


async def commanded(side: DiscordSide, ear: Ear, member: str, channel: str) -> Target:
    await side.run_command(member, channel, "summarize")
    await until(lambda: ear.commands)
    (command,) = ear.commands
    return Target(place=command.place, person=member, handle=command.handle)


async def test_a_reply_answers_its_message_and_rings_for_its_author_alone(
    surface: DiscordSurface, world: World, side: DiscordSide, target: Target, maya: str, tom: str
) -> None:
    posted = await surface.post(target, f"Hi <@{tom}> @everyone", nonce="r1.0", last=True)

    shown = world.get(target.place.channel, posted)
    assert shown.reply_to == target.reply_to
    assert side.pings(shown) == [maya]


async def test_a_message_that_rings_for_nobody_when_edited(
    surface: DiscordSurface, world: World, side: DiscordSide, target: Target, maya: str, tom: str
) -> None:
    posted = await surface.post(target, "Hi", nonce="r1.0", last=False)
    await surface.edit(target, posted, f"Hi <@{tom}> @here", shown="Hi", last=True)

    shown = world.get(target.place.channel, posted)
    assert shown.text == f"Hi <@{tom}> @here"
    assert side.pings(shown) == [maya]


async def test_the_same_nonce_posts_once(
    surface: DiscordSurface, world: World, faults: Faults, target: Target
) -> None:
    """An answer that got lost on its way back would be shown twice."""
    faults.fail("discord", "POST /channels/*/messages", status=503, after=True)
    with pytest.raises(PlatformUnreachable):
        await surface.post(target, "Hi", nonce="r1.0", last=True)

    again = await surface.post(target, "Hi", nonce="r1.0", last=True)

    said = [one for one in world.messages(target.place.channel) if one.text == "Hi"]
    assert [one.id for one in said] == [again]


async def test_a_nonce_that_discord_would_not_take_is_refused(
    surface: DiscordSurface, target: Target
) -> None:
    with pytest.raises(Rejected):
        await surface.post(target, "Hi", nonce="n" * 26, last=True)


async def test_only_the_first_part_answers_the_message(
    surface: DiscordSurface, world: World, target: Target
) -> None:
    """A long reply would otherwise ring once a part."""
    posted = await surface.post(target, "and more", nonce="r1.1", last=True)

    assert world.get(target.place.channel, posted).reply_to is None


async def test_a_reply_is_shown_though_what_it_answers_was_taken_away(
    surface: DiscordSurface, world: World, target: Target
) -> None:
    world.delete(target.place.channel, target.reply_to)

    posted = await surface.post(target, "Hi", nonce="r1.0", last=True)

    assert world.get(target.place.channel, posted).text == "Hi"


async def test_a_text_that_stands_there_already_is_not_written_again(
    surface: DiscordSurface, world: World, target: Target
) -> None:
    posted = await surface.post(target, "Hi", nonce="r1.0", last=False)
    await surface.edit(target, posted, "Hi", shown="Hi", last=True)

    assert world.get(target.place.channel, posted).edited_at is None


async def test_an_edit_of_a_message_that_was_taken_away_says_so(
    surface: DiscordSurface, world: World, target: Target
) -> None:
    posted = await surface.post(target, "Hi", nonce="r1.0", last=False)
    world.delete(target.place.channel, posted)

    with pytest.raises(MessageGone):
        await surface.edit(target, posted, "Hi there", shown="Hi", last=True)


async def test_taking_a_message_away_twice_is_no_error(
    surface: DiscordSurface, world: World, target: Target
) -> None:
    posted = await surface.post(target, "Hi", nonce="r1.0", last=True)
    await surface.delete(target, posted)
    await surface.delete(target, posted)

    assert world.get(target.place.channel, posted).deleted


async def test_a_reply_in_a_thread_stands_in_the_thread(
    surface: DiscordSurface, side: DiscordSide, world: World, target: Target, maya: str
) -> None:
    thread = side.create_thread_as(maya, target.place.channel, target.reply_to, "Hello")
    inside = side.say_as(maya, thread.id, "and here?")
    there = Target(place=replace(target.place, thread=thread.id), reply_to=inside.id, person=maya)

    posted = await surface.post(there, "Here too", nonce="r1.0", last=True)

    assert world.get(thread.id, posted).text == "Here too"


async def test_a_channel_that_is_closed_to_jay_says_so(
    surface: DiscordSurface, side: DiscordSide, rules: str
) -> None:
    closed = Target(place=Place(platform="discord", workspace=side.guild_id, channel=rules))

    with pytest.raises(MayNotWrite):
        await surface.post(closed, "Hi", nonce="r1.0", last=True)


async def test_too_many_writes_come_back_as_a_wait(
    surface: DiscordSurface, faults: Faults, target: Target
) -> None:
    """discord.py would wait in silence, and the text would be old by then."""
    faults.rate_limit("discord", "POST /channels/*/messages", retry_after_s=7.5)

    with pytest.raises(TooFast) as asked:
        await surface.post(target, "Hi", nonce="r1.0", last=True)

    assert asked.value.retry_after_s == 7.5


async def test_writes_at_the_surfaces_pace_are_never_refused(
    surface: DiscordSurface, side: DiscordSide, limits: Limits, clock: Clock, target: Target
) -> None:
    limits.on = True
    posted = await surface.post(target, "0", nonce="r1.0", last=False)
    every_s = surface.pace.per_s / surface.pace.writes
    for number in range(1, 13):
        clock.ahead_s += every_s
        async with asyncio.timeout(1):
            await surface.edit(target, posted, f"{number}", shown="", last=False)

    assert side.world.get(target.place.channel, posted).text == "12"


async def test_a_server_error_comes_back_as_unreachable(
    surface: DiscordSurface, faults: Faults, target: Target
) -> None:
    faults.fail("discord", "POST /channels/*/messages", status=503)

    with pytest.raises(PlatformUnreachable):
        await surface.post(target, "Hi", nonce="r1.0", last=True)


async def test_a_discord_that_is_away_can_be_used_once_it_is_back(
    settings: DiscordSettings, faults: Faults, world: World, target: Target
) -> None:
    """A worker must not have to be restarted after Discord was."""
    faults.fail("discord", "GET /users/@me", status=503)
    async with DiscordSurface(settings) as surface:
        with pytest.raises(PlatformUnreachable):
            await surface.post(target, "Hi", nonce="r1.0", last=True)
        posted = await surface.post(target, "Hi", nonce="r1.0", last=True)

    assert world.get(target.place.channel, posted).text == "Hi"


async def test_nobody_answers_at_the_address(target: Target, settings: DiscordSettings) -> None:
    away = settings.model_copy(update={"api_url": "http://127.0.0.1:9/api/v10"})
    async with DiscordSurface(away) as surface:
        with pytest.raises(PlatformUnreachable):
            await surface.post(target, "Hi", nonce="r1.0", last=True)


async def test_a_refused_token_is_not_in_the_error(
    settings: DiscordSettings, target: Target
) -> None:
    wrong = settings.model_copy(update={"bot_token": type(settings.bot_token)("wrong.token.here")})
    async with DiscordSurface(wrong) as surface:
        with pytest.raises(TokenRefused) as refused:
            await surface.post(target, "Hi", nonce="r1.0", last=True)

    assert "wrong.token" not in f"{refused.value} {refused.value.hint}"


async def test_a_commands_answer_stands_where_jay_was_thinking(
    edge: DiscordEdge, surface: DiscordSurface, side: DiscordSide, world: World, ear: Ear,
    maya: str, general: str,
) -> None:  # fmt: skip
    target = await commanded(side, ear, maya, general)
    posted = await surface.post(target, "Three things", nonce="r1.0", last=False)
    again = await surface.post(target, "Three things", nonce="r1.0", last=False)
    await surface.edit(target, posted, "Three things.", shown="Three things", last=True)
    second = await surface.post(target, "And more.", nonce="r1.1", last=True)

    (said, more) = [one for one in world.messages(general) if one.author == side.bot_user_id]
    assert (said.id, said.text, said.streaming) == (posted, "Three things.", False)
    assert again == posted
    assert (more.id, more.text) == (second, "And more.")


async def test_a_commands_answer_reaches_people_where_jay_may_not_write(
    edge: DiscordEdge, surface: DiscordSurface, side: DiscordSide, world: World, ear: Ear,
    maya: str, rules: str,
) -> None:  # fmt: skip
    target = await commanded(side, ear, maya, rules)
    posted = await surface.post(target, "First", nonce="r1.0", last=True)
    await surface.edit(target, posted, "First.", shown="First", last=True)
    await surface.post(target, "Second.", nonce="r1.1", last=True)

    said = [one.text for one in world.messages(rules) if one.author == side.bot_user_id]
    assert said == ["First.", "Second."]


async def test_an_answer_that_comes_after_a_quarter_of_an_hour_is_a_plain_message(
    edge: DiscordEdge, surface: DiscordSurface, side: DiscordSide, world: World, ear: Ear,
    clock: Clock, maya: str, general: str,
) -> None:  # fmt: skip
    target = await commanded(side, ear, maya, general)
    clock.ahead_s = 901
    posted = await surface.post(target, "At last", nonce="r1.0", last=True)

    shown = world.get(general, posted)
    assert shown.text == "At last"
    assert shown.interaction is None


def test_a_handle_is_good_for_less_than_a_quarter_of_an_hour() -> None:
    """A worker that comes late shouldn't try first what Discord refuses anyway."""
    now_ms = int((time.time() - 1_420_070_400) * 1000)
    young, old = (f"1:{(now_ms - age_ms) << 22}:token" for age_ms in (60_000, 880_000))

    assert live_handle(young) is not None
    assert live_handle(old) is None
    assert live_handle("") is None
    assert live_handle("not a handle") is None


async def test_typing_is_shown_where_jay_may_write_and_nowhere_else(
    surface: DiscordSurface, side: DiscordSide, world: World, target: Target, rules: str
) -> None:
    typed: list[str] = []
    world.listen(lambda event: typed.append(event.channel.id) if event.kind == "typing" else None)

    there = await surface.show_working(target, "Thinking…")
    closed = replace(target, place=replace(target.place, channel=rules))
    not_there = await surface.show_working(closed, "Thinking…")

    assert (there, not_there) == (True, False)
    assert typed == [target.place.channel]


async def test_a_whisper_is_a_direct_message(
    surface: DiscordSurface, side: DiscordSide, world: World, target: Target, maya: str
) -> None:
    await surface.whisper(target, "I may **not** write there.")

    direct = world.open_direct(side.bot_user_id, maya)
    assert [one.text for one in world.messages(direct.id)] == ["I may **not** write there."]


async def test_a_whisper_to_closed_ears_is_a_sign_on_their_message(
    surface: DiscordSurface, world: World, faults: Faults, target: Target
) -> None:
    faults.turn("discord", "closed_dms")

    await surface.whisper(target, "I may not write there.")

    assert world.get(target.place.channel, target.reply_to).reactions


async def test_a_whisper_in_answer_to_a_command_takes_the_place_of_its_answer(
    edge: DiscordEdge, surface: DiscordSurface, side: DiscordSide, world: World, ear: Ear,
    maya: str, general: str,
) -> None:  # fmt: skip
    """Nobody should read "Jay is thinking…" for ever."""
    target = await commanded(side, ear, maya, general)
    await surface.whisper(target, "I can't, sorry.")

    (said,) = [one for one in world.messages(general) if one.author == side.bot_user_id]
    assert (said.text, said.streaming) == ("I can't, sorry.", False)


async def test_links_are_those_that_people_share(
    surface: DiscordSurface, side: DiscordSide, place: Place
) -> None:
    direct = Place(platform="discord", workspace="", channel="7", direct=True)
    thread = replace(place, thread="8")

    base = "https://discord.com/channels"
    assert await surface.link(place, "9") == f"{base}/{side.guild_id}/{place.channel}/9"
    assert await surface.link(thread, "9") == f"{base}/{side.guild_id}/8/9"
    assert await surface.link(direct, "9") == f"{base}/@me/7/9"


async def test_history_is_read_back_page_by_page_with_names_oldest_first(
    surface: DiscordSurface, side: DiscordSide, place: Place, maya: str
) -> None:
    for number in range(250):
        side.say_as(maya, place.channel, f"{number}")
    side.say_as(maya, place.channel, "@Jay @Tom see #rules")

    newest = await surface.history(place, limit=220)
    everything = await surface.history(place, limit=1_000)

    assert [one.text for one in newest[:-1]] == [str(number) for number in range(31, 250)]
    assert newest[-1].text == "@Tom Okafor see #rules"
    assert newest[-1].mentions_jay
    assert len(everything) == 251


async def test_the_history_of_a_thread_begins_with_the_message_that_it_hangs_on(
    surface: DiscordSurface, side: DiscordSide, place: Place, maya: str
) -> None:
    root = side.say_as(maya, place.channel, "the root")
    thread = side.create_thread_as(maya, place.channel, root.id, "Root")
    side.say_as(maya, thread.id, "inside")

    said = await surface.history(replace(place, thread=thread.id), limit=10)

    assert [(one.text, one.message_id == root.id) for one in said] == [
        ("the root", True),
        ("inside", False),
    ]


async def test_history_that_jay_may_not_read_says_so(
    surface: DiscordSurface, side: DiscordSide, world: World
) -> None:
    outside = world.channel_named("outside").id

    with pytest.raises(MayNotWrite):
        await surface.history(
            Place(platform="discord", workspace=side.guild_id, channel=outside), limit=10
        )


async def test_history_since_a_time_leaves_out_what_is_older_and_tells_of_edits(
    surface: DiscordSurface, side: DiscordSide, world: World, place: Place, maya: str
) -> None:
    now = time.time()
    world.say(place.channel, maya, "old", at=now - 500)
    new = world.say(place.channel, maya, "new", at=now - 50)
    world.edit(place.channel, new.id, "newer")

    (heard,) = await surface.history(place, limit=10, since=now - 100)

    assert heard.text == "newer"
    assert heard.edited_at > 0


async def test_the_places_where_something_was_said_are_channels_and_threads(
    surface: DiscordSurface, side: DiscordSide, place: Place, maya: str
) -> None:
    root = side.say_as(maya, place.channel, "the root")
    thread = side.create_thread_as(maya, place.channel, root.id, "Root")
    side.say_as(maya, thread.id, "inside")

    places = await surface.places(since=time.time() - 60)

    assert place in places
    assert replace(place, thread=thread.id) in places
    assert await surface.places(since=time.time() + 60) == []


async def test_a_range_is_read_with_every_thread_that_goes_on_in_it(
    surface: DiscordSurface, side: DiscordSide, world: World, place: Place, maya: str
) -> None:
    """A summary would otherwise be silent about what was said in threads."""
    began = 1_700_000_000
    for number in range(130):
        world.say(place.channel, maya, f"m{number}", at=began + number)
    root = world.say(place.channel, maya, "the root", at=began + 130)
    thread = side.create_thread_as(maya, place.channel, root.id, "Root")
    world.say(thread.id, maya, "inside", at=began + 140)
    closed = world.say(place.channel, maya, "another root", at=began + 131)
    archived = side.create_thread_as(maya, place.channel, closed.id, "Closed")
    world.say(archived.id, maya, "archived", at=began + 141)
    world.channels[archived.id].archived = True
    world.say(place.channel, world.bot_id, "Jay's own", at=began + 142)
    world.say(place.channel, maya, "too late", at=began + 200)

    told = await surface.read_range(place, limit=500, since=began + 10, until=began + 150)

    wanted = [f"m{number}" for number in range(10, 130)]
    assert [one.text for one in told.messages] == [
        *wanted, "the root", "another root", "inside", "archived",
    ]  # fmt: skip
    assert [one.place.thread for one in told.messages[-4:]] == ["", "", thread.id, archived.id]
    assert (told.whole, told.begins) == (True, began + 10)
    assert told.threads == {thread.id, archived.id}


async def test_a_range_over_the_limit_says_that_it_is_not_whole(
    surface: DiscordSurface, world: World, place: Place, maya: str
) -> None:
    for number in range(250):
        world.say(place.channel, maya, f"m{number}", at=1_700_000_000 + number)

    told = await surface.read_range(place, limit=120, since=0, until=float("inf"))

    assert [one.text for one in told.messages] == [f"m{number}" for number in range(130, 250)]
    assert (told.whole, told.begins) == (False, 1_700_000_130)


async def test_jays_own_words_are_none_of_the_number_asked_for(
    surface: DiscordSurface, world: World, place: Place, maya: str
) -> None:
    for number in range(30):
        author = world.bot_id if number % 2 else maya
        world.say(place.channel, author, f"m{number}", at=1_700_000_000 + number)

    told = await surface.read_range(place, limit=15, since=0, until=float("inf"))

    assert [one.text for one in told.messages] == [f"m{number}" for number in range(0, 30, 2)]
    assert told.whole


async def test_an_empty_history_is_not_taken_to_be_whole(
    surface: DiscordSurface, world: World, place: Place
) -> None:
    """Discord shows none either where Jay may not read it; nothing was deleted then."""
    told = await surface.read_range(place, limit=9, since=0, until=1_700_000_000)

    assert (told.messages, told.begins) == ((), 1_700_000_000)


async def test_a_stop_button_stands_below_a_reply_until_it_is_finished(
    surface: DiscordSurface, world: World, target: Target
) -> None:
    where = replace(target, stop=True)
    posted = await surface.post(where, "_Reading…_", nonce="r1.0", last=False)
    first = world.get(where.place.channel, posted).extra["components"]
    await surface.edit(where, posted, "_More…_", shown="_Reading…_", last=False)
    second = world.get(where.place.channel, posted).extra["components"]
    await surface.edit(where, posted, "_More…_", shown="_More…_", last=True)

    assert [row["components"][0]["label"] for row in (*first, *second)] == ["Stop", "Stop"]
    assert not world.get(where.place.channel, posted).extra["components"]


async def test_a_commands_answer_has_its_stop_button_too(
    edge: DiscordEdge, surface: DiscordSurface, side: DiscordSide, ear: Ear, world: World,
    maya: str, general: str,
) -> None:  # fmt: skip
    where = replace(await commanded(side, ear, maya, general), stop=True)
    posted = await surface.post(where, "_Reading…_", nonce="r1.0", last=False)
    first = world.get(general, posted).extra["components"]
    await surface.edit(where, posted, "Done.", shown="_Reading…_", last=True)

    assert first
    assert not world.get(general, posted).extra["components"]


async def test_a_private_answer_is_seen_by_one_person_with_stop_and_then_share(
    listen: Listen, surface: DiscordSurface, side: DiscordSide, ear: Ear, world: World,
    maya: str, general: str,
) -> None:  # fmt: skip
    """A summary of a whole channel is nobody else's business until it is shared."""
    async with listen(ear, commands=(ASIDE,)):
        await side.run_command(maya, general, "aside")
        await until(lambda: ear.commands)
    (command,) = ear.commands
    where = Target(
        place=command.place, person=maya, handle=command.handle, private=True, share=True, stop=True
    )
    first = await surface.post(where, "_Reading…_", nonce="r1.0", last=False)
    begun = world.get(general, first).extra["components"]
    await surface.edit(where, first, "Done, part one.", shown="_Reading…_", last=True)
    second = await surface.post(where, "Part two.", nonce="r1.1", last=True)

    shown = [world.get(general, one) for one in (first, second)]
    assert {one.ephemeral_to for one in shown} == {maya}
    assert [one.text for one in shown] == ["Done, part one.", "Part two."]
    rows = (*begun, *shown[0].extra["components"], *shown[1].extra["components"])
    assert [row["components"][0]["label"] for row in rows] == ["Stop", "Share", "Share"]


async def test_a_private_answer_that_comes_too_late_is_told_to_nobody_else(
    surface: DiscordSurface, world: World, place: Place, maya: str
) -> None:
    where = Target(place=place, person=maya, handle="1:1:gone", private=True)
    before = len(list(world.messages(place.channel)))

    with pytest.raises(MayNotWrite):
        await surface.post(where, "Done.", nonce="r1.0", last=True)

    assert len(list(world.messages(place.channel))) == before


async def test_a_channel_is_found_by_name_and_id_for_who_may_read_it(
    surface: DiscordSurface, world: World, place: Place, maya: str, tom: str
) -> None:
    """Its very name may be a secret."""
    board = world.add_channel("board", members=(world.bot_id, tom), private=True)
    general = world.channels[place.channel].name

    async def found(name: str, person: str) -> str | None:
        there = await surface.find_channel(place, name, person=person)
        return there.channel if there else None

    assert await found(general, tom) == place.channel
    assert await found(board.id, tom) == await found("board", tom) == board.id
    lena = world.add_member("lena", "Lena")
    world.join(place.channel, lena.id)
    assert await found(general, lena.id) == place.channel
    assert await found("board", lena.id) is None
    assert await found("board", str(int(maya) + 12345)) is None
    assert await found("nowhere", tom) is None


async def test_a_why_button_stands_below_a_reply_from_the_start(
    surface: DiscordSurface, world: World, place: Place
) -> None:
    """So it costs no write, not even where the last words stood there before the end."""
    where = Target(place=place, why=True)
    posted = await surface.post(where, "One", nonce="r1.0", last=False)
    await surface.edit(where, posted, "One", shown="One", last=True)

    (row,) = world.get(place.channel, posted).extra["components"]
    assert [one["label"] for one in row["components"]] == ["Why?"]


async def test_the_button_moves_on_with_the_end_of_a_long_reply(
    surface: DiscordSurface, world: World, place: Place
) -> None:
    where = Target(place=place, why=True)
    posted = await surface.post(where, "One", nonce="r1.0", last=False)
    await surface.edit(replace(where, why=False), posted, "One two", shown="One", last=True)

    assert not world.get(place.channel, posted).extra["components"]


async def test_what_only_one_person_sees_has_the_button_beside_share(
    listen: Listen, surface: DiscordSurface, side: DiscordSide, ear: Ear, world: World,
    maya: str, general: str,
) -> None:  # fmt: skip
    async with listen(ear, commands=(ASIDE,)):
        await side.run_command(maya, general, "aside")
        await until(lambda: ear.commands)
    (command,) = ear.commands
    where = Target(
        place=command.place, person=maya, handle=command.handle, private=True, share=True, why=True
    )
    posted = await surface.post(where, "Done.", nonce="r1.0", last=True)

    (row,) = world.get(general, posted).extra["components"]
    assert [one["label"] for one in row["components"]] == ["Share", "Why?"]
