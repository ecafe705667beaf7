from __future__ import annotations

import time

from fakes.talk import CHANNEL, DIRECT, in_thread, message

from bot.conversations import in_place
from bot.messages import Place
from bot.ports import Gap, Store

ALWAYS = 1e12
NEW = Place(platform="slack", workspace="T1", channel="C9")


async def heard(store: Store, *message_ids: str, place: Place = CHANNEL) -> None:
    for message_id in message_ids:
        sent = message("x", message_id=message_id, place=place)
        await store.accept(sent, conversation=None, waiting=20)


async def test_a_gap_begins_with_the_newest_message_that_was_heard(store: Store) -> None:
    await heard(store, "5.0", "7.5", "6.0")
    await heard(store, "3.0", place=DIRECT)

    await store.note_gap("slack", heard_until=ALWAYS)

    gaps = list(await store.gaps("slack", limit=9))
    assert gaps == [Gap(place=CHANNEL, since=7.5), Gap(place=DIRECT, since=3.0)]
    assert await store.gaps("discord", limit=9) == []
    assert len(await store.gaps("slack", limit=1)) == 1


async def test_a_gap_begins_when_the_connection_was_lost_whatever_was_heard_since(
    store: Store,
) -> None:
    """The first live event after a reconnection must not hide what came before it."""
    await heard(store, "5.0", "9.0")

    await store.note_gap("slack", heard_until=8.0)

    assert list(await store.gaps("slack", limit=9)) == [Gap(place=CHANNEL, since=8.0)]


async def test_a_gap_stays_open_as_it_began_until_it_is_closed(store: Store) -> None:
    """The process may die while it reads back, and start again."""
    await heard(store, "5.0")
    await store.note_gap("slack", heard_until=ALWAYS)
    await heard(store, "9.0")
    await store.note_gap("slack", heard_until=ALWAYS)

    (gap,) = await store.gaps("slack", limit=9)
    assert gap.since == 5.0
    await store.close_gap(gap)
    assert await store.gaps("slack", limit=9) == []


async def test_a_gap_that_was_widened_meanwhile_is_not_closed(store: Store) -> None:
    await heard(store, "5.0")
    await store.note_gap("slack", heard_until=ALWAYS)
    (gap,) = await store.gaps("slack", limit=9)
    await store.note_gap("slack", heard_until=4.0)

    await store.close_gap(gap)

    assert [one.since for one in await store.gaps("slack", limit=9)] == [4.0]


async def test_a_thread_is_a_place_from_its_first_message_on(store: Store) -> None:
    """People answer there, and the channel's history doesn't show it."""
    asked = message("hello", message_id="5.0", mentions_jay=True)
    await store.accept(asked, conversation=in_place(CHANNEL, root="5.0"), waiting=20)
    await store.note_gap("slack", heard_until=ALWAYS)

    places = {gap.place for gap in await store.gaps("slack", limit=9)}

    assert places == {CHANNEL, in_thread("5.0")}


async def test_a_direct_message_of_somebody_new_is_read_back(store: Store) -> None:
    """Discord lists no direct messages: an earlier one there may have found nobody listening."""
    await heard(store, "7.0", "8.0", place=DIRECT)

    (gap,) = await store.gaps("slack", limit=9)
    assert gap == Gap(place=DIRECT, since=7.0)

    await store.close_gap(gap)
    await heard(store, "9.0", place=DIRECT)
    assert await store.gaps("slack", limit=9) == []


async def test_history_moves_no_mark(store: Store) -> None:
    await heard(store, "5.0")
    await store.log_history([message("later", message_id="8.0")])
    await store.note_gap("slack", heard_until=ALWAYS)

    assert [one.since for one in await store.gaps("slack", limit=9)] == [5.0]


async def test_a_place_where_nobody_was_heard_is_read_from_a_given_time(store: Store) -> None:
    await heard(store, "5.0")
    await store.note_gap("slack", heard_until=ALWAYS)
    later = time.time() + 1_000

    await store.note_places("slack", [NEW, CHANNEL], since=later)

    gaps = {gap.place: gap.since for gap in await store.gaps("slack", limit=9)}
    assert gaps == {NEW: later, CHANNEL: 5.0}


async def test_what_was_said_before_jay_came_is_not_read_back(store: Store) -> None:
    """A fresh store must not make Jay answer what another one answered."""
    await store.note_places("slack", [NEW], since=1.0)
    assert await store.gaps("slack", limit=9) == []

    began = time.time()
    await heard(store, "5.0")
    await store.note_places("slack", [NEW], since=1.0)

    (gap,) = await store.gaps("slack", limit=9)
    assert gap.place == NEW
    assert gap.since >= began - 1.0
