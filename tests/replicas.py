"""The real router before engines, and several real vLLMs behind it, of which one dies on request."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from vllm_server import START_TIMEOUT_S, free_port, kill_server

from engine.ground import is_healthy
from engine.launcher import serve, wait_until_up
from engine.router import router_command

ROUTER_START_S = 30.0
LOOK_EVERY_S = 0.05


@contextmanager
def routing(replicas: Sequence[str], log_path: Path) -> Iterator[str]:
    """Run the router before these addresses; gives its own, with `/v1`."""
    port = free_port()
    command, *options = router_command(
        replicas, host="127.0.0.1", port=port, metrics_port=free_port()
    )
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            [Path(sys.executable).with_name(command), *options], stdout=log, stderr=log
        )
    try:
        _wait_until_ready(port, process, log_path)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()
        process.wait(10)


def _wait_until_ready(port: int, process: subprocess.Popen[bytes], log_path: Path) -> None:
    deadline = time.monotonic() + ROUTER_START_S
    while True:
        assert process.poll() is None, log_path.read_text()
        assert time.monotonic() < deadline, "the router does not answer"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readiness", timeout=2):
                return
        except OSError:
            time.sleep(LOOK_EVERY_S)


@dataclass
class Replicas:
    """Engines behind a router. The product's launcher starts each again when it dies."""

    url: str
    """The router's, with `/v1`: what Jay is given as ENGINE_URL."""
    engines: list[str]
    killed: list[float] = field(default_factory=list)
    """When, by the monotonic clock."""

    async def kill_one(self) -> str:
        """Kill, with signal 9, the replica that lives and was not killed last.

        Returns its address; empty where none lives.
        """
        for url in self.engines:
            if await self.lives(url):
                await asyncio.to_thread(kill_server, url)
                self.killed.append(time.monotonic())
                self.engines.remove(url)
                self.engines.append(url)
                return url
        return ""

    async def lives(self, url: str) -> bool:
        host, _, port = url.removeprefix("http://").removesuffix("/v1").rpartition(":")
        return await is_healthy(host, int(port))


@asynccontextmanager
async def running_replicas(
    checkpoint: Path, *, folder: Path, report: Callable[[str], None], count: int = 2
) -> AsyncIterator[Replicas]:
    """Keep so many vLLMs with a checkpoint running behind a router during the body."""
    async with AsyncExitStack() as stack:
        engines = []
        for at in range(count):
            engine = serve(
                checkpoint,
                port=free_port(),
                log_path=folder / f"engine-{at}.log",
                on_progress=lambda line, at=at: report(f"replica {at}: {line}"),
            )
            engines.append(await stack.enter_async_context(engine))
        for url in engines:
            await wait_until_up(url, timeout_s=START_TIMEOUT_S)
        router = routing(engines, folder / "router.log")
        url = await asyncio.to_thread(router.__enter__)
        stack.callback(router.__exit__, None, None, None)
        yield Replicas(url=url, engines=engines)
