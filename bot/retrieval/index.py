"""One channel's index: which messages hold which terms, and where they stand in meaning.

Kept in memory, one message at a time: a message that comes, changes or goes
costs what it holds and nothing else. bm25s, which scores a corpus once and for
all, would have to read a whole channel again for each; the tests hold the
scores to it. What is dropped leaves a dead slot, until half of all are dead.

Several channels are searched as if they were one: `bot/retrieval/ranking`.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from bot.messages import IncomingMessage
from bot.retrieval.embedding import WIDTH, Floats
from bot.retrieval.terms import terms

Slots: TypeAlias = npt.NDArray[np.int32]

MaySee: TypeAlias = Callable[[str], bool]
"""Tells of a thread's id (empty: the channel itself) whether what was said there may be seen."""

COMPACT_FROM = 1_000
"""Dead slots that are worth making anew for."""


def searched_text(message: IncomingMessage) -> str:
    """Return what of a message is searched: who wrote it, what, and its files' names."""
    files = " ".join(one.name for one in message.attachments)
    return f"{message.author.name}: {message.text} {files}".rstrip()


@dataclass(slots=True)
class Postings:
    """Where a term stands: slots, and how often in each."""

    slots: array[int] = field(default_factory=lambda: array("i"))
    counts: array[int] = field(default_factory=lambda: array("i"))
    live: int = 0
    """In how many messages that are still there."""


