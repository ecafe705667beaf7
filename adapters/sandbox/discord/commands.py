"""The application commands that the bot has registered, and what a valid one is.

Kept in memory: a bot registers its commands anew whenever it starts.
"""

from __future__ import annotations

import re
from typing import Any

from adapters.sandbox.discord import limits
from adapters.sandbox.discord.calls import Call, Endpoint
from adapters.sandbox.discord.guild import Guild
from adapters.sandbox.discord.refusals import Form, Refused, plain
from adapters.sandbox.records import Json

CHAT_INPUT, USER_MENU, MESSAGE_MENU = 1, 2, 3
SUBCOMMAND, SUBCOMMAND_GROUP, STRING = 1, 2, 3
_NAME = re.compile(r"[-_'\w]{1,32}")
_OPTION_TYPES = range(1, 12)
_NUMBERS = (4, 10)
_KINDS = (CHAT_INPUT, USER_MENU, MESSAGE_MENU)
_EDITABLE = (
    "name", "name_localizations", "description", "description_localizations", "options",
    "default_member_permissions", "dm_permission", "contexts", "integration_types", "nsfw",
)  # fmt: skip
_BASE = "/applications/{application_id}/commands"
_GUILD_BASE = "/applications/{application_id}/guilds/{guild_id}/commands"


class Commands:
    """The commands of the application, global ones and the server's own.

    Args:
        place: The server.
    """

    def __init__(self, place: Guild) -> None:
        self._place = place
        self._known: dict[str, dict[str, Json]] = {"": {}}

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints that register commands."""
        found = []
        for base in (_BASE, _GUILD_BASE):
            found += [
                Endpoint("GET", base, self.listed, "command"),
                Endpoint("PUT", base, self.overwrite, "command"),
                Endpoint("POST", base, self.create, "command", 201),
                Endpoint("GET", base + "/{command_id}", self.get, "command"),
                Endpoint("PATCH", base + "/{command_id}", self.edit, "command"),
                Endpoint("DELETE", base + "/{command_id}", self.delete, "command"),
            ]
        return found

    def find(self, name: str, kind: int = CHAT_INPUT) -> Json | None:
        """Return the command that a person sees under this name; the server's own wins."""
        for scope in (self._place.world.home_id, ""):
            for command in self._known.get(scope, {}).values():
                if command["name"] == name and command["type"] == kind:
                    return command
        return None

    def all(self) -> list[Json]:
        """Return every command that a person in the server can use."""
        return [one for scope in self._known.values() for one in scope.values()]

    # What the bot calls

    def listed(self, call: Call) -> list[Json]:
        """GET commands."""
        return list(self._scope(call).values())

    def get(self, call: Call) -> Json:
        """GET one command."""
        return self._one(call)

    def overwrite(self, call: Call) -> list[Json]:
        """PUT commands: those that aren't in the list are gone, known names keep their ids."""
        scope = self._scope(call)
        form = Form()
        if call.json is None:
            form.wrong("", "BASE_TYPE_LIST", "Only lists may be used")
        listed = form.mappings("", call.json)
        for kind in _KINDS:
            of_kind = [one for one in listed if one.get("type", CHAT_INPUT) == kind]
            form.count("", of_kind, limits.COMMANDS_MAX if kind == CHAT_INPUT else limits.MENUS_MAX)
        for index, given in enumerate(listed):
            _check(form, given, f"{index}.")
        _check_unique(form, listed)
        form.settle()
        made = [self._made(call, given) for given in listed]
        scope.clear()
        scope |= {one["id"]: one for one in made}
        return made

    def create(self, call: Call) -> Json:
        """POST a command: one of the same name is replaced."""
        scope = self._scope(call)
        form = Form()
        _check(form, call.body, "")
        form.settle()
        made = self._made(call, call.body)
        if made["id"] not in scope and len(scope) >= limits.COMMANDS_MAX:
            most = limits.COMMANDS_MAX
            raise Refused(30032, message=f"Maximum number of application commands reached ({most})")
        scope[made["id"]] = made
        return made

    def edit(self, call: Call) -> Json:
        """PATCH a command."""
        known = self._one(call)
        changed = known | {key: given for key, given in call.body.items() if key in _EDITABLE}
        form = Form()
        _check(form, changed, "")
        form.settle()
        made = known | self._made(call, changed) | {"id": known["id"]}
        self._scope(call)[known["id"]] = made
        return made

    def delete(self, call: Call) -> None:
        """DELETE a command."""
        del self._scope(call)[self._one(call)["id"]]

    def _scope(self, call: Call) -> dict[str, Json]:
        if call.args["application_id"] != self._place.application_id:
            raise plain(403, "Forbidden")
        guild = call.args.get("guild_id", "")
        if guild not in ("", self._place.world.home_id):
            raise Refused(50001)
        return self._known.setdefault(guild, {})

    def _one(self, call: Call) -> Json:
        found = self._scope(call).get(call.args["command_id"])
        if found is None:
            raise Refused(10063)
        return found

    def _made(self, call: Call, given: Json) -> Json:
        kind = given.get("type", CHAT_INPUT)
        known = next(
            (
                one
                for one in self._scope(call).values()
                if one["name"] == given["name"] and one["type"] == kind
            ),
            None,
        )
        made: Json = {
            "id": known["id"] if known else self._id(),
            "application_id": self._place.application_id,
            "version": self._id(),
            "default_member_permissions": given.get("default_member_permissions"),
            "type": kind,
            "name": given["name"],
            "name_localizations": given.get("name_localizations"),
            "description": given.get("description") or "",
            "description_localizations": given.get("description_localizations"),
            "options": given.get("options") or [],
            "dm_permission": given.get("dm_permission", True),
            "contexts": given.get("contexts"),
            "integration_types": given.get("integration_types", [0]),
            "nsfw": given.get("nsfw", False),
        }
        if "guild_id" in call.args:
            made["guild_id"] = call.args["guild_id"]
        return made

    def _id(self) -> str:
        return self._place.world.ids.thing("command", at=self._place.world.clock())


