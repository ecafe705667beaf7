"""Group `replicas`: two real engines behind the router, of which one is killed every half minute.

People's replies go on meanwhile, one after another in each conversation. Every
reply is greedy, so that it can be held against the same one undisturbed.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

from replicas import Replicas, running_replicas
from structlog.testing import capture_logs
from tiny_gptj import write_tiny_gptj

from bot.errors import EngineError
from bot.figures import Figure
from bot.ports import Engine
from bot.prompts import Prompt, Sampling
from engine import open_engine

KILL_EVERY_S = 30.0
KILLS = 4
CONVERSATIONS = 12
REPLY_TOKENS = 400
GREEDY = Sampling(temperature=0.0, top_p=1.0)
ASKED = "[human]: What is the time in Oslo?\n###\n[robot]:"


@dataclass
class Told:
    """What came of the replies."""

    whole: int = 0
    lost: list[str] = field(default_factory=list)
    """Ended by an error."""
    broken: int = 0
    """Ended, but read otherwise than undisturbed."""
    longest_pause_s: float = 0.0
    """Between two pieces of one reply."""


async def measure(report: Callable[[str], None]) -> Sequence[Figure]:
    """Let replies run while replicas die."""
    with tempfile.TemporaryDirectory(prefix="jay-replicas-") as place:
        folder = Path(place)
        checkpoint = await asyncio.to_thread(write_tiny_gptj, folder / "tiny")
        async with (
            running_replicas(checkpoint, folder=folder, report=report) as replicas,
            open_engine(
                replicas.url, model="", api_key="", idle_timeout_s=30.0, retries=3
            ) as engine,
        ):
            with capture_logs() as logs:
                return figures(*await _run(replicas, engine, report), logs)


async def _run(
    replicas: Replicas, engine: Engine, report: Callable[[str], None]
) -> tuple[Told, int, float]:
    (ids,) = await engine.encode([ASKED])
    prompt = Prompt(ids=ids, max_tokens=REPLY_TOKENS, sampling=GREEDY)
    told, over = Told(), asyncio.Event()
    undisturbed = await _say(engine, prompt, told)
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for at in range(CONVERSATIONS):
            session = f"slack:T1:C1:{at}"
            asked = Prompt(
                ids=ids, max_tokens=REPLY_TOKENS, sampling=GREEDY, session=session, salt=session
            )
            group.create_task(_talk(engine, asked, undisturbed, told, over))
        while len(replicas.killed) < KILLS:
            await asyncio.sleep(KILL_EVERY_S)
            if url := await replicas.kill_one():
                report(f"killed {url}; {told.whole} replies so far")
        await asyncio.sleep(KILL_EVERY_S / 2)
        over.set()
    return told, len(replicas.killed), time.monotonic() - began


async def _talk(
    engine: Engine, prompt: Prompt, undisturbed: str, told: Told, over: asyncio.Event
) -> None:
    while not over.is_set():
        try:
            text = await _say(engine, prompt, told)
        except EngineError as error:
            told.lost.append(f"{type(error).__name__}: {error}")
            continue
        told.whole += 1
        told.broken += text != undisturbed


async def _say(engine: Engine, prompt: Prompt, told: Told) -> str:
    text, last_at = "", time.monotonic()
    async with aclosing(engine.stream(prompt)) as pieces:
        async for piece in pieces:
            now = time.monotonic()
            told.longest_pause_s = max(told.longest_pause_s, now - last_at)
            text, last_at = text + piece.text, now
    return text


def figures(told: Told, kills: int, took_s: float, logs: Sequence[object]) -> list[Figure]:
    """Return what is told of a run."""
    breaks = sum(isinstance(one, dict) and one["event"] == "client.again" for one in logs)
    how = (
        f"{CONVERSATIONS} conversations at once on two vLLMs with a tiny GPT-J, {kills} kills in "
        f"{took_s:.0f} s"
    )
    counts = {
        "replicas_replies": told.whole + len(told.lost),
        "replicas_kills": kills,
        "replicas_breaks": breaks,
        "replicas_lost": len(told.lost),
        "replicas_broken": told.broken,
    }
    return [
        *(Figure(name=name, value=n, unit="count", how=how) for name, n in counts.items()),
        Figure(
            name="replicas_longest_pause_s",
            value=told.longest_pause_s,
            unit="s",
            n=told.whole,
            how=f"between two pieces of one reply, the worst of all; {how}",
        ),
    ]
