"""`jay demo`: everything on this machine, with a page to try it on."""

from __future__ import annotations

from typing import Annotated

import typer

NAME = "demo"


def command(
    check: Annotated[
        bool, typer.Option("--check", help="Hold a scripted conversation and exit.")
    ] = False,
    port: Annotated[int, typer.Option(help="Where the page is served.")] = 8090,
) -> None:
    """Start Valkey, vLLM, the sandbox and Jay, and open the page."""
    import asyncio
    import sys

    from bot.demo import demo
    from bot.logs import set_up_logs
    from bot.settings import load_settings

    settings = load_settings()
    set_up_logs(level="warning" if settings.log_level == "info" else settings.log_level)
    sys.exit(asyncio.run(demo(settings, check=check, port=port)))
