"""What arrives from a platform, in words that no platform owns.

Adapters make these records from events, the intake stores them, skills read
them. Times are Unix seconds as the platform states them; ids are the
platform's own, as text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

PlatformName: TypeAlias = Literal["slack", "discord"]
PLATFORMS: tuple[PlatformName, ...] = ("slack", "discord")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something is said: a channel, a thread in it, or a direct message."""

    platform: PlatformName
    workspace: str
    """Slack team or Discord guild; empty in a Discord direct message."""
    channel: str
    """The channel. For a Discord thread, the channel that the thread belongs to."""
    thread: str = ""
    """Slack: `ts` of the thread's root. Discord: id of the thread channel. Empty outside."""
    direct: bool = False

    @property
    def threads_are_open(self) -> bool:
        """Whether who reads the channel reads its threads; on Discord one may be private."""
        return self.platform == "slack"

    @property
    def write_lane(self) -> str:
        """What shares one write budget: Slack counts by channel, Discord by thread channel."""
        inner = self.thread if self.platform == "discord" and self.thread else self.channel
        return f"{self.platform}:{inner}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who wrote a message."""

    id: str
    name: str
    """Display name; the id again where the platform tells no name."""
    bot: bool = False
    jay: bool = False
    """It is Jay itself, where the platform hands its own messages back to a bot (Discord)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that came with a message."""

    name: str
    media_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingMessage:
    """One message as a person sees it: mentions are `@name`, Jay's own mention is cut off."""

    place: Place
    message_id: str
    author: Person
    text: str
    sent_at: float
    mentions_jay: bool = False
    mentions_others: bool = False
    """It names somebody else and not Jay: in a thread, not meant for Jay."""
    reply_to: str = ""
    """Id of the message it answers by Discord's reply function, or the root of its Slack thread
    where that is Jay's."""
    attachments: tuple[Attachment, ...] = ()
    edited_at: float = 0.0
    """When its author last edited it, where a history tells; 0: never, or not told."""
    kind: Literal["message"] = "message"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageChanged:
    """A message's text is now another."""

    place: Place
    message_id: str
    text: str
    changed_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDeleted:
    """A message is gone."""

    place: Place
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAsked:
    """A person pressed the platform's own Stop on a reply that is being written."""

    place: Place
    message_id: str
    """The reply's message id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareAsked:
    """A person pressed Share on a reply that only they see."""

    place: Place
    message_id: str
    """The reply's message id."""
    press_id: str
    """The platform's id of the press."""
    author: Person
    at: float
    """When it was pressed, Unix seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelJoined:
    """A person joined a channel that Jay is in."""

    place: Place
    person: Person
    at: float
    """Unix seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestRun:
    """One digest that is due: which, and what it tells of."""

    digest_id: str
    since: float
    """Unix seconds; what was said then or later is told."""
    until: float
    """Unix seconds; what was said before."""
    skipped: int = 0
    """So many before it were never made: Jay was away when they were due."""
    channel: str = ""
    """Which channel was joined, where it is made for whoever joins one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A slash command. `message_id` is the platform's id of the invocation."""

    place: Place
    message_id: str
    author: Person
    name: str
    """Without the slash: `summarize`."""
    text: str
    sent_at: float
    handle: str = ""
    """How the platform wants it answered: Slack's `response_url`, Discord's interaction token."""
    run: DigestRun | None = None
    """The digest that it makes, where no person gave it but the clock."""
    about: str = ""
    """The message of this channel whose words its text is, and with which it goes."""
    kind: Literal["command"] = "command"


Mail: TypeAlias = IncomingMessage | Command
"""What a conversation's mailbox holds."""

Event: TypeAlias = (
    IncomingMessage
    | MessageChanged
    | MessageDeleted
    | Command
    | StopAsked
    | ShareAsked
    | ChannelJoined
)
"""All that an adapter hands to the intake."""
