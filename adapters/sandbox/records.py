"""The things that a sandbox world holds: members, channels, messages, files, events.

Plain and mutable, in neither platform's shape; `text` is in the platform's own
markup. The platform sides turn them into payloads (slack/shapes, discord/shapes).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Platform = Literal["slack", "discord"]
ChannelKind = Literal["text", "direct", "thread"]
EventKind = Literal[
    "message", "edit", "delete", "reaction", "typing", "channel", "command", "status"
]
Json = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Member:
    """A person or a bot of the workspace or server."""

    id: str
    name: str
    """The handle, as in `maya`."""
    display: str
    """The name that others see, as in `Maya Lindqvist`."""
    bot: bool = False
    deleted: bool = False
    color: str = "#607d8b"
    title: str = ""


@dataclass(slots=True, kw_only=True)
class Channel:
    """A channel, a direct conversation, or (Discord) a thread."""

    id: str
    name: str
    kind: ChannelKind = "text"
    members: set[str] = field(default_factory=set)
    parent: str | None = None
    private: bool = False
    writable_by_bot: bool = True
    readable_by_bot: bool = True
    topic: str = ""
    created_at: float = 0.0
    archived: bool = False


@dataclass(slots=True, kw_only=True)
class File:
    """A file that hangs on a message; the sandbox keeps its description, not its bytes."""

    id: str
    name: str
    mimetype: str
    size: int


@dataclass(slots=True, kw_only=True)
class Message:
    """One message as everyone (or one person, `ephemeral_to`) sees it now."""

    id: str
    channel: str
    author: str
    text: str
    at: float
    """When it was posted, in unix seconds."""
    edited_at: float | None = None
    thread: str | None = None
    """Slack: the ts of the thread's root, None for a root. Discord: always None."""
    reply_to: str | None = None
    """Discord: the id of the message that this one answers."""
    reactions: dict[str, list[str]] = field(default_factory=dict)
    """Emoji (Slack: its name, Discord: the character) to the members that chose it."""
    files: list[File] = field(default_factory=list)
    ephemeral_to: str | None = None
    nonce: str | None = None
    metadata: Json | None = None
    streaming: bool = False
    interaction: Json | None = None
    deleted: bool = False
    extra: Json = field(default_factory=dict)
    """What only one platform knows (`pings`, `blocks`, `broadcast`, `subtype`, `embeds`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that has just happened in a world, told to every listener."""

    kind: EventKind
    channel: Channel
    message: Message | None = None
    member: Member | None = None
    before: Message | None = None
    """The message as it was before an edit or a delete."""
    payload: Json = field(default_factory=dict)
