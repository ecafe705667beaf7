"""Skills driven by hand: what they ask for, and what they make of the answers."""

from __future__ import annotations

import pytest
from fakes.talk import ANA, BEN, CHANNEL, command, message

from bot.messages import IncomingMessage
from bot.prompting import Said
from bot.skills import Ask, Look, Outcome, Progress, Request, Say, Seen, choose
from bot.skills.chat import NOTHING_TO_READ, chat
from bot.skills.skill import Answer, Steps

TALK = tuple(
    message(text, message_id=f"{at}.0", author=author)
    for at, (author, text) in enumerate(
        [
            (ANA, "Good morning everybody"),
            (BEN, "The release of 2.4 moved to Thursday because the login test fails."),
            (ANA, "Who wants pizza for lunch?"),
            (BEN, "The database password rotation is done, Carla checked it."),
        ],
        start=1,
    )
)


def request(text: str = "", **overrides: object) -> Request:
    return Request(text=text, place=CHANNEL, person=ANA, now=1_000.0, command=True)


def run(
    steps: Steps[Outcome], *, talk: tuple[IncomingMessage, ...] = TALK, model: str = ""
) -> Outcome:
    """Answer whatever a skill asks: the talk for a look, the model's text for the rest."""
    result: Answer = None
    while True:
        try:
            step = steps.send(result)
        except StopIteration as end:
            return end.value
        match step:
            case Look():
                wanted = step.link(talk) if step.link else ()
                result = Seen(messages=talk, links={one: f"https://x/{one}" for one in wanted})
            case Ask():
                result = tuple(Said(text=model) for _ in step.tasks)
            case Say():
                result = Said(text=model)
            case Progress():
                result = None


def test_a_mention_without_words_is_answered_with_what_jay_can_do() -> None:
    assert run(chat(request(""))).text == NOTHING_TO_READ


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
