"""The store of a run: which processes it is, where Jay finds it, and what stands in it.

All that a run knows of Redis is here, so that another topology is another way to
make one of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import redis
from chaos.troupe import Troupe
from fakes.valkey_cluster import Node, form_cluster
from redis.backoff import NoBackoff
from redis.retry import Retry

from bot.store.embedded import find_binary

ANSWER_S = 1.0
"""A store that is frozen is not waited for."""
KEEPS = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
MASTERS = 3
NODE_TIMEOUT_MS = "5000"
"""A master that is away for longer takes the whole Cluster down until it is back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redis:
    """A store that runs."""

    url: str
    """What Jay is given as `REDIS_URL`."""
    servers: Mapping[str, redis.Redis]
    """The players that it consists of, and a client of each."""
    form: Callable[[], None] = lambda: None
    """Makes one store of the servers, once all of them answer."""

    def answers(self) -> bool:
        """Whether all of it can be asked now."""
        with suppress(redis.RedisError):
            return all(client.ping() for client in self.servers.values())
        return False

    def keys(self, kind: str) -> Iterator[tuple[redis.Redis, bytes, str]]:
        """Yield each key of a kind that belongs to something: who has it, its name, and to what."""
        for client in self.servers.values():
            for name, of in _keys(client, kind):
                yield client, name, of

    def held_by(self, pid: int) -> tuple[str, ...]:
        """Return the conversations that a worker has in hand, as far as the store answers."""
        held = []
        for client in self.servers.values():
            with suppress(redis.RedisError):
                for name, conversation in _keys(client, "state"):
                    fence, worker = client.hmget(name, "fence", "worker")
                    if fence and (worker or b"").endswith(f":{pid}".encode()):
                        held.append(conversation)
        return tuple(held)

    def close(self) -> None:
        for client in self.servers.values():
            client.close()


def _keys(client: redis.Redis, kind: str) -> Iterator[tuple[bytes, str]]:
    for name in client.scan_iter(f"jay:{{*}}:{kind}:*", count=1000):
        yield name, name.decode().split(f"}}:{kind}:", 1)[1]


AddStore = Callable[[Troupe, Path], Redis]
"""Adds the processes of a store to a run; nothing is started yet."""


def one_valkey(troupe: Troupe, socket: Path) -> Redis:
    """Let a run have one Valkey that keeps every write."""
    where = {"port": "0", "save": "", "unixsocket": str(socket), "dir": str(troupe.folder)}
    options = {**KEEPS, **where}
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    troupe.add("valkey", [str(find_binary()), *arguments])
    client = redis.Redis(
        unix_socket_path=str(socket), socket_timeout=ANSWER_S, retry=Retry(NoBackoff(), 0)
    )
    return Redis(url=f"unix://{socket}", servers={"valkey": client})


def three_masters(troupe: Troupe, socket: Path) -> Redis:
    """Let a run have a Cluster of three masters, each of which keeps every write."""
    options = {**KEEPS, "cluster-enabled": "yes", "cluster-node-timeout": NODE_TIMEOUT_MS}
    nodes = {
        name: Node(folder=troupe.folder / name, options=options)
        for name in (f"valkey-{number}" for number in range(MASTERS))
    }
    for name, node in nodes.items():
        node.folder.mkdir()
        troupe.add(name, node.command)

    def form() -> None:
        form_cluster([*nodes.values()], masters=MASTERS)
        for node in nodes.values():
            node.client.close()

    return Redis(
        url="redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in nodes.values()),
        servers={
            name: redis.Redis(port=node.port, socket_timeout=ANSWER_S, retry=Retry(NoBackoff(), 0))
            for name, node in nodes.items()
        },
        form=form,
    )
