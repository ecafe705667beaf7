"""The loss curve of a run, a JSON line a step.

A run that was killed is taken up at its last checkpoint, which may be older
than the last line: lines after it are dropped, for their steps come again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

LOG = "losses.jsonl"


class Losses:
    """The open log."""

    def __init__(self, file: TextIO) -> None:
        """Write to an open file."""
        self._file = file

    def note(self, step: int, loss: float) -> None:
        """Add a step; it stands in the file when this returns."""
        self._file.write(json.dumps({"step": step, "loss": round(loss, 6)}) + "\n")
        self._file.flush()


@contextmanager
def open_losses(folder: Path, *, after: int) -> Iterator[Losses]:
    """Open the log of a run that stands after so many steps."""
    path = folder / LOG
    kept = [line for line in _lines(path) if _step(line) <= after]
    path.write_text("".join(f"{line}\n" for line in kept))
    with path.open("a") as file:
        yield Losses(file)


def read_losses(folder: Path) -> list[float]:
    """Return the loss of each step, the first first."""
    return [json.loads(line)["loss"] for line in _lines(folder / LOG)]


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _step(line: str) -> float:
    """Return the step of a line; a line that was cut off by a kill comes after all."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
