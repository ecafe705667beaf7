"""Slash commands as Discord registers them. They are written only when they differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from pydantic import BaseModel, ConfigDict, TypeAdapter

from adapters.discord.limits import COMMAND_DESCRIPTION_MAX, cut
from adapters.discord.payloads import CHAT_INPUT, MESSAGE_MENU, SelfPayload
from adapters.discord.rest import Rest
from bot.commands import Choice, MessageShortcut, SlashCommand

TEXT_OPTION = 3
IN_GUILDS, IN_DIRECT = 0, 1
"""Contexts: a command is offered in servers and in Jay's own direct messages."""

_COMMANDS = "/applications/{application_id}/commands"


class _Word(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str
    value: str


class _Option(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    type: int = TEXT_OPTION
    name: str
    description: str
    required: bool = False
    choices: tuple[_Word, ...] = ()


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
    known = {one.name: one for one in commands}
    menus = [
        Registered(
            type=MESSAGE_MENU,
            name=one.name,
            description="",
            contexts=_contexts(known[one.command]),
        )
        for one in shortcuts
        if one.command in known
    ]
    return menus + [
        Registered(
            name=one.name,
            description=cut(one.description, COMMAND_DESCRIPTION_MAX),
            options=tuple(chain(_text(one), map(_choice, one.choices))),
            contexts=_contexts(one),
        )
        for one in commands
    ]


def _text(command: SlashCommand) -> Iterable[_Option]:
    """Yield a command's free text; it stands first, as Discord wants what is required."""
    if command.argument:
        yield _Option(
            name=command.argument,
            description=cut(command.argument_description, COMMAND_DESCRIPTION_MAX),
            required=command.required,
        )


def _choice(choice: Choice) -> _Option:
    return _Option(
        name=choice.name,
        description=cut(choice.description, COMMAND_DESCRIPTION_MAX),
        choices=tuple(_Word(name=one, value=one) for one in choice.values),
    )


def _contexts(command: SlashCommand) -> tuple[int, ...]:
    inside = (IN_GUILDS,) if {"channels", "threads"} & {*command.where} else ()
    return (*inside, IN_DIRECT) if "direct" in command.where else inside


def differ(registered: Iterable[Registered], should_be: Iterable[Registered]) -> bool:
    """Tell whether what is registered is not what should be, in whatever order."""
    return {(one.type, one.name): one for one in registered} != {
        (one.type, one.name): one for one in should_be
    }


async def register(rest: Rest, should_be: Sequence[Registered]) -> bool:
    """Bring Discord's list of Jay's commands up to date; returns whether it had to be written.

    Raises:
        PlatformError: Discord refuses, or can't be reached.
    """
    me = await rest.ask(_SELF, "GET", "/applications/@me")
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
