"""Listening: what people do in Slack, as Jay hears it through the real slack-bolt."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest
from fakes.slack import PATIENCE, Ear, start, stop, until
from pydantic import SecretStr
from structlog.testing import capture_logs

from adapters.sandbox.records import File
from adapters.slack import SlackEdge
from bot.errors import SettingsError, TokenRefused
from bot.messages import (
    Attachment,
    Command,
    IncomingMessage,
    MessageChanged,
    MessageDeleted,
    ShareAsked,
    StopAsked,
)
from bot.settings import SlackSettings
from bot.skills import COMMANDS, MessageShortcut

SUMMARIZE = COMMANDS[0]


def messages(ear: Ear) -> list[IncomingMessage]:
    return [one for one in ear.events if isinstance(one, IncomingMessage)]


async def test_a_mention_arrives_twice_as_the_same_message(side, edge, ear, maya, general, world):
    """The store knows it by its id and answers once."""
    said = side.say_as(maya.id, general, "@Jay is 2 < 3 & true? ask @Tom Okafor")

    first, second = await ear.next(2)

    assert first == second
    assert first.message_id == said.id
    assert first.text == "is 2 < 3 & true? ask @Tom Okafor"
    assert (first.mentions_jay, first.mentions_others) == (True, False)
    assert (first.author.id, first.author.name, first.author.bot) == (
        maya.id,
        "Maya Lindqvist",
        False,
    )
    assert (first.place.workspace, first.place.channel) == (world.home_id, general)
    assert (first.place.thread, first.place.direct) == ("", False)
    assert first.sent_at == pytest.approx(said.at, abs=0.001)


async def test_a_message_in_a_thread_tells_its_root(side, edge, ear, maya, general):
    root = side.say_as(maya.id, general, "first")
    side.say_as(maya.id, general, "hello @Tom Okafor", thread=root.id)

    (_, reply) = await ear.next(2)

    assert reply.place.thread == root.id
    assert (reply.mentions_jay, reply.mentions_others) == (False, True)
    assert reply.text == "hello @Tom Okafor"


async def test_a_direct_message_is_direct(side, edge, ear, maya, world):
    channel = world.open_direct(world.bot_id, maya.id)
    side.say_as(maya.id, channel.id, "hi")

    (heard,) = await ear.next()

    assert heard.place.direct
    assert heard.text == "hi"


async def test_edits_and_deletions_are_heard(side, edge, ear, maya, general, world):
    """What was deleted must be forgotten."""
    said = side.say_as(maya.id, general, "frist")
    side.edit_as(general, said.id, "first")
    world.delete(general, said.id)

    _, changed, deleted = await ear.next(3)

    assert isinstance(changed, MessageChanged)
    assert (changed.message_id, changed.text) == (said.id, "first")
    assert isinstance(deleted, MessageDeleted)
    assert deleted.message_id == said.id


async def test_deleting_a_threads_root_is_a_deletion(side, edge, ear, maya, general, world):
    """Slack tells of it as an edit to a tombstone."""
    root = side.say_as(maya.id, general, "root")
    side.say_as(maya.id, general, "reply", thread=root.id)
    world.delete(general, root.id)

    *_, deleted = await ear.next(3)

    assert deleted == MessageDeleted(place=messages(ear)[0].place, message_id=root.id)


async def test_files_and_links_are_readable(side, edge, ear, maya, general):
    file = File(id="F1", name="notes.txt", mimetype="text/plain", size=3)
    side.say_as(maya.id, general, "see https://example.org/a?b=1&c=2", files=[file])

    (heard,) = await ear.next()

    assert heard.text == "see https://example.org/a?b=1&c=2"
    assert heard.attachments == (Attachment(name="notes.txt", media_type="text/plain"),)


async def test_a_bots_message_says_so_and_jays_own_are_not_heard(
    side, edge, ear, maya, general, world
):
    """Two bots would talk for ever."""
    world.say(general, world.bot_id, "my own words")
    world.say(general, world.member_named("deploys").id, "deployed")
    side.say_as(maya.id, general, "thanks")

    robot, person = await ear.next(2)

    assert (robot.text, robot.author.bot, robot.author.name) == ("deployed", True, "Deploys")
    assert person.text == "thanks"


async def test_what_is_no_message_is_dropped_and_acked(side, edge, ear, maya, general, world):
    """An event that is not acked comes back for hours."""
    said = side.say_as(maya.id, general, "hello")
    world.react(general, said.id, maya.id, "wave")
    world.leave(general, maya.id)
    side.say_as(maya.id, general, "after")

    await until(lambda: [one.text for one in messages(ear)] == ["hello", "after"])
    assert ear.tries == 2


async def test_a_command_is_stored_and_acked(side, edge, ear, maya, general):
    answer = await side.run_command(maya.id, general, "summarize", "last 5 from @Tom Okafor")

    assert answer["ok"]
    (heard,) = await ear.next()
    assert isinstance(heard, Command)
    assert (heard.name, heard.text) == ("summarize", "last 5 from @Tom Okafor")
    assert heard.handle == answer["response_url"]
    assert (heard.author.id, heard.author.name) == (maya.id, "Maya Lindqvist")
    assert ":" not in heard.message_id
    assert not heard.place.direct


async def test_a_command_that_can_not_be_stored_is_not_acked(side, edge, ear, maya, general):
    """The person sees that it failed, instead of nothing for ever."""
    ear.failures = 1

    answer = await side.run_command(maya.id, general, "summarize")

    assert answer == {"ok": False, "error": "operation_timeout"}


async def test_a_command_that_comes_while_jay_listens_is_heard(side, settings, ear, maya, general):
    """An operator's own skill would else have to wait for the next start."""
    commands = [SUMMARIZE]
    running = await start(settings, ear, commands=commands)
    commands[:] = [replace(SUMMARIZE, name="greet")]
    await side.run_command(maya.id, general, "greet", "Tom")
    await side.run_command(maya.id, general, "summarize", "5")
    await stop(running)

    assert [(one.name, one.text) for one in ear.events if isinstance(one, Command)] == [
        ("greet", "Tom")
    ]


