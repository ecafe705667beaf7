"""Drives a skill by hand: what it asks for is answered from what a test lays down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

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
    Find,
    Found,
    Matches,
    Measure,
    Outcome,
    Progress,
    Read,
    Say,
    Search,
    Sizes,
    Steps,
    Task,
)
from bot.skills.skill import Answer, Step


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
            case Ask():
                return tuple(Said(text=self.model(task) or "") for task in step.tasks)
            case Say():
                return Said(text="")
            case _:
                raise TypeError(f"nothing is laid down for {step!r}")

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
