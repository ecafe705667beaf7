"""What `jay doctor` asks of Slack."""

from __future__ import annotations

from collections.abc import AsyncIterator

from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.install import SCOPES, Installation, ask_installation, open_client
from adapters.slack.sockets import APP_TOKEN_HINT, ask_address
from bot.errors import PlatformError, TokenRefused
from bot.findings import Finding
from bot.settings import SlackSettings

UNREACHABLE_HINT = "Can this machine reach {url}? Is there a proxy in the way?"


async def check(settings: SlackSettings) -> AsyncIterator[Finding]:
    """Yield what was found: is the token good, what may it do, do events have a way in."""
    if not settings.bot_token.get_secret_value():
        yield Finding(name="slack", ok=True, detail="off: SLACK_BOT_TOKEN is not set")
        return
    async with open_client(settings) as client:
        try:
            jay = await ask_installation(client)
        except PlatformError as error:
            yield _refused("slack token", error, settings, TokenRefused.hint)
        else:
            yield Finding(
                name="slack token", ok=True, detail=f"{jay.name} in {jay.team} ({jay.url})"
            )
            yield _scopes(jay)
        yield await _way_in(client, settings)


def _scopes(jay: Installation) -> Finding:
    if not jay.scopes:
        return Finding(name="slack scopes", ok=True, detail="Slack doesn't tell them")
    lacking = jay.lacks(tuple(SCOPES))
    if not lacking:
        return Finding(name="slack scopes", ok=True, detail=f"all {len(SCOPES)}")
    reasons = "; ".join(f"{scope} (to {SCOPES[scope]})" for scope in lacking)
    return Finding(
        name="slack scopes",
        ok=False,
        detail=f"lacks {reasons}",
        hint="Add them under OAuth & Permissions, then reinstall the app.",
    )


async def _way_in(client: AsyncWebClient, settings: SlackSettings) -> Finding:
    app_token = settings.app_token.get_secret_value()
    if app_token:
        try:
            await ask_address(client, app_token)
        except PlatformError as error:
            return _refused("slack events", error, settings, APP_TOKEN_HINT)
        return Finding(name="slack events", ok=True, detail="Socket Mode opens a connection")
    if settings.signing_secret.get_secret_value():
        detail = f"by HTTP, on port {settings.events_port} at /slack/events"
        return Finding(name="slack events", ok=True, detail=detail)
    return Finding(
        name="slack events",
        ok=False,
        detail="events have no way in",
        hint="Set SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP).",
    )


def _refused(name: str, error: PlatformError, settings: SlackSettings, hint: str) -> Finding:
    refused = isinstance(error, TokenRefused)
    return Finding(
        name=name,
        ok=False,
        detail=str(error),
        hint=hint if refused else UNREACHABLE_HINT.format(url=settings.api_url),
    )
