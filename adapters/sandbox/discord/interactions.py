"""What people do that asks the bot for an answer, while it waits for that answer.

A command, a button or a menu becomes an INTERACTION_CREATE with a token of its own. The
bot must call back within three seconds (callbacks.py), or the person reads that the
application did not respond.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from adapters.sandbox.discord import limits, messages, permissions, shapes
from adapters.sandbox.discord.commands import MESSAGE_MENU, Commands
from adapters.sandbox.discord.guild import Guild
from adapters.sandbox.discord.options import Missing, filled, referenced
from adapters.sandbox.records import Json, Message

COMMAND, COMPONENT, AUTOCOMPLETE = 2, 3, 4
NO_RESPONSE = "The application did not respond"
KEPT_MAX = 10_000
_BUTTON = 2

Send = Callable[[Json], None]
"""Tells the bot an INTERACTION_CREATE."""


@dataclass(slots=True, kw_only=True)
class Interaction:
    """One use of a command, button or menu, and how far its answer has come."""

    id: str
    token: str
    kind: int
    name: str
    member: str
    channel: str
    at: float
    source: str | None = None
    """The message that a button belongs to."""
    target: str | None = None
    """The message from whose menu a command was chosen."""
    callback: int | None = None
    """The type of the callback, None before it."""
    original: str | None = None
    """The id of the first response's message."""
    ephemeral: bool = False
    thinking: bool = False
    """Deferred, and nothing said yet."""
    choices: list[Json] = field(default_factory=list)
    answered: asyncio.Event = field(default_factory=asyncio.Event)


