"""What every part of the Discord side shares: the world, the installed application.

`Guild` finds channels, members and messages as a call names them and knows what the bot
may see and do. What may not be answered raises `Refused` with Discord's own code.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from adapters.sandbox.discord import intents, permissions
from adapters.sandbox.discord.limits import Limits
from adapters.sandbox.discord.refusals import Refused
from adapters.sandbox.faults import Faults
from adapters.sandbox.records import Channel, Member, Message
from adapters.sandbox.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How patient Discord is. The defaults are its own."""

    heartbeat_s: float = 41.25
    resume_s: float = 180.0
    """How long a session without a connection can be resumed."""
    identify_every_s: float = 5.0
    identifies: int = 4
    """New sessions in `identify_every_s`. Discord grants one a shard; here restarts share it."""
    callback_s: float = 3.0
    """An interaction must be answered in this time."""
    token_s: float = 900.0
    """An interaction's token is good for this time."""


@dataclass(slots=True)
class Guild:
    """The world as the installed application meets it.

    The token is made from the server's id, so that it is the same for the same seed; it
    is worth nothing outside of a sandbox.
    """

    world: World
    faults: Faults
    limits: Limits
    pace: Pace = field(default_factory=Pace)
    url: str = ""
    """Where the sandbox is served, without a slash at the end."""
    thread_owners: dict[str, str] = field(default_factory=dict)
    """Who opened a thread, for those that were opened since the start."""

    def secret(self, purpose: str, length: int = 24) -> str:
        """Return a text that is the same for this server and purpose."""
        digest = hashlib.sha256(f"{self.world.home_id} {purpose}".encode()).hexdigest()
        return digest[:length]

    @property
    def bot_token(self) -> str:
        """The bot's token, three parts with dots as Discord's are."""
        return f"{self.secret('bot')}.{self.secret('stamp', 6)}.{self.secret('bot token', 38)}"

    @property
    def application_id(self) -> str:
        """The application's id, which is its bot's as well."""
        return self.world.bot_id

    def is_token(self, token: str) -> bool:
        """Say whether this is the bot's token and good."""
        return token == self.bot_token and not self.faults.is_on("discord", "token_revoked")

    def granted(self, privilege: str) -> bool:
        """Say whether the application has a privileged intent (`message_content`, …)."""
        return not self.faults.is_on("discord", f"missing_intent:{privilege}")

    def application_flags(self) -> int:
        """Return the application's flags, which tell its privileged intents."""
        flags = intents.APPLICATION_FLAGS.items()
        return sum(flag for privilege, flag in flags if self.granted(privilege))

    # What the bot may

    def can(self, channel: Channel, wanted: int) -> bool:
        """Say whether the bot has all these permission bits in a channel."""
        return permissions.allowed(self.world, self.world.bot_id, channel) & wanted == wanted

    def can_see(self, channel: Channel) -> bool:
        """Say whether the bot hears what happens in a channel."""
        return self.can(channel, permissions.VIEW_CHANNEL)

    def closed_to_bot(self, member: Member) -> bool:
        """Say whether a member takes no direct messages from the bot."""
        return (
            member.bot
            or member.deleted
            or self.faults.is_on("discord", "closed_dms")
            or self.faults.is_on("discord", f"closed_dms:{member.id}")
        )

    # What a call names

    def member(self, user: str) -> Member:
        """Return a user. Raises Refused 10013."""
        found = self.world.members.get(user)
        if found is None:
            raise Refused(10013)
        return found

    def guild_member(self, user: str) -> Member:
        """Return a member of the server. Raises Refused 10013 or 10007."""
        found = self.member(user)
        if found.deleted:
            raise Refused(10007)
        return found

    def channel(self, channel_id: str, wanted: int = permissions.VIEW_CHANNEL) -> Channel:
        """Return a channel in which the bot has these permissions.

        Raises:
            Refused: 10003 unknown (also: two others' direct messages), 50001 hidden,
                50013 without one of the permissions.
        """
        channel = self.world.channels.get(channel_id)
        if channel is None or (
            channel.kind == "direct" and self.world.bot_id not in channel.members
        ):
            raise Refused(10003)
        if not self.can_see(channel):
            raise Refused(50001)
        if not self.can(channel, wanted):
            raise Refused(50013)
        return channel

    def channel_to_write(self, channel_id: str) -> Channel:
        """Return a channel that the bot may post in. Raises Refused 50007 as well."""
        channel = self.channel(channel_id)
        if channel.kind == "direct":
            if self.closed_to_bot(self.partner(channel)):
                raise Refused(50007)
            return channel
        thread = channel.kind == "thread"
        return self.channel(
            channel_id, permissions.SEND_IN_THREADS if thread else permissions.SEND_MESSAGES
        )

    def partner(self, channel: Channel) -> Member:
        """Return whom a direct conversation with the bot is with."""
        others = sorted(channel.members - {self.world.bot_id})
        return self.world.members[others[0]] if others else self.member(self.world.bot_id)

    def message(self, channel: Channel, message_id: str) -> Message:
        """Return a message that everyone sees. Raises Refused 10008."""
        found = self.world.get(channel.id, message_id)
        if found is None or found.deleted or found.ephemeral_to is not None:
            raise Refused(10008)
        return found
