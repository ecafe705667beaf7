"""What redis-py raises, in Jay's words.

| redis-py or server | Jay |
|---|---|
| no connection, no answer in time, loading, wrong password | `StoreUnreachable` |
| OOM, READONLY, MISCONF, NOREPLICAS | `StoreFull` |
| LEASELOST (from a script) | `LeaseLost` |
| anything else that the server answers | `StoreError` |

What the server quotes in its own text is cut out: it may be what people wrote.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from redis import exceptions

from bot.errors import LeaseLost, StoreError, StoreFull, StoreUnreachable

_FULL = re.compile(r"\b(OOM|READONLY|MISCONF|NOREPLICAS)\b")
"""Redis 6 puts the code inside of its own sentence when a script fails."""
_LOST = "LEASELOST"
_QUOTED = re.compile(r",? with args beginning with.*|'[^']*'|`[^`]*`", re.DOTALL)


def address_of(url: str) -> str:
    """Return a Redis URL without name, password and options."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


def translate(error: exceptions.RedisError | OSError, *, address: str) -> StoreError:
    """Return the `StoreError` that says what a library's error means."""
    told = _QUOTED.sub("…", str(error))
    if told.startswith(_LOST):
        return LeaseLost("Another worker has this conversation now.")
    if isinstance(error, exceptions.ReadOnlyError | exceptions.OutOfMemoryError) or _FULL.search(
        told
    ):
        return StoreFull(f"Redis at {address} takes nothing more: {told[:200]}")
    if isinstance(error.__cause__ or error, exceptions.AuthenticationError):
        return StoreUnreachable(f"Redis at {address} refuses the name or password in REDIS_URL.")
    if isinstance(error, exceptions.ConnectionError | exceptions.TimeoutError | OSError):
        return StoreUnreachable(f"No Redis answers at {address} ({type(error).__name__}).")
    return StoreError(f"Redis at {address} refuses a command: {told[:200]}")
