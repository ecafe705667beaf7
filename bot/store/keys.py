"""Every key in the store: its type, what it holds and how long it lives.

A key is `jay:{sN}:KIND` or `jay:{sN}:KIND:ID`. A channel's id is
`platform:workspace:channel`, a conversation's its `key`. The scripts build
keys the same way (`prelude.lua`), and a test holds them to this table.

The part in braces is the hash tag: Redis Cluster keeps all keys of one tag on
one node, so that a script may touch them together. N is the shard, of which
there are sixteen on every kind of server: all that belongs to a channel lies
in the shard of its id, with a queue and indexes of that shard's own. Nothing
is touched together that lies in two shards: what is asked of the whole store
(a claim, what was parked, a person's words) is asked of each shard in turn.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final, Literal

SCHEMA: Final = "2"
"""Version of keys and records. Version 1 is moved over (`migrating`), others are refused."""
SHARDS: Final = 16
"""Part of the version: with another number, ids would lie in other shards."""
BELL: Final = "jay:bell"
"""The channel on which a wake-up names its shard."""
DAY_S: Final = 86_400
SEEN_S: Final = 2 * DAY_S
"""How long a message that was only logged is known as seen. Slack retries within an hour."""
MAX_PLACES: Final = 1_000
"""The most channels and threads of a platform and shard that are read back after a gap."""
MAX_PARKED: Final = 1_000
"""The most mail of a shard that is kept aside."""
MAX_GONE: Final = 2_000
"""The most messages of a channel that are known as gone; who missed more reads all anew."""
STOP_S: Final = 60
"""How long a wish to stop is kept."""

NOTE_S: Final = 7 * DAY_S
"""How long a note on a stretch of messages is kept, unless the retention is shorter."""
TRACE_S: Final = 7 * DAY_S
"""How long a reply's trace is kept, unless the retention is shorter."""
MAX_TRACED: Final = 50
"""The most replies of a channel among which the latest is looked for."""

