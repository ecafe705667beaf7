"""Which server has a shard: the one there is, a Sentinel's master, or a Cluster's.

redis-py's `RedisCluster` is not used: when one caller meets a `CLUSTERDOWN` it
closes the connections of all, it can't send `WAIT` after a script on the same
connection, and it asks each server for all of its commands. A shard is one
hash slot, so that all there is to know are sixteen slots and their masters.

Nothing here tries again: an error marks what is known as stale, and the next
call looks anew.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Redis, Sentinel
from redis.asyncio.connection import RedisSSLContext, SSLConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import SentinelManagedConnection, SentinelManagedSSLConnection
from redis.backoff import NoBackoff
from redis.crc import key_slot

from bot.store.addresses import CLASS, Address, parse_address
from bot.store.keys import SHARDS, key

CONNECTIONS = 32
"""Most steps of one process at once on one server; further ones wait."""
CONNECT_TIMEOUT_S = 2.0
SENTINEL_TIMEOUT_S = 1.0
"""How long one Sentinel may take before the next one is asked."""

Host = tuple[str, int]


class Topology(Protocol):
    """The servers behind one address."""

    async def server_of(self, shard: int) -> Redis:
        """Return the client of the server that has a shard now."""
        ...

    async def servers(self) -> Sequence[Redis]:
        """Return a client of each server that has shards."""
        ...

    async def doubt(self, error: Exception) -> None:
        """Take what is known as stale if an answer says so; the next call looks anew."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


def open_topology(address: Address) -> Topology:
    """Return what leads to the servers of an address; nothing is connected yet."""
    match address.kind:
        case "server":
            return OneMaster(_client(address.options))
        case "sentinel":
            return _watched(address)
        case "cluster":
            return Cluster(address.hosts, address.options)


def connect(url: str) -> Redis:
    """Return a client of one server. Its calls wait as long as the caller lets them.

    Raises:
        SettingsError: the address can't be one.
    """
    return _client(parse_address(url).options)


class OneMaster:
    """One server that has all; with Sentinels, whichever is the master now."""

    def __init__(self, client: Redis, sentinel: Sentinel | None = None) -> None:
        """Take the client, and the Sentinels that tell it where to connect."""
        self._client, self._sentinel = client, sentinel

    async def server_of(self, shard: int) -> Redis:
        """Return the one client."""
        return self._client

    async def servers(self) -> Sequence[Redis]:
        """Return the one client."""
        return [self._client]

    async def doubt(self, error: Exception) -> None:
        """Connect anew to a server that has become a replica: its name may lead elsewhere now."""
        if isinstance(error, exceptions.ReadOnlyError):
            await self._client.connection_pool.disconnect(inuse_connections=False)

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()
        if self._sentinel is not None:
            await self._sentinel.aclose()


