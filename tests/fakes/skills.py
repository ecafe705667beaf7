"""Drives a skill by hand: what it asks for is answered from what a test lays down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bot.digests import Digest
from bot.library import is_read
from bot.messages import IncomingMessage, Place
from bot.prompting import Said
from bot.retrieval import ChannelIndex, search
from bot.skills import (
    Ask,
    Batch,
    Cite,
    Cited,
    Clock,
    Done,
    DropDigest,
    Find,
    Found,
    KeepDigest,
    ListDigests,
    Matches,
    Measure,
    NameOf,
    Outcome,
    OwnDigests,
    Progress,
    Read,
    Say,
    Search,
    Sizes,
    Steps,
    Task,
)
from bot.skills.skill import CHANNEL_FULL, NO_DIRECT, Answer, Step


def nothing(task: Task) -> str:
    return "Nothing of note in Paris."


@dataclass
class Hand:
    """Answers a skill's steps, and keeps them."""

    messages: tuple[IncomingMessage, ...] = ()
    model: Callable[[Task], str | None] = nothing
    """What is said to a task of a batch; None: it isn't finished."""
    found: dict[str, object] = field(default_factory=dict)
    """Further fields of what a `Read` finds."""
    gone: frozenset[str] = frozenset()
    """Messages that are taken back while the skill is at it."""
    zone: str = ""
    channels: dict[str, Place] = field(default_factory=dict)
    """That the person may read, by name."""
    cut: str = ""
    digests: list[Digest] = field(default_factory=list)
    """The person's own."""
    direct: Place | None = None
    """Where they can be written to in private."""
    name: str = ""
    """Of every channel."""
    most: int = 20
    """Digests of a channel."""
    steps: list[Step] = field(default_factory=list)

    def run(self, steps: Steps[Outcome]) -> Outcome:
        answer: Answer = None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as end:
                return end.value
            self.steps.append(step)
            answer = None if isinstance(step, Progress) else self._answer(step)

    @property
    def tasks(self) -> list[Task]:
        """Every task that was asked."""
        return [task for one in self.steps if isinstance(one, Batch) for task in one.tasks]

    def _answer(self, step: Step) -> Answer:
        match step:
            case Read():
                return Found(messages=self.messages, **self.found)
            case Batch():
                said = [self.model(task) for task in step.tasks]
                return Done(
                    said=tuple(None if one is None else Said(text=one) for one in said),
                    cut=self.cut,
                )
            case Measure():
                return Sizes(tokens=tuple(len(one.split()) for one in step.texts), room=1_500)
            case Cite():
                standing = [one.message_id for one in step.messages]
                return Cited(
                    links={one: f"https://x/{one}" for one in standing if one not in self.gone}
                )
            case Find():
                return self.channels.get(step.name)
            case Clock():
                return self.zone
            case Search():
                return self._search(step)
        return self._of_older(step)

    def _of_older(self, step: Step) -> Answer:
        match step:
            case ListDigests():
                return OwnDigests(digests=tuple(self.digests))
            case KeepDigest():
                return self._keep(step)
            case DropDigest():
                self.digests.remove(step.digest)
                return None
            case NameOf():
                return self.name
            case Ask():
                return tuple(Said(text=self.model(task) or "") for task in step.tasks)
            case Say():
                return Said(text="")
            case _:
                raise TypeError(f"nothing is laid down for {step!r}")

    def _keep(self, step: KeepDigest) -> Digest | str:
        if step.private and self.direct is None:
            return NO_DIRECT
        if len(self.digests) >= self.most:
            return CHANNEL_FULL
        kept = replace(step.digest, to=self.direct) if step.private else step.digest
        self.digests.append(kept)
        return kept

    def _search(self, step: Search) -> Matches:
        """Search the messages by their words, as a `Library` does."""
        index = ChannelIndex()
        for one in self.messages:
            if is_read(one):
                index.put(one)
        return Matches(
            hits=tuple(search(step.question, [index], most=step.most)),
            searched=len(index),
            oldest_at=min((one.sent_at for one in self.messages), default=0.0),
            people=index.people,
        )
