from __future__ import annotations

import asyncio
from dataclasses import replace

from fakes.talk import ANA, BEN, CHANNEL, DIRECT, digest

from bot.messages import Place
from bot.ports import Store

OTHER = Place(platform="slack", workspace="T1", channel="C2")
FAR = 1e12


async def ids(store: Store, *, until: float = FAR, limit: int = 9) -> list[str]:
    return [one.digest_id for one in await store.due_digests(until=until, limit=limit)]


async def test_a_digest_is_read_back_as_it_was_kept(store: Store) -> None:
    kept = digest(zone="Asia/Kathmandu", form="topics", channel_name="größe", covered=1.25)

    assert await store.keep_digest(kept, most=5)
    assert list(await store.digests_of("slack", ANA.id)) == [kept]


async def test_everybody_sees_their_own_digests_by_their_numbers(store: Store) -> None:
    await store.keep_digest(digest("d2", number=2, about=OTHER), most=5)
    await store.keep_digest(digest("d1", number=1), most=5)
    await store.keep_digest(digest("b1", person=BEN), most=5)

    assert [one.digest_id for one in await store.digests_of("slack", ANA.id)] == ["d1", "d2"]
    assert [one.digest_id for one in await store.digests_of("slack", BEN.id)] == ["b1"]
    assert list(await store.digests_of("discord", ANA.id)) == []


async def test_a_channel_takes_no_more_digests_than_its_bound(store: Store) -> None:
    """Each of them reads the channel anew."""
    assert await store.keep_digest(digest("d1"), most=2)
    assert await store.keep_digest(digest("d2", person=BEN), most=2)
    assert not await store.keep_digest(digest("d3"), most=2)

    assert await store.keep_digest(digest("d1"), most=2), "a repeat is no further one"
    assert await store.keep_digest(digest("d4", number=2, about=OTHER), most=2)
    assert [one.digest_id for one in await store.digests_of("slack", ANA.id)] == ["d1", "d4"]


async def test_what_was_dropped_is_not_due_and_makes_room(store: Store) -> None:
    await store.keep_digest(digest("d1"), most=1)

    assert await store.drop_digest(digest("d1"))
    assert not await store.drop_digest(digest("d1"))
    assert await ids(store) == []
    assert await store.keep_digest(digest("d2"), most=1)


async def test_those_due_come_in_the_order_in_which_they_wait(store: Store) -> None:
    await store.keep_digest(digest("later", due=300.5), most=5)
    await store.keep_digest(digest("first", due=100.25, about=OTHER), most=5)
    await store.keep_digest(digest("second", due=200.0), most=5)
    await store.keep_digest(digest("by no clock", due=0.0), most=5)

    assert await ids(store, until=99.0) == []
    assert await ids(store, until=300.0) == ["first", "second"]
    assert await ids(store, until=300.5) == ["first", "second", "later"]
    assert "first" in await ids(store, limit=1)


async def test_of_many_who_move_a_digest_on_one_does(store: Store) -> None:
    """Every worker sees it due at the same time."""
    await store.keep_digest(digest(due=100.0), most=5)
    moved = digest(due=200.0, covered=100.0)

    done = await asyncio.gather(*(store.move_digest(moved, was_due=100.0) for _ in range(5)))

    assert sorted(done) == [False] * 4 + [True]
    assert list(await store.digests_of("slack", ANA.id)) == [moved]
    assert await ids(store, until=199.0) == []


async def test_a_dropped_digest_is_not_brought_back_by_a_late_move(store: Store) -> None:
    await store.keep_digest(digest(due=100.0), most=5)
    await store.drop_digest(digest())

    assert not await store.move_digest(digest(due=200.0), was_due=100.0)
    assert list(await store.digests_of("slack", ANA.id)) == []


async def test_forgetting_a_person_drops_their_digests(store: Store) -> None:
    await store.keep_digest(digest("d1"), most=1)
    await store.keep_digest(digest("d2", about=replace(DIRECT, channel="D9")), most=5)
    await store.keep_digest(digest("b1", person=BEN, about=OTHER), most=5)

    assert await store.forget_person("slack", ANA.id) == 2
    assert await ids(store) == ["b1"]
    assert await store.keep_digest(digest("b2", person=BEN, about=CHANNEL), most=1)
