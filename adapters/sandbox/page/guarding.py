"""Who may call the page: a browser that shows this very page, from an address, not a name.

A web site that a person happens to visit can send requests to this machine. Two checks
keep it out. `Origin` must be the page's own (against forged requests), and `Host` must be
an IP address or `localhost` (against a name that is made to point here later). Bodies are
JSON, small, and said to be JSON: a plain form of another site can't say that.
"""

from __future__ import annotations

import ipaddress
import json
from urllib.parse import urlsplit

from aiohttp import web

from adapters.sandbox.records import Json

BODY_MAX_BYTES = 128 * 1024


class Declined(Exception):
    """A request that is not done: a status, a short code and a sentence for the person."""

    def __init__(self, status: int, error: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.error, self.detail = status, error, detail

    def response(self) -> web.Response:
        """Return the answer to send."""
        body = {"error": self.error, "detail": self.detail}
        return web.json_response(body, status=self.status)


def check_caller(request: web.Request) -> None:
    """Raise Declined unless the request comes from the page itself."""
    host = request.headers.get("Host", "")
    if not _is_address(host):
        raise Declined(403, "wrong_host", "Open the page by its IP address or as localhost.")
    origin = request.headers.get("Origin")
    if origin is not None and _host_of(origin) != host.lower():
        raise Declined(403, "wrong_origin", "Only the page itself may ask for this.")


async def read_json(request: web.Request) -> Json:
    """Return the JSON object in a request's body."""
    if request.content_type != "application/json":
        raise Declined(415, "not_json", "Send application/json.")
    if (request.content_length or 0) > BODY_MAX_BYTES:
        raise Declined(413, "too_large", "That is too long.")
    raw = await request.content.read(BODY_MAX_BYTES + 1)
    while raw and len(raw) <= BODY_MAX_BYTES and not request.content.at_eof():
        raw += await request.content.read(BODY_MAX_BYTES + 1 - len(raw))
    if len(raw) > BODY_MAX_BYTES:
        raise Declined(413, "too_large", "That is too long.")
    return parse_object(raw)


def parse_object(raw: str | bytes) -> Json:
    """Return the JSON object that a text holds."""
    try:
        given = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Declined(400, "bad_json", "That is no JSON.") from error
    if not isinstance(given, dict):
        raise Declined(400, "bad_json", "Send a JSON object.")
    return given


def text_of(given: Json, name: str, *, most: int = 64, default: str | None = None) -> str:
    """Return a text field of a request; with a `default` it may be left out."""
    value = given.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str) or (not value and default is None):
        raise Declined(400, "bad_field", f"“{name}” must be a text.")
    if len(value) > most:
        raise Declined(400, "too_long", f"“{name}” can have at most {most:,} characters.")
    return value


def _host_of(origin: str) -> str:
    _, _, rest = origin.partition("://")
    return rest.lower()


def _is_address(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        if name == "localhost" or name.endswith(".localhost"):
            return True
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
