from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
from fakes.talk import CHANNEL, message
from fakes.valkey import RunningValkey, running_valkey

from bot.conversations import Turn, in_place
from bot.errors import SettingsError, StoreError, StoreFull, StoreUnreachable
from bot.ports import Store
from bot.store import open_store
from bot.store.keys import key
from bot.store.opening import RedisStore
from bot.store.server import Bounds

pytestmark = pytest.mark.valkey

TALK = in_place(CHANNEL, root="1.0")
BOUNDS = {"retention_days": 90, "max_turns": 50, "max_log": 1000}


async def accept(store: Store, message_id: str, text: str = "hello") -> bool:
    sent = message(text, message_id=message_id)
    return await store.accept(sent, conversation=TALK, waiting=1000)


async def test_an_absent_server_is_named_without_its_password() -> None:
    url = "redis://jay:hunter2@127.0.0.1:1/0"

    with pytest.raises(StoreUnreachable) as caught:
        async with open_store(url, **BOUNDS):
            pass

    assert "redis://127.0.0.1:1/0" in str(caught.value)
    assert "hunter2" not in f"{caught.value} {caught.value.__cause__}"


async def test_an_address_that_is_none_is_said_so() -> None:
    with pytest.raises(SettingsError, match="REDIS_URL"):
        async with open_store("localhost:6379", **BOUNDS):
            pass


async def test_a_wrong_password_is_named_as_such(empty_valkey: RunningValkey) -> None:
    url = empty_valkey.url.replace("unix://", "unix://jay:wrong@")

    with pytest.raises(StoreUnreachable, match="password") as caught:
        async with open_store(url, **BOUNDS):
            pass

    assert "wrong" not in str(caught.value)


async def test_the_store_works_again_when_the_server_is_back(tmp_path: Path) -> None:
    options = {"appendonly": "yes", "appendfsync": "always"}
    with running_valkey(tmp_path / "s", **options) as first:
        async with open_store(first.url, **BOUNDS) as store:
            await accept(store, "1.0")
            first.kill()
            for _ in range(2):
                with pytest.raises(StoreUnreachable):
                    await store.ping()
                with pytest.raises(StoreUnreachable):
                    await accept(store, "2.0")
                with pytest.raises(StoreUnreachable):
                    await store.claim(worker="w", lease_s=5.0, wait_s=1.0)

            with running_valkey(tmp_path / "s", **options):
                await store.ping()
                assert not await accept(store, "1.0")
                assert await accept(store, "2.0")
                lease = await store.claim(worker="w", lease_s=5.0, wait_s=0.0)
                assert lease is not None
                assert len(await store.mail(lease)) == 2


async def test_who_waits_for_mail_notices_an_outage(tmp_path: Path) -> None:
    with running_valkey(tmp_path / "s") as server:
        async with open_store(server.url, **BOUNDS) as store:
            waiting = asyncio.create_task(store.claim(worker="w", lease_s=5.0, wait_s=30.0))
            await asyncio.sleep(0.03)
            server.kill()

            with pytest.raises(StoreUnreachable):
                async with asyncio.timeout(5):
                    await waiting


async def test_a_waiting_claim_that_is_cancelled_leaves_the_store_usable(
    empty_valkey: RunningValkey,
) -> None:
    """Else a later reader could get another's answer."""
    async with open_store(empty_valkey.url, **BOUNDS) as store:
        for _ in range(40):
            waiting = asyncio.create_task(store.claim(worker="w", lease_s=5.0, wait_s=30.0))
            await asyncio.sleep(0.002)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

        await accept(store, "1.0")
        lease = await store.claim(worker="w", lease_s=5.0, wait_s=1.0)
        assert lease is not None
        assert [one.text for one in await store.mail(lease)] == ["hello"]


async def test_a_server_that_stopped_answering_does_not_hang_the_caller(tmp_path: Path) -> None:
    with running_valkey(tmp_path / "s") as server:
        store = RedisStore(server.url, Bounds(**BOUNDS), answer_timeout_s=0.04)
        os.kill(server.process.pid, signal.SIGSTOP)
        try:
            with pytest.raises(StoreUnreachable):
                async with asyncio.timeout(5):
                    await accept(store, "1.0")
        finally:
            os.kill(server.process.pid, signal.SIGCONT)
            await store.close()


async def test_a_full_server_refuses_mail_whole_and_lets_replies_end(
    empty_valkey: RunningValkey,
) -> None:
    """Half a message stored would be worse than none; a lease must not be lost to it either."""
    async with open_store(empty_valkey.url, **BOUNDS) as store:
        await accept(store, "1.0")
        lease = await store.claim(worker="w", lease_s=5.0, wait_s=0.0)
        assert lease is not None
        empty_valkey.client.config_set("maxmemory", "1")
        try:
            before = set(empty_valkey.client.keys())
            with pytest.raises(StoreFull):
                await accept(store, "2.0")
            assert set(empty_valkey.client.keys()) == before
            turn = Turn(role="jay", text="Hi.", author="Jay", at=1.0)
            await store.renew(lease, lease_s=5.0)
            await store.settle(lease, answered=["1.0"], turns=[turn])
            await store.release(lease)
            assert list(await store.turns(TALK)) == [turn]
        finally:
            empty_valkey.client.config_set("maxmemory", "0")
        assert await accept(store, "2.0")


async def test_scripts_that_the_server_forgot_are_loaded_again(
    empty_valkey: RunningValkey,
) -> None:
    async with open_store(empty_valkey.url, **BOUNDS) as store:
        await accept(store, "1.0")
        empty_valkey.client.script_flush()

        assert await accept(store, "2.0")


async def test_what_the_server_quotes_never_reaches_an_error(empty_valkey: RunningValkey) -> None:
    """People's words must not end up in an operator's log."""
    async with open_store(empty_valkey.url, **BOUNDS) as store:
        empty_valkey.client.set(key("log", "slack:T1:C1"), "not a sorted set")

        with pytest.raises(StoreError) as caught:
            await accept(store, "1.0", text="my secret is plum")

    assert "WRONGTYPE" in str(caught.value)
    assert "plum" not in str(caught.value)
