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
GROWTH = 3.0
"""0.25, 0.75, 2.25 s: a router has found another replica by then."""
AGAIN = (EngineBroke, EngineStalled, EngineUnreachable)


@dataclass(slots=True, kw_only=True)
class Patience:
    """Counts the attempts of one reply."""

    retries: int
    first_pause_s: float = FIRST_PAUSE_S
    taken: int = 0

    def pause_s(self, error: EngineError, *, begun: bool) -> float:
        """Return how long to pause before the next attempt.

        Args:
            error: what ended the last one.
            begun: whether something was said already. A full queue is then no
                reason to give up at once: the person reads half a reply.

        Raises:
            EngineError: no more attempts; half a reply ends as `EngineBroke`.
        """
        again = AGAIN + ((EngineBusy,) if begun else ())
        if not isinstance(error, again) or self.taken >= self.retries:
            if begun and not isinstance(error, EngineBroke | EngineStalled):
                raise EngineBroke(f"{error}, in the middle of a reply") from error
            raise error
        pause_s = min(LONGEST_PAUSE_S, self.first_pause_s * GROWTH**self.taken)
        self.taken += 1
        return pause_s * random.uniform(0.8, 1.2)
