"""Hears a Slack workspace: every event becomes a record, is handed on, and only then acked.

Bolt runs a listener before it answers (`process_before_response`), so an answer of
200 means that `hear` has returned. Where the store failed, the event is not acked
(Socket Mode) or answered 503 (HTTP), and Slack delivers it again.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack import normalise
from adapters.slack.errors import translated
from adapters.slack.install import (
    ESSENTIAL,
    SCOPES,
    Installation,
    ask_until_told,
    open_client,
)
from adapters.slack.people import People
from adapters.slack.sockets import Patience, SocketListener, SocketListeners
from adapters.slack.turns import Turns
from adapters.slack.webhooks import WebhookListener
from bot.commands import MessageShortcut, SlashCommand
from bot.errors import PlatformError, SettingsError, StoreError, TokenRefused
from bot.ports import Hear, Missed, nothing_missed
from bot.settings import SlackSettings

log = structlog.get_logger(__name__)

ANYTHING = re.compile(".*")
NOT_KNOWN = "I don't know this command."
TELL_S = 1.5
"""Telling a person takes no longer, so that Slack has its ack within 3 s."""
NO_WAY_IN = (
    "SLACK_BOT_TOKEN is set, but no way for events to come: set SLACK_APP_TOKEN (Socket Mode) or "
    "SLACK_SIGNING_SECRET (HTTP). `jay manifest slack` prints how."
)


class SlackEdge:
    """Listens to one workspace. It implements `bot.ports.Edge`."""

    def __init__(
        self,
        settings: SlackSettings,
        *,
        hear: Hear,
        commands: Sequence[SlashCommand],
        shortcuts: Sequence[MessageShortcut] = (),
        missed: Missed = nothing_missed,
        patience: Patience | None = None,
    ) -> None:
        """Take the settings, what hears events, the commands and shortcuts that are Jay's, and
        whom to tell that something may have been missed.

        Raises:
            SettingsError: events have no way in.
        """
        if not settings.app_token.get_secret_value() and not (
            settings.signing_secret.get_secret_value()
        ):
            raise SettingsError(NO_WAY_IN)
        self._settings, self._hear, self._missed = settings, hear, missed
        self._commands = commands
        self._shortcuts = shortcuts
        self._patience = patience or Patience()
        self._listener: SocketListeners | WebhookListener | None = None

    @property
    def ready(self) -> bool:
        """Whether it is connected now."""
        return self._listener is not None and self._listener.ready

    @property
    def port(self) -> int:
        """Where events by HTTP are taken; 0 without."""
        return self._listener.port if isinstance(self._listener, WebhookListener) else 0

    async def run(self) -> None:
        """Listen until cancelled.

        Raises:
            TokenRefused: Slack will not let Jay in; the text says what to do.
        """
        async with open_client(self._settings) as client:
            try:
                jay = await ask_until_told(client, waits_s=self._patience.retry_s)
            except TokenRefused as error:
                raise TokenRefused(f"{error}. SLACK_BOT_TOKEN: {TokenRefused.hint}") from error
            _look_at_scopes(jay)
            log.info("slack.installed", team=jay.team, bot=jay.name)
            taking = _Taking(
                jay=jay,
                people=People(client),
                hear=self._hear,
                commands=self._commands,
                shortcuts=self._shortcuts,
            )
            self._listener = self._listen(taking.app(client), client)
            try:
                await self._listener.run()
            finally:
                self._listener = None

    def _listen(self, app: AsyncApp, client: AsyncWebClient) -> SocketListeners | WebhookListener:
        app_token = self._settings.app_token.get_secret_value()
        if app_token:
            many = self._settings.sockets
            return SocketListeners(
                [
                    SocketListener(
                        app,
                        client=client,
                        app_token=app_token,
                        patience=self._patience,
                        missed=self._missed,
                        own=many,
                    )
                    for _ in range(many)
                ]
            )
        return WebhookListener(
            app,
            signing_secret=self._settings.signing_secret.get_secret_value(),
            port=self._settings.events_port,
            missed=self._missed,
        )


class _Taking:
    """Takes what bolt hears, for one installation."""

    def __init__(
        self,
        *,
        jay: Installation,
        people: People,
        hear: Hear,
        commands: Sequence[SlashCommand],
        shortcuts: Sequence[MessageShortcut],
    ) -> None:
        self._jay, self._people, self._hear = jay, people, hear
        self._commands, self._shortcuts = commands, shortcuts
        self._turns = Turns()

    def app(self, client: AsyncWebClient) -> AsyncApp:
        """Return a bolt app that brings everything here."""
        app = AsyncApp(
            name="jay",
            client=client,
            authorize=_known(self._jay),
            request_verification_enabled=False,  # webhooks does, before anything is parsed
            process_before_response=True,
            ignoring_self_events_enabled=False,  # normalise does, and knows edits too
            attaching_function_token_enabled=False,
            attaching_conversation_kwargs_enabled=False,
            logger=_bolt_logger(),
        )
        app.event(ANYTHING)(self._take_event)
        app.command(ANYTHING)(self._take_command)
        app.action(ANYTHING)(self._take_press)
        app.message_shortcut(ANYTHING)(self._take_shortcut)
        app.error(_failed)
        return app

    async def _take_event(self, event: Mapping[str, object]) -> None:
        async with self._turns.of(event):
            names = await self._people.names(normalise.people_of(event))
            records = normalise.read_event(event, jay=self._jay, names=names)
            for record in records:
                await self._hear(record)
        if not records:
            kinds = {"type": event.get("type"), "subtype": event.get("subtype")}
            log.debug("slack.event_dropped", **kinds)

    async def _take_command(self, body: Mapping[str, object], ack: AsyncAck) -> None:
        names = await self._people.names(normalise.people_of_command(body))
        command = normalise.read_command(body, jay=self._jay, names=names, now=time.time())
        if command is None or command.name not in {one.name for one in self._commands}:
            log.info("slack.command_unknown", command=str(body.get("command")))
            await ack(NOT_KNOWN)
            return
        await self._hear(command)
        await ack()

    async def _take_press(self, body: Mapping[str, object], ack: AsyncAck) -> None:
        names = await self._people.names(normalise.people_of_press(body))
        pressed = normalise.read_press(body, jay=self._jay, names=names, now=time.time())
        if pressed is not None:
            await self._hear(pressed)
        await ack()

    async def _take_shortcut(
        self, body: Mapping[str, object], ack: AsyncAck, respond: AsyncRespond
    ) -> None:
        if body.get("callback_id") not in {one.id for one in self._shortcuts}:
            log.info("slack.shortcut_unknown", shortcut=str(body.get("callback_id")))
            await _say_privately(respond, NOT_KNOWN)
            await ack()
            return
        names = await self._people.names(normalise.people_of_shortcut(body))
        command = normalise.read_shortcut(
            body, jay=self._jay, names=names, now=time.time(), shortcuts=self._shortcuts
        )
        if command is not None:
            await self._hear(command)
        await ack()


async def _say_privately(respond: AsyncRespond, text: str) -> None:
    """Tell who used a shortcut something: Slack shows nothing of what is in its ack."""
    try:
        with translated("response_url"):
            async with asyncio.timeout(TELL_S):
                await respond(text)
    except PlatformError as error:
        log.info("slack.not_told", error=str(error))


def _known(jay: Installation) -> Callable[[], Awaitable[AuthorizeResult]]:
    """Return what tells bolt whose events these are: it would ask Slack at each event."""
    known = AuthorizeResult(
        enterprise_id=None,
        team_id=jay.team_id,
        bot_id=jay.bot_id,
        bot_user_id=jay.bot_user_id,
    )

    async def authorize() -> AuthorizeResult:
        return known

    return authorize


def _bolt_logger() -> logging.Logger:
    """Return a logger for errors alone: bolt warns that it doesn't use SLACK_BOT_TOKEN."""
    logger = logging.getLogger("slack_bolt.jay")
    logger.setLevel(logging.ERROR)
    return logger


async def _failed(error: Exception) -> BoltResponse:
    """Let Slack deliver again what could not be stored."""
    if isinstance(error, StoreError):
        log.warning("slack.event_not_stored", error=str(error))
        return BoltResponse(status=503)
    log.error("slack.event_failed", error=repr(error), exc_info=error)
    return BoltResponse(status=500)


def _look_at_scopes(jay: Installation) -> None:
    for scope in jay.lacks(tuple(SCOPES)):
        say = log.error if scope in ESSENTIAL else log.warning
        say("slack.scope_missing", scope=scope, needed_to=SCOPES[scope])
