"""Whatever a bot sends, it gets a Discord-shaped answer: a crash would teach it nothing."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sandbox_discord_client import Bare

from adapters.sandbox.discord import DiscordSide, Limits

ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
    | st.sampled_from(["users", "everyone", "x" * 2_001, "123456789012345678"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                "name type content components fields value footer text author custom_id style "
                "label options choices id parse description title required message_id "
                "channel_id users filename flags data roles".split()
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
NAMES = (
    "content", "embeds", "components", "flags", "tts", "nonce", "enforce_nonce", "attachments",
    "allowed_mentions", "message_reference", "type", "data", "name", "description", "options",
    "recipient_id", "auto_archive_duration", "choices", "nsfw", "dm_permission",
)  # fmt: skip
PARTS = st.sampled_from(
    "fields footer author components custom_id label title content name value text parse users "
    "roles id message_id channel_id filename".split()
)
LISTS = st.lists(st.dictionaries(PARTS, ANY | st.lists(st.dictionaries(PARTS, ANY)), max_size=3))
BODIES = (
    ANY
    | st.dictionaries(st.sampled_from(NAMES), ANY, max_size=6)
    | st.dictionaries(st.sampled_from(["embeds", "components", "attachments"]), LISTS, min_size=1)
    | st.builds(
        lambda rows, flags: {"components": [{"type": 1, "components": rows}], "flags": flags},
        LISTS,
        st.sampled_from([0, 1 << 15]),
    )
    | st.builds(
        lambda text, allowed, reference: {
            "content": text, "allowed_mentions": allowed, "message_reference": reference,
        },
        st.text(min_size=1, max_size=5), st.dictionaries(PARTS, ANY), st.dictionaries(PARTS, ANY),
    )
)  # fmt: skip
COMMAND_LISTS = st.lists(
    st.dictionaries(st.sampled_from(NAMES), ANY, max_size=6)
    | st.fixed_dictionaries(
        {
            "name": st.sampled_from(["ask", "why"]),
            "description": st.just("d"),
            "options": ANY
            | st.lists(
                st.dictionaries(st.sampled_from(["name", "type", "choices", "options"]), ANY)
                | st.fixed_dictionaries(
                    {"name": st.just("a"), "description": st.just("b"), "type": st.integers(1, 12)},
                    optional={"choices": LISTS | ANY, "options": LISTS | ANY, "required": ANY},
                )
            ),
        }
    )
    | ANY,
    max_size=4,
)
FUZZ = settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    # Over sockets, making a failing example small takes minutes.
    phases=[Phase.explicit, Phase.generate],
)


@pytest.fixture
def limits(world) -> Limits:
    return Limits(world.clock, on=False)


@pytest.fixture
async def session(side: DiscordSide) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": f"Bot {side.bot_token}"}
    async with aiohttp.ClientSession(headers=headers) as made:
        yield made


@pytest.fixture
async def listener(side: DiscordSide, session: aiohttp.ClientSession) -> AsyncIterator[Bare]:
    """A gateway client of a bot that has registered one command."""
    url = f"{side.api_url}/applications/{side.application_id}/commands"
    async with session.put(url, json=[{"name": "ask", "description": "d"}]) as response:
        assert response.status == 200
    async with Bare.connected(side) as client:
        await client.identify(side)
        yield client


async def answer(session: aiohttp.ClientSession, method: str, url: str, body: object) -> int:
    """Send a body and check the shape of what comes back; returns the status."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    async with session.request(method, url, data=data, headers=headers) as response:
        told = await response.read()
        if response.status == 204:
            assert told == b""
            return 204
        assert response.headers["Content-Type"] == "application/json"
        read = json.loads(told)
    if response.status >= 400:
        assert {"message", "code"} <= set(read)
        assert response.status < 500
        if read["code"] == 50035:
            assert leaves(read["errors"])
    return response.status


def leaves(errors: dict) -> list[dict]:
    """Return every `_errors` entry of a refused form, each with code and message."""
    found = []
    for key, inner in errors.items():
        found += inner if key == "_errors" else leaves(inner)
    assert all(set(one) == {"code", "message"} for one in found)
    return found


@FUZZ
@given(body=BODIES)
async def test_any_message_body_is_answered(side, session, world, general, body):
    own = world.say(general, world.bot_id, "mine").id
    channel = f"{side.api_url}/channels/{general}"

    await answer(session, "POST", f"{channel}/messages", body)
    await answer(session, "PATCH", f"{channel}/messages/{own}", body)
    await answer(session, "POST", f"{channel}/messages/{own}/threads", body)
    await answer(session, "POST", f"{channel}/threads", body)
    await answer(session, "POST", f"{side.api_url}/users/@me/channels", body)


@FUZZ
@given(given=COMMAND_LISTS | ANY)
async def test_any_list_of_commands_is_answered(side, session, given):
    base = f"{side.api_url}/applications/{side.application_id}"

    await answer(session, "PUT", f"{base}/commands", given)
    await answer(session, "PUT", f"{base}/guilds/{side.guild_id}/commands", given)
    one = given[0] if isinstance(given, list) and given else given
    await answer(session, "POST", f"{base}/commands", one)
    for command in side.commands:
        await answer(session, "PATCH", f"{base}/commands/{command['id']}", one)


@FUZZ
@given(body=BODIES, data=BODIES | ANY, kind=st.sampled_from([0, 4, 5, 6, 7, 8]))
@example(body=[1], data=[1], kind=4)
async def test_any_callback_and_follow_up_is_answered(
    side, session, listener, general, maya, body, data, kind
):
    asking = asyncio.create_task(side.run_command(maya, general, "ask"))
    used = (await listener.until_event("INTERACTION_CREATE"))["d"]
    callback = f"{side.api_url}/interactions/{used['id']}/{used['token']}/callback"
    webhook = f"{side.api_url}/webhooks/{side.application_id}/{used['token']}"

    await answer(session, "POST", callback, body)
    await answer(session, "POST", callback, {"type": kind, "data": data})
    await answer(session, "POST", callback + "?with_response=1", {"type": 5})
    await answer(session, "PATCH", webhook + "/messages/@original", body)
    await answer(session, "POST", webhook, body)

    assert (await asking)["ok"]


@FUZZ
@given(query=st.text(st.characters(codec="utf-8"), max_size=40) | st.integers().map(str))
async def test_any_page_of_history_is_answered(side, session, world, general, query):
    for name in ("limit", "before", "after", "around"):
        url = f"{side.api_url}/channels/{general}/messages"
        async with session.get(url, params={name: query}) as response:
            assert response.status in (200, 400)
            assert response.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"content": NaN}',
        b'"\\ud800"',
        b'{"content":"\\ud800"}',
    ],
)
async def test_a_body_that_is_no_json_is_refused(side, session, general, body):
    url = f"{side.api_url}/channels/{general}/messages"

    assert await answer(session, "POST", url, body) == 400


@pytest.mark.parametrize("part", ["abc", "²³", "1" * 30, "-1", "0x10", "%00"])
async def test_an_id_that_is_no_snowflake_is_refused(side, session, part):
    status = await answer(session, "GET", f"{side.api_url}/channels/{part}", None)

    assert status == 400


async def test_a_broken_form_is_refused(side, session, general):
    url = f"{side.api_url}/channels/{general}/messages"
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x"):
        headers = {"Content-Type": kind}
        async with session.post(url, data=b"--y\r\nrubbish", headers=headers) as response:
            assert response.status == 400
            assert (await response.json())["code"] in (50006, 50109)
