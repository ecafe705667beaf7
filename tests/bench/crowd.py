"""Group `crowd`: 500 conversations at once with long replies, through one Jay of its own process.

Only Jay is measured: a stand-in streams as vLLM does, at a person's reading
pace; store and sandboxes are real. How late Jay's loop woke is Jay's own
histogram (`jay_loop_late_seconds`), so the p99 is the upper edge of its bucket.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp import web
from bench.figures import Figure
from fakes.completions import CompletionsServer, Stream, says
from vllm_server import free_port

from adapters.sandbox.server import Sandbox
from bot.messages import PLATFORMS

CONVERSATIONS = 500
CHUNKS = 120
WORDS = "ferry harbour winter lamp letter garden captain silver morning bread river stone".split()
"""Drawn at random: Jay's guards would rightly cut a loop."""
CHUNK_S = 0.5
"""Forty characters a second, for a minute: 2,400 characters, two parts on Discord."""
COMMANDS = 30
COMMAND_EVERY_S = 1.0
READY_S = 60.0
WHOLE_S = 150.0
END_S = 40.0


@dataclass
class PacedServer(CompletionsServer):
    """Streams at a pace."""

    streaming: int = 0
    most: int = 0

    async def _stream(
        self, request: web.Request, response: web.StreamResponse, answer: Stream, prompt: int
    ) -> None:
        self.streaming += 1
        self.most = max(self.most, self.streaming)
        try:
            for text in answer.chunks[:-1]:
                await super()._stream(
                    request, response, Stream(chunks=(text,), end="no end"), prompt
                )
                await asyncio.sleep(CHUNK_S)
            last = Stream(chunks=answer.chunks[-1:], end=answer.end)
            await super()._stream(request, response, last, prompt)
        finally:
            self.streaming -= 1


async def measure(report: Callable[[str], None]) -> Sequence[Figure]:
    """Let 500 people ask at once."""
    dice = random.Random(1)
    chunks = ["".join(f" {dice.choice(WORDS)}" for _ in range(3)) for _ in range(CHUNKS)]
    with tempfile.TemporaryDirectory(prefix="jay-crowd-") as folder:
        async with (
            PacedServer(answers=[says(*chunks)], window=100_000).running() as engine,
            Sandbox() as sandbox,
        ):
            port = free_port()
            process = await _start_jay(sandbox, engine.url, port=port, folder=Path(folder))
            try:
                return await _watch(process, sandbox, engine, port, report)
            finally:
                await _end(process)


async def _start_jay(
    sandbox: Sandbox, engine_url: str, *, port: int, folder: Path
) -> asyncio.subprocess.Process:
    given = {
        "SLACK_BOT_TOKEN": sandbox.slack.bot_token,
        "SLACK_APP_TOKEN": sandbox.slack.app_token,
        "SLACK_API_URL": sandbox.slack.api_url,
        "DISCORD_BOT_TOKEN": sandbox.discord.bot_token,
        "DISCORD_API_URL": sandbox.discord.api_url,
        "DISCORD_GATEWAY_URL": sandbox.discord.gateway_url,
        "ENGINE_URL": engine_url,
        "JAY_DATA_DIR": str(folder),
        "JAY_STATUS_PORT": str(port),
        "JAY_LOG_LEVEL": "warning",
        "JAY_WORKER__CONVERSATIONS": str(2 * CONVERSATIONS),
        "JAY_LIMITS__MAX_RUNNING": str(2 * CONVERSATIONS),
        "JAY_LIMITS__MAX_WAITING": str(2 * CONVERSATIONS),
        "JAY_REPLIES__MAX_TOKENS": "4000",
    }
    with (folder / "jay.log").open("wb") as log:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "from bot.cli import main; main()",
            "run",
            env=os.environ | given,
            stdout=log,
            stderr=log,
        )


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), END_S)
    except TimeoutError:
        process.kill()
        await process.wait()


