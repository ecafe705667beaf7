"""`/quiz`, driven by hand: what is asked has its answer in the text, and shows it only on demand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.skills import Hand
from fakes.talk import ANA, BEN, CHANNEL, message
from hypothesis import given
from hypothesis import strategies as st

from bot import grounding
from bot.conversations import Made, Turn
from bot.prompting import Said
from bot.skills import Outcome, Request, Say
from bot.skills.chat import chat
from bot.skills.quiz import (
    ANSWERS,
    GAP,
    LOST,
    MOST_QUESTIONS,
    USAGE,
    asks_for_answers,
    is_quiz,
    items_of,
    question_of,
    quiz,
    read_request,
    spread,
)

FERRY = "The ferry to Oslo leaves at 9:15."
CRANE = "We think that Maria Lund paid for the new crane."
TEXT = f"{FERRY} It was cold. {CRANE} Is it late at 10:30?"
TALK = (
    message(FERRY, message_id="1.0", author=BEN),
    message("ok", message_id="2.0"),
    message("@Jay quiz us on the 3 ferries here", message_id="3.0", mentions_jay=True),
)
MADE = Made(
    model="m", prompt_tokens=1, cached_tokens=0, reply_tokens=1, finish="stop", skill="quiz"
)


def ask(text: str, *, says: str | None = "Nothing.", talk=(), gone=frozenset()) -> Outcome:
    hand = Hand(messages=talk, model=lambda task: says, gone=gone)
    return hand.run(quiz(Request(text=text, place=CHANNEL, person=ANA, now=10.0)))


def after(outcome: Outcome, text: str) -> Request:
    """Return the request of somebody who says something below a quiz."""
    turns = (
        Turn(role="person", text="quiz", author="Ana", at=1.0),
        Turn(role="jay", text=outcome.kept or outcome.text, author="Jay", at=2.0, made=MADE),
        Turn(role="person", text=text, author="Ana", at=3.0),
    )
    return Request(text=text, place=CHANNEL, person=ANA, turns=turns)


def test_a_weak_models_questions_give_way_to_sentences_with_a_gap() -> None:
    told = ask(TEXT)

    assert "Quiz: 2 questions about your text" in told.text
    assert f"1. The ferry to Oslo leaves at {GAP}." in told.text
    assert f"2. We think that {GAP} paid for the new crane." in told.text


def test_the_answers_are_hidden_until_they_are_asked_for() -> None:
    told = ask(TEXT)
    solved = Hand().run(chat(after(told, "Show us the answers, please!")))

    assert "9:15" not in told.text
    assert "Maria" not in told.text
    assert "1. **9:15**: “The ferry to Oslo leaves at 9:15.”" in solved.text
    assert "2. **Maria Lund**" in solved.text


def test_talk_below_a_quiz_does_not_tell_the_model_its_answers() -> None:
    """It could give them away."""
    told = ask(TEXT)
    steps = chat(after(told, "that is hard"))
    step = steps.send(None)

    assert isinstance(step, Say)
    assert "9:15" not in "".join(turn.text for turn in step.turns)
    assert GAP in step.turns[1].text


def test_a_quiz_about_what_was_said_names_its_messages_in_the_answers() -> None:
    told = ask("us on this channel", talk=TALK)

    assert "1. Ben said: The ferry to Oslo leaves at" in told.text
    assert "https://x/1.0" not in told.text
    assert "https://x/1.0" in told.kept
    assert told.sources == ("1.0",)
    assert "Quiz: 1 question about" in told.text


def test_what_was_taken_back_meanwhile_is_not_asked_about() -> None:
    assert ask("", talk=TALK, gone=frozenset({"1.0"})).text == USAGE


@pytest.mark.parametrize(
    ("asked", "counts"),
    [
        ("When does the ferry to Oslo leave?", True),
        ("At what time does the ferry leave for Oslo? I hope 9:15", False),
        ("When does the ferry leave for Bergen?", False),
        ("Does the ferry leave at 9:15?", False),
        ("Who leaves for Oslo?", False),
        ("What is the ferry?", False),
        ("When, @everyone, does the ferry leave?", False),
        ("When does the blue ferry of my old aunt leave?", False),
        ("When does the ferry leave", False),
    ],
)
def test_the_models_question_counts_only_if_the_sentence_answers_it(asked, counts) -> None:
    (item,) = items_of(FERRY, None)

    shown = question_of(item, Said(text=asked))

    assert (shown == asked) is counts
    assert "9:15" not in shown


def test_what_has_two_answers_is_not_asked() -> None:
    (item,) = items_of("The ferry to Oslo leaves at 9:15 on Monday.", None)

    assert GAP in question_of(item, Said(text="When does the ferry to Oslo leave?"))


def test_a_quiz_whose_answers_are_lost_says_so() -> None:
    told = replace(ask(TEXT), kept="")

    assert Hand().run(chat(after(told, "answers"))).text == LOST


@pytest.mark.parametrize(
    ("text", "count", "about"),
    [
        ("", 5, ""),
        ("3", 3, ""),
        ("0", 1, ""),
        ("999 questions about this thread, please", MOST_QUESTIONS, ""),
        ("2: The ferry leaves at 9:15.", 2, "The ferry leaves at 9:15."),
        ("The ferry leaves at 9:15.", 5, "The ferry leaves at 9:15."),
    ],
)
def test_how_many_questions_are_wanted_and_about_what(text: str, count: int, about: str) -> None:
    assert read_request(text) == (count, about)


def test_talk_that_begins_with_the_word_is_still_talk() -> None:
    assert not is_quiz("night is on Friday")
    assert is_quiz("us on this thread")
    assert is_quiz(TEXT)


@pytest.mark.parametrize("text", ["what is the answer to life", "the answer is 9:15", "no answers"])
def test_what_only_speaks_of_answers_does_not_ask_for_them(text: str) -> None:
    assert not asks_for_answers(after(ask(TEXT), text))


def test_answers_mean_a_quiz_only_where_there_was_one() -> None:
    assert not asks_for_answers(Request(text="answers", place=CHANNEL, person=ANA))


WORDS = st.sampled_from(
    "the ferry Oslo 9:15 250 Maria Lund leaves paid and for Monday a. b! c? Red **x** (…) |".split()
)


@given(st.lists(WORDS, max_size=60).map(" ".join), st.text(max_size=60), st.integers(1, 12))
def test_no_question_gives_its_answer_away(text: str, said: str, count: int) -> None:
    for item in spread(items_of(text, None), count):
        shown = question_of(item, Said(text=said))

        assert item.answer in item.sentence
        assert item.answer.lower() not in grounding.words(shown) or " " in item.answer
        assert ANSWERS not in shown
