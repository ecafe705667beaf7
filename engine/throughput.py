"""How long a wait will be, from how long places were held of late.

Pure: the caller measures.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

REMEMBERED = 64
"""Places' worth of requests: the estimate follows the last full round, and not the last hour."""


@dataclass(slots=True)
class Throughput:
    """The measured pace of an engine with a number of places."""

    places: int
    """Requests that it serves side by side, at least 1."""
    _held_s: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    def note(self, held_s: float) -> None:
        """Take in how long a request held its place, however it ended."""
        self._held_s.append(held_s)

    def wait_s(self, ahead: int) -> float | None:
        """Return how long whoever has so many before it will wait; None: nothing is known yet.

        All places taken, one comes free each mean time of holding, divided by
        their number; the wait ends with the place after those that go to others.
        """
        if not self._held_s:
            return None
        mean_s = sum(self._held_s) / len(self._held_s)
        return (ahead + 1) * mean_s / self.places
