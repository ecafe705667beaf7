"""Group `fuzz`: damaged events down real sockets, damaged answers into real clients.

The damage is drawn from a seed, so a run can be repeated: `JAY_FUZZ_SEED`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from fakes.valkey import running_valkey
from fuzz.answers import discord_clients, engine_clients, slack_clients
from fuzz.events import Toll, send_damaged
from fuzz.mutating import drawn
from fuzz.wires import Crashes, discord_wire, slack_wire

from bot.figures import Figure
from bot.store import open_store

EVENTS = 30_000
"""Down each platform's wire."""
ANSWERS = 15_000
"""Into each client."""
BATCH = 200
CALL_S = 60.0


async def measure(report: Callable[[str], None]) -> Sequence[Figure]:
    """Send and answer a hundred thousand times and more."""
    seed = int(os.environ.get("JAY_FUZZ_SEED", "1"))
    # What libraries say of each malformed thing would bury the table; `Crashes` hears it all.
    logging.getLogger().handlers = []
    logging.getLogger().setLevel(logging.ERROR)
    tolls, crashes = await _events(random.Random(seed), report)
    answers, more = await _answers(random.Random(seed), report)
    crashes += more
    for crash, times in Counter(crashes).most_common(10):
        report(f"{times} times: {crash}")
    events = sum(toll.events for toll in tolls)
    how = f"seed {seed}: {events:,} events down both wires, {answers:,} answers to three clients"
    neighbours = sum(len(toll.neighbours) for toll in tolls)
    lost = sum(len(toll.lost) for toll in tolls)
    return [
        Figure(name="fuzz_events", value=events + answers, unit="damaged", how=how),
        Figure(
            name="fuzz_crashes",
            value=len(crashes),
            unit="crashes",
            how="errors with a traceback that anything logged, and exceptions that are not Jay's",
        ),
        Figure(
            name="fuzz_lost_neighbours",
            value=lost,
            unit="messages",
            n=neighbours,
            how=f"of {neighbours:,} whole messages sent between, in the same channel",
        ),
    ]


async def _events(
    dice: random.Random, report: Callable[[str], None]
) -> tuple[list[Toll], list[str]]:
    tolls: list[Toll] = []
    found: list[str] = []
    with (
        tempfile.TemporaryDirectory(prefix="jay-fuzz-") as folder,
        running_valkey(Path(folder) / "s") as server,
    ):
        for wire in (slack_wire, discord_wire):
            report(f"{wire.__name__}: {EVENTS:,} events")
            async with (
                open_store(server.url, retention_days=90, max_turns=50, max_log=1_000) as store,
                wire(store) as opened,
                Crashes().watching() as crashes,
            ):
                for _ in range(EVENTS // BATCH):
                    damages = [(dice.randrange(1_000), drawn(dice)) for _ in range(BATCH)]
                    tolls.append(await send_damaged(opened, damages, crashes))
                found += crashes.found
    return tolls, found


async def _answers(dice: random.Random, report: Callable[[str], None]) -> tuple[int, list[str]]:
    count = 0
    found: list[str] = []
    for opening in (slack_clients, discord_clients, engine_clients):
        report(f"{opening.__name__}: {ANSWERS:,} answers")
        async with opening() as clients:
            clients.damage.dice = dice
            at = 0
            while clients.damage.done < ANSWERS:
                call = clients.calls[at % len(clients.calls)]
                await asyncio.wait_for(clients.make(call), CALL_S)
                at += 1
            count += clients.damage.done
            found += clients.crashes
    return count, found
