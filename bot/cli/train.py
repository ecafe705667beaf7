"""`jay train`: make a checkpoint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.long_runs import INTERRUPTED, Meter, interruptible, training_extra

app = typer.Typer(help="Train a GPT-J from scratch.", no_args_is_help=True)


@app.callback()
def train() -> None:
    """Train a GPT-J from scratch."""


@app.command()
def mini(
    out: Annotated[Path, typer.Option(help="Where the run is kept, and taken up again.")] = Path(
        "build/training/mini"
    ),
    tokens: Annotated[
        int | None, typer.Option(min=1, help="How much to train on, instead of the recipe's.")
    ] = None,
    recipe: Annotated[str, typer.Option(help="Another recipe, by name or path.")] = "mini",
    publish: Annotated[
        Path | None, typer.Option(help="Where the checkpoint goes; OUT/model unless given.")
    ] = None,
) -> None:
    """Train the bundled checkpoint; a run that was stopped goes on where it was. Hours."""
    with training_extra():
        from engine.training import pretrain
        from engine.training.publish import publish as write
        from engine.training.ranks import is_first
        from engine.training.recipe import load_recipe
    chosen = load_recipe(recipe)
    if tokens is not None:
        chosen = replace(chosen, tokens=tokens)
    with interruptible() as interrupted:
        complete = pretrain.train(chosen, out=out, progress=Meter(), stop=interrupted.is_set)
    if not is_first():
        return
    if not complete:
        typer.echo(f"\nStopped and saved in {out}; the same command goes on from there.")
        raise typer.Exit(INTERRUPTED)
    model = write(out, publish or out / "model")
    typer.echo(f"\nDone: {model}. Serve it with `jay engine serve --model {model}`.")
