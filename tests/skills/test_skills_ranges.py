from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.skills.ranges import DAY_S, DEFAULT_LAST, MOST, parse_range

NOW = 20_000 * DAY_S + 15 * 3600.0


@pytest.mark.parametrize(
    ("text", "limit", "since"),
    [
        ("", DEFAULT_LAST, 0.0),
        ("50", 50, 0.0),
        ("last 50", 50, 0.0),
        ("the last 20 messages", 20, 0.0),
        ("last 999999", MOST, 0.0),
        ("today", MOST, 20_000 * DAY_S),
        ("Yesterday", MOST, 19_999 * DAY_S),
        ("3 hours", MOST, NOW - 3 * 3600),
        ("last 2 days", MOST, NOW - 2 * DAY_S),
        ("last week", MOST, NOW - 7 * DAY_S),
    ],
)
def test_ranges_that_people_write_are_understood(text: str, limit: int, since: float) -> None:
    found = parse_range(text, now=NOW)

    assert found is not None
    assert (found.limit, found.since) == (limit, since)


@pytest.mark.parametrize("text", ["last 0", "soon", "-5", "the day the sky fell"])
def test_nonsense_is_no_range(text: str) -> None:
    """A guess would sum up what nobody asked for."""
    assert parse_range(text, now=NOW) is None


@given(st.text(max_size=60))
def test_no_text_breaks_the_parser(text: str) -> None:
    found = parse_range(text, now=NOW)

    assert found is None or 1 <= found.limit <= MOST
