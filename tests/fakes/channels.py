"""A channel in a random state, what Jay heard of it, and what a summary of it must say.

Each message has a word of its own, and another after an edit, so that whatever
a summary tells can be traced. Used by the property test and by the benchmark.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from random import Random

from fakes.engine import EchoingEngine
from fakes.store import MemoryStore
from fakes.surface import MemorySurface
from fakes.talk import CHANNEL, in_thread

from bot.conversations import in_place
from bot.driving import Driver
from bot.family import Family
from bot.library import Library
from bot.messages import IncomingMessage, MessageChanged, MessageDeleted, Person, Place
from bot.ports import Lease
from bot.prompting import Speech, open_speech
from bot.prompts import ServedModel
from bot.skills import Outcome, Request
from bot.skills.summarize import CLOSED, summarize

BEGAN = 1_700_000_000
"""14 Nov 2023 22:13:20 UTC; a message a minute from then on."""
PEOPLE = [Person(id=f"U{at}", name=f"Person{at}") for at in range(1, 9)]
BOTS = [Person(id=f"B{at}", name=f"Robot{at}", bot=True) for at in range(1, 3)]
ELSEWHERE = Place(platform="slack", workspace="T1", channel="C9")
FAMILY = Family(
    name="test",
    person="[human]: {text}\n###\n",
    jay_open="[robot]:",
    jay_close="\n###\n",
    stop=("\n###",),
    never=("[human]:",),
)
WORDS = "ferry harbour winter lamp letter garden captain silver morning bread river stone".split()
LINE = re.compile(
    r"Read (?P<read>[\d,]+) of (?P<least>at least )?(?P<of>[\d,]+) messages?"
    r"(?: and (?P<threads>\d+) of (?P<threads_of>\d+) threads?)?"
    r"(?:, by (?P<people>\d+) (?:person|people), [^.]*)?"
    r"(?:\. Left out: (?P<left>[^.]*))?\._?$"
)


@dataclass
class ChannelState:
    """A channel, as it is, and as Jay heard it."""

    now: list[IncomingMessage] = field(default_factory=list)
    """All that stands there, bots' too."""
    deleted: list[IncomingMessage] = field(default_factory=list)
    """Messages that were taken back and that Jay had heard, as they were."""
    store: MemoryStore = field(default_factory=lambda: MemoryStore(max_log=20_000))
    surface: MemorySurface = field(default_factory=MemorySurface)


@dataclass(frozen=True)
class Truth:
    """The numbers that a coverage line must tell."""

    read: int
    of: int
    threads: int
    threads_of: int
    people: int
    left: dict[str, int]


