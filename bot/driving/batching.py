"""Many tasks side by side, as far as one gets: what was said before is not asked again.

What the model said of some messages is kept as a note under a digest of all
that went into it: the model, the instruction, the text. A stop and an engine
that fails leave what is finished.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import structlog

from bot.errors import EngineBusy, EngineError, PromptRefused
from bot.messages import Place
from bot.notes import Notes
from bot.prompting import Said, Speech
from bot.prompts import Finish, Prompt
from bot.skills import Done, Task

log = structlog.get_logger(__name__)

AT_ONCE = 32
"""Tasks of one reply in the engine: half of what Jay lets in by default, for there are others."""
BUSY_TRIES = 5
BUSY_WAIT_S = 2.0

PromptOf = Callable[[Speech, Task], Awaitable[Prompt]]
"""Writes a task as a prompt of whoever asked."""


@dataclass(slots=True, kw_only=True)
class Batcher:
    """Does the batches of one reply."""

    notes: Notes
    prompt_of: PromptOf
    stop: asyncio.Event
    at_once: int = AT_ONCE
    cut: Literal["", "stopped", "failed"] = ""
    error: EngineError | None = None
    """What the engine failed with."""
    costs: list[Finish] = field(default_factory=list)
    """Of what was asked so far."""
    noted: int = 0
    """Tasks whose answer had been noted before."""

    async def do(
        self, speech: Speech, tasks: Sequence[Task], tell: Callable[[int, int], None]
    ) -> Done:
        """Do tasks.

        Args:
            speech: the model.
            tasks: what to do.
            tell: takes how many are done and how many there are, as that changes.

        Raises:
            StoreError: the store can't be had.
        """
        digests = [_digest(speech, task) for task in tasks]
        said = await self._kept(tasks, digests)
        self.noted += _finished(said)
        room = asyncio.Semaphore(self.at_once)

        async def one(at: int) -> None:
            async with room:
                if not self.cut:
                    said[at] = await self._ask(speech, tasks[at], digests[at])
                    tell(_finished(said), len(said))

        if self.stop.is_set():
            self.cut = "stopped"
        tell(_finished(said), len(said))
        running = [asyncio.create_task(one(at)) for at, known in enumerate(said) if known is None]
        if running:
            await self._until_stopped(running)
        return Done(said=tuple(said), cut=self.cut)

    async def _until_stopped(self, running: Sequence[asyncio.Task[None]]) -> None:
        async def stop() -> list[None]:
            await self.stop.wait()
            return []

        stopped = asyncio.create_task(stop())
        everything = asyncio.gather(*running)
        try:
            await asyncio.wait({everything, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if everything.done():
                await everything
            else:
                self.cut = "stopped"
        finally:
            everything.cancel()
            for task in (*running, stopped):
                task.cancel()
            await asyncio.gather(everything, *running, stopped, return_exceptions=True)

    async def _ask(self, speech: Speech, task: Task, digest: str) -> Said | None:
        prompt = await self.prompt_of(speech, task)
        for tries_left in range(BUSY_TRIES, -1, -1):
            try:
                said = await speech.ask(prompt)
                break
            except PromptRefused as error:
                log.warning("batching.refused", error=str(error))
                return None
            except EngineError as error:
                if isinstance(error, EngineBusy) and tries_left:
                    await asyncio.sleep(BUSY_WAIT_S)
                    continue
                log.warning("batching.engine_failed", error=str(error), kind=type(error).__name__)
                self.cut, self.error = "failed", error
                return None
        if said.finish is not None:
            self.costs.append(said.finish)
        if task.stands_on:
            ids = [one.message_id for one in task.stands_on]
            await self.notes.keep_note(task.stands_on[0].place, digest, said.text, message_ids=ids)
        return said

    async def _kept(self, tasks: Sequence[Task], digests: Sequence[str]) -> list[Said | None]:
        wanted: defaultdict[Place, list[str]] = defaultdict(list)
        for task, digest in zip(tasks, digests, strict=True):
            if task.stands_on:
                wanted[_channel(task.stands_on[0].place)].append(digest)
        kept: dict[str, str] = {}
        for place, those in wanted.items():
            kept |= await self.notes.notes(place, those)
        return [Said(text=kept[digest]) if digest in kept else None for digest in digests]


def _digest(speech: Speech, task: Task) -> str:
    """Return the name of a note: a hash of all that decides what the model says."""
    ids = [one.message_id for one in task.stands_on]
    model = (speech.model.name, speech.model.revision, speech.family.name)
    whole = repr((model, task.instruction, task.text, task.max_tokens, ids))
    return hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()[:32]


def _channel(place: Place) -> Place:
    return Place(platform=place.platform, workspace=place.workspace, channel=place.channel)


def _finished(said: Sequence[Said | None]) -> int:
    return sum(1 for one in said if one is not None)
