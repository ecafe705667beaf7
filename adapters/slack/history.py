"""Reading a place's messages back from Slack, for what was said while nobody listened."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack import normalise
from adapters.slack.errors import translated
from adapters.slack.install import Installation
from adapters.slack.limits import PAGE
from adapters.slack.people import People
from bot.messages import IncomingMessage, Place

MOST = 1_000
"""The most messages read back at once."""
PAGES_MAX = 10
THREADS_MAX = 20
"""Threads of a channel that are read too, the newest first; each is a call of its own."""
PEOPLE_MAX = 200
"""The most people whose names are asked for; of the others the id stands in."""

KINDS = "public_channel,private_channel,mpim,im"

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads what was said in the channels that Jay is in."""

    client: AsyncWebClient
    people: People
    jay: Installation

    async def read(
        self, place: Place, *, limit: int, since: float = 0.0
    ) -> Sequence[IncomingMessage]:
        """Return a place's newest messages, oldest first, without Jay's own.

        A channel is read with its newest threads, a thread with its root.
        With `since` (Unix seconds), only what was said at that time or later.

        Raises:
            PlatformError: Slack doesn't let Jay read there, or can't be reached.
        """
        wanted = min(limit, MOST)
        oldest = f"{since:.6f}" if since > 0 else ""
        if place.thread:
            found = await self.thread(place.channel, place.thread, limit=wanted, oldest=oldest)
        else:
            found = await self._channel(place.channel, limit=wanted, oldest=oldest)
        newest = [one for one in sorted(found, key=_at)[-wanted:] if seconds_of(one) >= since]
        return await self.understood(place, newest)

    async def understood(self, place: Place, said: Sequence[Json]) -> tuple[IncomingMessage, ...]:
        """Return what Slack has of a channel's messages as Jay's types, with people's names.

        What is no message of a person's, or Jay's own, is left out.
        """
        asked = dict.fromkeys(one for each in said for one in normalise.people_of(each))
        names = await self.people.names(islice(asked, PEOPLE_MAX))
        outside = Place(
            platform="slack",
            workspace=self.jay.team_id,
            channel=place.channel,
            direct=place.direct,
        )
        read = (
            normalise.read_message(one, place=outside, jay=self.jay, names=names) for one in said
        )
        return tuple(one for one in read if one is not None)

    async def thread(
        self, channel: str, root: str, *, limit: int, oldest: str = "", metadata: bool = False
    ) -> list[Json]:
        """Return the newest messages of a thread as Slack has them.

        Args:
            channel: where.
            root: `ts` of its first message.
            limit: at most so many.
            oldest: only those at or after this `ts`.
            metadata: with what apps wrote beside the text.
        """
        kept: deque[Json] = deque(maxlen=limit)
        cursor = ""
        for _ in range(PAGES_MAX):
            with translated("conversations.replies"):
                answer = await self.client.conversations_replies(
                    channel=channel,
                    ts=root,
                    limit=PAGE,
                    cursor=cursor or None,
                    oldest=oldest or None,
                    inclusive=True,
                    include_all_metadata=metadata,
                )
            kept.extend(one for one in messages_of(answer) if not cursor or one.get("ts") != root)
            cursor = cursor_of(answer)
            if not cursor:
                break
        return list(kept)

    async def outside_threads(
        self, channel: str, *, limit: int, oldest: str = "", metadata: bool = False
    ) -> AsyncIterator[Json]:
        """Yield a channel's newest messages outside of threads, newest first."""
        cursor, seen = "", 0
        for _ in range(PAGES_MAX):
            with translated("conversations.history"):
                answer = await self.client.conversations_history(
                    channel=channel,
                    limit=min(PAGE, limit),
                    cursor=cursor or None,
                    oldest=oldest or None,
                    include_all_metadata=metadata,
                )
            for one in messages_of(answer):
                yield one
                seen += 1
                if seen >= limit:
                    return
            cursor = cursor_of(answer)
            if not cursor:
                return

    async def places(self) -> list[Place]:
        """Return the channels, groups and direct messages that Jay is in.

        Raises:
            PlatformError: Slack can't be reached, or doesn't let Jay ask.
        """
        found: list[Place] = []
        cursor = ""
        for _ in range(PAGES_MAX):
            with translated("users.conversations"):
                answer = await self.client.users_conversations(
                    types=KINDS, exclude_archived=True, limit=PAGE, cursor=cursor or None
                )
            listed = answer.get("channels")
            found += [
                Place(
                    platform="slack",
                    workspace=self.jay.team_id,
                    channel=str(one.get("id")),
                    direct=bool(one.get("is_im")),
                )
                for one in (listed if isinstance(listed, list) else [])
                if isinstance(one, dict) and one.get("id")
            ]
            cursor = cursor_of(answer)
            if not cursor:
                break
        return found

    async def _channel(self, channel: str, *, limit: int, oldest: str) -> list[Json]:
        outside = self.outside_threads(channel, limit=limit, oldest=oldest)
        found = [one async for one in outside]
        roots = [str(one.get("ts")) for one in found if one.get("reply_count")]
        for root in roots[:THREADS_MAX]:
            thread = await self.thread(channel, root, limit=limit, oldest=oldest)
            found += [one for one in thread if one.get("ts") != root]
        unique = {str(one.get("ts")): one for one in found}  # a broadcast reply stands in both
        return list(unique.values())


def messages_of(answer: AsyncSlackResponse) -> list[Json]:
    """Return the messages of an answer."""
    listed = answer.get("messages")
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def cursor_of(answer: AsyncSlackResponse) -> str:
    """Return where an answer's next page begins; empty for none."""
    more = answer.get("response_metadata")
    return str(more.get("next_cursor") or "") if isinstance(more, dict) else ""


def seconds_of(message: Json) -> float:
    """Return when a message was sent, Unix seconds."""
    whole, part = _at(message)
    return whole + part / 1_000_000


def _at(message: Json) -> tuple[int, int]:
    whole, _, part = str(message.get("ts", "")).partition(".")
    return (int(whole), int(part)) if whole.isdecimal() and part.isdecimal() else (0, 0)
