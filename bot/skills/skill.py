"""The words between a skill and whoever drives it."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeVar

from bot.conversations import Turn
from bot.digests import Digest
from bot.messages import DigestRun, IncomingMessage, Person, Place
from bot.prompting import AS_EVER, Said
from bot.prompts import Manner
from bot.retrieval import Hit
from bot.traces import Passage, Trace


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
    run: DigestRun | None = None
    """The digest that is due, where it was the clock that asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Have the model continue the conversation, shown as it comes. Sends back `Said`."""

    turns: tuple[Turn, ...]
    manner: Manner = AS_EVER
    """How its words are drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One piece of work for the model, unseen by people."""

    instruction: str
    text: str
    max_tokens: int = 120
    stands_on: tuple[IncomingMessage, ...] = ()
    """The messages of one channel that it reads. What the model says is then kept as a note,
    until one of them changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Do these tasks side by side. Sends back a tuple of `Said`, one for each."""

    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Do many tasks side by side, as far as one gets. Sends back `Done`.

    Neither a person who stops it nor an engine that fails ends the skill: what is finished
    counts, and from then on nothing more is asked of the model.
    """

    tasks: tuple[Task, ...]
    told: str
    """What people are told meanwhile, with `{done}` and `{all}` in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of a `Batch`."""

    said: tuple[Said | None, ...]
    """One for each task; None where it isn't finished."""
    cut: Literal["", "stopped", "failed"] = ""
    """Why something is unfinished: a person stopped it, or the engine failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Read all that was said in a range of a place. Sends back `Found`."""

    place: Place
    limit: int
    """So many are read back of the platform's history, the newest."""
    since: float
    until: float
    count: int = 10_000
    """So many are counted of what Jay heard, the newest."""
    after: Person | None = None
    """Only what came after this person's own last message there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is in a range, as far as that is known."""

    messages: tuple[IncomingMessage, ...] = ()
    """Oldest first, each as it reads now; bots' too, Jay's own are not among them."""
    whole: bool = True
    """False: there may be more, further back."""
    heard_only: bool = False
    """The platform's history could not be had; this is what Jay heard itself."""
    may_read: bool = True
    """False: Jay may not read there, and nothing was."""
    deleted: int = 0
    """Messages of the range that were taken back, as far as Jay had heard them."""
    after_at: float = 0.0
    """When the person's last message was sent; 0.0 if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Count the tokens of texts. Sends back `Sizes`."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many tokens texts take."""

    tokens: tuple[int, ...]
    room: int
    """Tokens that the text of a task may take at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cite:
    """Look whether messages still stand as they were read, and where. Sends back `Cited`."""

    messages: tuple[IncomingMessage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """Messages that may be shown."""

    links: dict[str, str]
    """By message id: its address, or nothing where the platform won't tell it now. What was
    edited or taken back in the meantime is not in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Ask for a person's time zone. Sends back its IANA name, or nothing."""

    person: Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Find what bears on a question in a channel with its threads. Sends back `Matches`.

    What is searched is only what everybody who reads the place may read as well.
    """

    place: Place
    question: str
    """With the question before it, where it follows one up."""
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """What a search found, and in how much."""

    hits: tuple[Hit, ...] = ()
    searched: int = 0
    """Messages that could be found."""
    by_meaning: int = 0
    """Those of them that stand in meaning too; the rest by their words alone."""
    oldest_at: float = 0.0
    """When the oldest of them was said, Unix seconds; 0.0: there is none."""
    people: frozenset[str] = frozenset()
    """Names of those who wrote there, in lower case, word by word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """Look for a channel that a person may read. Sends back its `Place`, or None."""

    near: Place
    name: str
    person: Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """Look up how a reply of Jay's came about. Sends back `Recalled`."""

    place: Place
    person: Person
    """Who asks; they are told of no reply that they may not see."""
    message_id: str = ""
    """A message that shows the reply; empty: the latest reply in this place."""
    alone: bool = False
    """Only they will see what is told, so that it may be of a reply that only they saw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """What is known of a reply, with texts as they read now."""

    trace: Trace | None = None
    """None: nothing, or they may not see it."""
    text: str = ""
    """What Jay said; empty where it can't be told that all that it was made from still stands."""
    standing: Mapping[str, IncomingMessage | None] = field(default_factory=dict)
    """What the reply was made from and still reads as it did, by id; None: it is in no log."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Addresses of messages that are told of, as far as the platform tells them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDigests:
    """Look up a person's digests. Sends back `OwnDigests`."""

    person: Person


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnDigests:
    """A person's digests, by their numbers."""

    digests: tuple[Digest, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepDigest:
    """Keep a digest. Sends back it as it is kept, or why it isn't."""

    digest: Digest
    private: bool
    """It is told in a direct message, which is opened for it; else in its `to`."""


CHANNEL_FULL, NO_DIRECT = "channel full", "no direct message"
"""Why a digest isn't kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DropDigest:
    """Drop a digest. Sends back None; one that is gone is no error."""

    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class NameOf:
    """Ask what people call a channel. Sends back the name without `#`, or nothing."""

    place: Place


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
    skill: str = ""
    """The skill that said it, where that is another than was asked."""
    kept: str = ""
    """What is remembered of it in the conversation, where that is more than people see."""
    passages: tuple[Passage, ...] = ()
    """What retrieval found, best first: all that the model read is among it."""
    withheld: bool = False
    """What the model said is not shown, for it was not supported or did not answer."""
    whispered: bool = False
    """It is whispered to whoever asked, and nothing is said where they asked."""


DigestStep: TypeAlias = ListDigests | KeepDigest | DropDigest | NameOf
Need: TypeAlias = (
    Say | Ask | Batch | Read | Measure | Cite | Clock | Search | Find | Recall | DigestStep
)
"""What a skill waits for the answer to."""
Step: TypeAlias = Need | Progress
Answer: TypeAlias = (
    Said
    | tuple[Said, ...]
    | Done
    | Found
    | Sizes
    | Cited
    | Matches
    | Recalled
    | OwnDigests
    | Digest
    | Place
    | str
    | None
)
T = TypeVar("T")
Steps: TypeAlias = Generator[Step, Answer, T]


def say(turns: tuple[Turn, ...], *, manner: Manner = AS_EVER) -> Steps[Said]:
    """Yield `Say` and return what the model said."""
    answer = yield Say(turns=turns, manner=manner)
    if not isinstance(answer, Said):
        raise TypeError(f"a Say is answered by Said, not {answer!r}")
    return answer


def ask(*tasks: Task) -> Steps[tuple[Said, ...]]:
    """Yield `Ask` and return what the model said to each task."""
    answer = yield Ask(tasks=tasks)
    if not isinstance(answer, tuple):
        raise TypeError(f"an Ask is answered by a tuple of Said, not {answer!r}")
    return answer


def batch(*tasks: Task, told: str) -> Steps[Done]:
    """Yield `Batch` and return what came of it."""
    answer = yield Batch(tasks=tasks, told=told)
    if not isinstance(answer, Done):
        raise TypeError(f"a Batch is answered by Done, not {answer!r}")
    return answer


def read(step: Read) -> Steps[Found]:
    """Yield a `Read` and return what was found."""
    answer = yield step
    if not isinstance(answer, Found):
        raise TypeError(f"a Read is answered by Found, not {answer!r}")
    return answer


def measure(texts: Iterable[str]) -> Steps[Sizes]:
    """Yield `Measure` and return the sizes."""
    answer = yield Measure(texts=tuple(texts))
    if not isinstance(answer, Sizes):
        raise TypeError(f"a Measure is answered by Sizes, not {answer!r}")
    return answer


def cite(messages: Iterable[IncomingMessage]) -> Steps[dict[str, str]]:
    """Yield `Cite` and return the links of what may be shown."""
    answer = yield Cite(messages=tuple(messages))
    if not isinstance(answer, Cited):
        raise TypeError(f"a Cite is answered by Cited, not {answer!r}")
    return answer.links


def clock(person: Person) -> Steps[str]:
    """Yield `Clock` and return the name of a person's time zone."""
    answer = yield Clock(person=person)
    if not isinstance(answer, str):
        raise TypeError(f"a Clock is answered by a name, not {answer!r}")
    return answer


def search(place: Place, question: str, *, most: int) -> Steps[Matches]:
    """Yield `Search` and return what was found."""
    answer = yield Search(place=place, question=question, most=most)
    if not isinstance(answer, Matches):
        raise TypeError(f"a Search is answered by Matches, not {answer!r}")
    return answer


def find(step: Find) -> Steps[Place | None]:
    """Yield a `Find` and return the place, if there is one."""
    answer = yield step
    if answer is not None and not isinstance(answer, Place):
        raise TypeError(f"a Find is answered by a Place, not {answer!r}")
    return answer


def recall(step: Recall) -> Steps[Recalled]:
    """Yield a `Recall` and return what is known."""
    answer = yield step
    if not isinstance(answer, Recalled):
        raise TypeError(f"a Recall is answered by Recalled, not {answer!r}")
    return answer
