"""What the steps need from the outer rooms: the store, the engine, a platform's surface.

Protocols with contracts. The real part and the in-memory one of the tests
pass the same contract tests (`tests/contracts`).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.changes import ChangeLog
from bot.conversations import Conversation, Reply, Turn
from bot.digests import Digests
from bot.histories import Histories
from bot.messages import (
    Command,
    Event,
    IncomingMessage,
    Mail,
    MessageChanged,
    MessageDeleted,
    Place,
    PlatformName,
)
from bot.notes import Notes
from bot.paces import Pace, SharedPace
from bot.prompts import Piece, Prompt, ServedModel, Waiting
from bot.traces import Traces

Hear = Callable[[Event], Awaitable[None]]
"""What an edge calls with an event. When it returns, the event is stored: ack it then."""

Missed = Callable[[float | None], None]
"""What an edge calls when it listens, or does so again, and nothing replays what it missed.

It is told since when (Unix seconds); None: since before the process began. Never blocks."""


def nothing_missed(since: float | None) -> None:
    """A `Missed` for whoever doesn't catch up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to write to one conversation until it runs out."""

    conversation: Conversation
    fence: int
    """Grows with every claim; a write with an older one is refused."""
    worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """Mail that was put aside because every try to answer it failed."""

    conversation: Conversation
    mail: Mail
    at: float
    """When it was put aside, Unix seconds."""

    @property
    def id(self) -> str:
        """What an operator calls it."""
        return f"{self.conversation.key}/{self.mail.message_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A place where something may have been said that nobody heard."""

    place: Place
    since: float
    """All before was heard, Unix seconds."""


