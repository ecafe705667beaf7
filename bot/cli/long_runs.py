"""What commands that take hours share: the extra they need, a meter, and a Ctrl-C that saves."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from bot.errors import SettingsError

if TYPE_CHECKING:
    from engine.training.pretrain import Progress

EXTRA = frozenset({"torch", "transformers", "safetensors", "numpy", "peft"})
"""What the extra `training` installs."""
SMOOTHING = 0.9
"""Of the time a step takes; single steps vary with what else the machine does."""
AGAIN_S = 1.0
"""A second signal so soon is the first one: `torchrun` passes on what its whole group got."""
INTERRUPTED = 130
"""Exit status of a program that Ctrl-C ended."""


class TrainingMissing(SettingsError):
    """The training extra is not installed."""

    hint = "pip install 'jay-gptj[training]'"


@contextmanager
def training_extra() -> Iterator[None]:
    """Run the imports of a command that trains.

    Raises:
        TrainingMissing: what they need is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in EXTRA:
            raise
        raise TrainingMissing(f"training needs {error.name}, which is not installed") from error


class Meter:
    """Shows how far a run is: one line that is written over, or a line now and then."""

    def __init__(self) -> None:
        """Show it on standard output."""
        self._step_s = 0.0
        self._over = sys.stdout.isatty()

    def __call__(self, progress: Progress) -> None:
        """Show a step."""
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
def interruptible() -> Iterator[threading.Event]:
    """Have the first Ctrl-C or SIGTERM set the event, and a later one end the program."""
    asked = threading.Event()
    first_at = 0.0

    def ask(number: int, _frame: FrameType | None) -> None:
        nonlocal first_at
        if not asked.is_set():
            first_at = time.monotonic()
            asked.set()
        elif time.monotonic() - first_at > AGAIN_S:
            signal.signal(number, before[signal.Signals(number)])
            signal.raise_signal(number)

    before = {one: signal.signal(one, ask) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
