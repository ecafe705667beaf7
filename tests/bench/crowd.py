"""Group `crowd`: 500 conversations at once with long replies, as a team would run them.

Jay runs as `docs/operations.md` advises for so many: an edge for each platform
and two workers, each a process, coupled by a Valkey. The edges keep heartbeats
and deferrals; how late a worker's loop is delays a word by that much.

Only Jay is measured: a stand-in streams as vLLM does, at a person's reading
pace; store and sandboxes are real. How late a loop woke is Jay's own histogram
(`jay_loop_late_seconds`), so a p99 is the upper edge of its bucket. The machine
adds to it what else runs there: a loop that does nothing is measured beside.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web
from fakes.completions import CompletionsServer, Stream, says
from fakes.valkey import running_valkey
from vllm_server import free_port

from adapters.sandbox.discord import Pace
from adapters.sandbox.server import Sandbox
from adapters.sandbox.world import World
from bot.figures import Figure
from bot.messages import PLATFORMS

CONVERSATIONS = 500
CHUNKS = 120
WORDS = "ferry harbour winter lamp letter garden captain silver morning bread river stone".split()
"""Drawn at random: Jay's guards would rightly cut a loop."""
CHUNK_S = 0.5
"""Forty characters a second, for a minute: 2,400 characters, two parts on Discord."""
GATHERING_S = 10.0
ROLES = ("slack", "discord", "worker", "worker")
COMMANDS = 30
COMMAND_EVERY_S = 1.0
OWN_LAG_EVERY_S = 0.05
TOKEN = re.compile(r"\s*\S+")
READY_S = 180.0
HEARTBEAT_S = 5.0
"""Discord's own is 41 s: here it is asked for oftener."""
WHOLE_S = 240.0
END_S = 40.0
LOG = Path(tempfile.gettempdir()) / "jay-crowd.log"
IDLE_LOOP = """
import asyncio

async def main():
    while True:
        before = asyncio.get_running_loop().time()
        await asyncio.sleep(0.1)
        print(asyncio.get_running_loop().time() - before - 0.1, flush=True)

asyncio.run(main())
"""


