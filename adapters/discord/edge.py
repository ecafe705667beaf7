"""`DiscordEdge`: listens to Discord's gateway and hands every event to the intake.

discord.py keeps the connection: heartbeats, RESUME, which replays what was
missed, and a new session where that is refused. Jay reads the frames as they
come (`gateway`), because they hold what discord.py's objects drop, and because
the history has the same shapes: one normaliser reads both.

A message's frame goes into its channel's lane (`lanes`) and the gateway is
read on; a command is answered on its own (`interactions`). A new session hides
what was said since the last one: the owner is told since when.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Mapping, Sequence

import structlog
from pydantic import ValidationError

from adapters.discord.arrivals import Arrivals
from adapters.discord.commands import Registered, register, wanted
from adapters.discord.directory import Directory
from adapters.discord.errors import LIBRARY_ERRORS, translate
from adapters.discord.gateway import Gateway
from adapters.discord.interactions import TELL_AFTER_S, Interactions
from adapters.discord.lanes import MOST_WAITING, Arrival, Lanes, slower_and_slower
from adapters.discord.rest import Rest
from bot.commands import MessageShortcut, SlashCommand
from bot.errors import PlatformError, TokenRefused
from bot.ports import Hear, Missed, nothing_missed
from bot.settings import DiscordSettings

log = structlog.get_logger(__name__)

LOGIN_S = 60.0
LOST_AFTER_S = 120.0
"""discord.py waits up to 17 minutes between tries. After so long without a connection no
session can be resumed anyway, and a new client tries at Jay's own pace."""
LOOK_EVERY_S = 1.0
IDENTIFY_EVERY_S = 5.0
"""Discord lets a client begin a session so often (Gateway, "Rate Limiting")."""
COMMANDS_EVERY_S = 2.0
"""How often it is looked whether the commands are still those that Discord knows."""
CLOSE_S = 2.0
"""How long each thing may take to end on the way out."""

_ID = re.compile(r"[0-9]{1,19}")


