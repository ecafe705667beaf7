"""`jay finetune`: teach a checkpoint an operator's own conversations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.long_runs import INTERRUPTED, Meter, interruptible, training_extra

if TYPE_CHECKING:
    from engine.training.finetune import Data, Outcome

NAME = "finetune"
MOST_LINES_TOLD = 12


def command(
    data: Annotated[
        Path, typer.Argument(metavar="DATA.jsonl", help="A conversation a line, as JSON.")
    ],
    out: Annotated[Path, typer.Option(help="Where the run is kept; the model is in OUT/model.")],
    recipe: Annotated[
        str, typer.Option(help="tune, gptj-6b-lora, or the path of your own.")
    ] = "tune",
    start: Annotated[
        Path | None, typer.Option("--from", help="The checkpoint; none: the bundled one.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="How often each line is learned from.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="At most so many; one tries a machine out.")
    ] = None,
    rows: Annotated[int | None, typer.Option(min=1, help="Lines a step.")] = None,
    rows_at_once: Annotated[
        int | None, typer.Option(min=1, help="Lines in memory at once; the step adds them up.")
    ] = None,
    row_tokens: Annotated[int | None, typer.Option(min=16, help="Longest line, in tokens.")] = None,
    dummy_weights: Annotated[
        bool, typer.Option(help="Invent the weights, to try a machine out.")
    ] = False,
) -> None:
    """Teach a checkpoint your conversations; a run that was stopped goes on where it was."""
    with training_extra():
        from engine.training.finetune import MODEL, finetune
        from engine.training.recipe import load_tuning
    found = load_tuning(recipe)
    chosen = replace(
        found,
        epochs=epochs or found.epochs,
        most_steps=steps or found.most_steps,
        rows=rows or found.rows,
        rows_at_once=rows_at_once or found.rows_at_once,
        row_tokens=row_tokens or found.row_tokens,
    )
    with interruptible() as interrupted:
        outcome = finetune(
            data,
            chosen,
            out=out,
            start=start,
            dummy=dummy_weights,
            found=_tell_data,
            progress=Meter(),
            stop=interrupted.is_set,
        )
    if not outcome.complete:
        typer.echo(f"\nStopped and saved in {out}; the same command goes on from there.")
        raise typer.Exit(INTERRUPTED)
    if outcome.first:
        _tell(outcome)
        model = out / MODEL
        typer.echo(f"Done: {model}. Serve it with `jay engine serve --model {model}`.")


def _tell_data(data: Data) -> None:
    typer.echo(f"{len(data.learned)} lines to learn, {len(data.held_out)} kept to measure on.")
    if data.cut:
        numbers = ", ".join(map(str, data.cut[:MOST_LINES_TOLD]))
        more = f" and {len(data.cut) - MOST_LINES_TOLD} more" * (len(data.cut) > MOST_LINES_TOLD)
        typer.echo(
            f"{len(data.cut)} are longer than a row of {data.longest:,} tokens and lose their "
            f"beginning: line {numbers}{more}."
        )
    if data.pale:
        typer.echo("Their system messages are left out: the prompt family has no place for them.")


def _tell(outcome: Outcome) -> None:
    after = outcome.after
    if after is None:
        return
    typer.echo(f"\n{outcome.tuned_parameters:,} weights were tuned.")
    typer.echo("loss, nats a token of the assistant's     before    after")
    rows = [("your lines kept from training", outcome.before.held_out, after.held_out)]
    if outcome.before.corpus is not None and after.corpus is not None:
        rows.append(("what it was taught before", outcome.before.corpus, after.corpus))
    for name, before, now in rows:
        typer.echo(f"  {name:36} {before:9.3f} {now:8.3f}")
    typer.echo(f"Most memory at a time: {outcome.peak_bytes / 2**30:.1f} GiB.")
