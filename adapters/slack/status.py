"""The status line that says that Jay is at work, where Slack has one.

In a thread only. Apps with native streams have agent sessions, whose `processing`
they must leave themselves; others have the assistant's status, which Slack clears
with the next message.
"""

from __future__ import annotations

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.errors import translated
from bot.errors import PlatformError, Rejected, TokenRefused

log = structlog.get_logger(__name__)

PROCESSING_MAX = 1_000


class WorkingStatus:
    """Shows and clears the status line."""

    def __init__(self, client: AsyncWebClient, *, sessions: bool) -> None:
        """Take the client, and whether this app has agent sessions."""
        self._client = client
        self._sessions, self._threads = sessions, True
        self._processing: dict[tuple[str, str], None] = {}

    async def show(self, channel: str, thread: str, text: str) -> bool:
        """Show it; False where Slack has no such thing for this app."""
        if self._sessions:
            try:
                with translated("agents.sessions.setStatus"):
                    await self._client.agents_sessions_setStatus(
                        channel_id=channel, thread_ts=thread, status="processing"
                    )
            except (Rejected, TokenRefused) as error:
                log.info("slack.no_agent_sessions", error=str(error))
                self._sessions = False
            except PlatformError as error:
                log.info("slack.no_status", error=str(error))
            else:
                self._processing[channel, thread] = None
                while len(self._processing) > PROCESSING_MAX:
                    self._processing.pop(next(iter(self._processing)))
        return await self._show_line(channel, thread, text)

    async def _show_line(self, channel: str, thread: str, text: str) -> bool:
        if not self._threads:
            return (channel, thread) in self._processing
        try:
            with translated("assistant.threads.setStatus"):
                await self._client.assistant_threads_setStatus(
                    channel_id=channel, thread_ts=thread, status=text
                )
        except TokenRefused as error:
            log.info("slack.no_thread_status", error=str(error))
            self._threads = False
            return (channel, thread) in self._processing
        except PlatformError as error:
            log.info("slack.no_status", error=str(error))
            return (channel, thread) in self._processing
        return True

    async def leave(self, channel: str, thread: str) -> None:
        """End `processing` after a reply that was not a native stream."""
        if (channel, thread) not in self._processing:
            return
        del self._processing[channel, thread]
        try:
            with translated("agents.sessions.setStatus"):
                await self._client.agents_sessions_setStatus(
                    channel_id=channel, thread_ts=thread, status="active"
                )
        except PlatformError as error:
            log.info("slack.session_not_left", error=str(error))
