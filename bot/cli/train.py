"""`jay train`: make a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Train a GPT-J from scratch.", no_args_is_help=True)


@app.callback()
def train() -> None:
    """Train a GPT-J from scratch."""


@app.command()
def mini(
    out: Annotated[Path, typer.Option(help="Where checkpoints and the result go.")] = Path(
        "build/training/mini"
    ),
) -> None:
    """Train the bundled mini checkpoint; a run that was stopped goes on where it was."""
