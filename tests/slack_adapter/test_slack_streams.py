"""Native streams, and how a reply goes on where they end."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise

import pytest
from fakes.slack import settings_for, target
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack import SlackSurface
from adapters.slack.limits import STREAM_LIFE_S
from adapters.slack.render import to_stream_markdown
from adapters.slack.streams import steady
from bot.errors import MessageGone, PlatformUnreachable


@pytest.fixture
async def streaming(side) -> AsyncIterator[SlackSurface]:
    async with SlackSurface(settings_for(side, native_streams=True)) as made:
        yield made


@pytest.fixture
async def to(side, maya, general):
    asked = side.say_as(maya.id, general, "@Jay hello?")
    return target(general, reply_to=asked.id, person=maya.id)


async def grow(surface: SlackSurface, to, *texts: str) -> str:
    """Write texts as a draft does: the last one is final."""
    shown = ""
    ts = ""
    for n, text in enumerate(texts):
        (part,) = surface.render(text, target=to)
        last = n == len(texts) - 1
        if not ts:
            ts = await surface.post(to, part, nonce="n.0", last=last)
        else:
            await surface.edit(to, ts, part, shown=shown, last=last)
        shown = part
    return ts


async def test_a_reply_grows_as_a_stream_and_ends(streaming, world, to, general, faults):
    faults.fail("slack", "chat.update", status=500, times=-1)
    faults.fail("slack", "chat.postMessage", status=500, times=-1)

    ts = await grow(
        streaming, to, "Hello", "Hello **you", "Hello **you** there", "Hello **you** there."
    )

    message = world.get(general, ts)
    assert message.text == "Hello **you** there." or message.text.startswith("Hello **you** there")
    assert not message.streaming


async def test_what_is_shown_on_the_way_is_never_taken_back(streaming, world, to, general, faults):
    faults.fail("slack", "chat.update", status=500, times=-1)
    seen = []
    world.listen(lambda event: event.kind == "edit" and seen.append(event.message.text))

    await grow(
        streaming,
        to,
        "Code:\n```py\na",
        "Code:\n```py\na = 1\nb",
        "Code:\n```py\na = 1\nb = 2\n```\n",
    )

    assert all(later.startswith(earlier) for earlier, later in pairwise(seen))
    assert seen[-1] == "Code:\n```py\na = 1\nb = 2\n```"


async def test_a_text_that_changed_is_mended_by_an_edit(streaming, world, to, general):
    ts = await grow(streaming, to, "_Thinking…_", "Hello", "Hello you")

    message = world.get(general, ts)
    assert (message.text, message.streaming) == ("Hello you", False)


async def test_a_stream_that_a_person_stopped_still_gets_its_last_words(
    streaming, side, world, to, general, maya
):
    """The worker says that it stopped."""
    ts = await streaming.post(to, "Hello", nonce="n", last=False)
    side.press_stop(maya.id, general, to.reply_to)

    await streaming.edit(to, ts, "Hello you", shown="Hello", last=False)
    await streaming.edit(to, ts, "Hello you\n\nStopped.", shown="Hello you", last=True)

    message = world.get(general, ts)
    assert (message.text, message.streaming) == ("Hello you\n\nStopped.", False)


async def test_a_stream_that_slack_closed_goes_on_by_edits(streaming, world, to, general):
    ts = await streaming.post(to, "Hello", nonce="n", last=False)
    world.edit(general, ts, "Hello", streaming=False)

    await streaming.edit(to, ts, "Hello you", shown="Hello", last=False)
    await streaming.edit(to, ts, "Hello you too", shown="Hello you", last=True)

    assert world.get(general, ts).text == "Hello you too"


async def test_an_append_whose_answer_was_lost_is_not_shown_twice(
    streaming, world, to, general, faults
):
    ts = await streaming.post(to, "one", nonce="n", last=False)
    faults.fail("slack", "chat.appendStream", status=502, after=True)

    with pytest.raises(PlatformUnreachable):
        await streaming.edit(to, ts, "one two", shown="one", last=False)
    await streaming.edit(to, ts, "one two three", shown="one", last=True)

    assert world.get(general, ts).text == "one two three"


async def test_a_start_whose_answer_was_lost_is_found_again(streaming, world, to, general, faults):
    faults.fail("slack", "chat.startStream", status=502, after=True)

    with pytest.raises(PlatformUnreachable):
        await streaming.post(to, "one", nonce="n", last=False)
    ts = await streaming.post(to, "one", nonce="n", last=False)
    await streaming.edit(to, ts, "one two", shown="one", last=True)

    mine = [one for one in world.messages(general) if one.author == world.bot_id]
    assert [(one.text, one.streaming) for one in mine] == [("one two", False)]


async def test_a_stream_of_a_worker_that_died_is_finished_by_another(
    streaming, side, world, to, general
):
    ts = await streaming.post(to, "one", nonce="n", last=False)

    async with SlackSurface(settings_for(side, native_streams=True)) as other:
        await other.edit(to, ts, "one two", shown="", last=True)

    message = world.get(general, ts)
    assert (message.text, message.streaming) == ("one two", False)


@pytest.mark.parametrize("code", ["not_authorized", "missing_scope", "unknown_method"])
async def test_an_app_that_may_not_stream_posts_and_edits(
    streaming, world, to, general, faults, code
):
    faults.fail("slack", "chat.startStream", status=200, error=code)

    ts = await grow(streaming, to, "Hello", "Hello **you**")

    message = world.get(general, ts)
    assert (message.text, message.streaming, message.extra["markdown"]) == (
        "Hello **you**", False, True,
    )  # fmt: skip


async def test_a_command_is_answered_in_slacks_own_markup(streaming, side, world, maya, general):
    """It knows no thread to stream in, and may have to go by its `response_url`."""
    url = side.response_urls.make(general, maya.id)
    by_command = target(general, person=maya.id, handle=url)

    ts = await grow(streaming, by_command, "**Hello**", "**Hello** you")

    message = world.get(general, ts)
    assert (message.text, message.extra["markdown"]) == ("*Hello* you", False)


async def test_a_direct_message_outside_of_threads_is_posted_and_edited(
    streaming, side, world, maya
):
    channel = world.open_direct(world.bot_id, maya.id).id
    asked = side.say_as(maya.id, channel, "hi")
    direct = target(channel, reply_to=asked.id, person=maya.id, direct=True)

    ts = await grow(streaming, direct, "Hello", "Hello **you**")

    message = world.get(channel, ts)
    assert (message.text, message.thread, message.streaming) == ("Hello **you**", None, False)


async def test_a_stream_that_grew_old_goes_on_by_edits(side, world, to, general):
    """Slack would close it in the middle of a word."""
    now = [time.time()]
    async with SlackSurface(settings_for(side, native_streams=True), clock=lambda: now[0]) as old:
        ts = await old.post(to, "one", nonce="n", last=False)
        now[0] += STREAM_LIFE_S + 1

        await old.edit(to, ts, "one two", shown="one", last=False)

        message = world.get(general, ts)
        assert (message.text, message.streaming) == ("one two", False)


async def test_a_deleted_stream_is_gone(streaming, world, to, general):
    ts = await streaming.post(to, "Hello", nonce="n", last=False)
    world.delete(general, ts)

    with pytest.raises(MessageGone):
        await streaming.edit(to, ts, "Hello you", shown="Hello", last=False)


async def test_the_session_does_not_stay_at_work(streaming, side, to, general, faults):
    """Slack would show it as working for ever."""
    faults.fail("slack", "chat.startStream", status=200, error="not_authorized")
    assert await streaming.show_working(to, "Thinking…")
    session = side.place.sessions[general, to.reply_to]
    assert session["status"] == "processing"

    await grow(streaming, to, "Hello", "Hello you")

    assert session["status"] == "active"


async def test_an_app_without_sessions_shows_the_assistants_status(streaming, side, to, faults):
    faults.fail("slack", "agents.sessions.setStatus", status=200, error="not_authorized")

    assert await streaming.show_working(to, "Thinking…")


async def test_streams_ping_nobody(streaming, world, to, general, maya):
    ts = await grow(
        streaming, to, "<!channel>", f"<!channel> <@{maya.id}> [a](https://e.org/<!here>)"
    )

    assert world.get(general, ts).extra["pings"] == []


@given(
    st.lists(
        st.sampled_from(
            ["word ", "**", "`", "\n", "- item\n", "```\n", "[a](https://e.org) ", "1. ", "&"]
        ),
        max_size=30,
    )
)
def test_steady_is_a_beginning_of_its_part(pieces: list[str]) -> None:
    for part in to_stream_markdown("".join(pieces)):
        assert part.startswith(steady(part))


def test_what_may_change_is_held_back() -> None:
    assert steady("a\n```py\nx\n```") == "a\n```py\nx"
    assert steady("done \\* here\nsome \\*\\*bo") == "done \\* here\nsome "
    assert steady("plain words") == "plain words"


async def test_a_stream_ends_with_the_why_button(streaming, world, to, general):
    to = replace(to, why=True)
    ts = await streaming.post(to, "Hello", nonce="n", last=False)
    await streaming.edit(to, ts, "Hello **you**", shown="Hello", last=True)

    message = world.get(general, ts)
    assert (message.text, message.streaming) == ("Hello **you**", False)
    (actions,) = message.extra["blocks"]
    assert [one["action_id"] for one in actions["elements"]] == ["jay_why"]


async def test_what_is_posted_whole_carries_the_button_below_markdown(
    streaming, world, to, general
):
    ts = await streaming.post(replace(to, why=True), "Hello **you**", nonce="n", last=True)

    shown, actions = world.get(general, ts).extra["blocks"]
    assert shown == {"type": "markdown", "text": "Hello **you**"} | {
        key: value for key, value in shown.items() if key == "block_id"
    }
    assert actions["type"] == "actions"
