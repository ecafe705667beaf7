"""Group `answers`: the skills on conversations with known facts, and a large index's speed.

The answers come from the bundled checkpoint on vLLM. The index holds 100,000
messages of made-up words, spread as words are in a language; their vectors are
random and lie in the log already, for 100,000 real ones take ten minutes. The
loop beside a search ticks every millisecond, and how late it ticks is kept.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from random import Random
from statistics import median, quantiles

import numpy as np

from bot.app import open_embedder
from bot.changes import Changes
from bot.figures import Figure
from bot.judging.skills import measure_skills
from bot.library import Library
from bot.messages import IncomingMessage, Person, Place
from bot.retrieval import searched_text
from bot.retrieval.embedding import WIDTH
from bot.retrieval.packing import pack
from bot.settings import load_settings

ANSWERS = Path(__file__).parents[1] / "data" / "answers.json"
MESSAGES = 100_000
VOCABULARY = 30_000
QUESTIONS = 200
TICK_S = 0.001
SEED = 5
PLACE = Place(platform="slack", workspace="T1", channel="C1")


async def measure(report: Callable[[str], None]) -> Sequence[Figure]:
    """Time the index, then ask the questions."""
    fast = await measure_index(report)
    return [*fast, *await measure_skills(load_settings(), ANSWERS, report=report)]


class LongLog:
    """A `bot.changes.ChangeLog` of many messages that all have vectors."""

    def __init__(self, count: int) -> None:
        rng = Random(SEED)
        words = [
            "".join(rng.choices("abcdefghijklmnoprstuvw", k=rng.randint(3, 9)))
            for _ in range(VOCABULARY)
        ]
        shares = list(accumulate(1.0 / (rank + 10) for rank in range(VOCABULARY)))
        self._messages = [
            IncomingMessage(
                place=PLACE,
                message_id=f"{at}.0",
                author=Person(id=f"U{at % 90}", name=words[at % 90].title()),
                text=" ".join(rng.choices(words, cum_weights=shares, k=rng.randint(4, 24))),
                sent_at=float(at),
            )
            for at in range(1, count + 1)
        ]
        drawn = np.random.default_rng(SEED).standard_normal((count, WIDTH), dtype=np.float32)
        self._vectors = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)

    def question(self, rng: Random) -> str:
        """Return some words of a message."""
        said = rng.choice(self._messages).text.split()
        return f"When did {' '.join(rng.sample(said, min(5, len(said))))}?"

    async def changes(self, place: Place, *, since: int, limit: int) -> Changes:
        page = self._messages[since : since + limit]
        return Changes(messages=page, gone=(), revision=since + len(page), anew=since == 0)

    async def vectors(self, place: Place, message_ids: Sequence[str]) -> Mapping[str, bytes]:
        at = [int(float(one)) - 1 for one in message_ids]
        return {
            one: pack(self._vectors[where], searched_text(self._messages[where]))
            for one, where in zip(message_ids, at, strict=True)
        }

    async def keep_vectors(self, place: Place, vectors: Mapping[str, bytes]) -> None:
        raise AssertionError("every message has its vector")


async def measure_index(report: Callable[[str], None], count: int = MESSAGES) -> list[Figure]:
    """Build the index, ask it, and see how late the loop is meanwhile."""
    report(f"writing {count:,} messages")
    log, embedder = LongLog(count), open_embedder()
    library, rng = Library(log, embedder), Random(SEED + 1)
    report("building the index")
    began = time.perf_counter()
    await library.search(PLACE, log.question(rng), most=3)
    built_s = time.perf_counter() - began
    # A thread that computes gives the lock up after this long when the loop wants it.
    idle_ms = await _lateness_ms(asyncio.sleep(2.0))
    report("asking")
    waits_ms: list[float] = []
    spent_ms: list[float] = []

    async def ask_all() -> None:
        for _ in range(QUESTIONS):
            began, spent = time.perf_counter(), time.process_time()
            await library.search(PLACE, log.question(rng), most=6)
            waits_ms.append(1_000 * (time.perf_counter() - began))
            spent_ms.append(1_000 * (time.process_time() - spent))

    late_ms = await _lateness_ms(ask_all())
    how = f"{count:,} messages with vectors, one question after another, in one process"
    return [
        Figure(
            name="retrieval_query_ms_p99",
            value=quantiles(waits_ms, n=100)[-1],
            unit="ms",
            baseline=median(waits_ms),
            n=QUESTIONS,
            how=f"embedding the question included; baseline: the median; {how}",
        ),
        Figure(
            name="retrieval_query_cpu_ms",
            value=median(spent_ms),
            unit="ms",
            n=QUESTIONS,
            how=f"processor time of the same, the loop's ticks included; {how}",
        ),
        Figure(
            name="retrieval_loop_late_ms_p99",
            value=quantiles(late_ms, n=100)[-1],
            unit="ms",
            baseline=quantiles(idle_ms, n=100)[-1],
            n=len(late_ms),
            how=f"how late a tick of the loop came; baseline: without questions; switch "
            f"interval {1_000 * sys.getswitchinterval():.0f} ms; {how}",
        ),
        Figure(
            name="retrieval_loop_late_ms_worst",
            value=max(late_ms),
            unit="ms",
            baseline=max(idle_ms),
            n=len(late_ms),
            how=f"the latest tick; {how}",
        ),
        Figure(
            name="retrieval_build_s",
            value=built_s,
            unit="s",
            n=1,
            how=f"reading the log and its vectors into the index; {how}",
        ),
    ]


async def _lateness_ms(work: object) -> list[float]:
    """Return how late the loop's ticks came while something was done."""
    late: list[float] = []

    async def tick() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(TICK_S)
            late.append(1_000 * (time.perf_counter() - began - TICK_S))

    ticking = asyncio.create_task(tick())
    try:
        await work  # type: ignore[misc]
    finally:
        ticking.cancel()
    return late
