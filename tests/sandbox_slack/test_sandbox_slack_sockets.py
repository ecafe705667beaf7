"""Socket Mode with the real slack-bolt AsyncApp and its aiohttp client."""

import asyncio
import logging
from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from adapters.sandbox.slack import SlackSide
from adapters.sandbox.world import File, World

KINDS = (
    "agent_session_stopped",
    "app_mention",
    "assistant_thread_started",
    "member_joined_channel",
    "message",
    "reaction_added",
)


class Bot:
    """A bolt app that notes whatever it is told."""

    def __init__(self, slack: SlackSide) -> None:
        quiet = logging.getLogger("bolt-under-test")
        quiet.setLevel(logging.CRITICAL)
        web = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, logger=quiet)
        self.app = AsyncApp(client=web, logger=quiet, ignoring_self_events_enabled=False)
        self.handler = AsyncSocketModeHandler(
            self.app, slack.app_token, logger=quiet, web_client=web, ping_interval=0.05
        )
        self.told: asyncio.Queue[dict] = asyncio.Queue()
        self.frames: list[dict] = []
        for kind in KINDS:
            self.app.event(kind)(self._note)
        self.handler.client.message_listeners.append(self._frame)

    async def _note(self, body: dict) -> None:
        self.told.put_nowait(body)

    async def _frame(self, client, message, raw) -> None:
        self.frames.append(message)

    async def next(self) -> dict:
        async with asyncio.timeout(5):
            return await self.told.get()

    async def events(self, count: int) -> list[dict]:
        return [(await self.next())["event"] for _ in range(count)]

    async def close(self) -> None:
        await self.handler.close_async()


@pytest.fixture
async def bot(slack: SlackSide) -> AsyncIterator[Bot]:
    made = Bot(slack)
    await made.handler.connect_async()
    await until(lambda: slack.sockets.count == 1)
    yield made
    await made.close()


async def until(condition) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.fixture
def maya(world: World) -> str:
    return world.member_named("maya").id


@pytest.fixture
def general(world: World) -> str:
    return world.channel_named("general").id


async def test_a_mention_arrives_as_message_and_as_app_mention(slack, bot, maya, general, world):
    """A bot that does not know this answers twice."""
    said = slack.say_as(maya, general, "@Jay is 2 < 3 & true? see #releases")

    bodies = [await bot.next(), await bot.next()]

    events = {body["event"]["type"]: body["event"] for body in bodies}
    assert set(events) == {"message", "app_mention"}
    assert {event["ts"] for event in events.values()} == {said.id}
    assert len({body["event_id"] for body in bodies}) == 2
    releases = world.channel_named("releases").id
    assert events["message"]["text"] == (
        f"<@{world.bot_id}> is 2 &lt; 3 &amp; true? see <#{releases}|releases>"
    )
    assert events["message"]["channel_type"] == "channel"
    assert bodies[0]["authorizations"][0]["user_id"] == world.bot_id


async def test_every_event_has_the_outer_fields(slack, bot, maya, general):
    """Deduplication and tenancy read them."""
    slack.say_as(maya, general, "hello")

    body = await bot.next()

    assert {"token", "team_id", "api_app_id", "event", "type", "event_id", "event_time"} <= set(
        body
    )
    assert {"authorizations", "event_context", "is_ext_shared_channel"} <= set(body)


async def test_nothing_is_told_of_channels_the_bot_is_not_in(slack, bot, maya, general, world):
    """A private room must stay private."""
    slack.say_as(maya, world.channel_named("outside").id, "@Jay psst")
    slack.say_as(maya, world.channel_named("board").id, "@Jay psst")
    slack.say_as(maya, general, "public")

    assert (await bot.events(1))[0]["text"] == "public"


async def test_edits_deletes_threads_files_and_reactions_are_told(slack, bot, maya, general, world):
    """What was deleted must be forgotten, what was edited answered anew."""
    file = File(id="F1", name="notes.txt", mimetype="text/plain", size=3)
    root = slack.say_as(maya, general, "first")
    slack.say_as(maya, general, "shared", thread=root.id, broadcast=True)
    lone = slack.say_as(maya, general, "", files=[file])
    slack.edit_as(general, root.id, "first, better")
    world.delete(general, lone.id)
    world.react(general, root.id, maya, "tada")

    told = await bot.events(6)

    kinds = sorted(event.get("subtype") or event["type"] for event in told)
    assert kinds == [
        "file_share", "message", "message_changed", "message_deleted", "reaction_added",
        "thread_broadcast",
    ]  # fmt: skip
    by_kind = {event.get("subtype") or event["type"]: event for event in told}
    assert by_kind["message_changed"]["message"]["text"] == "first, better"
    assert by_kind["message_changed"]["previous_message"]["text"] == "first"
    assert by_kind["message_deleted"]["deleted_ts"] == lone.id
    assert by_kind["thread_broadcast"]["root"]["ts"] == root.id
    assert by_kind["file_share"]["files"][0]["name"] == "notes.txt"