class Store(ChangeLog, Notes, Traces, Digests, Protocol):
    """The conversation store. Every method is one atomic step, and safe to repeat.

    All raise `StoreUnreachable` and `StoreFull`; those that take a lease raise
    `LeaseLost` when its fence is no longer the conversation's newest.
    """

    async def ping(self) -> None:
        """Return if the store answers."""

    async def accept(
        self,
        message: IncomingMessage,
        *,
        conversation: Conversation | None,
        waiting: int,
        may_follow: bool = False,
    ) -> bool:
        """Log a message once; if it is for Jay, put it in the mailbox and wake a worker.

        The mailbox is in the order of `sent_at`, then message id. What follows a message for
        Jay in its thread, or answers it, becomes mail with it where it came first. A new
        direct-message channel also puts a gap on record.

        Args:
            message: what came.
            conversation: whose mailbox it goes to, in the message's own channel; None: only
                logged.
            waiting: the most mail that the mailbox may hold.
            may_follow: if None, it is for that of its thread or what it answers, if Jay is there.

        Returns:
            False if this message (channel and id) was accepted before; nothing
            is done then. A message accepted without a conversation may be
            accepted again with one (a mention that comes as two events).

        Raises:
            MailboxFull: the mailbox is at its bound; the message is logged, not queued.
        """

    async def accept_command(self, command: Command, *, conversation: Conversation) -> bool:
        """Put a command in the mailbox once and wake a worker; False if seen before.

        One about a message that was deleted before has no text.
        """

    async def change(self, changed: MessageChanged) -> None:
        """Apply an edit to the log, to mail that still waits, and to settled turns."""

    async def delete(self, deleted: MessageDeleted) -> None:
        """Take a message out of the log, the mailbox and the turns, and each command about it.

        If a reply to it alone is in the making, that reply is asked to stop.
        """

    async def ask_stop(self, conversation: Conversation) -> None:
        """Ask the worker that has the conversation to stop its reply. Kept one minute."""

    async def conversation_at(self, place: Place, message_id: str) -> Conversation | None:
        """Return the conversation that a stored or posted message belongs to, if any."""

    async def takes_part(self, conversation: Conversation) -> bool:
        """Tell whether Jay has mail, turns or a reply in this conversation."""

    async def claim(self, *, worker: str, lease_s: float, wait_s: float) -> Lease | None:
        """Take the conversation that has waited longest with mail, and nobody's lease.

        The longest of its shard: channels are spread over shards, which take turns.
        Waits up to `wait_s` for one. A lease that ran out counts as nobody's.
        """

    async def renew(self, lease: Lease, *, lease_s: float) -> bool:
        """Prolong the lease. Returns True if a person asked to stop since the claim."""

    async def release(self, lease: Lease) -> None:
        """Give the conversation back; with mail left it is awake again at once."""

    async def mail(self, lease: Lease) -> Sequence[Mail]:
        """Return the mail that waits, in order."""

    async def turns(self, conversation: Conversation) -> Sequence[Turn]:
        """Return the settled turns, oldest first."""

    async def window_start(self, conversation: Conversation) -> int:
        """Return the mark that `keep_window_start` was last given; 0 before."""

    async def keep_window_start(self, lease: Lease, start: int) -> None:
        """Remember a mark of where the prompt's window begins; the store doesn't read it."""

    async def open_reply(self, lease: Lease) -> Reply | None:
        """Return the reply that a worker began here and did not settle."""

    async def save_reply(self, lease: Lease, reply: Reply) -> None:
        """Put a reply in the making on record; its message ids lead back to the conversation."""

    async def settle(self, lease: Lease, *, answered: Sequence[str], turns: Sequence[Turn]) -> None:
        """Append turns, drop the answered mail and the open reply, all at once."""

    async def park(self, lease: Lease, *, message_ids: Sequence[str]) -> None:
        """Put mail aside for an operator, and drop the open reply, all at once.

        At most 1,000 pieces of a shard are kept aside, the newest; each as long as the retention.
        """

    async def parked(self) -> Sequence[Parked]:
        """Return what was put aside, oldest first."""

    async def take_up(self, parked: Parked) -> bool:
        """Put parked mail back into its mailbox and wake a worker; False if it is not there."""

    async def messages(
        self, place: Place, *, limit: int, since: float = 0.0
    ) -> Sequence[IncomingMessage]:
        """Return the newest logged messages of a place, oldest first.

        A place with a thread gives that thread; one without gives the channel
        with its threads.

        Args:
            place: where.
            limit: at most so many.
            since: sent at this time or later, Unix seconds.
        """

    async def log_history(self, messages: Sequence[IncomingMessage]) -> int:
        """Log messages that a platform's history gave; returns how many were new."""

    async def note_gap(self, platform: PlatformName, *, heard_until: float) -> None:
        """Put on record that something may have been missed wherever Jay has heard anybody.

        The gap of a place begins with the newest message that was accepted
        there (not one of its history), or at `heard_until` if that is earlier,
        or where a gap that is still open begins. A conversation's thread is a
        place from its first message on.
        """

    async def note_places(
        self, platform: PlatformName, places: Sequence[Place], *, since: float
    ) -> None:
        """Put gaps on record for places where nobody was heard yet; others keep theirs.

        They begin at `since`, but not before Jay first heard anybody on this
        platform: what was said before its time is not Jay's to answer.
        """

    async def gaps(self, platform: PlatformName, *, limit: int) -> Sequence[Gap]:
        """Return the open gaps, those first that begin last."""

    async def close_gap(self, gap: Gap) -> None:
        """Take a gap off the record, unless it begins earlier by now."""

    async def forget_person(self, platform: PlatformName, person_id: str) -> int:
        """Delete every logged message, piece of mail, turn and digest of a person; tells how many."""


class Edge(Protocol):
    """What listens to a platform and hands every event to a `Hear`."""

    @property
    def ready(self) -> bool:
        """Whether it is connected now."""

    async def run(self) -> None:
        """Listen until cancelled.

        Raises:
            TokenRefused: the platform will not let Jay in.
        """


