"""The gateway as the wire shows it: ops, close codes, sequence numbers, compression."""

import asyncio

import pytest
from sandbox_discord_client import Bare, until

from adapters.sandbox.discord import Pace
from adapters.sandbox.discord.events import Dispatch
from adapters.sandbox.discord.sessions import EVENTS_KEPT, Session


@pytest.mark.parametrize("query", ["?v=10&encoding=json", "?v=10&compress=zlib-stream"])
async def test_a_session_begins_with_ready_and_the_server(side, query):
    async with Bare.connected(side, query) as client:
        hello = await client.next()
        await client.identify(side)

        ready, server = await client.next(), await client.next()

    assert hello["op"] == 10
    assert hello["d"]["heartbeat_interval"] == 41_250
    assert (ready["t"], ready["s"], server["t"], server["s"]) == ("READY", 1, "GUILD_CREATE", 2)
    assert ready["d"]["guilds"] == [{"id": side.guild_id, "unavailable": True}]
    assert ready["d"]["application"]["id"] == side.application_id
    assert ready["d"]["resume_gateway_url"] == side.gateway_url


async def test_a_heartbeat_is_acked_also_before_the_session(side):
    async with Bare.connected(side) as client:
        await client.next()
        await client.say(1, None)

        assert (await client.next())["op"] == 11


async def test_a_resume_replays_what_came_after_the_last_number_seen(side, maya, general):
    async with Bare.connected(side) as client:
        await client.identify(side)
        ready = await client.until_event("READY")
        side.say_as(maya, general, "one")
        seen = await client.until_event("MESSAGE_CREATE")
        side.say_as(maya, general, "two")
        await client.until_event("MESSAGE_CREATE")
        await client.ws.close(code=4000)
    side.say_as(maya, general, "three")
    async with Bare.connected(side) as client:
        resume = {"token": side.bot_token, "session_id": ready["d"]["session_id"]}
        await client.say(6, resume | {"seq": seen["s"]})

        told = [await client.until_op(0) for _ in range(3)]

    assert [one["t"] for one in told] == ["MESSAGE_CREATE", "MESSAGE_CREATE", "RESUMED"]
    assert [one["d"].get("content") for one in told] == ["two", "three", None]
    assert [one["s"] for one in told] == [seen["s"] + 1, seen["s"] + 2, seen["s"] + 3]


@pytest.mark.parametrize("code", [1000, 1001])
async def test_who_says_goodbye_cannot_resume(side, code):
    async with Bare.connected(side) as client:
        await client.identify(side)
        ready = await client.until_event("READY")
        await client.ws.close(code=code)
    async with Bare.connected(side) as client:
        resume = {"token": side.bot_token, "session_id": ready["d"]["session_id"], "seq": 1}
        await client.say(6, resume)

        assert (await client.until_op(9))["d"] is False


async def test_a_session_that_ran_out_cannot_resume(side, clock):
    async with Bare.connected(side) as client:
        await client.identify(side)
        ready = await client.until_event("READY")
        await client.ws.close(code=4000)
    await until(lambda: side.gateway.count == 0)
    clock.ahead_s += side.place.pace.resume_s + 1
    async with Bare.connected(side) as client:
        resume = {"token": side.bot_token, "session_id": ready["d"]["session_id"], "seq": 1}
        await client.say(6, resume)

        assert (await client.until_op(9))["d"] is False


async def test_a_resume_with_nothing_to_resume_is_an_invalid_session(side):
    """discord.py sends nulls when it was cut before READY; it must find out, not be closed."""
    async with Bare.connected(side) as client:
        await client.say(6, {"token": side.bot_token, "session_id": None, "seq": None})

        assert (await client.until_op(9))["d"] is False
        await client.identify(side)
        assert (await client.until_event("READY"))["s"] == 1


async def test_a_resume_ahead_of_the_server_is_closed(side):
    async with Bare.connected(side) as client:
        await client.identify(side)
        ready = await client.until_event("READY")
        await client.ws.close(code=4000)
    async with Bare.connected(side) as client:
        resume = {"token": side.bot_token, "session_id": ready["d"]["session_id"], "seq": 99}
        await client.say(6, resume)

        assert await client.closed() == 4007


