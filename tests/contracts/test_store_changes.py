"""What an index learns of the log: all that changed, once, and what is gone."""

from __future__ import annotations

import pytest
from fakes.talk import ANA, CHANNEL, DIRECT, in_thread, message

from bot.messages import IncomingMessage, MessageChanged, MessageDeleted
from bot.ports import Store


async def say(store: Store, *messages: IncomingMessage) -> None:
    for one in messages:
        await store.accept(one, conversation=None, waiting=20)


async def edit(store: Store, message_id: str, text: str) -> None:
    await store.change(
        MessageChanged(place=CHANNEL, message_id=message_id, text=text, changed_at=50.0)
    )


async def follow(store: Store, since: int = 0, limit: int = 100) -> tuple[int, dict[str, str]]:
    """Read on until there is nothing new, as an index does; returns what it holds then."""
    held: dict[str, str] = {}
    while True:
        told = await store.changes(CHANNEL, since=since, limit=limit)
        if told.anew:
            held.clear()
        for one in told.gone:
            held.pop(one, None)
        held.update((one.message_id, one.text) for one in told.messages)
        if len(told.messages) < limit:
            return told.revision, held
        since = told.revision


async def test_a_reader_that_starts_is_told_all_that_is_there(store: Store) -> None:
    await say(store, message("one"), message("two", message_id="2.0", place=in_thread("1.0")))
    await say(store, message("elsewhere", message_id="3.0", place=DIRECT))

    _, held = await follow(store)

    assert held == {"1.0": "one", "2.0": "two"}


async def test_a_channel_that_nobody_spoke_in_has_no_changes(store: Store) -> None:
    told = await store.changes(CHANNEL, since=0, limit=10)

    assert (told.messages, told.gone, told.revision, told.anew) == ([], [], 0, True)


async def test_a_reader_is_told_only_what_came_since(store: Store) -> None:
    await say(store, message("one"), message("two", message_id="2.0"))
    revision, _ = await follow(store)

    await say(store, message("three", message_id="3.0"))
    await store.delete(MessageDeleted(place=CHANNEL, message_id="1.0"))
    await edit(store, "2.0", "two, really")
    told = await store.changes(CHANNEL, since=revision, limit=10)

    assert [one.text for one in told.messages] == ["three", "two, really"]
    assert list(told.gone) == ["1.0"]
    assert not told.anew
    assert (await store.changes(CHANNEL, since=told.revision, limit=10)).messages == []


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_pages_of_any_size_tell_the_same(store: Store, limit: int) -> None:
    """History is logged in one step: a page must not end in the middle of a moment."""
    await store.log_history([message(f"m{at}", message_id=f"{at}.0") for at in range(1, 8)])
    await store.delete(MessageDeleted(place=CHANNEL, message_id="3.0"))
    await edit(store, "1.0", "first")

    _, held = await follow(store, limit=limit)

    assert held == {
        "1.0": "first",
        **{f"{at}.0": f"m{at}" for at in range(2, 8) if at != 3},
    }


async def test_what_the_bound_drops_is_gone(store: Store) -> None:
    """An index would otherwise quote what the store has let go."""
    await say(store, message("m0", message_id="0.5"))
    revision, _ = await follow(store)

    await say(store, *(message(f"m{at}", message_id=f"{at}.5") for at in range(1, 35)))
    told = await store.changes(CHANNEL, since=revision, limit=100)

    assert "0.5" in told.gone
    assert len((await follow(store))[1]) == 30


async def test_what_a_person_said_is_gone_when_they_are_forgotten(store: Store) -> None:
    await say(store, message("mine", author=ANA))
    revision, _ = await follow(store)

    await store.forget_person("slack", ANA.id)

    assert list((await store.changes(CHANNEL, since=revision, limit=9)).gone) == ["1.0"]


async def test_a_revision_that_the_store_never_reached_means_all_anew(store: Store) -> None:
    """Somebody emptied it, and numbers begin at nothing again."""
    await say(store, message("one"))

    told = await store.changes(CHANNEL, since=900, limit=10)

    assert told.anew
    assert [one.text for one in told.messages] == ["one"]


async def test_a_vector_is_kept_as_long_as_its_message_reads_the_same(store: Store) -> None:
    await say(store, *(message(f"m{at}", message_id=f"{at}.0") for at in (1, 2, 3)))
    vectors = {f"{at}.0": bytes([at]) * 4 for at in (1, 2, 3, 9)}

    await store.keep_vectors(CHANNEL, vectors)
    await edit(store, "1.0", "other words")
    await store.delete(MessageDeleted(place=CHANNEL, message_id="2.0"))

    kept = await store.vectors(CHANNEL, ["1.0", "2.0", "3.0", "9.0"])
    assert kept == {"3.0": b"\x03\x03\x03\x03"}


async def test_a_vector_of_a_deleted_message_is_not_kept_afterwards(store: Store) -> None:
    """Whoever computed it may not have heard yet."""
    await say(store, message("one"))
    await store.delete(MessageDeleted(place=CHANNEL, message_id="1.0"))

    await store.keep_vectors(CHANNEL, {"1.0": b"xxxx"})

    assert await store.vectors(CHANNEL, ["1.0"]) == {}
