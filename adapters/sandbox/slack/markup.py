"""Slack's markup: what people type, what it becomes, and whom it pings.

A person's `@Jay` becomes `<@U…>` and their `<` becomes `&lt;` before any app sees it. What
an app posts is taken as markup: an unescaped `<!channel>` in it rings for everyone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from adapters.sandbox.records import Json
from adapters.sandbox.world import World

_PING = re.compile(
    r"<(?:@([UW][A-Z0-9]+)|!(channel|here|everyone|subteam\^[A-Z0-9]+))(?:\|[^>]*)?>"
)
_NAME = re.compile(r"(?<![\w@])@([\w.\-]+(?: [A-Z][\w\-]+)?)")
_PLACE = re.compile(r"(?<![\w#&])#([a-z0-9][a-z0-9_\-]*)")
_LINK = re.compile(r"https?://[^\s<>|]*[^\s<>|.,;:!?)\]'\"]")
_PIECE = re.compile(r"<(@|#|!)?([^>|]+)(?:\|([^>]*))?>")
_GROUPS = ("channel", "here", "everyone")


def escape(text: str) -> str:
    """Return a text in which `&`, `<` and `>` stay what they look like."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """Return the text behind `&amp;`, `&lt;` and `&gt;`."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def from_typed(world: World, typed: str) -> str:
    """Return what Slack makes of a text that a person types."""
    text = _LINK.sub(lambda link: f"<{link[0]}>", escape(typed))
    text = _NAME.sub(lambda name: _mention(world, name[1]), text)
    return _PLACE.sub(lambda place: _place(world, place[1], place[0]), text)


def to_shown(world: World, text: str) -> str:
    """Return what a reader sees of a text in markup, without its formatting."""

    def piece(match: re.Match[str]) -> str:
        sign, body, label = match[1], match[2], match[3]
        if label:
            return ("@" if sign == "@" else "#" if sign == "#" else "") + label
        if sign == "@":
            return "@" + (world.members[body].display if body in world.members else body)
        if sign == "#":
            return "#" + (world.channels[body].name if body in world.channels else body)
        return "@" + body if sign == "!" else body

    return unescape(_PIECE.sub(piece, text))


def pings(text: str) -> list[str]:
    """Return whom a text rings for: user ids, `channel`, `here`, `everyone`, `subteam^…`."""
    found: dict[str, None] = {}
    for match in _PING.finditer(text):
        found[match[1] or match[2]] = None
    return list(found)


def mentions(text: str, user: str) -> bool:
    """Say whether a text mentions this user."""
    return user in pings(text)


def texts_of(blocks: list[Json]) -> Iterator[str]:
    """Yield every text in blocks that Slack reads as markup."""
    for block in blocks:
        if block.get("type") == "markdown" and isinstance(block.get("text"), str):
            yield block["text"]
        for value in _values(block):
            if value.get("type") == "mrkdwn" and isinstance(value.get("text"), str):
                yield value["text"]
            elif value.get("type") == "user":
                yield f"<@{value.get('user_id')}>"
            elif value.get("type") == "broadcast":
                yield f"<!{value.get('range')}>"


def rich_text(world: World, text: str) -> list[Json]:
    """Return the rich_text block that Slack adds to what a person types."""
    elements: list[Json] = []
    at = 0
    for match in _PIECE.finditer(text):
        if match.start() > at:
            elements.append({"type": "text", "text": unescape(text[at : match.start()])})
        elements.append(_element(match))
        at = match.end()
    if at < len(text) or not elements:
        elements.append({"type": "text", "text": unescape(text[at:])})
    section = {"type": "rich_text_section", "elements": elements}
    return [{"type": "rich_text", "block_id": "b" + str(len(text)), "elements": [section]}]


def link_names(world: World, text: str) -> str:
    """Return a text with `@name` and `@channel` as mentions, as `link_names` asks for."""
    return _NAME.sub(lambda name: _mention(world, name[1]), text)


def _mention(world: World, name: str) -> str:
    first, _, rest = name.partition(" ")
    if first.lower() in _GROUPS:
        return f"<!{first.lower()}>" + (f" {rest}" if rest else "")
    for wanted, after in ((name, ""), (first, f" {rest}" if rest else "")):
        stripped = wanted.rstrip(".-")
        after = wanted[len(stripped) :] + after
        for member in world.members.values():
            if stripped.lower() in (member.name.lower(), member.display.lower()):
                return f"<@{member.id}>{after}"
    return f"@{name}"


def _place(world: World, name: str, as_typed: str) -> str:
    for channel in world.channels.values():
        if channel.kind == "text" and channel.name == name:
            return f"<#{channel.id}|{name}>"
    return as_typed


def _element(match: re.Match[str]) -> Json:
    sign, body = match[1], match[2]
    if sign == "@":
        return {"type": "user", "user_id": body}
    if sign == "#":
        return {"type": "channel", "channel_id": body}
    if sign == "!":
        return {"type": "broadcast", "range": body}
    return {"type": "link", "url": unescape(body)} | ({"text": match[3]} if match[3] else {})


def _values(block: Json) -> Iterator[Json]:
    for value in block.values():
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                yield inner
                yield from _values(inner)
