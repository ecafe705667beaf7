"""Conversations with known facts, and questions about them, as `tests/data/answers.json` has them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from bot.errors import SettingsError
from bot.messages import IncomingMessage, Person, Place

ASKER = Person(id="U0", name="Asker")

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A message of a conversation."""

    id: str
    author: str
    text: str
    sent_at: float
    thread: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question, and what is right to say."""

    question: str
    gold: str
    """The value that an answer must hold; empty: no message holds one."""
    messages: tuple[str, ...] = ()
    """Ids of the messages that hold it."""
    paraphrase: bool = False
    """It shares few words with its message."""
    after: str = ""
    """The question that was asked before it in the same thread."""
    unanswerable: str = ""
    """`near`: said of this thing is something else; `absent`: it was said of other things."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A conversation with its questions."""

    name: str
    part: str
    """`develop` or `held_out`."""
    messages: tuple[Line, ...]
    questions: tuple[Question, ...]

    @property
    def place(self) -> Place:
        """The channel that it is put into."""
        return Place(platform="slack", workspace="T0", channel=self.name)

    def named(self, text: str) -> set[str]:
        """Return what a text names of the values and people of the conversation, and its numbers."""
        small = text.lower()
        known = {one.gold.lower() for one in self.questions if one.gold}
        known |= {line.author.lower() for line in self.messages}
        found = {one for one in known if re.search(rf"(?<!\w){re.escape(one)}(?!\w)", small)}
        return found | set(re.findall(r"\d+(?:[.,:]\d+)*", small))

    def said(self) -> tuple[IncomingMessage, ...]:
        """Return what was said, as an adapter hands it on."""
        return tuple(
            IncomingMessage(
                place=replace(self.place, thread=line.thread),
                message_id=line.id,
                author=Person(id=line.author, name=line.author),
                text=line.text,
                sent_at=line.sent_at,
            )
            for line in self.messages
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSet:
    """All conversations."""

    conversations: tuple[Talk, ...]


def load_answer_set(path: Path) -> AnswerSet:
    """Read an answer set.

    Raises:
        SettingsError: it is not there, or can't be one.
    """
    try:
        return TypeAdapter(AnswerSet).validate_python(json.loads(path.read_text()))
    except FileNotFoundError as error:
        raise SettingsError(
            f"{path} is not there; run this in a checkout, or name --data"
        ) from error
    except (ValueError, ValidationError) as error:
        raise SettingsError(f"{path} is no answer set: {error}") from error
