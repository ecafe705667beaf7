"""A skill as data: what its file says, and what is asked of the model for it. Pure.

The filled-in prompt is a person's turn, so the family writes it as it writes
any other, and what the model says goes the way of chat: streamed through the
guards, cut into messages, with no mention that rings. Which words of a
request are arguments is told by their values alone ("formal: we are late"),
so that one line of text serves a slash command and a mention alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from string import Formatter

from bot.commands import TEXT, Where
from bot.conversations import Turn
from bot.messages import IncomingMessage, Place
from bot.prompts import Manner
from bot.skills.chat import spoken
from bot.skills.quoting import line
from bot.skills.skill import Outcome, Progress, Read, Request, Steps, read, say

PERSON, MESSAGES = "person", "messages"
"""Placeholders that a prompt may hold beside those of its arguments: the name of who asks, and
what was said here lately."""
READ_MESSAGES = 50
READ_CHARS = 4_000
"""Of what was said here, so much at most: about 1,000 tokens, half of GPT-J's window."""
READ_BACK_S = 30 * 86_400.0
LEADING_WORD = re.compile(r"([a-z][a-z0-9-]*)\s*(:|\s|$)\s*", re.IGNORECASE)
NOT_HERE = "`/{name}` is for {where}."
NOTHING_SAID = "Nobody has said anything here yet that I could work with."
PLACES: Mapping[Where, str] = {
    "channels": "channels",
    "threads": "threads",
    "direct": "direct messages",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An argument that is one of a few words."""

    name: str
    description: str
    values: tuple[str, ...]
    default: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A skill that its file describes."""

    name: str
    description: str
    prompt: str = ""
    """With `{placeholders}`; a brace for itself stands twice."""
    knowledge: str = ""
    """Name of the channel whose messages answer; such a skill has no prompt."""
    text_description: str = ""
    """What people type behind the choices; empty: nothing."""
    required: bool = False
    """Nothing is said without it."""
    choices: tuple[Choice, ...] = ()
    example: str = ""
    """What somebody might type behind the name, for whoever typed nothing."""
    manner: Manner = field(default_factory=Manner)
    where: frozenset[Where] = frozenset(PLACES)
    private: bool = False
    """Only who asked by command sees the answer."""
    shortcut: str = ""
    """Its name in messages' menus, which give their text; empty: it isn't there."""


def speak(template: Template, request: Request) -> Steps[Outcome]:
    """Yield what the model is asked in the words of a template, return what it said."""
    if refusal := not_here(template, request.place):
        return Outcome(text=refusal)
    chosen, text = read_arguments(request.text, template.choices)
    if template.required and not text:
        return Outcome(text=usage(template))
    filled = {name: value.replace("-", " ") for name, value in chosen.items()}
    filled |= {TEXT: text, PERSON: request.person.name}
    if MESSAGES in placeholders(template.prompt):
        filled[MESSAGES] = yield from _said_here(request)
        if not filled[MESSAGES]:
            return Outcome(text=NOTHING_SAID)
    asked = Turn(
        role="person",
        text=fill(template.prompt, filled),
        author=request.person.name,
        at=request.now,
    )
    said = yield from say((asked,), manner=template.manner)
    return spoken(said)


def not_here(template: Template, place: Place) -> str:
    """Return where a skill may be used, if it may not be used in this place."""
    if _kind(place) in template.where:
        return ""
    places = [told for kind, told in PLACES.items() if kind in template.where]
    return NOT_HERE.format(name=template.name, where=" and ".join(places))


def read_arguments(text: str, choices: Sequence[Choice]) -> tuple[dict[str, str], str]:
    """Return the value of each choice, and the text that is left.

    Leading words that are values are taken for them, in any order, up to a colon. A text that
    begins with such a word is told by a colon before it.
    """
    chosen: dict[str, str] = {}
    left = text.strip()
    while word := LEADING_WORD.match(left):
        value = word[1].lower()
        one = next((one for one in choices if value in one.values), None)
        if one is None or one.name in chosen:
            break
        chosen[one.name] = value
        left = left[word.end() :]
        if word[2] == ":":
            return _with_defaults(chosen, choices), left.strip()
    if choices:
        left = left.removeprefix(":")
    return _with_defaults(chosen, choices), left.strip()


def placeholders(prompt: str) -> tuple[str, ...]:
    """Return the names of a prompt's placeholders.

    Raises:
        ValueError: a brace stands alone, or a placeholder is more than a name.
    """
    found = []
    for _, name, form, conversion in Formatter().parse(prompt):
        if name is None:
            continue
        if form or conversion:
            more = (f"!{conversion}" if conversion else "") + (f":{form}" if form else "")
            raise ValueError(f"{{{name}{more}}} must be a name alone")
        found.append(name)
    return tuple(found)


def fill(prompt: str, filled: Mapping[str, str]) -> str:
    """Return a prompt with its placeholders filled in; braces in what fills them stay."""
    parts = [
        text + ("" if name is None else filled[name])
        for text, name, _, _ in Formatter().parse(prompt)
    ]
    return "".join(parts).strip()


def usage(template: Template) -> str:
    """Return how a skill is used, for whoever left its text out."""
    lines = [f"{template.text_description}? For example: `/{template.name} {template.example}`"]
    lines += [
        f"- {one.description}: {', '.join(one.values)} (if you don't say: {one.default})"
        for one in template.choices
    ]
    return "\n".join(lines)


def _with_defaults(chosen: Mapping[str, str], choices: Sequence[Choice]) -> dict[str, str]:
    return {one.name: chosen.get(one.name, one.default) for one in choices}


def _kind(place: Place) -> Where:
    if place.direct:
        return "direct"
    return "threads" if place.thread else "channels"


def _said_here(request: Request) -> Steps[str]:
    """Return the newest messages of a place as the model reads them; empty: there are none."""
    yield Progress(text="Reading what was said here")
    found = yield from read(
        Read(
            place=request.place,
            limit=READ_MESSAGES,
            since=request.now - READ_BACK_S,
            until=request.now,
            count=READ_MESSAGES,
        )
    )
    return told(found.messages)


def told(messages: Sequence[IncomingMessage]) -> str:
    """Return people's messages, as many of the newest as the model has room for."""
    lines: list[str] = []
    room = READ_CHARS
    for one in reversed(messages):
        text = line(one)
        if one.author.bot or one.mentions_jay or not one.text.strip():
            continue
        room -= len(text) + 1
        if room < 0:
            break
        lines.append(text)
    return "\n".join(reversed(lines))
