"""A platform's surface in memory, with limits that a test can turn."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bot.errors import MayNotWrite, MessageGone, PlatformError
from bot.histories import History
from bot.messages import IncomingMessage, Place
from bot.paces import Pace, SharedPace
from bot.ports import Target


@dataclass
class MemorySurface:
    """Keeps what is shown; renders Markdown as it is, cut every `limit` characters."""

    limit: int = 2000
    pace: Pace = field(default_factory=lambda: Pace(writes=5, per_s=5.0))
    shared_pace: SharedPace | None = None
    read_pace: Pace = field(default_factory=lambda: Pace(writes=5, per_s=5.0))
    shows_status: bool = True
    shown: dict[str, str] = field(default_factory=dict)
    history_of: list[IncomingMessage] = field(default_factory=list)
    history_errors: list[PlatformError] = field(default_factory=list)
    places_errors: list[Exception] = field(default_factory=list)
    reads: list[Place] = field(default_factory=list)
    sits_in: list[Place] = field(default_factory=list)
    closed_to_jay: set[str] = field(default_factory=set)
    """Channels whose history Jay may not read."""
    readable: dict[tuple[str, str], Place] = field(default_factory=dict)
    """Channels by who may read them and their name."""
    zones: dict[str, str] = field(default_factory=dict)
    whispers: list[tuple[str, str]] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    writes: list[tuple[str, str, str]] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)
    errors: list[PlatformError] = field(default_factory=list)
    """Raised one by one by the next posts and edits."""
    lost_answers: list[PlatformError] = field(default_factory=list)
    """Raised one by one by the next posts, once what was asked is done."""
    nonces: dict[str, str] = field(default_factory=dict)
    targets: list[Target] = field(default_factory=list)
    """Where each post went."""
    explained: set[str] = field(default_factory=set)
    """Messages below which a Why? button stands."""

    def render(self, markdown: str, *, target: Target) -> tuple[str, ...]:
        # As the real ones do: markup without words shows nothing.
        text = markdown.strip() if markdown.strip(" \n-") else ""
        return tuple(text[at : at + self.limit] for at in range(0, len(text), self.limit))

    async def post(
        self, target: Target, part: str, *, nonce: str, last: bool, again: bool = False
    ) -> str:
        self._maybe_fail()
        self.targets.append(target)
        if again and nonce in self.nonces:
            return self.nonces[nonce]
        message_id = (
            f"m{len(self.writes) + 1}" if nonce in self.nonces else f"m{len(self.nonces) + 1}"
        )
        self.nonces[nonce] = message_id
        self._write("post", message_id, part, last)
        self._explain(message_id, target)
        if self.lost_answers:
            raise self.lost_answers.pop(0)
        return message_id

    async def edit(
        self, target: Target, message_id: str, part: str, *, shown: str, last: bool
    ) -> None:
        self._maybe_fail()
        if message_id not in self.shown:
            raise MessageGone(f"no message {message_id}")
        if part != shown:
            self._write("edit", message_id, part, last)
            self._explain(message_id, target)
        elif last:
            self.closed.add(message_id)

    async def delete(self, target: Target, message_id: str) -> None:
        self.shown.pop(message_id, None)
        self.writes.append(("delete", message_id, ""))

    async def show_working(self, target: Target, status: str) -> bool:
        self.statuses.append(status)
        return self.shows_status

    async def whisper(self, target: Target, text: str) -> None:
        self.whispers.append((target.person, text))

    async def link(self, place: Place, message_id: str) -> str:
        return f"https://chat.example/{place.channel}/{message_id}"

    async def history(
        self, place: Place, *, limit: int, since: float = 0.0
    ) -> list[IncomingMessage]:
        if self.history_errors:
            raise self.history_errors.pop(0)
        self.reads.append(place)
        found = [
            one
            for one in self.history_of
            if one.sent_at >= since
            and one.place.channel == place.channel
            and place.thread in ("", one.place.thread, one.message_id)
        ]
        return found[-limit:]

    async def read_range(self, place: Place, *, limit: int, since: float, until: float) -> History:
        if place.channel in self.closed_to_jay:
            raise MayNotWrite("not_in_channel")
        found = await self.history(place, limit=len(self.history_of) or 1)
        found = [one for one in found if one.sent_at < until]
        outside = [one for one in found if not one.place.thread]
        inside = [one for one in outside if one.sent_at >= since]
        begins = inside[-limit].sent_at if len(inside) > limit else since
        cut = [one for one in found if one.sent_at >= begins]
        return History(
            messages=tuple(sorted(cut, key=lambda one: (one.sent_at, one.message_id))),
            begins=begins if found else until,
            threads=frozenset(one.place.thread or one.message_id for one in found),
            gone=lambda thread: True,
            whole=begins == since,
        )

    async def find_channel(self, near: Place, name: str, *, person: str) -> Place | None:
        return self.readable.get((person, name))

    async def zone(self, person: str) -> str:
        return self.zones.get(person, "")

    async def name_of(self, place: Place) -> str:
        return "general"

    async def open_direct(self, near: Place, person: str) -> Place:
        return replace(near, channel=f"D{person}", thread="", direct=True)

    async def places(self, *, since: float) -> list[Place]:
        if self.places_errors:
            raise self.places_errors.pop(0)
        return self.sits_in

    @property
    def texts(self) -> list[str]:
        return list(self.shown.values())

    def _write(self, verb: str, message_id: str, part: str, last: bool) -> None:
        self.shown[message_id] = part
        self.writes.append((verb, message_id, part))
        if last:
            self.closed.add(message_id)

    def _explain(self, message_id: str, target: Target) -> None:
        if target.why:
            self.explained.add(message_id)
        else:
            self.explained.discard(message_id)

    def _maybe_fail(self) -> None:
        if self.errors:
            raise self.errors.pop(0)
