"""Which channel a person means, and whether they may read it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.errors import translated
from adapters.slack.history import PAGES_MAX, Json, cursor_of
from bot.messages import Place

NAMED = "public_channel,private_channel"
PAGE = 200


async def find_channel(
    client: AsyncWebClient, near: Place, name: str, *, person: str
) -> Place | None:
    """Return the channel of a name or id that both Jay and a person are in; None if there is none.

    A public channel that the person has not joined counts as none: guests may not read it.

    Raises:
        PlatformError: Slack can't be reached, or doesn't let Jay ask.
    """
    async for one in _mine(client):
        channel = str(one.get("id") or "")
        if channel and name in (channel, one.get("name")):
            if await _is_member(client, channel, person):
                return Place(platform="slack", workspace=near.workspace, channel=channel)
            return None
    return None


async def _mine(client: AsyncWebClient) -> AsyncIterator[Json]:
    cursor = ""
    for _ in range(PAGES_MAX):
        with translated("users.conversations"):
            answer = await client.users_conversations(
                types=NAMED, exclude_archived=True, limit=PAGE, cursor=cursor or None
            )
        listed = answer.get("channels")
        for one in listed if isinstance(listed, list) else []:
            if isinstance(one, dict):
                yield one
        cursor = cursor_of(answer)
        if not cursor:
            return


async def _is_member(client: AsyncWebClient, channel: str, person: str) -> bool:
    cursor = ""
    for _ in range(PAGES_MAX):
        with translated("conversations.members"):
            answer = await client.conversations_members(
                channel=channel, limit=1_000, cursor=cursor or None
            )
        listed = answer.get("members")
        if isinstance(listed, list) and person in listed:
            return True
        cursor = cursor_of(answer)
        if not cursor:
            return False
    return False
