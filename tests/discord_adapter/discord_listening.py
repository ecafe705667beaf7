"""What the tests of the Discord adapter share: an ear, a clock, commands to offer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from adapters.discord import DiscordEdge
from bot.errors import StoreUnreachable
from bot.messages import Command, Event, IncomingMessage, MessageChanged, MessageDeleted

Listen = Callable[..., AbstractAsyncContextManager[DiscordEdge]]
"""Runs an edge while a block runs."""


@dataclass(frozen=True, kw_only=True)
class Offered:
    """A slash command to register."""

    name: str
    description: str = "Sum up what was said"
    argument: str = "range"
    argument_description: str = "last 50, today"
    required: bool = False
    private: bool = False
    choices: tuple = ()
    where: tuple = ("channels", "threads", "direct")


SUMMARIZE = Offered(name="summarize")
ASIDE = Offered(name="aside", private=True)
ANSWER = Offered(name="answer", argument="question", required=True)


@dataclass(frozen=True, kw_only=True)
class Tone:
    """A choice."""

    name: str = "tone"
    description: str = "How it sounds"
    values: tuple[str, ...] = ("formal", "warm")


TONED = Offered(name="rephrase", argument="text", choices=(Tone(),))


class Clock:
    """The real time, and what a test adds to it."""

    ahead_s = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead_s


async def until(true: Callable[[], object], *, within_s: float = 10.0) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.005)


@dataclass
class Ear:
    """Hears events as the intake does; `closed` lets every one fail as a store that is away."""

    heard: list[Event] = field(default_factory=list)
    closed: bool = False
    refused: int = 0

    async def __call__(self, event: Event) -> None:
        await asyncio.sleep(0)
        if self.closed:
            self.refused += 1
            raise StoreUnreachable("the store is away")
        self.heard.append(event)

    @property
    def messages(self) -> list[IncomingMessage]:
        return [one for one in self.heard if isinstance(one, IncomingMessage)]

    @property
    def people(self) -> list[IncomingMessage]:
        return [one for one in self.messages if not one.author.bot]

    @property
    def texts(self) -> list[str]:
        return [one.text for one in self.people]

    @property
    def changes(self) -> list[MessageChanged]:
        return [one for one in self.heard if isinstance(one, MessageChanged)]

    @property
    def deletions(self) -> list[str]:
        return [one.message_id for one in self.heard if isinstance(one, MessageDeleted)]

    @property
    def commands(self) -> list[Command]:
        return [one for one in self.heard if isinstance(one, Command)]

    async def message(self, text: str) -> IncomingMessage:
        await until(lambda: text in self.texts)
        return next(one for one in self.people if one.text == text)
