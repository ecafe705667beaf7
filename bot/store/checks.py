"""What is asked of a store: reachable, new enough, and set so that nothing gets lost.

`jay doctor` shows all of it; what would lose data is also told in the log
whenever a store is opened (`may_lose`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from bot.errors import SettingsError
from bot.findings import Finding
from bot.store.addresses import address_of, parse_address
from bot.store.embedded import find_binary
from bot.store.errors import translate
from bot.store.keys import SCHEMA, SHARDS, key
from bot.store.topology import Topology, open_topology

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
IN_INFO = {"appendonly": "aof_enabled", "maxmemory-policy": "maxmemory_policy"}
"""Where INFO tells a setting, for a user who may not CONFIG GET."""


async def check(url: str) -> AsyncIterator[Finding]:
    """Yield what was found at a Redis URL; an empty one means the embedded Valkey."""
    if not url:
        yield _embedded()
        return
    try:
        topology = open_topology(parse_address(url))
    except SettingsError as error:
        yield Finding(name="store", ok=False, detail=str(error), hint=error.hint)
        return
    address = address_of(url)
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            findings = [finding async for finding in _look(topology, address)]
    except (RedisError, OSError) as error:
        meant = translate(error, address=address)
        findings = [Finding(name="store", ok=False, detail=str(meant), hint=meant.hint)]
    finally:
        await topology.close()
    for finding in findings:
        yield finding


async def may_lose(topology: Topology) -> Sequence[Finding]:
    """Return how each server keeps what it is told, also what could not be asked.

    Raises:
        RedisError: a server can't be asked at all.
    """
    servers = await topology.servers()
    return [
        finding
        for number, server in enumerate(servers, start=1)
        for finding in await _settings(server, await _info(server), _of(number, servers))
    ]


def _embedded() -> Finding:
    try:
        binary = find_binary()
    except SettingsError as error:
        return Finding(name="store", ok=False, detail=str(error), hint=error.hint)
    return Finding(name="store", ok=True, detail=f"embedded Valkey ({binary}); REDIS_URL is empty")


async def _look(topology: Topology, address: str) -> AsyncIterator[Finding]:
    servers = await topology.servers()
    await asyncio.gather(*(server.ping() for server in servers))
    masters = f", {len(servers)} masters" if len(servers) > 1 else ""
    yield Finding(name="store", ok=True, detail=f"answers at {address}{masters}")
    versions, parked = set[str](), 0
    for shard in range(SHARDS):
        server = await topology.server_of(shard)
        versions.add(_text(await server.execute_command("GET", key("schema", shard=shard)) or b""))
        parked += await server.execute_command("HLEN", key("parked", shard=shard))
    yield _data(versions)
    yield Finding(
        name="store parked",
        ok=not parked,
        detail=f"{parked} messages put aside because every try to answer failed",
        hint="`jay parked` lists them, the log says why; `jay parked --again ID` tries again.",
    )
    for number, server in enumerate(servers, start=1):
        about, of = await _info(server), _of(number, servers)
        if about is None:
            detail = "INFO is not allowed here: version and memory could not be checked"
            yield Finding(name=f"store info{of}", ok=True, detail=detail)
        else:
            yield _version(about, of)
            yield _memory(about, of)
        for finding in await _settings(server, about, of):
            yield finding


def _of(number: int, servers: Sequence[Redis]) -> str:
    return f" (master {number})" if len(servers) > 1 else ""


def _data(versions: set[str]) -> Finding:
    return Finding(
        name="store data",
        ok=versions <= {"", SCHEMA},
        detail=", ".join(f"version {one}" for one in sorted(versions - {""})) or "none yet",
        hint="They were written by another version of Jay: see docs/operations.md.",
    )


async def _info(server: Redis) -> Mapping[str, object] | None:
    try:
        about: Mapping[str, object] = await server.info()
    except ResponseError:
        return None
    return about


def _version(about: Mapping[str, object], of: str) -> Finding:
    redis = str(about.get("redis_version", "0"))
    numbers = tuple(int(part) for part in redis.split(".")[:2] if part.isdigit())
    valkey = about.get("valkey_version")
    return Finding(
        name=f"store version{of}",
        ok=numbers >= OLDEST,
        detail=f"Valkey {valkey}" if valkey else f"Redis {redis}",
        hint="Jay needs Redis 6.2 or newer, or Valkey.",
    )


async def _settings(
    server: Redis, about: Mapping[str, object] | None, of: str
) -> Sequence[Finding]:
    findings = []
    for name, (wanted, hint) in KEEPS.items():
        value = await _setting(server, name, about or {})
        if value is None:
            detail = f"can't be asked here; it should be {wanted}"
            findings.append(Finding(name=f"store {name}{of}", ok=True, detail=detail))
        else:
            ok = value == wanted
            findings.append(Finding(name=f"store {name}{of}", ok=ok, detail=value, hint=hint))
    return findings


async def _setting(server: Redis, name: str, about: Mapping[str, object]) -> str | None:
    """Return a setting, as CONFIG GET or else INFO tells it; None where neither does."""
    try:
        found = (await server.config_get(name)).get(name)
    except ResponseError:
        told = about.get(IN_INFO.get(name, ""))
        return None if told is None else {"0": "no", "1": "yes"}.get(str(told), str(told))
    return None if found is None else _text(found)


def _memory(about: Mapping[str, object], of: str) -> Finding:
    used, most = (int(str(about.get(name, 0))) for name in ("used_memory", "maxmemory"))
    megabytes = f"{used / 1e6:.0f} MB used"
    return Finding(
        name=f"store memory{of}",
        ok=not most or used < FULL_AT * most,
        detail=f"{megabytes} of {most / 1e6:.0f} MB" if most else f"{megabytes}, no bound set",
        hint="Raise maxmemory, or lower JAY_STORE__RETENTION_DAYS.",
    )


def _text(answer: object) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer)
