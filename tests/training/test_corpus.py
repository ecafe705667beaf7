"""The training texts: what is drawn, what is kept back, and that it reads as serving writes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice, product
from pathlib import Path
from random import Random

import pytest
from fakes.talk import message
from tokenizers import Tokenizer

from bot import grounding
from bot.catalogue import SHIPPED
from bot.conversations import Turn
from bot.family import render_task
from bot.messages import Person
from bot.prompting import Speech
from bot.prompts import ServedModel
from bot.skills import answer, summarize
from bot.skills.files import read_skill
from bot.skills.quoting import line
from bot.skills.template import fill
from engine.training import vocabulary
from engine.training.corpus import MINI, Corpus, Exchange, exchange_of, opening, segments
from engine.training.intents import (
    CorpusError,
    Intent,
    load_intents,
    load_pools,
    plain,
)
from engine.training.reading import ANSWER, SUMMARIZE, UNKNOWN, Reader


@pytest.fixture(scope="module")
def intents() -> tuple[Intent, ...]:
    return load_intents()


@pytest.fixture(scope="module")
def corpus(intents: tuple[Intent, ...]) -> Corpus:
    return Corpus(seed=3, intents=intents)


@pytest.fixture(scope="module")
def drawn(corpus: Corpus) -> list[Exchange]:
    return [exchange for number in range(1_200) for exchange in islice(corpus.dialogue(number), 10)]


def test_the_same_number_gives_the_same_dialogue(
    corpus: Corpus, intents: tuple[Intent, ...]
) -> None:
    again = Corpus(seed=3, intents=intents)

    assert list(islice(corpus.dialogue(7), 20)) == list(islice(again.dialogue(7), 20))


def test_another_seed_gives_another_dialogue(corpus: Corpus, intents: tuple[Intent, ...]) -> None:
    other = Corpus(seed=4, intents=intents)

    assert list(islice(corpus.dialogue(7), 20)) != list(islice(other.dialogue(7), 20))


def test_no_slot_and_no_sign_of_a_pattern_is_left(drawn: list[Exchange]) -> None:
    """Jay would learn to say it."""
    marks = "{}|\\"

    assert not [one for one in drawn for mark in marks if mark in one.person + one.jay]


def test_nothing_that_is_said_reads_as_a_border(drawn: list[Exchange]) -> None:
    borders = (*MINI.never, "###")

    assert not [one for one in drawn for mark in borders if mark in one.person + one.jay]


def test_there_are_five_hundred_intents_and_nearly_all_are_drawn(
    drawn: list[Exchange], intents: tuple[Intent, ...]
) -> None:
    met = {one.intent for one in drawn}

    assert len(intents) >= 500
    assert len(met & {intent.name for intent in intents}) > 0.9 * len(intents)


def test_no_two_intents_that_open_a_talk_share_a_phrasing(intents: tuple[Intent, ...]) -> None:
    """One question would have two kinds of reply, and either would be judged wrong by turns."""
    said = Counter(
        phrasing
        for intent in intents
        if intent.opens
        for phrasing in {plain(one) for one in intent.phrasings}
    )

    assert [phrasing for phrasing, times in said.items() if times > 1] == []


def test_no_phrasing_that_is_kept_back_is_trained_on_by_any_intent(
    intents: tuple[Intent, ...],
) -> None:
    """The evaluation would then measure memory."""
    trained = {plain(one) for intent in intents for one in intent.trained}
    held = {plain(one) for intent in intents for one in intent.held_out}

    assert len(held) > 1_000
    assert not held & trained


def test_what_is_drawn_for_training_comes_from_the_trained_phrasings(
    intents: tuple[Intent, ...],
) -> None:
    marked = [
        Intent(
            name="greetings.hello",
            say=("(a|b|c|d|e|f|g|h|i|j|k|l)(a|b|c|d|e|f|g|h)",),
            reply=("x",),
        )
    ]
    held = {plain(one) for one in marked[0].held_out}

    training = Corpus(seed=1, intents=marked + [_named(intents, n) for n in REMARKS])
    evaluating = Corpus(
        seed=1, intents=marked + [_named(intents, n) for n in REMARKS], held_out=True
    )

    assert held
    assert not held & _hellos(training)
    assert held & _hellos(evaluating)


REMARKS = ("jobs.channel_fact", "work.statement")


def _named(intents: Sequence[Intent], name: str) -> Intent:
    return next(intent for intent in intents if intent.name == name)


def _hellos(corpus: Corpus) -> set[str]:
    return {
        plain(exchange.person)
        for number in range(60)
        for exchange in islice(corpus.dialogue(number), 12)
        if exchange.intent == "greetings.hello"
    }


def test_a_name_that_was_told_is_the_name_that_is_given_back(
    intents: tuple[Intent, ...],
) -> None:
    names = ("memory.name_told", "memory.name_asked", *REMARKS)
    corpus = Corpus(seed=2, intents=[_named(intents, name) for name in names])
    asked = 0

    for number in range(80):
        told = ""
        for one in islice(corpus.dialogue(number), 12):
            if one.intent == "memory.name_told":
                told = one.jay.replace("Nice to meet you", "").replace("What can I do", "")
            elif one.intent == "memory.name_asked" and told:
                name = one.jay.removesuffix(".").split()[-1]
                assert name in told
                asked += 1

    assert asked > 50


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        ('[a]\nsay = ["hi"]', "needs `say`, and `reply`"),
        ('[a]\nsay = ["hi"]\nreply = ["Hi {name}"]', "which nobody said"),
        ('[a]\nsay = ["hi {nothing}"]\nreply = ["Hi"]', "no pool"),
        ('[a]\nsay = ["(hi"]\nreply = ["Hi"]', "bracket"),
        ('[a]\nsay = ["hi"]\nreply = ["Hi"]\nafter = ["b.*"]', "not there"),
        ('[a]\nsays = ["hi"]', "unknown fields: says"),
        ("[a", "broken.toml"),
    ],
)
def test_a_table_that_is_wrong_is_named(tmp_path: Path, table: str, wrong: str) -> None:
    kinds = ("name", "surname", "noun", "adj", "team", "project", "city", "place")
    (tmp_path / "pools.toml").write_text("\n".join(f'{kind} = ["Ana"]' for kind in kinds))
    (tmp_path / "broken.toml").write_text(table)

    with pytest.raises(CorpusError, match=wrong) as caught:
        load_intents(tmp_path)

    assert "broken" in str(caught.value)


def test_every_reply_of_a_reading_task_is_one_that_a_skill_would_show() -> None:
    """In other words only where they pass the grounding check; else the message, as it is."""
    reader, rng = Reader(load_pools()), Random(5)
    for _ in range(600):
        task = reader.task(rng)
        for claim in grounding.sentences(task.reply):
            assert (
                task.reply == UNKNOWN
                or grounding.supported(claim, task.messages)
                or any(
                    claim.rpartition(" wrote: ")[2].rstrip(".") in line for line in task.messages
                )
            ), (task, claim)


def test_tasks_are_worded_as_the_skills_word_them() -> None:
    said = message("The release is\non Friday.", author=Person(id="U3", name="Maya Lindqvist"))
    task, *lines = Reader(load_pools()).question(Random(2)).prompt.splitlines()

    assert ANSWER == answer.INSTRUCTION
    assert SUMMARIZE == summarize.INSTRUCTION
    assert line(said) == "- Maya Lindqvist: The release is on Friday."
    assert task in (ANSWER, SUMMARIZE)
    assert all(re.fullmatch(r"- [A-Z]\w+( [A-Z]\w+)?: .+", one) for one in lines[:-1])


class Encoder:
    """The engine's side of tokenising; nothing is generated in these tests."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer

    async def encode(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        return [tuple(self.tokenizer.encode(text).ids) for text in texts]


async def test_training_sees_the_very_ids_that_serving_sends(corpus: Corpus) -> None:
    """Another space or order and the model meets a text of a kind it never saw."""
    exchanges = list(islice(corpus.dialogue(11), 6))
    tokenizer = vocabulary.learn((text for one in exchanges for text, _ in segments(one)), size=400)
    speech = Speech(
        engine=Encoder(tokenizer),  # type: ignore[arg-type]  # only `encode` is asked for
        model=ServedModel(name="mini", window=2048),
        family=MINI,
        persona="not shown to this family",
        max_tokens=100,
    )
    turns = [turn for one in exchanges for turn in turns_of(one)][:-1]

    prompt, _ = await speech.chat(turns, session="", salt="")

    trained = [text for one in exchanges for text, _ in segments(one)][:-2]
    ids = [one for text in (opening(), *trained) for one in tokenizer.encode(text).ids]
    assert list(prompt.ids) == ids


def turns_of(exchange: Exchange) -> tuple[Turn, Turn]:
    return (
        Turn(role="person", text=exchange.person, author="Ana", at=0.0),
        Turn(role="jay", text=exchange.jay, author="Jay", at=0.0),
    )


def test_a_task_is_rendered_as_serving_renders_it() -> None:
    task = Reader(load_pools()).task(Random(9))
    instruction, _, text = task.prompt.partition("\n")

    rendered = render_task(MINI, instruction=instruction, text=text)

    person, cue, *_ = segments(exchange_of(task))
    assert rendered == (MINI.begin, person[0], cue[0])


def test_the_beginning_of_a_text_is_one_token_and_digits_stand_alone() -> None:
    tokenizer = vocabulary.learn(["[human]: it is 2048 now\n###\n"] * 20, size=300)

    assert tokenizer.encode("<|endoftext|>").ids == [0]
    assert len(tokenizer.encode("2048").ids) == 4
    assert len(tokenizer.encode("\n###\n").ids) == 1
    assert tokenizer.decode(tokenizer.encode(" naïve 😀\n").ids) == " naïve 😀\n"


def test_training_knows_what_the_shipped_skills_ask() -> None:
    """Else the bundled model answers them with small talk, where it should say that it can't."""
    known = {
        phrasing
        for intent in load_intents()
        if intent.name.startswith("skills.")
        for phrasing in intent.phrasings
    }
    asked = set()
    for path in SHIPPED.glob("*.toml"):
        template = read_skill(path.read_text(), file=path.name, stem=path.stem)
        names = [one.name for one in template.choices]
        for values in product(*(one.values for one in template.choices)):
            said = {
                name: value.replace("-", " ") for name, value in zip(names, values, strict=True)
            }
            if template.prompt:
                asked.add(fill(template.prompt, {**said, "text": "{saying}", "person": "{name}"}))

    assert asked == known


def test_a_recipe_says_how_many_dialogues_open_with_a_task(intents: tuple[Intent, ...]) -> None:
    """Those of copied words aside, which are no talk either."""

    def tasks(share: float) -> int:
        corpus = Corpus(seed=3, intents=intents, tasks_first=share)
        first = [next(corpus.dialogue(number)).intent for number in range(200)]
        return sum(one.startswith("reading.") and one != "reading.repeat" for one in first)

    assert tasks(0.0) == 0
    assert 70 < tasks(0.5) < 130
    assert tasks(1.0) > 170


def test_hasty_people_shout_and_slip_more_often(intents: tuple[Intent, ...]) -> None:
    calm, hasty = (Corpus(seed=3, intents=intents, haste=haste) for haste in (1.0, 4.0))

    shouted = [
        sum(one.person.isupper() for number in range(200) for one in islice(talk(number), 4))
        for talk in (calm.dialogue, hasty.dialogue)
    ]

    assert 2 * shouted[0] < shouted[1]


def test_what_a_person_told_and_jay_gives_back_is_known_as_such(drawn: list[Exchange]) -> None:
    told = [one for one in drawn if one.intent in ("memory.name_told", "memory.echo_words")]

    assert len(told) > 20
    for one in told:
        assert one.value.lower() in one.person.lower()
        assert one.value in one.jay
