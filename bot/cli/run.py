"""`jay run`: serve Slack and Discord."""

from __future__ import annotations

from typing import Annotated

import typer

NAME = "run"


def command(
    only: Annotated[str, typer.Option(help="Run one part alone: slack, discord or worker.")] = "",
) -> None:
    """Serve the platforms that have a token, until Ctrl-C or SIGTERM."""
    import asyncio

    from bot.app import open_app, stop_on_signals
    from bot.logs import set_up_logs
    from bot.settings import load_settings

    settings = load_settings()
    set_up_logs(level=settings.log_level, as_json=settings.log_json)

    async def serve() -> None:
        stop = asyncio.Event()
        stop_on_signals(stop)
        async with open_app(settings, only=only) as app:
            await app.run(report=lambda line: typer.echo(f"· {line}", err=True), stop=stop)

    asyncio.run(serve())
