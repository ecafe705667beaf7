"""The words between a skill and whoever drives it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from bot.conversations import Turn
from bot.messages import IncomingMessage, Person, Place
from bot.prompting import Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a skill is asked to do."""

    text: str
    """What stands after the skill's name; for a chat, the newest message."""
    place: Place
    person: Person
    turns: tuple[Turn, ...] = ()
    """The conversation so far, the new messages last."""
    now: float = 0.0
    """Unix seconds."""
    command: bool = False
    """It came by slash command, which asks about the channel rather than a thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Have the model continue the conversation, shown as it comes. Sends back `Said`."""

    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One piece of work for the model, unseen by people."""

    instruction: str
    text: str
    max_tokens: int = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Do these tasks side by side. Sends back a tuple of `Said`, one for each."""

    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was found in a place."""

    messages: tuple[IncomingMessage, ...]
    """Oldest first."""
    links: dict[str, str]
    """Addresses of messages, by message id; those that exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Read a place's newest messages. Sends back `Seen`."""

    place: Place
    limit: int
    since: float = 0.0
    link: Callable[[tuple[IncomingMessage, ...]], tuple[str, ...]] | None = None
    """Chooses the messages whose addresses are wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Tell the person what is being done. Sends back None."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a skill says at last."""

    text: str
    """Markdown."""
    said: Said | None = None
    """The model's part in it, for the record."""
    sources: tuple[str, ...] = ()
    """Ids of the messages that it stands on."""


Step: TypeAlias = Say | Ask | Look | Progress
Answer: TypeAlias = Said | tuple[Said, ...] | Seen | None
T = TypeVar("T")
Steps: TypeAlias = Generator[Step, Answer, T]


def say(turns: tuple[Turn, ...]) -> Steps[Said]:
    """Yield `Say` and return what the model said."""
    answer = yield Say(turns=turns)
    if not isinstance(answer, Said):
        raise TypeError(f"a Say is answered by Said, not {answer!r}")
    return answer


def ask(*tasks: Task) -> Steps[tuple[Said, ...]]:
    """Yield `Ask` and return what the model said to each task."""
    answer = yield Ask(tasks=tasks)
    if not isinstance(answer, tuple):
        raise TypeError(f"an Ask is answered by a tuple of Said, not {answer!r}")
    return answer


def look(
    place: Place,
    *,
    limit: int,
    since: float = 0.0,
    link: Callable[[tuple[IncomingMessage, ...]], tuple[str, ...]] | None = None,
) -> Steps[Seen]:
    """Yield `Look` and return what was seen."""
    answer = yield Look(place=place, limit=limit, since=since, link=link)
    if not isinstance(answer, Seen):
        raise TypeError(f"a Look is answered by Seen, not {answer!r}")
    return answer
