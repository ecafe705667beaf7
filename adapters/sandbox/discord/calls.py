"""A REST call as the endpoints see it, and what an endpoint is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import BodyPartReader, web

from adapters.sandbox.discord.checking import Upload
from adapters.sandbox.discord.limits import FILE_BYTES_MAX, FILES_MAX
from adapters.sandbox.discord.refusals import Form, Refused
from adapters.sandbox.records import Json

_NUMBER = re.compile(r"-?[0-9]{1,20}")
_SNOWFLAKE = re.compile(r"[0-9]{1,20}")


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
        if not _NUMBER.fullmatch(given):
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
        if given is not None and not is_snowflake(given):
            form = Form()
            form.wrong(name, "NUMBER_TYPE_COERCE", f'Value "{given}" is not snowflake.')
            form.settle()
        return given


def is_snowflake(text: str) -> bool:
    """Say whether a text is an id: an unsigned number of 64 bits."""
    return _SNOWFLAKE.fullmatch(text) is not None and int(text) < 1 << 64


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
    try:
        if request.content_type == "multipart/form-data":
            text, uploads = await _read_form(request)
        else:
            text = (await request.read()).decode()
        body = _parsed(text)
    except web.HTTPRequestEntityTooLarge:
        raise Refused(40005) from None
    except (ValueError, RecursionError):
        raise Refused(50109) from None
    for name, value in request.match_info.items():
        if name.endswith("_id") and not (is_snowflake(value) or value.startswith("@")):
            form = Form()
            form.wrong(name, "NUMBER_TYPE_COERCE", f'Value "{value}" is not snowflake.')
            form.settle()
    return Call(args=request.match_info, query=request.query, json=body, uploads=uploads)


def _parsed(text: str) -> Any:
    """Return the JSON of a body, None for an empty one. Raises ValueError, RecursionError."""

    def no_constant(name: str) -> None:
        raise ValueError(name)

    body = json.loads(text, parse_constant=no_constant) if text.strip() else None
    if "\\ud" in text.lower():
        # Half a surrogate pair is no character, and could not be written down anywhere.
        json.dumps(body, ensure_ascii=False).encode()
    return body


async def _read_form(request: web.Request) -> tuple[str, tuple[Upload, ...]]:
    text = ""
    uploads: list[Upload] = []
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        name = part.name or ""
        if name == "payload_json":
            text = (await part.read(decode=True)).decode()
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
