"""Which skill a message or command asks for. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from bot.messages import Command, Mail
from bot.skills.answer import answer
from bot.skills.asking import read_asked
from bot.skills.chat import chat
from bot.skills.digests import DIGEST, digest, digests, is_digest_order
from bot.skills.ranges import Range, parse_range
from bot.skills.sharing import SHARE, share
from bot.skills.skill import Outcome, Request, Steps
from bot.skills.summarize import summarize

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
        argument_description="last 50, today, since monday 9:00; as paragraph; every weekday 9:00, digests, stop 1",
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
    awaited: bool = True
    """Somebody waits for it, and is told how far it is."""


def choose(mail: Mail) -> Chosen:
    """Return the skill that a piece of mail asks for.

    A command names it. A message does where its first word is a skill's name
    ("@Jay summarize last 20"): slash commands don't work in Slack threads.
    """
    if isinstance(mail, Command):
        if mail.name == SHARE:
            return Chosen(name=SHARE, skill=share, text="")
        if mail.run is not None:
            return Chosen(name=DIGEST, skill=digest, text=mail.text, awaited=False)
        first, rest = mail.name, mail.text
    else:
        first, _, rest = mail.text.strip().partition(" ")
        first = first.lower().rstrip(":,").removeprefix("/")
    for command in COMMANDS:
        if command.name == first and (isinstance(mail, Command) or _is_order(first, rest)):
            private = command.private and isinstance(mail, Command) and not mail.place.direct
            if first == "summarize" and is_digest_order(rest, surely=isinstance(mail, Command)):
                return Chosen(name="digests", skill=digests, text=rest.strip(), private=private)
            return Chosen(
                name=command.name,
                skill=command.skill,
                text=rest.strip(),
                private=private,
                share=private and not read_asked(rest).channels,
            )
    return Chosen(name="chat", skill=chat, text=mail.text)


def _is_order(name: str, rest: str) -> bool:
    """Tell "summarize last 20" from talk that merely begins with the word."""
    if name != "summarize":
        return bool(rest.strip())
    asked = read_asked(rest)
    if (
        is_digest_order(rest, surely=False)
        or not asked.plain
        or any(mark.isdigit() for mark in rest)
    ):
        return True
    wanted = parse_range(asked.range.removesuffix("this").strip(), now=0.0)
    return isinstance(wanted, Range) or wanted.why != "unknown"
