"""One vLLM process with all its children: started, watched, and taken down whole.

It gets a session of its own, so that a Ctrl-C in our terminal is ours to
handle, and so that one signal reaches the group: vLLM's server, its engine core
and its workers. `engine/leash` ends it if we are killed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

STOP_TIMEOUT_S = 10.0
"""From SIGTERM to SIGKILL. vLLM ends within two seconds, or the leash forces it after eight."""
GONE_TIMEOUT_S = 5.0
LOOK_EVERY_S = 0.05
LOG_LIMIT_BYTES = 8 * 2**20
"""A longer log is put aside as `….1` before a start."""
LAST_BYTES = 256 * 2**10
"""Of the log that tells why it ended; a failed start writes some 20 KB."""
LEASH = Path(__file__).with_name("leash.py")


class EngineProcess:
    """A running vLLM. Made by `start_process`."""

    def __init__(self, process: asyncio.subprocess.Process, log_path: Path, offset: int) -> None:
        """Take a process that leads its own group and logs to a file from `offset` on."""
        self._process, self._log_path = process, log_path
        self._begin = self._read_to = offset

    @property
    def pid(self) -> int:
        """The server's process id, which is its group's too."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.returncode

    async def wait(self, timeout_s: float) -> bool:
        """Wait so long for its end; returns whether it has ended."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), timeout_s)
        return self._process.returncode is not None

    def new_lines(self) -> list[str]:
        """Return the whole lines that it logged since the last call."""
        text = self._read(self._read_to)
        whole = text[: text.rfind(b"\n") + 1]
        self._read_to += len(whole)
        return whole.decode(errors="replace").splitlines()

    def log(self) -> str:
        """Return the end of what it logged."""
        size = self._log_path.stat().st_size
        return self._read(max(self._begin, size - LAST_BYTES)).decode(errors="replace")

    async def stop(self) -> None:
        """End the whole group: ask, then force. Safe to repeat."""
        if self._process.returncode is None:
            self._signal(signal.SIGTERM)
            await self.wait(STOP_TIMEOUT_S)
        self._signal(signal.SIGKILL)
        async with asyncio.timeout(GONE_TIMEOUT_S):
            await self._process.wait()
            with suppress(ProcessLookupError):
                while True:
                    os.killpg(self.pid, 0)
                    await asyncio.sleep(LOOK_EVERY_S)

    def kill(self) -> None:
        """Force the whole group to end, without waiting."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def _read(self, offset: int) -> bytes:
        with self._log_path.open("rb") as file:
            file.seek(offset)
            return file.read(LOG_LIMIT_BYTES)


@asynccontextmanager
async def start_process(
    command: Sequence[str], *, environment: Mapping[str, str], log_path: Path
) -> AsyncIterator[EngineProcess]:
    """Run a command as a group of its own during the body; nothing of it is left behind."""
    _make_room(log_path)
    with log_path.open("ab") as log:
        offset = log.tell()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), *command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=asyncio.subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    running = EngineProcess(process, log_path, offset)
    try:
        yield running
    finally:
        try:
            with suppress(TimeoutError):
                await running.stop()
        finally:
            running.kill()


def _make_room(log_path: Path) -> None:
    """Make the log's folder, and put a long log aside."""
    log_path.parent.mkdir(parents=True, exist_ok=True)
    if log_path.exists() and log_path.stat().st_size > LOG_LIMIT_BYTES:
        log_path.replace(log_path.with_name(f"{log_path.name}.1"))
