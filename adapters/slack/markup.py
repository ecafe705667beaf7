"""Slack's markup in what people write → text as they see it. Pure.

Slack puts what is more than text between angle brackets (`<@U1>`, `<#C1|name>`,
`<!here>`, `<https://…|label>`) and escapes the brackets that people type, so the
brackets can be told from text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_TOKEN = re.compile(r"<([@#!]?)([^<>|]+)(?:\|([^<>]*))?>")
_AFTER_OWN_NAME = " \t\r\n,:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A text as people see it, and whom it names."""

    text: str
    mentions_jay: bool
    mentions_others: bool
    """It names somebody else and not Jay."""


def unescape(text: str) -> str:
    """Return the text behind `&amp;`, `&lt;` and `&gt;`."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def people_in(text: str) -> tuple[str, ...]:
    """Return the ids of the people whom a text mentions without telling their names."""
    found = _TOKEN.finditer(text)
    return tuple(dict.fromkeys(one[2] for one in found if one[1] == "@" and not one[3]))


def read(text: str, *, jay: str, names: Mapping[str, str]) -> Read:
    """Read a text.

    Args:
        text: in Slack's markup.
        jay: Jay's own user id; its mention at the very start is cut off.
        names: people's display names by id.
    """
    named = [one for one in _TOKEN.finditer(text) if _names_somebody(one)]
    mentions_jay = any(one[2] == jay for one in named)
    start = 0
    for own in _TOKEN.finditer(text):
        if text[start : own.start()].strip(_AFTER_OWN_NAME) or own[1] + own[2] != f"@{jay}":
            break
        start = own.end()
    rest = text[start:].lstrip(_AFTER_OWN_NAME) if start else text
    pieces: list[str] = []
    at = 0
    for token in _TOKEN.finditer(rest):
        pieces += (unescape(rest[at : token.start()]), _shown(token, names))
        at = token.end()
    pieces.append(unescape(rest[at:]))
    return Read(
        text="".join(pieces).strip(),
        mentions_jay=mentions_jay,
        mentions_others=bool(named) and not mentions_jay,
    )


def _names_somebody(token: re.Match[str]) -> bool:
    return token[1] == "@" or (token[1] == "!" and not token[2].startswith("date^"))


def _shown(token: re.Match[str], names: Mapping[str, str]) -> str:
    sign, body, label = token[1], token[2], unescape(token[3] or "")
    if sign == "@":
        return "@" + (label or names.get(body, body)).removeprefix("@")
    if sign == "#":
        return "#" + (label or body).removeprefix("#")
    if sign == "!":
        if body.startswith("date^"):
            return label or body
        return "@" + (label or body.partition("^")[0]).removeprefix("@")
    url = unescape(body)
    plain = url.removeprefix("mailto:").removeprefix("https://").removeprefix("http://")
    if not label or label in (url, url.rstrip("/")):
        return url
    return label if label.rstrip("/") == plain.rstrip("/") else f"{label} ({url})"
