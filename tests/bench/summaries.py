"""Group `summaries`: are their numbers true, what do stretches side by side give, what is paid twice.

The model is the bundled checkpoint on a real vLLM and the store a real Valkey;
the channel's history is in memory, so that no platform's pace is measured.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from fakes.channels import BEGAN, PEOPLE, errors_of
from fakes.skills import Hand
from fakes.store import MemoryStore
from fakes.surface import MemorySurface
from fakes.talk import CHANNEL
from vllm_server import free_port

from bot.conversations import in_place
from bot.driving import Driver
from bot.driving.batching import Batcher
from bot.figures import Figure
from bot.library import Library
from bot.messages import IncomingMessage
from bot.ports import Lease, Store
from bot.prompting import Speech, open_speech
from bot.prompts import Prompt
from bot.skills import Batch, Request, Task
from bot.skills.skill import Answer, Step
from bot.skills.summarize import summarize
from bot.store import embedded_valkey, open_store
from engine import family_for, load_families, open_engine
from engine.checkpoint import BUNDLED
from engine.launcher import serve, wait_until_up

MESSAGES = 1_000
MORE = 20
THREADS = 40
SEEDS = 20
PARTS = 48
"""Stretches of which the map is timed; the one after another takes long."""
ROUNDS = 3
FACTS = (
    "The {thing} moves to {day} because the {part} test fails.",
    "{who} approved the budget of {number} euros for the {thing}.",
    "We decided to keep the {part} until {day}.",
    "The {thing} was down for {number} minutes, {who} restarted the {part}.",
    "Release 2.{number} of the {thing} ships on {day}.",
)
CHATTER = (
    "Good morning everybody!", "Thanks, that helps a lot.", "Lunch in ten minutes?",
    "I will look at it later.", "Sounds good to me.", "Who has seen the coffee?",
)  # fmt: skip
SLOTS = {
    "thing": ("website", "ferry plan", "ticket shop", "harbour camera", "newsletter"),
    "part": ("login", "database", "payment service", "search index", "mail server"),
    "day": ("Monday", "Tuesday", "Thursday", "12 May", "3 June"),
    "who": ("Carla", "Tom", "Maya", "Jonas"),
}


async def measure(report: Callable[[str], None]) -> Sequence[Figure]:
    """Count errors over random channels, then start an engine and measure on it."""
    report(f"coverage of {SEEDS} random channels")
    wrong = []
    for seed in range(SEEDS):
        wrong += await errors_of(random.Random(seed), messages=MESSAGES, threads=THREADS)
    coverage = Figure(
        name="summary_coverage_errors",
        value=len(wrong),
        unit="errors",
        n=SEEDS,
        how=f"wrong numbers, dead links, deleted or forbidden text in summaries of random channels "
        f"({MESSAGES} messages, {THREADS} threads, bots, edits, deletions, one closed channel)",
    )
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="jay-bench-") as folder:
        log_path = Path(folder) / "engine.log"
        async with (
            embedded_valkey(Path(folder)) as redis_url,
            open_store(redis_url, retention_days=90, max_turns=400, max_log=20_000) as store,
            serve(BUNDLED, port=port, log_path=log_path, on_progress=report) as url,
        ):
            await wait_until_up(url)
            async with open_engine(
                url, model="", api_key="", idle_timeout_s=120.0, retries=0
            ) as engine:
                model = await engine.model()
                speech = await open_speech(
                    engine,
                    model=model,
                    family=family_for(model, load_families(), chosen=""),
                    persona="",
                    max_tokens=300,
                )
                speedup = await _speedup(speech, report)
                return [coverage, speedup, *await _twice(store, speech, report)]


async def _speedup(speech: Speech, report: Callable[[str], None]) -> Figure:
    hand = Hand(tuple(_talk(MESSAGES)))
    hand.run(summarize(_request()))
    tasks = next(one.tasks for one in hand.steps if isinstance(one, Batch))[:PARTS]
    ratios = []
    for at in range(ROUNDS):
        alone = await _map_s(speech, tasks, at_once=1, salt=f"one{at}")
        beside = await _map_s(speech, tasks, at_once=32, salt=f"many{at}")
        report(f"{PARTS} parts: one by one {alone:.1f} s, side by side {beside:.1f} s")
        ratios.append(alone / beside)
    return Figure(
        name="summary_parallel_speedup",
        value=median(ratios),
        unit="ratio",
        baseline=1.0,
        n=ROUNDS,
        how=f"time of {PARTS} stretches one after another by that of 32 at once, same engine, "
        f"turn by turn",
    )


async def _map_s(speech: Speech, tasks: Sequence[Task], *, at_once: int, salt: str) -> float:
    async def prompt_of(speech: Speech, task: Task) -> Prompt:
        return await speech.task(
            instruction=task.instruction,
            text=task.text,
            max_tokens=task.max_tokens,
            salt=salt,
            session=salt,
        )

    batcher = Batcher(
        notes=MemoryStore(), prompt_of=prompt_of, stop=asyncio.Event(), at_once=at_once
    )
    began = time.perf_counter()
    done = await batcher.do(speech, tasks, lambda done, of: None)
    if None in done.said:
        raise RuntimeError("the engine broke off")
    return time.perf_counter() - began


@dataclass(slots=True, kw_only=True)
class _TimedDriver(Driver):
    """Tells generation apart from all else."""

    generating_s: float = field(default=0.0)

    async def _do(self, step: Step) -> Answer:
        began = time.perf_counter()
        answer = await Driver._do(self, step)
        if isinstance(step, Batch):
            self.generating_s += time.perf_counter() - began
        return answer


async def _twice(store: Store, speech: Speech, report: Callable[[str], None]) -> list[Figure]:
    first, first_s = await _sum_up(store, speech, MESSAGES)
    report(f"first: {_tokens(first):,} prompt tokens, {first_s:.1f} s")
    second, second_s = await _sum_up(store, speech, MESSAGES + MORE)
    report(f"again: {_tokens(second):,} prompt tokens, {second_s:.1f} s")
    rest_s = first_s - first.generating_s
    return [
        Figure(
            name="summary_repeat_token_share",
            value=_tokens(second) / _tokens(first),
            unit="share",
            baseline=1.0,
            how=f"prompt tokens of `last {MESSAGES}` after {MORE} new messages by those before",
        ),
        Figure(
            name="summary_grounding_overhead",
            value=rest_s / first.generating_s,
            unit="share",
            how=f"of {MESSAGES} messages: all that isn't generation (reading the store, cutting, "
            f"checking, citing, counting) by generation; without a platform's network",
        ),
    ]


async def _sum_up(store: Store, speech: Speech, count: int) -> tuple[_TimedDriver, float]:
    async def opened() -> Speech:
        return speech

    driver = _TimedDriver(
        lease=Lease(conversation=in_place(CHANNEL, root="r"), fence=1, worker="w"),
        store=store,
        surface=MemorySurface(history_of=_talk(count)),
        library=Library(store, None),
        open_speech=opened,
        show=lambda text: None,
    )
    began = time.perf_counter()
    outcome = await driver.drive(summarize(_request()))
    took_s = time.perf_counter() - began
    if f"Read {MESSAGES:,} of {MESSAGES:,}" not in outcome.text:
        raise RuntimeError(outcome.text)
    return driver, took_s


def _tokens(driver: Driver) -> int:
    return driver.finish.prompt_tokens if driver.finish else 0


def _request() -> Request:
    return Request(
        text=f"last {MESSAGES}", place=CHANNEL, person=PEOPLE[0], now=BEGAN + 1e7, command=True
    )


def _talk(count: int) -> list[IncomingMessage]:
    """Return a channel's messages; a longer one begins with a shorter one."""
    dice = random.Random(7)
    said = []
    for at in range(count):
        slots = {name: dice.choice(values) for name, values in SLOTS.items()}
        telling = dice.random() < 0.4
        text = dice.choice(FACTS if telling else CHATTER)
        said.append(
            IncomingMessage(
                place=CHANNEL,
                message_id=f"{BEGAN + 60 * at}.0",
                author=dice.choice(PEOPLE),
                text=text.format(number=dice.randint(2, 90), **slots),
                sent_at=BEGAN + 60.0 * at,
            )
        )
    return said
