"""Finds the digests that are due, and puts each into the mailbox where it is told.

Every worker does so. The command's id is made of the digest and the time at
which it was due, and a mailbox takes an id once: so it doesn't matter how many
workers find a digest, nor where one of them dies. Then the digest is moved on
to its next time. From the mailbox on it is a command like any other: leased,
finished by whoever takes over, told once.

What fell due while Jay was away is made late as long as that is of use, or
else skipped, and the next one goes back to where the last one ended.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from bot.conversations import in_place
from bot.digests import Digest
from bot.errors import StoreError
from bot.messages import Command, DigestRun
from bot.ports import Store
from bot.skills.digests import command_of
from bot.skills.schedules import Schedule, parse_schedule, zone_of

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 10.0
AT_ONCE = 4
"""Digests of each shard that are begun at a look: at nine o'clock there are many, and chat goes
first."""
FRESH_SHARE = 0.25
"""A digest may be late by so much of the time until the next one: six hours where it is daily."""
NOT_UNDERSTOOD_S = 86_400.0
"""A schedule that a newer Jay wrote is looked at again after so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What becomes of a digest that is due."""

    moved: Digest
    """The digest with its next time."""
    command: Command | None
    """What has it made now; None: it is too late for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduler:
    """Looks for digests that are due."""

    store: Store
    clock: Callable[[], float] = time.time

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            try:
                await self.look()
            except StoreError as error:
                # The store tells of its troubles itself, once.
                log.debug("scheduling.no_store", error=str(error))
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Begin or skip what is due.

        Raises:
            StoreError: the store can't be had; what was not begun is due at the next look.
        """
        for digest in await self.store.due_digests(until=self.clock(), limit=AT_ONCE):
            planned = plan(digest, now=self.clock())
            command = planned.command
            if command is not None:
                conversation = in_place(command.place, root=command.message_id)
                await self.store.accept_command(command, conversation=conversation)
            if await self.store.move_digest(planned.moved, was_due=digest.due):
                said = "scheduling.skipped" if command is None else "scheduling.begun"
                log.info(said, digest=digest.digest_id, due=digest.due, next=planned.moved.due)


def plan(digest: Digest, *, now: float) -> Planned:
    """Return what becomes of a digest that is due.

    All but whether it is too late follows from its record, so that whoever
    comes second, after a first one died, plans the same.
    """
    schedule = parse_schedule(digest.schedule)
    if not isinstance(schedule, Schedule):
        log.error("scheduling.not_understood", digest=digest.digest_id, schedule=digest.schedule)
        return Planned(moved=replace(digest, due=now + NOT_UNDERSTOOD_S), command=None)
    due = schedule.next(digest.due, zone_of(digest.zone))
    if now - digest.due > FRESH_SHARE * (due - digest.due):
        return Planned(moved=replace(digest, due=due, skipped=digest.skipped + 1), command=None)
    run = DigestRun(
        digest_id=digest.digest_id,
        since=digest.covered,
        until=digest.due,
        skipped=digest.skipped,
    )
    moved = replace(digest, due=due, covered=digest.due, skipped=0)
    return Planned(moved=moved, command=command_of(digest, run, at=digest.due))
