"""The whole way in memory: intake, store, worker, replier, engine and surface."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from fakes.engine import ScriptedEngine
from fakes.store import MemoryStore
from fakes.surface import MemorySurface

from bot.delivery import WriteBudget
from bot.family import Family
from bot.intake import Intake
from bot.library import Library
from bot.prompting import Speech, open_speech
from bot.prompts import ServedModel
from bot.replying import Replier
from bot.worker import Worker
from engine import LimitedEngine

FAMILY = Family(
    name="test",
    person="[human]: {text}\n###\n",
    jay_open="[robot]:",
    jay_close="\n###\n",
    stop=("\n###",),
    never=("[human]:",),
)


@dataclass
class Way:
    """Everything between an event and its reply."""

    store: MemoryStore
    engine: ScriptedEngine
    surface: MemorySurface = field(default_factory=MemorySurface)
    max_message_chars: int = 6_000
    max_waiting: int = 20
    conversations: int = 8
    places: int = 0
    """Requests in the engine at once; 0: no admission before it."""
    queue: int = 99

    def __post_init__(self) -> None:
        surfaces = {"slack": self.surface, "discord": self.surface}
        self.intake = Intake(store=self.store, surfaces=surfaces, max_waiting=self.max_waiting)
        self.replier = Replier(
            store=self.store,
            surfaces=surfaces,
            library=Library(self.store, None),
            open_speech=self.open_speech,
            budget=WriteBudget(),
            max_message_chars=self.max_message_chars,
        )
        self.hear = self.intake.hear

        self.limited = LimitedEngine(
            self.engine, max_running=self.places or 10_000, max_waiting=self.queue
        )

    async def open_speech(self) -> Speech:
        return await open_speech(
            self.limited if self.places else self.engine,
            model=ServedModel(name="scripted", window=2048),
            family=FAMILY,
            persona="",
            max_tokens=200,
        )

    def worker(self, name: str = "w1", **overrides: float) -> Worker:
        return Worker(
            name=name,
            store=self.store,
            replier=self.replier,
            conversations=self.conversations,
            lease_s=overrides.get("lease_s", 15.0),
            grace_s=overrides.get("grace_s", 5.0),
        )

    @asynccontextmanager
    async def working(self) -> AsyncIterator[Worker]:
        worker = self.worker()
        task = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def answer_all(self) -> None:
        """Answer all mail that waits, one conversation after another."""
        while lease := await self.store.claim(worker="w", lease_s=15.0, wait_s=0.0):
            await self.replier.reply(lease, stop=asyncio.Event())
            await self.store.release(lease)


MakeWay = Callable[..., Way]


@pytest.fixture
def make_way() -> MakeWay:
    def make(*replies: str, **overrides: object) -> Way:
        engine = ScriptedEngine(list(replies) or [" Hello.\n###"])
        return Way(store=MemoryStore(clock=time.time), engine=engine, **overrides)

    return make


async def until(true: Callable[[], bool], *, within_s: float = 60.0) -> None:
    """Wait, in the loop's time, until something holds."""
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.05)
