"""The edge, by the real discord.py, against the sandbox's gateway."""

from __future__ import annotations

import asyncio
import time

import pytest
from discord_listening import ANSWER, ASIDE, SUMMARIZE, TONED, Ear, Listen, until

from adapters.discord import DiscordEdge
from adapters.sandbox.discord import DiscordSide, shapes
from adapters.sandbox.discord.events import Dispatch
from adapters.sandbox.faults import Faults
from adapters.sandbox.records import File
from adapters.sandbox.world import World
from bot.errors import TokenRefused
from bot.messages import Event, ShareAsked, StopAsked
from bot.settings import DiscordSettings
from bot.skills import COMMANDS, MessageShortcut


async def test_a_mention_arrives_as_people_see_it(
    edge: DiscordEdge, side: DiscordSide, ear: Ear, maya: str, general: str
) -> None:
    said = side.say_as(maya, general, "@Jay what do you and @Tom think of #rules?")

    message = await ear.message("what do you and @Tom Okafor think of #rules?")

    assert message.message_id == said.id
    assert message.author.name == "Maya Lindqvist"
    assert (message.place.workspace, message.place.channel) == (side.guild_id, general)
    assert not message.place.direct
    assert not message.place.thread
    assert message.mentions_jay
    assert not message.mentions_others
    assert message.sent_at == pytest.approx(said.at, abs=0.001)


async def test_whoever_mentions_jays_role_means_jay(
    edge: DiscordEdge, side: DiscordSide, ear: Ear, maya: str, general: str
) -> None:
    """Discord's client offers the role beside the user, under the same name."""
    roles = {one["name"]: one["id"] for one in shapes.guild(side.place)["roles"]}
    side.world.say(general, maya, f"<@&{roles['Jay']}> ask the <@&{roles['Keepers']}>")

    message = await ear.message("ask the @Keepers")

    assert message.mentions_jay


async def test_talk_between_others_is_heard_as_theirs(
    edge: DiscordEdge, side: DiscordSide, ear: Ear, maya: str, general: str
) -> None:
    side.say_as(maya, general, "@Tom lunch?")

    message = await ear.message("@Tom Okafor lunch?")

    assert message.mentions_others
    assert not message.mentions_jay


async def test_a_follow_up_by_reply_names_the_message_that_it_answers(
    edge: DiscordEdge, side: DiscordSide, ear: Ear, world: World, maya: str, general: str
) -> None:
    answer = world.say(general, side.bot_user_id, "It is raining.")
    side.say_as(maya, general, "and tomorrow?", reply_to=answer.id)

    message = await ear.message("and tomorrow?")

    assert message.reply_to == answer.id


async def test_a_thread_is_named_with_the_channel_that_it_belongs_to(
    edge: DiscordEdge, side: DiscordSide, ear: Ear, maya: str, general: str
) -> None:
    root = side.say_as(maya, general, "@Jay hello")
    thread = side.create_thread_as(maya, general, root.id, "Hello")
    side.say_as(maya, thread.id, "in here")

    message = await ear.message("in here")

    assert (message.place.channel, message.place.thread) == (general, root.id)
    assert message.place.write_lane == f"discord:{root.id}"


async def test_a_direct_message_belongs_to_no_server(
    edge: DiscordEdge, side: DiscordSide, ear: Ear, world: World, maya: str
) -> None:
    direct = world.open_direct(side.bot_user_id, maya)
    side.say_as(maya, direct.id, "psst")

    message = await ear.message("psst")

    assert message.place.direct
    assert (message.place.workspace, message.place.channel) == ("", direct.id)


async def test_files_are_named(
    edge: DiscordEdge, side: DiscordSide, ear: Ear, maya: str, general: str
) -> None:
    notes = File(id="1", name="notes.pdf", mimetype="application/pdf", size=10)
    side.say_as(maya, general, "look", files=[notes])

    message = await ear.message("look")

    assert [(one.name, one.media_type) for one in message.attachments] == [
        ("notes.pdf", "application/pdf")
    ]


async def test_an_edit_and_a_deletion_are_heard_of_messages_from_before_the_start(
    listen: Listen, side: DiscordSide, ear: Ear, maya: str, general: str
) -> None:
    """discord.py has them in no cache; a deleted message must be forgotten all the same."""
    said = side.say_as(maya, general, "@Jay it is Tuesday")
    async with listen():
        side.edit_as(general, said.id, "@Jay it is Wednesday")
        await until(lambda: ear.changes)
        side.world.delete(general, said.id)
        await until(lambda: ear.deletions)

    assert [(one.message_id, one.text) for one in ear.changes] == [(said.id, "it is Wednesday")]
    assert ear.deletions == [said.id]


