"""Streamed messages and agent sessions: `chat.startStream` and its kin.

A stream is a message that grows: appended to until it is stopped, by the app, by a person
(Slack's own Stop button) or by its age. Starting one opens an agent session whose status
the app must lead out of `processing` by itself.
"""

from __future__ import annotations

from adapters.sandbox.records import Channel, Json, Message
from adapters.sandbox.slack import checking, limits, markup, shapes
from adapters.sandbox.slack.posting import thread_of
from adapters.sandbox.slack.workspace import Refused, Workspace

STATUSES = ("active", "processing", "suspended", "closed")


def start(place: Workspace, args: Json) -> Json:
    """chat.startStream."""
    channel = place.channel_to_write(str(args["channel"]))
    if channel.kind != "direct":
        _check_recipient(place, args)
    if not args.get("thread_ts"):
        raise Refused("invalid_arguments", "[ERROR] missing required field: thread_ts")
    thread = thread_of(place, channel, args["thread_ts"])
    text = checking.markdown_text(checking.chunks(args))
    wait = place.limits.post(channel.id)
    if wait:
        raise Refused("ratelimited", retry_after_s=wait)
    message = place.world.say(
        channel.id,
        place.world.bot_id,
        text,
        thread=thread,
        streaming=True,
        extra={"markdown": True, "pings": markup.pings(text), "blocks": []},
    )
    if place.agent and thread is not None:
        session = place.sessions.setdefault((channel.id, thread), {"title": ""})
        session["status"] = "processing"
    return {"ok": True, "channel": channel.id, "ts": message.id}


def append(place: Workspace, args: Json) -> Json:
    """chat.appendStream."""
    channel, message = _growing(place, args)
    added = checking.chunks(args)
    if not added and not args.get("chunks"):
        raise Refused("no_text")
    _grow(place, channel, message, added)
    return {"ok": True, "channel": channel.id, "ts": message.id}


def stop(place: Workspace, args: Json) -> Json:
    """chat.stopStream."""
    channel, message = _growing(place, args, stopping=True)
    metadata = checking.metadata(args.get("metadata"))
    blocks = checking.blocks(args.get("blocks"))
    status = str(args.get("session_status") or "active")
    if status not in STATUSES:
        raise Refused("invalid_arguments", "[ERROR] invalid session_status")
    text = message.text + checking.chunks(args)
    _check_length(text)
    place.world.edit(
        channel.id,
        message.id,
        text,
        metadata=metadata,
        mark_edited=False,
        extra={"pings": _rings(text, blocks), "blocks": blocks},
    )
    session = place.sessions.get((channel.id, message.thread or message.id))
    if session is not None:
        session["status"] = status
    shown = shapes.message(place, message, as_root=False)
    return {"ok": True, "channel": channel.id, "ts": message.id, "message": shown}


def set_session_status(place: Workspace, args: Json) -> Json:
    """agents.sessions.setStatus."""
    session = _session(place, args)
    status = str(args["status"])
    if status not in STATUSES:
        raise Refused("invalid_status")
    session["status"] = status
    place.world.set_status(
        str(args["channel_id"]),
        place.world.bot_id,
        "is working…" if status == "processing" else "",
        thread=str(args["thread_ts"]),
    )
    return {"ok": True, "status": status, "agent_status": status, "title": session["title"]}


def rename_session(place: Workspace, args: Json) -> Json:
    """agents.sessions.rename."""
    session = _session(place, args)
    session["title"] = str(args["title"])[:200]
    return {"ok": True, "title": session["title"]}


def set_thread_status(place: Workspace, args: Json) -> Json:
    """assistant.threads.setStatus."""
    channel = place.joined_channel(str(args["channel_id"]))
    thread = str(args["thread_ts"])
    if place.world.get(channel.id, thread) is None:
        raise Refused("invalid_thread_ts")
    place.world.set_status(channel.id, place.world.bot_id, str(args["status"]), thread=thread)
    return {"ok": True}


def set_thread_title(place: Workspace, args: Json) -> Json:
    """assistant.threads.setTitle and assistant.threads.setSuggestedPrompts."""
    channel = place.joined_channel(str(args["channel_id"]))
    thread = args.get("thread_ts")
    if thread and place.world.get(channel.id, str(thread)) is None:
        raise Refused("invalid_thread_ts")
    return {"ok": True}


def stop_by_person(place: Workspace, channel: Channel, thread: str) -> list[str]:
    """Stop the streams of a thread, as Slack's button does, and return their ts."""
    stopped = []
    for message in place.world.history(channel.id, thread=thread, limit=200):
        if message.streaming and message.author == place.world.bot_id:
            message.extra["stopped_by_user"] = True
            stopped.append(message.id)
    return stopped


def _check_recipient(place: Workspace, args: Json) -> None:
    if not args.get("recipient_team_id"):
        raise Refused("missing_recipient_team_id")
    if not args.get("recipient_user_id"):
        raise Refused("missing_recipient_user_id")
    if args["recipient_team_id"] != place.world.home_id:
        raise Refused("team_not_found")
    place.member(str(args["recipient_user_id"]))


def _growing(place: Workspace, args: Json, *, stopping: bool = False) -> tuple[Channel, Message]:
    channel = place.joined_channel(str(args["channel"]))
    message = place.own_message(channel, str(args["ts"]), "message_not_owned_by_app")
    if message.streaming and place.world.clock() - message.at > limits.STREAM_LIFE_S:
        place.world.edit(channel.id, message.id, message.text, mark_edited=False)
    if not message.streaming:
        raise Refused("message_not_in_streaming_state")
    if message.extra.get("stopped_by_user") and not stopping:
        raise Refused("stopped_by_user")
    return channel, message


def _grow(place: Workspace, channel: Channel, message: Message, added: str) -> None:
    text = message.text + added
    _check_length(text)
    place.world.edit(
        channel.id,
        message.id,
        text,
        streaming=True,
        mark_edited=False,
        extra={"pings": markup.pings(text)},
    )


def _check_length(text: str) -> None:
    if len(text) > limits.MARKDOWN_TEXT_MAX:
        raise Refused("msg_too_long")


def _rings(text: str, blocks: list[Json]) -> list[str]:
    listed = dict.fromkeys(markup.pings(text))
    for written in markup.texts_of(blocks):
        listed |= dict.fromkeys(markup.pings(written))
    return list(listed)


def _session(place: Workspace, args: Json) -> Json:
    channel = place.visible_channel(str(args["channel_id"]))
    if not place.agent or place.world.bot_id not in channel.members:
        raise Refused("not_authorized")
    if not args.get("thread_ts"):
        raise Refused("thread_ts_required")
    title = str(args.get("title") or "")[:200]
    made = {"title": title, "status": "active"}
    return place.sessions.setdefault((channel.id, str(args["thread_ts"])), made)
