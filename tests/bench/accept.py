"""Group `accept`: the accept path on the embedded Valkey, beside plain `XADD` on the same server.

The server writes each answer's data to disk first (`appendfsync always`). Both
sides send the same payload from as many tasks through redis-py; what differs
is what a message costs more than an append: seen before?, log, mailbox, wake.
Rounds alternate, so that a busy machine slows both.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from statistics import median, quantiles

from redis.asyncio import Redis

from bot.conversations import in_place
from bot.figures import Figure
from bot.messages import IncomingMessage, Person, Place
from bot.store import embedded_valkey, open_store
from bot.store.keys import prefix_of
from bot.store.opening import RedisStore
from bot.store.records import encode_mail
from bot.store.topology import connect

AT_ONCE = 32
"""As many as the store has connections."""
MESSAGES = 3_000
"""In one round."""
ROUNDS = 5
CHANNELS = 50
TEXT = "Does the ferry still leave from the north pier on Sundays, or has the winter plan begun? "
STREAM = f"{prefix_of(0)}bench"

Step = Callable[[IncomingMessage], Awaitable[object]]


async def measure(report: Callable[[str], None]) -> Sequence[Figure]:
    """Start a Valkey as Jay does and measure on it."""
    with tempfile.TemporaryDirectory(prefix="jay-bench-") as folder:
        async with (
            embedded_valkey(Path(folder)) as url,
            open_store(url, retention_days=90, max_turns=400, max_log=20_000) as store,
        ):
            client = connect(url)
            try:
                return await _compare(store, _appending(client), report)
            finally:
                await client.aclose()


def _appending(client: Redis) -> Step:
    async def append(message: IncomingMessage) -> object:
        names = ("channel", "id", "sent_at", "thread", "person", "header", "text")
        return await client.xadd(STREAM, dict(zip(names, encode_mail(message), strict=True)))

    return append


async def _compare(store: RedisStore, append: Step, report: Callable[[str], None]) -> list[Figure]:
    async def accept(message: IncomingMessage) -> object:
        conversation = in_place(message.place, root=message.message_id)
        return await store.accept(message, conversation=conversation, waiting=20)

    accepting: list[tuple[float, list[float]]] = []
    appending: list[tuple[float, list[float]]] = []
    for at in range(ROUNDS):
        report(f"round {at + 1} of {ROUNDS}")
        appending.append(await _round(append, 2 * at))
        accepting.append(await _round(accept, 2 * at + 1))
    ratios = [ours[0] / plain[0] for ours, plain in zip(accepting, appending, strict=True)]
    how = f"{AT_ONCE} at once, appendfsync always, embedded Valkey"
    return [
        Figure(
            name="accept_vs_xadd",
            value=median(ratios),
            unit="ratio",
            baseline=1.0,
            n=ROUNDS,
            how=f"messages/s of accept by those of XADD of the same payload; {how}",
        ),
        Figure(
            name="accept_per_s",
            value=median(rate for rate, _ in accepting),
            unit="messages/s",
            baseline=median(rate for rate, _ in appending),
            n=ROUNDS,
            how=f"messages for Jay accepted; baseline: XADD; {how}",
        ),
        Figure(
            name="accept_ms_p99",
            value=median(_p99_ms(waits) for _, waits in accepting),
            unit="ms",
            baseline=median(_p99_ms(waits) for _, waits in appending),
            n=ROUNDS,
            how=f"of {MESSAGES} messages; baseline: XADD; {how}",
        ),
    ]


async def _round(step: Step, number: int) -> tuple[float, list[float]]:
    """Return steps a second, and how long each took."""
    messages = iter([_message(number * MESSAGES + at) for at in range(MESSAGES)])
    waits: list[float] = []

    async def work() -> None:
        for message in messages:
            began = time.perf_counter()
            await step(message)
            waits.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return MESSAGES / (time.perf_counter() - began), waits


def _message(at: int) -> IncomingMessage:
    """Return one that is later than all before: an earlier one takes in what followed it."""
    person = Person(id=f"U{at % 200:08}", name="Ana")
    place = Place(platform="slack", workspace="T0000001", channel=f"C{at % CHANNELS:08}")
    return IncomingMessage(
        place=place,
        message_id=f"1700{at:06}.000000",
        author=person,
        text=TEXT,
        sent_at=1_700_000_000.0 + at,
        mentions_jay=True,
    )


def _p99_ms(waits: Sequence[float]) -> float:
    return 1_000 * quantiles(waits, n=100)[-1]
