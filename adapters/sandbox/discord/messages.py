"""Messages as Discord shows them, with replies, threads, reactions and commands around them.

A message's platform details (embeds, components, flags, whom it pinged) stand in its
`extra`, as `posting` and the interactions put them there; what a person says in the world
has none, and is read as the client would have sent it.
"""

from __future__ import annotations

from adapters.sandbox.discord import markup, permissions, shapes
from adapters.sandbox.discord.guild import Guild
from adapters.sandbox.records import Channel, File, Json, Message

DEFAULT, REPLY, COMMAND, STARTER = 0, 19, 20, 21
HAS_THREAD, EPHEMERAL, LOADING = 1 << 5, 1 << 6, 1 << 7


def message(place: Guild, shown: Message, *, nested: bool = False) -> Json:
    """Return a message object.

    Args:
        place: The server.
        shown: The message.
        nested: Whether it stands inside another one, which then shows no further reply.
    """
    extra = shown.extra
    flags = int(extra.get("flags", 0))
    found: Json = {
        "id": shown.id,
        "channel_id": shown.channel,
        "type": kind(shown),
        "content": shown.text,
        "author": author(place, shown),
        "timestamp": shapes.timestamp(shown.at),
        "edited_timestamp": shapes.timestamp(shown.edited_at) if shown.edited_at else None,
        "tts": bool(extra.get("tts", False)),
        "attachments": [_attachment(place, shown, file) for file in shown.files],
        "embeds": [{"type": "rich"} | embed for embed in extra.get("embeds", [])],
        "components": extra.get("components", []),
        "pinned": False,
    }
    found |= _mentions(place, shown)
    if shown.reactions:
        found["reactions"] = [_reaction(place, *pair) for pair in shown.reactions.items()]
    if shown.nonce is not None:
        found["nonce"] = shown.nonce
    if shown.interaction is not None:
        found |= _interaction(place, shown.interaction)
    for name in ("webhook_id", "application_id"):
        if name in extra:
            found[name] = extra[name]
    thread = place.world.channels.get(shown.id)
    if thread is not None and thread.kind == "thread":
        flags |= HAS_THREAD
        found["thread"] = shapes.thread(place, thread)
    found["flags"] = flags | (EPHEMERAL if shown.ephemeral_to else 0)
    if shown.reply_to is not None:
        found |= _reply(place, shown, nested=nested)
    return found


def as_event(place: Guild, shown: Message) -> Json:
    """Return a message as MESSAGE_CREATE and MESSAGE_UPDATE carry it."""
    found = message(place, shown)
    channel = place.world.channels[shown.channel]
    found["channel_type"] = shapes.KINDS[channel.kind]
    if channel.kind != "direct":
        found["guild_id"] = place.world.home_id
        writer = place.world.members.get(shown.author)
        if writer is not None and not writer.deleted and "webhook_id" not in shown.extra:
            found["member"] = shapes.member(place, writer, with_user=False)
    return found


def kind(shown: Message) -> int:
    """Return a message's type."""
    if "type" in shown.extra:
        return int(shown.extra["type"])
    return REPLY if shown.reply_to is not None else DEFAULT


def author(place: Guild, shown: Message) -> Json:
    """Return the author's user object."""
    return shapes.user(place.member(shown.author))


def pings(place: Guild, shown: Message) -> list[str]:
    """Return whom a message rings for, worked out for what people say."""
    listed = shown.extra.get("pings")
    if isinstance(listed, list):
        return listed
    replied = None
    if shown.reply_to is not None and shown.extra.get("reply_ping", True):
        answered = place.world.get(shown.channel, shown.reply_to)
        replied = answered.author if answered is not None else None
    return markup.pings(place.world, shown.text, roles=mentionable_roles(place), replied_to=replied)


def mentionable_roles(place: Guild) -> list[str]:
    """Return the ids of the roles that a text can mention."""
    listed = permissions.roles(place.world)
    return [role["id"] for role in listed if role["id"] != place.world.home_id]


def starter(place: Guild, thread: Channel) -> Json | None:
    """Return the empty message of type 21 with which a thread on a message begins.

    It is not in the world, where the thread's root stands in its parent channel.
    """
    root = place.world.get(thread.parent or "", thread.id)
    if root is None:
        return None
    opener = place.member(shapes.thread_owner(place, thread))
    opened = Message(
        id=starter_id(place, thread),
        channel=thread.id,
        author=opener.id,
        text="",
        at=thread.created_at,
        extra={"type": STARTER, "pings": []},
    )
    where = {"channel_id": root.channel, "message_id": root.id, "guild_id": place.world.home_id}
    referenced = None if root.deleted else message(place, root, nested=True)
    return message(place, opened) | {
        "message_reference": {"type": 0, **where},
        "referenced_message": referenced,
    }


def starter_id(place: Guild, thread: Channel) -> str:
    """Return the id of a thread's starter message: after its root, before all others."""
    first = next(iter(place.world.messages(thread.id)), None)
    made = int(thread.id) + 1
    return str(min(made, int(first.id) - 1) if first is not None else made)


def _mentions(place: Guild, shown: Message) -> Json:
    found = markup.summary(place.world, pings(place, shown), mentionable_roles(place))
    people = [place.world.members[one] for one in found["mentions"]]
    found["mentions"] = [
        shapes.user(one) | {"member": shapes.member(place, one, with_user=False)}
        if place.world.channels[shown.channel].kind != "direct" and not one.deleted
        else shapes.user(one)
        for one in people
    ]
    return found


def _reply(place: Guild, shown: Message, *, nested: bool) -> Json:
    where: Json = {"type": 0, "channel_id": shown.channel, "message_id": shown.reply_to}
    if place.world.channels[shown.channel].kind != "direct":
        where["guild_id"] = place.world.home_id
    found: Json = {"message_reference": where}
    if not nested:
        answered = place.world.get(shown.channel, shown.reply_to or "")
        there = answered is not None and not answered.deleted
        found["referenced_message"] = (
            message(place, answered, nested=True) if answered is not None and there else None
        )
    return found


def _interaction(place: Guild, used: Json) -> Json:
    who = shapes.user(place.member(used["user_id"]))
    metadata: Json = {
        "id": used["id"],
        "type": used["type"],
        "user": who,
        "authorizing_integration_owners": {"0": place.world.home_id},
    }
    for name in ("original_response_message_id", "interacted_message_id", "target_message_id"):
        if name in used:
            metadata[name] = used[name]
    shown: Json = {"interaction_metadata": metadata}
    if used["type"] == 2 and "original_response_message_id" not in used:
        metadata["name"] = used["name"]
        shown["interaction"] = {key: used[key] for key in ("id", "type", "name")} | {"user": who}
    return shown


def _reaction(place: Guild, emoji: str, members: list[str]) -> Json:
    return {
        "emoji": emoji_object(emoji),
        "count": len(members),
        "count_details": {"normal": len(members), "burst": 0},
        "me": place.world.bot_id in members,
        "me_burst": False,
        "burst_colors": [],
    }


def emoji_object(emoji: str) -> Json:
    """Return a partial emoji: a character, or a custom one from `name:id`."""
    name, _, custom = emoji.partition(":")
    if custom:
        return {"id": custom, "name": name, "animated": False}
    return {"id": None, "name": emoji}


def _attachment(place: Guild, shown: Message, file: File) -> Json:
    address = f"{place.url}/discord/attachments/{shown.channel}/{file.id}/{file.name}"
    return {
        "id": file.id,
        "filename": file.name,
        "content_type": file.mimetype,
        "size": file.size,
        "url": address,
        "proxy_url": address,
        "content_scan_version": 0,
    }
