"""Reading back what was said in a channel, page by page, within a bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from pydantic import TypeAdapter, ValidationError

from adapters.discord.directory import Directory
from adapters.discord.limits import HISTORY_MAX, HISTORY_PAGE, id_at
from adapters.discord.normalise import message, needs_names
from adapters.discord.payloads import MessagePayload
from adapters.discord.rest import Rest
from bot.messages import IncomingMessage, Place

log = structlog.get_logger(__name__)

_PAGE = TypeAdapter(list[dict[str, object]])


async def read_back(
    rest: Rest, directory: Directory, place: Place, *, limit: int, since: float = 0.0
) -> list[IncomingMessage]:
    """Return a place's newest messages, oldest first.

    Args:
        rest: the session to ask with.
        directory: knows the names.
        place: a channel, thread or direct message.
        limit: at most so many, and never more than `HISTORY_MAX`.
        since: said at this time or later, Unix seconds.

    Raises:
        PlatformError: Jay may not read there, or Discord can't be reached.
    """
    limit = min(limit, HISTORY_MAX)
    payloads: list[MessagePayload] = []
    before = ""
    while len(payloads) < limit:
        size = min(HISTORY_PAGE, limit - len(payloads))
        turned = await page(rest, place.thread or place.channel, "before", before, size)
        payloads += reversed(turned.messages)
        if turned.count < size or not turned.oldest or int(turned.oldest) < int(id_at(since)):
            break
        before = turned.oldest
    said = [one for one in payloads[::-1] if int(one.id) >= int(id_at(since))]
    return await read(directory, place, said)


async def read_after(
    rest: Rest, directory: Directory, place: Place, *, after: str
) -> list[IncomingMessage]:
    """Return what was said in a place after a message, oldest first, at most `HISTORY_MAX`.

    Raises:
        PlatformError: Jay may not read there, or Discord can't be reached.
    """
    payloads: list[MessagePayload] = []
    while len(payloads) < HISTORY_MAX:
        turned = await page(rest, place.thread or place.channel, "after", after, HISTORY_PAGE)
        payloads += turned.messages
        if turned.count < HISTORY_PAGE or not turned.newest:
            break
        after = turned.newest
    if len(payloads) >= HISTORY_MAX:
        log.warning("discord.history_cut", channel=place.channel, read=len(payloads))
    return await read(directory, place, payloads)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some messages, oldest first, and what is needed to turn the page."""

    messages: list[MessagePayload]
    count: int
    oldest: str
    newest: str


async def page(rest: Rest, channel_id: str, way: str, start: str, size: int) -> Page:
    """Return up to `size` messages of a channel, `before` or `after` an id; empty: the newest.

    Raises:
        PlatformError: Jay may not read there, or Discord can't be reached.
    """
    query: dict[str, str | int] = {"limit": size}
    if start:
        query[way] = start
    answer = await rest.ask(
        _PAGE,
        "GET",
        "/channels/{channel_id}/messages",
        query=query,
        where={"channel_id": channel_id},
    )
    named = (str(one.get("id")) for one in answer)
    ids = sorted(int(one) for one in named if one.isascii() and one.isdecimal() and len(one) < 20)
    return Page(
        messages=sorted(_known(answer), key=lambda one: int(one.id)),
        count=len(answer),
        oldest=str(ids[0]) if ids else "",
        newest=str(ids[-1]) if ids else "",
    )


def _known(answer: Sequence[dict[str, object]]) -> list[MessagePayload]:
    known = []
    for one in answer:
        try:
            known.append(MessagePayload.model_validate(one))
        except ValidationError as error:
            log.debug("discord.malformed", kind="history", count=error.error_count())
    return known


async def read(
    directory: Directory, place: Place, payloads: Sequence[MessagePayload]
) -> list[IncomingMessage]:
    """Return what people said, of a page's messages.

    Raises:
        PlatformError: the names in them can't be had; a retry may help.
    """
    if not payloads:
        return []
    asks = any(needs_names(one) for one in payloads)
    names = await directory.names(place.workspace if asks else None)
    said = (message(one, place=place, names=names) for one in payloads)
    return [one for one in said if one is not None]
