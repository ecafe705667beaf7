"""Ranks messages for a question: by words, by meaning, by age, and by what stands around them.

Two rankings are made, BM25 over terms and likeness of MiniLM vectors where
there are any, and fused by reciprocal ranks (Cormack and others, 2009): ranks
can be added where scores of two kinds can't. A message that only asks is no
source; what was said right after it is, and takes its rank. One that goes on
from the message before it leans on that one's score. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from bot.messages import IncomingMessage
from bot.retrieval.embedding import Floats
from bot.retrieval.index import ChannelIndex, MaySee, searched_text
from bot.retrieval.terms import terms

K1, B = 1.5, 0.75
"""BM25's usual values, and bm25s's: how soon more of a term stops counting, how length does."""
DEEP = 40
"""Messages taken from each ranking before they are fused."""
FUSE = 20
"""Flattens reciprocal ranks. The paper's 60 is for lists of thousands."""
LEAN = 0.35
"""Share of the score of the message before that counts for the one that goes on from it."""
GOES_ON_S = 600.0
"""What is said later than that in a channel goes on from nothing. In a thread all does."""
REPLIES = 2
"""Messages after a question that are looked at for its answer."""
SAMPLED_FROM = 4_096
"""Scores that are worth sampling."""
SAMPLE = 16
FRESH = 0.02
"""The newest candidate's advantage in rank score: it decides among near equals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A message that bears on a question."""

    message: IncomingMessage
    before: IncomingMessage | None
    """What it goes on from: the message that stands before it, where that was close."""
    score: float
    """Fused; only good for comparing the hits of one question."""
    words: float
    """Its BM25 score, leaning included."""
    meaning: float | None
    """Likeness to the question, -1 to 1, leaning included; None without vectors."""
    rarity: Mapping[str, float]
    """The question's terms, each by how rare it is where was searched."""
    known: frozenset[str]
    """Those of the question's terms that stand in any message there."""
    rest: float | None = None
    """Likeness of what is left of both once their common terms are out; None: not measured."""

    @property
    def text(self) -> str:
        """What is read of it: with the message that it goes on from."""
        before = f"{searched_text(self.before)}\n" if self.before else ""
        return before + searched_text(self.message)


def search(
    question: str,
    indexes: Sequence[ChannelIndex],
    *,
    vector: Floats | None = None,
    most: int,
    may_see: MaySee = lambda thread: True,
) -> list[Hit]:
    """Return the messages that bear on a question, best first.

    Args:
        question: in plain words.
        indexes: the channels to search, as if they were one.
        vector: where the question stands in meaning; None: by words alone.
        most: at most so many.
        may_see: threads that fail it are passed over.
    """
    return _Search(question, indexes, vector, may_see).run(most)


