"""Discord's limits: sizes and rate limit buckets, written here a second time.

The adapter that talks to Discord holds the same numbers for itself; that they stand in
two places is on purpose, so that one end checks the other.
Sources: discord.com/developers, "Rate Limits", "Gateway" and the page of each resource;
the sizes of buckets, which Discord leaves to its headers, are what those are seen to say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

CONTENT_MAX = 2_000
EMBEDS_MAX = 10
EMBED_TITLE_MAX = 256
EMBED_DESCRIPTION_MAX = 4_096
EMBED_FIELDS_MAX = 25
EMBED_FIELD_NAME_MAX = 256
EMBED_FIELD_VALUE_MAX = 1_024
EMBED_FOOTER_MAX = 2_048
EMBED_AUTHOR_MAX = 256
EMBEDS_TOTAL_MAX = 6_000
"""Characters over all embeds of a message."""
NONCE_MAX = 25
NONCE_KEPT_S = 300.0
"""How long `enforce_nonce` knows a nonce: "the past few minutes"."""
FILES_MAX = 10
FILE_BYTES_MAX = 10 * 1024**2
ACTION_ROWS_MAX = 5
BUTTONS_MAX = 5
CUSTOM_ID_MAX = 100
BUTTON_LABEL_MAX = 80
THREAD_NAME_MAX = 100
HISTORY_DEFAULT, HISTORY_MAX = 50, 100
ARCHIVED_MAX = 100
MEMBERS_MAX = 1_000
REACTIONS_MAX = 20
"""Different emoji on a message."""
COMMANDS_MAX, MENUS_MAX = 100, 5
"""Slash commands; commands of messages' menus, and as many of users'."""
COMMAND_NAME_MAX = 32
COMMAND_DESCRIPTION_MAX = 100
COMMAND_OPTIONS_MAX = 25
COMMAND_CHOICES_MAX = 25
CHOICE_MAX = 100
COMMAND_TOTAL_MAX = 8_000
GATEWAY_PAYLOAD_MAX = 4_096
"""Bytes of one payload that a client sends."""
GATEWAY_SENDS, GATEWAY_SENDS_PER_S = 120, 60.0
CONNECTIONS_MAX = 64
GLOBAL_CALLS, GLOBAL_PER_S = 50, 1.0
WINDOWS_KEPT = 5_000


@dataclass(frozen=True, slots=True)
class Rate:
    """So many calls in so many seconds, counted from the first of them."""

    calls: int
    per_s: float


RATES: dict[str, Rate] = {
    "message.create": Rate(5, 5.0),
    "message.edit": Rate(5, 5.0),
    "message.delete": Rate(5, 1.0),
    "message.read": Rate(10, 5.0),
    "typing": Rate(5, 5.0),
    "reaction": Rate(1, 0.25),
    "thread.create": Rate(50, 300.0),
    "thread.member": Rate(10, 5.0),
    "direct.open": Rate(10, 10.0),
    "webhook": Rate(5, 2.0),
    "callback": Rate(50, 5.0),
    "command": Rate(20, 20.0),
    "other": Rate(30, 5.0),
}
"""The rate of each bucket, per channel, guild or webhook token where the route has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a bucket stands after a call was counted or refused."""

    limit: int
    remaining: int
    reset_after_s: float
    reset_at: float
    bucket: str
    refused: bool = False
    everywhere: bool = False
    """Whether it was the global limit that refused."""

    def headers(self) -> dict[str, str]:
        """Return the `X-RateLimit-…` headers of the answer."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": f"{self.reset_at:.3f}",
            "X-RateLimit-Reset-After": f"{self.reset_after_s:.3f}",
            "X-RateLimit-Bucket": self.bucket,
        }


@dataclass(slots=True)
class _Window:
    since: float
    used: int = 0


class Limits:
    """Counts calls by bucket and in all, and says how each bucket stands.

    Args:
        clock: Unix seconds.
        on: False counts but refuses nothing and always has one call left, for tests of
            something else.
    """

    def __init__(self, clock: Callable[[], float], *, on: bool = True) -> None:
        self.on = on
        self._clock = clock
        self._windows: dict[tuple[str, str], _Window] = {}

    def call(self, name: str, major: str, *, counts_globally: bool) -> Standing:
        """Count a call to a bucket, unless it is refused.

        Args:
            name: The bucket's name in `RATES`.
            major: The channel, guild or webhook token that the bucket belongs to.
            counts_globally: Whether it is one of the 50 calls a second; answers to
                interactions are not.
        """
        now = self._clock()
        if counts_globally:
            over = self._count("global", "", Rate(GLOBAL_CALLS, GLOBAL_PER_S), now)
            if over.refused:
                return over
        return self._count(name, major, RATES[name], now)

    def _count(self, name: str, major: str, rate: Rate, now: float) -> Standing:
        window = self._windows.get((name, major))
        if window is None or not 0 <= now - window.since < rate.per_s:
            window = _Window(now)
            self._make_room(now)
            self._windows[name, major] = window
        refused = self.on and window.used >= rate.calls
        if not refused:
            window.used += 1
        reset_after = max(0.001, window.since + rate.per_s - now)
        return Standing(
            limit=rate.calls,
            remaining=max(0 if self.on else 1, rate.calls - window.used),
            reset_after_s=reset_after,
            reset_at=now + reset_after,
            bucket=hashlib.sha256(name.encode()).hexdigest()[:32],
            refused=refused,
            everywhere=refused and name == "global",
        )

    def _make_room(self, now: float) -> None:
        if len(self._windows) < WINDOWS_KEPT:
            return
        longest = max(rate.per_s for rate in RATES.values())
        self._windows = {
            key: window for key, window in self._windows.items() if now - window.since < longest
        }
