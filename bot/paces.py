"""How often a platform lets itself be written to and read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often one lane of a platform may be written to."""

    writes: int
    per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedPace:
    """How often all lanes of a platform together may be written to."""

    making_per_s: float
    """Writes of replies in the making."""
    last_per_s: float
    """Writes in all; those with a reply's last words go first."""
    burst: int = 1
    posts: bool = True
    """Whether posts count; else edits alone."""
