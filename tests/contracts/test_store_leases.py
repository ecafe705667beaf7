from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from fakes.talk import CHANNEL, message

from bot.conversations import Conversation, Reply, in_place
from bot.errors import LeaseLost
from bot.messages import MessageDeleted
from bot.ports import Lease, Store

BRIEF_S = 0.02
"""A lease that runs out while a test looks on."""


def talk(root: str) -> Conversation:
    return in_place(CHANNEL, root=root)


async def put(store: Store, message_id: str, *, root: str = "") -> None:
    conversation = talk(root or message_id)
    await store.accept(message("x", message_id=message_id), conversation=conversation, waiting=20)


async def claim(store: Store, *, lease_s: float = 60.0, wait_s: float = 0.0) -> Lease | None:
    return await store.claim(worker="w1", lease_s=lease_s, wait_s=wait_s)


async def claimed(store: Store, *, lease_s: float = 60.0) -> Lease:
    lease = await claim(store, lease_s=lease_s, wait_s=5.0)
    assert lease is not None
    return lease


async def test_without_mail_there_is_nothing_to_claim(store: Store) -> None:
    await store.accept(message("lunch?"), conversation=None, waiting=20)

    assert await claim(store) is None


async def test_who_has_waited_longest_comes_first(store: Store) -> None:
    for message_id in ("9.0", "3.0", "5.0"):
        await put(store, message_id)

    leases = [await claim(store) for _ in range(4)]

    roots = [lease.conversation.root if lease else None for lease in leases]
    assert roots == ["9.0", "3.0", "5.0", None]


async def test_a_second_message_does_not_move_a_conversation_back(store: Store) -> None:
    await put(store, "1.0")
    await put(store, "2.0")
    await put(store, "3.0", root="1.0")

    assert (await claimed(store)).conversation == talk("1.0")


async def test_mail_that_comes_while_a_reply_runs_waits_for_the_release(store: Store) -> None:
    await put(store, "1.0")
    lease = await claimed(store)
    await put(store, "2.0", root="1.0")
    assert await claim(store) is None

    await store.settle(lease, answered=["1.0"], turns=())
    await store.release(lease)

    again = await claimed(store)
    assert [one.message_id for one in await store.mail(again)] == ["2.0"]
    assert again.fence > lease.fence


async def test_an_answered_conversation_sleeps(store: Store) -> None:
    await put(store, "1.0")
    lease = await claimed(store)
    await store.settle(lease, answered=["1.0"], turns=())
    await store.release(lease)

    assert await claim(store) is None


async def test_a_released_conversation_goes_to_the_end_of_the_queue(store: Store) -> None:
    """One that can't be answered now must not keep the others waiting."""
    await put(store, "1.0")
    lease = await claimed(store)
    await put(store, "2.0")
    await store.release(lease)

    roots = [(await claimed(store)).conversation.root for _ in range(2)]
    assert roots == ["2.0", "1.0"]


async def test_no_conversation_is_claimed_twice_by_many_workers(store: Store) -> None:
    for at in range(20):
        await put(store, f"{at}.5")

    leases = await asyncio.gather(*(claim(store) for _ in range(30)))

    taken = [lease.conversation for lease in leases if lease]
    assert len(taken) == len(set(taken)) == 20
    assert len({lease.fence for lease in leases if lease}) == 20


async def test_every_message_is_answered_once_by_many_workers_at_once(store: Store) -> None:
    """The whole circle under load: accept, claim, settle, release."""
    answered: list[str] = []

    async def work() -> None:
        while len(answered) < 60:
            lease = await claim(store, wait_s=0.05)
            if lease is None:
                continue
            ids = [one.message_id for one in await store.mail(lease)]
            await asyncio.sleep(0)
            answered.extend(ids)
            await store.settle(lease, answered=ids, turns=())
            await store.release(lease)

    async def write() -> None:
        for at in range(60):
            await put(store, f"{at}.5", root=f"{at % 7}.0")
            await asyncio.sleep(0)

    async with asyncio.timeout(20):
        await asyncio.gather(write(), *(work() for _ in range(6)))

    assert sorted(answered) == sorted(f"{at}.5" for at in range(60))


async def test_who_waits_is_woken_by_new_mail(store: Store) -> None:
    waiting = asyncio.create_task(claim(store, wait_s=10.0))
    await asyncio.sleep(0.02)
    loop = asyncio.get_running_loop()
    began = loop.time()

    await put(store, "1.0")
    lease = await waiting

    assert lease is not None
    assert loop.time() - began < 1.0


