"""Answering a command where Jay may not post: its `response_url`.

Such an answer is seen by the person alone, takes no edits, and an address takes
five of them. So a part is held back until it is final and then sent once. Its
message id is made up here, as Slack tells none.
"""

from __future__ import annotations

from collections import OrderedDict

import aiohttp

from adapters.slack.errors import translated
from bot.errors import PlatformUnreachable, Rejected, TooFast

PREFIX = "response:"
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
        return message_id.startswith(PREFIX)

    async def post(self, handle: str, part: str, *, nonce: str, last: bool) -> str:
        """Send a part if it is final; return the id to go on with.

        Raises:
            PlatformError: it could not be sent.
        """
        message_id = PREFIX + nonce
        if last:
            await self.edit(handle, message_id, part)
        return message_id

    async def edit(self, handle: str, message_id: str, part: str) -> None:
        """Send a final part, once.

        Raises:
            PlatformError: it could not be sent.
        """
        if message_id in self._sent:
            return
        await self.say(handle, part)
        _keep(self._sent, message_id)

    async def say(self, handle: str, text: str) -> None:
        """Tell the person something.

        Raises:
            PlatformError: the address is used up or too old, or Slack can't be reached.
        """
        body = {"text": text, "response_type": "ephemeral", "replace_original": False}
        with translated("response_url"):
            async with self._session.post(handle, json=body) as answer:
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
