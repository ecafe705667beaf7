"""What the bot is told: a world's event as the gateway's dispatches.

A bot hears only of channels that it can see, and of direct messages with itself. Each
dispatch names the intent without which a session doesn't get it. What one person alone
sees (ephemeral answers) is told to no bot.
"""

from __future__ import annotations

from dataclasses import dataclass

from adapters.sandbox.discord import intents, messages, shapes
from adapters.sandbox.discord.guild import Guild
from adapters.sandbox.records import Channel, Event, Json, Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """One event of the gateway."""

    name: str
    data: Json
    needs: int = 0
    """The intent that a session must have asked for; 0: everyone gets it."""


def of(place: Guild, event: Event) -> list[Dispatch]:
    """Return what the gateway dispatches for something that happened."""
    if not place.can_see(event.channel):
        return []
    if event.kind == "channel":
        return _channel(place, event)
    if event.kind == "typing":
        return [_typing(place, event)]
    shown = event.message
    if shown is None or shown.ephemeral_to is not None:
        return []
    if event.kind == "message":
        return [_message(place, "MESSAGE_CREATE", event.channel, shown)]
    if event.kind == "edit":
        return [_message(place, "MESSAGE_UPDATE", event.channel, shown)]
    if event.kind == "delete":
        data = {"id": shown.id, "channel_id": shown.channel} | _where(place, event.channel)
        needs = _either(event.channel, intents.GUILD_MESSAGES, intents.DIRECT_MESSAGES)
        return [Dispatch(name="MESSAGE_DELETE", data=data, needs=needs)]
    if event.kind == "reaction":
        return [_reaction(place, event, shown)]
    return []


def ready(
    place: Guild, *, session: str, shard: list[int], resume_url: str, hears: bool
) -> Dispatch:
    """Return READY, with which a session begins; `hears`: the server belongs to its shard."""
    data: Json = {
        "v": 10,
        "user": shapes.own_user(place),
        "guilds": [{"id": place.world.home_id, "unavailable": True}] if hears else [],
        "session_id": session,
        "session_type": "normal",
        "resume_gateway_url": resume_url,
        "shard": shard,
        "application": {"id": place.application_id, "flags": place.application_flags()},
        "private_channels": [],
        "presences": [],
        "relationships": [],
        "user_settings": {},
        "guild_join_requests": [],
        "geo_ordered_rtc_regions": [],
        "_trace": ["sandbox"],
    }
    return Dispatch(name="READY", data=data)


def guild(place: Guild, asked: int) -> Dispatch:
    """Return GUILD_CREATE for a session that asked for these intents."""
    with_presences = bool(asked & intents.GUILD_PRESENCES)
    data = shapes.guild_create(place, with_presences=with_presences)
    return Dispatch(name="GUILD_CREATE", data=data, needs=intents.GUILDS)


def resumed() -> Dispatch:
    """Return RESUMED, which ends a replay."""
    return Dispatch(name="RESUMED", data={"_trace": ["sandbox"]})


def members_chunk(place: Guild, wanted: Json, asked: int) -> Dispatch | None:
    """Return the answer to a request for members, None where it is not allowed."""
    if str(wanted.get("guild_id")) != place.world.home_id:
        return None
    ids, query = wanted.get("user_ids"), wanted.get("query")
    listed = [str(one) for one in (ids if isinstance(ids, list) else [ids])] if ids else None
    there = shapes.members(place)
    if listed is not None:
        there = [one for one in there if one.id in listed]
    elif isinstance(query, str) and query:
        there = [one for one in there if one.name.lower().startswith(query.lower())]
    elif not asked & intents.GUILD_MEMBERS:
        return None
    most = wanted.get("limit")
    there = there[:most] if isinstance(most, int) and most > 0 else there
    found = {one.id for one in there}
    data: Json = {
        "guild_id": place.world.home_id,
        "members": [shapes.member(place, one) for one in there],
        "chunk_index": 0,
        "chunk_count": 1,
        "not_found": [one for one in listed or () if one not in found],
    }
    if wanted.get("presences") and asked & intents.GUILD_PRESENCES:
        data["presences"] = [shapes.presence(one) for one in there]
    if wanted.get("nonce") is not None:
        data["nonce"] = wanted["nonce"]
    return Dispatch(name="GUILD_MEMBERS_CHUNK", data=data)