async def test_who_waits_is_woken_by_a_release(store: Store) -> None:
    await put(store, "1.0")
    lease = await claimed(store)
    waiting = asyncio.create_task(claim(store, wait_s=10.0))
    await asyncio.sleep(0.02)

    await store.release(lease)

    async with asyncio.timeout(1):
        assert await waiting is not None


async def test_waiting_ends_when_nothing_comes(store: Store) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()

    assert await claim(store, wait_s=0.04) is None

    assert 0.03 < loop.time() - began < 1.0


async def test_a_lease_that_runs_out_is_taken_by_who_waits(store: Store) -> None:
    """The worker crashed; whoever asked must not wait for a restart."""
    await put(store, "1.0")
    lost = await claimed(store, lease_s=BRIEF_S)

    async with asyncio.timeout(2):
        lease = await claim(store, wait_s=10.0)

    assert lease is not None
    assert lease.conversation == lost.conversation
    assert [one.message_id for one in await store.mail(lease)] == ["1.0"]


async def test_a_lease_that_ran_out_without_mail_is_just_gone(store: Store) -> None:
    await put(store, "1.0")
    lost = await claimed(store, lease_s=BRIEF_S)
    await store.settle(lost, answered=["1.0"], turns=())

    assert await claim(store, wait_s=2 * BRIEF_S) is None


async def test_a_renewed_lease_lasts(store: Store) -> None:
    await put(store, "1.0")
    lease = await claimed(store, lease_s=BRIEF_S)

    await store.renew(lease, lease_s=60.0)

    assert await claim(store, wait_s=2 * BRIEF_S) is None


async def test_a_lease_that_ran_out_unclaimed_can_still_be_renewed(store: Store) -> None:
    """A worker that was slow and not replaced may go on."""
    await put(store, "1.0")
    await put(store, "2.0")
    slow = await claimed(store, lease_s=BRIEF_S)
    await asyncio.sleep(2 * BRIEF_S)
    assert (await claimed(store)).conversation == talk("2.0")

    await store.renew(slow, lease_s=60.0)

    assert await claim(store) is None


WRITES: dict[str, Callable[[Store, Lease], Awaitable[object]]] = {
    "renew": lambda store, lease: store.renew(lease, lease_s=5.0),
    "mail": lambda store, lease: store.mail(lease),
    "keep_window_start": lambda store, lease: store.keep_window_start(lease, 5),
    "open_reply": lambda store, lease: store.open_reply(lease),
    "save_reply": lambda store, lease: store.save_reply(lease, Reply(reply_id="r", answers=())),
    "settle": lambda store, lease: store.settle(lease, answered=["1.0"], turns=()),
    "release": lambda store, lease: store.release(lease),
}


@pytest.mark.parametrize("write", sorted(WRITES))
async def test_a_worker_that_lost_its_lease_is_refused(store: Store, write: str) -> None:
    """It may wake up in the middle of a reply that another one finished."""
    await put(store, "1.0")
    lost = await claimed(store, lease_s=BRIEF_S)
    lease = await claimed(store)

    with pytest.raises(LeaseLost):
        await WRITES[write](store, lost)

    assert [one.message_id for one in await store.mail(lease)] == ["1.0"]
    assert await store.open_reply(lease) is None
    assert await store.window_start(lease.conversation) == 0


@pytest.mark.parametrize("write", sorted(set(WRITES) - {"release"}))
async def test_a_lease_that_was_given_back_is_spent(store: Store, write: str) -> None:
    await put(store, "1.0")
    lease = await claimed(store)
    await store.release(lease)

    with pytest.raises(LeaseLost):
        await WRITES[write](store, lease)


async def test_a_release_can_be_repeated(store: Store) -> None:
    await put(store, "1.0")
    lease = await claimed(store)

    await store.release(lease)
    await store.release(lease)

    assert await claim(store) is not None


async def test_a_wish_to_stop_reaches_the_worker_and_stays(store: Store) -> None:
    await put(store, "1.0")
    lease = await claimed(store)
    assert not await store.renew(lease, lease_s=60.0)

    await store.ask_stop(lease.conversation)

    assert await store.renew(lease, lease_s=60.0)
    assert await store.renew(lease, lease_s=60.0)


async def test_a_wish_to_stop_does_not_stop_the_next_reply(store: Store) -> None:
    await put(store, "1.0")
    first = await claimed(store)
    await store.ask_stop(first.conversation)
    await store.release(first)

    assert not await store.renew(await claimed(store), lease_s=60.0)


async def test_a_mailbox_that_a_deletion_emptied_is_nothing_to_claim(store: Store) -> None:
    await put(store, "1.0")
    await put(store, "2.0")
    await store.delete(MessageDeleted(place=CHANNEL, message_id="1.0"))

    assert (await claimed(store)).conversation == talk("2.0")
    assert await claim(store) is None
