"""Native streams: messages that grow by appending, with Slack's own Stop button.

A stream takes no edits, only appends. What is not sure to stay (a fence that is
closed for now, half a mark at the end of a line) is held back; where the text
changed all the same, where a person pressed Stop, where the stream is too old or
its state is unknown, it is ended and the message goes on by `chat.update`.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.errors import code_of, translated
from adapters.slack.limits import STREAM_LIFE_S
from adapters.slack.posting import metadata
from bot.errors import MayNotWrite, MessageGone, PlatformUnreachable, Rejected, TokenRefused
from bot.ports import Target

log = structlog.get_logger(__name__)

Blocks = Sequence[dict[str, object]]

OPEN_MAX = 1_000
FENCE_END = "\n```"
MAY_CHANGE = ("\\*", "\\_", "\\`", "\\~", "\\[", "\\!")
"""Signs that are text until their other half comes."""


@dataclass(slots=True)
class _Open:
    nonce: str
    sent: str
    began: float
    unsure: bool = False
    """An append's answer was lost: what the message reads is unknown."""


class Streams:
    """The streams that this process writes to."""

    def __init__(self, client: AsyncWebClient, *, clock: Callable[[], float] = time.time) -> None:
        """Take the client that writes, and a clock to tell how old a stream is."""
        self._client, self._clock = client, clock
        self._open: OrderedDict[tuple[str, str], _Open] = OrderedDict()
        self._allowed = True

    @property
    def allowed(self) -> bool:
        """Whether Slack has not refused a stream to this app yet."""
        return self._allowed

    def owns(self, channel: str, ts: str) -> bool:
        """Tell whether a message is a stream that is open here."""
        return (channel, ts) in self._open

    async def start(self, target: Target, *, thread: str, part: str, nonce: str) -> str:
        """Begin a stream; return its `ts`, or nothing where this app may not stream.

        Raises:
            PlatformError: it could not be begun for another reason.
        """
        first = steady(part)
        try:
            with translated("chat.startStream"):
                answer = await self._client.chat_startStream(
                    channel=target.place.channel,
                    thread_ts=thread,
                    markdown_text=first or None,
                    recipient_team_id=target.place.workspace,
                    recipient_user_id=target.person,
                )
        except (Rejected, TokenRefused) as error:
            log.warning("slack.no_native_streams", error=str(error))
            self._allowed = False
            return ""
        ts = str(answer["ts"])
        self._open[target.place.channel, ts] = _Open(nonce, first, self._clock())
        while len(self._open) > OPEN_MAX:
            self._open.popitem(last=False)
        return ts

    async def write(
        self, channel: str, ts: str, part: str, *, last: bool, end: Blocks | None = None
    ) -> bool:
        """Let a stream read `part`; False where it is ended and must be edited instead.

        Args:
            channel: where it is.
            ts: the message.
            part: its text.
            last: nothing more will come; the stream is ended.
            end: blocks that stand below the text then.

        Raises:
            PlatformError: Slack could not be reached, asks to wait, or has no such message.
        """
        stream = self._open[channel, ts]
        wanted = part if last else steady(part)
        aged = self._clock() - stream.began > STREAM_LIFE_S
        if not last and stream.sent.startswith(wanted) and not (aged or stream.unsure):
            return True
        fits = wanted.startswith(stream.sent) and not stream.unsure
        try:
            if not fits or (aged and not last):
                await self.end(channel, ts)
                return False
            added = wanted[len(stream.sent) :]
            await self._add(channel, ts, added, stream, last=last, end=end)
        except PlatformUnreachable:
            stream.unsure = True
            raise
        except (Rejected, MayNotWrite) as error:
            log.info("slack.stream_ended", ts=ts, error=code_of(error))
            await self.end(channel, ts)
            return False
        except MessageGone:
            self.forget(channel, ts)
            raise
        stream.sent = wanted
        if last:
            self.forget(channel, ts)
        return True

    async def end(self, channel: str, ts: str) -> None:
        """Stop a stream, ours or one that another process left; one that is over is no error."""
        try:
            with translated("chat.stopStream"):
                await self._client.chat_stopStream(channel=channel, ts=ts)
        except (Rejected, MayNotWrite, MessageGone) as error:
            log.debug("slack.stream_over", ts=ts, error=code_of(error))
        self.forget(channel, ts)

    def forget(self, channel: str, ts: str) -> None:
        """Take a stream for over."""
        self._open.pop((channel, ts), None)

    async def _add(
        self, channel: str, ts: str, added: str, stream: _Open, *, last: bool, end: Blocks | None
    ) -> None:
        if last:
            with translated("chat.stopStream"):
                await self._client.chat_stopStream(
                    channel=channel,
                    ts=ts,
                    markdown_text=added or None,
                    blocks=end,
                    metadata=metadata(stream.nonce),
                )
            return
        with translated("chat.appendStream"):
            await self._client.chat_appendStream(channel=channel, ts=ts, markdown_text=added)


def steady(part: str) -> str:
    """Return as much of a part in the making as will not change when more comes. Pure."""
    if part.endswith(FENCE_END):
        return part.removesuffix(FENCE_END)
    head, newline, line = part.rpartition("\n")
    cuts = [at for sign in MAY_CHANGE if (at := line.find(sign)) >= 0]
    return head + newline + line[: min(cuts, default=len(line))]
