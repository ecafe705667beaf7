"""What a checkpoint is asked when it is judged: draws that training never makes.

Phrasings that were held out of training, things and names that no run has
coined, another seed. The same questions for every checkpoint, whatever its
family: who asks them is `bot.judging.examining`, what is right is `judge`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from random import Random

from engine.training.corpus import Corpus, Exchange
from engine.training.intents import Intent, load_intents, load_pools
from engine.training.phrasing import called, fill
from engine.training.reading import Reader, Task

SEED = 90_001
"""No run's seed: its dialogues are no run's dialogues."""
COINED_BY = 12
"""Coins names that no run coins."""
A_PHRASING = 2
"""At most so many held-out phrasings of an intent are asked."""
TURNS = 3
"""Exchanges of a dialogue."""
FEW, MANY = 2, 40
"""Messages that a question is asked of: what a small model reads well, and what a channel has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many questions of each kind."""

    phrasings: int = 600
    dialogues: int = 200
    readings: int = 200
    unanswered: int = 100
    forties: int = 100
    summaries: int = 100
    texts: int = 100

    def of(self, part: float) -> Size:
        """Return a part of it, at least one question of each kind."""
        return Size(**{name: max(1, round(part * count)) for name, count in asdict(self).items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """All that is asked."""

    intents: tuple[Intent, ...]
    phrasings: tuple[Exchange, ...]
    dialogues: tuple[tuple[Exchange, ...], ...]
    readings: tuple[Task, ...]
    """A question that one of one or two messages answers."""
    unanswered: tuple[Task, ...]
    """A question that none of its messages answers."""
    forties: tuple[Task, ...]
    """A question that one of forty messages answers."""
    summaries: tuple[Task, ...]
    texts: tuple[tuple[Exchange, ...], ...]
    """Dialogues as they should go, for the perplexity."""


def draw(size: Size) -> Exam:
    """Draw an exam; the same size gives the same one."""
    intents = load_intents()
    pools = load_pools(coined_by=COINED_BY)
    reader = Reader(pools, held_out=True)
    corpus = Corpus(seed=SEED, intents=intents, pools=pools, held_out=True)
    scripts = _dialogues(corpus)
    tasks = _questions(reader, Random(f"readings:{SEED}"))
    few = (one for one in tasks if len(one.messages) <= FEW)
    many = Random(f"forties:{SEED}")
    return Exam(
        intents=intents,
        phrasings=tuple(_phrasings(intents, size.phrasings)),
        dialogues=tuple(islice(scripts, size.dialogues)),
        readings=tuple(islice((one for one in few if one.value), size.readings)),
        unanswered=tuple(
            islice((one for one in tasks if one.kind == "reading.unknown"), size.unanswered)
        ),
        forties=tuple(
            _among(task, reader, many)
            for task in islice((one for one in tasks if one.value), size.forties)
        ),
        summaries=tuple(reader.summary(many) for _ in range(size.summaries)),
        texts=tuple(islice(scripts, size.texts)),
    )


def _phrasings(intents: Sequence[Intent], most: int) -> list[Exchange]:
    """Return held-out phrasings of every intent that can open a conversation."""
    pools = load_pools(coined_by=COINED_BY)
    rng = Random(SEED)
    asked = []
    for intent in intents:
        if intent.after or intent.recalls or intent.like:
            continue
        for phrasing in rng.sample(intent.held_out, min(A_PHRASING, len(intent.held_out))):
            values: dict[str, str] = {}
            person = fill(called(phrasing, rng), pools, rng, values)
            jay = fill(rng.choice(intent.reply), pools, rng, values)
            asked.append(Exchange(person=person, jay=jay, intent=intent.name))
    return rng.sample(asked, min(most, len(asked)))


def _dialogues(corpus: Corpus) -> Iterator[tuple[Exchange, ...]]:
    """Yield dialogues without reading tasks, without end."""
    number = 0
    while True:
        script = tuple(islice(corpus.dialogue(number), TURNS))
        if not script[0].intent.startswith("reading."):
            yield script
        number += 1


def _questions(reader: Reader, rng: Random) -> Iterator[Task]:
    while True:
        yield reader.question(rng)


def _among(task: Task, reader: Reader, rng: Random) -> Task:
    """Put a task's messages among those of others."""
    lines = list(task.messages)
    while len(lines) < MANY:
        other = reader.question(rng)
        for line in other.messages:
            if len(lines) < MANY:
                lines.insert(rng.randrange(len(lines) + 1), line)
    return replace(task, messages=tuple(lines))
