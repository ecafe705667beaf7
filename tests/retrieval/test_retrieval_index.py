"""The index: its scores are BM25's, and whatever order things happen in, it holds what is there."""

from __future__ import annotations

import bm25s
import numpy as np
import pytest
from fakes.talk import ANA, BEN, CHANNEL, in_thread, message
from hypothesis import given
from hypothesis import strategies as st

from bot.messages import IncomingMessage, Person
from bot.retrieval import ChannelIndex, search, searched_text
from bot.retrieval.embedding import WIDTH
from bot.retrieval.ranking import highest
from bot.retrieval.terms import terms

WORDS = "pump valve motor harbour ferry crane tide berth map rope".split()
TEXTS = st.lists(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join), min_size=1, max_size=12
)


def said(texts: list[str]) -> list[IncomingMessage]:
    authors = [Person(id=f"U{at}", name="ed") for at in range(len(texts))]
    return [
        message(text, message_id=f"{at + 1}00000.0", author=author)
        for at, (text, author) in enumerate(zip(texts, authors, strict=True))
    ]


def index_of(messages: list[IncomingMessage]) -> ChannelIndex:
    index = ChannelIndex()
    for one in messages:
        index.put(one)
    return index


def found(index: ChannelIndex, question: str) -> dict[str, float]:
    hits = search(question, [index], most=50)
    return {one.message.message_id: one.words for one in hits}


@given(texts=TEXTS, question=st.lists(st.sampled_from(WORDS), min_size=1, max_size=4, unique=True))
def test_scores_are_those_of_bm25s(texts: list[str], question: list[str]) -> None:
    """Ours follows every change; it must not rank otherwise than the library for that."""
    texts = list(dict.fromkeys(texts))
    messages = said(texts)
    corpus = [terms(searched_text(one)) for one in messages]
    asked = [one for one in terms(" ".join(question)) if any(one in each for each in corpus)]
    expected = [0.0] * len(corpus)
    if asked:
        oracle = bm25s.BM25(k1=1.5, b=0.75, method="lucene")
        oracle.index(corpus, show_progress=False)
        expected = [float(score) for score in oracle.get_scores(asked)]

    ours = found(index_of(messages), " ".join(question))

    for one, score in zip(messages, expected, strict=True):
        assert ours.get(one.message_id, 0.0) == pytest.approx(score, rel=1e-4, abs=1e-5)


@given(
    changes=st.lists(
        st.tuples(st.integers(1, 6), st.one_of(st.none(), st.sampled_from(WORDS))), max_size=40
    ),
    question=st.sampled_from(WORDS),
)
def test_after_any_changes_it_is_as_if_made_of_what_is_left(
    changes: list[tuple[int, str | None]], question: str
) -> None:
    """An edit or a deletion that leaves a trace would be quoted to somebody."""
    index, left = ChannelIndex(), dict[str, IncomingMessage]()
    for number, text in changes:
        one = message(f"{text} {number}", message_id=f"{number}00000.0")
        if text is None:
            index.drop(one.message_id)
            left.pop(one.message_id, None)
        else:
            index.put(one)
            left[one.message_id] = one

    fresh = index_of(list(left.values()))

    assert len(index) == len(left)
    assert found(index, question) == pytest.approx(found(fresh, question))
    assert index.extent(lambda thread: True) == fresh.extent(lambda thread: True)


def test_vectors_are_missing_of_the_newest_first() -> None:
    """People ask about what was said lately, and vectors of a long history take minutes."""
    index = index_of([message("ship", message_id=f"{at}.0") for at in (3, 1, 4, 2)])
    index.keep_vectors({"3.0": np.ones(WIDTH, dtype=np.float32)})

    assert [one.message_id for one in index.without_vectors(2)] == ["4.0", "2.0"]
    assert index.with_vectors == 1


def test_it_is_made_anew_when_most_of_it_is_gone() -> None:
    index = index_of(said([f"crane {at}" for at in range(3_000)]))
    vector = np.eye(WIDTH, dtype=np.float32)[3]
    index.keep_vectors({"2900" + "00000.0": vector})

    for at in range(2_500):
        index.drop(f"{at + 1}00000.0")

    assert index.slots < 1_500
    assert len(index) == 500
    assert index.with_vectors == 1
    hits = search("berth", [index], vector=vector, most=1)
    assert hits[0].message.message_id == "290000000.0"


@given(
    seed=st.integers(0, 1_000),
    count=st.sampled_from([0, 1, 50, 5_000, 20_000]),
    kinds=st.sampled_from([1, 3, 1_000_000]),
)
def test_sampling_loses_none_of_the_highest(seed: int, count: int, kinds: int) -> None:
    """Also where many are equal, as scores of short messages are."""
    rng = np.random.default_rng(seed)
    scores = (rng.integers(0, kinds + 1, count) / kinds).astype(np.float32)

    chosen = highest(scores, 160)

    assert len(chosen) == len(set(chosen)) == min(160, int((scores > 0).sum()))
    expected = sorted((float(one) for one in scores if one > 0), reverse=True)[:160]
    assert sorted((float(scores[at]) for at in chosen), reverse=True) == expected


def test_several_channels_rank_as_if_they_were_one() -> None:
    texts = ["the crane is broken", "crane and ferry", "a ferry at the berth", "tide table"]
    messages = said(texts)

    apart = search("crane ferry", [index_of(messages[:2]), index_of(messages[2:])], most=4)
    together = search("crane ferry", [index_of(messages)], most=4)

    assert [one.words for one in apart] == pytest.approx([one.words for one in together])
    assert [one.message for one in apart] == [one.message for one in together]


def test_what_answers_a_question_in_its_thread_takes_its_rank() -> None:
    """The answer itself seldom repeats what was asked."""
    talk = [
        message("Does anybody know when the ferry leaves?", message_id="1.0", author=ANA),
        message("At six, as always.", message_id="90000.0", author=BEN, place=in_thread("1.0")),
        message("The crane leaves.", message_id="2.0", author=ANA),
    ]

    best, *_ = search("when does the ferry leave", [index_of(talk)], most=3)

    assert best.message.text == "At six, as always."
    assert best.before is not None
    assert best.before.message_id == "1.0"


def test_of_messages_that_read_the_same_the_newest_is_found() -> None:
    talk = [
        message("Crane is free.", message_id=f"{at}00000.0", author=ANA, place=CHANNEL)
        for at in (1, 3, 2)
    ]

    hits = search("crane", [index_of(talk)], most=3)

    assert [one.message.message_id for one in hits] == ["300000.0"]


def test_threads_that_may_not_be_seen_give_nothing() -> None:
    hidden = message("The crane is ours.", message_id="5.0", place=in_thread("4.0"))
    index = index_of([message("The crane is free.", message_id="1.0"), hidden])

    hits = search("crane", [index], most=5, may_see=lambda thread: thread != "4.0")

    assert [one.message.message_id for one in hits] == ["1.0"]
    assert all(one.before != hidden for one in hits)
    assert index.extent(lambda thread: thread != "4.0") == (1, 1.0)
