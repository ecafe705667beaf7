"""The one front door: who may, was it seen before, whose mail is it.

Every edge hands its events here. When `hear` returns, the event is stored and
may be acked; when it raises a `StoreError`, the platform should deliver again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from bot.conversations import Conversation, conversation_of, in_place
from bot.errors import MailboxFull, PlatformError
from bot.messages import (
    ChannelJoined,
    Command,
    Event,
    IncomingMessage,
    MessageChanged,
    MessageDeleted,
    PlatformName,
    ShareAsked,
    StopAsked,
)
from bot.metrics import MESSAGES
from bot.ports import Store, Surface, Target
from bot.skills.digests import joined
from bot.skills.sharing import SHARE

log = structlog.get_logger(__name__)

TELL_TIMEOUT_S = 2.0
"""Telling a person that the mailbox is full must not hold up the ack (3 s at Slack)."""
OWN_AFTER_S = 120.0
"""A reply of Jay's that this store does not know by then was written by somebody else; one
whose worker died is found again when its lease has run out."""
OWN_KEPT = 100
OTHERS_HINT = (
    "Another process answers with this bot token, from a store of its own, so people get two "
    "answers. Stop it, give it the same REDIS_URL, or make it an application of its own."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Takes events in. `hear` is what edges are given."""

    store: Store
    surfaces: Mapping[PlatformName, Surface]
    max_waiting: int
    """The most unanswered mail of one conversation."""
    _own: deque[IncomingMessage] = field(default_factory=lambda: deque(maxlen=OWN_KEPT))
    _notices: deque[str] = field(default_factory=lambda: deque(maxlen=OWN_KEPT))

    async def hear(self, event: Event) -> None:
        """Store an event and wake whoever answers it.

        Raises:
            StoreError: it could not be stored; nothing of it is.
        """
        match event:
            case IncomingMessage():
                await self._message(event)
            case Command():
                conversation = in_place(event.place, root=event.message_id)
                if await self.store.accept_command(event, conversation=conversation):
                    MESSAGES.labels(event.place.platform, "jay").inc()
                    log.info("intake.command", conversation=conversation.key, name=event.name)
            case MessageChanged():
                await self.store.change(event)
            case MessageDeleted():
                await self._delete(event)
            case StopAsked():
                conversation_at = await self.store.conversation_at(event.place, event.message_id)
                if conversation_at is not None:
                    await self.store.ask_stop(conversation_at)
            case ShareAsked():
                await self._share(event)
            case ChannelJoined():
                await self._joined(event)

    async def _delete(self, event: MessageDeleted) -> None:
        for own in [one for one in self._own if one.message_id == event.message_id]:
            self._own.remove(own)
        await self.store.delete(event)

    async def _share(self, event: ShareAsked) -> None:
        """Have a reply that one person saw said for all to see, by the conversation that made it."""
        conversation = await self.store.conversation_at(event.place, event.message_id)
        if conversation is None:
            log.info("intake.nothing_to_share", message=event.message_id)
            return
        asked = Command(
            place=event.place,
            message_id=event.press_id,
            author=event.author,
            name=SHARE,
            text="",
            sent_at=event.at,
        )
        await self.store.accept_command(asked, conversation=conversation)

    async def _joined(self, event: ChannelJoined) -> None:
        """Have what a person ordered for their joins made; an event that comes again changes nothing."""
        own = await self.store.digests_of(event.place.platform, event.person.id)
        for command in joined(own, event):
            conversation = in_place(command.place, root=command.message_id)
            await self.store.accept_command(command, conversation=conversation)

    def wrote(self, message_id: str) -> None:
        """Take a message for Jay's own that is in no conversation."""
        self._notices.append(message_id)

    async def note(self, message: IncomingMessage) -> Conversation | None:
        """Log a message that is too old to be answered.

        Returns:
            Its conversation, where nobody had heard it and it was meant for Jay.

        Raises:
            StoreError: it could not be stored.
        """
        if message.author.bot:
            return None
        conversation = await self._meant_for_jay(message)
        new = await self.store.accept(message, conversation=None, waiting=self.max_waiting)
        return conversation if new else None

    async def _message(self, message: IncomingMessage) -> None:
        if message.author.jay:
            await self._look_for_others(message)
        if message.author.bot:
            return
        conversation = await self._meant_for_jay(message)
        try:
            new = await self.store.accept(
                message,
                conversation=conversation,
                waiting=self.max_waiting,
                may_follow=not message.mentions_others,
            )
        except MailboxFull as error:
            await self._tell(message, error.to_person)
            return
        if new:
            meant_for = "jay" if conversation else "others"
            MESSAGES.labels(message.place.platform, meant_for).inc()
            key = conversation.key if conversation else None
            log.info("intake.message", message=message.message_id, conversation=key)

    async def _meant_for_jay(self, message: IncomingMessage) -> Conversation | None:
        """Return the conversation if Jay should answer: named, in private, or in its own thread."""
        answered = None
        if message.reply_to:
            answered = await self.store.conversation_at(message.place, message.reply_to)
        conversation = conversation_of(message, answered)
        if message.mentions_jay or message.place.direct:
            return conversation
        follows = bool(message.place.thread) or answered is not None
        if follows and not message.mentions_others and await self.store.takes_part(conversation):
            return conversation
        return None

    async def _look_for_others(self, message: IncomingMessage) -> None:
        """Say so where somebody else answers with Jay's token: the store knows no such reply."""
        if message.reply_to:
            self._own.append(message)
        while self._own and message.sent_at - self._own[0].sent_at > OWN_AFTER_S:
            old = self._own.popleft()
            if old.message_id in self._notices:
                continue
            if await self.store.conversation_at(old.place, old.message_id) is None:
                log.warning(
                    "intake.others_answer",
                    platform=old.place.platform,
                    channel=old.place.channel,
                    message=old.message_id,
                    hint=OTHERS_HINT,
                )

    async def _tell(self, message: IncomingMessage, text: str) -> None:
        target = Target(place=message.place, reply_to=message.message_id, person=message.author.id)
        try:
            async with asyncio.timeout(TELL_TIMEOUT_S):
                await self.surfaces[message.place.platform].whisper(target, text)
        except (TimeoutError, PlatformError) as error:
            log.warning("intake.not_told", message=message.message_id, error=str(error))
