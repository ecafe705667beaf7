"""Slack's limits: sizes, tiers and the posting rate, written here a second time.

The adapter that talks to Slack holds the same numbers for itself; that they stand in two
places is on purpose, so that one end checks the other.
Sources: docs.slack.dev, "Rate limits" and the reference page of each method.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

TEXT_TRUNCATED_AT = 40_000
"""`chat.postMessage` cuts a longer `text`."""
UPDATE_TEXT_MAX = 4_000
"""`chat.update` refuses a longer `text` with `msg_too_long`."""
MARKDOWN_TEXT_MAX = 12_000
"""`markdown_text`, all `markdown` blocks of a payload together, and a whole stream."""
SECTION_TEXT_MAX = 3_000
SECTION_FIELD_MAX = 2_000
SECTION_FIELDS_MAX = 10
HEADER_TEXT_MAX = 150
CONTEXT_ELEMENTS_MAX = 10
ACTION_ELEMENTS_MAX = 25
BLOCKS_MAX = 50
BLOCK_ID_MAX = 255
METADATA_MAX_BYTES = 8_000
VIEW_MAX_BYTES = 250_000
STREAM_LIFE_S = 300
"""A stream closes by itself after about five minutes."""
SOCKETS_MAX = 10
"""Open Socket Mode connections an app may have."""
RESPONSE_URL_USES = 5
RESPONSE_URL_LIFE_S = 1_800
HISTORY_DEFAULT, HISTORY_MAX = 100, 999
WINDOW_S = 60.0
PER_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100, 5: 300}
"""Calls a minute by tier. Tier 5 stands for the special ones ("hundreds a minute")."""
POSTS_PER_S = 1.0
POSTS_BURST = 4
"""Slack allows posting "short bursts" above one message a second a channel."""


class Limits:
    """Counts calls by method and posts by channel, and says how long a call must wait.

    Args:
        clock: Seconds.
        on: False lets everything through, for tests of something else.
    """

    def __init__(self, clock: Callable[[], float], *, on: bool = True) -> None:
        self.on = on
        self._clock = clock
        self._calls: dict[str, deque[float]] = {}
        self._posts: dict[str, tuple[float, float]] = {}

    def call(self, method: str, tier: int) -> int:
        """Count a call. Returns 0, or the seconds to wait (and then it is not counted)."""
        now = self._clock()
        calls = self._calls.setdefault(method, deque(maxlen=max(PER_MINUTE.values())))
        while calls and now - calls[0] >= WINDOW_S:
            calls.popleft()
        if self.on and len(calls) >= PER_MINUTE[tier]:
            return max(1, math.ceil(WINDOW_S - (now - calls[0])))
        calls.append(now)
        return 0

    def post(self, channel: str) -> int:
        """Count a post to a channel. Returns 0, or the seconds to wait."""
        now = self._clock()
        left, since = self._posts.get(channel, (float(POSTS_BURST), now))
        left = min(float(POSTS_BURST), left + max(0.0, now - since) * POSTS_PER_S)
        if self.on and left < 1:
            self._posts[channel] = (left, now)
            return max(1, math.ceil((1 - left) / POSTS_PER_S))
        self._posts[channel] = (max(0.0, left - 1), now)
        return 0
