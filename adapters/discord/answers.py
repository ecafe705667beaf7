"""Answering an interaction by its token, from whatever process has the handle.

The first answer is a deferral; what follows fills it in. Filling it in twice leaves one message, which no nonce is needed for.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from pydantic import TypeAdapter

from adapters.discord.limits import CALLBACK_S, INTERACTION_S, said_at
from adapters.discord.normalise import Handle
from adapters.discord.payloads import PostedPayload
from adapters.discord.rest import Rest

SAY, DEFER, HEARD = 4, 5, 6
"""Types of a first answer: a message, "Jay is thinking…", nothing (to a button)."""
ONLY_FOR_THEM = 1 << 6
"""The flag of a message that only who used the command sees."""
PING_NOBODY = {"parse": [], "replied_user": False}

Components = Sequence[Mapping[str, object]]
"""What stands below a message's text."""

_POSTED = TypeAdapter(PostedPayload)
_CALLBACK = "/interactions/{webhook_id}/{webhook_token}/callback"
_WEBHOOK = "/webhooks/{webhook_id}/{webhook_token}"
_MESSAGE = _WEBHOOK + "/messages/{message_id}"
# discord.py counts a bucket by these two names; an interaction's are its own.


def live_handle(text: str) -> Handle | None:
    """Return a handle that may still be answered by; None if it is too old or none at all."""
    if not text:
        return None
    try:
        handle = Handle.parse(text)
    except ValueError:
        return None
    age_s = time.time() - said_at(handle.interaction_id)
    return handle if age_s < INTERACTION_S else None


async def defer(rest: Rest, handle: Handle, *, private: bool = False) -> None:
    """Promise an answer, within Discord's three seconds; whether it is private is settled then.

    Raises:
        PlatformError: Discord refuses, or didn't answer in time.
    """
    data = {"data": {"flags": ONLY_FOR_THEM}} if private else {}
    await _first(rest, handle, {"type": DEFER, **data})


async def take_press(rest: Rest, handle: Handle) -> None:
    """Say that a press of a button was heard; nothing is shown.

    Raises:
        PlatformError: Discord refuses, or didn't answer in time.
    """
    await _first(rest, handle, {"type": HEARD})


async def say_privately(rest: Rest, handle: Handle, text: str) -> None:
    """Give a first answer that only the person sees.

    Raises:
        PlatformError: Discord refuses, or didn't answer in time.
    """
    data = {"content": text, "flags": ONLY_FOR_THEM, "allowed_mentions": PING_NOBODY}
    await _first(rest, handle, {"type": SAY, "data": data})


async def fill_in(rest: Rest, handle: Handle, text: str, *, components: Components = ()) -> str:
    """Put the answer where "Jay is thinking…" stands; returns its message id.

    Raises:
        InteractionOver: the token is no longer good.
        PlatformError: Discord refuses.
    """
    return await edit(rest, handle, "@original", text, components=components)


async def follow_up(
    rest: Rest,
    handle: Handle,
    text: str,
    *,
    private: bool = False,
    components: Components = (),
) -> str:
    """Post one more message in answer; returns its id. Not safe to repeat.

    Raises:
        InteractionOver: the token is no longer good.
        PlatformError: Discord refuses.
    """
    posted = await rest.ask(
        _POSTED,
        "POST",
        _WEBHOOK,
        query={"wait": "true"},
        body={
            "content": text,
            "allowed_mentions": PING_NOBODY,
            "flags": ONLY_FOR_THEM if private else 0,
            "components": list(components),
        },
        where=_by_token(handle),
    )
    return posted.id


async def edit(
    rest: Rest, handle: Handle, message_id: str, text: str, *, components: Components = ()
) -> str:
    """Make one of the answers read something else; returns its id.

    Raises:
        InteractionOver: the token is no longer good.
        MessageGone: there is no such answer.
        PlatformError: Discord refuses.
    """
    posted = await rest.ask(
        _POSTED,
        "PATCH",
        _MESSAGE,
        body={
            "content": text,
            "allowed_mentions": PING_NOBODY,
            "components": list(components),
        },
        where=_by_token(handle) | {"message_id": message_id},
    )
    return posted.id


async def delete(rest: Rest, handle: Handle, message_id: str) -> None:
    """Take one of the answers away.

    Raises:
        MessageGone: there is no such answer.
        PlatformError: Discord refuses.
    """
    await rest.call(
        "DELETE",
        _MESSAGE,
        where=_by_token(handle) | {"message_id": message_id},
    )


async def _first(rest: Rest, handle: Handle, body: object) -> None:
    await rest.call(
        "POST",
        _CALLBACK,
        # Without it the answer is empty and of no type, which discord.py can't read.
        query={"with_response": "1"},
        body=body,
        timeout_s=CALLBACK_S,
        where={"webhook_id": handle.interaction_id, "webhook_token": handle.token},
    )


def _by_token(handle: Handle) -> dict[str, str]:
    return {"webhook_id": handle.application_id, "webhook_token": handle.token}