Life = Literal["ever", "retention", "retention and a day", "mark", "stop", "note", "trace"]
"""How long a key lives since it was last written; `mark` is told at the kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyKind:
    """One kind of key."""

    type: Literal["string", "hash", "list", "set", "zset"]
    per: Literal[
        "shard", "platform", "channel", "thread", "stretch", "message", "conversation", "person"
    ]
    life: Life
    holds: str


KINDS: Final[dict[str, KeyKind]] = {
    "schema": KeyKind(
        type="string",
        per="shard",
        life="ever",
        holds="the version of the data; with replicas, ten years from the last write",
    ),
    "fences": KeyKind(type="string", per="shard", life="ever", holds="the last fence given out"),
    "waiting": KeyKind(
        type="zset",
        per="shard",
        life="ever",
        holds="conversations with mail and nobody's lease, by since when (microseconds)",
    ),
    "leased": KeyKind(
        type="zset",
        per="shard",
        life="ever",
        holds="conversations with a lease, by when it runs out (microseconds)",
    ),
    "parked": KeyKind(
        type="hash",
        per="shard",
        life="retention",
        holds="`conversation newline message id` to a mail record that was put aside",
    ),
    "first": KeyKind(
        type="string", per="platform", life="ever", holds="when anybody was first heard (seconds)"
    ),
    "heard": KeyKind(
        type="zset",
        per="platform",
        life="ever",
        holds="places, by when the newest message heard there was sent; at most 1,000",
    ),
    "gaps": KeyKind(
        type="zset",
        per="platform",
        life="ever",
        holds="places to be read back, by since when; as many at most",
    ),
    "log": KeyKind(
        type="zset", per="channel", life="retention", holds="message ids, by when they were sent"
    ),
    "bodies": KeyKind(
        type="hash", per="channel", life="retention", holds="message id to message record"
    ),
    "ages": KeyKind(
        type="zset", per="channel", life="retention", holds="message ids, by when they were stored"
    ),
    "revision": KeyKind(
        type="string",
        per="channel",
        life="retention and a day",
        holds="the number of the last change of the log",
    ),
    "changes": KeyKind(
        type="zset",
        per="channel",
        life="retention",
        holds="message ids, by the number of the change that made them read as they do",
    ),
    "gone": KeyKind(
        type="zset",
        per="channel",
        life="retention",
        holds="ids of messages that are no longer there, by the number of that change; "
        "at most 2,000",
    ),
    "vectors": KeyKind(
        type="hash",
        per="channel",
        life="retention",
        holds="message id to where it stands in meaning (`bot/retrieval/packing.py`)",
    ),
    "thread": KeyKind(
        type="zset",
        per="thread",
        life="retention",
        holds="message ids of a thread, by when they were sent",
    ),
    "deleted": KeyKind(
        type="zset",
        per="channel",
        life="retention",
        holds="`thread newline message id` of logged messages that were deleted, by when sent",
    ),
    "note": KeyKind(
        type="string", per="stretch", life="note", holds="what the model said of some messages"
    ),
    "noted": KeyKind(
        type="set", per="message", life="note", holds="digests of the notes that stand on it"
    ),
    "copies": KeyKind(
        type="set",
        per="message",
        life="retention and a day",
        holds="ids of the commands that hold its words, as chosen from its menu",
    ),
    "trace": KeyKind(
        type="string",
        per="message",
        life="trace",
        holds="how the reply came about whose last message this is; a few kB, no text of anybody",
    ),
    "traced": KeyKind(
        type="zset",
        per="channel",
        life="trace",
        holds="`thread newline person newline message id` of replies with a trace, by when they "
        "were whole; at most 50",
    ),
    "mark": KeyKind(
        type="string",
        per="message",
        life="mark",
        holds="`seen` (two days), `gone`, or the message's conversation (retention and a day)",
    ),
    "mail": KeyKind(
        type="hash", per="conversation", life="retention", holds="message id to mail record"
    ),
    "turns": KeyKind(
        type="list", per="conversation", life="retention", holds="turn records, oldest first"
    ),
    "state": KeyKind(
        type="hash",
        per="conversation",
        life="retention",
        holds="fence, worker, window, reply, answers, settled",
    ),
    "stop": KeyKind(
        type="string", per="conversation", life="stop", holds="somebody asked to stop the reply"
    ),
    "said": KeyKind(
        type="zset",
        per="person",
        life="retention and a day",
        holds="`channel newline message id` of all that a person wrote, by when it was stored",
    ),
    "digests": KeyKind(
        type="hash", per="person", life="ever", holds="digest id to the record of a digest"
    ),
    "digested": KeyKind(
        type="zset",
        per="channel",
        life="ever",
        holds="`person newline digest id` of the digests of a channel, by when they were kept",
    ),
    "due": KeyKind(
        type="zset",
        per="shard",
        life="ever",
        holds="`person newline digest id`, by when the digest is due (seconds)",
    ),
}


def shard_of(of: str) -> int:
    """Return the shard of a channel, or of what lies in it.

    Args:
        of: an id that begins with `platform:workspace:channel`.
    """
    return zlib.crc32(":".join(of.split(":", 3)[:3]).encode("utf-8", "replace")) % SHARDS


def prefix_of(shard: int) -> str:
    """Return what all keys of a shard begin with."""
    return f"jay:{{s{shard}}}:"


def key(kind: str, of: str = "", *, shard: int | None = None) -> str:
    """Return a key's name.

    Args:
        kind: one of `KINDS`.
        of: the id of what it belongs to; empty for the shard's own.
        shard: where it lies; None: in the shard of the channel that `of` begins with.
    """
    prefix = prefix_of(shard_of(of) if shard is None else shard)
    return f"{prefix}{kind}:{of}" if of else f"{prefix}{kind}"
