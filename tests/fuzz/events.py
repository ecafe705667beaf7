"""Sends damaged events down both wires, and counts what it cost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from fuzz.mutating import Edit, damaged
from fuzz.wires import Crashes, Wire

WITHIN_S = 10.0
NEIGHBOURS_EVERY = 10

Damage = tuple[int, Sequence[Edit]]
"""Which recorded event, and what is done to it."""


@dataclass
class Toll:
    """What a run of damaged events cost."""

    events: int = 0
    unacked: int = 0
    neighbours: set[str] = field(default_factory=set)
    crashes: list[str] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)


async def send_damaged(wire: Wire, damages: Iterable[Damage], crashes: Crashes) -> Toll:
    """Send events, with whole messages of people between them, and wait for those."""
    toll = Toll()
    before = len(crashes.found)
    sending = []
    for at, (which, edits) in enumerate(damages):
        kind, payload = wire.recorded[which % len(wire.recorded)]
        broken = damaged(payload, edits)
        sending.append(wire.send(kind, broken))
        toll.events += 1
        if at % NEIGHBOURS_EVERY == 0:
            toll.neighbours.add(wire.say(f"neighbour {at}"))
    answers = await asyncio.gather(*sending)  # type: ignore[call-overload]
    toll.unacked = sum(answer is None for answer in answers)
    try:
        async with asyncio.timeout(WITHIN_S):
            while not toll.neighbours <= wire.heard.ids:
                await asyncio.sleep(0.01)
    except TimeoutError:
        toll.lost = toll.neighbours - wire.heard.ids
    toll.crashes = crashes.found[before:]
    return toll
