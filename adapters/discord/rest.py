"""Discord's REST API: one session, bounded waits, Jay's errors.

Calls go through discord.py's own HTTP client, which knows Discord's buckets
and headers. It logs in with the first call, so that a process starts while
Discord is away, and starts over after a login that failed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from types import MappingProxyType, TracebackType
from typing import TypeVar

from discord.http import HTTPClient, Ratelimit, Route
from pydantic import TypeAdapter, ValidationError

from adapters.discord.errors import LIBRARY_ERRORS, translate
from adapters.discord.install import set_up
from bot.errors import PlatformUnreachable
from bot.settings import DiscordSettings

Answer = TypeVar("Answer")
NOWHERE: Mapping[str, str] = MappingProxyType({})

CALL_S = 15.0
"""The longest that one call takes, discord.py's own retries of server errors included."""
SILENT_WAIT_S = 1.0
"""discord.py waits out a 429 without a word. A longer one must be told of instead: the write
budget then stops the lane, and the draft's next write carries newer text."""


class _Http(HTTPClient):
    """discord.py's client, which tells of a 429 instead of waiting for it."""

    def __init__(self) -> None:
        super().__init__(asyncio.get_running_loop())
        # The parameter of the same name takes no less than 30 s.
        self.max_ratelimit_timeout = SILENT_WAIT_S

    def get_ratelimit(self, key: str) -> Ratelimit:
        """Return a bucket without that bound: it would refuse calls that it has room for."""
        bound, self.max_ratelimit_timeout = self.max_ratelimit_timeout, None
        try:
            return super().get_ratelimit(key)
        finally:
            self.max_ratelimit_timeout = bound


class Rest:
    """A session with Discord's REST API; an async context manager that closes it."""

    def __init__(self, settings: DiscordSettings) -> None:
        """Take where and as whom; nothing is sent yet."""
        self._settings = settings
        self._http: HTTPClient | None = None
        self._opening = asyncio.Lock()
        self._me = ""

    async def __aenter__(self) -> Rest:
        """Set discord.py up for the settings."""
        set_up(self._settings)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the session."""
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def me(self) -> str:
        """Return Jay's user id.

        Raises:
            PlatformError: Discord can't be had.
        """
        if not self._me:
            await self._bounded(self._log_in(), CALL_S)
        return self._me

    async def ask(
        self,
        kind: TypeAdapter[Answer],
        method: str,
        path: str,
        *,
        where: Mapping[str, str] = NOWHERE,
        query: Mapping[str, str | int] | None = None,
        body: object = None,
    ) -> Answer:
        """Make a call and check its answer.

        Raises:
            PlatformError: Discord refuses, or answers what it shouldn't.
        """
        answer = await self.call(method, path, where=where, query=query, body=body)
        try:
            return kind.validate_python(answer)
        except ValidationError as error:
            field = error.errors(include_input=False, include_url=False)[0]["loc"]
            raise PlatformUnreachable(
                f"Discord's answer to {method} {path} is not as documented at {field}"
            ) from None

    async def call(
        self,
        method: str,
        path: str,
        *,
        where: Mapping[str, str] = NOWHERE,
        query: Mapping[str, str | int] | None = None,
        body: object = None,
        timeout_s: float = CALL_S,
    ) -> object:
        """Make a call and return its answer.

        Args:
            method: `GET` and so on.
            path: with `{names}` in braces.
            where: what stands for those names. `channel_id`, `guild_id`, `webhook_id` and
                `webhook_token` are what discord.py counts Discord's limits by.
            query: what follows the path.
            body: sent as JSON; None sends none.
            timeout_s: the longest to wait.

        Raises:
            PlatformError: Discord refuses, can't be reached, or is late.
        """
        route = Route(method, path, **where)

        async def request() -> object:
            http = await self._log_in()
            if body is None:
                return await http.request(route, params=query)
            return await http.request(route, params=query, json=body)

        return await self._bounded(request(), timeout_s)

    async def _bounded(self, waiting: Coroutine[object, object, Answer], wait_s: float) -> Answer:
        try:
            async with asyncio.timeout(wait_s):
                return await waiting
        except LIBRARY_ERRORS as error:
            raise translate(error) from error
        except (AttributeError, TypeError) as error:
            # discord.py takes for granted that the body of a refusal has the documented shape.
            raise PlatformUnreachable("Discord's answer can't be read") from error

    async def _log_in(self) -> HTTPClient:
        async with self._opening:
            if self._http is None:
                http = _Http()
                try:
                    who = await http.static_login(
                        self._settings.bot_token.get_secret_value().strip()
                    )
                except BaseException:
                    await http.close()
                    raise
                self._http, self._me = http, str(who["id"])
            return self._http
