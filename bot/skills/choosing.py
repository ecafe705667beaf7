"""Which skill a message or command asks for. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from bot.commands import TEXT, Where
from bot.messages import Command, IncomingMessage, Mail
from bot.skills.answer import answer_aloud
from bot.skills.asking import read_asked
from bot.skills.chat import chat
from bot.skills.digests import DIGEST, digest, digests, is_digest_order
from bot.skills.quiz import is_quiz, quiz
from bot.skills.ranges import Range, parse_range
from bot.skills.sharing import SHARE, share
from bot.skills.shortcuts import MessageShortcut, shortcut_of
from bot.skills.skill import Outcome, Request, Steps
from bot.skills.summarize import summarize
from bot.skills.support import reply
from bot.skills.template import PLACES, Choice, Template, speak
from bot.skills.why import WHY, why

Skill: TypeAlias = Callable[[Request], Steps[Outcome]]

CHAT = "chat"
NO_COMMAND = "I don't have the command `/{name}` any more."
ABOUT_IT = re.compile(
    r"(?:is|are|was|were|isn't|aren't|has|have|had|does|did|will|would|can|could|should|and|or)\b",
    re.IGNORECASE,
)
"""What goes on like this speaks of the word and orders nothing: "code is hard"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlashCommand:
    """A command as platforms register it."""

    name: str
    description: str
    argument: str
    """Name of its one free-text argument; empty: it has none."""
    argument_description: str
    required: bool
    skill: Skill
    private: bool = False
    """Only who uses it sees the answer, and may share it."""
    choices: tuple[Choice, ...] = ()
    where: frozenset[Where] = frozenset(PLACES)
    elsewhere: bool = False
    """It tells of another place, which not everybody may read where it is asked."""
    speaks: bool = False
    """What the model says is shown as it comes, and is all that is remembered of the reply."""
    aside: bool = False
    """It is about a reply and no part of the conversation: nothing of it is remembered."""
    shortcut: MessageShortcut | None = None
    """What its file puts into messages' menus."""


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
        skill=answer_aloud,
    ),
    SlashCommand(
        name="quiz",
        description="Ask questions about what was said here, or about a text",
        argument="text",
        argument_description="How many questions, and the text; without one: what was said here",
        required=False,
        skill=quiz,
    ),
    SlashCommand(
        name=WHY,
        description="Tell how my latest reply here came about",
        argument="reply",
        argument_description="the link of another reply",
        required=False,
        skill=why,
        private=True,
        aside=True,
    ),
)
"""Those made of code. Others come from files."""
TAKEN = frozenset((*(one.name for one in COMMANDS), CHAT, SHARE))
"""Names that no file can have."""


def command_of(template: Template) -> SlashCommand:
    """Return the command that a skill's file makes."""
    return SlashCommand(
        name=template.name,
        description=template.description,
        argument=TEXT if template.text_description else "",
        argument_description=template.text_description,
        required=template.required,
        skill=partial(reply if template.knowledge else speak, template),
        private=template.private,
        choices=template.choices,
        where=template.where,
        elsewhere=bool(template.knowledge),
        speaks=not template.knowledge,
        shortcut=shortcut_of(template),
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
    speaks: bool = False
    """As `SlashCommand.speaks`."""
    aside: bool = False
    """As `SlashCommand.aside`."""
    awaited: bool = True
    """Somebody waits for it, and is told how far it is."""


def choose(mail: Mail, commands: Sequence[SlashCommand] = COMMANDS) -> Chosen:
    """Return the skill that a piece of mail asks for.

    A command names it. A message does where its first word is a skill's name
    ("@Jay summarize last 20"): slash commands don't work in Slack threads.

    Args:
        mail: what came.
        commands: all that there are.
    """
    if isinstance(mail, Command):
        if mail.name == SHARE:
            return Chosen(name=SHARE, skill=share, text="")
        if mail.run is not None:
            return Chosen(name=DIGEST, skill=digest, text=mail.text, awaited=False)
        first, rest = mail.name, mail.text
    else:
        first, rest = (*mail.text.split(maxsplit=1), "", "")[:2]
        first = first.lower().rstrip(":,").removeprefix("/")
    first = WHY if first == f"{WHY}?" else first
    command = next((one for one in commands if one.name == first), None)
    if command and (isinstance(mail, Command) or _is_order(first, rest, mail)):
        private = command.private and isinstance(mail, Command) and not mail.place.direct
        if first == "summarize" and is_digest_order(rest, surely=isinstance(mail, Command)):
            return Chosen(name="digests", skill=digests, text=rest.strip(), private=private)
        return Chosen(
            name=command.name,
            skill=command.skill,
            text=rest.strip(),
            private=private,
            share=private
            and not (command.elsewhere or command.aside)
            and not read_asked(rest).channels,
            speaks=command.speaks,
            aside=command.aside,
        )
    if isinstance(mail, Command):
        return Chosen(name=mail.name, skill=_not_there, text=mail.text)
    return Chosen(name=CHAT, skill=chat, text=mail.text, speaks=True)


def _not_there(request: Request) -> Steps[Outcome]:
    """Say that there is no such command: its file was taken away after the person saw it."""
    yield from ()
    name = request.turns[-1].text.split()[0].removeprefix("/")
    return Outcome(text=NO_COMMAND.format(name=name))


def _is_order(name: str, rest: str, mail: IncomingMessage) -> bool:
    """Tell "summarize last 20" from talk that merely begins with the word.

    A bare "why?" asks on about what was said. Only in Slack, said to Jay by name and with not a
    word more, it asks how the reply came about: Discord has the command in threads too, and there
    whoever answers a message by its reply function names its author unasked.
    """
    if name == WHY:
        return not rest.strip() and mail.mentions_jay and mail.place.platform == "slack"
    if name == "answer":
        return bool(rest.strip())
    if name == "quiz":
        return is_quiz(rest)
    if name != "summarize":
        return bool(rest.strip()) and not ABOUT_IT.match(rest)
    asked = read_asked(rest)
    if (
        is_digest_order(rest, surely=False)
        or not asked.plain
        or any(mark.isdigit() for mark in rest)
    ):
        return True
    wanted = parse_range(asked.range.removesuffix("this").strip(), now=0.0)
    return isinstance(wanted, Range) or wanted.why != "unknown"