@pytest.mark.parametrize(
    ("op", "data", "code"),
    [
        (99, {}, 4001),
        (None, {}, 4001),
        (3, {}, 4003),
        (8, {"guild_id": "1"}, 4003),
        (2, None, 4002),
        (2, {"token": "wrong", "intents": 0, "properties": {}}, 4004),
        (6, {"token": "wrong", "session_id": "x", "seq": 1}, 4004),
    ],
)
async def test_what_is_wrong_before_a_session_closes_with_its_code(side, op, data, code):
    async with Bare.connected(side) as client:
        await client.say(op, data)

        assert await client.closed() == code


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"intents": None}, 4013),
        ({"intents": 1 << 40}, 4013),
        ({"intents": -1}, 4013),
        ({"shard": [1, 1]}, 4010),
        ({"shard": "x"}, 4010),
        ({"properties": None}, 4002),
    ],
)
async def test_an_identify_that_is_wrong_closes_with_its_code(side, changed, code):
    async with Bare.connected(side) as client:
        await client.identify(side, **changed)

        assert await client.closed() == code


@pytest.mark.parametrize("text", ["{", "[]", "[" * 4_000, '{"op": 1, "d": "' + "x" * 5_000 + '"}'])
async def test_what_is_no_payload_closes_with_4002(side, text):
    async with Bare.connected(side) as client:
        await client.ws.send_str(text)

        assert await client.closed() == 4002


async def test_a_second_identify_closes_with_4005(side):
    async with Bare.connected(side) as client:
        await client.identify(side)
        await client.identify(side)

        assert await client.closed() == 4005


async def test_more_than_120_payloads_a_minute_close_with_4008(side):
    async with Bare.connected(side) as client:
        for _ in range(121):
            await client.say(1, None)

        assert await client.closed() == 4008


@pytest.mark.parametrize(
    ("query", "code"),
    [("?v=6", 4012), ("?v=10&encoding=etf", 4002), ("?v=10&compress=lz4-stream", 4002)],
)
async def test_another_version_or_encoding_is_refused(side, query, code):
    async with Bare.connected(side, query) as client:
        assert await client.closed() == code


async def test_the_members_are_sent_in_a_chunk_when_they_are_asked_for(side, maya):
    async with Bare.connected(side) as client:
        await client.identify(side)
        asked = {"guild_id": side.guild_id, "user_ids": [maya, "1"], "limit": 0, "nonce": "n"}
        await client.say(8, asked)

        chunk = (await client.until_event("GUILD_MEMBERS_CHUNK"))["d"]

    assert [member["user"]["id"] for member in chunk["members"]] == [maya]
    assert (chunk["not_found"], chunk["nonce"]) == (["1"], "n")


class TestWithAnImpatientServer:
    @pytest.fixture
    def pace(self) -> Pace:
        return Pace(heartbeat_s=0.4, identifies=2, identify_every_s=60)

    async def test_a_client_without_heartbeat_is_closed_as_a_zombie(self, side):
        async with Bare.connected(side) as client:
            await client.identify(side)

            assert await client.closed() == 4009

    async def test_a_client_with_heartbeat_stays(self, side, maya, general):
        async with Bare.connected(side) as client:
            await client.identify(side)
            for _ in range(16):
                await client.say(1, None)
                await asyncio.sleep(0.05)
            side.say_as(maya, general, "hello")

            assert (await client.until_event("MESSAGE_CREATE"))["d"]["content"] == "hello"

    async def test_too_many_new_sessions_are_refused(self, side):
        for _ in range(2):
            async with Bare.connected(side) as client:
                await client.identify(side)
                await client.until_event("READY")
        async with Bare.connected(side) as client:
            await client.identify(side)

            assert (await client.until_op(9))["d"] is False


async def test_a_session_that_missed_more_than_is_kept_cannot_resume(world):
    """The buffer is bounded; who comes back after a flood must begin anew."""
    session = Session(id="s", intents=0, shard=[0, 1])
    for number in range(EVENTS_KEPT + 10):
        session.tell(Dispatch(name="X", data={"n": number}), bot=world.bot_id)

    assert session.since(9) is None
    assert len(session.since(10)) == EVENTS_KEPT
