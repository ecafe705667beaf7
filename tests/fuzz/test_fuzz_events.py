"""A short run of what `make bench ONLY=fuzz` does a hundred thousand times."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterator

import pytest
from fakes.valkey import RunningValkey, empty_valkey, valkey
from fuzz.answers import discord_clients, engine_clients, slack_clients
from fuzz.events import send_damaged
from fuzz.mutating import EDITS, damaged, drawn
from fuzz.wires import Crashes, discord_wire, slack_wire
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack import normalise
from adapters.slack.envelopes import is_sound
from adapters.slack.install import Installation
from bot.store import open_store

__all__ = ["empty_valkey", "valkey"]

BATCH = 60
BOUNDS = {"retention_days": 90, "max_turns": 50, "max_log": 1_000}
JAY = Installation(
    team_id="T1", team="T", bot_user_id="UJAY", bot_id="BJAY", name="jay", url="https://x/"
)
CHANGED = {
    "type": "message", "subtype": "message_changed", "channel": "C1", "channel_type": "channel",
    "event_ts": "3.0",
    "message": {"type": "message", "user": "U1", "text": "<@UJAY> now", "ts": "1.0",
                "thread_ts": "0.5", "files": [{"name": "a", "mimetype": "b"}]},
    "previous_message": {"user": "U1", "text": "before", "ts": "1.0"},
}  # fmt: skip


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Libraries tell of every malformed thing; what matters is noted by `Crashes`."""
    logger = logging.getLogger("slack_sdk.socket_mode")
    before = logger.level
    logger.setLevel(logging.ERROR)
    yield
    logger.setLevel(before)


@pytest.mark.valkey
@pytest.mark.parametrize("wire", [slack_wire, discord_wire])
async def test_damaged_events_crash_nothing_and_cost_no_neighbour(
    wire, empty_valkey: RunningValkey
) -> None:
    """One odd client would else silence everybody in the channel."""
    dice = random.Random(7)
    async with open_store(empty_valkey.url, **BOUNDS) as store:
        async with wire(store) as opened, Crashes().watching() as crashes:
            damages = [(dice.randrange(50), drawn(dice)) for _ in range(BATCH)]
            toll = await send_damaged(opened, damages, crashes)

    assert toll.crashes == []
    assert toll.lost == set()
    assert len(toll.neighbours) == BATCH / 10


@pytest.mark.parametrize("opened", [slack_clients, discord_clients, engine_clients])
async def test_damaged_answers_become_errors_of_ours(opened) -> None:
    """A worker knows what to do with those, and with no others."""
    async with opened() as clients:
        clients.damage.dice = random.Random(7)
        for at in range(70):
            await asyncio.wait_for(clients.make(clients.calls[at % len(clients.calls)]), 20)

    assert clients.crashes == []
    assert clients.damage.done > 30


@given(edits=EDITS)
def test_a_damaged_event_is_refused_or_read(edits) -> None:
    event = damaged(CHANGED, edits)

    if is_sound({"type": "event_callback", "event": event}):
        read = normalise.read_event(event, jay=JAY, names={})
        assert all(one.place.channel.isascii() and ":" not in one.place.channel for one in read)


@given(edits=EDITS, body=st.sampled_from([CHANGED, {"event": CHANGED}]))
def test_damage_leaves_the_recording_whole(edits, body) -> None:
    before = repr(body)

    damaged(body, edits)

    assert repr(body) == before
