"""Looks into the store past its scripts: every key of a kind, on one server or many."""

from __future__ import annotations

from collections.abc import Iterator

import redis


def stored(kind: str, *servers: redis.Redis) -> Iterator[tuple[redis.Redis, str, str]]:
    """Yield client, key and what it belongs to, of each key of a kind (`*`: any)."""
    for client in servers:
        for found in client.scan_iter(f"jay:{{s*}}:{kind}*", count=1_000):
            name = found.decode()
            _, _, of_kind, *of = name.split(":", 3)
            if kind in ("*", of_kind):
                yield client, name, ":".join(of)
