"""The calls that write: messages, edits, deletions, typing, reactions, direct channels."""

from __future__ import annotations

from functools import partial
from typing import Any

from adapters.sandbox.discord import checking, limits, markup, messages, permissions, shapes
from adapters.sandbox.discord.calls import Call, Endpoint
from adapters.sandbox.discord.checking import Content, Upload
from adapters.sandbox.discord.guild import Guild
from adapters.sandbox.discord.refusals import Form, Refused
from adapters.sandbox.records import Channel, File, Json, Message

_MESSAGE = "/channels/{channel_id}/messages/{message_id}"
_REACTION = _MESSAGE + "/reactions/{emoji}"
_TEXT_DISPLAY = 10
_REPLY_TYPE = 0


def endpoints(place: Guild) -> list[Endpoint]:
    """Return the writing endpoints."""

    def on(method: str, path: str, call: Any, bucket: str) -> Endpoint:
        return Endpoint(method, path, partial(call, place), bucket)

    return [
        on("POST", "/users/@me/channels", open_direct, "direct.open"),
        on("POST", "/channels/{channel_id}/messages", create, "message.create"),
        on("PATCH", _MESSAGE, edit, "message.edit"),
        on("DELETE", _MESSAGE, delete, "message.delete"),
        on("POST", "/channels/{channel_id}/typing", show_typing, "typing"),
        on("PUT", _REACTION + "/@me", react, "reaction"),
        on("DELETE", _REACTION + "/@me", take_back, "reaction"),
        on("DELETE", _REACTION + "/{user_id}", take_back, "reaction"),
    ]


def open_direct(place: Guild, call: Call) -> Json:
    """POST users/@me/channels: opens also with those that take no messages."""
    wanted = str(call.body.get("recipient_id", ""))
    partner = place.member(wanted)
    if partner.id == place.world.bot_id:
        raise Refused(50007)
    channel = place.world.open_direct(place.world.bot_id, partner.id)
    return shapes.channel(place, channel)


def create(place: Guild, call: Call) -> Json:
    """POST channels/{id}/messages."""
    channel = place.channel_to_write(call.args["channel_id"])
    content = checking.content(call.body, call.uploads)
    if content.is_empty():
        raise Refused(50006)
    if content.enforce_nonce and content.nonce is not None:
        known = _with_nonce(place, channel, content.nonce)
        if known is not None:
            return messages.message(place, known)
    answered = _answered(place, channel, call.body.get("message_reference"))
    said = place.world.say(
        channel.id,
        place.world.bot_id,
        content.text or "",
        reply_to=answered.id if answered is not None else None,
        files=files(place, content.uploads),
        nonce=content.nonce,
        extra=extra(place, channel, content, answered=answered),
    )
    return messages.message(place, said)


def edit(place: Guild, call: Call) -> Json:
    """PATCH channels/{id}/messages/{id}."""
    channel = place.channel(call.args["channel_id"])
    found = place.message(channel, call.args["message_id"])
    if found.author != place.world.bot_id:
        raise Refused(50005)
    return messages.message(place, change(place, found, checking.content(call.body, call.uploads)))


def change(place: Guild, found: Message, content: Content, *, mark_edited: bool = True) -> Message:
    """Give a message of the bot what a checked edit says, and return it."""
    if content.kept_files is not None:
        kept = [file for file in found.files if file.id in content.kept_files]
    else:
        kept = found.files
    text = found.text if content.text is None else content.text
    changed = {
        "embeds": found.extra.get("embeds", []) if content.embeds is None else content.embeds,
        "components": found.extra.get("components", [])
        if content.components is None
        else content.components,
    }
    there = kept or content.uploads or changed["embeds"] or changed["components"]
    if not text.strip() and not there:
        raise Refused(50006)
    found.files = [*kept, *files(place, content.uploads)]
    flags = int(found.extra.get("flags", 0)) & ~messages.LOADING
    return place.world.edit(
        found.channel,
        found.id,
        text,
        mark_edited=mark_edited,
        extra=changed | {"flags": flags | content.flags},
    )


def delete(place: Guild, call: Call) -> None:
    """DELETE channels/{id}/messages/{id}: one's own, others' with Manage Messages."""
    channel = place.channel(call.args["channel_id"])
    found = place.message(channel, call.args["message_id"])
    if found.author != place.world.bot_id:
        if channel.kind == "direct":
            raise Refused(50003)
        if not place.can(channel, permissions.MANAGE_MESSAGES):
            raise Refused(50013)
    place.world.delete(channel.id, found.id)