async def test_jays_own_edits_are_not_taken_for_a_persons(
    edge: DiscordEdge, side: DiscordSide, ear: Ear, world: World, maya: str, general: str
) -> None:
    """Every growing reply would otherwise be written over the turn that it becomes."""
    own = world.say(general, side.bot_user_id, "It")
    world.edit(general, own.id, "It rains")
    side.say_as(maya, general, "thanks")
    await ear.message("thanks")

    assert ear.changes == []


@pytest.mark.parametrize(
    "told",
    [
        Dispatch(name="SOMETHING_NEW", data={"id": "12"}),
        Dispatch(name="MESSAGE_DELETE", data={"id": "12"}),
        Dispatch(name="MESSAGE_CREATE", data={"channel_id": "7", "id": "12", "content": 5}),
        Dispatch(name="INTERACTION_CREATE", data={"id": "x"}),
    ],
    ids=lambda told: told.name,
)
async def test_a_frame_that_makes_no_sense_is_dropped_and_what_follows_heard_or_known_as_missed(
    listen: Listen, side: DiscordSide, ear: Ear, maya: str, general: str, told: Dispatch
) -> None:
    """discord.py ends its connection over some of them; what follows must not be lost by that."""
    missed: list[float | None] = []
    async with listen(missed=missed.append):
        side.gateway.tell(told)
        side.say_as(maya, general, "still there?")
        await until(lambda: ear.texts or len(missed) == 2)
        side.say_as(maya, general, "and now?")
        await ear.message("and now?")

    assert set(ear.texts) <= {"still there?", "and now?"}
    assert "still there?" in ear.texts or len(missed) == 2


async def test_a_command_is_deferred_for_all_to_see_and_heard_with_its_handle(
    edge: DiscordEdge, side: DiscordSide, ear: Ear, world: World, maya: str, general: str
) -> None:
    used = await side.run_command(maya, general, "summarize", "last 20")
    await until(lambda: ear.commands)

    (command,) = ear.commands
    assert used["ok"]
    assert not used["ephemeral"]
    assert world.get(general, used["message"]).streaming
    assert (command.name, command.text) == ("summarize", "last 20")
    assert command.author.name == "Maya Lindqvist"
    assert (command.place.workspace, command.place.channel) == (side.guild_id, general)
    assert command.message_id == used["interaction"]
    application, interaction, token = command.handle.split(":")
    assert (application, interaction) == (side.application_id, used["interaction"])
    assert token


async def test_a_command_in_a_thread_knows_its_channel(
    edge: DiscordEdge, side: DiscordSide, ear: Ear, maya: str, general: str
) -> None:
    root = side.say_as(maya, general, "hello")
    thread = side.create_thread_as(maya, general, root.id, "Hello")
    await side.run_command(maya, thread.id, "summarize")
    await until(lambda: ear.commands)

    assert (ear.commands[0].place.channel, ear.commands[0].place.thread) == (general, thread.id)


async def test_a_command_is_deferred_in_time_though_the_store_is_slow(
    listen: Listen, side: DiscordSide, ear: Ear, maya: str, general: str
) -> None:
    """Discord shows "application did not respond" after three seconds."""

    async def slow(event: Event) -> None:
        await asyncio.sleep(30)

    async with listen(slow, tell_after_s=0.1):
        await until(lambda: len(side.commands) == 2)
        used = await side.run_command(maya, general, "summarize")

    assert used["ok"]


async def test_whoever_used_a_command_that_cannot_be_stored_is_told(
    listen: Listen, side: DiscordSide, ear: Ear, world: World, maya: str, general: str
) -> None:
    ear.closed = True
    async with listen(tell_after_s=0.2):
        await until(lambda: len(side.commands) == 2)
        used = await side.run_command(maya, general, "summarize")
        await until(lambda: not world.get(general, used["message"]).streaming)

    assert "can't reach my memory" in world.get(general, used["message"]).text


async def test_a_command_that_is_no_longer_offered_is_answered_to_the_person_alone(
    listen: Listen, side: DiscordSide, ear: Ear, faults: Faults, maya: str, general: str
) -> None:
    """Clients show a command for a while after it is gone."""
    async with listen():
        await until(lambda: len(side.commands) == 2)
    faults.fail("discord", "PUT /applications/*", status=403, times=-1)
    async with listen(commands=(ANSWER,)):
        used = await side.run_command(maya, general, "summarize")

    assert used["ok"]
    assert used["ephemeral"]
    assert ear.commands == []


