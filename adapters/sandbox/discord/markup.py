"""Discord's markup: what people type, what it becomes, and whom a message pings. Pure.

Whom a message *may* ping is a second question: `allowed_mentions` answers it, and where
it is missing Discord pings everybody that the text names, @everyone included.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from adapters.sandbox.discord.refusals import Form
from adapters.sandbox.records import Json
from adapters.sandbox.world import World

_USER = re.compile(r"<@!?(\d{15,21})>")
_ROLE = re.compile(r"<@&(\d{15,21})>")
_EVERYONE = re.compile(r"@(everyone|here)\b")
_CODE = re.compile(r"```.*?```|``.+?``|`[^`\n]+`", re.DOTALL)
_NAME = re.compile(r"(?<![\w@<])@([\w.\-]+(?: [A-Z][\w\-]+)?)")
_PLACE = re.compile(r"(?<![\w#<&])#([\w\-]+)")
_PIECE = re.compile(r"<(@!?|@&|#)(\d{15,21})>|<(?:/([^:>]+):\d+)>|<a?(:\w+:)\d+>")
_LISTED_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What `allowed_mentions` lets through."""

    everyone: bool = True
    users: bool | frozenset[str] = True
    """All, none, or just these."""
    roles: bool | frozenset[str] = True
    replied_user: bool = True


def allowed_mentions(given: Any) -> Allowed:
    """Return what an `allowed_mentions` object allows; without one, everything.

    Raises:
        Refused: 50035, when it names the same kind twice or is no such object.
    """
    if given is None:
        return Allowed()
    form = Form()
    if not isinstance(given, dict):
        form.wrong("allowed_mentions", "DICT_TYPE_CONVERT", "Only dictionaries may be used")
        form.settle()
    parse = _ids(form, given, "parse")
    kinds: dict[str, bool | frozenset[str]] = {}
    for kind in ("users", "roles"):
        listed = _ids(form, given, kind)
        if kind in parse and listed:
            form.wrong(
                f"allowed_mentions.{kind}",
                "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.',
            )
        form.count(f"allowed_mentions.{kind}", listed, _LISTED_MAX)
        kinds[kind] = True if kind in parse else frozenset(listed)
    form.settle()
    return Allowed(
        everyone="everyone" in parse,
        users=kinds["users"],
        roles=kinds["roles"],
        replied_user=bool(given.get("replied_user", False)),
    )


def pings(
    world: World,
    text: str,
    *,
    roles: Iterable[str],
    allowed: Allowed | None = None,
    replied_to: str | None = None,
) -> list[str]:
    """Return whom a message rings for.

    Args:
        world: Who is there.
        text: Its content. What stands in code rings for nobody.
        roles: The ids of the roles that its author may mention.
        allowed: What the author allows; None allows everything.
        replied_to: The author of the message that it answers.

    Returns:
        Ids of users and roles, and `everyone` or `here`, each once.
    """
    allowed = allowed or Allowed()
    bare = _CODE.sub(" ", text)
    found: dict[str, None] = {}
    if allowed.everyone:
        found |= dict.fromkeys(_EVERYONE.findall(bare))
    wanted = {*roles}
    for role in _ROLE.findall(bare):
        if role in wanted and _lets(allowed.roles, role):
            found[role] = None
    for user in _USER.findall(bare):
        if user in world.members and _lets(allowed.users, user):
            found[user] = None
    if replied_to is not None and allowed.replied_user:
        found[replied_to] = None
    return list(found)


def from_typed(world: World, typed: str) -> str:
    """Return what Discord's client makes of a text that a person types."""
    text = _NAME.sub(lambda name: _mention(world, name[1]), typed)
    return _PLACE.sub(lambda place: _place(world, place[1], place[0]), text)


def to_shown(world: World, text: str) -> str:
    """Return what a reader sees of a text's mentions, commands and emoji."""

    def piece(match: re.Match[str]) -> str:
        sign, subject, command, emoji = match[1], match[2], match[3], match[4]
        if command:
            return "/" + command
        if emoji:
            return emoji
        if sign == "#":
            return "#" + (world.channels[subject].name if subject in world.channels else "unknown")
        if sign == "@&":
            return "@role"
        known = world.members.get(subject)
        return "@" + (known.display if known else "unknown-user")

    return _PIECE.sub(piece, text)


def summary(world: World, message_pings: list[str], role_ids: Iterable[str]) -> Json:
    """Return `mention_everyone`, `mention_roles` and the ids for `mentions` of a message."""
    roles = {*role_ids}
    return {
        "mention_everyone": "everyone" in message_pings or "here" in message_pings,
        "mention_roles": [one for one in message_pings if one in roles],
        "mentions": [one for one in message_pings if one in world.members],
    }


def _ids(form: Form, given: Json, name: str) -> list[str]:
    listed = given.get(name)
    if listed is not None and not isinstance(listed, list):
        form.wrong(f"allowed_mentions.{name}", "BASE_TYPE_LIST", "Only lists may be used")
        return []
    return [str(one) for one in listed or ()]


def _lets(rule: bool | frozenset[str], subject: str) -> bool:
    return rule if isinstance(rule, bool) else subject in rule


def _mention(world: World, name: str) -> str:
    first, _, rest = name.partition(" ")
    if first in ("everyone", "here"):
        return f"@{name}"
    for wanted, after in ((name, ""), (first, f" {rest}" if rest else "")):
        stripped = wanted.rstrip(".-")
        after = wanted[len(stripped) :] + after
        for member in world.members.values():
            if stripped.lower() in (member.name.lower(), member.display.lower()):
                return f"<@{member.id}>{after}"
    return f"@{name}"


def _place(world: World, name: str, as_typed: str) -> str:
    for channel in world.channels.values():
        if channel.kind != "direct" and channel.name == name:
            return f"<#{channel.id}>"
    return as_typed
