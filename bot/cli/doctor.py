"""`jay doctor`: what works, what doesn't, and what to do."""

from __future__ import annotations

import typer

NAME = "doctor"


def command() -> None:
    """Check the settings and everything that they point to."""
    import asyncio

    from bot.doctor import findings
    from bot.settings import load_settings

    settings = load_settings()

    async def show() -> bool:
        well = True
        async for finding in findings(settings):
            well = well and finding.ok
            typer.echo(f"{'ok  ' if finding.ok else 'FAIL'} {finding.name}: {finding.detail}")
            if not finding.ok and finding.hint:
                typer.echo(f"       {finding.hint}")
        return well

    raise typer.Exit(0 if asyncio.run(show()) else 1)
