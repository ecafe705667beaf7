"""One truth under a sandbox platform: who is there, what was said, who listens.

Everything that happens goes through a method of `World`, which changes the records
and tells each listener with one `Event`, at once and in order. The platform side,
the page and the tests are all listeners; none of them keeps a copy of its own.

Nothing here is a platform's shape, limit or error: those are in slack/ and discord/.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy

from adapters.sandbox.ids import DiscordIds, Ids, SlackIds
from adapters.sandbox.ledger import Ledger
from adapters.sandbox.records import (
    Channel,
    ChannelKind,
    Event,
    EventKind,
    File,
    Json,
    Member,
    Message,
    Platform,
)

__all__ = [
    "Channel",
    "DiscordIds",
    "Event",
    "File",
    "Ids",
    "Json",
    "Listener",
    "Member",
    "Message",
    "Platform",
    "SlackIds",
    "World",
]

Listener = Callable[[Event], None]


class World:
    """A workspace or server with its members, channels and messages.

    Args:
        platform: Whose markup and ids it uses.
        ids: Makes ids in the platform's format.
        clock: Unix seconds; tests hand in their own.
    """

    def __init__(
        self, platform: Platform, ids: Ids, clock: Callable[[], float] = time.time
    ) -> None:
        self.platform: Platform = platform
        self.ids = ids
        self.clock = clock
        self.home_id = ""
        """The workspace's or server's id."""
        self.home_name = ""
        self.bot_id = ""
        """The member that the program under test speaks as."""
        self.members: dict[str, Member] = {}
        self.channels: dict[str, Channel] = {}
        self._ledger = Ledger(ids)
        self._listeners: list[Listener] = []

    # Who and where

    def add_member(
        self,
        name: str,
        display: str,
        *,
        bot: bool = False,
        color: str = "#607d8b",
        title: str = "",
        at: float | None = None,
    ) -> Member:
        """Add a person or bot and return it. Nobody is told."""
        made = self.ids.thing("member", at=self._time(at))
        member = Member(id=made, name=name, display=display, bot=bot, color=color, title=title)
        self.members[made] = member
        return member

    def add_channel(
        self,
        name: str,
        *,
        kind: ChannelKind = "text",
        members: Iterable[str] = (),
        parent: str | None = None,
        private: bool = False,
        writable_by_bot: bool = True,
        readable_by_bot: bool = True,
        topic: str = "",
        at: float | None = None,
        id: str | None = None,  # noqa: A002
    ) -> Channel:
        """Add a channel, direct conversation or thread and tell the listeners."""
        when = self._time(at)
        channel = Channel(
            id=id or self.ids.thing("direct" if kind == "direct" else "channel", at=when),
            name=name,
            kind=kind,
            members=set(members),
            parent=parent,
            private=private,
            writable_by_bot=writable_by_bot,
            readable_by_bot=readable_by_bot,
            topic=topic,
            created_at=when,
        )
        self.channels[channel.id] = channel
        self._tell("channel", channel, payload={"change": "created"})
        return channel

    def join(self, channel: str, member: str) -> None:
        """Put a member into a channel; joining twice changes nothing."""
        place = self.channels[channel]
        if member not in place.members:
            place.members.add(member)
            self._tell("channel", place, member=member, payload={"change": "joined"})

    def leave(self, channel: str, member: str) -> None:
        """Take a member out of a channel."""
        place = self.channels[channel]
        if member in place.members:
            place.members.remove(member)
            self._tell("channel", place, member=member, payload={"change": "left"})

    def open_direct(self, a: str, b: str) -> Channel:
        """Return the direct conversation of two members, made on first use."""
        for channel in self.channels.values():
            if channel.kind == "direct" and channel.members == {a, b}:
                return channel
        return self.add_channel("", kind="direct", members=(a, b), private=True)

    def create_thread(
        self, channel: str, root_id: str | None, name: str, *, by: str | None = None
    ) -> Channel:
        """Open a Discord thread, whose id is its root message's id where it has one."""
        parent = self.channels[channel]
        members = {self.bot_id} if by is None else {by}
        return self.add_channel(
            name, kind="thread", members=members, parent=parent.id, private=parent.private,
            writable_by_bot=parent.writable_by_bot, readable_by_bot=parent.readable_by_bot,
            id=root_id,
        )  # fmt: skip

    def member_named(self, name: str) -> Member:
        """Return the member with this handle or display name. Raises KeyError."""
        for member in self.members.values():
            if name in (member.name, member.display):
                return member
        raise KeyError(name)

    def channel_named(self, name: str) -> Channel:
        """Return the channel with this name. Raises KeyError."""
        for channel in self.channels.values():
            if channel.name == name:
                return channel
        raise KeyError(name)

    # What is said

    def say(
        self,
        channel: str,
        author: str,
        text: str,
        *,
        thread: str | None = None,
        reply_to: str | None = None,
        files: Iterable[File] = (),
        ephemeral_to: str | None = None,
        nonce: str | None = None,
        metadata: Json | None = None,
        at: float | None = None,
        streaming: bool = False,
        interaction: Json | None = None,
        extra: Json | None = None,
    ) -> Message:
        """Post a message and return it. With `at` it is told into the past (for seeds)."""
        when = self._time(at)
        newest = self._ledger.newest(channel) if at is None else None
        made = self.ids.message(at=when, after=newest)
        while self._ledger.get(channel, made) is not None:
            made = self.ids.message(at=when, after=made)
        message = Message(
            id=made,
            channel=channel,
            author=author,
            text=text,
            at=when,
            thread=thread,
            reply_to=reply_to,
            files=list(files),
            ephemeral_to=ephemeral_to,
            nonce=nonce,
            metadata=metadata,
            streaming=streaming,
            interaction=interaction,
            extra=extra or {},
        )
        self._ledger.add(message)
        self._tell("message", self.channels[channel], message=message, member=author)
        return message

    def edit(
        self,
        channel: str,
        id: str,  # noqa: A002
        text: str,
        *,
        metadata: Json | None = None,
        streaming: bool = False,
        mark_edited: bool = True,
        at: float | None = None,
        extra: Json | None = None,
    ) -> Message:
        """Give a message a new text. `mark_edited=False` while a stream still grows."""
        message = self._message(channel, id)
        before = deepcopy(message)
        message.text = text
        message.streaming = streaming
        if metadata is not None:
            message.metadata = metadata
        if mark_edited:
            message.edited_at = self._time(at)
        message.extra.update(extra or {})
        self._tell("edit", self.channels[channel], message=message, before=before)
        return message

    def delete(self, channel: str, id: str) -> Message:  # noqa: A002
        """Take a message away; it stays on record as deleted."""
        message = self._message(channel, id)
        before = deepcopy(message)
        message.deleted = True
        message.streaming = False
        self._tell("delete", self.channels[channel], message=message, before=before)
        return message

    def react(
        self,
        channel: str,
        id: str,  # noqa: A002
        member: str,
        emoji: str,
        *,
        remove: bool = False,
    ) -> bool:
        """Add (or remove) a member's reaction. Returns False where nothing changed."""
        message = self._message(channel, id)
        members = message.reactions.get(emoji, [])
        if (member in members) is not remove:
            return False
        if remove:
            members.remove(member)
            if not members:
                del message.reactions[emoji]
        else:
            message.reactions.setdefault(emoji, []).append(member)
        payload = {"emoji": emoji, "removed": remove}
        place = self.channels[channel]
        self._tell("reaction", place, message=message, member=member, payload=payload)
        return True

    def type_in(self, channel: str, member: str, *, thread: str | None = None) -> None:
        """Show that a member is typing."""
        self._tell("typing", self.channels[channel], member=member, payload={"thread": thread})

    def set_status(self, channel: str, member: str, text: str, *, thread: str | None) -> None:
        """Show a bot's status line (`is thinking…`) in a thread; an empty text clears it."""
        payload = {"text": text, "thread": thread}
        self._tell("status", self.channels[channel], member=member, payload=payload)

    def note_command(self, channel: str, member: str, name: str, text: str) -> None:
        """Tell that a member has used a slash command."""
        payload = {"name": name, "text": text}
        self._tell("command", self.channels[channel], member=member, payload=payload)

    # What was said

    def get(self, channel: str, id: str) -> Message | None:  # noqa: A002
        """Return one message, also a deleted one, or None."""
        return self._ledger.get(channel, id)

    def messages(self, channel: str) -> Iterator[Message]:
        """Return every message of a channel, oldest first, deleted ones included."""
        return self._ledger.all(channel)

    def history(
        self,
        channel: str,
        *,
        before: str | None = None,
        after: str | None = None,
        limit: int = 100,
        thread: str | None = None,
        seen_by: str | None = None,
        oldest_first: bool = False,
        inclusive: bool = False,
    ) -> list[Message]:
        """Return up to `limit` messages between two ids, in the order they were posted.

        Args:
            channel: Where.
            before: Only messages older than this id.
            after: Only messages newer than this id.
            limit: At most this many: the newest of them.
            thread: A Slack thread's root, to get it with its replies. Without it, replies
                are left out unless they were also sent to the channel.
            seen_by: Also the ephemeral messages that this member sees.
            oldest_first: Let `limit` keep the oldest instead of the newest.
            inclusive: Let `before` and `after` themselves belong.
        """
        found = [
            message
            for message in self._ledger.between(channel, after, before, inclusive=inclusive)
            if not message.deleted
            and _belongs(message, thread)
            and message.ephemeral_to in (None, seen_by)
        ]
        if limit <= 0:
            return []
        return found[:limit] if oldest_first else found[-limit:]

    def replies(self, channel: str, root: str) -> list[Message]:
        """Return the replies of a Slack thread that everyone sees, without its root."""
        return [
            reply
            for reply in self._ledger.replies(channel, root)
            if not reply.deleted and reply.ephemeral_to is None
        ]

    # Who hears of it

    def listen(self, callback: Listener) -> Callable[[], None]:
        """Call `callback` with each event from now on; returns how to stop that."""
        self._listeners.append(callback)

        def unsubscribe() -> None:
            if callback in self._listeners:
                self._listeners.remove(callback)

        return unsubscribe

    def restore(
        self, members: Iterable[Member], channels: Iterable[Channel], messages: Iterable[Message]
    ) -> None:
        """Take over records that an earlier run left. Nobody is told."""
        self.members = {member.id: member for member in members}
        self.channels = {channel.id: channel for channel in channels}
        self._ledger = Ledger(self.ids)
        for message in messages:
            self._ledger.add(message)
        self.ids.reserve([self.home_id, *self.members, *self.channels])

    def _message(self, channel: str, message_id: str) -> Message:
        found = self._ledger.get(channel, message_id)
        if found is None:
            raise KeyError(message_id)
        return found

    def _time(self, at: float | None) -> float:
        return self.clock() if at is None else at

    def _tell(
        self,
        kind: EventKind,
        channel: Channel,
        *,
        message: Message | None = None,
        member: str | None = None,
        before: Message | None = None,
        payload: Json | None = None,
    ) -> None:
        event = Event(
            kind=kind,
            channel=channel,
            message=message,
            member=self.members.get(member) if member else None,
            before=before,
            payload=payload or {},
        )
        for listener in list(self._listeners):
            listener(event)


def _belongs(message: Message, thread: str | None) -> bool:
    if thread is None:
        return message.thread is None or bool(message.extra.get("broadcast"))
    return thread in (message.id, message.thread)