def _message(place: Guild, name: str, channel: Channel, shown: Message) -> Dispatch:
    needs = _either(channel, intents.GUILD_MESSAGES, intents.DIRECT_MESSAGES)
    return Dispatch(name=name, data=messages.as_event(place, shown), needs=needs)


def _typing(place: Guild, event: Event) -> Dispatch:
    data: Json = {
        "channel_id": event.channel.id,
        "user_id": event.member.id if event.member else place.world.bot_id,
        "timestamp": int(place.world.clock()),
    }
    data |= _where(place, event.channel)
    if event.member is not None and "guild_id" in data:
        data["member"] = shapes.member(place, event.member)
    needs = _either(event.channel, intents.GUILD_TYPING, intents.DIRECT_TYPING)
    return Dispatch(name="TYPING_START", data=data, needs=needs)


def _reaction(place: Guild, event: Event, shown: Message) -> Dispatch:
    data: Json = {
        "user_id": event.member.id if event.member else place.world.bot_id,
        "channel_id": shown.channel,
        "message_id": shown.id,
        "emoji": messages.emoji_object(str(event.payload["emoji"])),
        "burst": False,
        "type": 0,
    }
    data |= _where(place, event.channel)
    needs = _either(event.channel, intents.GUILD_REACTIONS, intents.DIRECT_REACTIONS)
    if event.payload.get("removed"):
        return Dispatch(name="MESSAGE_REACTION_REMOVE", data=data, needs=needs)
    data |= {"message_author_id": shown.author, "burst_colors": []}
    if event.member is not None and "guild_id" in data:
        data["member"] = shapes.member(place, event.member)
    return Dispatch(name="MESSAGE_REACTION_ADD", data=data, needs=needs)


def _channel(place: Guild, event: Event) -> list[Dispatch]:
    channel, created = event.channel, event.payload.get("change") == "created"
    if channel.kind == "direct":
        return []
    if channel.kind == "thread":
        return _thread_opened(place, channel) if created else [_thread_members(place, event)]
    if not created and not channel.private:
        return []
    name = "CHANNEL_CREATE" if created else "CHANNEL_UPDATE"
    data = shapes.channel(place, channel)
    return [Dispatch(name=name, data=data, needs=intents.GUILDS)]


def _thread_opened(place: Guild, thread: Channel) -> list[Dispatch]:
    """A thread on a message also begins with one of type 21, and its root gets a flag."""
    data = shapes.thread(place, thread) | {"newly_created": True}
    found = [Dispatch(name="THREAD_CREATE", data=data, needs=intents.GUILDS)]
    parent = place.world.channels[thread.parent or ""]
    root = place.world.get(parent.id, thread.id)
    begun = messages.starter(place, thread)
    if root is None or begun is None:
        return found
    begun |= {"guild_id": place.world.home_id, "channel_type": shapes.THREAD}
    created = Dispatch(name="MESSAGE_CREATE", data=begun, needs=intents.GUILD_MESSAGES)
    return [*found, created, _message(place, "MESSAGE_UPDATE", parent, root)]


def _thread_members(place: Guild, event: Event) -> Dispatch:
    who, thread = event.member, event.channel
    data: Json = {
        "id": thread.id,
        "guild_id": place.world.home_id,
        "member_count": min(50, len(thread.members)),
        "added_members": [],
        "removed_member_ids": [],
    }
    if who is not None and event.payload.get("change") == "joined":
        joined = shapes.thread_member(place, thread, who.id)
        data["added_members"] = [joined | {"member": shapes.member(place, who), "presence": None}]
    elif who is not None:
        data["removed_member_ids"] = [who.id]
    return Dispatch(name="THREAD_MEMBERS_UPDATE", data=data, needs=intents.GUILDS)


def _where(place: Guild, channel: Channel) -> Json:
    return {} if channel.kind == "direct" else {"guild_id": place.world.home_id}


def _either(channel: Channel, in_guild: int, in_direct: int) -> int:
    return in_direct if channel.kind == "direct" else in_guild
