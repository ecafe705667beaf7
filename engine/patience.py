"""How long a broken reply is kept alive: how often it is asked again, and how far apart.

Not stamina's: that repeats a call as it was, and here every attempt asks for
less, while what was said stays said. Pure but for `random`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from bot.errors import (
    EngineBroke,
    EngineBusy,
    EngineError,
    EngineStalled,
    EngineUnreachable,
)

FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 8.0
LONGEST_AWAY_PAUSE_S = 2.0
"""Whoever waits for an engine to come back shall not wait much longer than it takes."""
GROWTH = 3.0
"""0.25, 0.75, 2.25 s: a router has found another replica by then."""
MOST_GROWN = 8
"""Powers that grow; by then every pause is its longest."""
FURTHER_TOKENS = 16
"""A reply that got so much further has its retries back. Fewer don't count: what kills the engine
after each word would else kill it a hundred times."""
AGAIN = (EngineBroke, EngineStalled, EngineUnreachable)


@dataclass(slots=True, kw_only=True)
class Patience:
    """Counts the attempts of one reply that got it no further."""

    retries: int
    away_s: float = 0.0
    """An engine that is gone is waited for that long, however often it is asked; 0: no longer
    than the retries last."""
    first_pause_s: float = FIRST_PAUSE_S
    taken: int = 0
    _tokens: int = 0
    _away_at: float | None = None

    def pause_s(self, error: EngineError, *, tokens: int, now: float) -> float:
        """Return how long to pause before the next attempt.

        Args:
            error: what ended the last one.
            tokens: what the reply has so far. Once it has begun, a full queue is
                no reason to give up at once: the person reads half a reply.
            now: by any clock, in seconds.

        Raises:
            EngineError: no more attempts; half a reply ends as `EngineBroke`.
        """
        if tokens >= self._tokens + FURTHER_TOKENS:
            self.taken, self._tokens, self._away_at = 0, tokens, None
        if not self._allows(error, begun=tokens > 0, now=now):
            if tokens and not isinstance(error, EngineBroke | EngineStalled):
                raise EngineBroke(f"{error}, in the middle of a reply") from error
            raise error
        away = isinstance(error, EngineUnreachable)
        longest_s = LONGEST_AWAY_PAUSE_S if away else LONGEST_PAUSE_S
        grown_s = self.first_pause_s * GROWTH ** min(self.taken, MOST_GROWN)
        self.taken += 1
        return min(longest_s, grown_s) * random.uniform(0.8, 1.2)

    def _allows(self, error: EngineError, *, begun: bool, now: float) -> bool:
        if isinstance(error, EngineUnreachable) and self.away_s:
            self._away_at = now if self._away_at is None else self._away_at
            return now - self._away_at < self.away_s
        again = AGAIN + ((EngineBusy,) if begun else ())
        return isinstance(error, again) and self.taken < self.retries
