"""What the page's server takes, and what it declines."""

import asyncio
import json

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from adapters.sandbox.page.feed import Feed
from adapters.sandbox.page.guarding import BODY_MAX_BYTES
from adapters.sandbox.page.side import STATIC
from adapters.sandbox.server import Sandbox


def where(sandbox: Sandbox, platform: str = "slack", who: str = "maya", channel: str = "general"):
    world = sandbox.slack_world if platform == "slack" else sandbox.discord_world
    return {
        "platform": platform,
        "as": world.member_named(who).id,
        "channel": world.channel_named(channel).id,
    }


async def do(http: aiohttp.ClientSession, deed: str, **given) -> tuple[int, dict]:
    async with http.post(f"/page/do/{deed}", json=given) as answer:
        return answer.status, await answer.json()


async def hear(socket: aiohttp.ClientWebSocketResponse, kind: str) -> dict:
    async with asyncio.timeout(5):
        while True:
            event = json.loads((await socket.receive()).data)
            if event["kind"] == kind:
                return event


async def ask(socket: aiohttp.ClientWebSocketResponse, what: str, **given) -> dict:
    await socket.send_json(given | {"ask": what, "id": 7})
    return await hear(socket, "answer")


async def test_every_part_of_the_page_comes_from_here(http: aiohttp.ClientSession):
    """Offline, or behind a firewall, a font or script from outside would hang the page."""
    async with http.get("/") as answer:
        index = await answer.text()
        policy = answer.headers["Content-Security-Policy"]

    assert "https://" not in index
    assert "http://" not in index
    assert "default-src 'none'" in policy
    for name, kind in (("app.js", "javascript"), ("style.css", "css"), ("icons.svg", "svg")):
        async with http.get(f"/page/static/{name}") as part:
            assert part.status == 200
            assert kind in part.content_type


@pytest.mark.parametrize("name", ["..%2fside.py", "%2e%2e/side.py", "nothing.js", "__init__.py"])
async def test_no_other_file_can_be_read(sandbox: Sandbox, http: aiohttp.ClientSession, name: str):
    url = URL(f"{sandbox.url}/page/static/{name}", encoded=True)

    async with http.get(url) as answer:
        assert answer.status == 404


async def test_every_module_is_fetched_at_once(http: aiohttp.ClientSession):
    """Modules that are found one behind the other make a slow first look."""
    async with http.get("/") as answer:
        index = await answer.text()

    assert [
        one.name for one in STATIC.glob("*.js") if f"/page/static/{one.name}" not in index
    ] == []


async def test_a_page_begins_with_everybody_and_every_place(
    sandbox: Sandbox, http: aiohttp.ClientSession
):
    async with http.ws_connect("/page/feed") as socket:
        snapshot = await hear(socket, "snapshot")

    slack, discord = snapshot["homes"]
    assert slack["name"] == "Harbour Labs"
    assert discord["name"] == "Open Orchard"
    assert slack["bot"] == sandbox.slack.bot_user_id
    assert {"general", "leadership"} <= {one["name"] for one in slack["channels"]}
    assert sandbox.slack_world.members[slack["persona"]].name == "maya"


async def test_what_is_said_edited_and_deleted_reaches_every_page(
    sandbox: Sandbox, http: aiohttp.ClientSession
):
    world = sandbox.slack_world
    general = world.channel_named("general").id

    async with http.ws_connect("/page/feed") as one, http.ws_connect("/page/feed") as other:
        for socket in (one, other):
            await hear(socket, "snapshot")
        said = world.say(general, world.bot_id, "One", streaming=True)
        world.edit(general, said.id, "One, two", mark_edited=False)
        world.delete(general, said.id)

        for socket in (one, other):
            assert (await hear(socket, "message"))["message"]["streaming"] is True
            assert (await hear(socket, "edit"))["message"]["text"] == "One, two"
            assert (await hear(socket, "delete"))["id"] == said.id


async def test_history_comes_in_stretches_and_says_whether_there_is_more(
    sandbox: Sandbox, http: aiohttp.ClientSession
):
    world = sandbox.slack_world
    busy = world.add_channel("busy", members=list(world.members)).id
    ids = [world.say(busy, world.bot_id, str(n), at=1_700_000_000.0 + n).id for n in range(250)]
    here = where(sandbox, channel="busy")

    async with http.ws_connect("/page/feed") as socket:
        newest = await ask(socket, "history", **here, limit=100)
        before = await ask(socket, "history", **here, limit=100, before=ids[150])
        oldest = await ask(socket, "history", **here, limit=100, before=ids[50])
        after = await ask(socket, "history", **here, limit=100, after=ids[199])
        around = await ask(socket, "history", **here, limit=20, around=ids[100])

    def texts(found):
        return [int(one["text"]) for one in found["messages"]]

    assert (texts(newest), newest["more_before"]) == (list(range(150, 250)), True)
    assert (texts(before), before["more_before"]) == (list(range(50, 150)), True)
    assert (texts(oldest), oldest["more_before"]) == (list(range(50)), False)
    assert (texts(after), after["more_after"]) == (list(range(200, 250)), False)
    assert texts(around) == list(range(90, 111))
    assert (around["more_before"], around["more_after"]) == (True, True)


