"""People's display names, asked of Slack once an hour and kept in a bounded cache.

A name is worth little: where Slack doesn't tell it in time, the id stands in, and
Slack is asked again a minute later.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.errors import translated
from bot.errors import PlatformError

log = structlog.get_logger(__name__)

KEPT_MAX = 10_000
FRESH_S = 3_600.0
UNKNOWN_S = 60.0
"""After a name could not be had, Slack is left alone for so long."""
PATIENCE_S = 1.5
"""An event must be stored and acked within 3 s; names may take half of that."""
AT_ONCE = 8
_USER = re.compile(r"[A-Za-z0-9]{1,64}")
"""What is none stands between the brackets of people's own making."""


class People:
    """Knows names by user id."""

    def __init__(
        self, client: AsyncWebClient, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the client that asks."""
        self._client, self._clock = client, clock
        self._known: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._room = asyncio.Semaphore(AT_ONCE)

    async def names(self, ids: Iterable[str]) -> Mapping[str, str]:
        """Return each person's name, or the id again. Takes no longer than 1.5 s."""
        wanted = list(dict.fromkeys(one for one in ids if one))
        unknown = [one for one in wanted if _USER.fullmatch(one) and self._stale(one)]
        asked = [asyncio.create_task(self._ask(one)) for one in unknown]
        if asked:
            _, late = await asyncio.wait(asked, timeout=PATIENCE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        return {one: self._known[one][0] if one in self._known else one for one in wanted}

    def _stale(self, user: str) -> bool:
        return user not in self._known or self._known[user][1] <= self._clock()

    async def _ask(self, user: str) -> None:
        known = self._known.get(user)
        name, good_s = known[0] if known else user, UNKNOWN_S
        try:
            async with self._room:
                with translated("users.info"):
                    answer = await self._client.users_info(user=user)
            name, good_s = _name(answer.get("user"), user), FRESH_S
        except PlatformError as error:
            log.info("slack.name_unknown", user=user, error=str(error))
        self._known[user] = (name, self._clock() + good_s)
        self._known.move_to_end(user)
        while len(self._known) > KEPT_MAX:
            self._known.popitem(last=False)


def _name(user: object, fallback: str) -> str:
    if not isinstance(user, dict):
        return fallback
    profile = user.get("profile")
    shown = profile if isinstance(profile, dict) else {}
    found = (
        shown.get("display_name"), shown.get("real_name"), user.get("real_name"), user.get("name"),
    )  # fmt: skip
    return next((str(one).strip() for one in found if one and str(one).strip()), fallback)
