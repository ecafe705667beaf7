"""Everything at once: the sandbox, a real Valkey, a real vLLM, and Jay between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.sandbox.discord.side import DiscordSide
from adapters.sandbox.server import Sandbox
from adapters.sandbox.slack.side import SlackSide
from adapters.sandbox.world import Message, World
from bot.app import App, open_app
from bot.demo import pointed_at
from bot.messages import PlatformName
from bot.settings import load_settings

WITHIN_S = 60.0


@dataclass
class Stage:
    """A running Jay, and the people around it."""

    sandbox: Sandbox
    app: App

    def world(self, platform: PlatformName) -> World:
        return self.sandbox.slack_world if platform == "slack" else self.sandbox.discord_world

    def side(self, platform: PlatformName) -> SlackSide | DiscordSide:
        return self.sandbox.slack if platform == "slack" else self.sandbox.discord

    async def choose(
        self, platform: PlatformName, who: str, on: Message, name: str
    ) -> dict[str, object]:
        """Choose a shortcut from a message's menu."""
        if platform == "discord":
            return await self.sandbox.discord.use_menu(who, on.channel, on.id, name)
        callback = name.lower().replace(" ", "_")
        return await self.sandbox.slack.use_shortcut(who, on.channel, on.id, callback)

    def people(self, platform: PlatformName, count: int = 1) -> list[str]:
        world = self.world(platform)
        general = world.channel_named("general")
        return [
            member.id
            for member in world.members.values()
            if not member.bot and not member.deleted and member.id in general.members
        ][:count]

    def mention(self, platform: PlatformName, text: str, *, person: str = "") -> Message:
        world = self.world(platform)
        author = person or self.people(platform)[0]
        return world.say(
            world.channel_named("general").id, author, f"<@{world.bot_id}> {text}".strip()
        )

    def replies(self, platform: PlatformName, to: Message) -> list[Message]:
        """What stands there of Jay's as an answer: in the thread, or by reference."""
        world = self.world(platform)
        return [
            one
            for one in world.messages(to.channel)
            if one.author == world.bot_id
            and not one.deleted
            and to.id in (one.thread, one.reply_to)
            and not one.text.endswith("…_")
        ]

    async def answered(self, platform: PlatformName, to: Message) -> Message:
        """Return Jay's first message in answer to one, once it is there."""
        await until(lambda: bool(self.replies(platform, to)))
        return self.replies(platform, to)[0]


@asynccontextmanager
async def playing(
    sandbox: Sandbox,
    *,
    data_dir: Path,
    engine_url: str,
    max_tokens: int = 24,
    limits: Mapping[str, float] | None = None,
    skills_dir: Path | None = None,
) -> AsyncIterator[Stage]:
    """Run Jay against an open sandbox."""
    settings = load_settings(
        data_dir=data_dir,
        status_port=0,
        engine={"url": engine_url},
        replies={"max_tokens": max_tokens},
        limits=limits or {},
        skills_dir=skills_dir,
    )
    stop = asyncio.Event()
    async with open_app(pointed_at(sandbox, settings)) as app:
        running = asyncio.create_task(app.run(report=lambda _: None, stop=stop))
        try:
            await until_ready(app, running)
            yield Stage(sandbox, app)
        finally:
            stop.set()
            await asyncio.wait_for(running, WITHIN_S)


async def until_ready(app: App, running: asyncio.Task[None]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not all((await app.readiness()).values()):
            if running.done():
                await running
            await asyncio.sleep(0.05)


async def until(true: Callable[[], bool], *, within_s: float = WITHIN_S) -> None:
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.05)
