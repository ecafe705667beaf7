"""What people will say and what will go wrong: a script that a seed makes. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass

from bot.messages import PLATFORMS, PlatformName

BURST_SHARE = 0.2
BURST_GAP_S = (0.05, 0.6)
DIRECT_SHARE = 0.3
CALM_S = 3.0
"""Nothing goes wrong so shortly after the start, and before the last word."""
KILL_VLLM = "kill vllm"

WEIGHTS: dict[str, int] = {
    "kill worker": 6,
    "kill slack": 2,
    "kill discord": 2,
    "kill valkey": 3,
    KILL_VLLM: 1,
    "restart worker": 2,
    "restart slack": 1,
    "restart discord": 1,
    "freeze worker": 3,
    "freeze valkey": 1,
    "freeze slack": 1,
    "drop slack": 2,
    "drop discord": 2,
    "rotate slack": 1,
    "rotate discord": 1,
    "duplicate slack": 1,
    "duplicate discord": 1,
    "reorder slack": 2,
    "429 slack": 2,
    "429 discord": 2,
    "5xx slack": 2,
    "5xx discord": 2,
    "lost answer slack": 2,
    "lost answer discord": 2,
}
"""Each kind of fault, and how often it comes. `lost answer`: done, then answered by a 503."""
FOR_S: dict[str, tuple[float, float]] = {
    "kill": (0.1, 2.0),
    "restart": (0.1, 1.0),
    "freeze": (1.0, 5.0),
    "duplicate": (2.0, 6.0),
    "reorder": (0.3, 1.5),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A conversation that will be held."""

    number: int
    platform: PlatformName
    direct: bool
    place: int
    """Which of the channels; a direct one has its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Something that a person will say."""

    at: float
    talk: int
    text: str
    named: bool
    """It names Jay again, which a follow-up need not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that will go wrong."""

    at: float
    kind: str
    for_s: float
    pick: int
    """Chooses among several of the same; how many calls a storm hits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A whole script."""

    seed: int
    lasts_s: float
    talks: tuple[Talk, ...]
    lines: tuple[Line, ...]
    faults: tuple[Fault, ...]


def write(
    seed: int,
    *,
    messages: int,
    conversations: int,
    faults: int,
    per_s: float,
    channels: int = 12,
    without: frozenset[str] = frozenset(),
    kill_vllm_every_s: float = 0.0,
) -> Plan:
    """Return the script of a seed.

    Args:
        seed: the same seed and sizes make the same script.
        messages: how many are said in all.
        conversations: over how many conversations.
        faults: how many things go wrong at random.
        per_s: messages a second, on average.
        channels: how many channels each platform has for it.
        without: kinds of faults that are left out.
        kill_vllm_every_s: vLLM is killed so often, and never at random; 0: at random.
    """
    dice = random.Random(seed)
    lasts_s = messages / per_s
    if kill_vllm_every_s:
        without |= {KILL_VLLM}
    talks = tuple(
        Talk(
            number=number,
            platform=PLATFORMS[number % len(PLATFORMS)],
            direct=dice.random() < DIRECT_SHARE,
            place=dice.randrange(channels),
        )
        for number in range(conversations)
    )
    return Plan(
        seed=seed,
        lasts_s=lasts_s,
        talks=talks,
        lines=_lines(dice, messages, conversations, lasts_s),
        faults=tuple(
            sorted(
                (*_faults(dice, faults, lasts_s, without), *_steady(kill_vllm_every_s, lasts_s)),
                key=lambda fault: fault.at,
            )
        ),
    )


def _lines(
    dice: random.Random, messages: int, conversations: int, lasts_s: float
) -> tuple[Line, ...]:
    moments: list[tuple[float, int]] = []
    while len(moments) < messages:
        unheard = len(moments) < conversations
        talk = len(moments) if unheard else dice.randrange(conversations)
        at = dice.uniform(0, lasts_s)
        moments.append((at, talk))
        while dice.random() < BURST_SHARE and conversations <= len(moments) < messages:
            at += dice.uniform(*BURST_GAP_S)
            moments.append((at, talk))
    moments.sort()
    return tuple(
        Line(at=at, talk=talk, text=f"number {index}, please", named=dice.random() < 0.3)
        for index, (at, talk) in enumerate(moments)
    )


def _steady(every_s: float, lasts_s: float) -> tuple[Fault, ...]:
    times = int(lasts_s / every_s) if every_s else 0
    return tuple(
        Fault(at=number * every_s, kind=KILL_VLLM, for_s=0.0, pick=1)
        for number in range(1, times + 1)
    )


def _faults(
    dice: random.Random, count: int, lasts_s: float, without: frozenset[str]
) -> tuple[Fault, ...]:
    bag = [kind for kind, weight in WEIGHTS.items() if kind not in without for _ in range(weight)]
    kinds: list[str] = []
    while len(kinds) < count:
        dice.shuffle(bag)
        kinds += bag
    last = max(CALM_S, lasts_s - CALM_S)
    moments = sorted(dice.uniform(CALM_S, last) for _ in range(count))
    return tuple(
        Fault(
            at=at,
            kind=kind,
            for_s=dice.uniform(*FOR_S.get(kind.rpartition(" ")[0], (0.0, 0.0))),
            pick=dice.randrange(1, 12),
        )
        for at, kind in zip(moments, kinds[:count], strict=True)
    )
