"""The REST API: `/discord/api/v10/…`, answered with Discord's headers, limits and errors.

A call passes, in this order: the token, the faults that wait, the rate limits, its body;
then the endpoint itself (reading, posting, threads, commands, interactions). JSON goes
out as `application/json` without a charset, which clients compare exactly, and a 429
carries `Via`, without which they take it for a ban.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import structlog
from aiohttp import web

from adapters.sandbox.discord import calls
from adapters.sandbox.discord.calls import Endpoint
from adapters.sandbox.discord.guild import Guild
from adapters.sandbox.discord.limits import Standing
from adapters.sandbox.discord.refusals import Refused, plain
from adapters.sandbox.faults import Trouble

log = structlog.get_logger(__name__)

BASE = "/discord/api/v10"
_MAJOR = ("channel_id", "guild_id", "token")


class RestApi:
    """Serves endpoints over a server.

    Args:
        place: The server.
        endpoints: What there is to call.
    """

    def __init__(self, place: Guild, endpoints: Iterable[Endpoint]) -> None:
        self._place = place
        self._endpoints = list(endpoints)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, with a last one that answers 404 for all that is not there."""
        found = [
            web.route(one.method, BASE + one.path, self._serve(one), allow_head=False)
            if one.method == "GET"
            else web.route(one.method, BASE + one.path, self._serve(one))
            for one in self._endpoints
        ]
        return [*found, web.route("*", "/discord/api/{rest:.*}", self._unknown)]

    def _serve(self, endpoint: Endpoint) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def serve(request: web.Request) -> web.Response:
            standing: Standing | None = None
            try:
                if endpoint.with_token:
                    self._check_token(request)
                trouble = self._place.faults.take("discord", _named(request))
                await _stand(trouble, before=True)
                standing = self._count(endpoint, request)
                if standing.refused:
                    return _limited(standing)
                answer = endpoint.handler(await calls.read(request))
                await _stand(trouble, before=False)
                status = 204 if answer is None else endpoint.status
                return _answer(status, answer, standing)
            except _Troubled as hit:
                return _troubled(hit.trouble)
            except Refused as refused:
                log.debug("sandbox.discord_refused", call=_named(request), code=refused.code)
                return _answer(refused.status, refused.body(), standing)

        return serve

    async def _unknown(self, request: web.Request) -> web.Response:
        try:
            self._check_token(request)
        except Refused as refused:
            return _answer(refused.status, refused.body(), None)
        path = request.path.removeprefix(BASE)
        known = {one.method for one in self._endpoints if _matches(one.path, path)}
        missing = plain(405, "Method Not Allowed") if known else plain(404, "Not Found")
        log.info("sandbox.discord_unknown_call", call=_named(request))
        return _answer(missing.status, missing.body(), None)

    def _check_token(self, request: web.Request) -> None:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind != "Bot" or not self._place.is_token(token):
            raise plain(401, "Unauthorized")

    def _count(self, endpoint: Endpoint, request: web.Request) -> Standing:
        major = next((request.match_info[key] for key in _MAJOR if key in request.match_info), "")
        return self._place.limits.call(endpoint.bucket, major, counts_globally=endpoint.with_token)


class _Troubled(Exception):
    """A fault that answers in place of the endpoint."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.method)
        self.trouble = trouble


async def _stand(trouble: Trouble | None, *, before: bool) -> None:
    if trouble is None:
        return
    if before and trouble.delay_s:
        await asyncio.sleep(trouble.delay_s)
    if trouble.status is not None and trouble.after is not before:
        raise _Troubled(trouble)


def _troubled(trouble: Trouble) -> web.Response:
    status = trouble.status or 500
    if status == 429:
        wait = 1.0 if trouble.retry_after_s is None else trouble.retry_after_s
        return _too_many(wait, everywhere=trouble.error == "global", headers={})
    reasons = {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable"}
    message = trouble.error or f"{status}: {reasons.get(status, 'Error')}"
    return _answer(status, {"message": message, "code": 0}, None)


def _limited(standing: Standing) -> web.Response:
    return _too_many(
        standing.reset_after_s,
        everywhere=standing.everywhere,
        headers={} if standing.everywhere else standing.headers(),
    )


def _too_many(wait_s: float, *, everywhere: bool, headers: dict[str, str]) -> web.Response:
    wait_s = round(wait_s, 3)
    headers |= {
        "Retry-After": str(max(1, round(wait_s))),
        "X-RateLimit-Scope": "global" if everywhere else "user",
        "Via": "1.1 sandbox",
    }
    if everywhere:
        headers["X-RateLimit-Global"] = "true"
    body = {
        "message": "You are being rate limited.",
        "retry_after": wait_s,
        "global": everywhere,
    }
    return _json(429, body, headers)


def _answer(status: int, body: Any, standing: Standing | None) -> web.Response:
    headers = standing.headers() if standing is not None else {}
    if status == 204:
        return web.Response(status=204, headers=headers)
    return _json(status, body, headers)


def _json(status: int, body: Any, headers: dict[str, str]) -> web.Response:
    return web.Response(
        status=status,
        body=json.dumps(body).encode(),
        headers={**headers, "Content-Type": "application/json"},
    )


def _named(request: web.Request) -> str:
    return f"{request.method} {request.path.removeprefix(BASE)}"


def _matches(pattern: str, path: str) -> bool:
    wanted, given = pattern.split("/"), path.split("/")
    return len(wanted) == len(given) and all(
        one.startswith("{") or one == other for one, other in zip(wanted, given, strict=True)
    )
