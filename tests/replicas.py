"""The real router before engines, and several real vLLMs behind it, of which one dies on request."""

from __future__ import annotations

import asyncio
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from vllm_server import START_TIMEOUT_S, free_port, kill_server

from engine.ground import is_healthy
from engine.launcher import serve, wait_until_up
from engine.router import router_command

ROUTER_START_S = 30.0
LOOK_EVERY_S = 0.05


@asynccontextmanager
async def routing(replicas: Sequence[str], log_path: Path) -> AsyncIterator[str]:
    """Run the router before these addresses; gives its own, with `/v1`. Ends at once."""
    port = free_port()
    command, *options = router_command(
        replicas, host="127.0.0.1", port=port, metrics_port=free_port()
    )
    with log_path.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name(command), *options, stdout=log, stderr=log
        )
    try:
        async with asyncio.timeout(ROUTER_START_S):
            while not await asyncio.to_thread(_is_ready, port):
                assert process.returncode is None, f"the router ended: {log_path}"
                await asyncio.sleep(LOOK_EVERY_S)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readiness", timeout=2):
            return True
    except OSError:
        return False


@dataclass
class Replicas:
    """One engine, or several behind a router. Whoever started them starts again what dies."""

    url: str
    """The router's, or that of the only one, with `/v1`: what Jay is given as ENGINE_URL."""
    engines: list[str]
    killed: list[float] = field(default_factory=list)
    """When, by the monotonic clock."""

    async def kill_one(self) -> str:
        """Kill, with signal 9, the replica that lives and was killed longest ago.

        The last of several that lives is spared.

        Returns:
            Its address; empty where none was killed.
        """
        living = [url for url in self.engines if await self.lives(url)]
        if len(living) < min(2, len(self.engines)):
            return ""
        url = living[0]
        await asyncio.to_thread(kill_server, url)
        self.killed.append(time.monotonic())
        self.engines.remove(url)
        self.engines.append(url)
        return url

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
        url = await stack.enter_async_context(routing(engines, folder / "router.log"))
        yield Replicas(url=url, engines=list(engines))
