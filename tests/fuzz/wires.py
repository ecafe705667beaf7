"""Both platforms' wires with Jay's real edges, intake and Valkey at one end.

What the sandbox says is recorded once by plain clients. Then it is sent again,
damaged, to Jay's own edges over the same sockets, with whole messages of
people in between: those are the neighbours that must arrive.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from fuzz.mutating import Json

from adapters.discord import DiscordEdge, DiscordSurface
from adapters.sandbox.discord import DiscordSide
from adapters.sandbox.discord import Limits as DiscordLimits
from adapters.sandbox.discord import Pace as DiscordPace
from adapters.sandbox.discord.events import Dispatch
from adapters.sandbox.faults import Faults
from adapters.sandbox.slack import Pace as SlackPace
from adapters.sandbox.slack import SlackSide
from adapters.sandbox.slack.limits import Limits as SlackLimits
from adapters.sandbox.world import DiscordIds, SlackIds, World
from adapters.slack import SlackEdge, SlackSurface
from bot.intake import Intake
from bot.messages import Event, IncomingMessage
from bot.ports import Hear, Store
from bot.settings import DiscordSettings, SlackSettings
from bot.skills import COMMANDS

WITHIN_S = 30.0
ACK_S = 0.5
"""An envelope that is no event is never acked."""


class Crashes(logging.Handler):
    """Notes every error with a traceback that any part logs: a crash that something caught."""

    def __init__(self) -> None:
        super().__init__(level=logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        told = record.msg if isinstance(record.msg, dict) else {}
        error = record.exc_info or told.get("exc_info")
        if not error:
            return
        kind = error[1] if isinstance(error, tuple) else error
        self.found.append(f"{record.name}: {record.getMessage()[:300]}: {kind!r}"[:600])

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[Crashes]:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, told: self.found.append(str(told)[:600]))
        logging.getLogger().addHandler(self)
        try:
            yield self
        finally:
            logging.getLogger().removeHandler(self)
            loop.set_exception_handler(None)


@dataclass
class Heard:
    """Hears for the real intake and notes which messages it took whole."""

    hear: Hear
    ids: set[str] = field(default_factory=set)
    count: int = 0

    async def __call__(self, event: Event) -> None:
        self.count += 1
        await self.hear(event)
        if isinstance(event, IncomingMessage):
            self.ids.add(event.message_id)


def slack_world() -> World:
    made = World("slack", SlackIds(), time.time)
    made.home_id, made.home_name = "T0HARBOUR", "Harbour Labs"
    return _peopled(made)


def discord_world() -> World:
    made = World("discord", DiscordIds(), time.time)
    made.home_id, made.home_name = made.ids.thing("guild", at=time.time() - 9e4), "Open Orchard"
    return _peopled(made)


def _peopled(made: World) -> World:
    jay = made.add_member("jay", "Jay", bot=True)
    made.bot_id = jay.id
    people = [made.add_member(name, name.title()).id for name in ("maya", "tom")]
    made.add_channel("general", members=(jay.id, *people))
    return made


@asynccontextmanager
async def served(side: SlackSide | DiscordSide) -> AsyncIterator[None]:
    """Serve a side of the sandbox."""
    app = web.Application()
    app.add_routes(side.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    side.serve_at(f"http://127.0.0.1:{runner.addresses[0][1]}")
    try:
        yield
    finally:
        await side.close()
        await runner.cleanup()


def people_talk(side: SlackSide | DiscordSide) -> None:
    """Let people do what there are events for."""
    world = side.world
    general, maya = world.channel_named("general").id, world.member_named("maya").id
    said = side.say_as(maya, general, f"<@{world.bot_id}> hello, does the ferry leave?")
    side.say_as(maya, general, "and back?")
    side.edit_as(general, said.id, "hello, does the *night* ferry leave?")
    world.delete(general, said.id)
    direct = world.open_direct(maya, world.bot_id)
    side.say_as(maya, direct.id, "just between us")


@dataclass
class Wire:
    """One platform: what was recorded, and how to send."""

    recorded: list[tuple[str, Json]]
    send: Callable[[str, Json], object]
    say: Callable[[str], str]
    """A person says something whole; gives the message's id."""
    heard: Heard
    edge: SlackEdge | DiscordEdge


@asynccontextmanager
async def slack_wire(store: Store) -> AsyncIterator[Wire]:
    side = SlackSide(
        slack_world(),
        Faults(),
        limits=SlackLimits(time.time, on=False),
        pace=SlackPace(ack_s=3.0, retries_s=(0.0, 0.05, 0.1)),
    )
    async with served(side):
        settings = SlackSettings.model_validate(
            {"bot_token": side.bot_token, "app_token": side.app_token, "api_url": side.api_url}
        )
        recorded = await _record_slack(side)
        async with SlackSurface(settings) as surface:
            heard = Heard(Intake(store=store, surfaces={"slack": surface}, max_waiting=10**6).hear)
            edge = SlackEdge(settings, hear=heard, commands=COMMANDS)

            async def send(kind: str, payload: Json) -> object:
                return await side.sockets.send(kind, payload, attempt=0, reason="", timeout_s=ACK_S)

            wire = Wire(recorded, send, lambda text: _say(side, text), heard, edge)
            async with _listening(wire):
                yield wire