async def test_commands_are_registered_once_and_again_only_when_they_differ(
    listen: Listen, side: DiscordSide
) -> None:
    async with listen():
        await until(lambda: len(side.commands) == 2)
    first = {one["name"]: one["version"] for one in side.commands}
    async with listen() as edge:
        await until(lambda: edge.registered)
    second = {one["name"]: one["version"] for one in side.commands}

    assert first == second
    assert set(first) == {"summarize", "answer"}


async def test_discord_is_told_of_commands_that_come_and_go(
    listen: Listen, side: DiscordSide, ear: Ear, maya: str, general: str
) -> None:
    """An operator's own skill would else have to wait for the next start."""
    commands = [SUMMARIZE]
    async with listen(commands=commands, commands_every_s=0.01) as edge:
        await until(lambda: edge.registered)
        commands.append(ANSWER)
        await until(lambda: len(side.commands) == 2)
        await side.run_command(maya, general, "answer", "why?")
        await until(lambda: ear.commands)
        commands[:] = [ANSWER]
        await until(lambda: len(side.commands) == 1)

    assert ear.commands[0].text == "why?"
    assert side.commands[0]["name"] == "answer"


EXPLAIN = MessageShortcut(name="Explain this", command="answer", text=": {text}")


async def test_shortcuts_that_come_and_go_are_registered_and_read_with_the_servers_names(
    listen: Listen, side: DiscordSide, ear: Ear, maya: str, general: str
) -> None:
    """An operator's own skill would else have to wait for the next start."""
    shortcuts: list[MessageShortcut] = []
    said = side.say_as(maya, general, "@Tom Okafor, look in #rules for {text}")
    async with listen(shortcuts=shortcuts, commands_every_s=0.01) as edge:
        await until(lambda: edge.registered)
        shortcuts.append(EXPLAIN)
        await until(lambda: "Explain this" in [one["name"] for one in side.commands])
        used = await side.use_menu(maya, general, said.id, "Explain this")
        await until(lambda: ear.commands)
        shortcuts.clear()
        await until(lambda: "Explain this" not in [one["name"] for one in side.commands])

    (command,) = ear.commands
    assert used["ok"]
    assert (command.name, command.text) == ("answer", ": @Tom Okafor, look in #rules for {text}")


async def test_a_shortcut_that_is_no_longer_offered_is_answered_to_the_person_alone(
    listen: Listen, side: DiscordSide, ear: Ear, faults: Faults, maya: str, general: str
) -> None:
    """Clients show it for a while after it is gone."""
    said = side.say_as(maya, general, "hello")
    async with listen(shortcuts=(EXPLAIN,)):
        await until(lambda: len(side.commands) == 3)
    faults.fail("discord", "PUT /applications/*", status=403, times=-1)
    async with listen():
        used = await side.use_menu(maya, general, said.id, "Explain this")

    assert used["ok"]
    assert used["ephemeral"]
    assert "have that command any more" in side.world.get(general, used["message"]).text
    assert ear.commands == []


async def test_a_message_is_read_without_names_where_discord_does_not_tell_them(
    listen: Listen, side: DiscordSide, ear: Ear, faults: Faults, maya: str, general: str
) -> None:
    """Whoever asked would else wait before "Jay is thinking…" for nothing."""
    said = side.say_as(maya, general, "look in #rules")
    faults.rate_limit("discord", "GET /guilds/*", retry_after_s=60, times=-1)
    async with listen(shortcuts=(EXPLAIN,)):
        await until(lambda: len(side.commands) == 3)
        await side.use_menu(maya, general, said.id, "Explain this")
        await until(lambda: ear.commands)

    assert ear.commands[0].text == ": look in #channel"


async def test_a_list_that_discord_refuses_is_tried_again_only_when_it_changes(
    listen: Listen, side: DiscordSide, faults: Faults
) -> None:
    commands = [SUMMARIZE]
    faults.fail("discord", "PUT /applications/*", status=400, times=1)
    async with listen(commands=commands, commands_every_s=0.01) as edge:
        await asyncio.sleep(0.05)
        assert not edge.registered
        assert side.commands == []
        commands.append(ANSWER)
        await until(lambda: edge.registered)

    assert len(side.commands) == 2


