"""`python -m adapters.sandbox`: run the sandbox until it is told to stop.

Prints one line of JSON with every address and token as soon as it serves.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

import structlog

from adapters.sandbox.server import Sandbox


def main(arguments: list[str] | None = None) -> int:
    """Run the command line. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m adapters.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="interface to listen on")
    parser.add_argument("--port", type=int, default=8090, help="port, 0 for any free one")
    parser.add_argument("--events-url", help="post Slack events there, signed, not by socket")
    parser.add_argument("--no-agent", action="store_true", help="the Slack app is no agent")
    parser.add_argument("--state", type=Path, help="JSON file to go on from and to save to")
    given = parser.parse_args(arguments)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=sys.stderr))
    sandbox = Sandbox(
        given.host,
        given.port,
        events_url=given.events_url,
        agent=not given.no_agent,
        state_file=given.state,
    )
    try:
        asyncio.run(serve(sandbox))
    except OSError as error:
        print(f"sandbox: cannot listen on {given.host}:{given.port}: {error}", file=sys.stderr)
        return 1
    return 0


async def serve(sandbox: Sandbox) -> None:
    """Serve until SIGINT or SIGTERM."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with sandbox:
        print(json.dumps(sandbox.addresses()), flush=True)
        await stopped.wait()


if __name__ == "__main__":
    raise SystemExit(main())
