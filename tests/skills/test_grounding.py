from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.grounding import best_source, sentences, supported

SOURCES = [
    "- Ana: The release of 2.4 moved to Thursday because the login test fails.",
    "- Ben: I never approved the budget, Carla did.",
]


@pytest.mark.parametrize(
    "claim",
    [
        "The release of 2.4 moved to Thursday.",
        "Ana said the login test fails.",
        "Ben never approved the budget.",
    ],
)
def test_what_the_messages_say_is_supported(claim: str) -> None:
    assert supported(claim, SOURCES)


@pytest.mark.parametrize(
    "claim",
    [
        "The release of 2.5 moved to Thursday.",
        "The release of 2.4 moved to Friday.",
        "The release was moved by Dora.",
        "The team had a lovely party with cake and music.",
        "Stilll said that the login test fails.",
        "Ana never approved the release of 2.4.",
        "Carla said that the login test fails.",
        "",
        "It was so.",
    ],
)
def test_what_the_messages_do_not_say_is_not(claim: str) -> None:
    """A summary that claims more than was read is worse than none."""
    assert not supported(claim, SOURCES)


MIXED = [
    "- Maya: The demo is in room 4. The retro is Thursday at 9:00.",
    "- Omar: I asked Ben to check the map, but Priya painted it green.",
    "- Ivy: If the tests pass, the launch moves to Friday.",
    "- Raj: Does the launch move to Monday?",
    "- Ana: I rolled back to 3.1, the board is fine again.",
]


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        ("The demo is Thursday at 9:00.", "the subject of one sentence, the time of another"),
        ("Omar will check the map.", "it left out that Ben shall"),
        ("Omar painted the map green.", "Priya did"),
        ("The launch moves to Friday.", "only if the tests pass"),
        ("The launch moves to Monday.", "that was a question"),
        ("The retro is Thursday at 9:30.", "another time"),
        ("The retro is thursday at nine.", "a number in other words is another number"),
        ("I rolled back to 3.1.", "Jay did nothing of the kind"),
        ("The launch never moves to Friday.", "turned round"),
        ("Ben asked Omar to check the map.", "who asked whom"),
        ("The board is at 3.1.", "the words are there, the sentence is not"),
    ],
)
def test_a_sentence_put_together_from_parts_is_not_supported(claim: str, why: str) -> None:
    """Each of these once read like something that somebody had said."""
    assert not supported(claim, MIXED), why


@pytest.mark.parametrize(
    "claim",
    [
        "The retro is Thursday at 9:00.",
        "Omar asked Ben to check the map.",
        "Ana rolled back to 3.1.",
        "Ana wrote: I rolled back to 3.1, the board is fine again.",
        "Ivy said that if the tests pass, the launch moves to Friday.",
        "The board is fine again.",
    ],
)
def test_a_sentence_that_shortens_one_of_a_message_is_supported(claim: str) -> None:
    assert supported(claim, MIXED)


def test_a_denial_needs_a_message_that_denies() -> None:
    assert not supported("The release is not on Thursday.", SOURCES[:1])


def test_words_of_a_message_that_are_put_together_anew_are_not_what_it_says() -> None:
    """A small model shuffles what it read, and the result reads like a quotation."""
    source = (
        "- Maya: Decision from this morning: we keep Postgres for the event log and do not "
        "introduce Kafka. Reasons: one system to run, volumes are at 40 events a second at peak, "
        "and LISTEN/NOTIFY covers the live board. We look again if we pass 500 a second."
    )

    assert supported("We keep Postgres for the event log and do not introduce Kafka.", [source])
    assert supported("Maya wrote that volumes are at 40 events a second.", [source])
    assert not supported("Maya wrote: We look at the events and do not introduce events.", [source])


def test_the_source_of_a_sentence_is_the_message_that_shares_most() -> None:
    assert best_source("Carla approved the budget.", SOURCES) == 1


def test_text_is_split_at_sentence_ends_and_lines() -> None:
    text = "Version 2.4 is out. It works!\n- And so on"

    assert sentences(text) == ["Version 2.4 is out.", "It works!", "And so on"]


FACT = "The {} of the {} moved from {} to {} and {} knows it"
SLOTS = st.tuples(
    st.sampled_from(["demo", "budget", "party"]),
    st.sampled_from(["harbour", "library", "kitchen"]),
    st.sampled_from(["Monday", "Friday", "3.1", "14:30", "forty"]),
    st.sampled_from(["Tuesday", "Sunday", "2.7", "15:45", "sixty"]),
    st.sampled_from(["Dora", "Otto", "Yuki"]),
)


@given(said=SLOTS, claimed=SLOTS)
def test_a_claim_with_any_other_value_than_was_said_is_not_supported(
    said: tuple[str, ...], claimed: tuple[str, ...]
) -> None:
    claim, source = FACT.format(*claimed), f"- Ana: {FACT.format(*said)}"

    assert supported(claim, [source]) == (said == claimed)


@given(claim=st.text(max_size=200), sources=st.lists(st.text(max_size=100), max_size=3))
def test_an_unknown_number_is_never_supported(claim: str, sources: list[str]) -> None:
    assert not supported(f"{claim} 987654321", sources)
