from __future__ import annotations

import pytest
from fakes.valkey import RunningValkey
from fakes.valkey_cluster import RunningCluster
from structlog.testing import capture_logs

from bot.findings import Finding
from bot.store import check, open_store
from bot.store.keys import key

pytestmark = pytest.mark.valkey


async def found(url: str) -> dict[str, Finding]:
    return {finding.name: finding async for finding in check(url)}


async def test_a_well_set_server_passes(empty_valkey: RunningValkey) -> None:
    client = empty_valkey.client
    client.config_set("appendonly", "yes")
    client.config_set("appendfsync", "always")
    try:
        findings = await found(empty_valkey.url)
    finally:
        client.config_set("appendonly", "no")

    assert [one.name for one in findings.values() if not one.ok] == []
    assert "Valkey" in findings["store version"].detail


@pytest.mark.parametrize(
    ("option", "value"),
    [("appendonly", "no"), ("appendfsync", "everysec"), ("maxmemory-policy", "allkeys-lru")],
)
async def test_a_setting_that_would_lose_messages_is_named(
    empty_valkey: RunningValkey, option: str, value: str
) -> None:
    """The one who runs it finds out by a restart otherwise."""
    client = empty_valkey.client
    before = client.config_get(option)[option]
    client.config_set(option, value)
    try:
        finding = (await found(empty_valkey.url))[f"store {option}"]
    finally:
        client.config_set(option, before)

    assert not finding.ok
    assert finding.detail == value
    assert option in finding.hint


async def test_a_server_that_is_nearly_full_is_named(empty_valkey: RunningValkey) -> None:
    used = empty_valkey.client.info()["used_memory"]
    empty_valkey.client.config_set("maxmemory", str(int(used * 1.05)))
    try:
        finding = (await found(empty_valkey.url))["store memory"]
    finally:
        empty_valkey.client.config_set("maxmemory", "0")

    assert not finding.ok


async def test_data_of_another_version_are_named(empty_valkey: RunningValkey) -> None:
    empty_valkey.client.set(key("schema", shard=3), "7")

    assert not (await found(empty_valkey.url))["store data"].ok


async def test_an_absent_server_is_one_finding_without_the_password() -> None:
    findings = await found("redis://:hunter2@127.0.0.1:1")

    assert [one.ok for one in findings.values()] == [False]
    assert "hunter2" not in str(findings)


async def test_an_address_that_is_none_is_a_finding() -> None:
    assert [one.ok for one in (await found("localhost")).values()] == [False]


async def test_without_an_address_the_embedded_server_is_looked_for() -> None:
    (finding,) = (await found("")).values()

    assert finding.ok
    assert "valkey-server" in finding.detail


async def test_each_master_of_a_cluster_is_looked_at(empty_cluster: RunningCluster) -> None:
    """One that was set up by hand, later than the others, is the one that loses messages."""
    odd = empty_cluster.nodes[1].client
    odd.config_set("maxmemory-policy", "allkeys-lru")
    try:
        findings = await found(empty_cluster.url)
    finally:
        odd.config_set("maxmemory-policy", "noeviction")

    policies = {name: one.ok for name, one in findings.items() if "maxmemory-policy" in name}
    assert sorted(policies.values()) == [False, True, True]
    assert "3 masters" in findings["store"].detail


async def test_what_would_lose_messages_is_told_at_the_start(empty_valkey: RunningValkey) -> None:
    """Nobody runs `jay doctor` each morning."""
    empty_valkey.client.config_set("appendfsync", "everysec")
    with capture_logs() as told:
        async with open_store(empty_valkey.url, retention_days=9, max_turns=50, max_log=100):
            pass

    warned = [one for one in told if one["event"] == "store.may_lose"]
    assert [one["setting"] for one in warned] == ["store appendonly", "store appendfsync"]
    assert all(one["log_level"] == "warning" and one["hint"] for one in warned)
