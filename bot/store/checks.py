"""What `jay doctor` asks of the store: reachable, new enough, and set so that nothing gets lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from bot.errors import SettingsError
from bot.findings import Finding
from bot.store.embedded import find_binary
from bot.store.errors import address_of, translate
from bot.store.keys import SCHEMA, key
from bot.store.server import connect

CHECK_TIMEOUT_S = 10.0
OLDEST = (6, 2)
FULL_AT = 0.9
"""The share of `maxmemory` from which on the operator should act."""
KEEPS = {
    "appendonly": ("yes", "Set `appendonly yes`: without it a restart loses what was said."),
    "appendfsync": (
        "always",
        "Set `appendfsync always`: with any other, a crash of the machine loses the last second.",
    ),
    "maxmemory-policy": (
        "noeviction",
        "Set `maxmemory-policy noeviction`: with any other, Redis drops conversations unasked.",
    ),
}
"""What each setting must be, and what to do where it is not."""


async def check(url: str) -> AsyncIterator[Finding]:
    """Yield what was found at a Redis URL; an empty one means the embedded Valkey."""
    if not url:
        yield _embedded()
        return
    try:
        client = connect(url)
    except SettingsError as error:
        yield Finding(name="store", ok=False, detail=str(error), hint=error.hint)
        return
    address = address_of(url)
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            findings = [finding async for finding in _look(client, address)]
    except (RedisError, OSError) as error:
        meant = translate(error, address=address)
        findings = [Finding(name="store", ok=False, detail=str(meant), hint=meant.hint)]
    finally:
        await client.aclose()
    for finding in findings:
        yield finding


def _embedded() -> Finding:
    try:
        binary = find_binary()
    except SettingsError as error:
        return Finding(name="store", ok=False, detail=str(error), hint=error.hint)
    return Finding(name="store", ok=True, detail=f"embedded Valkey ({binary}); REDIS_URL is empty")


async def _look(client: Redis, address: str) -> AsyncIterator[Finding]:
    about = await client.info()
    yield Finding(name="store", ok=True, detail=f"answers at {address}")
    yield _version(about)
    schema = await client.get(key("schema"))
    yield Finding(
        name="store data",
        ok=schema in (None, SCHEMA.encode()),
        detail=f"version {_text(schema)}" if schema else "none yet",
        hint="They were written by another version of Jay: see docs/operations.md.",
    )
    parked = await client.hlen(key("parked"))
    yield Finding(
        name="store parked",
        ok=not parked,
        detail=f"{parked} messages put aside because every try to answer failed",
        hint="`jay parked` lists them, the log says why; `jay parked --again ID` tries again.",
    )
    for name, (wanted, hint) in KEEPS.items():
        yield await _setting(client, name, wanted, hint)
    yield _memory(about)


def _version(about: Mapping[str, object]) -> Finding:
    redis = str(about.get("redis_version", "0"))
    numbers = tuple(int(part) for part in redis.split(".")[:2] if part.isdigit())
    valkey = about.get("valkey_version")
    return Finding(
        name="store version",
        ok=numbers >= OLDEST,
        detail=f"Valkey {valkey}" if valkey else f"Redis {redis}",
        hint="Jay needs Redis 6.2 or newer, or Valkey.",
    )


async def _setting(client: Redis, name: str, wanted: str, hint: str) -> Finding:
    try:
        found = (await client.config_get(name)).get(name)
    except ResponseError:
        found = None
    if found is None:
        detail = f"{name} can't be asked here; it should be {wanted}"
        return Finding(name=f"store {name}", ok=True, detail=detail)
    value = _text(found)
    return Finding(name=f"store {name}", ok=value == wanted, detail=value, hint=hint)


def _memory(about: Mapping[str, object]) -> Finding:
    used, most = (int(str(about.get(name, 0))) for name in ("used_memory", "maxmemory"))
    megabytes = f"{used / 1e6:.0f} MB used"
    return Finding(
        name="store memory",
        ok=not most or used < FULL_AT * most,
        detail=f"{megabytes} of {most / 1e6:.0f} MB" if most else f"{megabytes}, no bound set",
        hint="Raise maxmemory, or lower JAY_STORE__RETENTION_DAYS.",
    )


def _text(answer: object) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer)