async def test_what_is_chosen_stands_before_what_is_typed(
    listen: Listen, side: DiscordSide, ear: Ear, maya: str, general: str
) -> None:
    """A skill reads one line of text, whatever order a client sends its fields in."""
    async with listen(commands=(TONED,)):
        await until(lambda: side.commands)
        registered = side.commands[0]["options"]
        for options in ({"tone": "warm", "text": "we: late"}, {"text": "late"}, {"tone": "warm"}):
            await side.run_command(maya, general, "rephrase", options=options)
        await until(lambda: len(ear.commands) == 3)

    assert [one["name"] for one in registered] == ["text", "tone"]
    assert [one["value"] for one in registered[1]["choices"]] == ["formal", "warm"]
    assert {one.text for one in ear.commands} == {"warm: we: late", "late", "warm"}


async def test_two_deliveries_of_a_message_are_the_same_message(
    edge: DiscordEdge, side: DiscordSide, ear: Ear, faults: Faults, maya: str, general: str
) -> None:
    """The store knows it by its id; nothing else may differ."""
    faults.turn("discord", "duplicate_events")
    side.say_as(maya, general, "twice")
    await until(lambda: len(ear.people) == 2)

    first, second = ear.people
    assert first == second


async def test_what_is_said_while_the_store_is_away_comes_later_in_order(
    edge: DiscordEdge, side: DiscordSide, ear: Ear, world: World, maya: str, general: str
) -> None:
    """Nobody says it again."""
    direct = world.open_direct(side.bot_user_id, maya)
    ear.closed = True
    for number in range(10):
        side.say_as(maya, general, f"{number}")
    side.say_as(maya, direct.id, "elsewhere")
    await until(lambda: ear.refused > 1)
    ear.closed = False
    await until(lambda: len(ear.people) == 11)

    assert [text for text in ear.texts if text != "elsewhere"] == [str(n) for n in range(10)]


async def test_more_than_memory_may_hold_is_read_back_from_discord(
    listen: Listen, side: DiscordSide, ear: Ear, maya: str, general: str
) -> None:
    async with listen(most_waiting=3) as edge:
        ear.closed = True
        for number in range(20):
            side.say_as(maya, general, f"{number}")
        await until(lambda: edge._lanes.waiting >= 3)
        await asyncio.sleep(0.05)
        assert edge._lanes.waiting <= 5
        ear.closed = False
        await until(lambda: "19" in ear.texts)

    in_order = list(dict.fromkeys(ear.texts))
    assert in_order == [str(number) for number in range(20)]


async def test_a_dropped_gateway_is_resumed_and_nothing_is_missed(
    edge: DiscordEdge, side: DiscordSide, ear: Ear, faults: Faults, maya: str, general: str
) -> None:
    faults.signal("discord", "drop_sockets")
    side.say_as(maya, general, "while you were away")

    await ear.message("while you were away")
    await until(lambda: edge.ready)
    assert len(ear.people) == 1


async def test_ready_tells_that_the_gateway_is_gone_and_that_it_is_back(
    edge: DiscordEdge, side: DiscordSide, faults: Faults
) -> None:
    assert edge.ready
    faults.turn("discord", "deaf_sockets")
    faults.signal("discord", "drop_sockets")
    await until(lambda: not edge.ready)

    faults.turn("discord", "deaf_sockets", on=False)
    await until(lambda: side.gateway._connections)
    faults.signal("discord", "drop_sockets")
    await until(lambda: edge.ready)


async def test_each_new_session_tells_since_when_something_may_have_been_missed(
    listen: Listen, side: DiscordSide, ear: Ear, faults: Faults, maya: str, general: str
) -> None:
    """Discord replays nothing to a new session; a resumed one misses nothing."""
    told: list[float | None] = []
    async with listen(identify_every_s=0.2, missed=told.append) as edge:
        assert told == [None]
        faults.signal("discord", "drop_sockets")
        side.say_as(maya, general, "while you were away")
        await ear.message("while you were away")
        assert told == [None]
        before = time.time()
        faults.signal("discord", "invalid_session", resumable=False)
        await until(lambda: not edge.ready)
        after = time.time()
        await until(lambda: len(told) == 2)

    (_, since) = told
    assert since is not None
    assert before <= since <= after


async def test_a_refused_token_ends_the_edge(settings: DiscordSettings, ear: Ear) -> None:
    wrong = settings.model_copy(update={"bot_token": type(settings.bot_token)("wrong.token.here")})
    edge = DiscordEdge(wrong, hear=ear, commands=())

    with pytest.raises(TokenRefused) as refused:
        await asyncio.wait_for(edge.run(), 10)

    assert "wrong.token.here" not in str(refused.value)
    assert not edge.ready


