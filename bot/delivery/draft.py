"""One visible reply: what it should read, what it reads now, and the writes between.

`show` sets the newest text and returns at once; a task of the draft's own
brings the platform's messages up to it as fast as the lane allows. `finish`
waits until the last text stands there. Each write is planned when its turn has
come, so it carries the newest text; identical writes are skipped, a text that
outgrew one message goes on in the next, one that shrank takes the rest away
at the end.

What a message reads is only taken as known where its write was answered. A
post whose answer was lost, or that a dead worker may have made, is found again
by its nonce and then reads what it read at the time; so it is written once more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Literal

import structlog

from bot.delivery.budget import WriteBudget, set_within
from bot.errors import LeaseLost, MessageGone, PlatformUnreachable, TooFast
from bot.ports import Surface, Target

log = structlog.get_logger(__name__)

UNREACHABLE_WAITS_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Waits between tries while a platform does not answer: one minute in all."""

HOLD_S = 30.0
"""People rather wait so long for the whole than for the end of what was begun."""

UNDER_WAY_S = 3.0
"""How long a write that is under way may take when its reply is cut off."""
LOOK_EVERY_S = 5.0
"""How often a reply that is held back looks whether it may begin."""

Record = Callable[[tuple[str, ...]], Awaitable[None]]
"""Puts on record which messages show the reply now; called after every write."""


@dataclass(slots=True)
class _Shown:
    message_id: str
    text: str
    closed: bool = False


@dataclass(frozen=True, slots=True)
class _Write:
    """The next thing to do so that the platform shows what is wanted."""

    verb: Literal["post", "edit", "delete"]
    index: int
    part: str = ""
    last: bool = False
    ends: bool = False
    """It is the end of what is said so far."""


