"""Slack's errors in the program's own words: one table, used by every call.

    with translated("chat.update"):
        await client.chat_update(…)

An error's text names the method and Slack's code, never an argument: arguments
hold tokens and what people said.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.errors import (
    MayNotWrite,
    MessageGone,
    PlatformError,
    PlatformUnreachable,
    Rejected,
    TokenRefused,
    TooFast,
)

RETRY_AFTER_S = 5.0
"""Waited where a 429 doesn't say how long."""

REFUSED = frozenset(
    """
    access_denied account_inactive invalid_auth missing_scope no_permission not_allowed_token_type
    not_authed org_login_required team_access_not_granted token_expired token_revoked
    two_factor_setup_required
    """.split()
)
MAY_NOT = frozenset(
    """
    cannot_dm_bot cannot_reply_to_message cant_dm_bot channel_is_limited_access ekm_access_denied
    is_archived is_inactive
    messages_tab_disabled not_in_channel restricted_action restricted_action_non_threadable_channel
    restricted_action_read_only_channel restricted_action_thread_locked
    restricted_action_thread_only_channel user_disabled user_is_restricted user_not_found
    user_not_in_channel user_not_visible
    """.split()
)
GONE = frozenset("channel_not_found message_not_found thread_not_found".split())
BROKEN = frozenset(
    """
    fatal_error internal_error request_timeout service_unavailable team_added_to_org timeout
    """.split()
)
TABLE: tuple[tuple[frozenset[str], type[PlatformError]], ...] = (
    (REFUSED, TokenRefused),
    (MAY_NOT, MayNotWrite),
    (GONE, MessageGone),
    (BROKEN, PlatformUnreachable),
)
"""Which codes are which error. Any other is `Rejected`: trying again would not help."""


@contextmanager
def translated(method: str) -> Iterator[None]:
    """Raise what the body meets as one of `bot.errors`.

    Raises:
        PlatformError: what fits.
    """
    try:
        yield
    except SlackApiError as error:
        raise from_answer(method, error) from error
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        kind = type(error).__name__
        raise PlatformUnreachable(f"Slack can't be reached ({method}: {kind})") from error
    except SlackClientError as error:
        raise Rejected(f"{method}: {type(error).__name__}") from error
    except (AttributeError, TypeError, ValueError) as error:
        # slack_sdk takes for granted that every answer is an object, in UTF-8.
        raise PlatformUnreachable(f"Slack's answer to {method} can't be read") from error


def from_answer(method: str, error: SlackApiError) -> PlatformError:
    """Return the error that an answer of Slack stands for."""
    answer = error.response
    status = getattr(answer, "status_code", getattr(answer, "status", 0))
    body = getattr(answer, "data", None)
    code = str(body.get("error", "")) if isinstance(body, dict) else ""
    if status == 429 or code in ("ratelimited", "rate_limited", "message_limit_exceeded"):
        return TooFast(f"{method}: rate limited", retry_after_s=_retry_after_s(answer))
    if status >= 500 or not code:
        return PlatformUnreachable(f"Slack answers {method} with HTTP {status}")
    needed = str(body.get("needed", "")) if isinstance(body, dict) else ""
    text = f"{method}: {code}" + (f" (needs {needed})" if needed else "")
    for codes, kind in TABLE:
        if code in codes:
            return kind(text)
    return MayNotWrite(text) if code.startswith("restricted_action") else Rejected(text)


def code_of(error: PlatformError) -> str:
    """Return Slack's own code behind an error; empty where there is none."""
    cause = error.__cause__
    body = getattr(cause.response, "data", None) if isinstance(cause, SlackApiError) else None
    return str(body.get("error", "")) if isinstance(body, dict) else ""


def _retry_after_s(answer: object) -> float:
    headers = getattr(answer, "headers", {})
    try:
        return max(0.0, float(headers.get("Retry-After", RETRY_AFTER_S)))
    except ValueError:
        return RETRY_AFTER_S