def highest(scores: Floats, most: int) -> list[int]:
    """Return where the highest positive scores stand: `most` of them, or all there are.

    A sixteenth of the scores tells a bar, and only what is above it is partitioned: to
    partition all of 100,000 takes as long as the rest of a search.
    """
    positive = np.flatnonzero(scores > 0.0)
    if len(positive) > SAMPLED_FROM:
        some = scores[positive[::SAMPLE]]
        rank = min(len(some), 2 * most // SAMPLE + SAMPLE)
        bar = np.partition(some, len(some) - rank)[len(some) - rank]
        above = positive[scores[positive] >= bar]
        if len(above) >= most:
            positive = above
    if len(positive) > most:
        order = np.argpartition(scores[positive], len(positive) - most)
        positive = positive[order[-most:]]
    return [int(slot) for slot in positive]


Key = tuple[int, str]
"""Which index, and a message's id."""


class _Search:
    """One question over some channels."""

    def __init__(
        self,
        question: str,
        indexes: Sequence[ChannelIndex],
        vector: Floats | None,
        may_see: MaySee,
    ) -> None:
        self._indexes, self._vector, self._may_see = indexes, vector, may_see
        self._asked = list(dict.fromkeys(terms(question)))
        self._count = sum(len(one) for one in indexes)
        self._mean_length = sum(one.total_length for one in indexes) / max(1, self._count)
        self._rarity = {term: self._idf(term) for term in self._asked}
        self._known = frozenset(
            term for term in self._asked if any(one.live_in(term) for one in indexes)
        )

    def run(self, most: int) -> list[Hit]:
        """Rank by each way and fuse."""
        by_words = [scores for at in range(len(self._indexes)) for scores in self._words(at)]
        by_meaning = [scores for at in range(len(self._indexes)) for scores in self._meaning(at)]
        words = self._with_neighbours(_best(by_words))
        meaning = self._with_neighbours(_best(by_meaning))
        fused: dict[Key, float] = {}
        for scores in (words, meaning):
            ranked = sorted(scores, key=lambda key: (-scores[key], -self._sent_at(key)))
            for rank, key in enumerate(ranked):
                fused[key] = fused.get(key, 0.0) + 1.0 / (FUSE + rank + 1)
        newest_first = sorted(fused, key=self._sent_at, reverse=True)
        for rank, key in enumerate(newest_first):
            fused[key] += FRESH / (FUSE + rank + 1)
        ranked = sorted(fused, key=lambda key: (-fused[key], -self._sent_at(key)))
        # Of those that read the same, the best is enough.
        once = {searched_text(self._message(key)): key for key in reversed(ranked)}
        best = [key for key in ranked if once[searched_text(self._message(key))] == key][:most]
        return [self._hit(key, fused[key], words, meaning) for key in best]

    def _idf(self, term: str) -> float:
        live = sum(one.live_in(term) for one in self._indexes)
        return log(1.0 + (self._count - live + 0.5) / (live + 0.5))

    def _words(self, at: int) -> list[tuple[float, Key]]:
        """Return the messages of a channel with the best BM25 scores."""
        index = self._indexes[at]
        scores = np.zeros(index.slots, dtype=np.float32)
        for term in self._asked:
            slots, counts, lengths = index.where(term)
            stretch = K1 * (1.0 - B + B * lengths / max(1.0, self._mean_length))
            scores[slots] += self._rarity[term] * counts / (counts + stretch)
        return self._top(at, scores)

    def _meaning(self, at: int) -> list[tuple[float, Key]]:
        """Return the messages of a channel that are nearest in meaning."""
        if self._vector is None or not self._indexes[at].with_vectors:
            return []
        return self._top(at, self._indexes[at].likeness(self._vector))

    def _top(self, at: int, scores: Floats) -> list[tuple[float, Key]]:
        index = self._indexes[at]
        # Dead slots and what may not be seen fall out, so some more are taken.
        positive = highest(scores, 4 * DEEP)
        live = [
            slot for slot in index.alive(positive) if self._may_see(index.at(slot).place.thread)
        ]
        live.sort(key=lambda slot: -float(scores[slot]))
        return [(float(scores[slot]), (at, index.at(slot).message_id)) for slot in live[:DEEP]]

    def _with_neighbours(self, scores: dict[Key, float]) -> dict[Key, float]:
        """Let answers take the score of what they answer, and lean on what they go on from."""
        told = dict(scores)
        for key, score in scores.items():
            index, message = self._indexes[key[0]], self._message(key)
            if not is_question(message.text):
                continue
            for reply in self._replies(index, message):
                near = (key[0], reply.message_id)
                told[near] = max(told.get(near, 0.0), score)
            told[key] = score * LEAN
        for key, score in scores.items():
            before = self._goes_on_from(key)
            if before is not None and not is_question(before.text):
                told[key] = told.get(key, score) + LEAN * scores.get(
                    (key[0], before.message_id), 0.0
                )
        return told

    def _replies(self, index: ChannelIndex, message: IncomingMessage) -> list[IncomingMessage]:
        return [
            reply
            for reply in index.after(message, REPLIES)
            if self._may_see(reply.place.thread)
            and not is_question(reply.text)
            and reply.author.id != message.author.id
            and _is_near(message, reply)
        ]

    def _goes_on_from(self, key: Key) -> IncomingMessage | None:
        message = self._message(key)
        before = self._indexes[key[0]].before(message)
        if (
            before is None
            or not self._may_see(before.place.thread)
            or not _is_near(before, message)
        ):
            return None
        return before

    def _hit(
        self, key: Key, score: float, words: dict[Key, float], meaning: dict[Key, float]
    ) -> Hit:
        message, before = self._message(key), self._goes_on_from(key)
        return Hit(
            message=message,
            before=before,
            score=score,
            words=words.get(key, 0.0),
            meaning=self._nearness(key, meaning),
            rarity=self._rarity,
            known=self._known,
        )

    def _nearness(self, key: Key, meaning: dict[Key, float]) -> float | None:
        index = self._indexes[key[0]]
        if self._vector is None or not index.with_vectors:
            return None
        slot = index.slot_of(key[1])
        own = 0.0 if slot is None else index.likeness_of(slot, self._vector)
        return max(own, meaning.get(key, 0.0))

    def _message(self, key: Key) -> IncomingMessage:
        message = self._indexes[key[0]].get(key[1])
        if message is None:
            raise KeyError(key)
        return message

    def _sent_at(self, key: Key) -> float:
        return self._message(key).sent_at


def is_question(text: str) -> bool:
    """Tell whether a message only asks: then it says nothing that an answer could stand on."""
    said = text.rstrip(" )\"'")
    return said.endswith("?") and not any(mark in said[:-1] for mark in ".!")


def rests(question: str, hit: Hit) -> tuple[str, str]:
    """Return what is left of a question and of a message once their common terms are out."""
    common = set(terms(question)) & set(terms(hit.text))

    def rest(text: str) -> str:
        left = [word for word in text.split() if not set(terms(word)) & common]
        return " ".join(left) or text

    return rest(question), rest(hit.message.text)


def _is_near(first: IncomingMessage, second: IncomingMessage) -> bool:
    """Tell whether one message goes on from the other."""
    thread = second.place.thread
    if thread and thread in (first.place.thread, first.message_id):
        return True
    return second.sent_at - first.sent_at <= GOES_ON_S


def _best(found: Iterable[tuple[float, Key]]) -> dict[Key, float]:
    ranked = sorted(found, key=lambda one: -one[0])[:DEEP]
    return {key: score for score, key in ranked}