class Draft:
    """One reply on one platform; an async context manager around its writing."""

    def __init__(
        self,
        *,
        surface: Surface,
        target: Target,
        budget: WriteBudget,
        nonce: str,
        record: Record,
        message_ids: tuple[str, ...] = (),
        taken_over: bool = False,
        holds: Callable[[], bool] = lambda: True,
    ) -> None:
        """Take what is needed.

        Args:
            surface: what is written on.
            target: where.
            budget: says when.
            nonce: the reply's id; its parts are numbered after it.
            record: puts on record what shows it.
            message_ids: show it already, where another worker began it.
            taken_over: another try may have posted what it could not put on record.
            holds: whether this worker still may write; asked before each write.
        """
        self._surface, self._target, self._budget = surface, target, budget
        self._nonce, self._record, self._holds = nonce, record, holds
        self._taken_over, self._unanswered = taken_over, False
        self._shown = [_Shown(message_id, "") for message_id in message_ids]
        self._turns = budget.shared(target.place.platform, surface.shared_pace)
        self._wanted, self._spoken = "", False
        self._finished = asyncio.Event()
        self._rendered = ("", tuple[str, ...]())
        """The text that was rendered last, and its parts."""
        self._changed = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._writing: asyncio.Task[None] | None = None
        self.gone = False
        """Somebody took the reply's message away; nothing more is written."""

    async def __aenter__(self) -> Draft:
        """Begin to write."""
        self._writer = asyncio.create_task(self._follow(), name=f"draft {self._nonce}")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop writing, whatever is left. `finish` first where all shall be shown.

        A write that is under way is let through, so that whoever goes on knows what stands there.

        Raises:
            PlatformUnreachable: it got no answer.
        """
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        if self._writing is None or self._writing.done():
            return
        await asyncio.wait({self._writing}, timeout=UNDER_WAY_S)
        if not self._writing.done():
            self._writing.cancel()
        (outcome,) = await asyncio.gather(self._writing, return_exceptions=True)
        if isinstance(outcome, PlatformUnreachable | asyncio.CancelledError):
            raise PlatformUnreachable("it is not known whether the last write arrived")

    def show(self, markdown: str, *, spoken: bool = True) -> None:
        """Let the reply read this as soon as the lane allows.

        Args:
            markdown: all of it.
            spoken: it is of the reply; False: it tells people that they wait.
        """
        self._wanted, self._spoken = markdown, spoken
        self._changed.set()

    def shows(self, markdown: str) -> bool:
        """Tell whether people would see anything of it; what is asked about is not rendered again."""
        return bool(self._parts_of(markdown))

    async def finish(self, markdown: str) -> None:
        """Let the reply read this for good, and wait until it does.

        Raises:
            PlatformError: the platform refuses it; what was shown stays.
            StoreError: it can no longer be put on record.
        """
        self._finished.set()
        self.show(markdown)
        if self._writer is not None:
            await self._writer

    @property
    def failure(self) -> BaseException | None:
        """Why writing has ended before its time; `finish` then raises it."""
        writer = self._writer
        return writer.exception() if writer and writer.done() and not writer.cancelled() else None

    @property
    def message_ids(self) -> tuple[str, ...]:
        """The platform's messages that show the reply."""
        return tuple(shown.message_id for shown in self._shown)

    async def _follow(self) -> None:
        lane, pace = self._target.place.write_lane, self._surface.pace
        waits = iter(UNREACHABLE_WAITS_S)
        while not self.gone:
            if not self._may_differ():
                if self._finished.is_set():
                    return
                self._changed.clear()
                await self._changed.wait()
                continue
            await self._budget.acquire(lane, pace)
            if not await self._have_turn():
                self._budget.give_back(lane, pace)
                continue
            write = self._plan()
            if write is None:
                self._budget.give_back(lane, pace)
                continue
            if not self._holds():
                raise LeaseLost("the lease ran out before this write")
            try:
                self._writing = asyncio.create_task(self._do(write), name="write")
                await asyncio.shield(self._writing)
                waits = iter(UNREACHABLE_WAITS_S)
            except TooFast as error:
                self._budget.stop(lane, pace, for_s=error.retry_after_s)
                log.info("delivery.slowed", lane=lane, retry_after_s=error.retry_after_s)
            except PlatformUnreachable:
                self._unanswered = write.verb == "post"
                wait_s = next(waits, None)
                if wait_s is None:
                    raise
                log.info("delivery.unreachable", lane=lane, wait_s=wait_s)
                await asyncio.sleep(wait_s)

    async def _have_turn(self) -> bool:
        """Wait for a turn among all replies on the platform; False: look again what there is.

        Where the next edit would come late, a reply is not begun: shown whole, it
        needs none.
        """
        if self._turns is None:
            return True
        if not self._shown and not self._finished.is_set() and self._turns.queue_s() > HOLD_S:
            await set_within(self._finished, LOOK_EVERY_S)
            return False
        if self._shown or self._turns.pace.posts:
            await self._turns.wait(self._finished)
        return True

    def _may_differ(self) -> bool:
        """Tell whether there may be something to write. Nothing is rendered for that."""
        return self._rendered[0] != self._wanted or self._plan() is not None

    def _plan(self) -> _Write | None:
        """Return the first thing that differs from what is wanted. Pure."""
        if not self._wanted.strip():
            return None
        finished, parts = self._finished.is_set(), self._parts_of(self._wanted)
        for index, part in enumerate(parts):
            ends = index == len(parts) - 1 and self._spoken
            last = finished or index < len(parts) - 1
            if index >= len(self._shown):
                return _Write("post", index, part, last, ends)
            shown = self._shown[index]
            if shown.text != part or (last and not shown.closed):
                return _Write("edit", index, part, last, ends)
        # A part that is taken away can't come back: its nonce would find what is gone.
        if finished and len(self._shown) > len(parts):
            return _Write("delete", len(self._shown) - 1)
        return None

    def _parts_of(self, markdown: str) -> tuple[str, ...]:
        if self._rendered[0] != markdown:
            self._rendered = (markdown, self._surface.render(markdown, target=self._target))
        return self._rendered[1]

    async def _do(self, write: _Write) -> None:
        target = self._target if write.ends else replace(self._target, why=False)
        if write.verb == "post":
            nonce = f"{self._nonce}.{write.index}"
            known = not (self._taken_over or self._unanswered)
            message_id = await self._surface.post(
                target, write.part, nonce=nonce, last=write.last, again=not known
            )
            self._unanswered = False
            self._shown.append(
                _Shown(message_id, write.part if known else "", write.last and known)
            )
        elif write.verb == "edit":
            shown = self._shown[write.index]
            try:
                await self._surface.edit(
                    target,
                    shown.message_id,
                    write.part,
                    shown=shown.text,
                    last=write.last,
                )
            except MessageGone as error:
                self.gone = True
                lane = self._target.place.write_lane
                log.warning("delivery.gone", lane=lane, error=str(error))
                return
            shown.text, shown.closed = write.part, write.last
        else:
            await self._surface.delete(self._target, self._shown[write.index].message_id)
            self._shown.pop()
        await self._record(self.message_ids)
