from __future__ import annotations

import pytest
from fakes.talk import ANA, BEN, CHANNEL, DIRECT, in_thread, message

from bot.messages import MessageChanged, MessageDeleted
from bot.ports import Store


async def keep(store: Store, digest: str, *message_ids: str) -> None:
    await store.keep_note(CHANNEL, digest, f"on {digest}", message_ids=message_ids)


async def kept(store: Store, *digests: str) -> list[str]:
    return sorted(await store.notes(CHANNEL, digests))


async def test_a_note_is_found_again_under_its_digest(store: Store) -> None:
    await store.keep_note(CHANNEL, "d1", "All is well 🦜\nat sea.", message_ids=["1.0", "2.0"])

    assert await store.notes(CHANNEL, ["d1", "d2"]) == {"d1": "All is well 🦜\nat sea."}
    assert await store.notes(CHANNEL, []) == {}


async def test_one_channels_note_is_not_anothers(store: Store) -> None:
    """Who may not read there must not be told what was said."""
    await keep(store, "d1", "1.0")

    assert await store.notes(DIRECT, ["d1"]) == {}


async def test_a_thread_shares_its_channels_notes(store: Store) -> None:
    await keep(store, "d1", "1.0")

    assert await store.notes(in_thread("1.0"), ["d1"]) == {"d1": "on d1"}


async def test_an_edit_drops_every_note_that_stands_on_the_message(store: Store) -> None:
    await keep(store, "d1", "1.0", "2.0")
    await keep(store, "d2", "2.0", "3.0")
    await keep(store, "d3", "3.0")

    await store.change(MessageChanged(place=CHANNEL, message_id="2.0", text="x", changed_at=9.0))

    assert await kept(store, "d1", "d2", "d3") == ["d3"]


async def test_a_deletion_drops_it_and_it_is_not_kept_again(store: Store) -> None:
    """The model may still be at it when the message goes."""
    await keep(store, "d1", "1.0", "2.0")

    await store.delete(MessageDeleted(place=CHANNEL, message_id="1.0"))
    await keep(store, "d1", "1.0", "2.0")
    await keep(store, "d2", "2.0")

    assert await kept(store, "d1", "d2") == ["d2"]


async def test_forgetting_a_person_drops_what_stood_on_their_words(store: Store) -> None:
    await store.accept(message("mine", message_id="1.0"), conversation=None, waiting=5)
    await store.accept(message("Ben's", message_id="2.0", author=BEN), conversation=None, waiting=5)
    await keep(store, "d1", "1.0")
    await keep(store, "d2", "2.0")

    await store.forget_person("slack", ANA.id)

    assert await kept(store, "d1", "d2") == ["d2"]


@pytest.mark.parametrize(
    ("since", "until", "count"),
    [(0.0, float("inf"), 3), (2.0, float("inf"), 2), (2.0, 3.0, 1), (9.0, 10.0, 0)],
)
async def test_deleted_messages_are_counted_by_when_they_were_sent(
    store: Store, since: float, until: float, count: int
) -> None:
    for at in range(1, 5):
        sent = message(f"m{at}", message_id=f"{at}.0")
        await store.accept(sent, conversation=None, waiting=5)
    for message_id in ("1.0", "2.0", "3.0", "3.0", "77.0"):
        await store.delete(MessageDeleted(place=CHANNEL, message_id=message_id))

    assert await store.count_deleted(CHANNEL, since=since, until=until) == count
    assert await store.count_deleted(DIRECT, since=since, until=until) == 0


async def test_deleted_messages_of_a_thread_are_counted_there(store: Store) -> None:
    await store.accept(message("root", message_id="1.0"), conversation=None, waiting=5)
    for message_id in ("2.0", "3.0"):
        reply = message("reply", message_id=message_id, place=in_thread("1.0"))
        await store.accept(reply, conversation=None, waiting=5)
    await store.accept(message("other", message_id="4.0"), conversation=None, waiting=5)
    for message_id in ("1.0", "2.0", "4.0"):
        await store.delete(MessageDeleted(place=CHANNEL, message_id=message_id))

    everything = {"since": 0.0, "until": float("inf")}
    assert await store.count_deleted(in_thread("1.0"), **everything) == 2
    assert await store.count_deleted(CHANNEL, **everything) == 3