class Interactions:
    """Brings what people use to the bot and keeps their tokens.

    Args:
        place: The server.
        commands: The registered commands.
        send: Tells the bot that something was used.
    """

    def __init__(self, place: Guild, commands: Commands, send: Send) -> None:
        self._place = place
        self._commands = commands
        self._send = send
        self._kept: dict[str, Interaction] = {}

    def with_token(self, token: str) -> Interaction | None:
        """Return the interaction of a token while that is good."""
        found = self._kept.get(token)
        if found is None or self._place.world.clock() - found.at > self._place.pace.token_s:
            return None
        return found

    def was_token(self, token: str) -> bool:
        """Say whether this was a token once."""
        return token in self._kept

    async def run_command(
        self,
        member: str,
        channel: str,
        name: str,
        text: str = "",
        *,
        options: Json | None = None,
    ) -> Json:
        """Use a slash command.

        Args:
            member: Who.
            channel: Where; threads and direct messages have commands as well.
            name: The command, with or without its slash; subcommands behind a space.
            text: A free text for the first string option that isn't given otherwise.
            options: Options by name.

        Returns:
            `{"ok": True, "interaction": id, "message": id, "ephemeral": bool}`, or with
            `ok` false an `error`: `unknown_command`, `invalid_options` or `no_response`.
        """
        first, *words = name.removeprefix("/").split()
        command = self._commands.find(first)
        if command is None:
            return {"ok": False, "error": "unknown_command"}
        try:
            chosen = filled(command, words, text, options)
        except Missing as missing:
            return {"ok": False, "error": "invalid_options", "detail": str(missing)}
        shown = [text, *(f"{key}:{value}" for key, value in (options or {}).items())]
        said = " ".join(word for word in shown if word)
        self._place.world.note_command(channel, member, f"/{' '.join([first, *words])}", said)
        data = self._command_data(command) | {"options": chosen}
        resolved = self._resolved(chosen)
        if resolved:
            data["resolved"] = resolved
        used = self._begin(COMMAND, member, channel, " ".join([first, *words]))
        return await self._ask(used, {"data": data})

    async def use_menu(self, member: str, channel: str, message: str, name: str) -> Json:
        """Use a message command from a message's menu; answers as `run_command` does."""
        command = self._commands.find(name, MESSAGE_MENU)
        if command is None:
            return {"ok": False, "error": "unknown_command"}
        target = self._message(channel, message)
        self._place.world.note_command(channel, member, name, "")
        shown = {message: messages.message(self._place, target)}
        data = self._command_data(command) | {
            "target_id": message,
            "resolved": {"messages": shown},
        }
        used = self._begin(COMMAND, member, channel, name)
        used.target = message
        return await self._ask(used, {"data": data})

    async def press_button(self, member: str, channel: str, message: str, custom_id: str) -> Json:
        """Press a button of a message; answers as `run_command` does."""
        target = self._message(channel, message)
        used = self._begin(COMPONENT, member, channel, custom_id)
        used.source = message
        data = {"custom_id": custom_id, "component_type": _BUTTON, "id": 1}
        shown = messages.message(self._place, target)
        return await self._ask(used, {"data": data, "message": shown})

    async def suggest(
        self, member: str, channel: str, name: str, option: str, typed: str
    ) -> list[Json]:
        """Return what the bot suggests while a person types an option."""
        command = self._commands.find(name.removeprefix("/"))
        if command is None:
            return []
        typing = {"type": 3, "name": option, "value": typed, "focused": True}
        data = self._command_data(command) | {"options": [typing]}
        used = self._begin(AUTOCOMPLETE, member, channel, command["name"])
        await self._ask(used, {"data": data})
        return used.choices

    async def _ask(self, used: Interaction, payload: Json) -> Json:
        self._send(self._around(used) | payload)
        try:
            async with asyncio.timeout(self._place.pace.callback_s):
                await used.answered.wait()
        except TimeoutError:
            used.at -= self._place.pace.callback_s
            if used.kind == COMMAND:
                self._tell_failure(used)
            return {"ok": False, "error": "no_response", "interaction": used.id}
        return {
            "ok": True,
            "interaction": used.id,
            "message": used.original,
            "ephemeral": used.ephemeral,
        }

    def _tell_failure(self, used: Interaction) -> None:
        self._place.world.say(
            used.channel,
            self._place.world.bot_id,
            NO_RESPONSE,
            ephemeral_to=used.member,
            interaction=interaction_record(used),
            extra={"failed": NO_RESPONSE, "pings": []},
        )

    def _begin(self, kind: int, member: str, channel: str, name: str) -> Interaction:
        now = self._place.world.clock()
        used = Interaction(
            id=self._place.world.ids.thing("interaction", at=now),
            token=secrets.token_urlsafe(48),
            kind=kind,
            name=name,
            member=member,
            channel=channel,
            at=now,
        )
        if len(self._kept) >= KEPT_MAX:
            del self._kept[next(iter(self._kept))]
        self._kept[used.token] = used
        return used

    def _around(self, used: Interaction) -> Json:
        place, world = self._place, self._place.world
        channel = world.channels[used.channel]
        who = world.members[used.member]
        bits = permissions.allowed(world, who.id, channel)
        found: Json = {
            "id": used.id,
            "application_id": place.application_id,
            "type": used.kind,
            "token": used.token,
            "version": 1,
            "channel_id": channel.id,
            "channel": shapes.channel(place, channel) | {"permissions": str(bits)},
            "app_permissions": str(permissions.allowed(world, world.bot_id, channel)),
            "locale": "en-US",
            "entitlements": [],
            "entitlement_sku_ids": [],
            "authorizing_integration_owners": {"0": world.home_id},
            "attachment_size_limit": limits.FILE_BYTES_MAX,
        }
        if channel.kind == "direct":
            return found | {"user": shapes.user(who), "context": 1}
        guild = {"id": world.home_id, "locale": "en-US", "features": ["COMMUNITY"]}
        return found | {
            "context": 0,
            "guild_id": world.home_id,
            "guild_locale": "en-US",
            "guild": guild,
            "member": shapes.member(place, who) | {"permissions": str(bits)},
        }

    def _command_data(self, command: Json) -> Json:
        data = {"id": command["id"], "name": command["name"], "type": command["type"]}
        return data | ({"guild_id": command["guild_id"]} if "guild_id" in command else {})

    def _resolved(self, chosen: list[Json]) -> Json:
        users, channels = referenced(chosen)
        people = [
            self._place.world.members[one] for one in users if one in self._place.world.members
        ]
        places = [self._place.world.channels[one] for one in channels
                  if one in self._place.world.channels]  # fmt: skip
        found: Json = {}
        if people:
            found["users"] = {one.id: shapes.user(one) for one in people}
            found["members"] = {
                one.id: shapes.member(self._place, one, with_user=False)
                | {"permissions": str(permissions.EVERYONE)}
                for one in people
            }
        if places:
            found["channels"] = {
                one.id: shapes.channel(self._place, one)
                | {"permissions": str(permissions.EVERYONE)}
                for one in places
            }
        return found

    def _message(self, channel: str, message: str) -> Message:
        found = self._place.world.get(channel, message)
        if found is None:
            raise KeyError(message)
        return found


def interaction_record(used: Interaction) -> Json:
    """Return what a message keeps of the interaction that it answers."""
    kept: Json = {
        "id": used.id,
        "type": used.kind,
        "name": used.name,
        "user_id": used.member,
    }
    if used.source is not None:
        kept["interacted_message_id"] = used.source
    if used.target is not None:
        kept["target_message_id"] = used.target
    return kept
