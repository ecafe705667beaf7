"""Runs a step on the server that has its shard, tries again where that is safe, translates errors.

Every step is one script (`scripts.py`) and safe to repeat, so a step whose
connection broke, or whose shard has moved, is tried once more; a claim is not,
for its first lease would hold the conversation until it ran out.

redis-py's own retries are off, and so is its `socket_timeout`: with one it
sends inside `asyncio.wait_for`, which in Python 3.11 can swallow the caller's
cancellation. Each call is bounded here instead, the wait for a connection
included.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar
from weakref import WeakKeyDictionary

import structlog
from redis import exceptions
from redis.asyncio import Redis

from bot.errors import LeaseLost, StoreError, StoreUnreachable, StoreVersion
from bot.store.addresses import parse_address
from bot.store.bell import Bell
from bot.store.errors import translate
from bot.store.keys import (
    BELL,
    DAY_S,
    MAX_GONE,
    MAX_PARKED,
    MAX_PLACES,
    MAX_TRACED,
    NOTE_S,
    SCHEMA,
    SEEN_S,
    SHARDS,
    STOP_S,
    TRACE_S,
    key,
    prefix_of,
)
from bot.store.migrating import OLD_MARK, TO_MOVE, migrate
from bot.store.scripts import READS, SCRIPTS
from bot.store.topology import CONNECTIONS, open_topology
from bot.store.trouble import Trouble

ANSWER_TIMEOUT_S = 5.0
AGAIN_AFTER_S = 0.05
AS_GOOD_AS_EVER_S = 3_650 * DAY_S
COPY_TIMEOUT_S = 1.0
"""How long replicas may take to have a write."""

log = structlog.get_logger(__name__)

Argument = str | bytes | int | float
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What is remembered, for how long, and how safely."""

    retention_days: int
    max_turns: int
    max_log: int
    replicas: int = 0
    """How many replicas must have a write before it counts."""


class Server:
    """Runs the steps. The nouns of the store are built on it."""

    def __init__(
        self, url: str, bounds: Bounds, *, answer_timeout_s: float = ANSWER_TIMEOUT_S
    ) -> None:
        """Prepare; nothing is connected yet.

        Args:
            url: the store's address, of one of the forms in bot/store/addresses.py.
            bounds: of what is kept.
            answer_timeout_s: how long a call may take, the wait for a connection included.

        Raises:
            SettingsError: the address can't be one.
        """
        address = parse_address(url)
        self.address, self._kind = address.shown, address.kind
        self._topology = open_topology(address)
        self._bell = Bell(self._topology)
        self._trouble = Trouble(self.address)
        self._free = WeakKeyDictionary[Redis, asyncio.Semaphore]()
        self._answer_timeout_s = answer_timeout_s
        self._replicas = bounds.replicas
        self._own: Sequence[Argument] = (
            bounds.retention_days * DAY_S,
            bounds.max_log,
            bounds.max_turns,
            SEEN_S,
            STOP_S,
            DAY_S,
            MAX_PARKED,
            MAX_PLACES,
            BELL,
            NOTE_S,
            MAX_GONE,
            TRACE_S,
            MAX_TRACED,
        )

    async def ping(self) -> None:
        """Return if every shard answers and takes writes. Says so if one was emptied, and goes on.

        Raises:
            StoreUnreachable: one doesn't answer.
            StoreFull: one takes no writes.
            StoreVersion: the data there are of another version by now.
        """
        emptied = await self.open()
        if emptied:
            log.error("store.emptied", address=self.address, shards=emptied)

    async def open(self) -> int:
        """Claim the data for this version, or see that they are; returns how many were nobody's.

        Raises:
            StoreUnreachable: nothing answers at the address.
            StoreFull: the server takes no writes.
            StoreVersion: the data were written by another version.
        """
        await self._move_over()
        found = await self._run_everywhere("version", SCHEMA)
        for version in found:
            if version not in (b"", SCHEMA.encode()):
                text = version.decode(errors="replace") if isinstance(version, bytes) else version
                raise StoreVersion(
                    f"The data at {self.address} are of version {text}; this Jay writes {SCHEMA}."
                )
        return found.count(b"")

    async def _move_over(self) -> None:
        if self._kind == "cluster":
            return  # Version 1 knew none.
        if await self._ask(0, "GET", OLD_MARK) not in TO_MOVE:
            return
        try:
            await migrate(await self._topology.server_of(0), address=self.address)
        except (exceptions.RedisError, OSError) as error:
            raise translate(error, address=self.address) from error

    async def close(self) -> None:
        """Close every connection."""
        await self._bell.close()
        await self._topology.close()

    async def _run(
        self, shard: int, step: str, *arguments: Argument, repeat: bool = True
    ) -> object:
        """Run a step in a shard and return what its script returned."""
        source, digest = SCRIPTS[step]
        rest = (1, key("schema", shard=shard), prefix_of(shard), *self._own, *arguments)
        copies = 0 if step in READS else self._replicas

        try:
            return await self._ask(shard, "EVALSHA", digest, *rest, copies=copies, repeat=repeat)
        except _NotLoaded:
            return await self._ask(shard, "EVAL", source, *rest, copies=copies, repeat=repeat)

    async def _run_everywhere(self, step: str, *arguments: Argument) -> Sequence[object]:
        """Run a step in every shard at once; returns what it returned in each."""
        return await in_order(self._run(shard, step, *arguments) for shard in range(SHARDS))

    async def _ask(
        self, shard: int, *command: Argument, copies: int = 0, repeat: bool = True
    ) -> object:
        """Send a command to the server of a shard, once more where that is safe."""
        with self._telling(shard):
            try:
                return await self._try(shard, command, copies)
            except StoreUnreachable as error:
                moved = isinstance(error.__cause__, exceptions.MovedError)
                broke = isinstance(error.__cause__, exceptions.ConnectionError)
                if not (moved or (broke and repeat)):
                    raise
            await asyncio.sleep(AGAIN_AFTER_S)
            return await self._try(shard, command, copies)

    async def _try(self, shard: int, command: Sequence[Argument], copies: int) -> object:
        try:
            async with asyncio.timeout(self._answer_timeout_s):
                server = await self._topology.server_of(shard)
                # Of each server: one that hangs must not use up what the others have.
                async with self._free.setdefault(server, asyncio.Semaphore(CONNECTIONS)):
                    if copies:
                        return await _send_and_wait(server, command, shard, copies)
                    answer: object = await server.execute_command(*command)
                    return answer
        except exceptions.NoScriptError as error:
            raise _NotLoaded from error
        except (exceptions.RedisError, OSError) as error:
            await self._topology.doubt(error)
            raise translate(error, address=self.address) from error

    async def _beside(self, shard: int) -> set[int]:
        """Return the shards on the same server, this one included; all where that isn't known."""
        try:
            async with asyncio.timeout(self._answer_timeout_s):
                servers = [await self._topology.server_of(one) for one in range(SHARDS)]
        except (exceptions.RedisError, OSError):
            return set(range(SHARDS))
        return {one for one, server in enumerate(servers) if server is servers[shard]}

    @contextmanager
    def _telling(self, shard: int) -> Iterator[None]:
        """Tell the log of what goes wrong for good in the body, and of its end."""
        try:
            yield
        except LeaseLost:
            self._trouble.over(shard=shard)
            raise
        except StoreError as error:
            self._trouble.met(error, shard=shard)
            raise
        self._trouble.over(shard=shard)


