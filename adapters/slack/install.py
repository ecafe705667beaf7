"""What is asked of Slack at the start: whose token this is and what it may do."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp
import structlog
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.errors import translated
from bot.errors import PlatformError, TokenRefused, TooFast
from bot.settings import SlackSettings

log = structlog.get_logger(__name__)

CALL_TIMEOUT_S = 10.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SCOPES: dict[str, str] = {
    "app_mentions:read": "hear when people mention Jay",
    "assistant:write": "show that Jay is at work",
    "channels:history": "read what is said in public channels that Jay is in",
    "channels:read": "know public channels",
    "chat:write": "answer",
    "commands": "take slash commands",
    "groups:history": "read what is said in private channels that Jay is in",
    "groups:read": "know private channels that Jay is in",
    "im:history": "read direct messages to Jay",
    "im:read": "know direct messages to Jay",
    "im:write": "write to a person where Jay may not write in the channel",
    "mpim:history": "read group messages that Jay is in",
    "mpim:read": "know group messages that Jay is in",
    "reactions:write": "mark a message that Jay can't answer",
    "users:read": "know people's names",
}
"""Every bot scope that Jay asks for, and what for."""
ESSENTIAL = ("chat:write", "app_mentions:read", "channels:history", "im:history")
"""Without one of these Jay is of no use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Jay in one workspace."""

    team_id: str
    team: str
    bot_user_id: str
    bot_id: str
    name: str
    url: str
    """The workspace's address, with a slash at the end."""
    scopes: frozenset[str] = field(default_factory=frozenset)
    """Those that the token has; empty where Slack doesn't tell."""

    def lacks(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """Return which of these scopes the token lacks."""
        return tuple(one for one in wanted if self.scopes and one not in self.scopes)


@asynccontextmanager
async def open_client(settings: SlackSettings) -> AsyncIterator[AsyncWebClient]:
    """Open a Web API client that gives up after ten seconds and never sends twice by itself."""
    timeout = aiohttp.ClientTimeout(total=CALL_TIMEOUT_S)
    base_url = settings.api_url.rstrip("/") + "/"
    async with aiohttp.ClientSession(timeout=timeout) as session:
        client = AsyncWebClient(
            token=settings.bot_token.get_secret_value(),
            base_url=base_url,
            session=session,
            retry_handlers=[],
            logger=logging.getLogger("slack_sdk"),
        )
        if urlsplit(base_url).hostname in LOOPBACK:
            client.proxy = None
        yield client


async def ask_installation(client: AsyncWebClient) -> Installation:
    """Ask whose token this is.

    Raises:
        TokenRefused: Slack knows no such token, or it is not a bot's.
        PlatformError: Slack could not be asked.
    """
    with translated("auth.test"):
        answer = await client.auth_test()
    if not answer.get("bot_id"):
        raise TokenRefused("auth.test: SLACK_BOT_TOKEN is not a bot token (xoxb-…)")
    headers = {name.lower(): value for name, value in answer.headers.items()}
    listed = str(headers.get("x-oauth-scopes", ""))
    return Installation(
        team_id=str(answer.get("team_id", "")),
        team=str(answer.get("team", "")),
        bot_user_id=str(answer.get("user_id", "")),
        bot_id=str(answer.get("bot_id", "")),
        name=str(answer.get("user", "")),
        url=str(answer.get("url", "")),
        scopes=frozenset(one.strip() for one in listed.split(",") if one.strip()),
    )


async def ask_until_told(client: AsyncWebClient, *, waits_s: Sequence[float]) -> Installation:
    """Ask as `ask_installation`, again and again while Slack can't be reached.

    Args:
        client: with the bot's token.
        waits_s: between tries; the last one is repeated.

    Raises:
        TokenRefused: the token is no good.
    """
    tries = 0
    while True:
        try:
            return await ask_installation(client)
        except TokenRefused:
            raise
        except PlatformError as error:
            wait_s = waits_s[min(tries, len(waits_s) - 1)]
            if isinstance(error, TooFast):
                wait_s = max(wait_s, error.retry_after_s)
            log.warning("slack.unreachable", error=str(error), again_in_s=wait_s)
            await asyncio.sleep(wait_s)
            tries += 1
