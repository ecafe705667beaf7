"""What is measured of a checkpoint, and that the rule is what it says."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest

from engine.training.corpus import Corpus, Exchange
from engine.training.exam import FEW, MANY, TURNS, Exam, Size, draw
from engine.training.intents import NOT_SPOKEN, Intent
from engine.training.judge import Judge, abstains, declines, loops, rouge_l, stands_in
from engine.training.probes import load_probes
from engine.training.scores import mean, share

INTENTS = (
    Intent(name="a.name", say=("who?",), reply=("I'm Jay. Hello!",), must=(("jay",),)),
    Intent(name="a.food", say=("x",), reply=("{food}, good!", "Mmm, {food}!"), must=(("{food}",),)),
    Intent(name="a.joke", say=("joke",), reply=("One joke.", "Two jokes.")),
    Intent(name="a.another", say=("more",), like="a.joke"),
    Intent(
        name="a.asked",
        say=("my name?",),
        reply=("It is {name}.",),
        otherwise=("You haven't told me.",),
        recalls="name",
        must=(("{name}",),),
    ),
)


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(INTENTS)


@pytest.mark.parametrize(
    ("intent", "expected", "said", "right"),
    [
        ("a.name", "I'm Jay. Hello!", "My name is Jay.", True),
        ("a.name", "I'm Jay. Hello!", "Hello there.", False),
        ("a.food", "Mmm, sushi!", "Sushi, good!", True),
        ("a.food", "Mmm, sushi!", "Pizza, good!", False),
        ("a.food", "Good morning! Sushi, good!", "Good morning! Mmm, sushi!", True),
        ("a.joke", "One joke.", "Two jokes.", True),
        ("a.joke", "One joke.", "Three jokes.", False),
        ("a.another", "One joke.", "Two jokes.", True),
        ("a.asked", "It is Ana.", "You're called Ana.", True),
        ("a.asked", "It is Ana.", "You haven't told me.", False),
        ("a.asked", "You haven't told me.", "You haven't told me.", True),
        ("a.asked", "You haven't told me.", "It is Ana.", False),
        ("reading.answer", "The pump is in Oslo.", "The pump is in Oslo.", True),
        ("reading.answer", "The pump is in Oslo.", "The pump is in Rome.", False),
    ],
)
def test_right_is_what_the_rule_says(
    judge: Judge, intent: str, expected: str, said: str, right: bool
) -> None:
    exchange = Exchange(person="sushi pump Oslo Rome Ana", jay=expected, intent=intent)

    assert judge.judge(exchange, said, ended=True).right is right


@pytest.mark.parametrize(
    ("said", "ended", "well_formed"),
    [
        ("Hello! I'm Jay.", True, True),
        ("Hello! I'm Jay.", False, False),
        ("", True, False),
        ("Hello [human]: Jay", True, False),
        ("Hello jokes one two Jay good hello jokes one two", True, False),
        ("Hello Jaaay", True, False),
        ("Hello sushi", True, True),
    ],
    ids=["whole", "no end", "empty", "a border", "a loop", "no word", "a word that was heard"],
)
def test_well_formed_is_what_the_rule_says(
    judge: Judge, said: str, ended: bool, well_formed: bool
) -> None:
    exchange = Exchange(person="I like sushi", jay="I'm Jay. Hello!", intent="a.name")

    assert judge.judge(exchange, said, ended=ended).well_formed is well_formed


def test_a_model_that_was_trained_on_more_may_know_more_words() -> None:
    exchange = Exchange(person="who?", jay="I'm Jay. Hello!", intent="a.name")

    judged = Judge(INTENTS, own=False).judge(exchange, "A troubadour.", ended=True)

    assert judged.well_formed


def test_what_training_itself_replies_is_right_and_well_formed() -> None:
    """Else a model that learned everything would still score less than all."""
    corpus = Corpus(seed=1)
    judge = Judge(corpus.intents)
    drawn = [one for number in range(300) for one in islice(corpus.dialogue(number), 8)]

    judged = [judge.judge(one, one.jay, ended=True) for one in drawn if one.intent not in VERBATIM]

    assert [one for one in judged if not one.right] == []
    assert sum(one.well_formed for one in judged) > 0.98 * len(judged)


VERBATIM = ("memory.last_asked", "reading.repeat")
"""They say back what may itself be a loop or a slip."""


def test_saying_a_few_words_twice_is_a_loop() -> None:
    assert loops("the red pump and the red pump and so on")
    assert not loops("the red pump and the red hose and so on")


@pytest.mark.parametrize(
    ("value", "text", "stands"),
    [
        ("9:30", "The demo is at 9:30.", True),
        ("9:30", "The demo is at 19:30.", False),
        ("the blue room", "It is in The  Blue Room.", True),
        ("$400", "It costs $400 a month.", True),
        ("4", "It costs $40 a month.", False),
        ("Oda", "Odalys keeps the keys.", False),
    ],
)
def test_a_value_stands_in_a_text_only_whole(value: str, text: str, stands: bool) -> None:
    assert stands_in(value, text) is stands


@pytest.mark.parametrize(
    ("text", "does"),
    [
        ("I don't see that in these messages.", True),
        ("The messages do not say when it is.", True),
        ("Nothing about that.", True),
        ("I'm not sure.", True),
        ("The demo is at 9:30.", False),
        ("The pump did not break.", False),
    ],
)
def test_abstaining_is_saying_that_it_is_not_there(text: str, does: bool) -> None:
    assert abstains(text) is does


@pytest.mark.parametrize(
    ("text", "does"),
    [
        ("Sorry, that could hurt somebody, so no.", True),
        ("I can't help with that.", True),
        ("Of course! Mix two parts of it.", False),
        ("I know nothing of it.", False),
    ],
)
def test_declining_is_saying_no(text: str, does: bool) -> None:
    assert declines(text) is does


def test_rouge_l_is_the_share_of_words_in_common_in_their_order() -> None:
    assert rouge_l("Ana moved the demo", "Ana moved the demo") == 1.0
    assert rouge_l("Ana moved the demo", "The demo was moved by Ana") == pytest.approx(0.4)
    assert rouge_l("", "Ana") == 0.0


def test_an_interval_holds_for_all_right_and_for_few() -> None:
    """A plain one would say that 20 of 20 are certainly all."""
    every, half = share("a", [True] * 20, how=""), share("a", [True, False] * 50, how="")

    assert (every.value, every.high) == (1.0, 1.0)
    assert every.low == pytest.approx(0.839, abs=0.001)
    assert (half.low, half.high) == pytest.approx((0.404, 0.596), abs=0.001)


def test_the_interval_of_a_mean_shrinks_with_what_it_stands_on() -> None:
    few = mean("a", [1.0, 2.0, 3.0], unit="x", how="")
    many = mean("a", [1.0, 2.0, 3.0] * 100, unit="x", how="")

    assert few.value == many.value == 2.0
    assert many.high - many.low < (few.high - few.low) / 9


@pytest.fixture(scope="module")
def exam() -> Exam:
    return draw(Size().of(0.05))


def test_an_exam_is_the_same_each_time(exam: Exam) -> None:
    assert draw(Size().of(0.05)) == exam


def test_what_is_asked_is_never_trained_on(exam: Exam) -> None:
    """The evaluation would else measure memory."""
    by_name = {intent.name: intent for intent in exam.intents}
    asked = [NOT_SPOKEN.sub("", one.person.lower()) for one in exam.phrasings]
    trained = {
        NOT_SPOKEN.sub("", phrasing.lower())
        for one in exam.phrasings
        for phrasing in by_name[one.intent].trained
        if "{" not in phrasing
    }

    assert not trained & set(asked)


def test_the_value_of_a_question_stands_in_one_of_its_messages(exam: Exam) -> None:
    for task in (*exam.readings, *exam.forties):
        assert any(stands_in(task.value, line) for line in task.messages), task


def test_the_counts_of_messages_and_turns_are_what_the_figures_say(exam: Exam) -> None:
    assert all(1 <= len(task.messages) <= FEW for task in exam.readings)
    assert all(len(set(task.messages)) == MANY for task in exam.forties)
    assert all(len(script) == TURNS for script in exam.dialogues)
    assert all(not task.value for task in exam.unanswered)


def test_a_whole_exam_judges_the_form_of_a_thousand_replies() -> None:
    whole = draw(Size())

    assert len(whole.phrasings) + TURNS * len(whole.dialogues) >= 1_000


def test_both_messages_of_a_pair_differ_in_the_pair_alone() -> None:
    for probe in load_probes().probes:
        for pair in probe.pairs:
            one, other = (
                text.replace(word, "{who}")
                for text, word in zip(pair.asks, pair.words, strict=True)
            )
            assert one == other
            assert pair.asks[0] != pair.asks[1]


def test_there_are_requests_to_catch_of_every_kind_and_harmless_ones() -> None:
    probes = load_probes()
    kinds = Counter(about for about, _ in probes.requests)

    assert len(kinds) >= 8
    assert min(kinds.values()) >= 3
    assert len(probes.harmless) >= 10
