"""`Sandbox`: the Slack workspace, the Discord server and the page behind one port.

Each platform side brings its routes and is told the address once the port is known
(`serve_at`). Closing goes the other way round: the page first, then the sides (which
end their sockets and tasks), then the port; the state is saved last. It is also saved
soon after a change, so that a sandbox that is killed forgets a few seconds at most.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import structlog
from aiohttp import web

from adapters.sandbox import seed, state
from adapters.sandbox.discord import DiscordSide
from adapters.sandbox.faults import Faults
from adapters.sandbox.page import PageSide
from adapters.sandbox.slack import SlackSide
from adapters.sandbox.world import DiscordIds, SlackIds, World

log = structlog.get_logger(__name__)

SAVE_AFTER_S = 3.0


class Sandbox:
    """Both platforms and the page, served while the context is open.

    Args:
        host: The interface to listen on.
        port: The port, 0 for any free one.
        events_url: Where Slack events are posted (signed HTTP) instead of by socket.
        agent: Whether the Slack app is declared as an agent.
        state_file: Read at the start where it exists, written after changes and at the end.
        clock: Unix seconds.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        events_url: str | None = None,
        agent: bool = True,
        state_file: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.host, self.port = host, port
        self.url = ""
        self.faults = Faults()
        self.slack_world = World("slack", SlackIds(), clock)
        self.discord_world = World("discord", DiscordIds(), clock)
        self._state_file = state_file
        if not self._load():
            seed.fill_slack(self.slack_world, now=clock())
            seed.fill_discord(self.discord_world, now=clock())
        self.slack = SlackSide(self.slack_world, self.faults, events_url=events_url, agent=agent)
        self.discord = DiscordSide(self.discord_world, self.faults)
        self.page = PageSide(
            self.slack_world, self.discord_world, self.slack, self.discord, self.faults
        )
        self._runner: web.AppRunner | None = None
        self._changed = asyncio.Event()
        self._saving: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Sandbox:
        app = web.Application(client_max_size=4 * 1024**2)
        for side in (self.slack, self.discord, self.page):
            app.add_routes(side.routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port)
        try:
            await site.start()
        except OSError:
            await self._runner.cleanup()
            raise
        self.port = self._runner.addresses[0][1]
        self.url = f"http://{self.host}:{self.port}"
        self.slack.serve_at(self.url)
        self.discord.serve_at(self.url)
        if self._state_file is not None:
            for world in (self.slack_world, self.discord_world):
                world.listen(lambda _: self._changed.set())
            self._saving = asyncio.create_task(self._keep_saved(), name="sandbox saving")
        log.info("sandbox.started", url=self.url)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._saving is not None:
            self._saving.cancel()
            await asyncio.gather(self._saving, return_exceptions=True)
        await self.page.close()
        await self.slack.close()
        await self.discord.close()
        if self._runner is not None:
            await self._runner.cleanup()
        self._save()
        log.info("sandbox.stopped", url=self.url)

    def addresses(self) -> dict[str, dict[str, str] | str]:
        """Return every address and token that a client needs, for one JSON line."""
        return {
            "url": self.url,
            "slack": {
                "api_url": self.slack.api_url,
                "bot_token": self.slack.bot_token,
                "app_token": self.slack.app_token,
                "signing_secret": self.slack.signing_secret,
                "team_id": self.slack.team_id,
                "bot_user_id": self.slack.bot_user_id,
            },
            "discord": {
                "api_url": self.discord.api_url,
                "gateway_url": self.discord.gateway_url,
                "bot_token": self.discord.bot_token,
                "application_id": self.discord.application_id,
                "bot_user_id": self.discord.bot_user_id,
                "guild_id": self.discord.guild_id,
            },
        }

    def _load(self) -> bool:
        if self._state_file is None or not self._state_file.exists():
            return False
        try:
            saved = json.loads(self._state_file.read_text("utf-8"))
            state.load(self.slack_world, saved["slack"])
            state.load(self.discord_world, saved["discord"])
        except (ValueError, KeyError, TypeError) as error:
            log.warning("sandbox.state_unreadable", path=str(self._state_file), error=str(error))
            return False
        return True

    async def _keep_saved(self) -> None:
        while True:
            await self._changed.wait()
            await asyncio.sleep(SAVE_AFTER_S)
            self._changed.clear()
            self._save()

    def _save(self) -> None:
        if self._state_file is None:
            return
        saved = {
            "slack": state.dump(self.slack_world),
            "discord": state.dump(self.discord_world),
        }
        self._state_file.parent.mkdir(parents=True, exist_ok=True)
        beside = self._state_file.with_suffix(".new")
        beside.write_text(json.dumps(saved), "utf-8")
        beside.replace(self._state_file)
