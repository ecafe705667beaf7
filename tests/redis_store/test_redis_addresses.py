from __future__ import annotations

import pytest
from redis.asyncio.connection import SSLConnection

from bot.errors import SettingsError
from bot.store.addresses import address_of, parse_address


def test_one_server() -> None:
    found = parse_address("redis://jay:s3cret@db:6380/2")

    assert (found.kind, found.shown) == ("server", "redis://db:6380/2")
    assert found.options == {
        "username": "jay",
        "password": "s3cret",
        "host": "db",
        "port": 6380,
        "db": 2,
    }


def test_sentinels_of_a_service_with_tls_and_two_passwords() -> None:
    found = parse_address("rediss+sentinel://jay:pw@s1,s2:26380/chat/1?sentinel_password=other")

    assert (found.kind, found.service) == ("sentinel", "chat")
    assert found.hosts == (("s1", 26379), ("s2", 26380))
    assert found.sentinel_options == {"password": "other"}
    assert found.options["connection_class"] is SSLConnection
    assert (found.options["password"], found.options["db"]) == ("pw", 1)


def test_some_nodes_of_a_cluster() -> None:
    found = parse_address("redis+cluster://:pw@[::1]:7000,b")

    assert (found.kind, found.hosts) == ("cluster", (("::1", 7000), ("b", 6379)))
    assert found.options == {"password": "pw"}


@pytest.mark.parametrize(
    "url",
    [
        "localhost:6379",
        "http://db",
        "redis+sentinel://s1:26379",
        "redis+cluster://a:7000/3",
        "redis+cluster://a:7000,,b",
        "redis+swarm://a",
        "unix+cluster:///path",
        "redis://db:notaport/0",
        "redis://db/0?no_such_option=1",
    ],
)
def test_what_is_no_address_is_said_so(url: str) -> None:
    """A typing error must not become a traceback, or another server's database."""
    with pytest.raises(SettingsError, match=r"redis\+cluster://"):
        parse_address(url)


@pytest.mark.parametrize("scheme", ["redis", "rediss+cluster", "redis+sentinel"])
def test_an_address_never_shows_its_secrets(scheme: str) -> None:
    url = f"{scheme}://jay:hunter2@db:1/x?sentinel_password=hunter2"

    assert "hunter2" not in address_of(url)
    if scheme == "redis+sentinel":
        assert "hunter2" not in repr(parse_address(url))