async def test_a_reply_is_shown_around_its_root(sandbox: Sandbox, http: aiohttp.ClientSession):
    """A permalink to a reply must open the thread that it stands in."""
    world = sandbox.slack_world
    general = world.channel_named("general").id
    root = world.say(general, world.member_named("tom").id, "root")
    reply = world.say(general, world.bot_id, "reply", thread=root.id)

    async with http.ws_connect("/page/feed") as socket:
        found = await ask(socket, "history", **where(sandbox), around=reply.id)

    assert found["root"] == root.id
    shown = {one["id"]: one for one in found["messages"]}
    assert shown[root.id]["replies"]["count"] == 1


async def test_nobody_reads_a_channel_they_are_not_in(
    sandbox: Sandbox, http: aiohttp.ClientSession
):
    async with http.ws_connect("/page/feed") as socket:
        found = await ask(socket, "history", **where(sandbox, who="tom", channel="leadership"))

    assert found["error"] == "no_channel"


async def test_a_page_that_does_not_keep_up_is_dropped_and_begins_anew(http, unused_tcp_port):
    """It must never hold up the others, nor grow without end."""
    feed = Feed(lambda: {"kind": "snapshot"}, lambda asked: {}, queue_max=5)
    app = web.Application()
    app.add_routes([web.get("/feed", feed.serve)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    url = f"http://127.0.0.1:{unused_tcp_port}/feed"
    try:
        async with http.ws_connect(url) as slow:
            await hear(slow, "snapshot")
            for number in range(20):
                feed.publish({"kind": "message", "number": number})
            async with asyncio.timeout(5):
                while not slow.closed:
                    received = await slow.receive()
            assert received.data == 1013 or slow.close_code == 1013
        async with http.ws_connect(url) as again:
            assert await hear(again, "snapshot")
    finally:
        await feed.close()
        await runner.cleanup()


@pytest.mark.parametrize("platform", ["slack", "discord"])
async def test_what_a_person_types_becomes_a_mention(
    sandbox: Sandbox, http: aiohttp.ClientSession, platform: str
):
    who = "maya" if platform == "slack" else "fern"
    here = where(sandbox, platform, who)
    world = sandbox.slack_world if platform == "slack" else sandbox.discord_world

    status, said = await do(http, "say", **here, text="@Jay hello")

    assert status == 200
    assert world.get(here["channel"], said["id"]).text == f"<@{world.bot_id}> hello"


async def test_people_change_only_what_is_theirs(sandbox: Sandbox, http: aiohttp.ClientSession):
    here = where(sandbox)
    world = sandbox.slack_world
    theirs = world.say(here["channel"], world.member_named("tom").id, "Tom's")
    _, own = await do(http, "say", **here, text="mine")

    edited, _ = await do(http, "edit", **here, message=own["id"], text="mine, better")
    foreign, _ = await do(http, "edit", **here, message=theirs.id, text="not mine")
    gone, _ = await do(http, "delete", **here, message=theirs.id)

    assert (edited, foreign, gone) == (200, 403, 403)
    assert world.get(here["channel"], own["id"]).text == "mine, better"
    assert world.get(here["channel"], theirs.id).text == "Tom's"


@pytest.mark.parametrize(
    ("given", "status", "error"),
    [
        ({"text": ""}, 400, "bad_field"),
        ({"text": " \n "}, 400, "no_text"),
        ({"text": 5}, 400, "bad_field"),
        ({"text": "x" * 12_001}, 400, "too_long"),
        ({"text": "x", "platform": "irc"}, 400, "bad_field"),
        ({"text": "x", "channel": "C0NOWHERE"}, 404, "no_channel"),
        ({"text": "x", "as": "U0NOBODY"}, 403, "no_person"),
        ({"text": "x", "thread": "1.1"}, 404, "no_message"),
    ],
)
async def test_a_wrong_request_is_declined_with_a_reason(
    sandbox: Sandbox, http: aiohttp.ClientSession, given: dict, status: int, error: str
):
    answered, said = await do(http, "say", **(where(sandbox) | given))

    assert (answered, said["error"]) == (status, error)
    assert said["detail"]


async def test_nobody_can_be_the_bot(sandbox: Sandbox, http: aiohttp.ClientSession):
    status, _ = await do(http, "say", **where(sandbox, who="jay"), text="I am Jay")

    assert status == 403


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({"Origin": "https://evil.example"}, "wrong_origin"),
        ({"Origin": "null"}, "wrong_origin"),
        ({"Origin": "http://["}, "wrong_origin"),
        ({"Host": "[::1"}, "wrong_host"),
        ({"Host": "rebound.example:8090"}, "wrong_host"),
        ({"Host": "rebound.example", "Origin": "http://rebound.example"}, "wrong_host"),
    ],
)
async def test_another_site_can_neither_write_nor_listen(
    sandbox: Sandbox, http: aiohttp.ClientSession, headers: dict, error: str
):
    """Any web page that is open beside it could otherwise speak for its visitor."""
    body = where(sandbox) | {"text": "forged"}

    async with http.post("/page/do/say", json=body, headers=headers) as answer:
        assert (answer.status, (await answer.json())["error"]) == (403, error)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await http.ws_connect("/page/feed", headers=headers)
    assert refused.value.status == 403


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
async def test_the_page_works_under_every_name_of_this_machine(
    sandbox: Sandbox, http: aiohttp.ClientSession, host: str
):
    at = f"{host}:{sandbox.port}"
    headers = {"Host": at, "Origin": f"http://{at}"}

    async with http.post(
        "/page/do/say", json=where(sandbox) | {"text": "hello"}, headers=headers
    ) as answer:
        assert answer.status == 200


