"""What redis-py raises, in Jay's words.

| redis-py or server | Jay |
|---|---|
| no connection, no answer in time, loading, wrong password, failing over | `StoreUnreachable` |
| OOM, READONLY, MISCONF, NOREPLICAS | `StoreFull` |
| LEASELOST (from a script) | `LeaseLost` |
| anything else that the server answers | `StoreError` |

What the server quotes in its own text is cut out: it may be what people wrote.
"""

from __future__ import annotations

import re

from redis import exceptions
from redis.asyncio.sentinel import MasterNotFoundError

from bot.errors import LeaseLost, StoreError, StoreFull, StoreUnreachable

_FULL = re.compile(r"\b(OOM|READONLY|MISCONF|NOREPLICAS)\b")
"""Redis 6 puts the code inside of its own sentence when a script fails."""
_LOST = "LEASELOST"
_QUOTED = re.compile(r",? with args beginning with.*|'[^']*'|`[^`]*`", re.DOTALL)


_MOVING = (
    exceptions.MovedError,
    exceptions.AskError,
    exceptions.TryAgainError,
    exceptions.ClusterDownError,
    exceptions.MasterDownError,
)
"""What a Cluster's node says that hasn't the slot, or not the whole of it."""
_FORBIDDEN = re.compile(r"NOPERM|has no permissions|can't run this|can't access")
"""Redis puts no code before it where it is a script that may not. It quotes names of commands."""


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
    if isinstance(error, exceptions.BusyLoadingError):
        return StoreUnreachable(f"Redis at {address} is still loading its data.")
    if "CERTIFICATE_VERIFY_FAILED" in told:
        return StoreUnreachable(
            f"Nobody vouches for the certificate of {address}: "
            "name its authority, as in rediss://…?ssl_ca_certs=FILE."
        )
    if isinstance(error, MasterNotFoundError):
        return StoreUnreachable(f"No Sentinel at {address} knows a master for the service.")
    if isinstance(error, _MOVING):
        return StoreUnreachable(f"The Cluster at {address} has no master for a slot just now.")
    if isinstance(error, exceptions.ConnectionError | exceptions.TimeoutError | OSError):
        return StoreUnreachable(f"No Redis answers at {address} ({type(error).__name__}).")
    if _FORBIDDEN.search(told):
        return StoreError(
            f"Redis at {address} forbids Jay's user a command: {str(error)[:200]} "
            "(what Jay needs stands in docs/operations.md: A user of its own)"
        )
    return StoreError(f"Redis at {address} refuses a command: {told[:200]}")