@dataclass
class PacedServer(CompletionsServer):
    """Streams at a pace."""

    streaming: int = 0
    most: int = 0

    async def _stream(
        self,
        request: web.Request,
        response: web.StreamResponse,
        answer: Stream,
        asked: dict[str, object],
    ) -> None:
        self.streaming += 1
        self.most = max(self.most, self.streaming)
        try:
            for text in answer.chunks[:-1]:
                await super()._stream(
                    request, response, Stream(chunks=(text,), end="no end"), asked
                )
                await asyncio.sleep(CHUNK_S)
            last = Stream(chunks=answer.chunks[-1:], end=answer.end)
            await super()._stream(request, response, last, asked)
        finally:
            self.streaming -= 1

    def _chunk(
        self, text: str, finish: str | None, silent: int, logprobs: bool = False
    ) -> dict[str, object]:
        """Return a chunk of as many tokens as words: the stand-in's own are letters."""
        words = TOKEN.findall(text)
        choice: dict[str, object] = {"index": 0, "text": text, "finish_reason": finish}
        choice["token_ids"] = [1] * len(words)
        if logprobs:
            choice["logprobs"] = {
                "tokens": words,
                "token_logprobs": [-0.1] * len(words),
                "top_logprobs": [{} for _ in words],
                "text_offset": list(range(len(words))),
            }
        return {"id": "c", "object": "text_completion", "choices": [choice]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen of one crowd."""

    streams: int
    """Most at once."""
    lags_s: Mapping[str, float]
    """Of each process' loop, p99."""
    idle_s: float
    """Of a loop beside it that does nothing, p99: what the machine itself adds."""
    waits_s: Sequence[float]
    own_lag_s: float
    """How late, at most, the loop woke that runs the platforms and the stand-in meanwhile."""
    memory_mb: Sequence[float]
    """Of all processes together."""
    whole: int
    heartbeats: int
    silence_s: float
    """The longest between two heartbeats, over what they should be apart."""
    kept: bool
    busy: float
    """Of one core, by Jay."""
    took_s: float


async def measure(report: Callable[[str], None]) -> Sequence[Figure]:
    """Let 500 people ask at once."""
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    dice = random.Random(1)
    chunks = ["".join(f" {dice.choice(WORDS)}" for _ in range(3)) for _ in range(CHUNKS)]
    with tempfile.TemporaryDirectory(prefix="jay-crowd-") as name:
        folder = Path(name)
        with running_valkey(folder / "valkey.sock") as valkey:
            async with (
                PacedServer(answers=[says(*chunks)], window=100_000).running() as engine,
                Sandbox() as sandbox,
                _idle_loop() as idle,
                _jay(sandbox, engine_url=engine.url, redis_url=valkey.url) as processes,
            ):
                sandbox.discord.place.pace = Pace(heartbeat_s=HEARTBEAT_S)
                seen = await Watch(processes, sandbox, engine, "".join(chunks)).see(idle, report)
                report(f"ended within {await _end(processes):.1f} s of SIGTERM")
                return _figures(seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Jay:
    """One process of Jay's."""

    role: str
    status: str
    process: asyncio.subprocess.Process

    def rss_mb(self) -> float:
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def cpu_s(self) -> float:
        told = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def _jay(
    sandbox: Sandbox, *, engine_url: str, redis_url: str
) -> AsyncIterator[Sequence[Jay]]:
    given = {
        "SLACK_BOT_TOKEN": sandbox.slack.bot_token,
        "SLACK_APP_TOKEN": sandbox.slack.app_token,
        "SLACK_API_URL": sandbox.slack.api_url,
        "DISCORD_BOT_TOKEN": sandbox.discord.bot_token,
        "DISCORD_API_URL": sandbox.discord.api_url,
        "DISCORD_GATEWAY_URL": sandbox.discord.gateway_url,
        "REDIS_URL": redis_url,
        "ENGINE_URL": engine_url,
        "JAY_LOG_LEVEL": "warning",
        "JAY_WORKER__CONVERSATIONS": str(CONVERSATIONS),
        "JAY_LIMITS__MAX_RUNNING": str(CONVERSATIONS),
        "JAY_LIMITS__MAX_WAITING": str(CONVERSATIONS),
        "JAY_REPLIES__MAX_TOKENS": "4000",
    }
    processes = []
    try:
        for role in ROLES:
            port = free_port()
            with LOG.open("ab") as log:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    *("-c", "from bot.cli import main; main()", "run", "--only", role),
                    env=os.environ | given | {"JAY_STATUS_PORT": str(port)},
                    stdout=log,
                    stderr=log,
                )
            status = f"http://127.0.0.1:{port}"
            processes.append(Jay(role=role, status=status, process=process))
        yield processes
    finally:
        await _end(processes)


async def _end(processes: Sequence[Jay]) -> float:
    """End all; return how long the slowest took, seconds."""
    began = time.monotonic()
    for one in processes:
        if one.process.returncode is None:
            one.process.terminate()
    try:
        async with asyncio.timeout(END_S):
            await asyncio.gather(*(one.process.wait() for one in processes))
    except TimeoutError:
        for one in processes:
            if one.process.returncode is None:
                one.process.kill()
                await one.process.wait()
    return time.monotonic() - began


@dataclass
class Watch:
    """Watches Jay through one crowd."""

    processes: Sequence[Jay]
    sandbox: Sandbox
    engine: PacedServer
    story: str
    crowded: list[tuple[World, str]] = field(default_factory=list)
    """Where everybody asks."""

    async def see(self, idle: Idle, report: Callable[[str], None]) -> Seen:
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
            for one in self.processes:
                await _until_ready(session, one)
            before = [await _late(session, one) for one in self.processes]
            busy, began = self._cpu_s(), time.monotonic()
            connections = self.sandbox.discord.gateway.connections
            idle.lags_s.clear()
            memory = [self._rss_mb()]
            remembering = group.create_task(self._remember(memory))
            report(f"{CONVERSATIONS} mentions")
            crowd = group.create_task(self._crowd())
            own_lags = list[float]()
            noticing = group.create_task(_notice_own_lag(own_lags))
            waits = await self._commands()
            await crowd
            noticing.cancel()
            report(f"up to {self.engine.most} streams at once; deferred in {max(waits):.2f} s")
            while time.monotonic() - began < WHOLE_S and self._whole() < CONVERSATIONS:
                await asyncio.sleep(1)
            remembering.cancel()
            took_s = time.monotonic() - began
            beaten = self.sandbox.discord.gateway.connections
            return Seen(
                streams=self.engine.most,
                lags_s=await self._lags_s(session, before),
                idle_s=idle.p99_s(),
                waits_s=waits,
                own_lag_s=max(own_lags),
                memory_mb=memory,
                whole=self._whole(),
                heartbeats=sum(one.heartbeats for one in beaten),
                silence_s=max((one.longest_silence_s for one in beaten), default=0.0) - HEARTBEAT_S,
                kept=bool(beaten) and beaten == connections,
                busy=(self._cpu_s() - busy) / took_s,
                took_s=took_s,
            )

    async def _crowd(self) -> None:
        """Have everybody ask within `GATHERING_S`: all replies run long after that."""
        worlds = [self._world(platform) for platform in PLATFORMS]
        for at in range(CONVERSATIONS // len(worlds)):
            for world in worlds:
                people = [one.id for one in world.members.values() if not one.bot][:20]
                channel = world.add_channel(f"crowd-{at}", members=(world.bot_id, *people))
                self.crowded.append((world, channel.id))
                text = f"<@{world.bot_id}> tell me a long story, number {at}"
                world.say(channel.id, people[at % len(people)], text)
            await asyncio.sleep(GATHERING_S * len(worlds) / CONVERSATIONS)

    async def _commands(self) -> list[float]:
        """Use commands while all that runs; returns how long each waited for its deferral."""
        world = self.sandbox.discord_world
        channel = world.channel_named("general").id
        person = next(one.id for one in world.members.values() if not one.bot and not one.deleted)
        waits = []
        for _ in range(COMMANDS):
            began = time.monotonic()
            await self.sandbox.discord.run_command(person, channel, "answer", "when is the ferry?")
            waits.append(time.monotonic() - began)
            await asyncio.sleep(COMMAND_EVERY_S)
        return waits

    def _whole(self) -> int:
        """Count the places where the whole story stands."""
        story = "".join(self.story.split())
        return sum(
            story
            in "".join(
                "".join(one.text.split())
                for one in world.messages(channel)
                if one.author == world.bot_id and not one.deleted
            )
            for world, channel in self.crowded
        )

    async def _remember(self, memory: list[float]) -> None:
        while True:
            await asyncio.sleep(1)
            memory.append(self._rss_mb())

    def _world(self, platform: str) -> World:
        return self.sandbox.slack_world if platform == "slack" else self.sandbox.discord_world

    async def _lags_s(
        self, session: aiohttp.ClientSession, before: Sequence[Mapping[float, float]]
    ) -> Mapping[str, float]:
        """Return the p99 of each role, of its worst process."""
        lags_s: dict[str, float] = {}
        for one, at_first in zip(self.processes, before, strict=True):
            late_s = _p99_s(at_first, await _late(session, one))
            lags_s[one.role] = max(late_s, lags_s.get(one.role, 0.0))
        return lags_s

    def _rss_mb(self) -> float:
        return sum(one.rss_mb() for one in self.processes)

    def _cpu_s(self) -> float:
        return sum(one.cpu_s() for one in self.processes)


def _figures(seen: Seen) -> list[Figure]:
    n = seen.streams
    how = f"{n} streams at once on both platforms, {seen.took_s:.0f} s, {seen.busy:.2f} cores"
    edges_s = max(seen.lags_s["slack"], seen.lags_s["discord"])
    memory = {
        part: seen.memory_mb[min(len(seen.memory_mb) - 1, len(seen.memory_mb) * part // 100)]
        for part in (25, 50, 75, 100)
    }
    return [
        Figure(name="conversations", value=n, unit="at once", how=how),
        Figure(
            name="loop_lag_ms_p99",
            value=1_000 * edges_s,
            unit="ms",
            baseline=1_000 * seen.idle_s,
            n=n,
            how="of the edge that was later; upper edge of its bucket; baseline: an idle loop",
        ),
        Figure(
            name="loop_lag_worker_ms_p99",
            value=1_000 * seen.lags_s["worker"],
            unit="ms",
            baseline=1_000 * seen.idle_s,
            n=n,
            how="of the worker that was later: no heartbeat and no deferral waits for it",
        ),
        Figure(
            name="loop_lag_idle_ms_p99",
            value=1_000 * seen.idle_s,
            unit="ms",
            how="a process beside Jay that only sleeps",
        ),
        Figure(
            name="deferral_s_max",
            value=max(seen.waits_s),
            unit="s",
            baseline=seen.own_lag_s,
            n=len(seen.waits_s),
            how="from using a Discord command to its deferral; baseline: how late at most the loop "
            "woke that measures it, with the platforms and the engine's stand-in in it",
        ),
        Figure(
            name="heartbeat_late_s_max",
            value=seen.silence_s,
            unit="s",
            n=seen.heartbeats,
            how=f"of one each {HEARTBEAT_S:.0f} s; Discord closes after half of that",
        ),
        Figure(
            name="crowd_gateway_kept",
            value=float(seen.kept),
            unit="1 if kept",
            how="the same gateway connection all along",
        ),
        Figure(
            name="crowd_whole_replies",
            value=seen.whole,
            unit="replies",
            baseline=CONVERSATIONS,
            how="2,400 characters each, every word of it on the platform",
        ),
        *(
            Figure(
                name=f"rss_mb_{part}",
                value=value,
                unit="MB",
                how=f"resident memory of all four processes after {part} % of the time",
            )
            for part, value in memory.items()
        ),
    ]


@dataclass
class Idle:
    """How late a loop woke that has nothing else to do."""

    lags_s: list[float] = field(default_factory=list)

    def p99_s(self) -> float:
        late = sorted(self.lags_s)
        return late[int(0.99 * len(late))]


@asynccontextmanager
async def _idle_loop() -> AsyncIterator[Idle]:
    """Run a process with an idle loop beside the body."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", IDLE_LOOP, stdout=asyncio.subprocess.PIPE
    )
    idle = Idle()

    async def read() -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            idle.lags_s.append(float(line))

    reading = asyncio.create_task(read())
    try:
        yield idle
    finally:
        process.kill()
        await process.wait()
        await asyncio.gather(reading)


async def _notice_own_lag(lags: list[float]) -> None:
    while True:
        began = time.monotonic()
        await asyncio.sleep(OWN_LAG_EVERY_S)
        lags.append(time.monotonic() - began - OWN_LAG_EVERY_S)


async def _until_ready(session: aiohttp.ClientSession, jay: Jay) -> None:
    async with asyncio.timeout(READY_S):
        while jay.process.returncode is None:
            try:
                async with session.get(f"{jay.status}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)
    raise RuntimeError(f"Jay ({jay.role}) ended before it was ready: see {LOG}")


async def _late(session: aiohttp.ClientSession, jay: Jay) -> Mapping[float, float]:
    async with session.get(f"{jay.status}/metrics") as answer:
        text = await answer.text()
    found = re.findall(r'jay_loop_late_seconds_bucket\{le="([^"]+)"\} (\S+)', text)
    return {float(edge.replace("+Inf", "inf")): float(count) for edge, count in found}


def _p99_s(before: Mapping[float, float], after: Mapping[float, float]) -> float:
    counts = {edge: after[edge] - before[edge] for edge in after}
    return min(edge for edge, count in counts.items() if count >= 0.99 * counts[float("inf")])