def _check(form: Form, given: Json, at: str) -> None:
    kind = given.get("type", CHAT_INPUT)
    name = given.get("name")
    if kind not in _KINDS:
        choices = ", ".join(map(str, _KINDS))
        form.wrong(f"{at}type", "BASE_TYPE_CHOICES", f"Value must be one of ({choices}).")
        return
    if kind != CHAT_INPUT:
        form.text(f"{at}name", name, 1, limits.COMMAND_NAME_MAX)
        if given.get("description"):
            form.wrong(
                f"{at}description",
                "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_NOT_ALLOWED",
                "Context menu commands cannot have description",
            )
        return
    _check_name(form, f"{at}name", name)
    description = given.get("description")
    form.text(f"{at}description", description, 1, limits.COMMAND_DESCRIPTION_MAX)
    _check_options(form, form.mappings(f"{at}options", given.get("options")), at)
    if _size(given) > limits.COMMAND_TOTAL_MAX:
        form.wrong(
            f"{at}name",
            "APPLICATION_COMMAND_TOO_LARGE",
            f"Command exceeds maximum size ({limits.COMMAND_TOTAL_MAX})",
        )


def _check_name(form: Form, at: str, name: Any) -> None:
    if not form.text(at, name, 1, limits.COMMAND_NAME_MAX):
        return
    if not _NAME.fullmatch(name) or name != name.lower():
        form.wrong(
            at,
            "APPLICATION_COMMAND_INVALID_NAME",
            "Command name is invalid",
        )


def _check_options(form: Form, options: list[Json], at: str) -> None:
    form.count(f"{at}options", options, limits.COMMAND_OPTIONS_MAX)
    optional_seen = False
    for index, option in enumerate(options):
        here = f"{at}options.{index}."
        _check_name(form, f"{here}name", option.get("name"))
        description = option.get("description")
        form.text(f"{here}description", description, 1, limits.COMMAND_DESCRIPTION_MAX)
        if option.get("type") not in _OPTION_TYPES:
            form.wrong(f"{here}type", "BASE_TYPE_CHOICES", "This field is required")
        if option.get("type") in (SUBCOMMAND, SUBCOMMAND_GROUP):
            _check_options(form, form.mappings(f"{here}options", option.get("options")), here)
            continue
        if option.get("required") and optional_seen:
            form.wrong(
                f"{here}required",
                "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                "Required options must be placed before non-required options",
            )
        optional_seen = optional_seen or not option.get("required")
        _check_choices(form, option, here)
    names = [str(option.get("name")) for option in options]
    if len({*names}) < len(names):
        form.wrong(
            f"{at}options",
            "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS",
            "Option name already exists",
        )


def _check_choices(form: Form, option: Json, at: str) -> None:
    choices = form.mappings(f"{at}choices", option.get("choices"))
    form.count(f"{at}choices", choices, limits.COMMAND_CHOICES_MAX)
    for index, choice in enumerate(choices):
        form.text(f"{at}choices.{index}.name", choice.get("name"), 1, limits.CHOICE_MAX)
        if option.get("type") == STRING:
            form.text(f"{at}choices.{index}.value", choice.get("value"), 1, limits.CHOICE_MAX)
    if choices and option.get("type") not in (STRING, *_NUMBERS):
        form.wrong(f"{at}choices", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Invalid type")


def _check_unique(form: Form, given: list[Json]) -> None:
    seen: set[tuple[str, str]] = set()
    for index, one in enumerate(given):
        key = (str(one.get("type", CHAT_INPUT)), str(one.get("name")))
        if key in seen:
            form.wrong(
                f"{index}",
                "APPLICATION_COMMANDS_DUPLICATE_NAME",
                "Application command names must be unique",
            )
        seen.add(key)


def _size(given: Json) -> int:
    own = len(str(given.get("name", ""))) + len(str(given.get("description", "")))
    own += sum(
        len(str(one.get("name"))) + len(str(one.get("value"))) for one in _dicts(given, "choices")
    )
    return own + sum(_size(option) for option in _dicts(given, "options"))


def _dicts(given: Json, name: str) -> list[Json]:
    listed = given.get(name)
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
