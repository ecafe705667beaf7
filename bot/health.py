"""Health and metrics on one port: `/healthz`, `/readyz`, `/metrics`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from bot.errors import SettingsError
from bot.metrics import LOOP_LAG, LOOP_LATE

Readiness = Callable[[], Awaitable[dict[str, bool]]]
"""Tells for each part whether it works now."""

READY_TIMEOUT_S = 5.0
LAG_STEP_S = 0.1
LAG_STEPS = 100


@asynccontextmanager
async def serve_status(*, host: str, port: int, readiness: Readiness) -> AsyncIterator[int]:
    """Serve while the body runs; gives the port (another one where 0 was asked for).

    Raises:
        SettingsError: the port is taken.
    """
    application = web.Application()
    application.add_routes(
        [
            web.get("/healthz", _alive),
            web.get("/readyz", _ready(readiness)),
            web.get("/metrics", _metrics),
        ]
    )
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    try:
        await site.start()
    except OSError as error:
        await runner.cleanup()
        raise SettingsError(
            f"Port {port} on {host} is taken; set JAY_STATUS_PORT to another, or to 0 for any."
        ) from error
    lag = asyncio.create_task(_watch_lag(), name="loop lag")
    try:
        yield int(runner.addresses[0][1])
    finally:
        lag.cancel()
        await asyncio.gather(lag, return_exceptions=True)
        await runner.cleanup()


async def _alive(_: web.Request) -> web.Response:
    return web.Response(text="ok\n")


def _ready(readiness: Readiness) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(_: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                parts = await readiness()
        except TimeoutError:
            parts = {"answer_in_time": False}
        status = 200 if all(parts.values()) else 503
        return web.json_response({"ready": status == 200, "parts": parts}, status=status)

    return handle


async def _metrics(_: web.Request) -> web.Response:
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _watch_lag() -> None:
    """Measure how late the loop wakes a sleeper; the worst of the last ten seconds."""
    loop = asyncio.get_running_loop()
    while True:
        worst = 0.0
        for _ in range(LAG_STEPS):
            before = loop.time()
            await asyncio.sleep(LAG_STEP_S)
            late = max(0.0, loop.time() - before - LAG_STEP_S)
            LOOP_LATE.observe(late)
            worst = max(worst, late)
        LOOP_LAG.set(worst)
