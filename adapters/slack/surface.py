"""Slack as something to write on: posts, then edits, or native streams where they are on.

In a channel a reply stands in the thread under its message; in a direct message
it stays where the person wrote. A slash command knows no thread: it is answered in
the channel, for all to read, and where Jay is not a member by the command's
`response_url`, for the person alone.

What decides how is in rooms of its own: `posting` (never twice), `streams`,
`response_urls`, `status`, `limits`.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from types import TracebackType

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.access import find_channel
from adapters.slack.buttons import below, row, with_buttons
from adapters.slack.errors import code_of, translated
from adapters.slack.history import Reader
from adapters.slack.install import ask_installation, open_client
from adapters.slack.limits import APPENDS, READ_PACE, UPDATES, WRITE_PACE
from adapters.slack.people import People
from adapters.slack.posting import Postings, Slot, metadata
from adapters.slack.reading import read_range
from adapters.slack.render import to_mrkdwn, to_stream_markdown
from adapters.slack.response_urls import ResponseUrls
from adapters.slack.status import WorkingStatus
from adapters.slack.streams import Streams
from bot.errors import MayNotWrite, MessageGone, PlatformError, PlatformUnreachable, Rejected
from bot.histories import History
from bot.messages import IncomingMessage, Place
from bot.paces import Pace, SharedPace
from bot.ports import Target
from bot.settings import SlackSettings

log = structlog.get_logger(__name__)

LINKS_KEPT = 5_000
NOT_THERE = ("not_in_channel", "channel_not_found")
CANT_ANSWER = "see_no_evil"
"""Put on a message where nothing else can be told to its author."""


class SlackSurface:
    """Writes to one workspace. An async context manager; it implements `bot.ports.Surface`."""

    pace: Pace = WRITE_PACE
    read_pace: Pace = READ_PACE

    def __init__(self, settings: SlackSettings, *, clock: Callable[[], float] = time.time) -> None:
        """Take the settings, and a clock that goes with Slack's time stamps."""
        self._settings = settings
        self._native = settings.native_streams
        self.shared_pace: SharedPace | None = APPENDS if self._native else UPDATES
        self._clock = clock
        self._postings = Postings(clock=clock)
        self._links: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._history: Reader | None = None
        self._stack = AsyncExitStack()
        self._client: AsyncWebClient
        self._streams: Streams
        self._responses: ResponseUrls
        self._status: WorkingStatus

    async def __aenter__(self) -> SlackSurface:
        """Open the connection. Slack is asked nothing yet."""
        self._client = await self._stack.enter_async_context(open_client(self._settings))
        assert self._client.session is not None
        self._streams = Streams(self._client, clock=self._clock)
        self._responses = ResponseUrls(self._client.session)
        self._status = WorkingStatus(self._client, sessions=self._native)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        await self._stack.aclose()

    def render(self, markdown: str, *, target: Target) -> tuple[str, ...]:
        """Turn Markdown into Slack's own, or into Markdown for native streams."""
        return to_stream_markdown(markdown) if self._streams_to(target) else to_mrkdwn(markdown)

    async def post(
        self, target: Target, part: str, *, nonce: str, last: bool, again: bool = False
    ) -> str:
        """Post a part and return its `ts`. The same nonce never posts twice."""
        if target.handle and (target.private or self._responses.chosen(target.handle)):
            return await self._responses.post(target, part, nonce=nonce, last=last)
        thread = thread_of(target)
        slot = Slot(channel=target.place.channel, thread=thread, after=target.reply_to)
        try:
            ts = await self._postings.once(
                nonce,
                slot,
                again=again,
                history=self._reader,
                send=self._sender(target, part, thread=thread, nonce=nonce, last=last),
            )
        except (MayNotWrite, MessageGone) as error:
            if not target.handle or code_of(error) not in NOT_THERE:
                raise
            log.info("slack.command_answered_aside", channel=target.place.channel)
            self._responses.choose(target.handle)
            return await self._responses.post(target, part, nonce=nonce, last=last)
        if last and thread:
            await self._status.leave(target.place.channel, thread)
        return ts

    async def edit(
        self, target: Target, message_id: str, part: str, *, shown: str, last: bool
    ) -> None:
        """Make a posted message read `part`."""
        channel, thread = target.place.channel, thread_of(target)
        if self._responses.owns(message_id):
            if last:
                self._responses.choose(target.handle)
                await self._responses.edit(target, message_id, part)
            return
        written = part == shown and not (last and target.stop)
        if self._streams.owns(channel, message_id):
            buttons = self._buttons(target, last=last)
            end = [row(*buttons)] if buttons else None
            written = await self._streams.write(channel, message_id, part, last=last, end=end)
        if not written:
            await self._update(target, message_id, part, last=last)
        if last and thread:
            await self._status.leave(channel, thread)

    async def delete(self, target: Target, message_id: str) -> None:
        """Take a posted message away; one that is gone already is no error."""
        if self._responses.owns(message_id):
            return
        channel = target.place.channel
        self._streams.forget(channel, message_id)
        try:
            with translated("chat.delete"):
                await self._client.chat_delete(channel=channel, ts=message_id)
        except MessageGone:
            log.debug("slack.gone_already", ts=message_id)

    async def show_working(self, target: Target, status: str) -> bool:
        """Show a status line in the thread; False outside of threads and where Slack refuses.

        Nothing is shown where one person alone is answered: the line is seen by all.
        """
        thread = thread_of(target)
        if not thread or target.private:
            return False
        return await self._status.show(target.place.channel, thread, status)

    async def whisper(self, target: Target, text: str) -> None:
        """Tell the person alone: in the place itself, else by direct message, else by a sign."""
        parts = to_mrkdwn(text)
        refused: PlatformError | None = None
        ways = (self._whisper_here, self._whisper_in_private)
        for way in ways if not target.place.direct else ways[1:]:
            try:
                await way(target, parts)
                return
            except PlatformUnreachable:
                raise
            except PlatformError as error:
                log.info("slack.whisper_refused", channel=target.place.channel, error=str(error))
                refused = error
        if not target.reply_to:
            raise refused or Rejected("nobody to whisper to")
        with translated("reactions.add"):
            await self._client.reactions_add(
                channel=target.place.channel, timestamp=target.reply_to, name=CANT_ANSWER
            )

    async def link(self, place: Place, message_id: str) -> str:
        """Return the address of a message."""
        known = self._links.get((place.channel, message_id))
        if known is not None:
            return known
        with translated("chat.getPermalink"):
            answer = await self._client.chat_getPermalink(
                channel=place.channel, message_ts=message_id
            )
        link = str(answer["permalink"])
        self._links[place.channel, message_id] = link
        while len(self._links) > LINKS_KEPT:
            self._links.popitem(last=False)
        return link

    async def history(
        self, place: Place, *, limit: int, since: float = 0.0
    ) -> Sequence[IncomingMessage]:
        """Read a place's newest messages back from Slack, oldest first."""
        reader = await self._reader()
        return await reader.read(place, limit=limit, since=since)

    async def read_range(self, place: Place, *, limit: int, since: float, until: float) -> History:
        """Read back what was said in a place and its threads."""
        reader = await self._reader()
        return await read_range(reader, place, limit=limit, since=since, until=until)

    async def zone(self, person: str) -> str:
        """Return a person's time zone, as their profile says."""
        with translated("users.info"):
            answer = await self._client.users_info(user=person)
        user = answer.get("user")
        return str(user.get("tz") or "") if isinstance(user, dict) else ""

    async def find_channel(self, near: Place, name: str, *, person: str) -> Place | None:
        """Return the channel of a name or id that both Jay and a person are in."""
        return await find_channel(self._client, near, name, person=person)

    async def name_of(self, place: Place) -> str:
        """Return what people call a channel; empty where it has no name."""
        with translated("conversations.info"):
            answer = await self._client.conversations_info(channel=place.channel)
        channel = answer.get("channel")
        return str(channel.get("name") or "") if isinstance(channel, dict) else ""

    async def open_direct(self, near: Place, person: str) -> Place:
        """Return the place of direct messages with a person."""
        with translated("conversations.open"):
            answer = await self._client.conversations_open(users=person)
        channel = str(answer["channel"]["id"])
        return Place(platform="slack", workspace=near.workspace, channel=channel, direct=True)

    async def places(self, *, since: float) -> Sequence[Place]:
        """Return every place that Jay is in: Slack doesn't tell where something was said."""
        reader = await self._reader()
        return await reader.places()

    async def _reader(self) -> Reader:
        if self._history is None:
            jay = await ask_installation(self._client)
            self._history = Reader(client=self._client, people=People(self._client), jay=jay)
        return self._history

    def _sender(
        self, target: Target, part: str, *, thread: str, nonce: str, last: bool
    ) -> Callable[[], Awaitable[str]]:
        async def send() -> str:
            if self._streams_to(target) and thread and not last and self._streams.allowed:
                begun = await self._streams.start(target, thread=thread, part=part, nonce=nonce)
                if begun:
                    return begun
            text, markdown = self._text(target, part, last=last)
            with translated("chat.postMessage"):
                answer = await self._client.chat_postMessage(
                    channel=target.place.channel,
                    thread_ts=thread or None,
                    text=text,
                    markdown_text=markdown,
                    blocks=self._blocks(target, part, last=last) or None,
                    metadata=metadata(nonce),
                    unfurl_links=False,
                    unfurl_media=False,
                )
            return str(answer["ts"])

        return send

    def _streams_to(self, target: Target) -> bool:
        """Tell whether a target is written to as native streams are: in Markdown."""
        return self._native and not target.handle

    def _text(self, target: Target, part: str, *, last: bool) -> tuple[str | None, str | None]:
        """Return a part as `text` and `markdown_text`; Slack takes only one, with blocks `text`."""
        markdown = self._streams_to(target) and not self._buttons(target, last=last)
        return (None, part) if markdown else (part, None)

    async def _update(self, target: Target, ts: str, part: str, *, last: bool) -> None:
        try:
            await self._send_update(target, ts, part, last=last)
        except Rejected as error:
            if code_of(error) != "streaming_state_conflict":
                raise
            await self._streams.end(target.place.channel, ts)  # another process left it open
            await self._send_update(target, ts, part, last=last)

    def _buttons(self, target: Target, *, last: bool) -> tuple[str, ...]:
        """Return which buttons stand below a part.

        Native streams bring a Stop of their own, and take others when they end.
        """
        return below(target, last=last) if last or not self._streams_to(target) else ()

    def _blocks(self, target: Target, part: str, *, last: bool) -> list[dict[str, object]] | None:
        """Return what stands instead of the text; an edit without buttons takes them away."""
        markdown = self._streams_to(target)
        if buttons := self._buttons(target, last=last):
            return with_buttons(part, *buttons, markdown=markdown)
        return None if markdown else []

    async def _send_update(self, target: Target, ts: str, part: str, *, last: bool) -> None:
        text, markdown = self._text(target, part, last=last)
        with translated("chat.update"):
            await self._client.chat_update(
                channel=target.place.channel,
                ts=ts,
                text=text,
                markdown_text=markdown,
                blocks=self._blocks(target, part, last=last),
                unfurl_links=False,
                unfurl_media=False,
            )

    async def _whisper_here(self, target: Target, parts: Sequence[str]) -> None:
        for part in parts:
            if target.handle:
                await self._responses.say(target, part)
                continue
            with translated("chat.postEphemeral"):
                await self._client.chat_postEphemeral(
                    channel=target.place.channel,
                    user=target.person,
                    text=part,
                    thread_ts=target.place.thread or None,
                )

    async def _whisper_in_private(self, target: Target, parts: Sequence[str]) -> None:
        channel, thread = target.place.channel, target.place.thread
        if not target.place.direct:
            direct = await self.open_direct(target.place, target.person)
            channel, thread = direct.channel, ""
        for part in parts:
            with translated("chat.postMessage"):
                await self._client.chat_postMessage(
                    channel=channel,
                    text=part,
                    thread_ts=thread or None,
                    unfurl_links=False,
                    unfurl_media=False,
                )


def thread_of(target: Target) -> str:
    """Return the thread that a reply goes to; empty for none."""
    if target.place.thread or target.place.direct or target.handle:
        return target.place.thread
    return target.reply_to
