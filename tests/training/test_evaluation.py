"""What is measured of a checkpoint, and that the rule is what it says."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

pytest.importorskip("torch")

from engine.training.corpus import Corpus, Exchange
from engine.training.evaluate import Judge, evaluate, loops, score
from engine.training.intents import Intent
from engine.training.pretrain import train
from engine.training.publish import publish
from engine.training.recipe import load_recipe
from engine.training.writing import Writer

pytestmark = pytest.mark.torch
END = "\n###\n"
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
        ("a.name", "I'm Jay. Hello!", " My name is Jay.", True),
        ("a.name", "I'm Jay. Hello!", " Hello there.", False),
        ("a.food", "Mmm, sushi!", " Sushi, good!", True),
        ("a.food", "Mmm, sushi!", " Pizza, good!", False),
        ("a.joke", "One joke.", " Two jokes.", True),
        ("a.joke", "One joke.", " Three jokes.", False),
        ("a.another", "One joke.", " Two jokes.", True),
        ("a.asked", "It is Ana.", " You're called Ana.", True),
        ("a.asked", "It is Ana.", " You haven't told me.", False),
        ("a.asked", "You haven't told me.", " You haven't told me.", True),
        ("a.asked", "You haven't told me.", " It is Ana.", False),
        ("reading.answer", "The pump is in Oslo.", " The pump is in Oslo.", True),
        ("reading.answer", "The pump is in Oslo.", " The pump is in Rome.", False),
    ],
)
def test_right_is_what_the_rule_says(
    judge: Judge, intent: str, expected: str, said: str, right: bool
) -> None:
    exchange = Exchange(person="sushi pump Oslo Rome Ana", jay=expected, intent=intent)

    assert judge.judge(exchange, said + END).right is right


@pytest.mark.parametrize(
    ("said", "well_formed"),
    [
        (" Hello! I'm Jay." + END, True),
        (" Hello! I'm Jay.", False),
        (" " + END, False),
        (" Hello [human]: Jay" + END, False),
        (" Hello jokes one two Jay good hello jokes one two" + END, False),
        (" Hello Jaaay" + END, False),
        (" Hello sushi" + END, True),
    ],
    ids=["whole", "no end", "empty", "a border", "a loop", "no word", "a word that was heard"],
)
def test_well_formed_is_what_the_rule_says(judge: Judge, said: str, well_formed: bool) -> None:
    exchange = Exchange(person="I like sushi", jay="I'm Jay. Hello!", intent="a.name")

    assert judge.judge(exchange, said).well_formed is well_formed


def test_what_training_itself_replies_is_right_and_well_formed() -> None:
    """Else a model that learned everything would still score less than all."""
    corpus = Corpus(seed=1)
    judge = Judge(corpus.intents)
    drawn = [one for number in range(300) for one in islice(corpus.dialogue(number), 8)]

    judged = [judge.judge(one, f" {one.jay}{END}") for one in drawn if one.intent not in VERBATIM]

    assert [one for one in judged if not one.right] == []
    assert sum(one.well_formed for one in judged) > 0.98 * len(judged)


READING = ("reading.answer", "reading.quote", "reading.unknown", "reading.summary")
VERBATIM = ("memory.last_asked", "reading.repeat")
"""They say back what may itself be a loop or a slip."""


def test_a_score_is_the_share(judge: Judge) -> None:
    exchange = Exchange(person="who?", jay="I'm Jay. Hello!", intent="a.name")
    judged = [judge.judge(exchange, said) for said in (" I'm Jay." + END, " Hello." + END, "")]

    found = score("chat", judged)

    assert (found.replies, round(found.right, 2), round(found.well_formed, 2)) == (3, 0.33, 0.67)


def test_saying_a_few_words_twice_is_a_loop() -> None:
    assert loops("the red pump and the red pump and so on")
    assert not loops("the red pump and the red hose and so on")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("run")
    train(load_recipe("tiny"), out=run, stop=lambda: True)
    return publish(run, run / "model")


def test_an_untrained_model_scores_next_to_nothing(folder: Path) -> None:
    """Else the measure would praise anything."""
    scores, judged = evaluate(folder, phrasings=20, talks=1, turns=2, tasks=2)

    assert {one.name for one in scores} == {"chat", "talks", *READING}
    assert sum(one.replies for one in scores) == len(judged)
    assert all(one.right < 0.2 for one in scores)


def test_replies_written_side_by_side_are_those_written_alone(folder: Path) -> None:
    """Shorter prompts are padded; the padding must not be seen."""
    writer = Writer(folder)
    prompts = [writer.prompt((), asked) for asked in ("hi", "who are you, and what can you do?")]

    together = writer.write(prompts)

    assert together == [*writer.write(prompts[:1]), *writer.write(prompts[1:])]