class DiscordEdge:
    """Hears what is said on Discord."""

    def __init__(
        self,
        settings: DiscordSettings,
        *,
        hear: Hear,
        commands: Sequence[SlashCommand],
        shortcuts: Sequence[MessageShortcut] = (),
        missed: Missed = nothing_missed,
        most_waiting: int = MOST_WAITING,
        tell_after_s: float = TELL_AFTER_S,
        identify_every_s: float = IDENTIFY_EVERY_S,
        commands_every_s: float = COMMANDS_EVERY_S,
    ) -> None:
        """Take what is needed; nothing is opened before `run`.

        Args:
            settings: where and as whom.
            hear: stores an event.
            commands: the slash commands to offer; Discord is told when they change.
            shortcuts: what to offer in messages' menus; it may change as well.
            missed: is told of each new session, and when the one before it ended.
            most_waiting: how many events may wait for the store.
            tell_after_s: how long a command may wait for the store.
            identify_every_s: the shortest time between the beginnings of two sessions.
            commands_every_s: how often it is looked whether the commands changed.
        """
        self._settings, self._commands = settings, commands
        self._shortcuts = shortcuts
        self._rest = Rest(settings)
        directory = Directory(self._rest)
        arrivals = Arrivals(self._rest, directory, hear=hear)
        self._lanes = Lanes(arrivals.take, most=most_waiting)
        self._interactions = Interactions(
            self._rest,
            directory,
            hear=hear,
            commands=commands,
            shortcuts=self._shortcuts,
            tell_after_s=tell_after_s,
        )
        self.registered = False
        """Whether Discord's list of Jay's commands is known to be up to date."""
        self._down_since: float | None = time.monotonic()
        self._identify_every_s = identify_every_s
        self._commands_every_s = commands_every_s
        self._may_identify_at = 0.0
        self._sessions = 0
        self._missed = missed
        self._heard_until: float | None = None
        """When the last connection was lost, Unix seconds."""

    @property
    def ready(self) -> bool:
        """Whether the gateway has let Jay in and is connected now."""
        return self._down_since is None

    async def run(self) -> None:
        """Listen until cancelled.

        Raises:
            TokenRefused: Discord won't let Jay in, or not with the intents that it needs.
        """
        async with self._rest:
            registering = asyncio.create_task(self._keep_registered(), name="discord commands")
            try:
                await self._stay_connected()
            finally:
                self._lost()
                registering.cancel()
                await asyncio.gather(registering, return_exceptions=True)
                await self._lanes.close(within_s=CLOSE_S)
                await self._interactions.close(within_s=CLOSE_S)

    async def _stay_connected(self) -> None:
        waits = slower_and_slower()
        while True:
            sessions = self._sessions
            try:
                await self._connect()
            except LIBRARY_ERRORS as error:
                why = translate(error)
                if isinstance(why, TokenRefused):
                    raise why from error
                log.warning("discord.unreachable", error=str(why))
            except Exception as error:
                # discord.py lets through whatever a frame that it can't read makes it raise, and
                # stumbles over its own missing socket where the first connection fails.
                if isinstance(error.__context__, LIBRARY_ERRORS):
                    log.warning("discord.unreachable", error=str(translate(error.__context__)))
                else:
                    log.exception("discord.gateway_failed")
            self._lost()
            if self._sessions > sessions:
                waits = slower_and_slower()
            await asyncio.sleep(next(waits) * random.uniform(0.5, 1.5))

    async def _connect(self) -> None:
        """Log in and listen until the connection is lost for good."""
        client = Gateway(
            on_event=self._on_event,
            on_lost=self._lost,
            before_identify=self._before_identify,
            shard_id=self._settings.shard_id,
            shard_count=self._settings.shard_count,
        )
        self._down_since = time.monotonic()
        try:
            token = self._settings.bot_token.get_secret_value()
            await asyncio.wait_for(client.login(token), LOGIN_S)
            listening = asyncio.create_task(client.connect(), name="discord gateway")
            try:
                while not listening.done() and not self._lost_for_long():
                    await asyncio.wait({listening}, timeout=LOOK_EVERY_S)
                if listening.done():
                    await listening
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
        finally:
            await _close(client)

    async def _before_identify(self) -> None:
        await asyncio.sleep(max(0.0, self._may_identify_at - time.monotonic()))
        self._may_identify_at = time.monotonic() + self._identify_every_s

    async def _keep_registered(self) -> None:
        """Register the commands, and again whenever they are others."""
        settled: list[Registered] | None = None
        waits = slower_and_slower()
        while True:
            commands = wanted(self._commands, self._shortcuts)
            if commands == settled:
                await asyncio.sleep(self._commands_every_s)
                continue
            self.registered = False
            try:
                written = await register(self._rest, commands)
                self.registered = True
                log.info("discord.commands", written=written, count=len(commands))
            except PlatformError as error:
                if error.retry:
                    log.info("discord.commands_wait", error=str(error))
                    await asyncio.sleep(next(waits))
                    continue
                log.error("discord.commands_refused", error=str(error), hint=error.hint)
            settled, waits = commands, slower_and_slower()

    def _lost(self) -> None:
        if self._down_since is None:
            log.info("discord.disconnected")
            self._heard_until = time.time()
            self._down_since = time.monotonic()

    def _lost_for_long(self) -> bool:
        return self._down_since is not None and time.monotonic() - self._down_since > LOST_AFTER_S

    def _on_event(self, event: str, data: Mapping[str, object]) -> None:
        try:
            match event:
                case "READY" | "RESUMED":
                    self._connected(event)
                case "INTERACTION_CREATE":
                    self._interactions.take(data)
                case _:
                    self._on_message(event, data)
        except (ValidationError, KeyError, ValueError) as error:
            log.debug("discord.malformed", kind=event, error=type(error).__name__)

    def _connected(self, event: str) -> None:
        log.info("discord.connected", resumed=event == "RESUMED")
        self._down_since = None
        if event == "READY":
            self._sessions += 1
            self._missed(self._heard_until)

    def _on_message(self, event: str, data: Mapping[str, object]) -> None:
        channel = str(data["channel_id"])
        if not _ID.fullmatch(channel):
            raise ValueError("no channel's id")
        if event in ("MESSAGE_CREATE", "MESSAGE_UPDATE") and not _ID.fullmatch(str(data["id"])):
            raise ValueError("no message's id")
        self._lanes.put(Arrival(event=event, channel=channel, data=data))


async def _close(client: Gateway) -> None:
    """Close a client; a gateway that doesn't say goodbye is not waited for."""
    try:
        await asyncio.wait_for(client.close(), CLOSE_S)
    except (TimeoutError, *LIBRARY_ERRORS) as error:
        log.debug("discord.closed_hard", error=type(error).__name__)
        await client.http.close()
