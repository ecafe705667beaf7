"""Whole dialogues, drawn by seed and number; nothing is stored.

A dialogue goes on until its reader has enough: it opens with a greeting or
straight with a request, follows on where an intent offers it, and keeps what
the person told so that a later question can ask for it back. Some open with a
reading task, for tasks stand first where Jay meets them. Rendering is
`bot.family`'s, so that training sees what serving sends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random

from bot.conversations import Turn
from bot.family import Family, render_opening, render_turn
from engine.training.intents import Intent, Pools, load_intents, load_pools
from engine.training.phrasing import as_typed, called, fill
from engine.training.reading import Reader

MINI = Family(
    name="mini",
    models=("*mini*",),
    begin="<|endoftext|>",
    person="[human]: {text}\n###\n",
    jay_open="[robot]:",
    jay_close="\n###\n",
    stop=("\n###",),
    never=("[human]:", "[robot]:"),
)
"""The format of the bundled checkpoint: the transcript of GPT-J's own family."""

FOLLOW_ON = 0.4
"""Chance that an intent which can be followed on is."""
TASK_FIRST = 0.16
"""Share of dialogues that open with a reading task."""
RECALL = 0.10
"""Chance that the person asks back for something told, once there is something."""
LAST = "last"
"""The fact of what the person said last."""
REPEATS = 0.04
"""Share of dialogues of random words said twice: nothing teaches copying faster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What a person says and what Jay replies."""

    person: str
    jay: str
    intent: str


@dataclass(slots=True)
class _Talk:
    """What a dialogue knows so far."""

    last: str = ""
    said: str = ""
    replied: str = ""
    facts: dict[str, str] = field(default_factory=dict)


class Corpus:
    """Endless dialogues; the same number gives the same one."""

    def __init__(
        self,
        *,
        seed: int,
        intents: Sequence[Intent] | None = None,
        pools: Pools | None = None,
    ) -> None:
        """Read the data files unless intents and pools are given."""
        self.seed = seed
        self.intents = tuple(intents) if intents is not None else load_intents()
        self.pools = pools if pools is not None else load_pools()
        self._by_name = {intent.name: intent for intent in self.intents}
        self._openers = [one for one in self.intents if not one.after and not one.recalls]
        self._weights = list(accumulate(one.weight for one in self._openers))
        self._recalls = [one for one in self.intents if one.recalls]
        self._follows = {
            one.name: [other for other in self.intents if other.follows(one.name)]
            for one in self.intents
        }
        self._reader = Reader(self.pools)

    def dialogue(self, number: int) -> Iterator[Exchange]:
        """Yield the exchanges of one dialogue, without end."""
        rng = Random(f"{self.seed}:{number}")
        talk = _Talk()
        if rng.random() < REPEATS:
            yield _exchange(*self._reader.repeat(rng))
        elif rng.random() < TASK_FIRST:
            yield _exchange(*self._reader.task(rng))
        elif rng.random() < 0.2:
            greeting = self._by_name.get("greetings.hello")
            if greeting is not None:
                yield self._say(greeting, talk, rng)
        while True:
            yield self._say(self._next(talk, rng), talk, rng)

    def _next(self, talk: _Talk, rng: Random) -> Intent:
        follows = self._follows.get(talk.last, ())
        if follows and rng.random() < FOLLOW_ON:
            return rng.choice(list(follows))
        if self._recalls and rng.random() < RECALL:
            known = [one for one in self._recalls if one.recalls in talk.facts]
            unknown = [one for one in self._recalls if self._was_never_told(one, talk)]
            pool = known if known and rng.random() < 0.75 else unknown
            return rng.choice(pool or known)
        return rng.choices(self._openers, cum_weights=self._weights)[0]

    def _was_never_told(self, intent: Intent, talk: _Talk) -> bool:
        """Tell whether nothing of it was said; what was said last is nothing only at first."""
        return intent.recalls not in talk.facts and not (intent.recalls == LAST and talk.last)

    def _say(self, intent: Intent, talk: _Talk, rng: Random) -> Exchange:
        values: dict[str, str] = {}
        unknown = False
        if intent.recalls:
            unknown = intent.recalls not in talk.facts
            if not unknown:
                values[f"{{{intent.recalls}}}"] = talk.facts[intent.recalls]
        person = fill(
            called(as_typed(rng.choice(intent.trained), rng), rng), self.pools, rng, values
        )
        if rng.random() < 0.08 and values:
            person = person.lower()
        jay = fill(self._reply(intent, talk, rng, unknown=unknown), self.pools, rng, values)
        if intent.remembers:
            talk.facts[intent.remembers] = values[f"{{{intent.remembers}}}"]
        talk.last, talk.replied = intent.name, jay
        if len(person) < 60:
            talk.facts[LAST] = person
        else:
            talk.facts.pop(LAST, None)
        return Exchange(person=person, jay=jay, intent=intent.name)

    def _reply(self, intent: Intent, talk: _Talk, rng: Random, *, unknown: bool) -> str:
        if unknown:
            return rng.choice(intent.otherwise)
        if intent.like:
            others = [
                one for one in self._by_name[intent.like].reply if not talk.replied.endswith(one)
            ]
            lead = rng.choice(intent.reply) + " " if intent.reply else ""
            return lead + rng.choice(others)
        return rng.choice(intent.reply)


def _exchange(person: str, jay: str, intent: str) -> Exchange:
    return Exchange(person=person, jay=jay, intent=intent)


def segments(exchange: Exchange, family: Family = MINI) -> tuple[tuple[str, bool], ...]:
    """Return the segments of an exchange, each with whether Jay says it."""
    person = Turn(role="person", text=exchange.person, author="", at=0.0)
    jay = Turn(role="jay", text=exchange.jay, author="", at=0.0)
    opening, said, closing = render_turn(family, jay)
    asked = tuple((text, False) for text in render_turn(family, person))
    return (*asked, (opening, False), (said, True), (closing, True))


def opening(family: Family = MINI) -> str:
    """Return what stands before the first turn."""
    return render_opening(family, persona="")