class Cluster:
    """The masters of a Cluster, by the slots of Jay's shards."""

    def __init__(self, hosts: Sequence[Host], options: Mapping[str, Any]) -> None:
        """Take some nodes to ask first, and how to connect to any."""
        self._first, self._options = hosts, options
        self._clients: dict[Host, Redis] = {}
        self._homes: dict[int, Host] = {}
        self._stale = True
        self._looking = asyncio.Lock()

    async def server_of(self, shard: int) -> Redis:
        """Return the client of the master that has a shard's slot."""
        await self._look()
        if shard not in self._homes:
            raise exceptions.ClusterDownError("CLUSTERDOWN nobody has the slot of a shard")
        return self._clients[self._homes[shard]]

    async def servers(self) -> Sequence[Redis]:
        """Return a client of each master that has a shard."""
        await self._look()
        if not self._homes:
            raise exceptions.ClusterDownError("CLUSTERDOWN nobody has any slot")
        return [self._clients[host] for host in sorted(set(self._homes.values()))]

    async def doubt(self, error: Exception) -> None:
        """Look anew after a redirection, and whenever a node does not answer."""
        kinds = exceptions.ConnectionError, exceptions.MovedError, exceptions.ClusterDownError
        if isinstance(error, (*kinds, OSError, exceptions.ReadOnlyError)):
            self._stale = True

    async def close(self) -> None:
        """Close every connection."""
        clients, self._clients, self._homes = self._clients, {}, {}
        await asyncio.gather(*(client.aclose() for client in clients.values()))

    async def _look(self) -> None:
        async with self._looking:
            if not self._stale:
                return
            # In any order: one that hangs, or was cut off, must not always come first.
            known = list({*self._clients, *self._first})
            random.shuffle(known)
            for at, host in enumerate(known):
                try:
                    async with asyncio.timeout(CONNECT_TIMEOUT_S):
                        homes = await self._ask(host)
                except (exceptions.RedisError, OSError):
                    if at == len(known) - 1:
                        raise
                else:
                    break
            self._homes, self._stale = homes, False
            await self._keep({*homes.values()})

    async def _ask(self, host: Host) -> dict[int, Host]:
        """Return the master of each shard, as one node knows it."""
        client = self._clients.get(host) or self.connect_to(host)
        ranges = await client.execute_command("CLUSTER", "SLOTS")
        slots = {shard: key_slot(key("schema", shard=shard).encode()) for shard in range(SHARDS)}
        return {
            shard: (bytes(master[0] or b"").decode() or host[0], int(master[1]))
            for first, last, master, *_ in ranges
            for shard, slot in slots.items()
            if first <= slot <= last
        }

    async def _keep(self, hosts: set[Host]) -> None:
        """Connect to these hosts, and close the clients of others."""
        for host in hosts - set(self._clients):
            self.connect_to(host)
        gone = [self._clients.pop(host) for host in set(self._clients) - hosts]
        await asyncio.gather(*(client.aclose() for client in gone))

    def connect_to(self, host: Host) -> Redis:
        """Return a new client of a node; nothing is connected yet."""
        client = _client({**self._options, "host": host[0], "port": host[1]})
        self._clients[host] = client
        return client


def _client(options: Mapping[str, Any]) -> Redis:
    pool = BlockingConnectionPool(
        max_connections=2 * CONNECTIONS, timeout=None, **_bounded(options)
    )
    return Redis.from_pool(pool)


def _watched(address: Address) -> OneMaster:
    options = _bounded(address.options)
    tls = options.pop(CLASS, None) is not None
    options[CLASS] = _sharing(SentinelManagedSSLConnection) if tls else SentinelManagedConnection
    others = ("username", "password", "db", CLASS)
    entry = {name: value for name, value in options.items() if name not in others}
    sentinel = Sentinel(
        address.hosts,
        sentinel_kwargs={
            **entry,
            **address.sentinel_options,
            "ssl": tls,
            "socket_timeout": SENTINEL_TIMEOUT_S,
            "socket_connect_timeout": SENTINEL_TIMEOUT_S,
        },
    )
    client: Redis = sentinel.master_for(address.service, max_connections=2 * CONNECTIONS, **options)
    return OneMaster(client, sentinel)


def _sharing(kind: type[SSLConnection]) -> type[SSLConnection]:
    """Return a kind of connection that makes its TLS context once.

    Reading the system's authorities holds up the loop for a tenth of a second,
    and redis-py does it for every connection.
    """
    made: list[RedisSSLContext] = []

    class Sharing(kind):  # type: ignore[valid-type, misc]
        ssl_context: RedisSSLContext

        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            made.append(self.ssl_context)
            self.ssl_context = made[0]
            del made[1:]

    return Sharing


def _bounded(options: Mapping[str, Any]) -> dict[str, Any]:
    """Add to a connection's options what keeps its waits in our hands: see bot/store/server.py."""
    shared = {CLASS: _sharing(SSLConnection)} if options.get(CLASS) is SSLConnection else {}
    return {
        **options,
        **shared,
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "socket_timeout": None,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
    }
