"""Ordering, listing and stopping digests, and making one that is due, driven by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fakes.skills import Hand
from fakes.talk import ANA, BEN, CHANNEL, DIRECT, command, digest, message

from bot.digests import Digest
from bot.messages import DigestRun, Place
from bot.skills import Find, Read, Request, choose
from bot.skills.digests import IN_PRIVATE, MOST_OWN, digests
from bot.skills.digests import digest as make

NOW = datetime(2026, 11, 25, 15, 0, tzinfo=UTC).timestamp()
"""A Wednesday."""
OTHER = Place(platform="slack", workspace="T1", channel="C2")
RUN = DigestRun(digest_id="d1", since=NOW - 86_400, until=NOW)
SAID = message("The release of 2.4 moved to Thursday.", message_id=f"{NOW - 60:.1f}", author=BEN)


def hand(*own: Digest, **more: object) -> Hand:
    readable = {"C1": CHANNEL, "C2": OTHER, "releases": OTHER}
    laid = {"channels": readable, "direct": DIRECT, "name": "general", **more}
    return Hand(digests=list(own), **laid)


def order(text: str, by: Hand, *, place: Place = CHANNEL) -> str:
    request = Request(text=text, place=place, person=ANA, now=NOW, command=True)
    return by.run(digests(request)).text


def at(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).strftime("%a %H:%M")


def test_a_digest_goes_to_whoever_ordered_it_by_their_own_clock() -> None:
    by = hand(zone="Europe/Berlin")

    told = order("every weekday 9:00", by)

    assert told == (
        "Every weekday 9:00 (Europe/Berlin time) I'll send you a summary of #general, the first "
        "on Thu 26 Nov 09:00. `/summarize digests` lists yours, `/summarize stop 1` ends it."
    )
    (kept,) = by.digests
    assert (kept.about, kept.to, kept.person) == (CHANNEL, DIRECT, ANA)
    assert (at(kept.due), at(kept.covered)) == ("Thu 08:00", "Wed 08:00")


def test_with_here_it_goes_to_the_channel() -> None:
    by = hand()

    told = order("every day 18:00 here as topics", by)

    assert "I'll post here a summary of #general" in told
    assert (by.digests[0].to, by.digests[0].form) == (CHANNEL, "topics")


def test_whose_clock_is_not_known_is_told_so() -> None:
    """Nine o'clock UTC is a surprise in Tokyo."""
    by = hand()

    assert "Europe/Berlin`" in order("every day 9:00", by)
    order("every day 9:00 Asia/Tokyo", by)
    assert (by.digests[1].zone, at(by.digests[1].due)) == ("Asia/Tokyo", "Thu 00:00")


@pytest.mark.parametrize("text", ["digests", "stop 1", "#releases every day 9:00"])
def test_what_others_would_see_names_no_channel(text: str) -> None:
    """Who reads a thread need not be in every channel that somebody has a digest of."""
    by = hand(digest(channel_name="takeover"))
    request = Request(text=text, place=CHANNEL, person=ANA, now=NOW)

    assert by.run(digests(request)).text == IN_PRIVATE


def test_the_first_of_a_week_goes_back_a_week() -> None:
    by = hand()

    order("every monday 9:00", by)

    assert by.digests[0].due - by.digests[0].covered == timedelta(days=7).total_seconds()


def test_another_channel_is_for_who_may_read_it_and_for_them_alone() -> None:
    by = hand()

    assert "#general" in order("#releases every day 9:00", by)
    assert by.digests[0].about == OTHER
    assert order("#secret every day 9:00", by) == "There is no channel #secret that you can read."
    assert "Others here might not" in order("#releases every day 9:00 here", by)
    assert len(by.digests) == 1


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("every now and then", CHANNEL, "Try `every weekday 9:00`"),
        ("every day 25:00", CHANNEL, "Try `every weekday 9:00`"),
        ("every friday", CHANNEL, "At what time of day?"),
        ("every day 9:00", DIRECT, "A digest sums up a channel: name it"),
        ("#releases #general every day 9:00", CHANNEL, "I sum up one channel at a time"),
    ],
)
def test_a_wrong_order_is_answered_with_an_example(text: str, place: Place, told: str) -> None:
    by = hand()

    assert told in order(text, by, place=place)
    assert by.digests == []


def test_who_is_not_in_the_channel_gets_no_digest_of_it() -> None:
    assert "I can't see that you are in this channel" in order("every day 9:00", hand(channels={}))


def test_a_person_keeps_a_bounded_number_and_so_does_a_channel() -> None:
    full = hand(*(digest(f"d{n}", number=n) for n in range(1, MOST_OWN + 1)))

    told = order("every day 7:00", full)

    assert told.startswith("You have 10 digests, as many as I keep for one person.")
    assert "- **10**: every day 9:00" in told
    assert "as many as I keep" in order("every day 7:00", hand(digest(), most=1))


def test_who_takes_no_messages_is_told_of_the_other_way() -> None:
    told = order("every day 9:00", hand(direct=None))

    assert told.endswith("Try `/summarize every day 9:00 here`.")


def test_an_order_whose_answer_was_lost_is_not_kept_twice() -> None:
    """The skill runs again when its worker died."""
    by = hand()

    first = order("every day 9:00", by)

    assert order("every day 9:00", by) == first
    assert len(by.digests) == 1


