"""The store of a run: which processes it is, where Jay finds it, and what stands in it.

All that a run knows of Redis is here, so that another topology is another way to
make one of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import redis
from chaos.troupe import Troupe
from redis.backoff import NoBackoff
from redis.retry import Retry

from bot.store.embedded import find_binary

ANSWER_S = 1.0
"""A store that is frozen is not waited for."""
OPTIONS = {
    "port": "0",
    "appendonly": "yes",
    "appendfsync": "always",
    "save": "",
    "maxmemory-policy": "noeviction",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Redis:
    """A store that runs."""

    url: str
    """What Jay is given as `REDIS_URL`."""
    names: tuple[str, ...]
    """The players that it consists of."""
    client: redis.Redis

    def answers(self) -> bool:
        """Whether it can be asked now."""
        with suppress(redis.RedisError):
            return bool(self.client.ping())
        return False

    def keys(self, kind: str) -> Iterator[tuple[bytes, str]]:
        """Yield each key of a kind that belongs to something, and to what."""
        for name in self.client.scan_iter(f"jay:{{*}}:{kind}:*", count=1000):
            yield name, name.decode().split(f"}}:{kind}:", 1)[1]

    def held_by(self, pid: int) -> tuple[str, ...]:
        """Return the conversations that a worker has in hand, as far as the store answers."""
        held = []
        with suppress(redis.RedisError):
            for name, conversation in self.keys("state"):
                fence, worker = self.client.hmget(name, "fence", "worker")
                if fence and (worker or b"").endswith(f":{pid}".encode()):
                    held.append(conversation)
        return tuple(held)


AddStore = Callable[[Troupe, Path], Redis]
"""Adds the processes of a store to a run; nothing is started yet."""


def one_valkey(troupe: Troupe, socket: Path) -> Redis:
    """Let a run have one Valkey that keeps every write."""
    options = {**OPTIONS, "unixsocket": str(socket), "dir": str(troupe.folder)}
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    troupe.add("valkey", [str(find_binary()), *arguments])
    return Redis(
        url=f"unix://{socket}",
        names=("valkey",),
        client=redis.Redis(
            unix_socket_path=str(socket), socket_timeout=ANSWER_S, retry=Retry(NoBackoff(), 0)
        ),
    )
