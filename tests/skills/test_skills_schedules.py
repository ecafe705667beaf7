"""When something is due: in words, on the clock, across summer and winter."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.skills.schedules import NoSchedule, Schedule, parse_schedule

ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe",
    "Pacific/Apia", "America/Santiago", "Africa/Casablanca", "Pacific/Chatham",
)  # fmt: skip
BERLIN = ZoneInfo("Europe/Berlin")

moments = st.floats(min_value=1.2e9, max_value=2.2e9)
schedules = st.builds(
    Schedule,
    days=st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    at=st.builds(time, st.integers(0, 23), st.integers(0, 59)),
)


@given(schedule=schedules, after=moments, zone=st.sampled_from(ZONES))
def test_the_next_time_is_later_and_the_first_of_its_kind(
    schedule: Schedule, after: float, zone: str
) -> None:
    """A time that isn't later would be due again at once, for ever."""
    clock = ZoneInfo(zone)
    found = schedule.next(after, clock)

    assert found > after
    assert schedule.last(found, clock) == found
    assert schedule.last(found - 0.001, clock) <= after
    assert found - after <= 15 * 86_400


@given(schedule=schedules, after=moments, zone=st.sampled_from(ZONES))
def test_it_falls_on_a_day_and_time_that_were_asked_for(
    schedule: Schedule, after: float, zone: str
) -> None:
    """Only a clock that skips the time may show a later one, and on the same day."""
    clock = ZoneInfo(zone)
    at = datetime.fromtimestamp(schedule.next(after, clock), clock)

    assert at.weekday() in schedule.days
    if (at.hour, at.minute) != (schedule.at.hour, schedule.at.minute):
        named = datetime.combine(at.date(), schedule.at)
        skipped = at.replace(tzinfo=None) - named
        before = at - timedelta(hours=3)
        assert skipped == at.utcoffset() - before.utcoffset() > timedelta()


@given(schedule=schedules)
def test_a_schedule_is_read_from_its_own_words(schedule: Schedule) -> None:
    """The store keeps the words."""
    assert parse_schedule(schedule.said) == schedule


@given(text=st.text(max_size=60) | st.text("every day 0123456789:monpa,/ ", max_size=40))
def test_any_text_is_a_schedule_or_answered_with_an_example(text: str) -> None:
    for words in (text, f"every {text}"):
        found = parse_schedule(words)
        assert isinstance(found, Schedule) or "`" in found.told


@pytest.mark.parametrize(
    ("text", "said", "zone"),
    [
        ("every weekday 9:00", "every weekday 9:00", ""),
        ("Every Day at 18:00", "every day 18:00", ""),
        ("every monday 9:00", "every monday 9:00", ""),
        ("every mon, wed and fri at 5 pm", "every monday and wednesday and friday 17:00", ""),
        ("every tuesday/thursday noon", "every tuesday and thursday 12:00", ""),
        ("each sat and sun 10.30", "every weekend 10:30", ""),
        ("daily 7:05", "every day 7:05", ""),
        ("weekdays at 9am", "every weekday 9:00", ""),
        ("every day 9:00 europe/berlin", "every day 9:00", "Europe/Berlin"),
        ("every day 9:00 (America/New_York time)", "every day 9:00", "America/New_York"),
        ("every day 9:00 UTC", "every day 9:00", "UTC"),
    ],
)
def test_schedules_as_people_write_them(text: str, said: str, zone: str) -> None:
    found = parse_schedule(text)

    assert isinstance(found, Schedule)
    assert (found.said, found.zone) == (said, zone)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("every", "Try `every weekday 9:00`"),
        ("every now and then", "Try `every weekday 9:00`"),
        ("every day 25:00", "Try `every weekday 9:00`"),
        ("every hour", "Try `every weekday 9:00`"),
        ("every 12 nov 2020 9:00", "Try `every weekday 9:00`"),
        ("every last monday 9:00", "Try `every weekday 9:00`"),
        ("every monday", "At what time of day?"),
        ("every day 9:00 Middle/Earth", "I know no clock “Middle/Earth”"),
        ("9:00", "Try `every weekday 9:00`"),
    ],
)
def test_nonsense_is_answered_with_examples(text: str, told: str) -> None:
    found = parse_schedule(text)

    assert isinstance(found, NoSchedule)
    assert told in found.told


@pytest.mark.parametrize(
    ("day", "shown"),
    [("2026-03-28", "03:30+02:00"), ("2026-03-29", "02:30+02:00"), ("2026-10-24", "02:30+02:00")],
)
def test_half_past_two_when_the_clock_changes(day: str, shown: str) -> None:
    """In Berlin there is none on 29 March 2026, and there are two on 25 October."""
    after = datetime.fromisoformat(f"{day}T12:00+01:00").timestamp()
    found = parse_schedule("every day 2:30")
    assert isinstance(found, Schedule)

    at = datetime.fromtimestamp(found.next(after, BERLIN), BERLIN)

    assert at.isoformat(timespec="minutes").endswith(shown)


def test_a_weekday_after_friday_is_monday() -> None:
    friday = datetime(2026, 11, 27, 9, 0, tzinfo=UTC).timestamp()
    found = parse_schedule("every weekday 9:00")
    assert isinstance(found, Schedule)

    assert found.next(friday, UTC) == friday + 3 * 86_400
    assert found.last(friday + 86_400, UTC) == friday
