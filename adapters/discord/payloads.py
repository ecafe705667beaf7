"""The parts of Discord's JSON that Jay reads, checked once as they come in.

The gateway and the REST API send the same shapes. What is not named here is
ignored; what is named and missing makes the payload malformed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Id = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,19}$")]
"""A snowflake. Keys of the store are made of them, so nothing else may pass for one."""

DIRECT = (1, 3)
"""Channel types: a direct message, a group of them."""
THREADS = (10, 11, 12)
"""Channel types: announcement, public and private thread."""
DEFAULT, REPLY, THREAD_STARTER = 0, 19, 21
"""Message types: said, said in reply, the empty opening of a thread on a message."""
FORWARD = 1
"""A reference's type where the message is a copy and not a reply."""
APPLICATION_COMMAND, COMPONENT = 2, 3
"""Interaction types: a command was used, a button pressed."""
CHAT_INPUT, MESSAGE_MENU = 1, 3
"""Command types: a slash command, one of a message's menu."""
HAS_THREAD = 1 << 5
"""The flag of a message on which a thread hangs; the thread has the message's id."""


class _Payload(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class UserPayload(_Payload):
    """A user."""

    id: Id
    username: str
    global_name: str | None = None
    bot: bool = False


class MemberPayload(_Payload):
    """What a server knows of a user; the user itself only where it doesn't stand beside it."""

    nick: str | None = None
    user: UserPayload | None = None


class MentionPayload(UserPayload):
    """A user whom a message mentions."""

    member: MemberPayload | None = None


class AttachmentPayload(_Payload):
    """A file."""

    filename: str
    content_type: str | None = None


class ReferencePayload(_Payload):
    """Which message a message answers, or was copied from."""

    type: int = 0
    message_id: Id | None = None


class SnapshotContent(_Payload):
    """What a forwarded message says."""

    content: str = ""


class SnapshotPayload(_Payload):
    """A forwarded message."""

    message: SnapshotContent


class WordsPayload(_Payload):
    """What a message says, and whom it names."""

    content: str = ""
    mentions: tuple[MentionPayload, ...] = ()
    mention_roles: tuple[Id, ...] = ()
    message_snapshots: tuple[SnapshotPayload, ...] = ()


class MessagePayload(WordsPayload):
    """A message as MESSAGE_CREATE, MESSAGE_UPDATE and the history give it."""

    id: Id
    channel_id: Id
    guild_id: Id | None = None
    type: int = DEFAULT
    author: UserPayload
    member: MemberPayload | None = None
    webhook_id: Id | None = None
    content: str
    timestamp: datetime
    edited_timestamp: datetime | None = None
    attachments: tuple[AttachmentPayload, ...] = ()
    message_reference: ReferencePayload | None = None
    referenced_message: MessagePayload | None = None


class DeletedPayload(_Payload):
    """MESSAGE_DELETE and MESSAGE_DELETE_BULK."""

    id: Id | Literal[""] = ""
    ids: tuple[Id, ...] = ()
    channel_id: Id
    guild_id: Id | None = None


class ChannelPayload(_Payload):
    """A channel or thread."""

    id: Id
    type: int
    guild_id: Id | None = None
    parent_id: Id | None = None
    name: str | None = None
    last_message_id: Id | None = None


class OverwritePayload(_Payload):
    """What a channel allows and denies a role or a person beyond the server."""

    id: Id
    allow: int = 0
    deny: int = 0


class GuildChannelPayload(_Payload):
    """A channel of a server, with who may do what in it."""

    id: Id
    type: int
    name: str | None = None
    permission_overwrites: tuple[OverwritePayload, ...] = ()


class GuildRolePayload(_Payload):
    """A role with what it allows."""

    id: Id
    permissions: int = 0


class GuildPayload(_Payload):
    """A server with its owner and roles."""

    id: Id
    owner_id: Id
    roles: tuple[GuildRolePayload, ...] = ()


class GuildMemberPayload(_Payload):
    """A member's roles."""

    roles: tuple[Id, ...] = ()


class RoleTags(_Payload):
    """Whose a managed role is."""

    bot_id: Id | None = None


class RolePayload(_Payload):
    """A role."""

    id: Id
    name: str
    tags: RoleTags = Field(default_factory=RoleTags)


class ActiveThreadsPayload(_Payload):
    """A server's threads that are not archived."""

    threads: tuple[ChannelPayload, ...] = ()


class OptionPayload(_Payload):
    """A command's argument."""

    name: str
    value: str | int | float | bool | None = None


class TargetPayload(WordsPayload):
    """The message from whose menu a command was chosen."""

    type: int = DEFAULT
    timestamp: datetime
    flags: int = 0
    referenced_message: WordsPayload | None = None


class ResolvedPayload(_Payload):
    """What an interaction names, by id."""

    messages: Mapping[str, TargetPayload] = Field(default_factory=dict)


class CommandPayload(_Payload):
    """Which command was used, and how."""

    name: str
    type: int = CHAT_INPUT
    options: tuple[OptionPayload, ...] = ()
    target_id: Id = "0"
    resolved: ResolvedPayload = Field(default_factory=ResolvedPayload)


class InteractionPayload(_Payload):
    """INTERACTION_CREATE for a command."""

    id: Id
    application_id: Id
    type: int
    token: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,1000}$")]
    channel: ChannelPayload
    guild_id: Id | None = None
    member: MemberPayload | None = None
    user: UserPayload | None = None
    data: CommandPayload


class PostedPayload(_Payload):
    """A message that was just written, a channel that was opened, a server: its id."""

    id: Id


class PressedPayload(_Payload):
    """Which button was pressed."""

    custom_id: str


class PressPayload(_Payload):
    """INTERACTION_CREATE for a button."""

    id: Id
    application_id: Id
    type: int
    token: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,1000}$")]
    channel: ChannelPayload
    guild_id: Id | None = None
    member: MemberPayload | None = None
    user: UserPayload | None = None
    message: PostedPayload
    data: PressedPayload


class SelfPayload(_Payload):
    """The application, as it sees itself."""

    id: Id
    name: str = ""
    flags: int = 0
