"""What a check found. Every outer room brings its own `checks`; `jay doctor` shows them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str
    """What was found, in a few words; never a secret."""
    hint: str = ""
    """What to do where it is not well."""