async def test_a_token_that_is_revoked_while_connected_ends_the_edge(
    settings: DiscordSettings, ear: Ear, side: DiscordSide, faults: Faults
) -> None:
    edge = DiscordEdge(settings, hear=ear, commands=())
    running = asyncio.create_task(edge.run())
    await until(lambda: edge.ready)
    faults.turn("discord", "token_revoked")
    faults.signal("discord", "close", code=4004)

    with pytest.raises(TokenRefused):
        await asyncio.wait_for(running, 10)


async def test_a_missing_intent_ends_the_edge_and_says_where_to_switch_it_on(
    settings: DiscordSettings, ear: Ear, faults: Faults
) -> None:
    """Without it every message comes empty, and Jay would seem deaf."""
    faults.turn("discord", "missing_intent:message_content")
    edge = DiscordEdge(settings, hear=ear, commands=())

    with pytest.raises(TokenRefused) as refused:
        await asyncio.wait_for(edge.run(), 10)

    assert "Message Content Intent" in refused.value.hint


async def test_an_edge_starts_though_discord_is_away_and_connects_once_it_is_back(
    settings: DiscordSettings, ear: Ear, faults: Faults
) -> None:
    faults.fail("discord", "GET /users/@me", status=503, times=2)
    edge = DiscordEdge(settings, hear=ear, commands=())
    running = asyncio.create_task(edge.run())
    try:
        await until(lambda: edge.ready)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_nothing_listens_at_the_gateway_and_the_edge_goes_on_trying(
    settings: DiscordSettings, ear: Ear, world: World
) -> None:
    tries: list[int] = []

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tries.append(1)
        writer.close()

    async with await asyncio.start_server(count, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        away = settings.model_copy(update={"gateway_url": f"ws://127.0.0.1:{port}/"})
        edge = DiscordEdge(away, hear=ear, commands=(), identify_every_s=0.0)
        running = asyncio.create_task(edge.run())
        await until(lambda: len(tries) > 1)

        assert not running.done()
        assert not edge.ready
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_whoever_presses_the_stop_button_is_heard(
    edge: DiscordEdge, side: DiscordSide, ear: Ear, world: World, maya: str, general: str
) -> None:
    root = side.say_as(maya, general, "hello")
    thread = side.create_thread_as(maya, general, root.id, "Hello")
    shown = world.say(thread.id, world.bot_id, "_Summing up…_")
    answer = await side.press_button(maya, thread.id, shown.id, "jay:stop")
    await until(lambda: any(isinstance(one, StopAsked) for one in ear.heard))

    (asked,) = [one for one in ear.heard if isinstance(one, StopAsked)]
    assert (asked.message_id, asked.place.channel, asked.place.thread) == (
        shown.id, general, thread.id,
    )  # fmt: skip
    assert answer["ok"]


async def test_a_private_command_is_deferred_for_its_person_alone(
    listen: Listen, side: DiscordSide, ear: Ear, maya: str, general: str
) -> None:
    async with listen(ear, commands=(ASIDE,)):
        used = await side.run_command(maya, general, "aside")
        await until(lambda: ear.commands)

    assert used["ephemeral"]


async def test_whoever_presses_share_is_heard(
    edge: DiscordEdge, side: DiscordSide, ear: Ear, world: World, maya: str, general: str
) -> None:
    shown = world.say(general, world.bot_id, "Done.", ephemeral_to=maya)
    await side.press_button(maya, general, shown.id, "jay:share")
    await until(lambda: any(isinstance(one, ShareAsked) for one in ear.heard))

    (asked,) = [one for one in ear.heard if isinstance(one, ShareAsked)]
    assert (asked.message_id, asked.place.channel) == (shown.id, general)
    assert (asked.author.id, asked.author.name) == (maya, "Maya Lindqvist")


async def test_whoever_presses_why_asks_of_that_reply_and_waits_alone(
    listen: Listen, side: DiscordSide, ear: Ear, world: World, maya: str, general: str
) -> None:
    shown = world.say(general, world.bot_id, "Hi.")
    async with listen(ear, commands=COMMANDS):
        used = await side.press_button(maya, general, shown.id, "jay:why")
        await until(lambda: ear.commands)

    (asked,) = ear.commands
    assert (asked.name, asked.text, asked.author.id) == ("why", shown.id, maya)
    assert used["ephemeral"]
    assert used["message"] != shown.id