async def test_a_command_that_is_not_jays_is_answered(side, edge, ear, maya, general, world):
    answer = await side.run_command(maya.id, general, "unheard_of")

    assert answer["ok"]
    assert ear.tries == 0
    told = [one.text for one in world.messages(general) if one.ephemeral_to == maya.id]
    assert told == ["I don't know this command."]


async def test_shortcuts_that_come_and_go_while_jay_listens_are_heard_and_answered(
    side, settings, ear, maya, general, world
):
    """Slack shows what stands in the app's manifest, also when its file is gone."""
    said = side.say_as(maya.id, general, "ask @Tom Okafor about {text}")
    shortcuts: list[MessageShortcut] = []
    running = await start(settings, ear, shortcuts=shortcuts)
    shortcuts.append(MessageShortcut(name="Explain this", command="summarize", text="about {text}"))
    heard = await side.use_shortcut(maya.id, general, said.id, "explain_this")
    shortcuts.clear()
    gone = await side.use_shortcut(maya.id, general, said.id, "explain_this")
    await stop(running)

    (command,) = [one for one in ear.events if isinstance(one, Command)]
    assert heard["ok"]
    assert (command.name, command.text) == ("summarize", "about ask @Tom Okafor about {text}")
    assert gone["ok"]
    told = [one.text for one in world.messages(general) if one.ephemeral_to == maya.id]
    assert told == ["I don't know this command."]


async def test_an_event_that_can_not_be_stored_comes_again(side, edge, ear, maya, general):
    """Acking it would lose the message."""
    ear.failures = 2

    side.say_as(maya.id, general, "keep this")

    (heard,) = await ear.next()
    assert heard.text == "keep this"
    assert ear.tries == 3


async def test_events_that_come_twice_have_the_same_id(side, edge, ear, maya, general, faults):
    faults.turn("slack", "duplicate_events")
    side.say_as(maya.id, general, "once")

    first, second = await ear.next(2)

    assert first == second