def test_one_lists_ones_own_and_stops_one_by_its_number() -> None:
    by = hand(
        digest("d1", due=NOW + 3_600, channel_name="general"),
        digest("d3", number=3, about=OTHER, to=OTHER, due=NOW + 60, channel_name="releases"),
    )

    assert order("digests", by) == (
        "- **1**: every day 9:00 (UTC time), #general, to you, next Wed 25 Nov 16:00\n"
        "- **3**: every day 9:00 (UTC time), #releases, to the channel, next Wed 25 Nov 15:01\n\n"
        "`/summarize stop 1` ends the first."
    )
    assert order("stop 3", by).startswith("Stopped:\n\n- every day 9:00 (UTC time), #releases")
    assert [one.digest_id for one in by.digests] == ["d1"]


def test_the_numbers_of_the_others_stay_when_one_is_stopped() -> None:
    """A stop that is tried again, for its answer was lost, must not stop the next one."""
    by = hand(digest("d1"), digest("d2", number=2), digest("d3", number=3))

    order("stop 2", by)

    assert "You have no digest 2. Say one of these numbers:" in order("stop 2", by)
    order("every day 7:00", by)
    assert sorted(one.number for one in by.digests) == [1, 2, 3]


@pytest.mark.parametrize("text", ["stop 99", "stop two", "stop", "stop 0"])
def test_a_number_that_nothing_has_is_answered_with_those_that_there_are(text: str) -> None:
    by = hand(digest("d1"), digest("d2", number=2))

    assert "- **2**: every day 9:00" in order(text, by)
    assert len(by.digests) == 2


def test_who_has_none_is_told_how_to_get_one() -> None:
    assert order("digests", hand()).startswith("You have no digests. Ask for one: `/summarize ")
    assert order("stop 1", hand()).startswith("You have no digests.")


def test_when_i_join_is_for_slack_which_tells_of_joins() -> None:
    by, there = hand(), replace(CHANNEL, platform="discord")

    assert "Whenever you join a channel" in order("when I join", by)
    assert (by.digests[0].due, by.digests[0].schedule) == (0.0, "when I join")
    assert "1**: when I join a channel, to you" in order("digests", by)
    assert "Discord doesn't tell me who joins" in order("when i join", by, place=there)


def test_all_can_be_stopped_at_once() -> None:
    by = hand(digest("d1"), digest("d2", number=2))

    order("stop all", by)

    assert by.digests == []


def run(by: Hand, of: DigestRun = RUN, *, place: Place = DIRECT) -> tuple[str, bool]:
    made = by.run(make(Request(text="", place=place, person=ANA, now=NOW, command=True, run=of)))
    return made.text, made.whispered


def test_a_digest_that_is_due_is_a_summary_since_the_last_one() -> None:
    by = hand(digest(schedule="every weekday 15:00"), messages=(SAID,))

    text, whispered = run(by)

    assert text.startswith("**Digest of #general**, every weekday 15:00\n\n")
    assert "moved to Thursday" in text
    assert "_Asked: from Tue 24 Nov 15:00 to Wed 25 Nov 15:00 (UTC time). Read 1 of 1" in text
    (read,) = (one for one in by.steps if isinstance(one, Read))
    assert (read.place, read.since, read.until) == (CHANNEL, RUN.since, RUN.until)
    assert not whispered


def test_a_digest_says_when_there_was_nothing() -> None:
    text, _ = run(hand(digest()))

    assert "There is nothing to sum up: nobody said anything there." in text
    assert "Read 0 of 0 messages" in text


def test_a_digest_says_that_the_ones_before_it_fell_away() -> None:
    text, _ = run(hand(digest()), replace(RUN, skipped=2))

    assert text.endswith("_2 digests before this one fell away, for I was not there; this one "
                         "goes back to them._")  # fmt: skip


def test_who_may_no_longer_read_the_channel_is_told_and_the_digest_ends() -> None:
    by = hand(digest(channel_name="general"), channels={}, messages=(SAID,))

    text, _ = run(by)

    assert text.startswith("Your digest of #general (every day 9:00) has ended")
    assert by.digests == []
    assert not any(isinstance(one, Read) for one in by.steps)
    assert [one.person for one in by.steps if isinstance(one, Find)] == [ANA]


def test_a_channel_does_not_hear_that_somebody_left_it() -> None:
    _, whispered = run(hand(digest(to=CHANNEL), channels={}), place=CHANNEL)

    assert whispered


def test_a_digest_that_was_stopped_when_it_was_due_says_nothing() -> None:
    assert run(hand(digest("another"))) == ("", False)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("every weekday 9:00", "digests"),
        ("please every monday 9:00 in this channel", "digests"),
        ("every nonsense", "digests"),
        ("#general daily 9:00 as paragraph", "digests"),
        ("digests", "digests"),
        ("stop 2", "digests"),
        ("since monday 9:00", "summarize"),
        ("last 50", "summarize"),
        ("everything", "summarize"),
    ],
)
def test_the_words_tell_a_digest_from_a_summary(text: str, name: str) -> None:
    assert choose(command("summarize", text)).name == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("summarize every weekday 9:00", "digests"),
        ("summarize digests", "digests"),
        ("summarize every chapter of the book", "chat"),
        ("summarize daily life in Rome", "chat"),
    ],
)
def test_by_mention_only_a_right_order_is_one(text: str, name: str) -> None:
    assert choose(message(text, mentions_jay=True)).name == name
