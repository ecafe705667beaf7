"""Conversations, their turns, and the record of a reply in the making."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from bot.messages import PLATFORMS, IncomingMessage, Mail, Place, PlatformName
from bot.traces import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One line of talk with a memory of its own.

    A Slack thread, a Discord thread or reply chain, a direct-message channel.
    """

    platform: PlatformName
    workspace: str
    channel: str
    root: str = ""
    """The message or thread it hangs on; empty for a direct-message channel as a whole."""

    @property
    def key(self) -> str:
        """Its name in the store and towards the engine's router."""
        return ":".join((self.platform, self.workspace, self.channel, self.root))

    @property
    def thread(self) -> str:
        """The thread in which people will answer: in Slack the one that hangs on the root."""
        return self.root if self.platform == "slack" else ""

    @property
    def place(self) -> Place:
        """The channel that it lies in."""
        return Place(platform=self.platform, workspace=self.workspace, channel=self.channel)

    @classmethod
    def parse(cls, key: str) -> Conversation:
        """Read a `key` back.

        Raises:
            ValueError: the key has not four parts or names no known platform.
        """
        name, workspace, channel, root = key.split(":")
        platform = next((known for known in PLATFORMS if known == name), None)
        if platform is None:
            raise ValueError(f"no platform {name!r} in conversation key {key!r}")
        return cls(platform=platform, workspace=workspace, channel=channel, root=root)


def conversation_of(message: IncomingMessage, answered: Conversation | None) -> Conversation:
    """Return the conversation that a message belongs to.

    Args:
        message: what came.
        answered: the conversation of the message it replies to, where that is known.
    """
    place = message.place
    if answered is not None and not (place.thread and place.platform == "discord"):
        return answered
    root = place.thread or ("" if place.direct else message.message_id)
    return in_place(place, root=root)


def in_place(place: Place, *, root: str) -> Conversation:
    """Return the conversation with this root in the place's channel."""
    return Conversation(
        platform=place.platform, workspace=place.workspace, channel=place.channel, root=root
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """How a reply was made, for whoever asks why."""

    model: str
    prompt_tokens: int
    cached_tokens: int
    reply_tokens: int
    finish: str
    """`stop`, `length`, `guard:<name>`, `stopped` (by a person) or `error:<name>`."""
    skill: str = ""
    """Which skill said it; empty: from before that was kept."""
    sources: tuple[str, ...] = ()
    """Ids of the messages it stands on, where a skill named them."""
    began_at: float = 0.0
    """When the mail that it answers was read, Unix seconds; 0: not told."""
    first_word_s: float = 0.0
    total_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One settled turn: a person's message, or Jay's reply."""

    role: Literal["person", "jay"]
    text: str
    author: str
    at: float
    message_ids: tuple[str, ...] = ()
    """A person's turn has one; a long reply of Jay's may stand in several messages."""
    made: Made | None = None


def person_turn(mail: Mail, max_chars: int) -> Turn:
    """Return a person's message as a turn of the conversation."""
    text = mail.text if isinstance(mail, IncomingMessage) else f"/{mail.name} {mail.text}"
    return Turn(
        role="person",
        text=text[:max_chars].strip(),
        author=mail.author.name,
        at=mail.sent_at,
        message_ids=(mail.message_id,),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A reply in the making, on record before and while it is shown."""

    reply_id: str
    """Unique and short (at most 25 characters): it is the platform's nonce as well."""
    answers: tuple[str, ...]
    """Ids of the mail that it answers."""
    message_ids: tuple[str, ...] = ()
    """The platform messages that show it so far, in order."""
    text: str = ""
    """What was generated so far, as Markdown."""
    began_at: float = 0.0
    tries: int = 0
    """How often it was begun without getting any further."""
    failures: int = 0
    """How many of these tries an error ended."""
    whole: str = ""
    """What it shall read for good, as Markdown, once that is known."""
    finish: str = ""
    """How it ended, once that is known: as in `Made`."""
    kept: str = ""
    """What is remembered of it, where that is more than `whole`."""
    skill: str = ""
    """The skill that made it, where that is another than was asked."""
    sources: tuple[str, ...] = ()
    """Ids of the messages that it stands on, once it is whole."""
    whispered: bool = False
    """It is for one person's eyes, where others read."""
    trace: Trace | None = None
    """How it came about, once it is whole, so that whoever takes it over has it too."""

    def showing(self, message_ids: tuple[str, ...], text: str) -> Reply:
        """Return the record with what is shown now."""
        return replace(self, message_ids=message_ids, text=text)
