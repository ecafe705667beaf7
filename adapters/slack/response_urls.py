"""Answering a command where Jay may not post: its `response_url`.

Such an answer is seen by the person alone, takes no edits, and an address takes
five of them. So a part is held back until it is final and then sent once; where
the reply has a Stop button, what comes first is sent too, to carry it. A
message id is made up here, as Slack tells none, and comes back with a press.
"""

from __future__ import annotations

from collections import OrderedDict

import aiohttp

from adapters.slack.buttons import MADE_UP, STOP, below, with_buttons
from adapters.slack.errors import translated
from bot.errors import PlatformUnreachable, Rejected, TooFast
from bot.ports import Target

REMEMBERED_MAX = 1_000


class ResponseUrls:
    """The commands that are answered this way."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        """Take the session that posts."""
        self._session = session
        self._handles: OrderedDict[str, None] = OrderedDict()
        self._sent: OrderedDict[str, None] = OrderedDict()

    def chosen(self, handle: str) -> bool:
        """Tell whether a command is answered this way."""
        return handle in self._handles

    def choose(self, handle: str) -> None:
        """Answer a command this way from now on."""
        _keep(self._handles, handle)

    @staticmethod
    def owns(message_id: str) -> bool:
        """Tell whether a message id was made up here."""
        return message_id.startswith(MADE_UP)

    async def post(self, target: Target, part: str, *, nonce: str, last: bool) -> str:
        """Send a part if it is final, or carries a Stop button; return the id to go on with.

        Raises:
            PlatformError: it could not be sent.
        """
        message_id = MADE_UP + nonce
        if last:
            await self.edit(target, message_id, part)
        elif target.stop:
            await self._say(target, part, with_buttons(part, STOP, value=message_id))
        return message_id

    async def edit(self, target: Target, message_id: str, part: str) -> None:
        """Send a final part, once.

        Raises:
            PlatformError: it could not be sent.
        """
        if message_id in self._sent:
            return
        buttons = below(target, last=True)
        blocks = with_buttons(part, *buttons, value=message_id) if buttons else None
        await self._say(target, part, blocks)
        _keep(self._sent, message_id)

    async def say(self, target: Target, text: str) -> None:
        """Tell the person something.

        Raises:
            PlatformError: the address is used up or too old, or Slack can't be reached.
        """
        await self._say(target, text, None)

    async def _say(self, target: Target, text: str, blocks: list[dict[str, object]] | None) -> None:
        body: dict[str, object] = {
            "text": text,
            "response_type": "ephemeral",
            "replace_original": False,
        }
        if blocks:
            body["blocks"] = blocks
        if target.place.thread:
            # A button was pressed there; without it the answer stands in the channel.
            body["thread_ts"] = target.place.thread
        with translated("response_url"):
            async with self._session.post(target.handle, json=body) as answer:
                status = answer.status
                wait_s = answer.headers.get("Retry-After", "1")
        if status == 429:
            asked_s = float(wait_s) if wait_s.isdecimal() else 1.0
            raise TooFast("response_url: rate limited", retry_after_s=asked_s)
        if status >= 500:
            raise PlatformUnreachable(f"Slack answers a response_url with HTTP {status}")
        if status >= 400:
            raise Rejected("the command's answer address is used up or too old")


def _keep(kept: OrderedDict[str, None], name: str) -> None:
    kept[name] = None
    while len(kept) > REMEMBERED_MAX:
        kept.popitem(last=False)
