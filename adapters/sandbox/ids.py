"""Identifiers in the platforms' own formats, the same ones for the same seed.

Slack: letters such as `U07…` and a message's `ts`, which is its time and its name
within a channel. Discord: snowflakes, whose upper bits are the time in milliseconds.
"""

from __future__ import annotations

import random
import string
from collections.abc import Iterable
from typing import Protocol

DISCORD_EPOCH_MS = 1_420_070_400_000
"""The first second of 2015, from which snowflakes count."""

_LETTERS = string.ascii_uppercase + string.digits


class Ids(Protocol):
    """Makes ids for one world and knows their order."""

    def thing(self, kind: str, *, at: float) -> str:
        """Return a new id for a `team`, `member`, `bot`, `channel`, `direct`, `app`, `file`…."""
        ...

    def message(self, *, at: float, after: str | None = None) -> str:
        """Return a new message id for the time `at`, later than the id `after`."""
        ...

    def key(self, message_id: str) -> tuple[int, int]:
        """Return what message ids sort by. A text that is no id sorts first."""
        ...

    def reserve(self, taken: Iterable[str]) -> None:
        """Never make these ids: an earlier run did."""
        ...


class SlackIds:
    """`T…`, `U…`, `C…`, `D…`, `A…`, `B…`, `F…` and ts such as `1700000000.000100`."""

    _PREFIX = {"team": "T", "channel": "C", "private": "G", "direct": "D"} | {
        "app": "A",
        "bot": "B",
        "file": "F",
        "event": "Ev",
    }

    def __init__(self, seed: int = 7) -> None:
        self._random = random.Random(seed)
        self._taken: set[str] = set()

    def thing(self, kind: str, *, at: float) -> str:
        """Return a new id whose first letter tells the kind (`U` for every member)."""
        prefix = self._PREFIX.get(kind, "U")
        while True:
            made = prefix + "0" + "".join(self._random.choices(_LETTERS, k=9))
            if made not in self._taken:
                self._taken.add(made)
                return made

    def message(self, *, at: float, after: str | None = None) -> str:
        """Return a ts, one microsecond later than `after` where the clock stood still."""
        whole, micro = divmod(round(at * 1_000_000), 1_000_000)
        key = (whole, micro)
        if after is not None and key <= self.key(after):
            whole, micro = self.key(after)
            key = (whole, micro + 1) if micro < 999_999 else (whole + 1, 0)
        return f"{key[0]}.{key[1]:06d}"

    def key(self, message_id: str) -> tuple[int, int]:
        """Return (seconds, microseconds)."""
        whole, _, fraction = message_id.partition(".")
        if not whole.isdigit() or not (fraction.isdigit() or not fraction):
            return (0, 0)
        return (int(whole), int(fraction.ljust(6, "0")[:6]) if fraction else 0)

    def reserve(self, taken: Iterable[str]) -> None:
        """Never make these ids: an earlier run did."""
        self._taken.update(taken)


class DiscordIds:
    """Snowflakes: milliseconds since 2015, then a running number."""

    def __init__(self) -> None:
        self._running = 0

    def thing(self, kind: str, *, at: float) -> str:
        """Return a new snowflake for the time `at`, whatever the kind."""
        self._running = (self._running + 1) & 0x3FFFFF
        return str(((int(at * 1000) - DISCORD_EPOCH_MS) << 22) | self._running)

    def message(self, *, at: float, after: str | None = None) -> str:
        """Return a snowflake, one above `after` where the clock stood still."""
        made = int(self.thing("message", at=at))
        if after is not None and made <= int(after):
            made = int(after) + 1
        return str(made)

    def key(self, message_id: str) -> tuple[int, int]:
        """Return the snowflake itself as a number."""
        return (int(message_id) if message_id.isdigit() else 0, 0)

    def reserve(self, taken: Iterable[str]) -> None:
        """Start above the running numbers in use, so that none comes twice."""
        self._running = max(
            [self._running, *(int(one) & 0x3FFFFF for one in taken if one.isdigit())]
        )
