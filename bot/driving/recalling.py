"""Looks up how a reply came about, and what of it may be told to whom.

Who may not see a reply is not told how it came about. Jay's words are handed
out only where everything stands that they were made from, down to what the
earlier replies were made from that the prompt held: a reply may repeat what
was deleted since.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bot.messages import IncomingMessage, Place
from bot.ports import Store
from bot.skills import Recall, Recalled
from bot.skills.why import NAMED
from bot.traces import Trace, Traced

MOST_BEFORE = 200
"""Earlier replies that are followed back; a window holds far fewer."""

Link = Callable[[Place, str], Awaitable[str]]
"""Returns the address of a message, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recaller:
    """Looks up for one question."""

    store: Store
    link: Link

    async def recall(self, step: Recall) -> Recalled:
        """Do a `Recall`.

        Raises:
            StoreError: the store can't be had.
        """
        trace = await self._find(step)
        if trace is None:
            return Recalled()
        standing = await self._standing(trace)
        text = await self._text(trace) if await self._whole(trace, standing) else ""
        named = [one for one in map(standing.get, told_of(trace)) if one is not None]
        links = await asyncio.gather(*(self.link(one.place, one.message_id) for one in named))
        return Recalled(
            trace=trace,
            text=text,
            standing=standing,
            links={one.message_id: link for one, link in zip(named, links, strict=True) if link},
        )

    async def _find(self, step: Recall) -> Trace | None:
        if not step.message_id:
            for one in await self.store.traced(step.place):
                if may_see(one, step) and (
                    trace := await self.store.trace(step.place, one.message_id)
                ):
                    return trace
            return None
        found = await self.store.trace(step.place, step.message_id)
        if found is None:
            found = await self._find_by_part(step)
        return found if found is not None and may_see(shown(found), step) else None

    async def _find_by_part(self, step: Recall) -> Trace | None:
        """Find the trace of a long reply by another message of it than the last."""
        conversation = await self.store.conversation_at(step.place, step.message_id)
        if conversation is None:
            return None
        for turn in await self.store.turns(conversation):
            if turn.role == "jay" and step.message_id in turn.message_ids:
                return await self.store.trace(step.place, turn.message_ids[-1])
        return None

    async def _standing(self, trace: Trace) -> Mapping[str, IncomingMessage | None]:
        return await self.store.standing(trace.place, made_from(trace), revision=trace.revision)

    async def _whole(self, trace: Trace, standing: Mapping[str, IncomingMessage | None]) -> bool:
        """Tell whether all stands that a reply was made from, and the replies before it."""
        followed, waiting = {shown(trace).message_id}, [(trace, standing)]
        while waiting:
            one, stands = waiting.pop()
            if not one.traceable or not stands.keys() >= set(made_from(one)):
                return False
            for turn in one.read:
                if turn.role == "jay" and (last := turn.message_ids[-1]) not in followed:
                    followed.add(last)
                    before = await self.store.trace(one.place, last)
                    if before is None or len(followed) > MOST_BEFORE:
                        return False
                    waiting.append((before, await self._standing(before)))
        return True

    async def _text(self, trace: Trace) -> str:
        """Return what Jay said, as the conversation remembers it."""
        message_id = shown(trace).message_id
        conversation = await self.store.conversation_at(trace.place, message_id)
        if conversation is None:
            return ""
        turns = await self.store.turns(conversation)
        said = (one.text for one in turns if one.role == "jay" and message_id in one.message_ids)
        return next(said, "")


def made_from(trace: Trace) -> tuple[str, ...]:
    """Return the ids of all messages that a trace names, each once. Pure."""
    read = [message_id for turn in trace.read for message_id in turn.message_ids]
    found = [one for passage in trace.passages for one in (passage.message_id, passage.before)]
    return tuple(dict.fromkeys(one for one in (*read, *found, *trace.answered) if one))


def told_of(trace: Trace) -> tuple[str, ...]:
    """Return the ids of the messages that are told of with their address. Pure."""
    people = [one.message_ids[0] for one in trace.read if one.role == "person" and one.message_ids]
    found = (one.message_id for one in trace.passages)
    return tuple(dict.fromkeys((*people[-NAMED:], *found)))


def shown(trace: Trace) -> Traced:
    """Return where a reply stands and who may see it. Pure."""
    return Traced(thread=trace.place.thread, person=trace.person, message_id=trace.message_ids[-1])


def may_see(reply: Traced, step: Recall) -> bool:
    """Tell whether a reply of the channel may be told of. Pure.

    Where threads are open, a thread still asks for its own latest reply. Else only what stands in
    the very place is told of.
    """
    if reply.person and not (step.alone and reply.person == step.person.id):
        return False
    anywhere = step.place.threads_are_open and (step.message_id or not step.place.thread)
    return bool(anywhere) or reply.thread == step.place.thread
