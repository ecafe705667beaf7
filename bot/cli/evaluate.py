"""`jay evaluate`: how well the skills do on the checkpoint in use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Measure the checkpoint in use.", no_args_is_help=True)

DATA = Path("tests/data/answers.json")
RESULTS = Path("build/bench.json")


@app.callback()
def evaluate() -> None:
    """Measure the checkpoint in use."""


@app.command()
def skills(
    data: Annotated[Path, typer.Option(help="Conversations with known facts.")] = DATA,
    out: Annotated[Path, typer.Option(help="Where the figures are merged in.")] = RESULTS,
    develop: Annotated[
        bool, typer.Option(help="Ask the part to develop with, and print what went wrong.")
    ] = False,
) -> None:
    """Answer questions about conversations with known facts; print and keep the figures. Minutes."""
    import asyncio

    from rich.console import Console

    from bot.figures import merge, show
    from bot.logs import set_up_logs
    from bot.measuring import measure_answers
    from bot.settings import load_settings

    settings = load_settings()
    set_up_logs(level="warning" if settings.log_level == "info" else settings.log_level)
    console = Console()
    told = asyncio.run(
        measure_answers(
            settings,
            data,
            report=lambda line: console.print(f"[dim]· {line}[/]"),
            develop=develop,
        )
    )
    show(told, console)
    merge(told, out)
    console.print(f"[dim]kept in {out}[/]")
