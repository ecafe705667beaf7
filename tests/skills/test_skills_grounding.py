from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.skills.grounding import best_source, sentences, supported

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


@given(claim=st.text(max_size=200), sources=st.lists(st.text(max_size=100), max_size=3))
def test_an_unknown_number_is_never_supported(claim: str, sources: list[str]) -> None:
    assert not supported(f"{claim} 987654321", sources)
