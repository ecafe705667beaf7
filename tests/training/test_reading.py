"""Reading tasks: answerable as they say, and in an evaluation nothing that training has seen."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from engine.training.entities import CLOSED, entities
from engine.training.intents import COINED_BY, CorpusError, load_pools
from engine.training.reading import UNKNOWN, Reader, Task, load_facts

FACT = """
chatter = ["Lunch?"]
free = []
[[fact]]
say = ["{item} is in {spot}."]
tell = "{item} is in {spot}."
[[fact.asked]]
value = "VALUE"
ask = ["Where is {item}?"]
answer = "{item} is in {spot}."
"""


@pytest.fixture(scope="module")
def tasks() -> list[Task]:
    reader, rng = Reader(load_pools()), Random(4)
    return [reader.task(rng) for _ in range(3_000)]


def test_the_value_stands_in_a_message_and_in_the_reply(tasks: list[Task]) -> None:
    """Half of an earlier set of questions could not be answered from their messages."""
    asked = [one for one in tasks if one.kind in ("reading.answer", "reading.quote")]

    assert all(one.value for one in asked)
    assert all(one.value.lower() in one.reply.lower() for one in asked)
    assert all(one.value.lower() in " ".join(one.messages).lower() for one in asked)


def test_few_questions_are_without_an_answer(tasks: list[Task]) -> None:
    """A small model that meets many of them gives up on all."""
    questions = [one for one in tasks if one.question]
    unknown = [one for one in questions if one.kind == "reading.unknown"]

    assert 0.17 < len(unknown) / len(questions) < 0.23
    assert {(one.reply, one.value) for one in unknown} == {(UNKNOWN, "")}


def test_a_summary_asks_nothing(tasks: list[Task]) -> None:
    summaries = [one for one in tasks if one.kind == "reading.summary"]

    assert {one.question for one in summaries} == {""}
    assert {one.prompt.splitlines()[0] for one in summaries} == {"Summarize these messages."}


def test_what_is_said_and_asked_in_an_evaluation_is_said_and_asked_in_no_training() -> None:
    facts, _ = load_facts()
    said = {way for fact in facts for way in fact.say}
    held_said = {way for fact in facts for way in fact.held_say}
    asked = {way for fact in facts for one in fact.asked for way in one.ask}
    held_asked = {way for fact in facts for one in fact.asked for way in one.held_ask}

    assert len(facts) >= 40
    assert (said & held_said, asked & held_asked) == (set(), set())
    assert all(fact.held_say for fact in facts if not fact.quoted)
    assert all(one.held_ask for fact in facts if not fact.quoted for one in fact.asked)


def test_what_an_evaluation_names_is_named_in_no_training() -> None:
    trained, other = load_pools(), load_pools(coined_by=COINED_BY + 1)
    kinds = entities(trained, ("Ana",), seed=1).keys() - set(CLOSED)

    shared = {kind: set(trained[kind]) & set(other[kind]) for kind in kinds}

    assert {kind for kind, values in shared.items() if values} == set()
    assert all(len(other[kind]) > 500 for kind in kinds)


def test_an_answer_without_what_was_asked_for_is_refused(tmp_path: Path) -> None:
    (tmp_path / "reading.toml").write_text(FACT.replace("VALUE", "{date}"))

    with pytest.raises(CorpusError, match="does not hold its value"):
        load_facts(tmp_path)


def test_a_way_to_say_it_without_what_is_asked_for_is_refused(tmp_path: Path) -> None:
    said = FACT.replace("VALUE", "{spot}").replace('"{item} is in {spot}."]', '"{item} is there."]')
    (tmp_path / "reading.toml").write_text(said)

    with pytest.raises(CorpusError, match=r"lacks \{spot\}"):
        load_facts(tmp_path)
