"""Slash commands as Discord registers them. They are written only when they differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict, TypeAdapter

from adapters.discord.limits import COMMAND_DESCRIPTION_MAX, cut
from adapters.discord.payloads import CHAT_INPUT, MESSAGE_MENU, SelfPayload
from adapters.discord.rest import Rest
from bot.ports import MessageShortcut, SlashCommand

TEXT_OPTION = 3
IN_GUILDS, IN_DIRECT = 0, 1
"""Contexts: a command is offered in servers and in Jay's own direct messages."""

_COMMANDS = "/applications/{application_id}/commands"


class _Option(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    type: int = TEXT_OPTION
    name: str
    description: str
    required: bool = False


class Registered(BaseModel):
    """One command, in the fields that Jay sets; the rest is Discord's."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    type: int = CHAT_INPUT
    name: str
    description: str
    options: tuple[_Option, ...] = ()
    contexts: tuple[int, ...] | None = None


_LIST = TypeAdapter(list[Registered])
_SELF = TypeAdapter(SelfPayload)


def wanted(
    commands: Sequence[SlashCommand], shortcuts: Sequence[MessageShortcut] = ()
) -> list[Registered]:
    """Return the commands and what stands in messages' menus as they should be registered."""
    menus = [
        Registered(
            type=MESSAGE_MENU, name=one.name, description="", contexts=(IN_GUILDS, IN_DIRECT)
        )
        for one in shortcuts
    ]
    return menus + [
        Registered(
            name=one.name,
            description=cut(one.description, COMMAND_DESCRIPTION_MAX),
            options=(
                _Option(
                    name=one.argument,
                    description=cut(one.argument_description, COMMAND_DESCRIPTION_MAX),
                    required=one.required,
                ),
            ),
            contexts=(IN_GUILDS, IN_DIRECT),
        )
        for one in commands
    ]


def differ(registered: Iterable[Registered], should_be: Iterable[Registered]) -> bool:
    """Tell whether what is registered is not what should be, in whatever order."""
    return {(one.type, one.name): one for one in registered} != {
        (one.type, one.name): one for one in should_be
    }


async def register(
    rest: Rest, commands: Sequence[SlashCommand], shortcuts: Sequence[MessageShortcut] = ()
) -> bool:
    """Bring Discord's list of Jay's commands up to date; returns whether it had to be written.

    Raises:
        PlatformError: Discord refuses, or can't be reached.
    """
    me = await rest.ask(_SELF, "GET", "/applications/@me")
    should_be = wanted(commands, shortcuts)
    registered = await rest.ask(_LIST, "GET", _COMMANDS, where={"application_id": me.id})
    if not differ(registered, should_be):
        return False
    # A menu's command has no options, and Discord takes none for it.
    body = [
        one.model_dump(exclude={"options"} if one.type == MESSAGE_MENU else None)
        for one in should_be
    ]
    await rest.call("PUT", _COMMANDS, body=body, where={"application_id": me.id})
    return True
