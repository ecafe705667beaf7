"""What every part of the Slack side shares: the world, the installed app, the way to refuse.

`Workspace` finds channels and members as a Web API call names them and knows what the app
may see. A call that may not be answered raises `Refused` with Slack's own error code.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from adapters.sandbox.faults import Faults
from adapters.sandbox.records import Channel, Json, Member, Message
from adapters.sandbox.slack.limits import Limits
from adapters.sandbox.world import World

BOT_SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:join",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "mpim:history",
    "mpim:read",
    "reactions:read",
    "reactions:write",
    "team:read",
    "users:read",
)
APP_SCOPES = ("connections:write",)
SLACKBOT = "USLACKBOT"


class Refused(Exception):
    """A call that Slack answers with `ok: false`.

    Args:
        code: Slack's error code.
        messages: For `response_metadata.messages`, which says what was wrong where.
        needed: The scopes that were missing.
        provided: The scopes that the token has.
        retry_after_s: With `ratelimited`: answered as HTTP 429 with this `Retry-After`.
    """

    def __init__(
        self,
        code: str,
        *messages: str,
        needed: str = "",
        provided: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.messages = messages
        self.needed, self.provided = needed, provided
        self.retry_after_s = retry_after_s

    def body(self) -> Json:
        """Return what Slack answers."""
        body: Json = {"ok": False, "error": self.code}
        if self.needed:
            body |= {"needed": self.needed, "provided": self.provided}
        if self.messages:
            body["response_metadata"] = {"messages": list(self.messages)}
        return body


@dataclass(slots=True)
class Workspace:
    """The world as the installed app meets it.

    Tokens and ids are made from the team's id, so that they are the same for the same
    seed; they are worth nothing outside of a sandbox.
    """

    world: World
    faults: Faults
    limits: Limits
    agent: bool = True
    """Whether the app is declared as an agent (sessions, the assistant pane)."""
    url: str = ""
    """Where the sandbox is served, without a slash at the end."""
    sessions: dict[tuple[str, str], Json] = field(default_factory=dict)
    """Agent sessions by (channel, thread)."""
    homes: dict[str, Json] = field(default_factory=dict)
    """The published home views by user."""

    def secret(self, purpose: str, length: int = 24) -> str:
        """Return a text that is the same for this team and purpose."""
        digest = hashlib.sha256(f"{self.world.home_id} {purpose}".encode()).hexdigest()
        return digest[:length]

    @property
    def app_id(self) -> str:
        """The app's id, `A…`."""
        return "A0" + self.secret("app", 9).upper()

    @property
    def bot_token(self) -> str:
        """The token for the Web API."""
        return f"xoxb-{int(self.secret('bot', 10), 16)}-{self.secret('bot token')}"

    @property
    def app_token(self) -> str:
        """The token for opening sockets."""
        return f"xapp-1-{self.app_id}-{self.secret('app token')}"

    @property
    def signing_secret(self) -> str:
        """The key of the signatures of HTTP events."""
        return self.secret("signing", 32)

    def bot_id(self, member: str) -> str:
        """Return the `B…` id of a bot's member."""
        return "B" + member[1:]

    def scopes(self, kind: str) -> list[str]:
        """Return the scopes of the bot's or the app's token, less those a fault took away."""
        all_scopes = APP_SCOPES if kind == "app" else BOT_SCOPES
        return [
            scope
            for scope in all_scopes
            if not self.faults.is_on("slack", f"missing_scope:{scope}")
        ]

    def member(self, user: str) -> Member:
        """Return a member. Raises Refused `user_not_found`."""
        found = self.world.members.get(user)
        if found is None:
            raise Refused("user_not_found")
        return found

    def visible_channel(self, wanted: str) -> Channel:
        """Return a channel that the bot may know of, by id or name."""
        channel = self.world.channels.get(wanted)
        if channel is None:
            plain = wanted.removeprefix("#")
            named = [
                c for c in self.world.channels.values() if c.kind == "text" and c.name == plain
            ]
            channel = named[0] if named else None
        if channel is None or (channel.private and self.world.bot_id not in channel.members):
            raise Refused("channel_not_found")
        return channel

    def joined_channel(self, wanted: str) -> Channel:
        """Return a channel that the bot is in. Raises Refused `not_in_channel`."""
        channel = self.visible_channel(wanted)
        if self.world.bot_id not in channel.members:
            raise Refused("not_in_channel")
        return channel

    def channel_to_write(self, wanted: str) -> Channel:
        """Return where a post for this channel, name or user goes, if it may go there."""
        if wanted in self.world.members:
            channel = self.world.open_direct(self.world.bot_id, wanted)
        else:
            channel = self.joined_channel(wanted)
        if channel.archived:
            raise Refused("is_archived")
        if not channel.writable_by_bot:
            raise Refused("restricted_action_read_only_channel")
        return channel

    def own_message(self, channel: Channel, ts: str, refusal: str) -> Message:
        """Return a message that the bot itself wrote."""
        message = self.world.get(channel.id, ts)
        if message is None or message.deleted or message.ephemeral_to:
            raise Refused("message_not_found")
        if message.author != self.world.bot_id:
            raise Refused(refusal)
        return message

    def permalink(self, message: Message) -> str:
        """Return the address of a message."""
        link = f"{self.url}/archives/{message.channel}/p{message.id.replace('.', '')}"
        if message.thread:
            link += f"?thread_ts={message.thread}&cid={message.channel}"
        return link