class Engine(Protocol):
    """The model's server."""

    async def model(self) -> ServedModel:
        """Ask which model is served.

        Raises:
            EngineUnreachable: nothing answers.
        """

    async def encode(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Return each text's token ids in the served model's vocabulary, nothing added."""

    def waiting(self, session: str) -> Waiting | None:
        """Return where the next request of a session stands in the queue; None: none waits."""

    def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Generate. Closing the generator aborts the request in the engine.

        A stream that breaks is taken up again from the tokens so far, unseen
        by the caller, as long as retries are left.

        Raises:
            EngineError: one of its kinds; what was yielded before stands.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a reply goes."""

    place: Place
    reply_to: str = ""
    """The message it answers: Slack threads under it, Discord replies to it."""
    person: str = ""
    """Id of the person answered; the only one it may ping."""
    handle: str = ""
    """A command's handle; the first part then fulfils the command."""
    private: bool = False
    """Only the person sees it, by the handle."""
    share: bool = False
    """Below what is finished stands a Share button; who presses it is heard as a `ShareAsked`."""
    why: bool = False
    """Below it stands a Why? button, from the start where the platform can, so that it costs no
    write; who presses it is heard as the command `why`, with the message's id."""
    stop: bool = False
    """While it is being written, a Stop button stands below it; who presses it is heard as a
    `StopAsked`."""

    @classmethod
    def of(cls, mail: Mail) -> Target:
        """Return where mail is answered."""
        handle = mail.handle if isinstance(mail, Command) else ""
        reply_to = "" if isinstance(mail, Command) else mail.message_id
        return cls(place=mail.place, reply_to=reply_to, person=mail.author.id, handle=handle)


class Surface(Histories, Protocol):
    """A platform as something to write on. It raises `PlatformError`s only."""

    pace: Pace
    shared_pace: SharedPace | None
    """None: the platform bounds its lanes alone."""
    read_pace: Pace
    """How often its history may be asked for."""

    def render(self, markdown: str, *, target: Target) -> tuple[str, ...]:
        """Turn Markdown into the platform's own, cut into parts within its limits. Pure."""

    async def post(
        self, target: Target, part: str, *, nonce: str, last: bool, again: bool = False
    ) -> str:
        """Post a part and return its message id. The same nonce never posts twice.

        Args:
            target: where.
            part: one of `render`'s parts.
            nonce: unique for this part of this reply: `<reply id>.<number of the part>`, from 0.
            last: nothing more will come for this message.
            again: it may stand there already: its answer was lost, or another worker began it.
        """

    async def edit(
        self, target: Target, message_id: str, part: str, *, shown: str, last: bool
    ) -> None:
        """Make a posted message read `part`.

        Args:
            target: as when it was posted.
            message_id: what `post` returned.
            part: the text that it shall show.
            shown: the text that it shows now; equal to `part` where only `last` is new,
                and then nothing is written but what ends a native stream.
            last: nothing more will come for this message.
        """

    async def delete(self, target: Target, message_id: str) -> None:
        """Take a posted message away; one that is gone already is no error."""

    async def show_working(self, target: Target, status: str) -> bool:
        """Show for about ten seconds that Jay is at work (typing dots, a status line).

        Returns:
            Whether people see it; False where the platform has no such thing here.
            Never raises for a platform that refuses.
        """

    async def whisper(self, target: Target, text: str) -> None:
        """Tell the person alone, where Jay may not write in the place itself."""

    async def link(self, place: Place, message_id: str) -> str:
        """Return the address of a message, as people share it."""

    async def history(
        self, place: Place, *, limit: int, since: float = 0.0
    ) -> Sequence[IncomingMessage]:
        """Read a place's newest messages back from the platform, oldest first.

        Args:
            place: where.
            limit: at most so many.
            since: sent at this time or later, Unix seconds.
        """

    async def places(self, *, since: float) -> Sequence[Place]:
        """Return the places that Jay is in where something may have been said since a time."""
