"""Commands as people use them: deferred at once, stored, or else answered with why not.

Deferring comes first because Discord gives three seconds and then shows
"application did not respond", while the store may need longer. It also comes
before a worker can answer: an answer needs the deferral that it fills in. A
command that can't be stored in time is given up, and its person told so in
the place of the answer: they can use it again, which they can't with a
message that vanished.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence

import structlog
from pydantic import ValidationError

from adapters.discord import answers, normalise
from adapters.discord.directory import Directory
from adapters.discord.lanes import slower_and_slower
from adapters.discord.normalise import Names
from adapters.discord.payloads import (
    APPLICATION_COMMAND,
    COMPONENT,
    MESSAGE_MENU,
    InteractionPayload,
    PressPayload,
)
from adapters.discord.rest import Rest
from bot.commands import MessageShortcut, SlashCommand
from bot.errors import JayError, PlatformError, StoreError, StoreUnreachable
from bot.messages import Command, ShareAsked, StopAsked
from bot.ports import Hear

log = structlog.get_logger(__name__)

MOST_OPEN = 1_000
"""Commands being stored at once; there are more only while the store is away."""
HEAR_S = 10.0
NAMES_S = 5.0
"""So long names in a message are looked up; without them a role reads as `@role`."""
TELL_AFTER_S = 20.0
"""Someone who waits for an answer learns within so long that none will come."""
NOT_KNOWN = "I don't have that command any more. It should vanish from the list in a while."
NO_NAMES = Names(me="0")
TOO_MANY = "Too many people are asking me things at the moment. Please try again in a minute."


class Interactions:
    """Takes commands in, each in a task of its own."""

    def __init__(
        self,
        rest: Rest,
        directory: Directory,
        *,
        hear: Hear,
        commands: Sequence[SlashCommand],
        shortcuts: Sequence[MessageShortcut] = (),
        tell_after_s: float = TELL_AFTER_S,
    ) -> None:
        """Take what stores a command, those that there are, and what stands in messages' menus."""
        self._rest, self._directory = rest, directory
        self._hear, self._commands = hear, commands
        self._shortcuts = shortcuts
        self._tell_after_s = tell_after_s
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, data: Mapping[str, object]) -> None:
        """Answer an INTERACTION_CREATE. Never blocks."""
        if data.get("type") == COMPONENT:
            self._take_press(data)
            return
        try:
            payload = InteractionPayload.model_validate(data)
            if payload.type == APPLICATION_COMMAND and payload.data.type == MESSAGE_MENU:
                self._take_menu(payload)
                return
            command = normalise.command(payload)
        except (ValidationError, ValueError) as error:
            log.debug("discord.malformed", kind="INTERACTION_CREATE", error=type(error).__name__)
            return
        if command is None:
            log.debug("discord.interaction_ignored")
            return
        self._begin(self._serve(command), f"command {command.message_id}")

    def _take_menu(self, payload: InteractionPayload) -> None:
        shortcut = normalise.chosen_from(payload, self._shortcuts)
        if shortcut is None:
            log.info("discord.menu_unknown", name=payload.data.name)
            self._begin(self._refuse(normalise.handle_of(payload), NOT_KNOWN), payload.id)
            return
        command = normalise.menu_command(payload, shortcut, names=NO_NAMES)
        if command is not None:
            self._begin(self._serve_menu(payload, shortcut, command), f"command {payload.id}")

    def _take_press(self, data: Mapping[str, object]) -> None:
        try:
            payload = PressPayload.model_validate(data)
        except (ValidationError, ValueError) as error:
            log.debug("discord.malformed", kind="INTERACTION_CREATE", error=type(error).__name__)
            return
        pressed = normalise.press(payload)
        if isinstance(pressed, Command):
            self._begin(self._serve(pressed), f"command {pressed.message_id}")
        elif pressed is not None and len(self._tasks) < MOST_OPEN:
            self._begin(self._hear_press(pressed, normalise.handle_of(payload)), payload.id)

    def _begin(self, work: Coroutine[object, object, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self, *, within_s: float) -> None:
        """Give open commands so long to be stored, then stop."""
        tasks = list(self._tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=within_s)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, command: Command) -> None:
        handle = normalise.Handle.parse(command.handle)
        if await self._defer(command, handle):
            await self._store(command, handle)

    async def _serve_menu(
        self, payload: InteractionPayload, shortcut: MessageShortcut, command: Command
    ) -> None:
        """Serve a shortcut; what the message names is looked up when that is promised."""
        handle = normalise.handle_of(payload)
        if not await self._defer(command, handle):
            return
        names = await self._names(payload)
        command = normalise.menu_command(payload, shortcut, names=names) or command
        await self._store(command, handle)

    async def _defer(self, command: Command, handle: normalise.Handle) -> bool:
        """Promise an answer, or give a refusal as the answer; returns whether it is promised."""
        known = {one.name: one for one in self._commands}
        if command.name not in known:
            await self._refuse(handle, NOT_KNOWN)
            return False
        if len(self._tasks) > MOST_OPEN:
            await self._refuse(handle, TOO_MANY)
            return False
        private = known[command.name].private and not command.place.direct
        try:
            await answers.defer(self._rest, handle, private=private)
        except PlatformError as error:
            # The surface then answers with a plain message.
            log.warning("discord.not_deferred", command=command.name, error=str(error))
        return True

    async def _refuse(self, handle: normalise.Handle, refusal: str) -> None:
        try:
            await answers.say_privately(self._rest, handle, refusal)
        except PlatformError as error:
            log.warning("discord.not_told", error=str(error))

    async def _names(self, payload: InteractionPayload) -> Names:
        words = normalise.words_of_target(payload)
        asks = words is not None and normalise.needs_names(words)
        try:
            async with asyncio.timeout(NAMES_S):
                return await self._directory.names(payload.guild_id if asks else None)
        except (PlatformError, TimeoutError) as error:
            log.info("discord.names_late", error=str(error))
            return NO_NAMES

    async def _hear_press(self, pressed: StopAsked | ShareAsked, handle: normalise.Handle) -> None:
        """Hear the press of a button; who pressed it can press again, so it is tried once."""
        try:
            await answers.take_press(self._rest, handle)
        except PlatformError as error:
            log.info("discord.press_not_answered", error=str(error))
        try:
            async with asyncio.timeout(HEAR_S):
                await self._hear(pressed)
        except (StoreError, TimeoutError) as error:
            log.warning("discord.press_not_heard", error=str(error))

    async def _store(self, command: Command, handle: normalise.Handle) -> None:
        failed: JayError = StoreUnreachable("the store did not answer in time")
        waits = slower_and_slower()
        try:
            async with asyncio.timeout(self._tell_after_s):
                while True:
                    try:
                        async with asyncio.timeout(HEAR_S):
                            await self._hear(command)
                        return
                    except StoreError as error:
                        failed = error
                    except TimeoutError:
                        log.info("discord.command_waits", command=command.name)
                    await asyncio.sleep(next(waits))
        except TimeoutError:
            log.warning("discord.command_given_up", command=command.name, error=str(failed))
        except Exception:
            # Whatever it is, the person must not be left before "Jay is thinking…".
            log.exception("discord.command_failed", command=command.name)
            failed = JayError("the command could not be stored")
        try:
            await answers.fill_in(self._rest, handle, failed.to_person)
        except PlatformError as error:
            log.warning("discord.not_told", command=command.name, error=str(error))