async def _watch(
    process: asyncio.subprocess.Process,
    sandbox: Sandbox,
    engine: PacedServer,
    port: int,
    report: Callable[[str], None],
) -> list[Figure]:
    status = f"http://127.0.0.1:{port}"
    async with aiohttp.ClientSession() as session:
        await _until_ready(session, status, process)
        before = await _late(session, status)
        heartbeats = sandbox.discord.gateway.count
        memory = [_rss_mb(process.pid)]
        report(f"{CONVERSATIONS} mentions")
        _crowd(sandbox)
        waits = await _commands(sandbox, memory, process.pid)
        report(f"up to {engine.most} streams at once; deferred in {max(waits):.2f} s at most")
        began = time.monotonic()
        while engine.streaming and time.monotonic() - began < WHOLE_S:
            await asyncio.sleep(1)
            memory.append(_rss_mb(process.pid))
        after = await _late(session, status)
    kept = sandbox.discord.gateway.count == heartbeats
    return _figures(engine.most, _p99_s(before, after), waits, memory, kept=kept)


def _figures(
    most: int, late_s: float, waits: Sequence[float], memory: Sequence[float], *, kept: bool
) -> list[Figure]:
    settled = memory[len(memory) // 3 :]
    how = f"{most} streams at once on both platforms, Jay alone in its process"
    return [
        Figure(name="conversations", value=most, unit="at once", how=how),
        Figure(name="loop_lag_ms_p99", value=1_000 * late_s, unit="ms", n=most, how=how),
        Figure(
            name="crowd_defer_s_max",
            value=max(waits),
            unit="s",
            n=len(waits),
            how=f"from using a Discord command to its deferral; {how}",
        ),
        Figure(
            name="crowd_gateway_kept",
            value=float(kept),
            unit="1 if kept",
            how="the same session all along: no heartbeat was missed",
        ),
        Figure(
            name="crowd_memory_mb",
            value=settled[-1],
            unit="MB",
            baseline=settled[0],
            n=len(settled),
            how="resident memory of Jay at the end; baseline: after a third of the time",
        ),
    ]


def _crowd(sandbox: Sandbox) -> None:
    for platform in PLATFORMS:
        world = sandbox.slack_world if platform == "slack" else sandbox.discord_world
        people = [one.id for one in world.members.values() if not one.bot and not one.deleted][:20]
        for at in range(CONVERSATIONS // len(PLATFORMS)):
            channel = world.add_channel(f"crowd-{at}", members=(world.bot_id, *people))
            text = f"<@{world.bot_id}> tell me a long story, number {at}"
            world.say(channel.id, people[at % len(people)], text)


async def _commands(sandbox: Sandbox, memory: list[float], pid: int) -> list[float]:
    """Use commands while all that runs; returns how long each waited for its deferral."""
    world = sandbox.discord_world
    channel = world.channel_named("general").id
    person = next(one.id for one in world.members.values() if not one.bot and not one.deleted)
    waits = []
    for _ in range(COMMANDS):
        began = time.monotonic()
        await sandbox.discord.run_command(person, channel, "answer", "when does the ferry leave?")
        waits.append(time.monotonic() - began)
        memory.append(_rss_mb(pid))
        await asyncio.sleep(COMMAND_EVERY_S)
    return waits


async def _until_ready(
    session: aiohttp.ClientSession, status: str, process: asyncio.subprocess.Process
) -> None:
    async with asyncio.timeout(READY_S):
        while process.returncode is None:
            try:
                async with session.get(f"{status}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)
    raise RuntimeError("Jay ended before it was ready")


async def _late(session: aiohttp.ClientSession, status: str) -> Mapping[float, float]:
    async with session.get(f"{status}/metrics") as answer:
        text = await answer.text()
    found = re.findall(r'jay_loop_late_seconds_bucket\{le="([^"]+)"\} (\S+)', text)
    return {float(edge.replace("+Inf", "inf")): float(count) for edge, count in found}


def _p99_s(before: Mapping[float, float], after: Mapping[float, float]) -> float:
    counts = {edge: after[edge] - before[edge] for edge in after}
    return min(edge for edge, count in counts.items() if count >= 0.99 * counts[float("inf")])


def _rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
