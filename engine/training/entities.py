"""What the messages of a reading task name: people, things, dates, sums; in very many kinds.

Whoever meets the same fifty things in every message learns the things and not
to read. So these pools are made, not listed: names of random syllables, things
and meetings of random words, dates, times, versions and sums by rule. Another
number makes other ones, and `besides` keeps from an evaluation what training
has seen. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random

MADE = 4_000
"""Values of each kind, doubles not counted twice."""
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
SHORT_MONTHS = ("Jan", "Feb", "Mar", "Apr", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MEETINGS = (
    "meeting", "review", "workshop", "call", "launch", "training", "demo", "party", "retro",
    "standup", "interview", "talk", "session", "meetup", "offsite", "audit", "migration", "game",
    "dinner", "walk", "class", "tour", "race", "concert",
)  # fmt: skip
DOCUMENTS = (
    "report", "guide", "plan", "list", "form", "page", "file", "draft", "slides", "folder", "notes",
    "invoice", "contract", "script", "service", "test", "job", "parser", "board", "key", "box",
    "export", "budget", "survey",
)  # fmt: skip
SPOTS = ("room", "building", "hall", "floor", "gate", "desk", "shelf", "locker", "tent", "table")

Raw = Mapping[str, Sequence[str]]


def coined_words(count: int, seed: int) -> tuple[str, ...]:
    """Return so many invented words in lower case, of two or three syllables."""
    rng = Random(f"words:{seed}")
    starts = (
        "b bl br c ch cl d dr f fl g gl gr h j k l m n p pl pr qu r s sc sk sl sp st t tr v w z"
    )
    vowels = "a e i o u a e i o u ai ee oa oo ou".split()
    ends = "n l r s t m d k ck ft lm nd nt rk rn sh st x".split()

    def syllable() -> str:
        return rng.choice(starts.split()) + rng.choice(vowels)

    return tuple(
        "".join(syllable() for _ in range(rng.choice((1, 1, 2)))) + rng.choice(ends)
        for _ in range(count)
    )


def entities(
    raw: Raw, coined: Sequence[str], *, seed: int, besides: Raw | None = None
) -> dict[str, tuple[str, ...]]:
    """Return the pools of the reading tasks.

    Args:
        raw: the listed pools, real names and plain words.
        coined: invented names.
        seed: another one makes other values.
        besides: pools of an earlier call; nothing but numbers and dates is taken from them again.
    """
    maker = _Maker(raw, coined, coined_words(MADE, seed), real=besides is None)
    pools: dict[str, tuple[str, ...]] = {}
    for kind, make in {**maker.kinds(), **NUMBERS}.items():
        rng = Random(f"{kind}:{seed}")
        found = {make(rng) for _ in range(MADE)}
        if besides is not None and kind not in CLOSED:
            found -= set(besides[kind])
        pools[kind] = tuple(sorted(found))
    return pools


class _Maker:
    """Makes values out of listed and coined words."""

    def __init__(
        self, raw: Raw, coined: Sequence[str], words: Sequence[str], *, real: bool
    ) -> None:
        """Take the words; `real` lets names be real ones now and then."""
        self._raw, self._coined, self._words, self._real = raw, coined, words, real

    def kinds(self) -> dict[str, Callable[[Random], str]]:
        """Return what makes a value of each kind."""
        return {
            "person": self._person,
            "item": self._item,
            "meeting": self._meeting,
            "product": self._product,
            "spot": self._spot,
            "town": self._town,
            "cause": self._cause,
            "code": self._code,
            "word": self._word,
            "team": lambda rng: rng.choice(self._raw["team"]),
        }

    def _person(self, rng: Random) -> str:
        real = self._real and rng.random() < 0.35
        first = rng.choice(self._raw["name"] if real else self._coined)
        if rng.random() < 0.7:
            return first
        return f"{first} {rng.choice(self._raw['surname'] if rng.random() < 0.5 else self._coined)}"

    def _word(self, rng: Random) -> str:
        return rng.choice(self._raw["noun"] if rng.random() < 0.7 else self._words)

    def _product(self, rng: Random) -> str:
        if self._real and rng.random() < 0.2:
            return rng.choice(self._raw["project"])
        return rng.choice(self._words).capitalize()

    def _item(self, rng: Random) -> str:
        last = rng.choice(DOCUMENTS) if rng.random() < 0.4 else self._word(rng)
        raw = self._raw
        kinds = (
            rng.choice(raw["adj"]),
            self._word(rng),
            self._product(rng),
            rng.choice(raw["team"]),
        )
        first = rng.choices(kinds, (4, 4, 2, 1))[0]
        return f"the {first} {last}" if first != last else f"the {last}"

    def _meeting(self, rng: Random) -> str:
        raw = self._raw
        kinds = (
            self._word(rng),
            self._product(rng),
            *(rng.choice(raw[kind]) for kind in ("city", "team", "adj")),
        )
        return f"the {rng.choices(kinds, (4, 3, 2, 2, 1))[0]} {rng.choice(MEETINGS)}"

    def _spot(self, rng: Random) -> str:
        spot = rng.choice(SPOTS)
        ways = (
            f"{spot} {rng.randint(1, 99)}",
            f"{spot} {rng.choice('ABCDEFGHK')}",
            f"the {self._product(rng)} {spot}",
            f"the {rng.choice(self._raw['adj'])} {spot}",
            rng.choice(self._raw["place"]) if self._real else f"the {self._word(rng)} {spot}",
        )
        return rng.choice(ways)

    def _town(self, rng: Random) -> str:
        real = self._real and rng.random() < 0.4
        return rng.choice(self._raw["city"]) if real else self._product(rng)

    def _cause(self, rng: Random) -> str:
        first = rng.choice(self._raw["adj"]) if rng.random() < 0.5 else self._word(rng)
        last = self._word(rng) if rng.random() < 0.5 else rng.choice(DOCUMENTS)
        return f"{'an' if first[0] in 'aeiou' else 'a'} {first} {last}"

    def _code(self, rng: Random) -> str:
        word, number = rng.choice(self._words), rng.randint(10, 9999)
        ways = (
            f"{word}-{number % 100}",
            f"{word[:3].upper()}-{number}",
            f"{self._word(rng)}_{word}",
            f"#{number}",
        )
        return rng.choice(ways)


def _date(rng: Random) -> str:
    day = rng.choice(WEEKDAYS)
    number = rng.randint(1, 28)
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number not in (11, 12, 13) else 0, "th")
    ways = (
        day,
        f"{number} {rng.choice(MONTHS)}",
        f"{rng.choice(MONTHS)} {number}",
        f"{rng.choice(SHORT_MONTHS)} {number}",
        f"the {number}{ending}",
        f"{day} the {number}{ending}",
    )
    return rng.choices(ways, (7, 2, 2, 1, 1, 1))[0]


def _clock(rng: Random) -> str:
    hour, minute = rng.randint(7, 21), rng.choice((0, 0, 15, 30, 30, 45, 5 * rng.randint(0, 11)))
    twelve, half = (hour - 1) % 12 + 1, "am" if hour < 12 else "pm"
    short = f"{twelve}{half}" if not minute else f"{twelve}:{minute:02}{half}"
    spaced = f"{twelve} {half}" if not minute else f"{twelve}:{minute:02} {half}"
    return rng.choices((f"{hour}:{minute:02}", short, spaced), (5, 1, 2))[0]


def _release(rng: Random) -> str:
    parts = [rng.randint(0, 14), rng.randint(0, 30), rng.randint(0, 20)]
    return ".".join(map(str, parts[: rng.choice((2, 2, 3))]))


def _sum(rng: Random) -> str:
    amount = rng.choice((rng.randint(2, 99), 10 * rng.randint(10, 99), 100 * rng.randint(10, 99)))
    text = f"{amount:,}" if rng.random() < 0.5 else str(amount)
    return rng.choices(
        (f"{text} euros", f"{text} dollars", f"${text}", f"€{text}", f"{text} pounds"),
        (4, 3, 1, 1, 1),
    )[0]


def _count(rng: Random) -> str:
    return str(rng.choice((rng.randint(2, 99), rng.randint(100, 4999))))


def _span(rng: Random) -> str:
    return f"{rng.randint(2, 90)} {rng.choice(('minutes', 'hours', 'days', 'weeks', 'months'))}"


NUMBERS: dict[str, Callable[[Random], str]] = {
    "date": _date,
    "clock": _clock,
    "release": _release,
    "sum": _sum,
    "count": _count,
    "span": _span,
}
"""Kinds that are made of numbers, months and days alone."""
CLOSED = (*NUMBERS, "team")
"""Kinds of which an evaluation can't have wholly new ones."""