async def _record_slack(side: SlackSide) -> list[tuple[str, Json]]:
    found: list[tuple[str, Json]] = []
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(side.sockets.open_address()) as socket:
            await socket.receive_json(timeout=WITHIN_S)
            people_talk(side)
            maya = side.world.member_named("maya").id
            general = side.world.channel_named("general").id
            asking = asyncio.create_task(side.run_command(maya, general, "answer", "why?"))
            while not (asking.done() and any(_is_direct(one) for _, one in found)):
                envelope = await socket.receive_json(timeout=WITHIN_S)
                found.append((envelope["type"], envelope["payload"]))
                await socket.send_json({"envelope_id": envelope["envelope_id"]})
                await asyncio.sleep(0.01)
            await asking
    stopped = {
        "type": "agent_session_stopped", "channel": general, "thread_ts": "1.000001",
        "streaming_message_ts": ["1.000002"], "user": maya,
    }  # fmt: skip
    return [*found, ("events_api", {"type": "event_callback", "event": stopped})]


def _is_direct(payload: dict[str, dict[str, object]]) -> bool:
    return payload.get("event", {}).get("channel_type") == "im"


@asynccontextmanager
async def discord_wire(store: Store) -> AsyncIterator[Wire]:
    pace = DiscordPace(callback_s=0.5, identifies=10_000)
    limits = DiscordLimits(time.time, on=False)
    side = DiscordSide(discord_world(), Faults(), pace=pace, limits=limits)
    async with served(side):
        settings = DiscordSettings.model_validate(
            {
                "bot_token": side.bot_token,
                "api_url": side.api_url,
                "gateway_url": side.gateway_url,
            }
        )
        recorded = await _record_discord(side)
        async with DiscordSurface(settings) as surface:
            intake = Intake(store=store, surfaces={"discord": surface}, max_waiting=10**6)
            heard = Heard(intake.hear)
            edge = DiscordEdge(
                settings, hear=heard, commands=COMMANDS, tell_after_s=0.5, identify_every_s=0.0
            )

            async def send(kind: str, payload: Json) -> object:
                side.gateway.tell(Dispatch(name=kind, data=payload))
                return {}

            wire = Wire(recorded, send, lambda text: _say(side, text), heard, edge)
            async with _listening(wire):
                yield wire


async def _record_discord(side: DiscordSide) -> list[tuple[str, Json]]:
    found: list[tuple[str, Json]] = []
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(f"{side.gateway_url}?v=10&encoding=json") as socket:
            await socket.receive_json(timeout=WITHIN_S)
            identity = {"token": side.bot_token, "intents": 1 | 1 << 9 | 1 << 12 | 1 << 15}
            described = {"properties": {"os": "linux", "browser": "x", "device": "x"}}
            await socket.send_json({"op": 2, "d": identity | described})
            while not found or found[-1][0] != "MESSAGE_DELETE_BULK":
                told = await socket.receive_json(timeout=WITHIN_S)
                if told.get("t") == "GUILD_CREATE":
                    people_talk(side)
                if told.get("op") == 0:
                    found.append((told["t"], told["d"]))
                if told.get("t") == "MESSAGE_CREATE" and not told["d"].get("guild_id"):
                    gone = {"ids": ["1", "2"], "channel_id": told["d"]["channel_id"]}
                    found += [("INTERACTION_CREATE", _interaction(side))]
                    found += [("MESSAGE_DELETE_BULK", gone)]
    return [one for one in found if one[0] not in ("READY", "RESUMED")]


def _interaction(side: DiscordSide) -> Json:
    """A slash command as the gateway tells it (Discord's documentation, Interaction Object)."""
    world = side.world
    user = {"id": world.member_named("maya").id, "username": "maya", "global_name": "Maya"}
    ident = str((int((time.time() - 1_420_070_400) * 1000) << 22) + 7)
    return {
        "id": ident, "application_id": side.application_id, "type": 2, "token": "aW50ZXJhY3Rpb24",
        "guild_id": side.guild_id, "member": {"user": user, "nick": None, "roles": []},
        "channel": {"id": world.channel_named("general").id, "type": 0, "name": "general"},
        "data": {
            "id": "5", "name": "answer", "type": 1,
            "options": [{"name": "question", "type": 3, "value": "why?"}],
        },
    }  # fmt: skip


def _say(side: SlackSide | DiscordSide, text: str) -> str:
    world = side.world
    return world.say(world.channel_named("general").id, world.member_named("tom").id, text).id


@asynccontextmanager
async def _listening(wire: Wire) -> AsyncIterator[None]:
    running = asyncio.create_task(wire.edge.run())
    try:
        async with asyncio.timeout(WITHIN_S):
            while not wire.edge.ready:
                if running.done():
                    await running
                await asyncio.sleep(0.01)
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
