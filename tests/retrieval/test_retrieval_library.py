"""The library follows the store, in both stores: nothing has to be told to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import numpy as np
import pytest
from fakes.store import MemoryStore
from fakes.talk import ANA, CHANNEL, in_thread, message
from fakes.valkey import empty_valkey, valkey

from bot.library import Library
from bot.messages import IncomingMessage, MessageChanged, MessageDeleted, Place
from bot.ports import Store
from bot.retrieval.embedding import WIDTH, Floats
from bot.store import open_store

__all__ = ["empty_valkey", "valkey"]

PARENT = Place(platform="discord", workspace="G1", channel="1")


class Letters:
    """Embeds a text by its letters, and counts what it was given."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def embed(self, texts: Sequence[str]) -> Floats:
        self.seen += texts
        vectors = np.full((len(texts), WIDTH), 0.01, dtype=np.float32)
        for at, text in enumerate(texts):
            for letter in text.lower():
                vectors[at, ord(letter) % WIDTH] += 1.0
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


@pytest.fixture(params=["memory", pytest.param("valkey", marks=pytest.mark.valkey)])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryStore(max_log=30)
        return
    server = request.getfixturevalue("empty_valkey")
    async with open_store(server.url, retention_days=9, max_turns=9, max_log=30) as opened:
        yield opened


async def say(store: Store, *messages: IncomingMessage) -> None:
    for one in messages:
        await store.accept(one, conversation=None, waiting=20)


async def texts(library: Library, question: str, place: Place = CHANNEL) -> list[str]:
    found = await library.search(place, question, most=9)
    return [one.message.text for one in found.hits]


async def test_what_is_said_is_found_at_once_and_what_is_gone_is_not(store: Store) -> None:
    library = Library(store, None)
    await say(store, message("The crane is free."), message("crane oil", message_id="2.0"))
    assert sorted(await texts(library, "crane")) == ["The crane is free.", "crane oil"]

    await say(store, message("A second crane came.", message_id="3.0"))
    await store.delete(MessageDeleted(place=CHANNEL, message_id="1.0"))
    await store.change(
        MessageChanged(place=CHANNEL, message_id="2.0", text="ferry oil", changed_at=9.0)
    )

    assert await texts(library, "crane") == ["A second crane came."]
    assert await texts(library, "ferry") == ["ferry oil"]


async def test_another_process_finds_the_same(store: Store) -> None:
    """A restart, or a worker beside this one."""
    await say(store, *(message(f"crane number {at}", message_id=f"{at}.0") for at in range(1, 9)))
    await Library(store, None).search(CHANNEL, "crane", most=3)

    again = await Library(store, None).search(CHANNEL, "crane number 7", most=1)

    assert again.hits[0].message.text == "crane number 7"
    assert again.searched == 8


async def test_a_vector_is_made_once_for_all_processes(store: Store) -> None:
    """They are what is dear about an index."""
    await say(store, *(message(f"note {at}", message_id=f"{at}.0") for at in range(1, 6)))
    first, second = Letters(), Letters()

    found = await Library(store, first).search(CHANNEL, "note", most=3)  # type: ignore[arg-type]
    again = await Library(store, second).search(CHANNEL, "note", most=3)  # type: ignore[arg-type]

    assert (found.by_meaning, again.by_meaning) == (5, 5)
    assert len(first.seen) == 6
    assert second.seen == ["note"]
    assert [one.message for one in found.hits] == [one.message for one in again.hits]


async def test_an_edited_message_gets_a_new_vector(store: Store) -> None:
    await say(store, message("old words"), message("still the same", message_id="2.0"))
    library = Library(store, Letters())  # type: ignore[arg-type]
    await library.search(CHANNEL, "x", most=1)

    await store.change(
        MessageChanged(place=CHANNEL, message_id="1.0", text="new words", changed_at=9.0)
    )
    reader = Letters()
    await Library(store, reader).search(CHANNEL, "x", most=1)  # type: ignore[arg-type]

    assert reader.seen == [f"{ANA.name}: new words", "x"]


async def test_the_oldest_are_let_go_with_the_log_and_it_says_so(store: Store) -> None:
    library = Library(store, None)
    await say(store, *(message(f"crane {at}", message_id=f"{at}.0") for at in range(1, 41)))

    found = await library.search(CHANNEL, "crane", most=50)

    assert found.searched == 30
    assert found.oldest_at == 11.0


async def test_a_private_thread_is_not_read_to_the_channel(store: Store) -> None:
    """A Discord thread may have other readers than its channel."""
    public, private = in_thread("10", PARENT), in_thread("77", PARENT)
    await say(
        store,
        message("crane in the channel", message_id="10", place=PARENT, sent_at=1.0),
        message("crane in a public thread", message_id="11", place=public, sent_at=2.0),
        message("crane in a private thread", message_id="12", place=private, sent_at=3.0),
    )
    library = Library(store, None)

    outside = await library.search(PARENT, "crane", most=9)

    assert sorted(one.message.message_id for one in outside.hits) == ["10", "11"]
    assert outside.searched == 2
    assert "crane in a private thread" in await texts(library, "crane", private)


async def test_bots_and_what_was_said_to_jay_are_not_searched(store: Store) -> None:
    await say(store, message("crane?", mentions_jay=True), message("crane", message_id="2.0"))

    assert await texts(Library(store, None), "crane") == ["crane"]