class ChannelIndex:
    """The messages of one channel with its threads."""

    def __init__(self) -> None:
        """Start empty."""
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._messages: list[IncomingMessage | None] = []
        self._slots: dict[str, int] = {}
        self._postings: dict[str, Postings] = {}
        self._lengths = array("f")
        self._lines: dict[str, list[tuple[float, str]]] = {}
        self._authors: Counter[str] = Counter()
        self._vectors = np.zeros((0, WIDTH), dtype=np.float32)
        self._unmeant = set[int]()
        """Live slots without a vector so far."""
        self.total_length = 0.0

    def __len__(self) -> int:
        """Return how many messages it holds."""
        return len(self._slots)

    @property
    def people(self) -> frozenset[str]:
        """Names of those who wrote, in lower case, word by word."""
        return frozenset(word for name in +self._authors for word in name.lower().split())

    def extent(self, may_see: MaySee) -> tuple[int, float]:
        """Return how many messages stand in the threads that may be seen, and the oldest's time.

        0.0 stands for the time where there is none.
        """
        lines = [line for thread, line in self._lines.items() if line and may_see(thread)]
        return sum(map(len, lines)), min((line[0][0] for line in lines), default=0.0)

    @property
    def slots(self) -> int:
        """How many slots there are, dead ones included."""
        return len(self._messages)

    @property
    def with_vectors(self) -> int:
        """How many messages stand in meaning too."""
        return len(self._slots) - len(self._unmeant)

    def put(self, message: IncomingMessage) -> None:
        """Take a message in, in place of what it read before."""
        known = self.get(message.message_id)
        if known == message:
            return
        if known is not None:
            self.drop(message.message_id)
        slot = len(self._messages)
        held = terms(searched_text(message))
        self._messages.append(message)
        self._slots[message.message_id] = slot
        self._unmeant.add(slot)
        self._lengths.append(len(held))
        self.total_length += len(held)
        for term, count in Counter(held).items():
            postings = self._postings.setdefault(term, Postings())
            postings.slots.append(slot)
            postings.counts.append(count)
            postings.live += 1
        self._authors[message.author.name] += 1
        line = self._lines.setdefault(message.place.thread, [])
        insort(line, (message.sent_at, message.message_id))

    def drop(self, message_id: str) -> None:
        """Let a message go; one that is not there is no error."""
        slot = self._slots.pop(message_id, None)
        if slot is None:
            return
        message = self.at(slot)
        self._messages[slot] = None
        held = terms(searched_text(message))
        self.total_length -= len(held)
        for term in set(held):
            self._postings[term].live -= 1
        self._authors[message.author.name] -= 1
        line = self._lines[message.place.thread]
        del line[bisect_left(line, (message.sent_at, message_id))]
        self._unmeant.discard(slot)
        if slot < len(self._vectors):
            self._vectors[slot] = 0.0
        if self.slots - len(self) > max(COMPACT_FROM, len(self)):
            self._compact()

    def get(self, message_id: str) -> IncomingMessage | None:
        """Return a message, if it is there."""
        slot = self._slots.get(message_id)
        return None if slot is None else self._messages[slot]

    def at(self, slot: int) -> IncomingMessage:
        """Return the message of a live slot."""
        message = self._messages[slot]
        if message is None:
            raise IndexError(f"slot {slot} is dead")
        return message

    def slot_of(self, message_id: str) -> int | None:
        """Return where a message stands."""
        return self._slots.get(message_id)

    def live_in(self, term: str) -> int:
        """Return how many messages hold a term."""
        postings = self._postings.get(term)
        return postings.live if postings else 0

    def where(self, term: str) -> tuple[Slots, Slots, Floats]:
        """Return slots that hold a term, how often each does, and how long each message is.

        Dead slots may be among them.
        """
        postings = self._postings.get(term, Postings())
        slots = np.array(postings.slots, dtype=np.int32)
        counts = np.array(postings.counts, dtype=np.int32)
        return slots, counts, np.frombuffer(self._lengths, dtype=np.float32)[slots]

    def alive(self, slots: Iterable[int]) -> list[int]:
        """Return those of the slots whose message is still there."""
        return [slot for slot in slots if self._messages[slot] is not None]

    def keep_vectors(self, vectors: Mapping[str, Floats]) -> None:
        """Take in where messages stand in meaning, by their ids; unknown ones are passed over."""
        known = {self._slots[one]: vector for one, vector in vectors.items() if one in self._slots}
        if not known:
            return
        if max(known) >= len(self._vectors):
            grown = np.zeros((max(64, 2 * self.slots), WIDTH), dtype=np.float32)
            grown[: len(self._vectors)] = self._vectors
            self._vectors = grown
        for slot, vector in known.items():
            self._vectors[slot] = vector
            self._unmeant.discard(slot)

    def without_vectors(self, most: int) -> Sequence[IncomingMessage]:
        """Return messages that don't stand in meaning yet, the newest first."""
        return nlargest(most, map(self.at, self._unmeant), key=lambda one: one.sent_at)

    def likeness(self, vector: Floats) -> Floats:
        """Return for each slot how near it is in meaning: 1 the same, about 0 none."""
        # By einsum, for OpenBLAS takes twice as long for one vector against many.
        return np.asarray(np.einsum("ij,j->i", self._vectors[: self.slots], vector), np.float32)

    def likeness_of(self, slot: int, vector: Floats) -> float:
        """Return how near one slot is in meaning; 0 where it doesn't stand there."""
        return float(self._vectors[slot] @ vector) if slot < len(self._vectors) else 0.0

    def before(self, message: IncomingMessage) -> IncomingMessage | None:
        """Return what was said right before in the same thread, its root included."""
        line = self._lines.get(message.place.thread, [])
        at = bisect_left(line, (message.sent_at, message.message_id))
        if at > 0:
            return self.get(line[at - 1][1])
        root = message.place.thread
        return self.get(root) if root and root != message.message_id else None

    def after(self, message: IncomingMessage, most: int) -> list[IncomingMessage]:
        """Return what was said next in the same thread; for a thread's root, in its thread too."""
        found: list[IncomingMessage] = []
        for thread in dict.fromkeys((message.message_id, message.place.thread)):
            line = self._lines.get(thread, [])
            at = bisect_left(line, (message.sent_at, message.message_id))
            next_ids = [one for _, one in line[at : at + most + 1] if one != message.message_id]
            found += [one for each in next_ids if (one := self.get(each)) is not None][:most]
        return found

    def _compact(self) -> None:
        """Make the index anew from what is alive."""
        kept = [(self.at(slot), slot) for slot in self._slots.values()]
        vectors = {
            one.message_id: self._vectors[slot].copy()
            for one, slot in kept
            if slot not in self._unmeant
        }
        self.clear()
        for message, _ in kept:
            self.put(message)
        self.keep_vectors(vectors)
