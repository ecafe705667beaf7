"""The one connection to the server: runs a step, tries again where that is safe, translates errors.

Every step is one script (`scripts.py`) and safe to repeat, so a step whose
connection broke is tried once more; a claim is not, for its first lease would
hold the conversation until it ran out.

redis-py's own retries are off, and so is its `socket_timeout`: with one it
sends inside `asyncio.wait_for`, which in Python 3.11 can swallow the caller's
cancellation. Each call is bounded here instead, the wait for a connection
included.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog
from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bot.errors import SettingsError, StoreError, StoreUnreachable, StoreVersion
from bot.store.errors import address_of, translate
from bot.store.keys import (
    DAY_S,
    MAX_GONE,
    MAX_PARKED,
    MAX_PLACES,
    NOTE_S,
    PREFIX,
    SCHEMA,
    SEEN_S,
    STOP_S,
    key,
)
from bot.store.scripts import STEPS, read_script

CONNECTIONS = 32
"""Most connections of one process; further steps wait for one."""
CONNECT_TIMEOUT_S = 2.0
ANSWER_TIMEOUT_S = 5.0
BLOCK_S = 2.0
"""The longest blocking read."""
AGAIN_AFTER_S = 0.05

log = structlog.get_logger(__name__)

Argument = str | bytes | int | float
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What is remembered, and for how long."""

    retention_days: int
    max_turns: int
    max_log: int


class Server:
    """Runs the steps. The nouns of the store are built on it."""

    def __init__(
        self, url: str, bounds: Bounds, *, answer_timeout_s: float = ANSWER_TIMEOUT_S
    ) -> None:
        """Prepare; nothing is connected yet.

        Args:
            url: the server's address.
            bounds: of what is kept.
            answer_timeout_s: how long a call may take, the wait for a connection included.

        Raises:
            SettingsError: the address can't be one.
        """
        self.address = address_of(url)
        self._client = connect(url)
        self._answer_timeout_s = answer_timeout_s
        self._scripts = {step: self._client.register_script(read_script(step)) for step in STEPS}
        self._own: Sequence[Argument] = (
            PREFIX,
            bounds.retention_days * DAY_S,
            bounds.max_log,
            bounds.max_turns,
            SEEN_S,
            STOP_S,
            DAY_S,
            MAX_PARKED,
            MAX_PLACES,
            NOTE_S,
            MAX_GONE,
        )

    async def ping(self) -> None:
        """Return if the store answers. Says so if somebody emptied it, and goes on.

        Raises:
            StoreUnreachable: it doesn't.
            StoreVersion: the data there are of another version by now.
        """
        if await self._ask(self._client.get(key("schema"))) is None:
            log.error("store.emptied", address=self.address)
        await self.open()

    async def open(self) -> None:
        """Claim the data for this version, or see that they are.

        Raises:
            StoreUnreachable: nothing answers at the address.
            StoreVersion: the data were written by another version.
        """
        found = await self._ask(self._client.get(key("schema")))
        if found is None:
            await self._ask(self._client.set(key("schema"), SCHEMA, nx=True))
            found = await self._ask(self._client.get(key("schema")))
        if found != SCHEMA.encode():
            version = found.decode(errors="replace") if isinstance(found, bytes) else found
            raise StoreVersion(
                f"The data at {self.address} are of version {version}; this Jay writes {SCHEMA}."
            )

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def _run(self, step: str, *arguments: Argument, repeat: bool = True) -> object:
        """Run a step and return what its script returned."""
        script = self._scripts[step]

        async def once() -> object:
            return await self._ask(script(keys=[key("schema")], args=[*self._own, *arguments]))

        try:
            return await once()
        except StoreUnreachable as error:
            if not repeat or not isinstance(error.__cause__, exceptions.ConnectionError):
                raise
        await asyncio.sleep(AGAIN_AFTER_S)
        return await once()

    async def _ask(self, answer: Awaitable[Answer], *, blocks_s: float = 0.0) -> Answer:
        """Await an answer of the server, which may take `blocks_s` longer than others."""
        try:
            async with asyncio.timeout(self._answer_timeout_s + blocks_s):
                return await answer
        except (exceptions.RedisError, OSError) as error:
            raise translate(error, address=self.address) from error


def connect(url: str) -> Redis:
    """Return a client with bounded connections. Its calls wait as long as the caller lets them.

    Raises:
        SettingsError: the address can't be one.
    """
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=None,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            socket_timeout=None,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
    except ValueError as error:
        raise SettingsError(
            "REDIS_URL can't be read: it looks like redis://host:6379/0, rediss://… or unix:///path"
        ) from error
    return Redis.from_pool(pool)


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
