"""A pytest plugin: one real vLLM with a tiny random GPT-J, shared by all tests that ask for it.

It is started by the product's own launcher, in a thread with a loop of its
own, since a test's loop ends with the test.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tiny_gptj import write_tiny_gptj

from bot.errors import JayError
from engine.launcher import serve, wait_until_up

START_TIMEOUT_S = 500.0
"""It takes 35 s where nothing else runs, and minutes on a machine that is full."""
TEST_TIMEOUT_S = START_TIMEOUT_S + 120
LOOK_EVERY_S = 0.05
WORKS_S = 0.005
RESTS_S = 0.5
CORE_NAME = "VLLM::EngineCor"
"""How the kernel shortens the name that vLLM gives it."""


@dataclass
class RunningVllm:
    """A vLLM that answers."""

    url: str
    checkpoint: Path
    log_path: Path
    progress: list[str] = field(default_factory=list)

    def metric(self, name: str) -> float:
        """Return the sum of a metric over its labels, as `/metrics` tells it."""
        with urllib.request.urlopen(f"{self.url.removesuffix('/v1')}/metrics", timeout=10) as page:
            text = page.read().decode()
        found = re.findall(rf"^{re.escape(name)}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE)
        return sum(float(value) for value in found)

    def kill_server(self) -> None:
        """Kill the API server as the kernel would: with signal 9, without warning."""
        kill_server(self.url)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let what is sent meanwhile wait at its door, and come in together."""
        pid = server_pid(self.url)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    @contextmanager
    def slowed(self) -> Iterator[None]:
        """Let the engine work a hundredth of the time, and its API server all of it.

        A tiny model says all in a moment, before anybody who reads along could
        do something in mid reply.
        """
        over = threading.Event()
        core = core_pid(self.url)

        def hold() -> None:
            with suppress(ProcessLookupError):  # It may have been killed.
                while not over.wait(WORKS_S):
                    os.kill(core, signal.SIGSTOP)
                    over.wait(RESTS_S)
                    os.kill(core, signal.SIGCONT)

        holder = threading.Thread(target=hold, name="vllm-slowed")
        holder.start()
        try:
            yield
        finally:
            over.set()
            holder.join()

    def wait_until_up(self) -> None:
        """Return once it is healthy."""
        asyncio.run(wait_until_up(self.url, timeout_s=START_TIMEOUT_S))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give whichever test comes first the time that the start takes."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        starts = ("vllm" in fixtures) + ("second_vllm" in fixtures)
        if starts and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(starts * TEST_TIMEOUT_S))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_gptj(tmp_path_factory.mktemp("checkpoints") / "tiny")


@pytest.fixture(scope="session")
def vllm(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningVllm]:
    """Serve the tiny checkpoint until the session ends."""
    with running_vllm(tiny_checkpoint, tmp_path_factory.mktemp("vllm")) as server:
        yield server


@pytest.fixture(scope="session")
def second_vllm(
    vllm: RunningVllm, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningVllm]:
    """A replica of the shared one, to be killed as a test likes."""
    with running_vllm(vllm.checkpoint, tmp_path_factory.mktemp("vllm-2")) as server:
        yield server


@contextmanager
def running_vllm(checkpoint: Path, folder: Path) -> Iterator[RunningVllm]:
    """Keep a vLLM running, in a thread of its own, and start it again when it dies."""
    port = free_port()
    server = RunningVllm(
        url=f"http://127.0.0.1:{port}/v1", checkpoint=checkpoint, log_path=folder / "engine.log"
    )
    failed: list[BaseException] = []
    stop_it: list[Callable[[], object]] = []

    async def keep() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        stop_it.append(lambda: loop.call_soon_threadsafe(stop.set))
        async with serve(
            checkpoint, port=port, log_path=server.log_path, on_progress=server.progress.append
        ):
            await stop.wait()

    def run() -> None:
        try:
            asyncio.run(keep())
        except (JayError, OSError) as error:
            failed.append(error)

    thread = threading.Thread(target=run, name="vllm")
    thread.start()
    try:
        _wait_for(server, failed)
        yield server
    finally:
        for stop in stop_it:
            stop()
        thread.join(timeout=30)


def _wait_for(server: RunningVllm, failed: list[BaseException]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not any("ready" in line for line in server.progress):
        if failed or time.monotonic() > deadline:
            log = server.log_path.read_text() if server.log_path.exists() else ""
            pytest.fail(f"vLLM did not start: {failed} {server.progress} {log[-3000:]}")
        time.sleep(LOOK_EVERY_S)


def kill_server(url: str) -> None:
    os.kill(server_pid(url), signal.SIGKILL)


def server_pid(url: str) -> int:
    port = url.removesuffix("/v1").rpartition(":")[2]
    for folder in Path("/proc").iterdir():
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"-m" in command[:2] and f"{port}".encode() in command:
            return int(folder.name)
    raise AssertionError(f"no vLLM process listens at {port}")


def core_pid(url: str) -> int:
    """Return the process of the engine itself, which the API server has as its child."""
    server = server_pid(url)
    for child in Path(f"/proc/{server}/task/{server}/children").read_text().split():
        if Path(f"/proc/{child}/comm").read_text().startswith(CORE_NAME):
            return int(child)
    raise AssertionError(f"the vLLM at {url} has no engine")
