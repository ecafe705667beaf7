"""`/reply`, driven by hand: from a channel that the asker may read, for the asker alone."""

from __future__ import annotations

import pytest
from fakes.skills import Hand
from fakes.talk import ANA, BEN, CHANNEL, DIRECT, command, message
from hypothesis import given
from hypothesis import strategies as st

from bot.catalogue import Catalogue
from bot.messages import Place
from bot.skills import Ask, Find, Outcome, Request, Search, choose
from bot.skills.answer import LONGEST_QUESTION
from bot.skills.support import MOST_QUESTIONS, questions_of

FAQ = Place(platform="slack", workspace="T1", channel="C9")
TALK = tuple(
    message(text, message_id=f"{at}.0", author=BEN, place=FAQ)
    for at, text in enumerate(
        [
            "Good morning",
            "Customers may return a cable within 30 days of delivery.",
            "The warehouse in Porto opens at 7:30 on weekdays.",
            "Lunch is at noon.",
        ],
        start=1,
    )
)
(REPLY,) = [one for one in Catalogue().commands if one.name == "reply"]


def ask(text: str, *, says: str = "", place: Place = CHANNEL, **given) -> tuple[Outcome, Hand]:
    hand = Hand(messages=TALK, model=lambda task: says, channels=given.pop("channels", KNOWN))
    asked = Request(text=text, place=place, person=ANA, **({"command": True} | given))
    return hand.run(REPLY.skill(asked)), hand


KNOWN = {"knowledge": FAQ, "faq": FAQ}


def test_a_reply_stands_on_messages_of_the_knowledge_channel() -> None:
    told, hand = ask(
        "Hello, the cable is wrong. When does the warehouse in Porto open? Thanks",
        says=" The warehouse in Porto opens at 7:30 on weekdays.",
    )

    assert told.text.startswith("The warehouse in Porto opens at 7:30 on weekdays.\n\nFrom:")
    assert "https://x/3.0" in told.text
    assert "of #knowledge" in told.text
    assert told.sources[0] == "3.0"
    assert [one.place for one in hand.steps if isinstance(one, Search)] == [FAQ]


def test_what_the_messages_do_not_say_is_not_promised_to_a_customer() -> None:
    told, _ = ask(
        "When does the warehouse in Porto open?", says=" It opens at 6:00, and you get a refund."
    )

    assert "refund" not in told.text
    assert "opens at 7:30" in told.text


def test_each_of_a_customers_questions_is_answered() -> None:
    told, hand = ask("When does the warehouse open? Who won the chess game?")

    assert told.text.index("**When does the warehouse open?**") < told.text.index(
        "**Who won the chess game?**"
    )
    assert "no clear answer in #knowledge" in told.text or "nothing about that" in told.text
    assert len([one for one in hand.steps if isinstance(one, Search)]) == 2


def test_another_channel_may_be_named() -> None:
    told, _ = ask("#faq When does the warehouse open?")

    assert "of #faq" in told.text


@pytest.mark.parametrize("name", ["board", "nowhere"])
def test_a_channel_that_the_asker_may_not_read_is_not_there(name: str) -> None:
    told, hand = ask(f"#{name} When does the warehouse open?")

    assert f"no channel #{name} that you and I can read" in told.text
    assert not [one for one in hand.steps if isinstance(one, Search | Ask)]


def test_by_mention_nothing_of_another_channel_is_said_before_others() -> None:
    told, hand = ask("When does the warehouse open?", command=False)
    here, _ = ask("When does the warehouse open?", command=False, place=FAQ)
    alone, _ = ask("When does the warehouse open?", command=False, place=DIRECT)

    assert "by the command `/reply`" in told.text
    assert not [one for one in hand.steps if isinstance(one, Search)]
    assert "7:30" in here.text
    assert "7:30" in alone.text


def test_a_message_that_begins_with_a_channel_is_answered_from_the_skills_own() -> None:
    """A shortcut hands a customer's words on, and none of them are orders."""
    told, hand = ask(
        ": #faq says nothing. When does the warehouse in Porto open?",
        says=" The warehouse in Porto opens at 7:30 on weekdays.",
        channels={"knowledge": FAQ},
    )

    assert "opens at 7:30" in told.text
    assert [one.name for one in hand.steps if isinstance(one, Find)] == ["knowledge"]


def test_a_reply_is_private_and_has_no_share_button() -> None:
    chosen = choose(command("reply", "when?"), Catalogue().commands)

    assert (chosen.private, chosen.share) == (True, False)


def test_without_a_question_its_use_is_told() -> None:
    for nothing in ("#faq ", ":"):
        told, _ = ask(nothing)

        assert "For example: `/reply " in told.text


@given(st.text(max_size=2_000))
def test_whatever_a_customer_writes_becomes_a_few_short_questions(text: str) -> None:
    found = questions_of(text)

    assert len(found) <= MOST_QUESTIONS
    assert all(0 < len(one) <= LONGEST_QUESTION for one in found)
    assert bool(found) == bool(text.split())
