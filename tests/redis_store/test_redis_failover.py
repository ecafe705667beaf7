"""A master dies for good: the store goes on with the replica that takes its place."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fakes.talk import message
from fakes.valkey_cluster import SLOTS, Node, RunningCluster, running_cluster
from fakes.valkey_sentinel import running_sentinel
from redis.crc import key_slot

from bot.conversations import in_place
from bot.errors import StoreUnreachable
from bot.messages import Place
from bot.ports import Store
from bot.store import open_store
from bot.store.bell import ASK_EVERY_S
from bot.store.keys import key
from bot.store.records import channel_id
from bot.store.server import ANSWER_TIMEOUT_S
from bot.store.topology import CONNECTIONS

pytestmark = pytest.mark.valkey

BOUNDS = {"retention_days": 90, "max_turns": 50, "max_log": 1000}
BACK_WITHIN_S = 30.0


def channel(number: int) -> Place:
    return Place(platform="slack", workspace="T1", channel=f"C{number}")


def node_of(cluster: RunningCluster, number: int) -> Node:
    """Return the master that has a channel, where nothing has moved."""
    slot = key_slot(key("log", channel_id(channel(number % 40))).encode())
    return cluster.nodes[slot * len(cluster.nodes) // SLOTS]


async def accept(store: Store, number: int) -> bool:
    sent = message("hello", message_id=f"{number}.5", place=channel(number % 40))
    return await store.accept(
        sent, conversation=in_place(sent.place, root=sent.message_id), waiting=20
    )


async def until_accepted(store: Store, number: int) -> bool:
    async with asyncio.timeout(BACK_WITHIN_S):
        while True:
            try:
                return await accept(store, number)
            except StoreUnreachable:
                await asyncio.sleep(0.05)


async def answer_everything(store: Store) -> list[str]:
    """Claim until nothing is left; returns the ids of the mail."""
    found = []
    while lease := await store.claim(worker="w", lease_s=60.0, wait_s=0.0):
        ids = [one.message_id for one in await store.mail(lease)]
        await store.settle(lease, answered=ids, turns=())
        await store.release(lease)
        found += ids
    return found


@asynccontextmanager
async def busy(store: Store, acked: list[int]) -> AsyncIterator[None]:
    """Accept one message after another during the body; keeps the numbers that were acked."""

    async def go_on() -> None:
        number = 100
        while True:
            number += 1
            if await until_accepted(store, number):
                acked.append(number)
            await asyncio.sleep(0)

    task = asyncio.create_task(go_on())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until_more(acked: list[int], more: int) -> None:
    count = len(acked)
    async with asyncio.timeout(BACK_WITHIN_S):
        while len(acked) < count + more:
            await asyncio.sleep(0.02)


async def is_woken(store: Store, number: int) -> bool:
    """Whether mail reaches who waits for it sooner than by asking now and then."""
    loop = asyncio.get_running_loop()
    waiting = asyncio.create_task(store.claim(worker="w", lease_s=60.0, wait_s=10.0))
    await asyncio.sleep(0.05)
    began = loop.time()
    await accept(store, number)
    assert await waiting
    return loop.time() - began < ASK_EVERY_S / 4


async def test_a_killed_master_loses_nothing_that_its_replica_had_to_have(tmp_path: Path) -> None:
    """The platform was told that Jay heard it, and will not say it again."""
    acked: list[int] = []
    with running_sentinel(tmp_path) as service:
        async with open_store(service.url, replicas=1, **BOUNDS) as store:
            async with busy(store, acked):
                await until_more(acked, 200)
                service.master.kill()
                await asyncio.to_thread(service.wait_promoted)
                service.return_as_replica()
                await until_more(acked, 200)
            left = await answer_everything(store)
            woken = [await is_woken(store, number) for number in range(5)]

    assert {f"{one}.5" for one in acked} <= set(left)
    assert len(left) == len(set(left))
    assert all(woken)


async def test_a_cluster_loses_nothing_when_one_of_its_masters_dies(tmp_path: Path) -> None:
    acked: list[int] = []
    with running_cluster(tmp_path, replicas=1, cluster_node_timeout="1000") as cluster:
        dying = cluster.nodes[1]
        async with open_store(cluster.url, replicas=1, **BOUNDS) as store:
            async with busy(store, acked):
                await until_more(acked, 200)
                dying.kill()
                await asyncio.to_thread(cluster.wait_promoted, 3)
                dying.start()
                await until_more(acked, 200)
            left = await answer_everything(store)
            woken = [await is_woken(store, number) for number in range(5)]

    assert {f"{one}.5" for one in acked} <= set(left)
    assert len(left) == len(set(left))
    assert all(woken)


async def test_a_master_without_its_replica_acks_nothing(tmp_path: Path) -> None:
    """What only it had would be gone with it."""
    with running_sentinel(tmp_path) as service:
        async with open_store(service.url, replicas=1, **BOUNDS) as store:
            assert await accept(store, 1)
            service.replica.kill()

            with pytest.raises(StoreUnreachable, match="0 replicas"):
                await accept(store, 2)
            with pytest.raises(StoreUnreachable):
                await store.ping()


async def test_a_repeat_is_not_acked_while_the_replica_still_lacks_the_first(
    tmp_path: Path,
) -> None:
    """The platform delivers again on another connection, and writes nothing new there."""
    with running_sentinel(tmp_path) as service:
        async with (
            open_store(service.url, replicas=1, **BOUNDS) as store,
            open_store(service.url, replicas=1, **BOUNDS) as other,
        ):
            await accept(store, 1)
            await accept(other, 2)
            assert service.replica.process
            service.replica.process.send_signal(signal.SIGSTOP)
            try:
                for one in (store, other):
                    with pytest.raises(StoreUnreachable, match="0 replicas"):
                        await accept(one, 3)
            finally:
                service.replica.process.send_signal(signal.SIGCONT)
            assert not await accept(other, 3)


async def test_a_cluster_that_was_down_as_a_whole_is_found_again(tmp_path: Path) -> None:
    """A power cut; the nodes come back at their addresses with what they had."""
    keeps = {"appendonly": "yes", "appendfsync": "always", "cluster_node_timeout": "1000"}
    with running_cluster(tmp_path, **keeps) as cluster:
        async with open_store(cluster.url, **BOUNDS) as store:
            for number in range(40):
                assert await accept(store, number)
            for node in cluster.nodes:
                node.kill()
            for _ in range(2):
                with pytest.raises(StoreUnreachable):
                    await accept(store, 40)
                with pytest.raises(StoreUnreachable):
                    await store.claim(worker="w", lease_s=5.0, wait_s=0.1)
            for node in cluster.nodes:
                node.start()

            assert await until_accepted(store, 40)
            await asyncio.to_thread(cluster.wait_promoted, 3)
            assert not any([await accept(store, number) for number in range(40)])
            assert len(await answer_everything(store)) == 41


async def test_slots_can_be_moved_as_a_whole_while_messages_come(tmp_path: Path) -> None:
    """A master is added or taken away on a working day."""
    acked: list[int] = []
    with running_cluster(tmp_path) as cluster:
        first, second, _ = cluster.nodes
        to = second.client.execute_command("CLUSTER", "MYID").decode()
        async with open_store(cluster.url, **BOUNDS) as store:
            async with busy(store, acked):
                await until_more(acked, 100)
                move = ("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", 0, SLOTS // 3 - 1, "NODE", to)
                first.client.execute_command(*move)
                # Who has no slot left becomes a replica of who has them.
                await asyncio.to_thread(cluster.wait_promoted, 2)
                await until_more(acked, 200)
            left = await answer_everything(store)

    assert {f"{one}.5" for one in acked} <= set(left)
    assert len(left) == len(set(left))


async def test_a_master_that_hangs_holds_up_nobody_whose_shards_lie_elsewhere(
    tmp_path: Path,
) -> None:
    """A slow disk under one of three; replies in the other shards would lose their leases."""
    with running_cluster(tmp_path) as cluster:
        async with open_store(cluster.url, **BOUNDS) as store:
            hung = cluster.nodes[0]
            there = [number for number in range(400) if node_of(cluster, number) is hung]
            elsewhere = next(n for n in range(400) if node_of(cluster, n) is not hung)
            assert hung.process
            hung.process.send_signal(signal.SIGSTOP)
            waiting = [asyncio.create_task(accept(store, number)) for number in there]
            try:
                await asyncio.sleep(0.05)
                async with asyncio.timeout(ANSWER_TIMEOUT_S / 2):
                    assert await accept(store, elsewhere)
            finally:
                hung.process.send_signal(signal.SIGCONT)
                assert len(there) > CONNECTIONS
                await asyncio.gather(*waiting)


async def test_mail_is_had_from_the_masters_that_live_while_one_is_down(tmp_path: Path) -> None:
    """A worker rests after a claim that failed; people elsewhere would wait for each rest."""
    with running_cluster(tmp_path) as cluster:
        async with open_store(cluster.url, **BOUNDS) as store:
            down = cluster.nodes[0]
            elsewhere = [n for n in range(40) if node_of(cluster, n) is not down]
            down.kill()
            for number in elsewhere:
                assert await accept(store, number)
                assert await store.claim(worker="w", lease_s=60.0, wait_s=BACK_WITHIN_S)
