"""What people say to Jay, and what it replies: data files, read and checked.

`intents/*.toml` holds a table for each intent. `say` are patterns of
`phrasing`, `reply` are texts; both may hold slots of `pools.toml`. The rest:

    weight      how often it is drawn, 1 unless given
    after       intents that it follows on (shell patterns); it is then no opener
    like        replies are those of this intent, another than the last one
    remembers   the value of this slot is a fact of the dialogue from now on
    recalls     needs that fact; `otherwise` are the replies where it was never told
    must        content that a right reply holds: of each list one of the words
    each        one intent a term: `{term}` stands for the term or its `also`

A phrasing that several openers list is the first one's. One in twelve phrasings of an intent is held out of training (`held_out`), so
that what is measured is not what was seen.
"""

from __future__ import annotations

import re
import tomllib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from functools import cached_property, lru_cache
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

from bot.errors import JayError
from engine.training.entities import entities
from engine.training.phrasing import expand, slots

HERE = Path(__file__).parent / "intents"
HELD_OUT = 12
"""One phrasing in so many is kept for the evaluation."""
LEAST_TO_HOLD_OUT = 8
"""Intents with fewer phrasings give none away."""
COINED_NAMES = 3_000
"""Invented first names beside the real ones: copying is learned from names never seen twice."""
COINED_BY = 11
NOT_INTENTS = ("pools", "reading")
FIELDS = {
    "say", "reply", "weight", "after", "like", "remembers", "recalls", "otherwise", "must", "each",
}  # fmt: skip

NOT_SPOKEN = re.compile(r"[^\w{} ]")
"""What two typings of one phrasing may differ in."""

Pools = Mapping[str, tuple[str, ...]]


class CorpusError(JayError):
    """The data files say something that can't be read."""

    hint = "Mend the named table under engine/training/intents/."


@dataclass(frozen=True, kw_only=True)
class Intent:
    """One thing that people say, and what is right to reply."""

    name: str
    say: tuple[str, ...]
    reply: tuple[str, ...] = ()
    weight: float = 1.0
    after: tuple[str, ...] = ()
    like: str = ""
    remembers: str = ""
    recalls: str = ""
    otherwise: tuple[str, ...] = ()
    must: tuple[tuple[str, ...], ...] = ()
    left: frozenset[str] = frozenset()
    """Phrasings, in their plain form, that are another intent's already."""

    @cached_property
    def phrasings(self) -> tuple[str, ...]:
        """Every way to say it, slots unfilled."""
        ways = dict.fromkeys(chain.from_iterable(map(expand, self.say)))
        return tuple(one for one in ways if plain(one) not in self.left)

    @property
    def opens(self) -> bool:
        """Tell whether it can be said at any time, whatever was said before."""
        return not self.after and not self.recalls

    @cached_property
    def held_out(self) -> tuple[str, ...]:
        """The phrasings that training never sees."""
        if len(self.phrasings) < LEAST_TO_HOLD_OUT:
            return ()
        return tuple(one for one in self.phrasings if _held_out(one))

    @cached_property
    def trained(self) -> tuple[str, ...]:
        """The phrasings that training sees."""
        kept = set(self.held_out)
        return tuple(one for one in self.phrasings if one not in kept) or self.phrasings

    def follows(self, last: str) -> bool:
        """Tell whether it can follow on the intent of that name."""
        return any(fnmatch(last, pattern) for pattern in self.after)


def plain(phrasing: str) -> str:
    """Return what two typings of one phrasing have in common; signs alone stay as they are."""
    return NOT_SPOKEN.sub("", phrasing.lower()).strip() or phrasing.strip()


def _held_out(phrasing: str) -> bool:
    return zlib.crc32(plain(phrasing).encode()) % HELD_OUT == 0


def load_intents(folder: Path = HERE) -> tuple[Intent, ...]:
    """Read all intents.

    Raises:
        CorpusError: a table is wrong; says which one and how.
    """
    pools = load_pools(folder)
    found = tuple(
        intent
        for path in sorted(folder.glob("*.toml"))
        if path.stem not in NOT_INTENTS
        for intent in _read(path)
    )
    names = {intent.name: intent for intent in found}
    if len(names) < len(found):
        raise CorpusError("two intents have one name")
    for intent in found:
        _check(intent, names, pools)
    return tuple(_each_once(found))


def _each_once(intents: Sequence[Intent]) -> Iterator[Intent]:
    """Leave a phrasing that several openers list to the first: one question, one kind of reply."""
    taken = set[str]()
    for intent in intents:
        if not intent.opens:
            yield intent
            continue
        mine = {plain(one) for one in intent.phrasings}
        own = replace(intent, left=frozenset(mine & taken))
        if not own.phrasings:
            raise CorpusError(f"{intent.name} says nothing that another intent does not say")
        taken |= mine
        yield own


