"""Spans of time as people say them. Pure."""

from __future__ import annotations

from math import ceil

A_FEW_S = 5
TENS_UNTIL_S = 60


def roughly(span_s: float) -> str:
    """Return a span in words that claim no more than an estimate knows; never shorter than it is.

    Args:
        span_s: in seconds, not negative.
    """
    if span_s <= A_FEW_S:
        return "a few seconds"
    if (tens := ceil(span_s / 10) * 10) < TENS_UNTIL_S:
        return f"about {tens} seconds"
    minutes = ceil(span_s / 60)
    return "about a minute" if minutes == 1 else f"about {minutes} minutes"
