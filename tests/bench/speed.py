"""Group `speed`: how fast the first word is there, and what batching and the cache give."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from statistics import median

from stage import Stage, playing
from vllm_server import free_port

from adapters.sandbox.server import Sandbox
from adapters.sandbox.world import Event, Message
from bot.figures import Figure
from bot.messages import PLATFORMS, PlatformName
from bot.ports import Engine
from bot.prompts import Finish, Prompt, Sampling
from engine import open_engine
from engine.checkpoint import BUNDLED
from engine.launcher import serve, wait_until_up

REPLY_TOKENS = 64
AT_ONCE = (4, 16, 64)
WORDS_ASKED = 10
"""Messages whose first word is waited for, on each platform."""
LONG = "We talked about the ferry, the harbour and the price of the tickets. " * 30


async def measure(report: Callable[[str], None]) -> Sequence[Figure]:
    """Start an engine with the bundled checkpoint and measure against it."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="jay-bench-") as folder:
        data_dir = Path(folder)
        began = time.monotonic()
        async with serve(
            BUNDLED, port=port, log_path=data_dir / "engine.log", on_progress=report
        ) as url:
            await wait_until_up(url)
            started_s = time.monotonic() - began
            async with open_engine(
                url, model="", api_key="", idle_timeout_s=60.0, retries=0
            ) as engine:
                report("batching")
                figures = [*await _batching(engine), await _cache(engine)]
                report("first words")
                figures += await _first_words(engine, url, data_dir)
    start = Figure(
        name="speed_engine_start",
        value=started_s,
        unit="s",
        how="vLLM with the bundled checkpoint, from its start until it answers",
    )
    return [start, *figures]


async def _say(engine: Engine, ids: tuple[int, ...], *, tokens: int, salt: str) -> Finish:
    prompt = Prompt(
        ids=ids, max_tokens=tokens, sampling=Sampling(temperature=1.0), salt=salt, session=salt
    )
    finish = None
    async with aclosing(engine.stream(prompt)) as pieces:
        async for piece in pieces:
            finish = piece.finish or finish
    if finish is None:
        raise RuntimeError("the stream ended without saying how")
    return finish


async def _rate(engine: Engine, ids: tuple[int, ...], at_once: int, salt: str) -> float:
    """Return tokens a second of so many requests side by side."""
    began = time.monotonic()
    finishes = await asyncio.gather(
        *(_say(engine, ids, tokens=REPLY_TOKENS, salt=f"{salt}{at}") for at in range(at_once))
    )
    return sum(one.reply_tokens for one in finishes) / (time.monotonic() - began)


async def _batching(engine: Engine) -> list[Figure]:
    (ids,) = await engine.encode(["[human]: tell me a story\n###\n[robot]:"])
    await _rate(engine, ids, 4, "warm")
    alone = median([await _rate(engine, ids, 1, f"alone{at}-") for at in range(3)])
    figures = []
    for at_once in AT_ONCE:
        rate = median([await _rate(engine, ids, at_once, f"{at_once}-{at}-") for at in range(3)])
        figures.append(
            Figure(
                name=f"speed_tokens_per_s_at_{at_once}",
                value=rate,
                unit="tokens/s",
                baseline=alone,
                n=3,
                how=f"{at_once} requests side by side through Jay's client; baseline: one alone",
            )
        )
    return figures


async def _cache(engine: Engine) -> Figure:
    (ids,) = await engine.encode([LONG])
    ids = ids[:1_200]
    await _say(engine, ids, tokens=4, salt="ours")
    again = await _say(engine, ids + ids[:40], tokens=4, salt="ours")
    other = await _say(engine, ids + ids[:40], tokens=4, salt="theirs")
    return Figure(
        name="speed_prefix_cached_share",
        value=again.cached_tokens / again.prompt_tokens,
        unit="share",
        baseline=other.cached_tokens / other.prompt_tokens,
        how="cached tokens of a prompt that extends the last; baseline: another workspace's",
    )


async def _first_words(engine: Engine, url: str, data_dir: Path) -> list[Figure]:
    (ids,) = await engine.encode(["[human]: hello\n###\n[robot]:"])
    alone = []
    for at in range(WORDS_ASKED):
        began = time.monotonic()
        await _say(engine, ids, tokens=1, salt=f"first{at}")
        alone.append(time.monotonic() - began)
    figures = []
    async with Sandbox() as sandbox, playing(sandbox, data_dir=data_dir, engine_url=url) as stage:
        for platform in PLATFORMS:
            waited = [await _first_word_s(stage, platform, at) for at in range(WORDS_ASKED)]
            figures.append(
                Figure(
                    name=f"speed_first_word_s_{platform}",
                    value=median(waited),
                    unit="s",
                    baseline=median(alone),
                    n=WORDS_ASKED,
                    how="from a mention until words stand there; baseline: one token of the engine",
                )
            )
    return figures


async def _first_word_s(stage: Stage, platform: PlatformName, at: int) -> float:
    world = stage.world(platform)
    there = asyncio.Event()
    asked: Message | None = None

    def watch(event: Event) -> None:
        message = event.message
        if message and asked and message.author == world.bot_id and not message.text.endswith("…_"):
            there.set()

    unsubscribe = world.listen(watch)
    people = stage.people(platform, 20)
    began = time.monotonic()
    asked = stage.mention(platform, f"hello, number {at}", person=people[at % len(people)])
    await asyncio.wait_for(there.wait(), 60)
    unsubscribe()
    waited = time.monotonic() - began
    await stage.answered(platform, asked)
    return waited