async def draw_state(dice: Random, *, messages: int, threads: int) -> ChannelState:
    """Draw a channel, and let Jay hear some of what went on there."""
    state = ChannelState()
    said = _draw_messages(dice, messages, threads)
    joined = dice.choice([0, messages // 3])
    deaf = range(*sorted(dice.sample(range(messages + 1), 2)))
    for at, one in enumerate(said):
        heard = at >= joined and at not in deaf and not one.author.bot
        if heard:
            await state.store.accept(one, conversation=None, waiting=9)
        await _go_on(dice, state, one, heard=heard)
    state.surface.history_of = list(state.now)
    secret = replace(
        said[0], place=ELSEWHERE, text="The secret word is forbidden", message_id="7.0"
    )
    await state.store.accept(secret, conversation=None, waiting=9)
    state.surface.closed_to_jay = {ELSEWHERE.channel}
    return state


async def _go_on(dice: Random, state: ChannelState, one: IncomingMessage, *, heard: bool) -> None:
    """Let a message stand, be edited or be deleted; Jay may be deaf to that too."""
    fate, told = dice.random(), dice.random() < 0.5
    if fate < 0.08:
        if heard:
            state.deleted.append(one)
        if heard and told:
            await state.store.delete(MessageDeleted(place=one.place, message_id=one.message_id))
        return
    if fate < 0.2 and one.text:
        at = one.sent_at + 30
        text = one.text.replace("first", "second")
        if heard and told:
            await state.store.change(
                MessageChanged(place=one.place, message_id=one.message_id, text=text, changed_at=at)
            )
        one = replace(one, text=text, edited_at=at)
    state.now.append(one)


def _draw_messages(dice: Random, count: int, threads: int) -> list[IncomingMessage]:
    roots = sorted(dice.sample(range(count), min(threads, count // 3)))
    said: list[IncomingMessage] = []
    for at in range(count):
        open_roots = [root for root in roots if root < at]
        inside = bool(open_roots) and at not in roots and dice.random() < 0.4
        place = in_thread(_id(dice.choice(open_roots))) if inside else CHANNEL
        words = " ".join(dice.choice(WORDS) for _ in range(dice.randint(3, 12)))
        kind = dice.random()
        said.append(
            IncomingMessage(
                place=place,
                message_id=_id(at),
                author=dice.choice(BOTS if kind < 0.12 else PEOPLE),
                text="" if 0.12 <= kind < 0.16 else f"The first{at} {words} on day {at}",
                sent_at=float(_id(at)),
                mentions_jay=0.16 <= kind < 0.22,
            )
        )
    return said


def _id(at: int) -> str:
    return f"{BEGAN + 60 * at}.0"


def truth_of(state: ChannelState, *, since: float, until: float, last: int = 0) -> Truth:
    """Count what is there, by other means than the program does."""
    inside = sorted(
        (one for one in state.now if since <= one.sent_at < until), key=lambda one: one.sent_at
    )
    inside = inside[-last:] if last else inside
    begin = inside[0].sent_at if last and len(inside) == last else since
    read, left = [], Counter[str]()
    for at, one in enumerate(inside):
        if at < len(inside) - 1_000:
            left["over my cap of 1,000, the oldest"] += 1
        elif one.author.bot:
            left["from bots"] += 1
        elif one.mentions_jay:
            left["said to me"] += 1
        elif not one.text:
            left["without text"] += 1
        else:
            read.append(one)
    left["deleted"] = sum(1 for one in state.deleted if begin <= one.sent_at < until)
    return Truth(
        read=len(read),
        of=len(inside),
        threads=len({one.place.thread for one in read} - {""}),
        threads_of=len({one.place.thread for one in inside} - {""}),
        people=len({one.author.id for one in read}),
        left={reason: count for reason, count in left.items() if count},
    )


async def sum_up(
    state: ChannelState, text: str, *, engine: EchoingEngine, place: Place = CHANNEL
) -> Outcome:
    """Have Jay's own driver sum up a place."""

    async def speech() -> Speech:
        return await open_speech(
            engine,
            model=ServedModel(name="echoing", window=2048),
            family=FAMILY,
            persona="",
            max_tokens=200,
        )

    driver = Driver(
        lease=Lease(conversation=in_place(place, root="r"), fence=1, worker="w"),
        store=state.store,
        surface=state.surface,
        library=Library(state.store, None),
        open_speech=speech,
        show=lambda text: None,
    )
    request = Request(text=text, place=place, person=PEOPLE[0], now=BEGAN + 1e7, command=True)
    return await driver.drive(summarize(request))


async def errors_of(dice: Random, *, messages: int, threads: int) -> list[str]:
    """Draw a channel, sum up a random range of it, and return all that is wrong with that."""
    state = await draw_state(dice, messages=messages, threads=threads)
    begin, end = sorted(dice.sample(range(messages + 1), 2))
    since, until, last = float(BEGAN), float("inf"), 0
    match dice.randrange(3):
        case 0:
            since, until = BEGAN + 60.0 * begin - 20, BEGAN + 60.0 * end - 20
            # The range's minutes are whole; its messages stand 20 seconds after each.
            text = f"from {_said(since)} to {_said(until)}"
        case 1:
            last = dice.randint(1, messages)
            text, since = f"last {last}", 0.0
        case _:
            since = BEGAN + 60.0 * begin - 20
            text = f"since {_said(since)}"
    outcome = await sum_up(state, text, engine=EchoingEngine(dice))
    truth = truth_of(state, since=since, until=until, last=last)
    wrong = _wrong_numbers(outcome, truth) + _wrong_words(outcome, state)
    closed = await sum_up(state, "last 10", engine=EchoingEngine(dice), place=ELSEWHERE)
    if closed.text != CLOSED:
        wrong.append(f"a closed channel is told of: {closed.text}")
    return [f"{text}: {one}" for one in wrong]


def _said(at: float) -> str:
    import time

    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(at))


def _wrong_numbers(outcome: Outcome, truth: Truth) -> list[str]:
    line = outcome.text.splitlines()[-1]
    told = LINE.search(line)
    if told is None:
        return [f"no coverage line: {line}"]
    left = {}
    for part in re.split(r", (?=\d)", told["left"] or ""):
        number, _, reason = part.partition(" ")
        if number:
            left[reason] = int(number.replace(",", ""))
    found = Truth(
        read=int(told["read"].replace(",", "")),
        of=int(told["of"].replace(",", "")),
        threads=int(told["threads"] or 0),
        threads_of=int(told["threads_of"] or 0),
        people=int(told["people"] or 0),
        left=left,
    )
    wrong = [] if found == truth else [f"told {found}, true is {truth}"]
    return [*wrong, *(["it says at least"] if told["least"] else [])]


def _wrong_words(outcome: Outcome, state: ChannelState) -> list[str]:
    standing = {one.message_id: one for one in state.now if not one.author.bot}
    linked = re.findall(r"https://chat\.example/([^/]+)/([\d.]+)\)", outcome.text)
    wrong = [f"links {where} {one}" for where, one in linked if where != CHANNEL.channel
             or one not in standing]  # fmt: skip
    wrong += [f"stands on {one}" for one in outcome.sources if one not in standing]
    said = set(re.findall(r"(?:first|second)\d+", outcome.text))
    true = {word for one in standing.values() for word in re.findall(r"\w+\d+", one.text)}
    wrong += [f"tells {one}, which nobody says" for one in sorted(said - true)]
    if "submarines" in outcome.text:
        wrong.append("tells what the model invented")
    return wrong


def errors_of_seed(seed: int, *, messages: int, threads: int) -> list[str]:
    """Run `errors_of` by itself."""
    return asyncio.run(errors_of(Random(seed), messages=messages, threads=threads))
