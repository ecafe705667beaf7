"""Traces: how each reply came about, for whoever asks why.

A trace names the messages that a reply was made from by their ids and marks
Jay's words by where they stand; it holds no text of anybody. Who shows it
reads the texts from the store at that time, and so never shows what was taken
back in the meantime. The number of the log's last change that was read (see
`bot/changes`) tells which messages still read as they did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bot.messages import IncomingMessage, Place
from bot.prompts import Sampling

MOST_READ = 500
"""Messages that a trace names; a window of 2,048 tokens holds fewer."""
MOST_UNSURE = 20
"""Words that it marks, the least sure ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the model was asked, in numbers."""

    model: str
    revision: str
    """Where the engine loaded it from, as it says."""
    family: str
    sampling: Sampling
    window: int
    """Tokens of prompt and reply together."""
    budget_tokens: int
    """Tokens that a prompt may take."""
    max_tokens: int
    """The longest reply."""
    prompt_tokens: int = 0
    """Of all prompts together, where several were asked."""
    cached_tokens: int = 0
    reply_tokens: int = 0
    prompts: int = 1
    """How many prompts were asked; 0: all that was needed had been noted before."""
    noted: int = 0
    """Answers that were noted before and not asked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTurn:
    """A turn of the conversation, or a message, that the prompt held."""

    role: Literal["person", "jay"]
    message_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A message that retrieval found."""

    message_id: str
    before: str = ""
    """Id of the message that it goes on from, if it does."""
    score: float
    """Log-odds that it answers; above 0 it is taken to."""
    words: float
    """Its BM25 score."""
    meaning: float | None = None
    """Likeness to the question, -1 to 1; None: not measured."""
    shown: bool = False
    """It was shown in the reply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsure:
    """A word of the reply that the model was unsure of."""

    start: int
    """Where it stands in the text of Jay's turn."""
    end: int
    probability: float
    """Of its least likely token, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sureness:
    """How likely the model found its own words."""

    tokens: int
    """Tokens whose probability is known."""
    mean_logprob: float
    """Of these, natural logarithm."""
    unsure: tuple[Unsure, ...] = ()
    """In the order in which they stand there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """How one reply came about."""

    reply_id: str
    place: Place
    """Where the reply stands."""
    at: float
    """When it was whole, Unix seconds."""
    revision: int
    """The last change of the channel's log that was read."""
    skill: str
    finish: str
    """How it ended: as in `bot.conversations.Made`."""
    person: str = ""
    """Id of the one person who may see the reply; empty: all who read the place."""
    message_ids: tuple[str, ...] = ()
    """The platform's messages that show it."""
    answered: tuple[str, ...] = ()
    """Ids of the messages or commands that it answers."""
    asked: Asked | None = None
    """None: no model was asked."""
    read: tuple[ReadTurn, ...] = ()
    """The conversation that the prompt held, oldest first."""
    left_out: int = 0
    """Older turns that no longer fitted."""
    cut_tokens: int = 0
    """Tokens of the newest turn that no longer fitted."""
    passages: tuple[Passage, ...] = ()
    """Best first."""
    cited: int = 0
    """Messages that the reply names as what it stands on."""
    withheld: bool = False
    """What the model said was not shown."""
    sureness: Sureness | None = None
    """None: not told by the engine."""
    traceable: bool = False
    """Whether all that the model read is named here, so that one can tell whether it stands."""
    begun_chars: int = 0
    """Characters of the text that an earlier worker had the model say; of these is no `sureness`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """A reply of which there may be a trace."""

    message_id: str
    """The last message that shows it."""
    thread: str
    person: str
    """As in `Trace`."""


class Traces(Protocol):
    """Part of the store. Every method is one atomic step, and safe to repeat."""

    async def revision(self, place: Place) -> int:
        """Return the number of the last change of a channel's log; 0: there was none."""
        ...

    async def keep_trace(self, trace: Trace) -> None:
        """Keep a trace for a week, or as long as the retention where that is shorter.

        It goes with the reply's last message when that is deleted. One that is deleted already,
        or that stands nowhere, gets none.
        """
        ...

    async def trace(self, place: Place, message_id: str) -> Trace | None:
        """Return the trace of the reply whose last message this is, if there is one still."""
        ...

    async def traced(self, place: Place) -> Sequence[Traced]:
        """Return the replies of a channel with its threads, the newest first; at most 50."""
        ...

    async def standing(
        self, place: Place, message_ids: Sequence[str], *, revision: int
    ) -> Mapping[str, IncomingMessage | None]:
        """Return those messages of a channel that read as they did at a revision.

        What was edited or deleted since, or is no longer kept, is left out. None stands for what
        is in no log: commands, and Jay's own messages.
        """
        ...
