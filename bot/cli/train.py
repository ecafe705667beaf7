"""`jay train`: make a checkpoint."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from bot.errors import SettingsError

if TYPE_CHECKING:
    from engine.training.pretrain import Progress

EXTRA = frozenset({"torch", "transformers", "safetensors", "numpy"})
"""What the extra `training` installs."""
SMOOTHING = 0.9
"""Of the time a step takes; single steps vary with what else the machine does."""
INTERRUPTED = 130
"""Exit status of a program that Ctrl-C ended."""

app = typer.Typer(help="Train a GPT-J from scratch.", no_args_is_help=True)


class TrainingMissing(SettingsError):
    """The training extra is not installed."""

    hint = "pip install 'jay-gptj[training]'"


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
    try:
        from engine.training import pretrain
        from engine.training.publish import publish as write
        from engine.training.recipe import load_recipe
    except ModuleNotFoundError as error:
        if error.name not in EXTRA:
            raise
        raise TrainingMissing(f"training needs {error.name}, which is not installed") from error
    chosen = load_recipe(recipe)
    if tokens is not None:
        chosen = replace(chosen, tokens=tokens)
    with _interruptible() as interrupted:
        complete = pretrain.train(chosen, out=out, progress=_Meter(), stop=interrupted.is_set)
    if not complete:
        typer.echo(f"\nStopped and saved in {out}; the same command goes on from there.")
        raise typer.Exit(INTERRUPTED)
    model = write(out, publish or out / "model")
    typer.echo(f"\nDone: {model}. Serve it with `jay engine serve --model {model}`.")


class _Meter:
    """Shows how far a run is: one line that is written over, or a line now and then."""

    def __init__(self) -> None:
        self._step_s = 0.0
        self._over = sys.stdout.isatty()

    def __call__(self, progress: Progress) -> None:
        kept = SMOOTHING if self._step_s else 0.0
        self._step_s = kept * self._step_s + (1 - kept) * progress.took_s
        last = progress.step == progress.steps
        if not self._over and progress.step % 10 and not last:
            return
        left = self._step_s * (progress.steps - progress.step)
        text = (
            f"step {progress.step:,} of {progress.steps:,} · loss {progress.loss:.3f} · "
            f"{progress.tokens / self._step_s:,.0f} tokens/s · {_clock(left)} left"
        )
        sys.stdout.write(f"\r\033[K{text}" if self._over else f"{text}\n")
        sys.stdout.flush()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Have the first Ctrl-C or SIGTERM set the event, and the second one end the program."""
    asked = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        asked.set()
        for number, handler in before.items():
            signal.signal(number, handler)

    before = {one: signal.signal(one, ask) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
