"""What discord.py and the network raise, in Jay's words: one table, used by `rest` and `edge`.

Texts are made of Discord's own message and codes. Addresses never stand in them: those of
interactions hold a token.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

import aiohttp
import discord

from bot.errors import (
    MayNotWrite,
    MessageGone,
    PlatformError,
    PlatformUnreachable,
    Rejected,
    TokenRefused,
    TooFast,
)

LIBRARY_ERRORS = (
    discord.DiscordException,
    aiohttp.ClientError,
    OSError,
    TimeoutError,
    json.JSONDecodeError,
    UnicodeDecodeError,
)
"""All that a call can raise before it is translated."""

BANNED_S = 60.0
"""How long to keep still where a 429 without `Retry-After` comes from Discord's front."""


class IntentMissing(TokenRefused):
    """The application was not granted an intent that Jay needs."""

    hint = (
        "Open https://discord.com/developers/applications, choose the application, Bot, "
        "Privileged Gateway Intents, and switch on Message Content Intent."
    )


class InteractionOver(MessageGone):
    """The interaction can't be answered any more; a plain message still can be posted."""


_BY_CODE: Final[Mapping[int, type[PlatformError]]] = {
    10003: MessageGone,  # Unknown Channel
    10004: MessageGone,  # Unknown Guild
    10008: MessageGone,  # Unknown Message
    10013: MayNotWrite,  # Unknown User
    10015: InteractionOver,  # Unknown Webhook
    10062: InteractionOver,  # Unknown interaction
    40001: TokenRefused,  # Unauthorized
    50001: MayNotWrite,  # Missing Access
    50007: MayNotWrite,  # Cannot send messages to this user
    50013: MayNotWrite,  # Missing Permissions
    50027: InteractionOver,  # Invalid Webhook Token
    50083: MayNotWrite,  # Thread is archived
    50278: MayNotWrite,  # No server in common with this user
    160002: MayNotWrite,  # Cannot reply without permission to read message history
    160005: MayNotWrite,  # Thread is locked
}
_BY_STATUS: Final[Mapping[int, type[PlatformError]]] = {
    401: TokenRefused,
    403: MayNotWrite,
    404: MessageGone,
}
_REFUSED_CLOSES: Final[Mapping[int, type[TokenRefused]]] = {
    4004: TokenRefused,  # Authentication failed
    4014: IntentMissing,  # Disallowed intent
}


def translate(error: BaseException) -> PlatformError:
    """Return the error that the rest of Jay knows for one of `LIBRARY_ERRORS`."""
    match error:
        case discord.HTTPException():
            return _refusal(error)
        case discord.RateLimited():
            return TooFast(
                f"Discord asks to wait {error.retry_after:.1f} s", retry_after_s=error.retry_after
            )
        case discord.LoginFailure():
            return TokenRefused("Discord does not know this bot token")
        case discord.PrivilegedIntentsRequired():
            return IntentMissing("Discord refuses the Message Content intent")
        case discord.ConnectionClosed():
            kind = _REFUSED_CLOSES.get(error.code, PlatformUnreachable)
            return kind(f"Discord closed the gateway with {error.code}")
        case TimeoutError():
            return PlatformUnreachable("Discord did not answer in time")
        case aiohttp.ClientConnectorError():
            return PlatformUnreachable(f"Discord can't be reached at {error.host}:{error.port}")
    return PlatformUnreachable(f"Discord can't be reached ({type(error).__name__})")


def _refusal(error: discord.HTTPException) -> PlatformError:
    text = f"Discord answered {error.status}, code {error.code}: {error.text or 'no text'}"
    if error.status == 429:
        return TooFast(text, retry_after_s=_retry_after_s(error))
    if error.status >= 500:
        return PlatformUnreachable(text)
    code = error.code if isinstance(error.code, int) else 0
    kind = _BY_CODE.get(code) or _BY_STATUS.get(error.status, Rejected)
    return kind(text)


def _retry_after_s(error: discord.HTTPException) -> float:
    try:
        return float(error.response.headers.get("Retry-After", BANNED_S))
    except ValueError:
        return BANNED_S
