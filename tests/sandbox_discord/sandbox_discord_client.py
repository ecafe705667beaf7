"""The real discord.py as a bot that notes what it hears, and a bare gateway client."""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord
from discord import app_commands

from adapters.sandbox.discord import DiscordSide

NOTED = {
    "interaction": 0, "message": 0, "message_delete": 0, "message_edit": 1, "reaction_add": 0,
    "reaction_remove": 0, "thread_create": 0, "typing": 0, "raw_message_edit": 0,
    "thread_member_join": 0,
}  # fmt: skip
"""Events, and which of their arguments is kept."""


class Bot(discord.Client):
    """The real client with a command `summarize`, whose answer a test sets."""

    def __init__(self, side: DiscordSide, intents: discord.Intents | None, **options: Any) -> None:
        nobody = discord.AllowedMentions.none()
        intents = intents or discord.Intents.all()
        options = {"guild_ready_timeout": 0.02} | options
        super().__init__(intents=intents, allowed_mentions=nobody, **options)
        self.token = side.bot_token
        self.heard: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self.names: list[str] = []
        self.running: asyncio.Task[None] | None = None
        self.answer: Callable[[discord.Interaction, str], Awaitable[None]] | None = None
        self.tree = app_commands.CommandTree(self)

        @self.tree.command(description="Sum up what was said")
        @app_commands.describe(range="How much of it")
        async def summarize(interaction: discord.Interaction, range: str = "") -> None:  # noqa: A002
            if self.answer is not None:
                await self.answer(interaction, range)

    @classmethod
    @asynccontextmanager
    async def logged_in(
        cls, side: DiscordSide, intents: discord.Intents | None = None, **options: Any
    ) -> AsyncIterator["Bot"]:
        bot = cls(side, intents, **options)
        try:
            await bot.log_in()
            yield bot
        finally:
            await bot.leave()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """The library waits five seconds here; a test can't."""

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        self.names.append(event)
        if event in NOTED:
            self.heard.put_nowait((event, args[NOTED[event]]))
        super().dispatch(event, *args, **kwargs)

    async def log_in(self) -> None:
        await self.login(self.token)
        self.running = asyncio.create_task(self.connect())
        ready = asyncio.create_task(self.wait_until_ready())
        await asyncio.wait(
            [self.running, ready], timeout=5, return_when=asyncio.FIRST_COMPLETED
        )  # fmt: skip
        ready.cancel()
        if self.running.done():
            self.running.result()
        assert self.is_ready()

    async def next(self, event: str = "message") -> Any:
        """Return what the next event of a kind carried; others before it are skipped."""
        async with asyncio.timeout(5):
            while True:
                name, what = await self.heard.get()
                if name == event:
                    return what

    async def leave(self) -> None:
        await self.close()
        if self.running is not None:
            await asyncio.wait([self.running], timeout=2)


class Bare:
    """A gateway client that says exactly what it is told to say."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.stream = zlib.decompressobj()

    @classmethod
    @asynccontextmanager
    async def connected(cls, side: DiscordSide, query: str = "?v=10") -> AsyncIterator["Bare"]:
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(side.gateway_url + query) as ws:
                yield cls(ws)

    async def say(self, op: int, data: Any) -> None:
        await self.ws.send_str(json.dumps({"op": op, "d": data}))

    async def identify(self, side: DiscordSide, **changed: Any) -> None:
        data = {"token": side.bot_token, "intents": (1 << 26) - 1, "properties": {}} | changed
        await self.say(2, data)

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(5):
            message = await self.ws.receive()
        data = message.data
        if message.type is aiohttp.WSMsgType.BINARY:
            data = self.stream.decompress(data)
        return json.loads(data)

    async def until_op(self, op: int) -> dict[str, Any]:
        while True:
            told = await self.next()
            if told["op"] == op:
                return told

    async def until_event(self, name: str) -> dict[str, Any]:
        while True:
            told = await self.next()
            if told["t"] == name:
                return told

    async def closed(self) -> int | None:
        """Return the code with which the server closes."""
        async with asyncio.timeout(5):
            async for _ in self.ws:
                pass
        return self.ws.close_code


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)
