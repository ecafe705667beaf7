from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.skills.ranges import DEFAULT_LAST, MOST, NoRange, Range, needs_clock, parse_range

NOW = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)
"""A Wednesday."""
ZONES = ("UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata", "Pacific/Auckland")
moments = st.floats(1_500_000_000, 1_900_000_000)
zones = st.sampled_from(ZONES).map(ZoneInfo)


def read(text: str, *, now: datetime = NOW) -> Range:
    found = parse_range(text, now=now.timestamp(), zone=now.tzinfo or UTC)
    assert isinstance(found, Range), found
    return found


def span(found: Range) -> tuple[str, str]:
    def shown(at: float) -> str:
        return f"{datetime.fromtimestamp(at, UTC):%d %H:%M}" if 0 < at < 1e11 else ""

    return shown(found.since), shown(found.until)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("", DEFAULT_LAST),
        ("50", 50),
        ("last 50", 50),
        ("the last 20 messages", 20),
        ("last 50000", MOST),
    ],
)
def test_a_number_is_the_newest_so_many(text: str, limit: int) -> None:
    assert (read(text).limit, read(text).since) == (limit, 0.0)


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("today", "25 00:00", "26 00:00"),
        ("Yesterday", "24 00:00", "25 00:00"),
        ("3 hours", "25 12:00", ""),
        ("last 2 days", "23 15:00", ""),
        ("last week", "18 15:00", ""),
        ("90 min", "25 13:30", ""),
        ("monday", "23 00:00", "24 00:00"),
        ("last wednesday", "18 00:00", "19 00:00"),
        ("20 nov", "20 00:00", "21 00:00"),
        ("since monday 9:00", "23 09:00", ""),
        ("since monday", "23 00:00", ""),
        ("since wednesday 16:00", "18 16:00", ""),
        ("since 14:30", "25 14:30", ""),
        ("since 16:30", "24 16:30", ""),
        ("since 9am", "25 09:00", ""),
        ("since yesterday at noon", "24 12:00", ""),
        ("since 2 hours ago", "25 13:00", ""),
        ("since 2026-11-20", "20 00:00", ""),
        ("since nov 20, 9:15 pm", "20 21:15", ""),
        ("since 20.11. 9.15", "20 09:15", ""),
        ("from 20 nov to 22 nov", "20 00:00", "23 00:00"),
        ("from monday to tuesday 12:00", "23 00:00", "24 12:00"),
        ("from 9:00 to 11:30", "25 09:00", "25 11:30"),
        ("from yesterday 22:00 until 2:00", "24 22:00", "25 02:00"),
        ("between 2026-11-01 and 2026-11-02 8:00", "01 00:00", "02 08:00"),
        ("from monday to now", "23 00:00", "25 15:00"),
    ],
)
def test_ranges_that_people_write_are_understood(text: str, since: str, until: str) -> None:
    assert span(read(text)) == (since, until)


@pytest.mark.parametrize("text", ["since I was last here", "what did I miss?", "since I left"])
def test_where_a_person_left_off_is_a_range(text: str) -> None:
    assert read(text).after_mine


@pytest.mark.parametrize(
    "text",
    [
        "last 0",
        "soon",
        "-5",
        "purple",
        "since 25:00",
        "since 31 feb",
        "from a to b",
        "14:30",
        "0 h",
    ],
)
def test_nonsense_is_answered_with_examples(text: str) -> None:
    """A guess would sum up what nobody asked for."""
    found = parse_range(text, now=NOW.timestamp())

    assert isinstance(found, NoRange)
    assert (found.why, "`last 50`" in found.told) == ("unknown", True)


@pytest.mark.parametrize("text", ["since 2027-01-01", "from today 23:00 to now", "2026-11-26"])
def test_what_is_still_to_come_is_no_range(text: str) -> None:
    found = parse_range(text, now=NOW.timestamp())

    assert isinstance(found, NoRange)
    assert (found.why, "still to come" in found.told) == ("ahead", True)


def test_a_range_that_ends_before_it_begins_is_told_so() -> None:
    found = parse_range("from 20 nov to 18 nov", now=NOW.timestamp())

    assert isinstance(found, NoRange)
    assert found.why == "backwards"


def test_days_are_those_of_the_persons_clock() -> None:
    """Half the world is asked about another day otherwise."""
    now = NOW.astimezone(ZoneInfo("America/Los_Angeles"))

    found = read("today", now=now)

    assert datetime.fromtimestamp(found.since, UTC) == datetime(2026, 11, 25, 8, tzinfo=UTC)
    assert found.zone == "America/Los_Angeles"


def test_a_count_needs_no_clock() -> None:
    assert [needs_clock(one) for one in ("", "last 5", "3 hours", "what did I miss")] == [False] * 4
    assert needs_clock("since 9:00")
    assert read("3 hours").zone == ""


@given(st.text(max_size=80), moments, zones)
def test_no_text_breaks_the_parser(text: str, now: float, zone: ZoneInfo) -> None:
    found = parse_range(text, now=now, zone=zone)

    if isinstance(found, Range):
        assert 1 <= found.limit <= MOST
        assert 0.0 <= found.since < found.until
        assert found.since <= now


WORDS = """since from to until between and last the monday fri today yesterday 9:00 9am 14 nov 2026
12.11. 2026-11-20 ago hours days 3 an noon week messages at now i was here""".split()


@given(st.lists(st.sampled_from(WORDS), max_size=8), moments, zones)
def test_no_order_of_its_own_words_breaks_the_parser(
    words: list[str], now: float, zone: ZoneInfo
) -> None:
    found = parse_range(" ".join(words), now=now, zone=zone)

    if isinstance(found, Range):
        assert 1 <= found.limit <= MOST
        assert 0.0 <= found.since < found.until
        assert found.since <= now


@given(moments, st.integers(0, 5_000_000), zones)
def test_a_moment_written_out_is_that_moment(now: float, ago: int, zone: ZoneInfo) -> None:
    here = datetime.fromtimestamp(now, zone)
    wanted = (here - timedelta(minutes=ago / 60)).replace(second=0, microsecond=0, fold=0)

    found = read(f"since {wanted:%Y-%m-%d %H:%M}", now=here)

    assert found.since == wanted.timestamp()


@given(moments, zones, st.integers(0, 6), st.integers(0, 23), st.integers(0, 59))
def test_a_weekday_is_the_latest_that_is_past(
    now: float, zone: ZoneInfo, day: int, hour: int, minute: int
) -> None:
    here = datetime.fromtimestamp(now, zone)
    name = "Mon Tue Wed Thu Fri Sat Sun".split()[day]

    found = read(f"since {name} {hour}:{minute:02}", now=here)

    at = datetime.fromtimestamp(found.since, zone)
    assert at.weekday() == day
    assert 0 <= now - found.since <= 7 * 86_400 + 3_600


@given(moments, zones)
def test_today_and_yesterday_meet_at_midnight(now: float, zone: ZoneInfo) -> None:
    here = datetime.fromtimestamp(now, zone)
    today, yesterday = read("today", now=here), read("yesterday", now=here)

    assert yesterday.until == today.since <= now < today.until