async def test_stop_is_heard_for_the_message_that_is_streaming(
    side, edge, ear, maya, general, world
):
    root = side.say_as(maya.id, general, "question")
    stream = world.say(general, world.bot_id, "so far", thread=root.id, streaming=True)
    side.press_stop(maya.id, general, root.id)

    _, asked = await ear.next(2)

    assert isinstance(asked, StopAsked)
    assert (asked.message_id, asked.place.thread) == (stream.id, root.id)


async def test_a_dropped_socket_comes_back_and_says_what_was_missed(
    side, edge, ear, maya, general, faults
):
    faults.signal("slack", "drop_sockets")
    await until(lambda: side.sockets.count == 0)
    side.say_as(maya.id, general, "are you there?")

    (heard,) = await ear.next()

    assert heard.text == "are you there?"
    await until(lambda: edge.edge.ready)


async def test_a_client_that_finds_no_way_back_is_made_anew(side, settings, ear, faults):
    """slack_sdk tries a dead address for ever; nobody would hear anything again."""
    eager = replace(PATIENCE, deaf_s=0.1)
    running = await start(settings, ear, patience=eager)
    faults.fail("slack", "apps.connections.open", status=503, times=-1)
    with capture_logs() as told:
        faults.signal("slack", "drop_sockets")
        await until(lambda: "slack.socket_made_anew" in [one["event"] for one in told])

    faults.clear()

    await until(lambda: running.edge.ready)
    await stop(running)


async def test_a_connection_that_slack_rotates_is_followed(side, edge, ear, maya, general, faults):
    faults.signal("slack", "disconnect", reason="refresh_requested", after_s=0.02)
    await asyncio.sleep(0.03)
    side.say_as(maya.id, general, "still there?")

    (heard,) = await ear.next()

    assert heard.text == "still there?"


async def test_a_deaf_socket_is_not_ready(side, edge, faults):
    """`/readyz` would lie otherwise."""
    assert edge.edge.ready
    faults.turn("slack", "deaf_sockets")

    await until(lambda: not edge.edge.ready)

    faults.turn("slack", "deaf_sockets", on=False)
    await until(lambda: edge.edge.ready)


async def test_slack_that_is_away_at_the_start_is_asked_again(side, settings, ear, faults):
    faults.fail("slack", "auth.test", status=503, times=2)
    faults.fail("slack", "apps.connections.open", status=500, times=2)

    running = await start(settings, ear)

    assert running.edge.ready
    assert faults.troubles == []
    await stop(running)


async def test_a_refused_token_ends_it_and_says_what_to_do(side, settings, ear):
    wrong = settings.model_copy(update={"bot_token": SecretStr("xoxb-wrong-secret")})

    running = await start(wrong, ear)

    with pytest.raises(TokenRefused, match=r"invalid_auth.*SLACK_BOT_TOKEN") as refused:
        await running.task
    assert "xoxb-wrong-secret" not in str(refused.value)


async def test_an_app_token_without_its_scope_is_named(side, settings, ear, faults):
    faults.turn("slack", "missing_scope:connections:write")

    running = await start(settings, ear)

    with pytest.raises(TokenRefused, match=r"SLACK_APP_TOKEN.*connections:write"):
        await running.task


async def test_a_token_that_is_revoked_later_ends_it(side, edge, faults):
    faults.turn("slack", "token_revoked")
    faults.signal("slack", "drop_sockets")

    with pytest.raises(TokenRefused, match="token_revoked"):
        async with asyncio.timeout(5):
            await edge.task


def test_without_a_way_in_the_settings_are_refused() -> None:
    with pytest.raises(SettingsError, match="SLACK_APP_TOKEN"):
        SlackEdge(
            SlackSettings(bot_token=SecretStr("xoxb-1")),
            hear=Ear().hear,
            commands=COMMANDS,
            patience=PATIENCE,
        )


async def test_each_new_connection_tells_since_when_something_may_have_been_missed(
    side, settings, ear, faults
):
    """Slack repeats for some minutes only, and a laptop sleeps for hours."""
    told: list[float | None] = []
    running = await start(settings, ear, missed=told.append)
    await until(lambda: told == [None])
    await asyncio.sleep(0.02)
    before = time.time()
    faults.signal("slack", "drop_sockets")
    await until(lambda: len(told) == 2)
    await stop(running)

    assert told[1] is not None
    assert before - 1 < told[1] < time.time()


