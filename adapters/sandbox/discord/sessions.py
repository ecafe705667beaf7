"""The gateway's sessions: what each was told, kept for a while so that it can be resumed.

A session outlives its connection. Its newest events stay in a bounded buffer; a client
that comes back in time gets those after the last number it has seen, and one that comes
too late, or has missed more than is kept, must begin anew.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from adapters.sandbox.discord import events, intents
from adapters.sandbox.discord.events import Dispatch
from adapters.sandbox.discord.guild import Guild

EVENTS_KEPT = 2_000
SESSIONS_MAX = 64
_WITH_CONTENT = ("MESSAGE_CREATE", "MESSAGE_UPDATE")


@dataclass(slots=True, eq=False, kw_only=True)
class Session:
    """What one client was told since it identified itself."""

    id: str
    intents: int
    shard: list[int]
    seq: int = 0
    """The number of its newest event."""
    left_at: float | None = None
    """Since when it has no connection, None while it has one."""
    holder: Callable[[], None] | None = None
    """Cuts the connection that it has."""
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """Set with each event."""
    _kept: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=EVENTS_KEPT))

    def tell(self, told: Dispatch, *, bot: str) -> None:
        """Number an event and keep it, if the session's intents let it through."""
        if told.needs and not told.needs & self.intents:
            return
        data = told.data
        if told.name in _WITH_CONTENT and not self.intents & intents.MESSAGE_CONTENT:
            data = intents.without_content(data, bot)
        self.seq += 1
        payload = {"op": 0, "t": told.name, "s": self.seq, "d": data}
        self._kept.append((self.seq, json.dumps(payload)))
        self.news.set()

    def hears(self, guild_id: object) -> bool:
        """Tell whether a server's events come to its shard; what is of no server comes to 0."""
        index, count = self.shard
        known = str(guild_id).isdecimal()
        return index == (int(str(guild_id)) >> 22) % count if known else index == 0

    def since(self, seq: int) -> list[tuple[int, str]] | None:
        """Return the events after a number, None when some of them are no longer kept."""
        oldest = self._kept[0][0] if self._kept else self.seq + 1
        if seq + 1 < oldest:
            return None
        return [kept for kept in self._kept if kept[0] > seq]


class Sessions:
    """All sessions of the bot.

    Args:
        place: The server.
    """

    def __init__(self, place: Guild) -> None:
        self._place = place
        self._known: dict[str, Session] = {}
        self._begun: deque[float] = deque(maxlen=place.pace.identifies)

    def begin(self, *, asked: int, shard: list[int], resume_url: str) -> Session | None:
        """Begin a session with READY and the server; None when too many began just now."""
        now = self._place.world.clock()
        pace = self._place.pace
        if len(self._begun) == pace.identifies and now - self._begun[0] < pace.identify_every_s:
            return None
        self._begun.append(now)
        self._make_room()
        session = Session(id=secrets.token_hex(16), intents=asked, shard=shard)
        self._known[session.id] = session
        bot = self._place.world.bot_id
        begun = events.ready(
            self._place,
            session=session.id,
            shard=shard,
            resume_url=resume_url,
            hears=session.hears(self._place.world.home_id),
        )
        session.tell(begun, bot=bot)
        if session.hears(self._place.world.home_id):
            session.tell(events.guild(self._place, asked), bot=bot)
        return session

    def find(self, session_id: str) -> Session | None:
        """Return a session that can still be resumed."""
        self._forget_expired()
        return self._known.get(session_id)

    def leave(self, session: Session) -> None:
        """Note that a session has no connection now."""
        session.left_at = self._place.world.clock()

    def end(self, session: Session) -> None:
        """Forget a session: it can't be resumed."""
        self._known.pop(session.id, None)

    def end_all(self) -> None:
        """Forget every session."""
        self._known.clear()

    def tell(self, told: Dispatch) -> None:
        """Tell every session an event."""
        self._forget_expired()
        copies = 2 if self._place.faults.is_on("discord", "duplicate_events") else 1
        guild = told.data.get("guild_id") if isinstance(told.data, dict) else None
        for session in self._known.values():
            for _ in range(copies if session.hears(guild) else 0):
                session.tell(told, bot=self._place.world.bot_id)

    def _forget_expired(self) -> None:
        now, keep_s = self._place.world.clock(), self._place.pace.resume_s
        for session in list(self._known.values()):
            if session.left_at is not None and now - session.left_at > keep_s:
                self.end(session)

    def _make_room(self) -> None:
        self._forget_expired()
        while len(self._known) >= SESSIONS_MAX:
            gone = [one for one in self._known.values() if one.left_at is not None]
            self.end(gone[0] if gone else next(iter(self._known.values())))
