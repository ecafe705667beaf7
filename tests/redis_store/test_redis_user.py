"""The user that the manual describes. The contract tests run as it; here is the rest."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from fakes.talk import CHANNEL, message
from fakes.valkey import RunningValkey
from fakes.valkey_user import NAME, allow, as_user, documented_rules
from structlog.testing import capture_logs

import bot.store
from bot.conversations import in_place
from bot.errors import StoreError
from bot.store import check, open_store

BOUNDS = {"retention_days": 90, "max_turns": 50, "max_log": 1000}
HOME = Path(bot.store.__file__).parent


def test_the_manual_allows_nothing_that_is_not_used() -> None:
    """A right that nothing needs is only good for somebody else."""
    source = "\n".join(path.read_text() for path in (*HOME.glob("*.lua"), *HOME.glob("*.py")))
    allowed = {rule[1:].upper() for rule in documented_rules() if rule.startswith("+")}
    asked = {name for name in allowed if re.search(rf"""['"]{name}['"]""", source)}

    assert allowed - asked == {"PING", "SUBSCRIBE"}
    assert all(f".{name}(" in source for name in ("ping", "subscribe"))


@pytest.mark.valkey
async def test_a_user_without_info_and_config_is_told_what_was_not_checked(
    empty_valkey: RunningValkey,
) -> None:
    """Silence would read as: all is well."""
    allow(empty_valkey.client)
    with capture_logs() as told:
        async with open_store(as_user(empty_valkey.url), **BOUNDS):
            pass
    findings = {one.name: one async for one in check(as_user(empty_valkey.url))}

    unchecked = [one["setting"] for one in told if one["event"] == "store.not_checked"]
    assert unchecked == ["store appendonly", "store appendfsync", "store maxmemory-policy"]
    assert "could not be checked" in findings["store info"].detail
    assert "can't be asked" in findings["store appendfsync"].detail


@pytest.mark.valkey
async def test_where_config_is_closed_info_tells_what_it_knows(empty_valkey: RunningValkey) -> None:
    allow(empty_valkey.client, also=("+info",))

    findings = {one.name: one async for one in check(as_user(empty_valkey.url))}

    assert not findings["store appendonly"].ok
    assert findings["store maxmemory-policy"].detail == "noeviction"
    assert "can't be asked" in findings["store appendfsync"].detail


@pytest.mark.valkey
async def test_who_may_not_listen_is_told_once_and_finds_mail_all_the_same(
    empty_valkey: RunningValkey,
) -> None:
    allow(empty_valkey.client, also=("-subscribe",))
    async with open_store(as_user(empty_valkey.url), **BOUNDS) as store:
        with capture_logs() as told:
            waiting = asyncio.create_task(store.claim(worker="w", lease_s=5.0, wait_s=20.0))
            async with asyncio.timeout(20):
                while not any("bell" in one["event"] for one in told):
                    await asyncio.sleep(0.01)
            sent = message("hello")
            await store.accept(sent, conversation=in_place(CHANNEL, root="1.0"), waiting=5)
            assert await waiting

    assert [one["event"] for one in told if "bell" in one["event"]] == ["store.bell_forbidden"]


@pytest.mark.valkey
@pytest.mark.parametrize("missing", ["-zadd", "-evalsha", "-get"])
async def test_a_right_that_is_missing_is_named(empty_valkey: RunningValkey, missing: str) -> None:
    allow(empty_valkey.client)
    async with open_store(as_user(empty_valkey.url), **BOUNDS) as store:
        empty_valkey.client.execute_command("ACL", "SETUSER", NAME, missing)

        with pytest.raises(StoreError, match="A user of its own"):
            await store.accept(message("my secret is plum"), conversation=None, waiting=5)

        allow(empty_valkey.client)
        assert await store.accept(message("hello"), conversation=None, waiting=5)