async def test_another_process_with_the_same_token_is_noticed(side, edge, settings, ear):
    """Each would hear a part of what is said, and nobody would know why."""
    with capture_logs() as told:
        second = await start(settings, ear)
        await until(lambda: "slack.others_listen" in [one["event"] for one in told])
        await stop(second)


async def test_whoever_presses_the_stop_button_is_heard(side, edge, ear, world, maya, general):
    shown = world.say(general, world.bot_id, "_Summing up…_")
    answer = await side.press_button(maya.id, general, shown.id, "jay_stop")
    other = await side.press_button(maya.id, general, shown.id, "something_else")

    (asked,) = [one for one in ear.events if isinstance(one, StopAsked)]
    assert (asked.message_id, asked.place.channel) == (shown.id, general)
    assert asked.place.workspace == world.home_id
    assert (answer["ok"], other["ok"]) == (True, True)


async def test_whoever_presses_share_is_heard_with_the_id_of_the_private_reply(
    side, edge, ear, world, maya, general
):
    shown = world.say(general, world.bot_id, "Done.", ephemeral_to=maya.id)
    await side.press_button(maya.id, general, shown.id, "jay_share", "response:r1.0")

    (asked,) = [one for one in ear.events if isinstance(one, ShareAsked)]
    assert (asked.message_id, asked.place.channel) == ("response:r1.0", general)
    assert (asked.author.id, asked.author.name) == (maya.id, "Maya Lindqvist")
    assert asked.press_id


@pytest.mark.parametrize("value", ["response:a b", "response:", "response:x\ny", "else"])
async def test_a_made_up_value_of_a_press_is_not_taken_for_a_reply(
    side, edge, ear, world, maya, general, value
):
    """Keys of the store are made of ids."""
    shown = world.say(general, world.bot_id, "Done.", ephemeral_to=maya.id)
    await side.press_button(maya.id, general, shown.id, "jay_share", value)

    assert [one.message_id for one in ear.events if isinstance(one, ShareAsked)] == [shown.id]


async def test_several_sockets_of_one_process_hear_each_event_once(
    side, settings, ear, maya, general
):
    """Slack picks one of an app's sockets for each event, and takes them away one by one."""
    many = settings.model_copy(update={"sockets": 3})
    with capture_logs() as told:
        running = await start(many, ear)
        await until(lambda: side.sockets.count == 3)
        for at in range(6):
            side.say_as(maya.id, general, f"number {at}")
        await ear.next(6)
    await stop(running)

    assert sorted(one.text for one in ear.events) == [f"number {at}" for at in range(6)]
    assert side.sockets.count == 0
    assert "slack.others_listen" not in [one["event"] for one in told]


async def test_two_edges_of_one_app_share_its_events(side, settings, ear, maya, general):
    """A second process is how an app stays heard while the first is replaced."""
    first, second = await start(settings, ear), await start(settings, ear)
    await until(lambda: side.sockets.count == 2)
    for at in range(4):
        side.say_as(maya.id, general, f"number {at}")
    await ear.next(4)
    await stop(first)
    side.say_as(maya.id, general, "number 4")
    await ear.next(5)
    await stop(second)

    assert sorted(one.text for one in ear.events) == [f"number {at}" for at in range(5)]


async def test_whoever_presses_why_asks_of_that_reply_in_its_thread(
    side, edge, ear, world, maya, general
):
    """The answer is seen by them alone, where they pressed."""
    root = world.say(general, maya.id, "hello")
    shown = world.say(general, world.bot_id, "Hi.", thread=root.id)
    await side.press_button(maya.id, general, shown.id, "jay_why")

    (asked,) = [one for one in ear.events if isinstance(one, Command)]
    assert (asked.name, asked.text) == ("why", shown.id)
    assert (asked.place.channel, asked.place.thread) == (general, root.id)
    assert (asked.author.id, bool(asked.handle)) == (maya.id, True)