def show_typing(place: Guild, call: Call) -> None:
    """POST channels/{id}/typing."""
    channel = place.channel_to_write(call.args["channel_id"])
    place.world.type_in(channel.id, place.world.bot_id)


def react(place: Guild, call: Call) -> None:
    """PUT one's own reaction."""
    channel = place.channel(call.args["channel_id"], permissions.READ_HISTORY)
    found = place.message(channel, call.args["message_id"])
    emoji = call.args["emoji"]
    if ":" in emoji or not any(ord(sign) > 0x2000 or sign in "©®" for sign in emoji):
        raise Refused(10014)
    if emoji not in found.reactions:
        place.channel(channel.id, permissions.ADD_REACTIONS)
        if len(found.reactions) >= limits.REACTIONS_MAX:
            most = limits.REACTIONS_MAX
            raise Refused(30010, message=f"Maximum number of reactions reached ({most})")
    place.world.react(channel.id, found.id, place.world.bot_id, emoji)


def take_back(place: Guild, call: Call) -> None:
    """DELETE one's own reaction, or with Manage Messages another's."""
    channel = place.channel(call.args["channel_id"])
    found = place.message(channel, call.args["message_id"])
    whose = call.args.get("user_id", place.world.bot_id)
    if whose != place.world.bot_id and not place.can(channel, permissions.MANAGE_MESSAGES):
        raise Refused(50013)
    if not place.world.react(channel.id, found.id, whose, call.args["emoji"], remove=True):
        raise Refused(10014)


def files(place: Guild, uploads: tuple[Upload, ...]) -> list[File]:
    """Return the records of uploaded files."""
    now = place.world.clock()
    return [
        File(
            id=place.world.ids.thing("file", at=now),
            name=one.name,
            mimetype=one.mimetype,
            size=one.size,
        )
        for one in uploads
    ]


def extra(
    place: Guild, channel: Channel, content: Content, *, answered: Message | None = None
) -> Json:
    """Return what a message of the bot keeps beside its text, whom it pinged among it."""
    roles = messages.mentionable_roles(place)
    allowed = content.allowed
    if channel.kind == "direct" or not place.can(channel, permissions.MENTION_EVERYONE):
        roles = [permissions.keepers_role(place.world)] if channel.kind != "direct" else []
        allowed = markup.Allowed(
            everyone=False,
            users=allowed.users,
            roles=allowed.roles,
            replied_user=allowed.replied_user,
        )
    pings = markup.pings(
        place.world,
        " ".join([content.text or "", *_texts(content.components or [])]),
        roles=roles,
        allowed=allowed,
        replied_to=answered.author if answered is not None else None,
    )
    return {
        "pings": pings,
        "embeds": content.embeds or [],
        "components": content.components or [],
        "flags": content.flags,
        "tts": content.tts,
    }


def _texts(components: list[Json]) -> list[str]:
    found = [str(one.get("content", "")) for one in components if one.get("type") == _TEXT_DISPLAY]
    for one in components:
        found += _texts(one.get("components") or [])
    return found


def _with_nonce(place: Guild, channel: Channel, nonce: str) -> Message | None:
    since = place.world.clock() - limits.NONCE_KEPT_S
    recent = place.world.history(channel.id, limit=limits.HISTORY_MAX)
    for one in reversed(recent):
        if one.nonce == nonce and one.author == place.world.bot_id and one.at >= since:
            return one
    return None


def _answered(place: Guild, channel: Channel, reference: Any) -> Message | None:
    if reference is None:
        return None
    form = Form()
    if not isinstance(reference, dict) or reference.get("type", _REPLY_TYPE) != _REPLY_TYPE:
        form.wrong("message_reference.type", "BASE_TYPE_CHOICES", "Value must be one of (0,).")
        form.settle()
    if str(reference.get("channel_id", channel.id)) != channel.id:
        form.wrong(
            "message_reference",
            "REPLIES_CANNOT_REFERENCE_OTHER_CHANNEL",
            "Cannot reply to a message in a different channel",
        )
        form.settle()
    found = place.world.get(channel.id, str(reference.get("message_id", "")))
    if found is not None and not found.deleted and found.ephemeral_to is None:
        if not place.can(channel, permissions.READ_HISTORY):
            raise Refused(50013)
        return found
    if reference.get("fail_if_not_exists", True):
        form.wrong("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
        form.settle()
    return None