async def test_only_small_json_is_read(sandbox: Sandbox, http: aiohttp.ClientSession):
    body = json.dumps(where(sandbox) | {"text": "hello"})

    async def post(data: bytes | str, kind: str) -> int:
        async with http.post("/page/do/say", data=data, headers={"Content-Type": kind}) as answer:
            return answer.status

    async def chunks():
        for _ in range(40):
            yield b" " * (BODY_MAX_BYTES // 20)

    assert await post(body, "text/plain") == 415
    assert await post("{", "application/json") == 400
    assert await post("[1]", "application/json") == 400
    assert await post("[" * 50_000, "application/json") == 400
    assert await post(b" " * (BODY_MAX_BYTES + 1), "application/json") == 413
    assert await post(chunks(), "application/json") == 413
    assert await post(body, "application/json") == 200


async def test_slack_offers_the_commands_of_the_apps_manifest(
    sandbox: Sandbox, http: aiohttp.ClientSession
):
    """Slack learns of them nowhere else."""
    greet = {"command": "/greet", "description": "Greet somebody", "usage_hint": "[whom]"}
    async with http.ws_connect("/page/feed") as socket:
        before = await ask(socket, "commands", **where(sandbox))
        sandbox.slack.install({"features": {"slash_commands": [greet]}})
        after = await ask(socket, "commands", **where(sandbox))

    assert before["commands"] == []
    (told,) = after["commands"]
    assert (told["name"], told["hint"]) == ("greet", "[whom]")


async def test_a_question_that_makes_no_sense_does_not_end_the_feed(
    sandbox: Sandbox, http: aiohttp.ClientSession
):
    async with http.ws_connect("/page/feed") as socket:
        await socket.send_str("{")
        assert (await hear(socket, "answer"))["error"] == "bad_json"
        assert (await ask(socket, "everything"))["error"] == "no_answer"
        assert (await ask(socket, "history", **where(sandbox), limit="x"))["error"] == "bad_field"
        assert (await ask(socket, "history", **where(sandbox), limit=1))["messages"]


@pytest.mark.parametrize("name", ["", " "])
async def test_a_command_needs_a_name(sandbox: Sandbox, http: aiohttp.ClientSession, name: str):
    here = where(sandbox, "discord", "fern")

    assert (await do(http, "command", **here, name=name))[0] == 400


async def test_a_command_without_a_bot_is_told_as_the_platform_tells_it(
    sandbox: Sandbox, http: aiohttp.ClientSession
):
    here = where(sandbox)

    status, said = await do(http, "command", **here, name="summarize", text="today")

    assert (status, said["ok"]) == (200, False)
    newest = list(sandbox.slack_world.messages(here["channel"]))[-1]
    assert newest.ephemeral_to == here["as"]
    assert "failed with the error" in newest.text


@pytest.mark.parametrize(
    ("platform", "error"), [("slack", "dispatch_failed"), ("discord", "unknown_command")]
)
async def test_a_shortcut_is_used_on_a_message_that_all_can_see(
    sandbox: Sandbox, http: aiohttp.ClientSession, platform: str, error: str
):
    """Slack shows no shortcuts at a message that only one person sees."""
    here = where(sandbox, platform, "maya" if platform == "slack" else "fern")
    world = sandbox.slack_world if platform == "slack" else sandbox.discord_world
    seen = world.say(here["channel"], world.bot_id, "Hello").id
    mine = world.say(here["channel"], world.bot_id, "Psst", ephemeral_to=here["as"]).id

    told = await do(http, "shortcut", **here, message=seen, shortcut="explain_this")
    private = await do(http, "shortcut", **here, message=mine, shortcut="explain_this")
    gone = await do(http, "shortcut", **here, message="1.1", shortcut="explain_this")

    assert told == (200, {"ok": False, "error": error})
    assert (private[0], private[1]["error"]) == (400, "no_menu")
    assert gone[0] == 404


async def test_a_spell_of_bad_weather_is_switched_on_and_off(
    sandbox: Sandbox, http: aiohttp.ClientSession
):
    async with http.ws_connect("/page/feed") as socket:
        await do(http, "mishap", platform="slack", name="rate_limited", on=True)
        assert (await hear(socket, "mishaps"))["mishaps"]["on"] == ["slack rate_limited"]
        headers = {"Authorization": f"Bearer {sandbox.slack.bot_token}"}
        async with http.post("/slack/api/chat.postMessage", headers=headers) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (429, "2")
        await do(http, "mishap", platform="slack", name="rate_limited", on=False)
        assert (await hear(socket, "mishaps"))["mishaps"]["on"] == []

    assert sandbox.faults.troubles == []


async def test_bad_weather_on_discord_hits_writes_and_leaves_reading(
    sandbox: Sandbox, http: aiohttp.ClientSession
):
    await do(http, "mishap", platform="discord", name="server_errors", on=True)
    general = sandbox.discord_world.channel_named("general").id
    address = f"{sandbox.discord.api_url}/channels/{general}/messages"
    bot = {"Authorization": f"Bot {sandbox.discord.bot_token}"}

    async with http.post(address, headers=bot, json={"content": "hello"}) as written:
        assert written.status == 503
    async with http.get(address, headers=bot) as read:
        assert read.status == 200


async def test_each_mishap_can_be_played_on_its_platforms(
    sandbox: Sandbox, http: aiohttp.ClientSession
):
    async with http.ws_connect("/page/feed") as socket:
        offered = (await hear(socket, "snapshot"))["mishaps"]["offered"]
    statuses = []
    for one in offered:
        for platform in one["platforms"]:
            here = where(sandbox, platform, "maya" if platform == "slack" else "fern")
            for on in (True, False):
                status, _ = await do(http, "mishap", **here, name=one["name"], on=on)
                statuses.append(status)

    assert len(offered) >= 10
    assert set(statuses) == {200}
    assert sandbox.faults.switches == set()
    assert (await do(http, "mishap", platform="slack", name="earthquake", on=True))[0] == 404


async def test_a_channel_is_made_read_only_for_the_bot(
    sandbox: Sandbox, http: aiohttp.ClientSession
):
    here = where(sandbox)

    await do(http, "mishap", **here, name="read_only", on=True)

    assert not sandbox.slack_world.channels[here["channel"]].writable_by_bot


async def test_threads_direct_messages_and_reactions_are_made(
    sandbox: Sandbox, http: aiohttp.ClientSession
):
    here = where(sandbox, "discord", "fern")
    world = sandbox.discord_world
    _, said = await do(http, "say", **here, text="Who comes?")

    _, thread = await do(http, "thread", **here, message=said["id"], name="Who comes")
    again, _ = await do(http, "thread", **here, message=said["id"], name="Who comes")
    _, direct = await do(http, "direct", **here)
    on = [(await do(http, "react", **here, message=said["id"], emoji="👍"))[1]["on"] for _ in "ab"]

    assert world.channels[thread["channel"]].parent == here["channel"]
    assert again == 409
    assert world.channels[direct["channel"]].members == {here["as"], world.bot_id}
    assert on == [True, False]


async def test_stop_reaches_the_stream_of_a_thread(sandbox: Sandbox, http: aiohttp.ClientSession):
    here = where(sandbox)
    world = sandbox.slack_world
    _, root = await do(http, "say", **here, text="@Jay go on for ever")
    growing = world.say(here["channel"], world.bot_id, "la", thread=root["id"], streaming=True)

    _, said = await do(http, "stop", **here, thread=root["id"])

    assert said["stopped"] == [growing.id]


async def test_closing_the_sandbox_says_goodbye_to_every_page():
    async with aiohttp.ClientSession() as session:
        async with Sandbox() as sandbox:
            socket = await session.ws_connect(f"{sandbox.url}/page/feed")
            await hear(socket, "snapshot")
        async with asyncio.timeout(3):
            received = await socket.receive()

    assert (received.type, received.data) == (aiohttp.WSMsgType.CLOSE, 1001)