async def test_its_own_posts_come_back_with_its_bot_id(slack, bot, client, general, world):
    """By this the bot knows itself and does not answer itself."""
    await client.chat_postMessage(channel=general, text="I am")

    [event] = await bot.events(1)

    assert (event["user"], event["bot_id"]) == (world.bot_id, slack.place.bot_id(world.bot_id))


async def test_a_direct_message_is_of_type_im_and_no_mention(slack, bot, maya, world):
    """A mention in a direct message arrives once."""
    direct = world.open_direct(world.bot_id, maya)
    slack.say_as(maya, direct.id, "@Jay hi")
    slack.say_as(maya, direct.id, "there")

    told = await bot.events(2)

    assert [(e["type"], e["channel_type"]) for e in told] == [("message", "im")] * 2


async def test_an_event_without_ack_is_sent_again_and_says_so(slack, maya, general):
    """A worker that dies between receipt and store must get it again."""
    async with raw_socket(slack) as socket:
        slack.say_as(maya, general, "hello?")
        first = await socket.receive_json()
        again = await socket.receive_json()
        await socket.send_json({"envelope_id": again["envelope_id"]})

        assert (first["retry_attempt"], first["retry_reason"]) == (0, "")
        assert (again["retry_attempt"], again["retry_reason"]) == (1, "timeout")
        assert first["payload"]["event_id"] == again["payload"]["event_id"]
        assert first["envelope_id"] != again["envelope_id"]
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.3)


async def test_events_of_a_gap_are_delivered_on_reconnect(slack, maya, general):
    """Messages sent while the bot restarts are not lost."""
    slack.say_as(maya, general, "anybody?")
    slack.say_as(maya, general, "hello?")
    await asyncio.sleep(0.02)
    bot = Bot(slack)

    await bot.handler.connect_async()

    assert [event["text"] for event in await bot.events(2)] == ["anybody?", "hello?"]
    await bot.close()


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
async def test_a_rotated_connection_is_replaced(slack, bot, faults, maya, general, reason):
    """Slack rotates connections every few hours; the bot must not go deaf."""
    faults.signal("slack", "disconnect", reason=reason, after_s=0.05)
    await until(lambda: len([frame for frame in bot.frames if frame["type"] == "hello"]) == 2)
    slack.say_as(maya, general, "still there?")

    assert (await bot.events(1))[0]["text"] == "still there?"


async def test_a_dropped_socket_loses_nothing(slack, bot, faults, maya, general):
    """A cut cable in the middle of a conversation."""
    faults.signal("slack", "drop_sockets")
    slack.say_as(maya, general, "did it arrive?")

    assert (await bot.events(1))[0]["text"] == "did it arrive?"


async def test_a_socket_that_went_deaf_gets_its_events_later(slack, faults, maya, general):
    """The connection looks open while nothing comes: the worst kind of outage."""
    async with raw_socket(slack) as socket:
        faults.turn("slack", "deaf_sockets")
        slack.say_as(maya, general, "anybody?")
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.1)
        faults.turn("slack", "deaf_sockets", on=False)

        late = await socket.receive_json()
        await socket.send_json({"envelope_id": late["envelope_id"]})

    assert late["retry_attempt"] > 0


async def test_the_same_event_can_come_twice(slack, bot, faults, maya, general):
    """Slack promises at least once, not exactly once."""
    faults.turn("slack", "duplicate_events")
    slack.say_as(maya, general, "twice")

    bodies = [await bot.next(), await bot.next()]

    assert bodies[0]["event_id"] == bodies[1]["event_id"]


async def test_several_connections_share_the_events(slack, maya, general):
    """Two processes of one app split the work; none gets all of it."""
    bots = [Bot(slack), Bot(slack)]
    for bot in bots:
        await bot.handler.connect_async()
    await until(lambda: slack.sockets.count == 2)
    for n in range(4):
        slack.say_as(maya, general, str(n))
    await until(lambda: sum(bot.told.qsize() for bot in bots) == 4)

    assert [bot.told.qsize() for bot in bots] == [2, 2]
    for bot in bots:
        await bot.close()


async def test_an_eleventh_connection_is_sent_away(slack):
    """More than ten would each get less and less."""
    sockets = [raw_socket(slack) for _ in range(11)]
    try:
        opened = [await one.__aenter__() for one in sockets[:10]]
        last = await sockets[10].open()
        assert (await last.receive_json())["reason"] == "too_many_websockets"
        assert len(opened) == 10
    finally:
        for one in sockets:
            await one.close()


