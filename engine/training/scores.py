"""Figures with the interval that they may lie in by chance. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from bot.figures import Figure

Z = 1.96
"""Of a normal distribution: 95 % lie so many deviations around the mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One figure of a checkpoint."""

    name: str
    value: float
    low: float
    high: float
    """With 95 % confidence it lies between these two, as far as the draw of questions goes."""
    n: int
    """How many replies, dialogues or texts it stands on."""
    unit: str = "share"
    baseline: float | None = None
    """The same of the simplest way to do it."""
    how: str

    @property
    def figure(self) -> Figure:
        """What `build/bench.json` keeps of it; the interval stands in the words."""
        return Figure(
            name=self.name,
            value=self.value,
            unit=self.unit,
            baseline=self.baseline,
            n=self.n,
            how=f"{self.how}; 95 %: {self.low:.3f} to {self.high:.3f}",
        )


def share(name: str, found: Sequence[bool], *, how: str, baseline: float | None = None) -> Score:
    """Return a share with Wilson's interval, which holds for few and for extreme ones too.

    Source: E. B. Wilson, Probable Inference, JASA 22 (1927).
    """
    n = max(1, len(found))
    p = sum(found) / n
    middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    return Score(
        name=name,
        value=p,
        low=max(0.0, middle - half),
        high=min(1.0, middle + half),
        n=len(found),
        baseline=baseline,
        how=how,
    )


def mean(
    name: str, found: Sequence[float], *, unit: str, how: str, baseline: float | None = None
) -> Score:
    """Return a mean with the normal interval."""
    value = fmean(found) if found else math.nan
    half = Z * stdev(found) / math.sqrt(len(found)) if len(found) > 1 else math.inf
    return Score(
        name=name,
        value=value,
        low=value - half,
        high=value + half,
        n=len(found),
        unit=unit,
        baseline=baseline,
        how=how,
    )
