"""Skills driven by hand: what they ask for, and what they make of the answers."""

from __future__ import annotations

import pytest
from fakes.skills import Hand
from fakes.talk import ANA, CHANNEL, command, message

from bot.prompting import Said
from bot.skills import Request, choose
from bot.skills.chat import NOTHING_TO_READ, chat


def request(text: str) -> Request:
    return Request(text=text, place=CHANNEL, person=ANA, now=1_000.0)


def test_a_mention_without_words_is_answered_with_what_jay_can_do() -> None:
    assert Hand().run(chat(request(""))).text == NOTHING_TO_READ


def test_a_cut_reply_says_so() -> None:
    steps = chat(request("hello"))
    steps.send(None)
    with pytest.raises(StopIteration) as end:
        steps.send(Said(text="One two", cut="loop", note="_stopped_"))

    assert end.value.value.text == "One two\n\n_stopped_"


def test_a_command_and_a_mention_choose_the_same_skill() -> None:
    """Slash commands don't work in Slack's threads."""
    by_command = choose(command("summarize", "last 5"))
    by_mention = choose(message("Summarize last 5", mentions_jay=True))

    assert (by_command.name, by_command.text) == (by_mention.name, by_mention.text)


def test_talk_that_begins_with_a_skills_name_is_still_talk() -> None:
    assert choose(message("summarize is a long word, isn't it")).name == "chat"
    assert choose(message("answer")).name == "chat"
