"""REDIS_URL, read: one server, the service that Sentinels watch, or a Cluster.

| form | what answers |
|---|---|
| `redis://name:password@host:6379/0` | one server; `rediss://` with TLS |
| `unix:///path` | one server on this machine |
| `redis+sentinel://name:password@host:26379,host:26379/service/0` | the master of a service |
| `redis+cluster://name:password@host:6379,host:6379` | a Cluster; any of its nodes lead to all |

`rediss+sentinel://` and `rediss+cluster://` are the same with TLS. What follows
a `?` are redis-py's options of a connection, above all `ssl_ca_certs=FILE`;
`sentinel_username` and `sentinel_password` are for the Sentinels themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import SplitResult, unquote, urlsplit

from redis.asyncio.connection import Connection, parse_url

from bot.errors import SettingsError

Kind = Literal["server", "sentinel", "cluster"]
PORTS = {"server": 6379, "sentinel": 26379, "cluster": 6379}
FORMS = (
    "redis://host:6379/0, rediss://… with TLS, unix:///path, "
    "redis+sentinel://host:26379,host:26379/service or redis+cluster://host:6379,host:6379"
)
CLASS = "connection_class"
"""The option by which redis-py tells TLS and unix sockets from others."""
FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
"""Options that name a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the store is and how to get in."""

    kind: Kind
    shown: str
    """The URL without name, password and options: for logs."""
    hosts: tuple[tuple[str, int], ...]
    """The server, the Sentinels, or some nodes of the Cluster; empty for a unix socket."""
    options: Mapping[str, Any] = field(repr=False)
    """How redis-py makes a connection: name, password, database, TLS."""
    service: str = ""
    """What the Sentinels call the master."""
    sentinel_options: Mapping[str, Any] = field(default_factory=dict, repr=False)


def address_of(url: str) -> str:
    """Return a Redis URL without name, password and options."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def parse_address(url: str) -> Address:
    """Read a `REDIS_URL`.

    Raises:
        SettingsError: it is of none of the forms, or names a file that is not there.
    """
    try:
        address = _parse(urlsplit(url))
        options = {**address.options}
        # A misspelt option would otherwise be met by whoever speaks first.
        options.pop(CLASS, Connection)(**options)
    except (ValueError, TypeError) as error:
        raise SettingsError(f"REDIS_URL can't be read: it looks like {FORMS}") from error
    for name in FILES:
        if (path := address.options.get(name)) and not Path(path).is_file():
            raise SettingsError(f"REDIS_URL names {name}={path}, but no such file is there.")
    return address


def _parse(parts: SplitResult) -> Address:
    base, _, kind_name = parts.scheme.partition("+")
    kinds: dict[str, Kind] = {"": "server", "sentinel": "sentinel", "cluster": "cluster"}
    if kind_name not in kinds or (kind_name and base == "unix"):
        raise ValueError(parts.scheme)
    kind = kinds[kind_name]
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    if kind == "server":
        options = dict(parse_url(parts.geturl()))
        return Address(kind=kind, shown=shown, hosts=(), options=options)
    entry, _, listed = parts.netloc.rpartition("@")
    hosts = tuple(_host(one, PORTS[kind]) for one in listed.split(","))
    service, _, database = parts.path.strip("/").partition("/")
    if (kind == "sentinel") != bool(service):
        raise ValueError("a service belongs to Sentinels, and to them alone")
    one = parts._replace(scheme=base, netloc=f"{entry}@localhost" if entry else "localhost")
    options = dict(parse_url(one._replace(path=f"/{database}").geturl()))
    del options["host"]
    own = {
        name.removeprefix("sentinel_"): options.pop(name)
        for name in ("sentinel_username", "sentinel_password")
        if name in options
    }
    return Address(
        kind=kind,
        shown=shown,
        hosts=hosts,
        options=options,
        service=unquote(service),
        sentinel_options=own,
    )


def _host(text: str, port: int) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError("a host is missing")
    return parts.hostname, parts.port or port
