"""The calls about threads: open one on a message or without, join, leave, who is in it."""

from __future__ import annotations

from functools import partial
from typing import Any

from adapters.sandbox.discord import limits, permissions, shapes
from adapters.sandbox.discord.calls import Call, Endpoint
from adapters.sandbox.discord.guild import Guild
from adapters.sandbox.discord.refusals import Form, Refused
from adapters.sandbox.records import Channel, Json

_ARCHIVE_MINUTES = (60, 1_440, 4_320, 10_080)
_PUBLIC_THREAD = 11
_MEMBERS = "/channels/{channel_id}/thread-members"


def endpoints(place: Guild) -> list[Endpoint]:
    """Return the endpoints about threads."""

    def on(method: str, path: str, call: Any, bucket: str, status: int = 200) -> Endpoint:
        return Endpoint(method, path, partial(call, place), bucket, status)

    on_message = "/channels/{channel_id}/messages/{message_id}/threads"
    return [
        on("POST", on_message, open_on_message, "thread.create", 201),
        on("POST", "/channels/{channel_id}/threads", open_alone, "thread.create", 201),
        on("PUT", _MEMBERS + "/@me", join, "thread.member"),
        on("DELETE", _MEMBERS + "/@me", leave, "thread.member"),
        on("GET", _MEMBERS, members, "other"),
    ]


def open_on_message(place: Guild, call: Call) -> Json:
    """POST channels/{id}/messages/{id}/threads."""
    channel = _parent(place, call)
    root = place.message(channel, call.args["message_id"])
    name = _name(call.body)
    if root.id in place.world.channels:
        raise Refused(160004)
    opened = place.world.create_thread(channel.id, root.id, name, by=place.world.bot_id)
    return shapes.thread(place, opened)


def open_alone(place: Guild, call: Call) -> Json:
    """POST channels/{id}/threads: a thread on no message; only public ones."""
    channel = _parent(place, call)
    name = _name(call.body)
    if call.body.get("type", _PUBLIC_THREAD) != _PUBLIC_THREAD:
        raise Refused(50024)
    opened = place.world.create_thread(channel.id, None, name, by=place.world.bot_id)
    return shapes.thread(place, opened)


def join(place: Guild, call: Call) -> None:
    """PUT channels/{id}/thread-members/@me."""
    place.world.join(_thread(place, call).id, place.world.bot_id)


def leave(place: Guild, call: Call) -> None:
    """DELETE channels/{id}/thread-members/@me."""
    place.world.leave(_thread(place, call).id, place.world.bot_id)


def members(place: Guild, call: Call) -> list[Json]:
    """GET channels/{id}/thread-members."""
    thread = _thread(place, call)
    return [shapes.thread_member(place, thread, who) for who in sorted(thread.members, key=int)]


def _parent(place: Guild, call: Call) -> Channel:
    channel = place.channel(call.args["channel_id"])
    if channel.kind != "text":
        raise Refused(50024)
    return place.channel(channel.id, permissions.CREATE_PUBLIC_THREADS)


def _thread(place: Guild, call: Call) -> Channel:
    channel = place.channel(call.args["channel_id"])
    if channel.kind != "thread":
        raise Refused(50024)
    return channel


def _name(body: Json) -> str:
    form = Form()
    name = body.get("name")
    form.text("name", name, 1, limits.THREAD_NAME_MAX)
    minutes = body.get("auto_archive_duration")
    if minutes is not None and minutes not in _ARCHIVE_MINUTES:
        choices = ", ".join(map(str, _ARCHIVE_MINUTES))
        form.wrong(
            "auto_archive_duration", "BASE_TYPE_CHOICES", f"Value must be one of ({choices})."
        )
    form.settle()
    return str(name)
