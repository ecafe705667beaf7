"""What `/why` says, word for word."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.talk import ANA, BEN, CHANNEL, message

from bot.prompts import Sampling
from bot.skills import Recalled
from bot.skills.why import NOT_ALL_STANDS, mark, message_in, revision_name, told
from bot.traces import Asked, Passage, ReadTurn, Sureness, Trace, Unsure

ASKED = Asked(
    model="mini",
    revision="/srv/models/gptj",
    family="mini",
    sampling=Sampling(temperature=0.7, top_p=0.9, top_k=40),
    window=2048,
    budget_tokens=1748,
    max_tokens=300,
    prompt_tokens=812,
    cached_tokens=640,
    reply_tokens=6,
)
SURE = Sureness(
    tokens=6,
    mean_logprob=-0.4567,
    unsure=(
        Unsure(start=13, end=19, probability=0.09),
        Unsure(start=23, end=30, probability=0.001),
    ),
)
TRACE = Trace(
    reply_id="r",
    place=CHANNEL,
    at=9.0,
    revision=4,
    skill="chat",
    finish="stop",
    message_ids=("m2",),
    asked=ASKED,
    read=(
        ReadTurn(role="person", message_ids=("1.0",)),
        ReadTurn(role="jay", message_ids=("m1",)),
        ReadTurn(role="person", message_ids=("2.0",)),
    ),
    left_out=12,
    traceable=True,
    sureness=SURE,
)
TEXT = "It is in the Aurora on Tuesday."
FOUND = Recalled(
    trace=TRACE,
    text=TEXT,
    standing={
        "1.0": message("where?"),
        "m1": None,
        "2.0": message("x", message_id="2.0", author=BEN),
    },
    links={"1.0": "https://x/1"},
)


def test_a_chat_is_told_whole() -> None:
    assert told(TRACE, FOUND) == (
        "**Why this reply**\n"
        "- The prompt held 2 messages of people and 1 reply of mine; 12 older turns no longer "
        "fitted.\n"
        "- From people: Ana [1 Jan](https://x/1), Ben 1 Jan.\n"
        "- Read 812 tokens of 1,748 that a prompt may take, 640 of them answered by the cache; "
        "wrote 6 (at most 300). The window has 2,048.\n"
        "- Model `mini`, revision `gptj`, prompt family `mini`.\n"
        "- Sampling: temperature 0.7, top-p 0.9, top-k 40, repetition penalty 1.\n"
        "- Mean log-probability of its 6 tokens: -0.46 (0 is certain).\n"
        "- Unsure words, with their probability: It is in the **Aurora** (9 %) on **Tuesday** "
        "(under 1 %).\n"
        "- It ended by itself."
    )


def test_words_are_not_marked_where_not_all_stands_that_they_were_made_from() -> None:
    text = told(TRACE, replace(FOUND, text=""))

    assert NOT_ALL_STANDS in text
    assert "Aurora" not in text


def test_messages_that_are_gone_are_counted() -> None:
    text = told(
        TRACE,
        replace(FOUND, standing={"m1": None, "2.0": message("x", message_id="2.0", author=BEN)}),
    )

    assert "From people: Ben 1 Jan." in text
    assert "1 message of these no longer reads as it did, or is gone." in text


def test_passages_are_told_with_their_scores_and_as_they_read_now() -> None:
    found = (
        Passage(message_id="1.0", score=1.25, words=7.5, meaning=0.41, shown=True),
        Passage(message_id="3.0", score=-2.0, words=0.5),
    )

    text = told(replace(TRACE, read=(), passages=found, withheld=True), FOUND)

    assert "- +1.25; 7.50; 0.41, shown: Ana [1 Jan](https://x/1): where?" in text
    assert "- -2.00; 0.50; –: a message that no longer reads as it did, or is gone" in text
    assert "What the model said was not shown" in text


def test_many_prompts_and_what_was_noted_are_told_as_such() -> None:
    asked = replace(ASKED, prompts=7, noted=3, prompt_tokens=9_000, cached_tokens=0)

    text = told(replace(TRACE, asked=asked, read=(), sureness=None, cited=4), FOUND)

    assert "Read 9,000 tokens in 7 prompts; wrote 6" in text
    assert "3 parts had been read before and were noted." in text
    assert "It stands on 4 messages, linked in the reply." in text
    assert "How sure the model was of its words is not known." in text


def test_a_reply_without_a_model_says_so() -> None:
    text = told(replace(TRACE, asked=None, read=(), sureness=None), FOUND)

    assert text == (
        "**Why this reply**\n- No model was asked: these are the messages themselves, or words of "
        "the program."
    )


@pytest.mark.parametrize(
    ("finish", "said"),
    [
        ("length", "It was cut at the longest reply that I give."),
        ("guard:loop", "A guard cut it: it was repeating itself."),
        ("guard:flood", "A guard cut it: it was repeating one sign."),
        ("stopped", "Somebody stopped it."),
        ("error:EngineBroke", "The model's server failed on the way (EngineBroke)."),
    ],
)
def test_how_it_ended_is_told(finish: str, said: str) -> None:
    assert told(replace(TRACE, finish=finish), FOUND).endswith(f"\n- {said}")


def test_what_another_worker_began_is_told() -> None:
    assert "Another worker began it: of the first 7 characters I don't know" in told(
        replace(TRACE, begun_chars=7), FOUND
    )


def test_marks_in_the_reply_stay_text() -> None:
    """It is shown inside other Markdown, and must break nothing there."""
    unsure = (Unsure(start=3, end=9, probability=0.25),)

    assert mark("a\n\n*b_[@c*", replace(SURE, unsure=unsure)) == "a **\\*b\\_\\[\\@c** (25 %)\\*"


def test_of_a_long_reply_only_what_stands_around_the_words_is_shown() -> None:
    text = "word " * 200 + "Aurora" + " word" * 300
    unsure = (Unsure(start=1000, end=1006, probability=0.25),)

    marked = mark(text, replace(SURE, unsure=unsure))

    assert marked.startswith("… **Aurora** (25 %) word")
    assert marked.endswith("word …")
    assert len(marked) < 560


@pytest.mark.parametrize(
    ("asked", "message_id"),
    [
        ("https://t.slack.com/archives/C1/p1764000000123456?thread_ts=1.2", "1764000000.123456"),
        ("https://discord.com/channels/1/2/333", "333"),
        ("https://discord.com/channels/@me/2/333", "333"),
        ("response:abc.0", "response:abc.0"),
        ("", ""),
    ],
)
def test_a_reply_is_meant_by_its_link_or_its_id(asked: str, message_id: str) -> None:
    assert message_in(asked) == message_id


def test_a_revision_shows_nobody_the_operators_folders() -> None:
    assert revision_name("/srv/models/gptj/") == "gptj"
    assert revision_name("EleutherAI/gpt-j-6b") == "EleutherAI/gpt-j-6b"


def test_nobody_is_named_but_by_who_asks() -> None:
    assert ANA.name not in told(TRACE, Recalled(trace=TRACE))
