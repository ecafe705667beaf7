"""What is stored of a message, a piece of mail, a turn and a reply, and how it is read back.

A record is four parts with newlines between: a header (JSON), when it was
stored, when it was last edited, and the text. The text stands apart, so that
a script can put an edit in its place and never has to write JSON, which Lua
would do with other numbers than were read. The header carries the version;
fields that this version doesn't know are passed over, fields that an older
one didn't write take their defaults.
"""

from __future__ import annotations

import json
from typing import Annotated, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from bot.conversations import Conversation, Reply, Turn
from bot.digests import Digest
from bot.errors import StoreVersion
from bot.messages import PLATFORMS, Command, IncomingMessage, Mail, Place, PlatformName
from bot.traces import Trace

VERSION = 1

_MESSAGE = TypeAdapter(IncomingMessage)
_MAIL: TypeAdapter[Mail] = TypeAdapter(
    Annotated[IncomingMessage | Command, Field(discriminator="kind")]
)
_TURN = TypeAdapter(Turn)
_REPLY = TypeAdapter(Reply)
_TRACE = TypeAdapter(Trace)
_DIGEST = TypeAdapter(Digest)

Record = TypeVar("Record")


def channel_id(place: Place | Conversation) -> str:
    """Return the id of the channel that a place or a conversation lies in."""
    return ":".join((place.platform, place.workspace, place.channel))


def place_id(place: Place) -> str:
    """Return the id of a channel or thread among the places that Jay has heard."""
    return f"{channel_id(place)}:{place.thread}:{int(place.direct)}"


def parse_place_id(text: str) -> Place:
    """Read a `place_id` back.

    Raises:
        ValueError: it is none.
    """
    name, workspace, channel, thread, direct = text.split(":")
    platform = next(known for known in PLATFORMS if known == name)
    return Place(
        platform=platform,
        workspace=workspace,
        channel=channel,
        thread=thread,
        direct=direct == "1",
    )


def author_key(platform: PlatformName, person: str) -> str:
    """Return the id under which a person's messages are indexed."""
    return f"{platform}:{person}"


def encode_mail(mail: Mail) -> tuple[bytes, ...]:
    """Return the seven arguments by which a script takes a message or a command."""
    return (
        _bytes(channel_id(mail.place)),
        _bytes(mail.message_id),
        _bytes(repr(mail.sent_at)),
        _bytes(mail.place.thread),
        _bytes(author_key(mail.place.platform, mail.author.id)),
        _header(_MAIL, mail),
        _bytes(mail.text),
    )


def encode_turn(turn: Turn) -> tuple[bytes, bytes]:
    """Return a turn's header and text."""
    return _header(_TURN, turn), _bytes(turn.text)


def encode_reply(reply: Reply) -> bytes:
    """Return a reply's record; it is one JSON object, for nobody edits it."""
    return _json({"v": VERSION, **_REPLY.dump_python(reply, mode="json")})


def encode_trace(trace: Trace) -> bytes:
    """Return a trace's record: one JSON object, without what is as it always is."""
    return _json({"v": VERSION, **_TRACE.dump_python(trace, mode="json", exclude_defaults=True)})


def decode_trace(record: bytes) -> Trace:
    """Read a trace.

    Raises:
        StoreVersion: the record can't be read.
    """
    try:
        return _TRACE.validate_json(record)
    except ValidationError as error:
        raise _unreadable("trace", error) from None


def encode_digest(digest: Digest) -> bytes:
    """Return a digest's record; one JSON object, like a reply's."""
    return _json({"v": VERSION, **_DIGEST.dump_python(digest, mode="json")})


def decode_message(record: bytes) -> IncomingMessage:
    """Read a logged message.

    Raises:
        StoreVersion: the record can't be read.
    """
    return _decode(_MESSAGE, record)


def decode_mail(record: bytes) -> Mail:
    """Read a piece of mail.

    Raises:
        StoreVersion: the record can't be read.
    """
    return _decode(_MAIL, record)


def kept_at(record: bytes) -> float:
    """Return when a record was stored, Unix seconds."""
    return int(record.split(b"\n", 2)[1]) / 1_000_000


def decode_turn(record: bytes) -> Turn:
    """Read a turn.

    Raises:
        StoreVersion: the record can't be read.
    """
    return _decode(_TURN, record)


def decode_reply(record: bytes) -> Reply:
    """Read a reply.

    Raises:
        StoreVersion: the record can't be read.
    """
    try:
        return _REPLY.validate_json(record)
    except ValidationError as error:
        raise _unreadable("reply", error) from None


def decode_digest(record: bytes) -> Digest:
    """Read a digest.

    Raises:
        StoreVersion: the record can't be read.
    """
    try:
        return _DIGEST.validate_json(record)
    except ValidationError as error:
        raise _unreadable("digest", error) from None


def _header(adapter: TypeAdapter[Record], record: Record) -> bytes:
    fields = adapter.dump_python(record, mode="json", exclude={"text"})
    return _json({"v": VERSION, **fields})


def _decode(adapter: TypeAdapter[Record], record: bytes) -> Record:
    header, _kept, _changed, text = record.split(b"\n", 3)
    fields = json.loads(header)
    try:
        return adapter.validate_python({**fields, "text": text.decode()})
    except ValidationError as error:
        raise _unreadable(str(fields.get("kind") or fields.get("role")), error) from None


def _unreadable(what: str, error: ValidationError) -> StoreVersion:
    """Name the fields that are wrong; a value would be what somebody wrote."""
    wrong = ", ".join(".".join(str(part) for part in item["loc"]) for item in error.errors())
    return StoreVersion(f"A stored record ({what}) can't be read: {wrong}")


def _json(fields: dict[str, object]) -> bytes:
    return _bytes(json.dumps(fields, ensure_ascii=False, separators=(",", ":")))


def _bytes(text: str) -> bytes:
    """Encode; half an emoji, as some clients send it, becomes a question mark."""
    return text.encode("utf-8", "replace")
