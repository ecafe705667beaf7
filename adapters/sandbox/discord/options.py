"""What a person typed behind a slash command, as the options that the bot gets. Pure."""

from __future__ import annotations

import re
from typing import Any

from adapters.sandbox.discord.commands import STRING, SUBCOMMAND, SUBCOMMAND_GROUP
from adapters.sandbox.records import Json

_INTEGER, _BOOLEAN, _USER, _CHANNEL, _ROLE, _MENTIONABLE, _NUMBER = 4, 5, 6, 7, 8, 9, 10
_ID = re.compile(r"\d{15,21}")


class Missing(Exception):
    """A required option was left out, or one was given that doesn't fit."""


def filled(command: Json, words: list[str], text: str, given: Json | None) -> list[Json]:
    """Return the options of an interaction.

    Args:
        command: The registered command.
        words: The subcommands behind its name.
        text: A free text: it becomes the first string option that `given` leaves out.
        given: Options by name.

    Raises:
        Missing: Where Discord's client would not send the command.
    """
    definitions = command.get("options") or []
    subcommands = [one for one in definitions if one["type"] in (SUBCOMMAND, SUBCOMMAND_GROUP)]
    if subcommands:
        chosen = next((one for one in subcommands if words and one["name"] == words[0]), None)
        if chosen is None:
            raise Missing(f"{command['name']} needs a subcommand")
        inner = filled(chosen, words[1:], text, given)
        return [{"type": chosen["type"], "name": chosen["name"], "options": inner}]
    values = dict(given or {})
    if text:
        free = next(
            (o for o in definitions if o["type"] == STRING and o["name"] not in values), None
        )
        if free is not None:
            values[free["name"]] = text
    known = {one["name"]: one for one in definitions}
    for name in values:
        if name not in known:
            raise Missing(f"{command['name']} has no option {name}")
    for one in definitions:
        if one.get("required") and one["name"] not in values:
            raise Missing(f"{one['name']} is required")
    return [
        {"type": one["type"], "name": name, "value": _value(one, values[name])}
        for name, one in known.items()
        if name in values
    ]


def leaves(options: list[Json]) -> list[Json]:
    """Return the options that carry a value, those of subcommands among them."""
    found: list[Json] = []
    for one in options:
        found += [one] if "value" in one else leaves(one.get("options") or [])
    return found


def referenced(options: list[Json]) -> tuple[list[str], list[str]]:
    """Return the ids of users and of channels that options name."""
    users = [one["value"] for one in leaves(options) if one["type"] in (_USER, _MENTIONABLE)]
    return users, [one["value"] for one in leaves(options) if one["type"] == _CHANNEL]


def _value(option: Json, given: Any) -> Any:
    kind = option["type"]
    try:
        if kind == _INTEGER:
            return int(given)
        if kind == _NUMBER:
            return float(given)
    except ValueError:
        raise Missing(f"{option['name']} must be a number") from None
    if kind == _BOOLEAN:
        return given if isinstance(given, bool) else str(given).lower() in ("true", "yes", "1")
    if kind in (_USER, _CHANNEL, _ROLE, _MENTIONABLE):
        found = _ID.search(str(given))
        if found is None:
            raise Missing(f"{option['name']} must name somebody or something")
        return found[0]
    choices = {str(one["name"]): one["value"] for one in option.get("choices") or []}
    return choices.get(str(given), str(given))
