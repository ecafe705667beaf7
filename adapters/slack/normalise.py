"""Slack's events → the records of `bot/messages.py`. Pure.

A mention comes twice, as `message` and as `app_mention`; both become the same
record but for `mentions_jay`, which is true in both. What is no message (joins,
topics, Jay's own words) becomes nothing, and so does what lacks a needed field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from adapters.slack import buttons, markup
from adapters.slack.install import Installation
from bot.commands import MessageShortcut
from bot.messages import (
    Attachment,
    ChannelJoined,
    Command,
    Event,
    IncomingMessage,
    MessageChanged,
    MessageDeleted,
    Person,
    Place,
    ShareAsked,
    StopAsked,
)

Json: TypeAlias = Mapping[str, object]

SPOKEN = frozenset(("", "bot_message", "file_share", "me_message", "thread_broadcast"))
"""Subtypes of `message` that somebody said."""
DIRECT = "im"
_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_TS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")


def people_of(event: Json) -> tuple[str, ...]:
    """Return the ids of the people whose names an event needs: its author and the mentioned."""
    inner = _part(event, "message") if _text(event, "subtype") == "message_changed" else event
    author = "" if _id(inner, "bot_id") else _id(inner, "user")
    return tuple(one for one in (author, *markup.people_in(_text(inner, "text"))) if one)


def read_event(event: Json, *, jay: Installation, names: Mapping[str, str]) -> tuple[Event, ...]:
    """Return what an event of the Events API says, mostly one record or none.

    Args:
        event: the inner event.
        jay: whose words are Jay's own.
        names: of the people that `people_of` names.
    """
    kind, subtype = _text(event, "type"), _text(event, "subtype")
    if kind == "app_mention" or (kind == "message" and subtype in SPOKEN):
        direct = _text(event, "channel_type") == DIRECT
        place = _place(event, _id(event, "channel"), jay, direct=direct)
        message = read_message(event, place=place, jay=jay, names=names)
        return (message,) if message else ()
    if kind == "message" and subtype == "message_changed":
        return _changed(event, jay, names)
    if kind == "message" and subtype == "message_deleted":
        return _deleted(event, _id(event, "deleted_ts"), _part(event, "previous_message"), jay)
    if kind == "member_joined_channel":
        return _joined(event, jay, names)
    if kind == "agent_session_stopped":
        return _stopped(event, jay)
    return ()


def read_message(
    message: Json, *, place: Place, jay: Installation, names: Mapping[str, str]
) -> IncomingMessage | None:
    """Return a message of an event or of the history; None for Jay's own and for no message.

    Args:
        message: Slack's object.
        place: its channel; a thread is taken from the message.
        jay: whose words are Jay's own.
        names: people's names by id.
    """
    ts, channel = _id(message, "ts"), place.channel
    author = _author(message, names)
    if not channel or _seconds(ts) is None or author is None or _is_jays(message, jay):
        return None
    if _text(message, "subtype") not in SPOKEN:
        return None
    read = markup.read(_text(message, "text"), jay=jay.bot_user_id, names=names)
    mentions_jay = read.mentions_jay or _text(message, "type") == "app_mention"
    return IncomingMessage(
        place=_in_thread(place, message),
        message_id=ts,
        author=author,
        text=read.text,
        sent_at=_seconds(ts) or 0.0,
        mentions_jay=mentions_jay,
        mentions_others=read.mentions_others and not mentions_jay,
        reply_to=_below_jay(message, jay),
        attachments=_attachments(message),
        edited_at=_seconds(_text(_part(message, "edited"), "ts")) or 0.0,
    )


def _below_jay(message: Json, jay: Installation) -> str:
    """Return the root of a message's thread if that is Jay's own: what answers a command."""
    root = _id(message, "thread_ts")
    below = _id(message, "parent_user_id") == jay.bot_user_id and root != _id(message, "ts")
    return root if below else ""


def is_said(message: Json, *, jay: Installation) -> bool:
    """Tell whether somebody else than Jay said a message of the history."""
    return _text(message, "subtype") in SPOKEN and not _is_jays(message, jay)


def people_of_command(body: Json) -> tuple[str, ...]:
    """Return the ids of the people whose names a slash command needs."""
    return (_id(body, "user_id"), *markup.people_in(_text(body, "text")))


def read_command(
    body: Json, *, jay: Installation, names: Mapping[str, str], now: float
) -> Command | None:
    """Return a slash command; None where it lacks what is needed.

    Args:
        body: what Slack sent.
        jay: the installation.
        names: of the people that `people_of_command` names.
        now: when it came, Unix seconds: Slack doesn't say.
    """
    name, channel = _text(body, "command").removeprefix("/"), _id(body, "channel_id")
    user, invocation = _id(body, "user_id"), _text(body, "trigger_id").replace(":", ".")
    if not (name and channel and user and _ID.fullmatch(invocation)):
        return None
    direct = _text(body, "channel_name") == "directmessage"
    return Command(
        place=_place({}, channel, jay, direct=direct),
        message_id=invocation,
        author=Person(id=user, name=names.get(user, _text(body, "user_name") or user)),
        name=name,
        text=markup.read(_text(body, "text"), jay=jay.bot_user_id, names=names).text,
        sent_at=now,
        handle=_text(body, "response_url"),
    )


def people_of_shortcut(body: Json) -> tuple[str, ...]:
    """Return the ids of the people whose names a shortcut needs: who uses it, the mentioned."""
    return (*people_of_press(body), *markup.people_in(_text(_part(body, "message"), "text")))


def read_shortcut(
    body: Json,
    *,
    jay: Installation,
    names: Mapping[str, str],
    now: float,
    shortcuts: Sequence[MessageShortcut],
) -> Command | None:
    """Return the command that a message's shortcut stands for; None where it is none of Jay's.

    Args:
        body: what Slack sent.
        jay: the installation.
        names: of the people that `people_of_shortcut` names.
        now: when it came, Unix seconds.
        shortcuts: those that there are.
    """
    message, channel, user = _part(body, "message"), _part(body, "channel"), _part(body, "user")
    chosen = next((one for one in shortcuts if one.id == body.get("callback_id")), None)
    person, invocation = _id(user, "id"), _text(body, "trigger_id").replace(":", ".")
    ts, sent_at = _id(message, "ts"), _seconds(_text(message, "ts"))
    if chosen is None or sent_at is None or not (_id(channel, "id") and person):
        return None
    if not _ID.fullmatch(invocation):
        return None
    direct = _text(channel, "name") == "directmessage"
    where = message
    if chosen.thread:
        where = {"thread_ts": _id(message, "thread_ts") or ts}
    said = markup.read(_text(message, "text"), jay=jay.bot_user_id, names=names).text
    return Command(
        place=_place(where, _id(channel, "id"), jay, direct=direct),
        message_id=invocation,
        author=Person(id=person, name=names.get(person, person)),
        name=chosen.command,
        text=chosen.text.format(at=ts, text=said),
        sent_at=now,
        handle=_text(body, "response_url"),
        about=ts if chosen.holds_words else "",
    )


def people_of_press(body: Json) -> tuple[str, ...]:
    """Return the ids of the people whose names the press of a button needs."""
    return (_id(_part(body, "user"), "id"),)


def read_press(
    body: Json, *, jay: Installation, names: Mapping[str, str], now: float
) -> StopAsked | ShareAsked | Command | None:
    """Return what the press of a button says; None where it is none of Jay's.

    Who presses Why? asks as by the command, of that reply.

    Args:
        body: what Slack sent.
        jay: the installation.
        names: of the people that `people_of_press` names.
        now: when it came, Unix seconds.
    """
    listed = body.get("actions")
    pressed = listed[0] if isinstance(listed, list) and listed else None
    pressed = pressed if isinstance(pressed, Mapping) else {}
    container, user = _part(body, "container"), _id(_part(body, "user"), "id")
    channel = _id(container, "channel_id") or _id(_part(body, "channel"), "id")
    given = _text(pressed, "value")
    made_up = given.startswith(buttons.MADE_UP) and _ID.fullmatch(given[len(buttons.MADE_UP) :])
    message_id = given if made_up else _id(container, "message_ts")
    press_id = _text(body, "trigger_id").replace(":", ".")
    if not channel or not message_id:
        return None
    place = _place({}, channel, jay, direct=channel.startswith("D"))
    match _text(pressed, "action_id"):
        case buttons.STOP:
            return StopAsked(place=place, message_id=message_id)
        case buttons.SHARE if user and _ID.fullmatch(press_id):
            return ShareAsked(
                place=place,
                message_id=message_id,
                press_id=press_id,
                author=Person(id=user, name=names.get(user, user)),
                at=now,
            )
        case buttons.WHY if user and _ID.fullmatch(press_id):
            return Command(
                place=_in_thread(place, _part(body, "message")),
                message_id=press_id,
                author=Person(id=user, name=names.get(user, user)),
                name="why",
                text=message_id,
                sent_at=now,
                handle=_text(body, "response_url"),
            )
    return None


def _changed(event: Json, jay: Installation, names: Mapping[str, str]) -> tuple[Event, ...]:
    now, before = _part(event, "message"), _part(event, "previous_message")
    if _text(now, "subtype") == "tombstone":
        return _deleted(event, _id(now, "ts"), before, jay)
    channel, ts = _id(event, "channel"), _id(now, "ts")
    same = _text(now, "text") == _text(before, "text")  # a link's preview came, say
    if not channel or not ts or same or _is_jays(now, jay):
        return ()
    direct = _text(event, "channel_type") == DIRECT
    return (
        MessageChanged(
            place=_in_thread(_place({}, channel, jay, direct=direct), now),
            message_id=ts,
            text=markup.read(_text(now, "text"), jay=jay.bot_user_id, names=names).text,
            changed_at=_seconds(_text(event, "event_ts")) or _seconds(ts) or 0.0,
        ),
    )


def _deleted(event: Json, ts: str, before: Json, jay: Installation) -> tuple[Event, ...]:
    channel = _id(event, "channel")
    if not channel or not ts:
        return ()
    place = _place({}, channel, jay, direct=_text(event, "channel_type") == DIRECT)
    return (MessageDeleted(place=_in_thread(place, before), message_id=ts),)


def _joined(event: Json, jay: Installation, names: Mapping[str, str]) -> tuple[Event, ...]:
    channel, person = _id(event, "channel"), _id(event, "user")
    at = _seconds(_text(event, "event_ts"))
    if not channel or not person or at is None or person == jay.bot_user_id:
        return ()
    place = _place({}, channel, jay, direct=False)
    return (
        ChannelJoined(place=place, person=Person(id=person, name=names.get(person, person)), at=at),
    )


def _stopped(event: Json, jay: Installation) -> tuple[Event, ...]:
    channel, thread = _id(event, "channel"), _id(event, "thread_ts")
    listed = event.get("streaming_message_ts")
    streams = [listed] if isinstance(listed, str) else listed if isinstance(listed, list) else []
    place = _place(event, channel, jay, direct=channel.startswith("D"))
    replies = [one for one in streams if isinstance(one, str)] or [thread]
    return tuple(
        StopAsked(place=place, message_id=one) for one in replies if channel and _TS.fullmatch(one)
    )


def _place(event: Json, channel: str, jay: Installation, *, direct: bool) -> Place:
    place = Place(platform="slack", workspace=jay.team_id, channel=channel, direct=direct)
    return _in_thread(place, event)


def _in_thread(place: Place, message: Json) -> Place:
    thread = _id(message, "thread_ts")
    return Place(
        platform=place.platform,
        workspace=place.workspace,
        channel=place.channel,
        thread="" if thread == _id(message, "ts") else thread,
        direct=place.direct,
    )


def _author(message: Json, names: Mapping[str, str]) -> Person | None:
    user, bot = _id(message, "user"), _id(message, "bot_id")
    profile = _part(message, "bot_profile")
    if bot or _text(message, "subtype") == "bot_message":
        name = _text(message, "username") or _text(profile, "name")
        author = bot or user
        return Person(id=author, name=name or author, bot=True) if author else None
    return Person(id=user, name=names.get(user, user)) if user else None


def _is_jays(message: Json, jay: Installation) -> bool:
    user, bot = _id(message, "user"), _id(message, "bot_id")
    return user == jay.bot_user_id or (bool(bot) and bot == jay.bot_id)


def _attachments(message: Json) -> tuple[Attachment, ...]:
    files = message.get("files")
    listed = files if isinstance(files, list) else []
    return tuple(
        Attachment(
            name=_text(one, "name") or _text(one, "title") or _text(one, "id"),
            media_type=_text(one, "mimetype"),
        )
        for one in listed
        if isinstance(one, Mapping)
    )


def _text(body: Json, name: str) -> str:
    """Return a text; half an emoji, as some clients send it, becomes a question mark."""
    value = body.get(name)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _id(body: Json, name: str) -> str:
    """Return an id; keys of the store are made of them, so nothing else may pass for one."""
    value = _text(body, name)
    return value if _ID.fullmatch(value) else ""


def _part(body: Json, name: str) -> Json:
    value = body.get(name)
    return value if isinstance(value, Mapping) else {}


def _seconds(ts: str) -> float | None:
    return float(ts) if _TS.fullmatch(ts) else None
