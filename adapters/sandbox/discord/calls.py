"""A REST call as the endpoints see it, and what an endpoint is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import BodyPartReader, web

from adapters.sandbox.discord.checking import Upload
from adapters.sandbox.discord.limits import FILE_BYTES_MAX, FILES_MAX
from adapters.sandbox.discord.refusals import Form, Refused
from adapters.sandbox.records import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a call named and sent."""

    args: Mapping[str, str]
    """The ids in its path."""
    query: Mapping[str, str]
    json: Any = None
    uploads: tuple[Upload, ...] = ()

    @property
    def body(self) -> Json:
        """The JSON object that was sent, empty where there was none."""
        return self.json if isinstance(self.json, dict) else {}

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """Return a number of the query. Raises Refused 50035 out of its range."""
        given = self.query.get(name)
        if given is None:
            return default
        form = Form()
        if not given.lstrip("-").isdigit():
            form.wrong(name, "NUMBER_TYPE_COERCE", f'Value "{given}" is not int.')
        elif int(given) < least:
            code, text = "NUMBER_TYPE_MIN", f"int value should be greater than or equal to {least}."
            form.wrong(name, code, text)
        elif int(given) > most:
            code, text = "NUMBER_TYPE_MAX", f"int value should be less than or equal to {most}."
            form.wrong(name, code, text)
        form.settle()
        return int(given)

    def snowflake(self, name: str) -> str | None:
        """Return an id of the query, None where there is none. Raises Refused 50035."""
        given = self.query.get(name)
        if given is not None and not given.isdigit():
            form = Form()
            form.wrong(name, "NUMBER_TYPE_COERCE", f'Value "{given}" is not snowflake.')
            form.settle()
        return given


Handler = Callable[[Call], Any]
"""Returns what is answered as JSON, or None for 204 No Content."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A route: what it does, which bucket counts it, whether it needs the bot's token."""

    method: str
    path: str
    handler: Handler
    bucket: str = "other"
    status: int = 200
    with_token: bool = True


async def read(request: web.Request) -> Call:
    """Return the call that a request makes: its ids, query, JSON and files.

    Raises:
        Refused: 50109 for a body that is no JSON, 40005 for one that is too large.
    """
    uploads: tuple[Upload, ...] = ()
    if request.content_type == "multipart/form-data":
        text, uploads = await _read_form(request)
    else:
        try:
            text = await request.text()
        except web.HTTPRequestEntityTooLarge:
            raise Refused(40005) from None
    try:
        body = json.loads(text) if text.strip() else None
    except ValueError:
        raise Refused(50109) from None
    for name, value in request.match_info.items():
        if name.endswith("_id") and not (value.isdigit() or value.startswith("@")):
            form = Form()
            form.wrong(name, "NUMBER_TYPE_COERCE", f'Value "{value}" is not snowflake.')
            form.settle()
    return Call(args=request.match_info, query=request.query, json=body, uploads=uploads)


async def _read_form(request: web.Request) -> tuple[str, tuple[Upload, ...]]:
    text, uploads = "", []
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        name = part.name or ""
        if name == "payload_json":
            text = await part.text()
            continue
        size = 0
        while chunk := await part.read_chunk():
            size += len(chunk)
            if size > FILE_BYTES_MAX or len(uploads) >= FILES_MAX:
                raise Refused(40005)
        mimetype = part.headers.get("Content-Type", "application/octet-stream")
        file = part.filename or "file"
        uploads.append(Upload(field=name, name=file, mimetype=mimetype, size=size))
    return text, tuple(uploads)
