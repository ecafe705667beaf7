"""Which skill a message or command asks for. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from bot.messages import Command, IncomingMessage, Mail
from bot.skills.answer import answer
from bot.skills.asking import read_asked
from bot.skills.chat import chat
from bot.skills.ranges import Range, parse_range
from bot.skills.sharing import SHARE, share
from bot.skills.skill import Outcome, Request, Steps
from bot.skills.summarize import summarize
from bot.skills.why import WHY, why

Skill: TypeAlias = Callable[[Request], Steps[Outcome]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlashCommand:
    """A command as platforms register it."""

    name: str
    description: str
    argument: str
    """Name of its one free-text argument."""
    argument_description: str
    required: bool
    skill: Skill
    private: bool = False
    """Only who uses it sees the answer, and may share it."""


COMMANDS = (
    SlashCommand(
        name="summarize",
        description="Sum up what was said in this channel",
        argument="range",
        argument_description="last 50, today, since monday 9:00, since I was last here; as paragraph, by topic",
        required=False,
        skill=summarize,
        private=True,
    ),
    SlashCommand(
        name="answer",
        description="Answer a question from what was said in this channel",
        argument="question",
        argument_description="What you would like to know",
        required=True,
        skill=answer,
    ),
    SlashCommand(
        name=WHY,
        description="Tell how my latest reply here came about",
        argument="reply",
        argument_description="the link of another reply",
        required=False,
        skill=why,
        private=True,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A skill and the text that is meant for it."""

    name: str
    skill: Skill
    text: str
    private: bool = False
    """Only who asked sees the answer."""
    share: bool = False
    """They may share it with all who see where it was asked: it is about that place."""
    aside: bool = False
    """It is about a reply and no part of the conversation: nothing of it is remembered."""


def choose(mail: Mail) -> Chosen:
    """Return the skill that a piece of mail asks for.

    A command names it. A message does where its first word is a skill's name
    ("@Jay summarize last 20"): slash commands don't work in Slack threads.
    """
    if isinstance(mail, Command):
        if mail.name == SHARE:
            return Chosen(name=SHARE, skill=share, text="")
        first, rest = mail.name, mail.text
    else:
        first, _, rest = mail.text.strip().partition(" ")
        first = first.lower().rstrip(":,").removeprefix("/")
        first = WHY if first == f"{WHY}?" else first
    for command in COMMANDS:
        if command.name == first and (isinstance(mail, Command) or _is_order(first, rest, mail)):
            private = command.private and isinstance(mail, Command) and not mail.place.direct
            return Chosen(
                name=command.name,
                skill=command.skill,
                text=rest.strip(),
                private=private,
                share=private and command.name != WHY and not read_asked(rest).channels,
                aside=command.name == WHY,
            )
    return Chosen(name="chat", skill=chat, text=mail.text)


def _is_order(name: str, rest: str, mail: IncomingMessage) -> bool:
    """Tell "summarize last 20" from talk that merely begins with the word.

    A bare "why?" asks on about what was said. Only in Slack, said to Jay by name and with not a
    word more, it asks how the reply came about: Discord has the command in threads too, and there
    whoever answers a message by its reply function names its author unasked.
    """
    if name == WHY:
        return not rest.strip() and mail.mentions_jay and mail.place.platform == "slack"
    if name != "summarize":
        return bool(rest.strip())
    asked = read_asked(rest)
    if not asked.plain or any(mark.isdigit() for mark in rest):
        return True
    wanted = parse_range(asked.range.removesuffix("this").strip(), now=0.0)
    return isinstance(wanted, Range) or wanted.why != "unknown"
