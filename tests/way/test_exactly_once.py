"""A worker dies at every step of a reply; the next one finishes it. One whole answer is seen.

Dead means dead: from the fatal call on, nothing of the first process reaches
the store or the platform any more. The call itself has happened or not.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from fakes.talk import ANA, CHANNEL, DIRECT, command, digest, message

from bot.conversations import in_place
from bot.delivery import WriteBudget
from bot.digests import Digest
from bot.errors import JayError
from bot.messages import Command, DigestRun
from bot.replying import Replier
from bot.skills.digests import command_of
from bot.tries import ENDS_A_FAILURE

MakeWay = Callable[..., Any]
pytestmark = [pytest.mark.looptime]

LONG = "".join(f" word{at}" for at in range(12))
WHOLE = LONG.strip()


class Killed(BaseException):
    """kill -9."""


@dataclass
class Mortal:
    """Counts what a process does to the world, and ends it at one of these deeds."""

    dies_at: int
    after: bool
    done: int = 0

    def living(self, part: Any) -> Any:
        return _Living(part, self)


class _Living:
    def __init__(self, part: Any, life: Mortal) -> None:
        self._part, self._life = part, life

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        if not asyncio.iscoroutinefunction(found):
            return found

        async def deed(*args: Any, **named: Any) -> Any:
            self._life.done += 1
            if self._life.done > self._life.dies_at:
                raise Killed
            if self._life.done == self._life.dies_at and not self._life.after:
                raise Killed
            told = await found(*args, **named)
            if self._life.done >= self._life.dies_at:
                raise Killed
            return told

        return deed


def mortal_replier(way: Any, life: Mortal) -> Replier:
    surface = life.living(way.surface)
    return replace(
        way.replier,
        store=life.living(way.store),
        surfaces={"slack": surface, "discord": surface},
        budget=WriteBudget(),
    )


async def live_and_die(way: Any, life: Mortal) -> bool:
    """Let a worker answer until it dies; returns whether it lived to the end."""
    lease = await way.store.claim(worker="mortal", lease_s=600.0, wait_s=0.0)
    if lease is None:
        return True
    try:
        await mortal_replier(way, life).reply(lease, stop=asyncio.Event())
        await way.store.release(lease)
    except Killed:
        await way.store.release(lease)
        return False
    return True


async def answer_in_spite_of_death(way: Any, *, dies_at: int, after: bool) -> bool:
    way.engine.delay_s = 0.4
    way.surface.limit = 40
    await way.hear(message("hello", place=DIRECT))
    lived = await live_and_die(way, Mortal(dies_at=dies_at, after=after))
    # The next one may have the whole text before its first write.
    way.engine.delay_s = 0.0
    for _ in range(way.surface.pace.writes):
        await way.replier.budget.acquire(DIRECT.write_lane, way.surface.pace)
    await way.answer_all()
    return lived


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_worker_that_dies_at_any_step_leaves_one_whole_answer(
    make_way: MakeWay, after: bool
) -> None:
    """Half an answer, two, or none: each is what people stop trusting a bot for."""
    steps = 0
    lived = False
    while not lived:
        steps += 1
        way = make_way(f"{LONG}\n###")
        way.engine.goes_on = True
        lived = await answer_in_spite_of_death(way, dies_at=steps, after=after)

        assert "".join(way.surface.texts) == WHOLE, f"died at step {steps}"
        (reply,) = await way.store.traced(DIRECT)
        assert await way.store.trace(DIRECT, reply.message_id), f"died at step {steps}"
        turns = await way.store.turns(in_place(DIRECT, root=""))
        assert [(turn.role, turn.text) for turn in turns] == [("person", "hello"), ("jay", WHOLE)]
        assert await way.store.claim(worker="w", lease_s=1.0, wait_s=0.0) is None

    assert steps > 15


async def test_what_a_person_stopped_stays_stopped_when_the_worker_dies(
    make_way: MakeWay,
) -> None:
    """Whoever takes over must not talk on."""
    way = make_way(f"{LONG}\n###")
    way.engine.delay_s, way.engine.goes_on = 1.0, True
    await way.hear(message("hello", place=DIRECT))
    lease = await way.store.claim(worker="mortal", lease_s=600.0, wait_s=0.0)
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(5.5, stop.set)
    dying = asyncio.create_task(way.replier.reply(lease, stop=stop))
    original = way.store.settle

    async def never(*_: Any, **__: Any) -> None:
        raise Killed

    way.store.settle = never
    with pytest.raises(Killed):
        await dying
    way.store.settle = original
    await way.store.release(lease)
    shown = way.surface.texts

    await way.answer_all()

    assert shown[0].endswith("_Stopped._")
    assert way.surface.texts == shown


async def test_a_message_that_kills_every_worker_is_put_aside(make_way: MakeWay) -> None:
    """One that uses up the memory leaves no exception behind, only dead workers."""
    way = make_way(f"{LONG}\n###")
    await way.hear(message("hello", place=DIRECT))
    for _ in range(way.replier.max_tries * ENDS_A_FAILURE):
        assert not await live_and_die(way, Mortal(dies_at=5, after=False))

    await way.answer_all()

    assert way.surface.texts == [f"_{JayError.to_person}_"]
    assert [one.mail.text for one in await way.store.parked()] == ["hello"]


async def test_workers_that_die_while_a_reply_grows_do_not_have_it_put_aside(
    make_way: MakeWay,
) -> None:
    """Whoever restarts the machines again and again must not make Jay give up on people."""
    way = make_way(f"{LONG}\n###")
    way.engine.delay_s, way.engine.goes_on = 1.0, True
    await way.hear(message("hello", place=DIRECT))
    deaths = 0
    while not await live_and_die(way, Mortal(dies_at=9, after=True)):
        deaths += 1

    assert deaths >= way.replier.max_tries
    assert way.surface.texts == [WHOLE]
    assert await way.store.parked() == []


FERRY = "The ferry to Oslo leaves at 9:15 on Tuesday."


async def through_every_death(
    make_way: MakeWay, mail: Command, *digests: Digest
) -> AsyncIterator[Any]:
    """Yield a whole way for each step at which the first worker may die, the reply made."""
    lived, steps = False, 0
    while not lived:
        steps += 1
        way = make_way(" When does it leave?\n###")
        for one in digests:
            await way.store.keep_digest(one, most=5)
        await way.hear(mail)
        lived = await live_and_die(way, Mortal(dies_at=steps, after=True))
        await way.answer_all()
        yield way
    assert steps > 5


async def test_a_quiz_that_was_taken_over_still_has_its_answers(make_way: MakeWay) -> None:
    """What is remembered of a reply is more than what is shown of it."""
    async for way in through_every_death(make_way, command("quiz", FERRY, place=DIRECT)):
        *_, turn = await way.store.turns(in_place(DIRECT, root="cmd-quiz"))

        assert "9:15" in turn.text.partition("Answers:")[2]


async def test_what_was_for_one_pair_of_eyes_stays_so_when_it_is_taken_over(
    make_way: MakeWay,
) -> None:
    """A digest ends in front of a channel, for whoever ordered it may no longer read its source."""
    kept = digest(channel_name="secret", to=CHANNEL)
    mail = command_of(kept, DigestRun(digest_id="d1", since=0.0, until=9.0), at=9.0)
    async for way in through_every_death(make_way, mail, kept):
        assert way.surface.texts == []
        assert {person for person, _ in way.surface.whispers} <= {ANA.id}