class _NotLoaded(Exception):
    """The server doesn't know the script yet, or forgot it."""


async def _send_and_wait(
    server: Redis, command: Sequence[Argument], shard: int, copies: int
) -> object:
    """Return a command's answer, once so many replicas have all that was written until then.

    Raises:
        StoreUnreachable: too few have it in time. The master has it; to repeat is safe.
    """
    # WAIT looks at what its own connection wrote last: all go down one. A repeat may write nothing
    # while the first try is not copied yet, hence a write in between; EXPIRE needs no memory.
    async with server.pipeline(transaction=False) as pipe:
        pipe.execute_command(*command)
        pipe.execute_command("EXPIRE", key("schema", shard=shard), AS_GOOD_AS_EVER_S)
        pipe.execute_command("WAIT", copies, round(1_000 * COPY_TIMEOUT_S))
        answers = await pipe.execute(raise_on_error=False)
    for one in answers:
        if isinstance(one, Exception):
            raise one
    answer, _, have = answers
    if have < copies:
        raise StoreUnreachable(
            f"{have} replicas have a write that {copies} must have (JAY_STORE__REPLICAS)."
        )
    return answer


async def in_order(asked: Iterable[Awaitable[Answer]]) -> Sequence[Answer]:
    """Return the answers to what is asked side by side; all have ended when one raises."""
    answers = await asyncio.gather(*asked, return_exceptions=True)
    found: list[Answer] = []
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
        found.append(answer)
    return found


def records_in(answer: object) -> list[bytes]:
    """Return the records that a script returned."""
    if not isinstance(answer, list):
        raise StoreError(f"a list of records was expected, not {type(answer).__name__}")
    return [record for record in answer if isinstance(record, bytes)]


def number_in(answer: object) -> int:
    """Return the number that a script returned."""
    if not isinstance(answer, int):
        raise StoreError(f"a number was expected, not {type(answer).__name__}")
    return answer