async def test_a_ticket_is_good_once(slack, client):
    """A connection address that leaks is worth nothing."""
    opened = await client.apps_connections_open(app_token=slack.app_token)
    socket = raw_socket(slack)
    await socket.open(opened["url"])

    with pytest.raises(Exception, match="403"):
        await raw_socket(slack).open(opened["url"])
    await socket.close()


async def test_a_command_is_answered_by_ack_and_by_response_url(slack, bot, maya, general, world):
    """A summary is asked for privately and then shared."""
    asked = {}

    @bot.app.command("/summarize")
    async def summarize(ack, body, respond) -> None:
        asked.update(body)
        await ack("Reading…")
        await respond(text="Here it is", response_type="in_channel")

    answer = await slack.run_command(maya, general, "summarize", "today @tom")
    await until(lambda: len(world.history(general, seen_by=maya)) == 2)

    assert answer["ok"]
    tom = world.member_named("tom").id
    assert (asked["command"], asked["text"]) == ("/summarize", f"today <@{tom}>")
    assert asked["channel_id"] == general
    assert "thread_ts" not in asked
    shown = world.history(general, seen_by=maya)
    assert {(m.text, m.ephemeral_to) for m in shown} == {("Reading…", maya), ("Here it is", None)}


async def test_a_response_url_is_good_five_times_and_can_replace_and_delete(
    slack, bot, maya, general, world
):
    """The sixth answer would otherwise vanish without a word."""
    statuses = []

    @bot.app.command("/answer")
    async def answer(ack, respond) -> None:
        await ack()
        for n in range(4):
            answered = await respond(text=f"try {n}", replace_original=n > 0)
            statuses.append(answered.status_code)
        statuses.append((await respond(delete_original=True)).status_code)
        statuses.append((await respond(text="late")).status_code)

    await slack.run_command(maya, general, "/answer")
    await until(lambda: len(statuses) == 6)

    assert statuses == [200] * 5 + [404]
    assert world.history(general, seen_by=maya) == []
    assert [m.text for m in world.messages(general)] == ["try 3"]


async def test_a_command_nobody_acks_fails_visibly(slack, bot, maya, general, world):
    """Bolt acks nothing for a command that it does not know."""
    answer = await slack.run_command(maya, general, "/nothing")

    assert answer == {"ok": False, "error": "operation_timeout"}
    assert "operation_timeout" in world.history(general, seen_by=maya)[0].text


async def test_a_button_and_a_shortcut_reach_the_app(slack, bot, client, maya, general, world):
    """Stop, retry and "why?" are buttons."""
    pressed = []

    @bot.app.action("retry")
    async def retry(ack, body, respond) -> None:
        await ack()
        pressed.append(body)
        await respond(text="again", replace_original=True)

    @bot.app.shortcut("explain")
    async def explain(ack, body) -> None:
        await ack()
        pressed.append(body)

    button = {"type": "button", "action_id": "retry", "value": "r1"} | {
        "text": {"type": "plain_text", "text": "Retry"}
    }
    posted = await client.chat_postMessage(
        channel=general, text="failed", blocks=[{"type": "actions", "elements": [button]}]
    )
    await slack.press_button(maya, general, posted["ts"], "retry")
    await slack.use_shortcut(maya, general, posted["ts"], "explain")
    await until(lambda: world.get(general, posted["ts"]).text == "again" and len(pressed) == 2)

    assert pressed[0]["actions"][0]["value"] == "r1"
    assert pressed[0]["container"]["message_ts"] == posted["ts"]
    assert pressed[1]["message"]["ts"] == posted["ts"]


async def test_joining_the_pane_and_stop_are_told(slack, bot, maya, world):
    """An agent app starts and ends its sessions by these."""
    outside = world.channel_named("outside").id
    world.join(outside, world.bot_id)
    root = slack.open_assistant(maya)
    slack.press_stop(maya, root.channel, root.id)

    told = await bot.events(5)

    kinds = [event.get("subtype") or event["type"] for event in told]
    assert sorted(kinds) == [
        "agent_session_stopped", "assistant_app_thread", "assistant_thread_started",
        "channel_join", "member_joined_channel",
    ]  # fmt: skip


class raw_socket:  # noqa: N801
    """A bare Socket Mode connection that acks only what the test acks."""

    def __init__(self, slack: SlackSide) -> None:
        self.slack = slack
        self.session = None

    async def open(self, url: str | None = None):
        self.session = aiohttp.ClientSession()
        try:
            self.socket = await self.session.ws_connect(url or self.slack.sockets.open_address())
        except aiohttp.WSServerHandshakeError:
            await self.session.close()
            raise
        return self.socket

    async def __aenter__(self):
        socket = await self.open()
        assert (await socket.receive_json())["type"] == "hello"
        return socket

    async def __aexit__(self, *details) -> None:
        await self.close()

    async def close(self) -> None:
        if self.session is not None:
            await self.socket.close()
            await self.session.close()
