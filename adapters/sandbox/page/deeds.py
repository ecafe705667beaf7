"""What a person does on the page: each deed is checked and then done by the platform's side.

A deed is a JSON object that names the platform, who does it (`as`) and where (`channel`).
People may do what they may on the platform: write where they are members, change what is
theirs. Everything else is declined with a sentence that the page shows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from adapters.sandbox.discord import DiscordSide
from adapters.sandbox.page import shapes
from adapters.sandbox.page.guarding import Declined, text_of
from adapters.sandbox.page.mishaps import Mishaps
from adapters.sandbox.records import Channel, Json, Message, Platform
from adapters.sandbox.slack import SlackSide
from adapters.sandbox.world import World

TYPED_MAX: dict[Platform, int] = {"slack": 12_000, "discord": 2_000}
"""What people may write in one message: Slack's client splits above, Discord's refuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does something, and where."""

    world: World
    platform: Platform
    member: str
    channel: Channel


class Deeds:
    """Does what people do.

    Args:
        slack: The Slack side.
        discord: The Discord side.
        mishaps: What they let go wrong.
    """

    def __init__(self, slack: SlackSide, discord: DiscordSide, mishaps: Mishaps) -> None:
        self._slack, self._discord, self._mishaps = slack, discord, mishaps
        self.worlds: dict[Platform, World] = {"slack": slack.world, "discord": discord.world}
        self.known: dict[str, Callable[[Json], Awaitable[Json]]] = {
            "say": self.say,
            "edit": self.edit,
            "delete": self.delete,
            "react": self.react,
            "command": self.command,
            "button": self.button,
            "shortcut": self.shortcut,
            "stop": self.stop,
            "direct": self.direct,
            "thread": self.thread,
            "mishap": self.mishap,
        }

    def world(self, given: Json) -> tuple[Platform, World]:
        """Return the platform that a request names, and its world."""
        match given.get("platform"):
            case "slack":
                return "slack", self.worlds["slack"]
            case "discord":
                return "discord", self.worlds["discord"]
        raise Declined(400, "bad_field", "“platform” must be slack or discord.")

    def actor(self, given: Json) -> Actor:
        """Return who asks and where; raises Declined where they have no business."""
        platform, world = self.world(given)
        member = _person(world, given)
        channel = world.channels.get(text_of(given, "channel"))
        if channel is None or not shapes.may_see(world, member, channel):
            raise Declined(404, "no_channel", "There is no such channel, or you are not in it.")
        return Actor(world=world, platform=platform, member=member, channel=channel)

    async def say(self, given: Json) -> Json:
        """Post a message, in a Slack thread or as an answer where that is asked."""
        who = self.actor(given)
        typed = _typed(who, given)
        if who.platform == "slack":
            thread = text_of(given, "thread", default="") or None
            if thread is not None:
                thread = _message(who, thread).thread or thread
            said = self._slack.say_as(who.member, who.channel.id, typed, thread=thread)
        else:
            answered = text_of(given, "reply_to", default="") or None
            if answered is not None:
                _message(who, answered)
            said = self._discord.say_as(who.member, who.channel.id, typed, reply_to=answered)
        return {"id": said.id}

    async def edit(self, given: Json) -> Json:
        """Change one's own message."""
        who = self.actor(given)
        own = _own_message(who, given)
        side = self._slack if who.platform == "slack" else self._discord
        side.edit_as(who.channel.id, own.id, _typed(who, given))
        return {"id": own.id}

    async def delete(self, given: Json) -> Json:
        """Delete one's own message; anybody may dismiss what only they see."""
        who = self.actor(given)
        wanted = _message(who, text_of(given, "message"))
        if wanted.author != who.member and wanted.ephemeral_to != who.member:
            raise Declined(403, "not_yours", "You can only delete your own messages.")
        who.world.delete(who.channel.id, wanted.id)
        return {"id": wanted.id}

    async def react(self, given: Json) -> Json:
        """Add one's reaction, or take it back."""
        who = self.actor(given)
        wanted = _message(who, text_of(given, "message"))
        emoji = text_of(given, "emoji", most=32).strip(":")
        here = who.member in wanted.reactions.get(emoji, [])
        who.world.react(who.channel.id, wanted.id, who.member, emoji, remove=here)
        return {"on": not here}

    async def command(self, given: Json) -> Json:
        """Use a slash command; the answer says how the app took it."""
        who = self.actor(given)
        name = text_of(given, "name", most=32).strip()
        if not name:
            raise Declined(400, "no_name", "Which command?")
        text = text_of(given, "text", most=TYPED_MAX[who.platform], default="")
        side = self._slack if who.platform == "slack" else self._discord
        return await side.run_command(who.member, who.channel.id, name, text)

    async def button(self, given: Json) -> Json:
        """Press a button of a message."""
        who = self.actor(given)
        wanted = _message(who, text_of(given, "message"))
        action = text_of(given, "action", most=255)
        if who.platform == "slack":
            value = text_of(given, "value", most=2_000, default="")
            return await self._slack.press_button(
                who.member, who.channel.id, wanted.id, action, value
            )
        return await self._discord.press_button(who.member, who.channel.id, wanted.id, action)

    async def shortcut(self, given: Json) -> Json:
        """Use a shortcut from a message's menu; the answer says how the app took it."""
        who = self.actor(given)
        wanted = _message(who, text_of(given, "message"))
        if wanted.ephemeral_to is not None:
            raise Declined(400, "no_menu", "What only you see has no menu.")
        chosen = text_of(given, "shortcut", most=255)
        slack = who.platform == "slack"
        use = self._slack.use_shortcut if slack else self._discord.use_menu
        return await use(who.member, who.channel.id, wanted.id, chosen)

    async def stop(self, given: Json) -> Json:
        """Press Stop in a Slack thread where the agent is at work."""
        who = self.actor(given)
        if who.platform != "slack":
            raise Declined(400, "no_stop", "Discord has no Stop button of its own.")
        stopped = self._slack.press_stop(who.member, who.channel.id, text_of(given, "thread"))
        return {"stopped": stopped}

    async def direct(self, given: Json) -> Json:
        """Open the direct conversation with somebody, by default the bot."""
        _, world = self.world(given)
        member = _person(world, given)
        other = text_of(given, "with", default="") or world.bot_id
        if other not in world.members or other == member:
            raise Declined(404, "no_member", "There is nobody of that name to write to.")
        return {"channel": world.open_direct(other, member).id}

    async def thread(self, given: Json) -> Json:
        """Open a Discord thread below a message."""
        who = self.actor(given)
        if who.platform != "discord" or who.channel.kind != "text":
            raise Declined(400, "no_thread", "Threads are opened in Discord's channels.")
        root = _message(who, text_of(given, "message"))
        if root.id in who.world.channels:
            raise Declined(409, "has_thread", "This message has a thread already.")
        name = text_of(given, "name", most=100)
        made = self._discord.create_thread_as(who.member, who.channel.id, root.id, name)
        return {"channel": made.id}

    async def mishap(self, given: Json) -> Json:
        """Let something go wrong, or well again."""
        platform, _ = self.world(given)
        name = text_of(given, "name")
        channel = text_of(given, "channel", default="") or None
        if not self._mishaps.let(platform, name, on=given.get("on") is True, channel=channel):
            raise Declined(404, "no_mishap", "Nothing of that name can go wrong there.")
        return {}


def _person(world: World, given: Json) -> str:
    member = world.members.get(text_of(given, "as"))
    if member is None or member.bot or member.deleted:
        raise Declined(403, "no_person", "You can only be one of the people here.")
    return member.id


def _typed(who: Actor, given: Json) -> str:
    typed = text_of(given, "text", most=TYPED_MAX[who.platform])
    if not typed.strip():
        raise Declined(400, "no_text", "There is nothing to send.")
    return typed


def _message(who: Actor, wanted: str) -> Message:
    found = who.world.get(who.channel.id, wanted)
    if found is None or found.deleted or found.ephemeral_to not in (None, who.member):
        raise Declined(404, "no_message", "That message is no longer there.")
    return found


def _own_message(who: Actor, given: Json) -> Message:
    found = _message(who, text_of(given, "message"))
    if found.author != who.member:
        raise Declined(403, "not_yours", "You can only change your own messages.")
    return found
