"""Whether a client may begin or resume a session: token, intents, shard, numbers. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapters.sandbox.discord import intents
from adapters.sandbox.discord.guild import Guild


class Closed(Exception):
    """A connection that Discord closes.

    Args:
        code: Discord's close code.
        reason: What stands beside it.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code, self.reason = code, reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified:
    """What a client asks for when it begins a session."""

    intents: int
    shard: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resuming:
    """Which session a client takes up again, and the last event that it has seen."""

    session: str
    seq: int


def identify(place: Guild, data: Any) -> Identified:
    """Return what an IDENTIFY asks for.

    Raises:
        Closed: 4002 no such payload, 4004 bad token, 4010 bad shard, 4013 no such intents,
            4014 intents that the application has not been granted.
    """
    if not isinstance(data, dict) or not isinstance(data.get("properties"), dict):
        raise Closed(4002, "Error while decoding payload.")
    _check_token(place, data)
    shard = data.get("shard", [0, 1])
    if not _is_shard(shard):
        raise Closed(4010, "Invalid shard.")
    asked = data.get("intents")
    if not isinstance(asked, int) or isinstance(asked, bool) or not 0 <= asked <= intents.KNOWN:
        raise Closed(4013, "Invalid intent(s).")
    for privilege, bit in intents.PRIVILEGED.items():
        if asked & bit and not place.granted(privilege):
            raise Closed(4014, "Disallowed intent(s).")
    return Identified(intents=asked, shard=shard)


def resume(place: Guild, data: Any) -> Resuming:
    """Return what a RESUME asks for. Raises Closed 4002 or 4004."""
    if not isinstance(data, dict):
        raise Closed(4002, "Error while decoding payload.")
    _check_token(place, data)
    session, seq = data.get("session_id"), data.get("seq")
    if not isinstance(session, str) or not isinstance(seq, int) or seq < 0:
        # discord.py resumes with nulls when it was cut before READY: no such session.
        return Resuming(session="", seq=0)
    return Resuming(session=session, seq=seq)


def _check_token(place: Guild, data: dict[str, Any]) -> None:
    if not place.is_token(str(data.get("token"))):
        raise Closed(4004, "Authentication failed.")


def _is_shard(shard: Any) -> bool:
    return (
        isinstance(shard, list)
        and len(shard) == 2
        and all(isinstance(one, int) for one in shard)
        and 0 <= shard[0] < shard[1]
    )