@lru_cache(maxsize=4)
def load_pools(folder: Path = HERE, *, coined_by: int = COINED_BY) -> Pools:
    """Read the pools that slots are filled from; names are joined by coined ones.

    Args:
        folder: where the data files are.
        coined_by: another number coins other names, and makes other things to read about.
    """
    raw: dict[str, list[str]] = tomllib.loads((folder / "pools.toml").read_text())
    pools = {name: tuple(values) for name, values in raw.items()}
    coined = coined_names(COINED_NAMES, coined_by)
    pools["name"] = (*pools["name"] * 4, *coined)
    surnames = (*pools["surname"] * 6, *coined)
    pools["who"] = (*pools["name"], *map(" ".join, zip(pools["name"], surnames, strict=False)))
    pools["noun"] = (*pools["noun"] * 6, *(name.lower() for name in coined[:1_000]))
    pools["saying"] = _sayings(folder)
    pools["num"] = tuple(str(number) for number in range(2, 100))
    besides = None if coined_by == COINED_BY else load_pools(folder)
    return pools | entities(raw, coined, seed=coined_by, besides=besides)


def _sayings(folder: Path) -> tuple[str, ...]:
    """Return the sentences of all replies: plain English, for messages to hold."""
    tables = (
        table
        for path in sorted(folder.glob("*.toml"))
        if path.stem not in NOT_INTENTS
        for table in _tables(path).values()
    )
    replies = chain.from_iterable(
        one.get("reply", ()) for table in tables for one in (table, *table.get("each", {}).values())
    )
    found = chain.from_iterable(re.split(r"(?<=[.!?]) ", reply) for reply in replies)
    plain = (one for one in found if not set(one) & set('{}`"') and 3 < one.count(" ") < 20)
    return tuple(dict.fromkeys(plain)) or ("Nothing was said.",)


def coined_names(count: int, seed: int = COINED_BY) -> tuple[str, ...]:
    """Return so many invented first names, the same ones for the same seed."""
    rng = Random(seed)
    starts = "b br c ch d dr f g gr h j k kl l m n p r s sh st t tr v w y z".split()
    middles = "a e i o u ai ea ia io au".split()
    ends = "n l r s t m k la na ra ri no to li sha mi ka ne x th nd".split()
    syllables = [start + middle for start in starts for middle in middles]
    names = (
        "".join(rng.choice(syllables) for _ in range(rng.choice((1, 1, 2)))) + rng.choice(ends)
        for _ in range(count)
    )
    return tuple(name.capitalize() for name in names)


def _tables(path: Path) -> dict[str, dict[str, Any]]:
    try:
        return tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise CorpusError(f"{path.name}: {error}") from error


def _read(path: Path) -> Iterator[Intent]:
    for key, table in _tables(path).items():
        name = f"{path.stem}.{key}"
        if unknown := table.keys() - FIELDS:
            raise CorpusError(f"{name} has unknown fields: {', '.join(sorted(unknown))}")
        each = table.pop("each", None)
        if each is None:
            yield _intent(name, table)
        else:
            yield from _one_a_term(name, table, each)


def _one_a_term(
    name: str, table: dict[str, Any], each: dict[str, dict[str, Any]]
) -> Iterator[Intent]:
    for term, own in each.items():
        terms = "|".join([term, *own.get("also", ())])
        say = [pattern.replace("{term}", f"({terms})") for pattern in table["say"]]
        rest = {key: value for key, value in {**table, **own}.items() if key != "also"}
        yield _intent(f"{name}.{term}", {**rest, "say": [*say, *own.get("say", ())]})


def _intent(name: str, table: dict[str, Any]) -> Intent:
    return Intent(
        name=name,
        say=tuple(table.get("say", ())),
        reply=tuple(table.get("reply", ())),
        weight=float(table.get("weight", 1.0)),
        after=tuple(table.get("after", ())),
        like=table.get("like", ""),
        remembers=table.get("remembers", ""),
        recalls=table.get("recalls", ""),
        otherwise=tuple(table.get("otherwise", ())),
        must=tuple(map(tuple, table.get("must", ()))),
    )


def _check(intent: Intent, names: Mapping[str, Intent], pools: Pools) -> None:
    if not intent.say or not (intent.reply or intent.like):
        raise CorpusError(f"{intent.name} needs `say`, and `reply` or `like`")
    if intent.like and intent.like not in names:
        raise CorpusError(f"{intent.name} replies like {intent.like}, which is not there")
    for pattern in intent.after:
        if not any(fnmatch(name, pattern) for name in names):
            raise CorpusError(f"{intent.name} follows on {pattern}, which is not there")
    try:
        said = {slot for text in intent.phrasings for slot in slots(text)}
    except ValueError as error:
        raise CorpusError(f"{intent.name}: {error}") from error
    known = {slot for slot, _ in said} | {f"{{{intent.recalls}}}"}
    for slot, pool in said:
        if pool not in pools:
            raise CorpusError(f"{intent.name} has the slot {slot}, which no pool fills")
    for text in (*intent.reply, *intent.otherwise):
        if lost := [slot for slot, _ in slots(text) if slot not in known]:
            raise CorpusError(f"{intent.name} replies with {lost[0]}, which nobody said")
