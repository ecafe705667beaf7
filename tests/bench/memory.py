"""Group `memory`: what a turn costs in the store, with all that is kept beside it.

People ask and Jay answers, through the store's own steps: each exchange leaves
two turns, a logged message, marks that lead back, and a person's index. A
real Valkey holds it; what it uses more at the end than at the beginning is
shared out among the turns. A million turns are this times a million: all of
it grows by the message, nothing by the square.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from fakes.stored import stored
from fakes.valkey import RunningValkey, running_valkey

from bot.conversations import Conversation, Made, Turn, in_place
from bot.figures import Figure
from bot.messages import IncomingMessage, Mail, Person, Place
from bot.ports import Store
from bot.store import open_store

CONVERSATIONS = 1_000
CHANNELS = 100
EXCHANGES = 50
"""In each conversation."""
PEOPLE = 300
AT_ONCE = 24
ASKED_WORDS = (4, 40)
ANSWERED_WORDS = (20, 160)
WORDS = "ferry harbour winter lamp letter garden captain silver morning bread river stone".split()
SAMPLE = 200
"""Keys of each kind that are weighed one by one."""


async def measure(report: Callable[[str], None]) -> Sequence[Figure]:
    """Fill a Valkey and look at what it uses."""
    with tempfile.TemporaryDirectory(prefix="jay-memory-") as folder:
        with running_valkey(Path(folder) / "s") as server:
            return await _fill(server, report)


async def _fill(server: RunningValkey, report: Callable[[str], None]) -> list[Figure]:
    async with open_store(server.url, retention_days=90, max_turns=400, max_log=10_000) as store:
        before = server.client.info("memory")["used_memory"]
        todo = iter(range(CONVERSATIONS * EXCHANGES))
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(_work(store, todo, report))
    after = server.client.info("memory")["used_memory"]
    turns = sum(client.llen(name) for client, name, _ in stored("turns", server.client))
    each = (after - before) / turns
    shares = ", ".join(f"{kind} {100 * share:.0f} %" for kind, share in _shares(server))
    how = (
        f"{turns} turns of {CONVERSATIONS} conversations in {CHANNELS} channels, "
        f"messages of {ASKED_WORDS[0]}-{ASKED_WORDS[1]} words, "
        f"replies of {ANSWERED_WORDS[0]}-{ANSWERED_WORDS[1]}; {shares}"
    )
    return [
        Figure(name="bytes_per_turn", value=each, unit="bytes", n=turns, how=how),
        Figure(
            name="million_turns_mb",
            value=each,
            unit="MB",
            n=turns,
            how="bytes_per_turn times a million",
        ),
    ]


async def _work(store: Store, todo: Iterator[int], report: Callable[[str], None]) -> None:
    for number in todo:
        if number % 10_000 == 0:
            report(f"{2 * number} turns")
        await store.accept(_asked(number), conversation=_talk(number), waiting=100)
        lease = await store.claim(worker="bench", lease_s=60.0, wait_s=0.0)
        if lease is None:
            continue
        mail = await store.mail(lease)
        turns = [turn for one in mail for turn in _turns(one)]
        await store.settle(lease, answered=[one.message_id for one in mail], turns=turns)
        await store.release(lease)


def _place(number: int) -> Place:
    thread = f"17000000{number % CONVERSATIONS:02}.000001"
    channel = f"C{number % CONVERSATIONS % CHANNELS:09}"
    return Place(platform="slack", workspace="T00000001", channel=channel, thread=thread)


def _talk(number: int) -> Conversation:
    return in_place(_place(number), root=_place(number).thread)


def _asked(number: int) -> IncomingMessage:
    dice = random.Random(number)
    return IncomingMessage(
        place=_place(number),
        message_id=f"{1_700_000_000 + number}.000100",
        author=Person(id=f"U{dice.randrange(PEOPLE):09}", name="Ana Lindgren"),
        text=_words(dice, *ASKED_WORDS),
        sent_at=1_700_000_000.0 + number,
        mentions_jay=True,
    )


def _turns(mail: Mail) -> tuple[Turn, Turn]:
    dice = random.Random(mail.message_id)
    made = Made(
        model="gpt-j-6b",
        prompt_tokens=1_400,
        cached_tokens=1_152,
        reply_tokens=120,
        finish="stop",
        first_word_s=0.412,
        total_s=5.203,
    )
    asked = Turn(
        role="person",
        text=mail.text,
        author=mail.author.name,
        at=mail.sent_at,
        message_ids=(mail.message_id,),
    )
    answered = Turn(
        role="jay",
        text=_words(dice, *ANSWERED_WORDS),
        author="Jay",
        at=mail.sent_at + 5,
        message_ids=(f"{mail.message_id[:-3]}900",),
        made=made,
    )
    return asked, answered


def _words(dice: random.Random, least: int, most: int) -> str:
    return " ".join(dice.choice(WORDS) for _ in range(dice.randint(least, most)))


def _shares(server: RunningValkey) -> list[tuple[str, float]]:
    """Return what share of the keys' memory each kind has, by a sample; the largest first."""
    names: dict[str, list[str]] = {}
    for _, name, _ in stored("*", server.client):
        names.setdefault(name.split(":")[2], []).append(name)
    weights = Counter[str]()
    for kind, those in names.items():
        some = random.Random(1).sample(those, min(SAMPLE, len(those)))
        weighed = sum(server.client.memory_usage(name, samples=0) or 0 for name in some)
        weights[kind] = round(weighed * len(those) / len(some))
    total = weights.total()
    return [(kind, weight / total) for kind, weight in weights.most_common(6)]
