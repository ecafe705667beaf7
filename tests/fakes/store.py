"""The conversation store in memory: the twin of `bot/store`, under the same contract tests.

What it leaves out: marks of seen messages never run out, and `wait_s` is
measured by the event loop while leases are measured by `clock`.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.changes import Changes
from bot.conversations import Conversation, Reply, Turn, conversation_of
from bot.digests import Digest
from bot.errors import LeaseLost, MailboxFull
from bot.messages import (
    Command,
    IncomingMessage,
    Mail,
    MessageChanged,
    MessageDeleted,
    Place,
    PlatformName,
)
from bot.ports import Gap, Lease, Parked
from bot.traces import Trace, Traced

STOP_KEPT_S = 60.0
DAY_S = 86_400.0
NOTE_S = 7 * DAY_S
TRACE_S = 7 * DAY_S
MAX_TRACED = 50
MAX_PARKED = 1_000
MAX_GONE = 2_000

Channel = tuple[str, str, str]
MessageKey = tuple[Channel, str]


@dataclass(slots=True, kw_only=True)
class Kept:
    """A message or piece of mail, with when it was stored and last edited."""

    mail: Mail
    at: float
    changed_at: float | None = None

    def change(self, changed: MessageChanged) -> None:
        if self.changed_at is None or changed.changed_at >= self.changed_at:
            self.mail = replace(self.mail, text=changed.text)
            self.changed_at = changed.changed_at


@dataclass(slots=True, kw_only=True)
class KeptTurn:
    turn: Turn
    at: float
    changed_at: float | None = None

    def change(self, changed: MessageChanged) -> None:
        if self.changed_at is None or changed.changed_at >= self.changed_at:
            self.turn = replace(self.turn, text=changed.text)
            self.changed_at = changed.changed_at


@dataclass(slots=True, kw_only=True)
class Talk:
    """All that is kept of one conversation."""

    mail: dict[str, Kept] = field(default_factory=dict)
    turns: list[KeptTurn] = field(default_factory=list)
    reply: Reply | None = None
    window: int = 0
    fence: int | None = None
    leased_until: float | None = None
    waits_since: float | None = None
    stop_until: float | None = None
    settled: tuple[int, tuple[str, ...], tuple[Turn, ...]] | None = None


class MemoryStore:
    """A `bot.ports.Store` that lives as long as its process."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        retention_days: float = 90,
        max_turns: int = 400,
        max_log: int = 10_000,
    ) -> None:
        self._clock = clock
        self._retention_s = retention_days * DAY_S
        self._max_turns, self._max_log = max_turns, max_log
        self._logs: defaultdict[Channel, dict[str, Kept]] = defaultdict(dict)
        self._marks: dict[MessageKey, Conversation | None] = {}
        self._gone: set[MessageKey] = set()
        self._copies: defaultdict[MessageKey, set[str]] = defaultdict(set)
        self._said: defaultdict[tuple[str, str], set[MessageKey]] = defaultdict(set)
        self._talks: defaultdict[Conversation, Talk] = defaultdict(Talk)
        self._parked: dict[tuple[Conversation, str], Kept] = {}
        self._first: dict[PlatformName, float] = {}
        self._heard: defaultdict[PlatformName, dict[Place, float]] = defaultdict(dict)
        self._gaps: defaultdict[PlatformName, dict[Place, float]] = defaultdict(dict)
        self._notes: dict[tuple[Channel, str], tuple[str, frozenset[str], float]] = {}
        self._deleted: defaultdict[Channel, dict[str, tuple[str, float]]] = defaultdict(dict)
        self._changes: defaultdict[Channel, dict[str, int]] = defaultdict(dict)
        self._lost: defaultdict[Channel, dict[str, int]] = defaultdict(dict)
        self._revisions: defaultdict[Channel, int] = defaultdict(int)
        self._vectors: defaultdict[Channel, dict[str, bytes]] = defaultdict(dict)
        self._traces: dict[MessageKey, tuple[Trace, float]] = {}
        self._traced: defaultdict[Channel, dict[Traced, float]] = defaultdict(dict)
        self._digests: dict[str, Digest] = {}
        self._fences = 0
        self._bell = asyncio.Event()

    async def ping(self) -> None:
        return

    async def accept(
        self,
        message: IncomingMessage,
        *,
        conversation: Conversation | None,
        waiting: int,
        may_follow: bool = False,
    ) -> bool:
        goes_on = conversation.thread if conversation else ""
        if conversation is None and may_follow:
            answered = await self.conversation_at(message.place, message.reply_to)
            follows = conversation_of(message, answered)
            known = message.place.thread or answered
            conversation = follows if known and await self.takes_part(follows) else None
        self._note_heard(message, goes_on)
        channel = _channel(message.place)
        key = (channel, message.message_id)
        seen = message.message_id in self._logs[channel] or key in self._marks
        if key in self._gone or self._marks.get(key) or (seen and conversation is None):
            return False
        if not seen:
            self._log(message)
        self._marks[key] = None
        if conversation is None:
            return True
        if len(self._talks[conversation].mail) >= waiting:
            raise MailboxFull(f"{conversation.key} has {waiting} messages waiting")
        self._put(message, conversation)
        self._take_in_followers(message, conversation, waiting, goes_on)
        return True

    async def accept_command(self, command: Command, *, conversation: Conversation) -> bool:
        key = (_channel(command.place), command.message_id)
        if key in self._gone or self._marks.get(key):
            return False
        if command.about:
            if (key[0], command.about) in self._gone:
                command = replace(command, text="")
            self._copies[key[0], command.about].add(command.message_id)
        self._put(command, conversation)
        return True

    async def change(self, changed: MessageChanged) -> None:
        channel = _channel(changed.place)
        self._drop_notes(channel, changed.message_id)
        if logged := self._logs[channel].get(changed.message_id):
            logged.change(changed)
            self._note_change(channel, changed.message_id)
            self._vectors[channel].pop(changed.message_id, None)
        if conversation := self._marks.get((channel, changed.message_id)):
            talk = self._talks[conversation]
            if parked := self._parked.get((conversation, changed.message_id)):
                parked.change(changed)
            if mail := talk.mail.get(changed.message_id):
                mail.change(changed)
            for kept in talk.turns:
                if kept.turn.role == "person" and changed.message_id in kept.turn.message_ids:
                    kept.change(changed)

    async def delete(self, deleted: MessageDeleted) -> None:
        self._erase((_channel(deleted.place), deleted.message_id))

    async def ask_stop(self, conversation: Conversation) -> None:
        self._talks[conversation].stop_until = self._clock() + STOP_KEPT_S

    async def conversation_at(self, place: Place, message_id: str) -> Conversation | None:
        return self._marks.get((_channel(place), message_id))

    async def takes_part(self, conversation: Conversation) -> bool:
        talk = self._talks[conversation]
        self._age_turns(talk)
        return bool(talk.mail or talk.turns or talk.reply)

    async def claim(self, *, worker: str, lease_s: float, wait_s: float) -> Lease | None:
        loop = asyncio.get_running_loop()
        until = loop.time() + wait_s
        while True:
            lease = self._take(worker, lease_s)
            left = until - loop.time()
            if lease is not None or left <= 0:
                return lease
            self._bell.clear()
            try:
                async with asyncio.timeout(min(left, self._next_lapse_s())):
                    await self._bell.wait()
            except TimeoutError:
                continue

    async def renew(self, lease: Lease, *, lease_s: float) -> bool:
        talk = self._held(lease)
        talk.leased_until = self._clock() + lease_s
        talk.waits_since = None
        return talk.stop_until is not None and talk.stop_until > self._clock()

    async def release(self, lease: Lease) -> None:
        talk = self._talks[lease.conversation]
        if talk.fence is None:
            return
        self._held(lease)
        talk.fence = talk.leased_until = None
        self._wake(talk)

    async def mail(self, lease: Lease) -> Sequence[Mail]:
        mail = [kept.mail for kept in self._held(lease).mail.values()]
        return sorted(mail, key=lambda one: (one.sent_at, one.message_id))

    async def park(self, lease: Lease, *, message_ids: Sequence[str]) -> None:
        talk = self._held(lease)
        for message_id in message_ids:
            if kept := talk.mail.pop(message_id, None):
                kept.at = self._clock()
                self._parked[lease.conversation, message_id] = kept
        if not talk.mail:
            talk.waits_since = None
        talk.reply = None
        self._age_parked()

    async def parked(self) -> Sequence[Parked]:
        self._age_parked()
        found = [
            Parked(conversation=conversation, mail=kept.mail, at=kept.at)
            for (conversation, _), kept in self._parked.items()
        ]
        return sorted(found, key=lambda one: (one.at, one.id))

    async def take_up(self, parked: Parked) -> bool:
        message_id = parked.mail.message_id
        kept = self._parked.pop((parked.conversation, message_id), None)
        if kept is None:
            return False
        talk = self._talks[parked.conversation]
        talk.mail[message_id] = kept
        self._lead_back(parked.conversation, [message_id])
        if talk.leased_until is None:
            self._wake(talk)
        return True

    async def turns(self, conversation: Conversation) -> Sequence[Turn]:
        talk = self._talks[conversation]
        self._age_turns(talk)
        return [kept.turn for kept in talk.turns]

    async def window_start(self, conversation: Conversation) -> int:
        return self._talks[conversation].window

    async def keep_window_start(self, lease: Lease, start: int) -> None:
        self._held(lease).window = start

    async def open_reply(self, lease: Lease) -> Reply | None:
        return self._held(lease).reply

    async def save_reply(self, lease: Lease, reply: Reply) -> None:
        self._held(lease).reply = reply
        self._lead_back(lease.conversation, reply.message_ids)

    async def settle(self, lease: Lease, *, answered: Sequence[str], turns: Sequence[Turn]) -> None:
        talk = self._held(lease)
        this = (lease.fence, tuple(answered), tuple(turns))
        if talk.settled != this:
            for turn in turns:
                self._append(lease.conversation, turn)
            talk.settled = this
        for message_id in answered:
            talk.mail.pop(message_id, None)
        if not talk.mail:
            talk.waits_since = None
        talk.reply = None
        del talk.turns[: -self._max_turns]
        self._age_turns(talk)

    async def messages(
        self, place: Place, *, limit: int, since: float = 0.0
    ) -> Sequence[IncomingMessage]:
        self._age_log(_channel(place))
        found = [
            kept.mail
            for kept in self._logs[_channel(place)].values()
            if isinstance(kept.mail, IncomingMessage)
            and kept.mail.sent_at >= since
            and place.thread in ("", kept.mail.place.thread, kept.mail.message_id)
        ]
        found.sort(key=_order)
        return found[-limit:] if limit > 0 else []

    async def log_history(self, messages: Sequence[IncomingMessage]) -> int:
        before = {id(log): set(log) for log in self._logs.values()}
        for message in messages:
            key = (_channel(message.place), message.message_id)
            if key not in self._gone and message.message_id not in self._logs[key[0]]:
                self._log(message)
        return sum(len(set(log) - before.get(id(log), set())) for log in self._logs.values())

    async def changes(self, place: Place, *, since: int, limit: int) -> Changes:
        channel = _channel(place)
        self._age_log(channel)
        lost, newest = self._lost[channel], self._revisions[channel]
        forgotten = len(lost) >= MAX_GONE and since < min(lost.values()) - 1
        anew = since == 0 or since > newest or forgotten
        since = 0 if anew else since
        found = [one for one in self._changes[channel].items() if one[1] > since][:limit]
        return Changes(
            messages=[
                kept.mail
                for one, _ in found
                if isinstance((kept := self._logs[channel][one]).mail, IncomingMessage)
            ],
            gone=[] if anew else [one for one, at in lost.items() if at > since],
            revision=found[-1][1] if len(found) == limit else newest,
            anew=anew,
        )

    async def vectors(self, place: Place, message_ids: Sequence[str]) -> Mapping[str, bytes]:
        kept = self._vectors[_channel(place)]
        return {one: kept[one] for one in message_ids if one in kept}

    async def keep_vectors(self, place: Place, vectors: Mapping[str, bytes]) -> None:
        channel = _channel(place)
        for message_id, vector in vectors.items():
            if message_id in self._logs[channel]:
                self._vectors[channel][message_id] = vector

    async def note_gap(self, platform: PlatformName, *, heard_until: float) -> None:
        gaps = self._gaps[platform]
        for place, heard in self._heard[platform].items():
            gaps[place] = min(heard, heard_until, gaps.get(place, heard))

    async def note_places(
        self, platform: PlatformName, places: Sequence[Place], *, since: float
    ) -> None:
        if platform not in self._first:
            return
        since = max(since, float(int(self._first[platform])))
        for place in places:
            if place not in self._gaps[platform]:
                self._gaps[platform][place] = since
                self._heard[platform].setdefault(place, since)

    async def gaps(self, platform: PlatformName, *, limit: int) -> Sequence[Gap]:
        found = [Gap(place=place, since=since) for place, since in self._gaps[platform].items()]
        found.sort(key=lambda gap: gap.since, reverse=True)
        return found[: max(0, limit)]

    async def close_gap(self, gap: Gap) -> None:
        gaps = self._gaps[gap.place.platform]
        if gap.place in gaps and gaps[gap.place] >= gap.since:
            del gaps[gap.place]

    async def notes(self, place: Place, digests: Sequence[str]) -> dict[str, str]:
        now, channel = self._clock(), _channel(place)
        kept = {one: self._notes.get((channel, one)) for one in digests}
        return {one: note[0] for one, note in kept.items() if note is not None and note[2] > now}

    async def keep_note(
        self, place: Place, digest: str, text: str, *, message_ids: Sequence[str]
    ) -> None:
        channel = _channel(place)
        if not any((channel, one) in self._gone for one in message_ids):
            until = self._clock() + min(NOTE_S, self._retention_s)
            self._notes[channel, digest] = (text, frozenset(message_ids), until)

    async def revision(self, place: Place) -> int:
        return self._revisions[_channel(place)]

    async def keep_trace(self, trace: Trace) -> None:
        channel = _channel(trace.place)
        if not trace.message_ids or (channel, trace.message_ids[-1]) in self._gone:
            return
        message_id = trace.message_ids[-1]
        until = self._clock() + min(TRACE_S, self._retention_s)
        self._traces[channel, message_id] = (trace, until)
        this = Traced(thread=trace.place.thread, person=trace.person, message_id=message_id)
        traced = self._traced[channel] | {this: trace.at}
        newest = sorted(traced, key=lambda one: traced[one], reverse=True)[:MAX_TRACED]
        self._traced[channel] = {one: traced[one] for one in newest}

    async def trace(self, place: Place, message_id: str) -> Trace | None:
        trace, until = self._traces.get((_channel(place), message_id), (None, 0.0))
        return trace if until > self._clock() else None

    async def traced(self, place: Place) -> Sequence[Traced]:
        return list(self._traced[_channel(place)])

    async def standing(
        self, place: Place, message_ids: Sequence[str], *, revision: int
    ) -> Mapping[str, IncomingMessage | None]:
        channel, found = _channel(place), dict[str, IncomingMessage | None]()
        for message_id in message_ids:
            changed = self._changes[channel].get(message_id)
            if changed is not None:
                mail = self._logs[channel][message_id].mail
                if changed <= revision and isinstance(mail, IncomingMessage):
                    found[message_id] = mail
            elif self._marks.get((channel, message_id)) and message_id not in self._lost[channel]:
                found[message_id] = None
        return found

    async def count_deleted(self, place: Place, *, since: float, until: float) -> int:
        return sum(
            1
            for message_id, (thread, at) in self._deleted[_channel(place)].items()
            if since <= at < until and place.thread in ("", thread, message_id)
        )

    async def keep_digest(self, digest: Digest, *, most: int) -> bool:
        channel = _channel(digest.about)
        others = [one for one in self._digests.values() if _channel(one.about) == channel]
        if digest.digest_id not in self._digests and len(others) >= most:
            return False
        self._digests[digest.digest_id] = digest
        return True

    async def digests_of(self, platform: PlatformName, person_id: str) -> Sequence[Digest]:
        mine = [
            one
            for one in self._digests.values()
            if (one.about.platform, one.person.id) == (platform, person_id)
        ]
        return sorted(mine, key=lambda one: (one.number, one.made_at))

    async def drop_digest(self, digest: Digest) -> bool:
        return self._digests.pop(digest.digest_id, None) is not None

    async def due_digests(self, *, until: float, limit: int) -> Sequence[Digest]:
        due = [one for one in self._digests.values() if 0 < one.due <= until]
        return sorted(due, key=lambda one: one.due)[: max(0, limit)]

    async def move_digest(self, digest: Digest, *, was_due: float) -> bool:
        kept = self._digests.get(digest.digest_id)
        if kept is None or kept.due != was_due:
            return False
        self._digests[digest.digest_id] = digest
        return True

    async def forget_person(self, platform: PlatformName, person_id: str) -> int:
        mine = await self.digests_of(platform, person_id)
        for one in mine:
            del self._digests[one.digest_id]
        erased = [self._erase(key) for key in self._said.pop((platform, person_id), set())]
        return sum(erased) + len(mine)

    def _note_heard(self, message: IncomingMessage, goes_on: str) -> None:
        heard = self._heard[message.place.platform]
        threads = {message.place.thread}
        if goes_on:
            threads.add(goes_on)
        for thread in threads:
            place = replace(message.place, thread=thread)
            new = place == message.place and place not in heard
            if new and place.direct:
                self._gaps[place.platform].setdefault(place, message.sent_at)
            heard[place] = max(heard.get(place, message.sent_at), message.sent_at)
        self._first.setdefault(message.place.platform, self._clock())

    def _log(self, message: IncomingMessage) -> None:
        channel = _channel(message.place)
        log = self._logs[channel]
        log[message.message_id] = Kept(mail=message, at=self._clock())
        self._said[message.place.platform, message.author.id].add((channel, message.message_id))
        self._note_change(channel, message.message_id)
        self._age_log(channel)
        if len(log) > self._max_log:
            self._drop(channel, min(log, key=lambda one: (log[one].mail.sent_at, one)))

    def _put(self, mail: Mail, conversation: Conversation) -> None:
        key = (_channel(mail.place), mail.message_id)
        kept = Kept(mail=mail, at=self._clock())
        logged = self._logs[key[0]].get(mail.message_id)
        if logged is not None and logged.changed_at is not None:
            kept.mail = replace(mail, text=logged.mail.text)
            kept.changed_at = logged.changed_at
        talk = self._talks[conversation]
        talk.mail[mail.message_id] = kept
        self._marks[key] = conversation
        self._said[mail.place.platform, mail.author.id].add(key)
        if talk.leased_until is None:
            self._wake(talk)

    def _take_in_followers(
        self, message: IncomingMessage, conversation: Conversation, waiting: int, goes_on: str
    ) -> None:
        channel, answered = _channel(message.place), {message.message_id}
        thread = message.place.thread or goes_on
        logged = [kept.mail for kept in self._logs[channel].values()]
        for later in sorted(
            (one for one in logged if isinstance(one, IncomingMessage)), key=_order
        ):
            in_thread = thread and later.place.thread == thread
            if later.sent_at <= message.sent_at or self._marks.get((channel, later.message_id)):
                continue
            if later.mentions_others or not (in_thread or later.reply_to in answered):
                continue
            if len(self._talks[conversation].mail) >= waiting:
                return
            answered.add(later.message_id)
            self._put(later, conversation)

    def _wake(self, talk: Talk) -> None:
        if talk.mail and talk.waits_since is None:
            talk.waits_since = self._clock()
            self._bell.set()

    def _take(self, worker: str, lease_s: float) -> Lease | None:
        now = self._clock()
        for talk in self._talks.values():
            if talk.leased_until is not None and talk.leased_until <= now:
                talk.waits_since = talk.leased_until if talk.mail else None
                talk.leased_until = None
        waiting = [
            (talk.waits_since, conversation.key, conversation)
            for conversation, talk in self._talks.items()
            if talk.waits_since is not None
        ]
        if not waiting:
            return None
        _, _, conversation = min(waiting, key=lambda one: one[:2])
        talk = self._talks[conversation]
        self._fences += 1
        talk.fence, talk.leased_until = self._fences, now + lease_s
        talk.waits_since = talk.stop_until = None
        return Lease(conversation=conversation, fence=self._fences, worker=worker)

    def _next_lapse_s(self) -> float:
        ends = [t.leased_until for t in self._talks.values() if t.leased_until is not None]
        return max(0.001, min(ends, default=float("inf")) - self._clock())

    def _held(self, lease: Lease) -> Talk:
        talk = self._talks[lease.conversation]
        if talk.fence != lease.fence:
            raise LeaseLost(f"{lease.worker} no longer has {lease.conversation.key}")
        return talk

    def _append(self, conversation: Conversation, turn: Turn) -> None:
        channel = (conversation.platform, conversation.workspace, conversation.channel)
        if any((channel, message_id) in self._gone for message_id in turn.message_ids):
            return
        kept = KeptTurn(turn=turn, at=self._clock())
        talk = self._talks[conversation]
        waiting = talk.mail.get(turn.message_ids[0]) if turn.message_ids else None
        if turn.role == "person" and waiting is not None and waiting.changed_at is not None:
            kept.turn = replace(turn, text=waiting.mail.text)
            kept.changed_at = waiting.changed_at
        talk.turns.append(kept)
        self._lead_back(conversation, turn.message_ids)

    def _lead_back(self, conversation: Conversation, message_ids: Sequence[str]) -> None:
        channel = (conversation.platform, conversation.workspace, conversation.channel)
        for message_id in message_ids:
            if (channel, message_id) not in self._gone:
                self._marks[channel, message_id] = conversation

    def _erase(self, key: MessageKey) -> int:
        """Take a message out everywhere; returns in how many places it stood."""
        channel, message_id = key
        self._drop_notes(channel, message_id)
        self._traces.pop(key, None)
        if logged := self._logs[channel].get(message_id):
            self._deleted[channel][message_id] = (logged.mail.place.thread, logged.mail.sent_at)
        count = int(self._drop(channel, message_id))
        self._gone.add(key)
        if conversation := self._marks.pop(key, None):
            talk = self._talks[conversation]
            count += int(talk.mail.pop(message_id, None) is not None)
            count += int(self._parked.pop((conversation, message_id), None) is not None)
            if not talk.mail:
                talk.waits_since = None
            left = [kept for kept in talk.turns if message_id not in kept.turn.message_ids]
            count += len(talk.turns) - len(left)
            talk.turns = left
            if talk.reply is not None and talk.reply.answers == (message_id,):
                talk.stop_until = self._clock() + STOP_KEPT_S
        for copy in self._copies.pop(key, ()):
            count += self._erase((channel, copy))
        return count

    def _drop_notes(self, channel: Channel, message_id: str) -> None:
        for key, (_, message_ids, _) in list(self._notes.items()):
            if key[0] == channel and message_id in message_ids:
                del self._notes[key]

    def _age_log(self, channel: Channel) -> None:
        oldest = self._clock() - self._retention_s
        log = self._logs[channel]
        for message_id in [one for one, kept in log.items() if kept.at <= oldest]:
            self._drop(channel, message_id)

    def _note_change(self, channel: Channel, message_id: str) -> None:
        self._revisions[channel] += 1
        self._changes[channel].pop(message_id, None)
        self._changes[channel][message_id] = self._revisions[channel]
        self._lost[channel].pop(message_id, None)

    def _drop(self, channel: Channel, message_id: str) -> bool:
        if self._logs[channel].pop(message_id, None) is None:
            return False
        self._revisions[channel] += 1
        self._changes[channel].pop(message_id, None)
        self._lost[channel][message_id] = self._revisions[channel]
        self._vectors[channel].pop(message_id, None)
        while len(self._lost[channel]) > MAX_GONE:
            del self._lost[channel][next(iter(self._lost[channel]))]
        return True

    def _age_parked(self) -> None:
        oldest = self._clock() - self._retention_s
        for key in [one for one, kept in self._parked.items() if kept.at <= oldest]:
            del self._parked[key]
        while len(self._parked) > MAX_PARKED:
            del self._parked[min(self._parked, key=lambda one: self._parked[one].at)]

    def _age_turns(self, talk: Talk) -> None:
        oldest = self._clock() - self._retention_s
        talk.turns = [kept for kept in talk.turns if kept.at > oldest]


def _channel(place: Place) -> Channel:
    return (place.platform, place.workspace, place.channel)


def _order(message: IncomingMessage) -> tuple[float, str]:
    return (message.sent_at, message.message_id)
