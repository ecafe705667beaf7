"""vLLM as a process of ours: started, watched, started again when it dies, stopped with us.

The body of `serve` runs while the engine starts, since people may talk before
it is up. Progress is told line by line. An engine that dies is started again;
one that won't start ends the body with the reason (`engine/diagnosis`). An
engine with the same checkpoint that already answers at the address is used.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from bot.errors import EngineWontStart
from engine.arguments import Plan, Wishes, inherited, plan
from engine.checkpoint import Checkpoint, read_checkpoint
from engine.diagnosis import Cause, diagnose, stage
from engine.ground import is_healthy, look
from engine.machine import Machine, read_machine
from engine.process import EngineProcess, start_process

log = structlog.get_logger(__name__)

START_TIMEOUT_S = 900.0
"""12 GB of weights from a slow disk take minutes."""
LOOK_EVERY_S = 0.5
WATCH_EVERY_S = 5.0
TELL_EVERY_S = 20.0
"""A start that says nothing for so long says how long it has taken."""
DEAF_TIMES = 24
"""Failed looks in a row at an engine that was healthy: two minutes, then it is started anew."""
LIVED_S = 60.0
"""After an engine that lived that long the next start comes at once."""
MOST_FAILED_STARTS = 3
"""So many in a row that did not come up, and the launcher gives up."""
PAUSES_S = (1.0, 5.0, 15.0)
NO_VLLM = (
    "vLLM is not installed in this environment. Run `make setup`, or set ENGINE_URL to a vLLM "
    "server that runs elsewhere."
)

Report = Callable[[str], None]


@asynccontextmanager
async def serve(
    checkpoint: Path,
    *,
    port: int,
    log_path: Path,
    on_progress: Report,
    host: str = "127.0.0.1",
    dtype: str = "",
    load_format: str = "",
    extra: Sequence[str] = (),
) -> AsyncIterator[str]:
    """Keep vLLM with a checkpoint running during the body, which begins at once.

    Args:
        checkpoint: its directory.
        port: where it listens.
        log_path: where its output goes.
        on_progress: takes lines for the operator.
        host: the address that it listens on.
        dtype: what it computes with; empty: chosen by the processor.
        load_format: `dummy` invents the weights.
        extra: further arguments for vLLM.

    Yields:
        The engine's address, with `/v1`. It may not answer yet: `wait_until_up`.

    Raises:
        EngineWontStart: it can't be started, now or later during the body, which is then
            cancelled; says why.
    """
    wishes = Wishes(host=host, port=port, dtype=dtype, load_format=load_format, extra=tuple(extra))
    read = read_checkpoint(checkpoint, needs_weights=load_format != "dummy")
    launcher = Launcher(checkpoint=read, wishes=wishes, log_path=log_path, report=on_progress)
    try:
        async with asyncio.TaskGroup() as group:
            keeping = group.create_task(launcher.keep())
            try:
                yield f"http://{launcher.reached_at}:{port}/v1"
            finally:
                keeping.cancel()
    except BaseExceptionGroup as errors:
        # The group is ours; what the body raised leaves as it was.
        raise errors.exceptions[0] from errors.exceptions[0].__cause__


async def wait_until_up(url: str, *, timeout_s: float = START_TIMEOUT_S) -> None:
    """Return once the engine at this address is healthy.

    Raises:
        TimeoutError: it isn't in time.
    """
    host, _, port = url.removeprefix("http://").removesuffix("/v1").rpartition(":")
    async with asyncio.timeout(timeout_s):
        while True:
            if await is_healthy(host, int(port)):
                return
            await asyncio.sleep(LOOK_EVERY_S)


@dataclass(slots=True, kw_only=True)
class Launcher:
    """Keeps one engine running. `keep` is its whole life."""

    checkpoint: Checkpoint
    wishes: Wishes
    log_path: Path
    report: Report
    machine: Machine = field(default_factory=read_machine)
    pauses_s: tuple[float, ...] = PAUSES_S
    """Before the starts after a first, a second and a later death."""
    _deaths: int = 0
    """In a row, without having lived."""
    _failed_starts: int = 0

    @property
    def reached_at(self) -> str:
        """The host part of the address at which we ourselves reach it."""
        return "127.0.0.1" if self.wishes.host in ("0.0.0.0", "::", "") else self.wishes.host

    async def keep(self) -> None:
        """Run until cancelled.

        Raises:
            EngineWontStart: it failed to start too often, or can't ever start as it is.
        """
        while True:
            if await self._is_served_already():
                await self._watch_the_other()
                continue
            began = time.monotonic()
            how = self._plan()
            command = (sys.executable, "-m", how.module, *how.arguments)
            environment = inherited(os.environ) | dict(how.environment)
            async with start_process(
                command, environment=environment, log_path=self.log_path
            ) as process:
                self.report(f"engine: starting vLLM with {self._said(how)}")
                log.info("launcher.started", pid=process.pid, log=str(self.log_path))
                up = await self._follow_start(process, began)
                if up:
                    await self._watch(process)
                cause = diagnose(process.log(), returncode=process.returncode)
            lived = up and time.monotonic() - began > LIVED_S
            await self._after_death(cause, up=up, lived=lived)

    async def _is_served_already(self) -> bool:
        """Look at the address; True if our checkpoint is served there.

        Raises:
            EngineWontStart: something else has it.
        """
        host, port = self.reached_at, self.wishes.port
        for _ in range(round(START_TIMEOUT_S / WATCH_EVERY_S)):
            occupant = await look(host, port)
            if occupant is None:
                return False
            if occupant.serves(self.checkpoint.folder):
                self.report(f"engine: {occupant.said} runs at port {port} already; using it")
                return True
            if occupant.listens:
                break
            self.report(f"engine: waiting for {occupant.said} at port {port}")
            await asyncio.sleep(WATCH_EVERY_S)
        raise EngineWontStart(
            f"Port {port} is taken by {occupant.said if occupant else 'another program'}. Stop "
            "it, or choose another port with JAY_LIMITS__PORT."
        )

    async def _watch_the_other(self) -> None:
        """Return when an engine that isn't ours no longer answers."""
        misses = 0
        while misses < 2:
            await asyncio.sleep(WATCH_EVERY_S)
            well = await is_healthy(self.reached_at, self.wishes.port)
            misses = 0 if well else misses + 1
        self.report("engine: the one that ran already is gone")

    def _plan(self) -> Plan:
        if not self.machine.vllm:
            raise EngineWontStart(NO_VLLM)
        return plan(self.machine, self.checkpoint, self.wishes)

    def _said(self, how: Plan) -> str:
        millions = round(self.checkpoint.parameters / 1e6)
        return f"{self.checkpoint.name} ({millions:,} M parameters, {how.dtype})"

    async def _follow_start(self, process: EngineProcess, began: float) -> bool:
        """Tell how the start goes on; True once it is healthy, False if it dies or hangs."""
        told, told_at = "", time.monotonic()
        while (took_s := time.monotonic() - began) < START_TIMEOUT_S:
            for line in process.new_lines():
                now = stage(line)
                if now and now != told:
                    told, told_at = now, time.monotonic()
                    self.report(f"engine: {now}")
            if await process.wait(LOOK_EVERY_S):
                return False
            if await is_healthy(self.reached_at, self.wishes.port):
                self.report(f"engine: ready after {took_s:.0f} s")
                log.info("launcher.ready", after_s=round(took_s, 1))
                return True
            if time.monotonic() - told_at > TELL_EVERY_S:
                told_at = time.monotonic()
                self.report(f"engine: still starting after {took_s:.0f} s")
        return False

    async def _watch(self, process: EngineProcess) -> None:
        """Return when the engine has ended, or answers no more."""
        misses = 0
        while not await process.wait(WATCH_EVERY_S):
            well = await is_healthy(self.reached_at, self.wishes.port)
            misses = 0 if well else misses + 1
            if misses >= DEAF_TIMES:
                log.warning("launcher.deaf", pid=process.pid)
                return

    async def _after_death(self, cause: Cause, *, up: bool, lived: bool) -> None:
        """Pause before the next start.

        Raises:
            EngineWontStart: there is no sense in one.
        """
        self._deaths = 0 if lived else self._deaths + 1
        self._failed_starts = 0 if up else self._failed_starts + 1
        log.warning("launcher.died", why=cause.text, deaths=self._deaths)
        if not up and (cause.hopeless or self._failed_starts >= MOST_FAILED_STARTS):
            raise EngineWontStart(f"{cause.text} The log is {self.log_path}.")
        pause_s = self.pauses_s[min(self._deaths, len(self.pauses_s) - 1)]
        self.report(f"engine: it stopped. {cause.text} Starting it again in {pause_s:.0f} s")
        await asyncio.sleep(pause_s)
