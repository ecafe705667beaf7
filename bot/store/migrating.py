"""Moves data of an older version over when a store is first opened.

Version 1 had one shard, `jay:{0}:`. What belongs to a channel is moved with
DUMP and RESTORE, which keep how long it lives; the indexes of the whole store
are dealt out by the channel that each member names. Each key is gone from the
old place once it stands in the new one, so a move that was cut off is taken up
where it stopped. The old version's mark reads `moving` meanwhile, and the new
version in the end, so that an older Jay refuses what it finds.
"""

from __future__ import annotations

import structlog
from redis.asyncio import Redis

from bot.errors import StoreVersion
from bot.store.keys import SCHEMA, SHARDS, key, shard_of

OLD = "jay:{0}:"
OLD_MARK = f"{OLD}schema"
MOVING = b"moving"
TO_MOVE = (b"1", MOVING)
"""What the mark reads where there is something to move."""
CLAIM_S = 60
"""How long a process that moves data may be silent before another takes over."""
TO_ALL = ("first", "fences")
"""Single values that every shard gets. Moved first: a fence must never be given out again."""
DEALT = ("waiting", "leased", "parked", "heard", "gaps", "said")
"""Indexes whose members begin with a channel. Moved last: who is woken finds all else there."""

log = structlog.get_logger(__name__)


async def migrate(server: Redis, *, address: str) -> None:
    """Move data of version 1 over.

    Raises:
        StoreVersion: another process is at it.
        RedisError: it was cut off; another call goes on.
    """
    if not await server.execute_command("SET", f"{OLD}mover", "1", "NX", "EX", CLAIM_S):
        raise StoreVersion(
            f"Another Jay is moving the data at {address} to this version. Start again in a minute."
        )
    log.warning("store.moving", address=address)
    try:
        await server.execute_command("SET", OLD_MARK, MOVING)
        count = await _move(server)
        await server.execute_command("SET", OLD_MARK, SCHEMA)
    finally:
        await server.execute_command("DEL", f"{OLD}mover")
    log.warning("store.moved", address=address, keys=count)


async def _move(server: Redis) -> int:
    names = [name async for name in server.scan_iter(match="jay:{0}:*", count=1_000)]
    moved = 0
    for name in sorted(names, key=_turn):
        kind, _, of = name.decode().removeprefix(OLD).partition(":")
        await server.execute_command("EXPIRE", f"{OLD}mover", CLAIM_S)
        if kind in ("schema", "mover"):
            continue
        if kind in TO_ALL:
            await _copy_to_all(server, name.decode(), kind, of)
        elif kind in DEALT:
            await _deal(server, name.decode(), kind, of)
        elif kind == "bell":
            await server.execute_command("DEL", name)
        else:
            await _rename(server, name.decode(), key(kind, of))
        moved += 1
    return moved


def _turn(name: bytes) -> int:
    kind = name.decode().removeprefix(OLD).partition(":")[0]
    return 0 if kind in TO_ALL else 2 if kind in DEALT else 1


async def _rename(server: Redis, old: str, new: str) -> None:
    life_ms = await server.execute_command("PTTL", old)
    packed = await server.execute_command("DUMP", old)
    if packed is not None:
        await server.execute_command("RESTORE", new, max(0, life_ms), packed, "REPLACE")
        await server.execute_command("DEL", old)


async def _copy_to_all(server: Redis, old: str, kind: str, of: str) -> None:
    value = await server.execute_command("GET", old)
    for shard in range(SHARDS):
        await server.execute_command("SET", key(kind, of, shard=shard), value or b"0", "NX")
    await server.execute_command("DEL", old)


async def _deal(server: Redis, old: str, kind: str, of: str) -> None:
    """Give each shard the members that name a channel of its own."""
    life_ms = await server.execute_command("PTTL", old)
    if kind == "parked":
        fields = await server.execute_command("HGETALL", old)
        puts = [("HSET", field, (field, record)) for field, record in fields.items()]
    else:
        flat = await server.execute_command("ZRANGE", old, 0, -1, "WITHSCORES")
        pairs = zip(flat[::2], flat[1::2], strict=True)
        puts = [("ZADD", member, (score, member)) for member, score in pairs]
    for command, member, entry in puts:
        new = key(kind, of, shard=shard_of(member.decode().partition("\n")[0]))
        await server.execute_command(command, new, *entry)
        if life_ms > 0:
            await server.execute_command("EXPIRE", new, -(-life_ms // 1_000))
    await server.execute_command("DEL", old)
