"""Users, members, channels, threads, the server and the application as Discord shows them.

Every key that the documentation names as present is there, also when it is null:
clients index them. Messages are in messages.py, roles in permissions.py.
"""

from __future__ import annotations

from datetime import UTC, datetime

from adapters.sandbox.discord import permissions
from adapters.sandbox.discord.guild import Guild
from adapters.sandbox.ids import DISCORD_EPOCH_MS
from adapters.sandbox.records import Channel, Json, Member

TEXT, DIRECT, THREAD = 0, 1, 11
KINDS = {"text": TEXT, "direct": DIRECT, "thread": THREAD}
_ARCHIVE_MINUTES = 1_440


def timestamp(at: float) -> str:
    """Return a time as `2026-07-01T12:00:00.123000+00:00`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")


def made_at(snowflake: str) -> str:
    """Return when an id was made."""
    return timestamp(((int(snowflake) >> 22) + DISCORD_EPOCH_MS) / 1000)


def user(member: Member) -> Json:
    """Return a user object; who has deleted their account keeps only their id."""
    gone = f"deleted_user_{member.id[-12:]}"
    return {
        "id": member.id,
        "username": gone if member.deleted else member.name,
        "discriminator": "0000" if member.bot else "0",
        "global_name": None if member.bot or member.deleted else member.display,
        "avatar": None,
        "avatar_decoration_data": None,
        "banner": None,
        "accent_color": int(member.color.removeprefix("#") or "0", 16),
        "bot": member.bot,
        "system": False,
        "public_flags": 0,
        "primary_guild": None,
        "collectibles": None,
    }


def own_user(place: Guild) -> Json:
    """Return the bot's user object as only the bot gets it."""
    return user(place.member(place.world.bot_id)) | {
        "flags": 0,
        "verified": True,
        "mfa_enabled": True,
        "locale": "en-US",
        "email": None,
    }


def member(place: Guild, who: Member, *, with_user: bool = True) -> Json:
    """Return a member object, without its user where that stands beside it."""
    shown: Json = {
        "nick": None,
        "avatar": None,
        "banner": None,
        "roles": permissions.roles_of(place.world, who.id),
        "joined_at": made_at(who.id),
        "premium_since": None,
        "deaf": False,
        "mute": False,
        "flags": 0,
        "pending": False,
        "communication_disabled_until": None,
    }
    return shown | {"user": user(who)} if with_user else shown


def members(place: Guild) -> list[Member]:
    """Return who is in the server, in the order of their ids."""
    there = [one for one in place.world.members.values() if not one.deleted]
    return sorted(there, key=lambda one: int(one.id))


def channel(place: Guild, shown: Channel) -> Json:
    """Return a channel object of whatever kind."""
    if shown.kind == "thread":
        return thread(place, shown)
    common: Json = {
        "id": shown.id,
        "type": KINDS[shown.kind],
        "last_message_id": _newest(place, shown),
        "flags": 0,
    }
    if shown.kind == "direct":
        return common | {"recipients": [user(place.partner(shown))]}
    places = [one.id for one in place.world.channels.values() if one.kind == "text"]
    return common | {
        "guild_id": place.world.home_id,
        "name": shown.name,
        "position": places.index(shown.id),
        "permission_overwrites": permissions.overwrites(place.world, shown),
        "topic": shown.topic or None,
        "nsfw": False,
        "parent_id": None,
        "rate_limit_per_user": 0,
        "default_auto_archive_duration": _ARCHIVE_MINUTES,
        "last_pin_timestamp": None,
    }


def thread(place: Guild, shown: Channel) -> Json:
    """Return a thread's channel object, with the bot's membership if it is in it."""
    count = sum(not one.deleted for one in place.world.messages(shown.id))
    when = timestamp(shown.created_at)
    found: Json = {
        "id": shown.id,
        "type": THREAD,
        "guild_id": place.world.home_id,
        "parent_id": shown.parent,
        "owner_id": thread_owner(place, shown),
        "name": shown.name,
        "last_message_id": _newest(place, shown),
        "rate_limit_per_user": 0,
        "message_count": count,
        "total_message_sent": count,
        "member_count": min(50, len(shown.members)),
        "flags": 0,
        "applied_tags": [],
        "thread_metadata": {
            "archived": shown.archived,
            "auto_archive_duration": _ARCHIVE_MINUTES,
            "archive_timestamp": when,
            "create_timestamp": when,
            "locked": False,
        },
    }
    if place.world.bot_id in shown.members:
        found["member"] = thread_member(place, shown, place.world.bot_id)
    return found


def thread_owner(place: Guild, shown: Channel) -> str:
    """Return who opened a thread, as far as that is known."""
    if shown.id in place.thread_owners:
        return place.thread_owners[shown.id]
    root = place.world.get(shown.parent or "", shown.id)
    if root is not None and root.author in shown.members:
        return root.author
    return min(shown.members, key=int, default=place.world.bot_id)


def thread_member(place: Guild, shown: Channel, who: str) -> Json:
    """Return a thread member object."""
    return {
        "id": shown.id,
        "user_id": who,
        "join_timestamp": timestamp(shown.created_at),
        "flags": 0,
    }


def active_threads(place: Guild) -> list[Channel]:
    """Return the threads that are not archived and that the bot may see."""
    channels = place.world.channels.values()
    return [one for one in channels if one.kind == "thread" and not one.archived
            and place.can_see(one)]  # fmt: skip


def guild(place: Guild) -> Json:
    """Return the server's object as the REST API shows it."""
    return {
        "id": place.world.home_id,
        "name": place.world.home_name,
        "icon": None,
        "icon_hash": None,
        "splash": None,
        "discovery_splash": None,
        "banner": None,
        "description": None,
        "owner_id": permissions.owner(place.world),
        "region": "deprecated",
        "afk_channel_id": None,
        "afk_timeout": 300,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "public_updates_channel_id": None,
        "safety_alerts_channel_id": None,
        "widget_enabled": False,
        "widget_channel_id": None,
        "verification_level": 1,
        "default_message_notifications": 1,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw_level": 0,
        "nsfw": False,
        "application_id": None,
        "features": ["COMMUNITY"],
        "roles": permissions.roles(place.world),
        "emojis": [],
        "stickers": [],
        "preferred_locale": "en-US",
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "premium_progress_bar_enabled": False,
        "vanity_url_code": None,
        "max_members": 500_000,
        "max_presences": None,
        "max_video_channel_users": 25,
        "max_stage_video_channel_users": 50,
        "incidents_data": None,
    }


def guild_create(place: Guild, *, with_presences: bool) -> Json:
    """Return what GUILD_CREATE carries.

    Without the presences intent Discord sends no member but the bot itself; a client
    that wants the others asks for them.
    """
    there = members(place)
    shown = there if with_presences else [one for one in there if one.id == place.world.bot_id]
    channels = [one for one in place.world.channels.values() if one.kind == "text"]
    return guild(place) | {
        "joined_at": made_at(place.world.bot_id),
        "large": False,
        "unavailable": False,
        "member_count": len(there),
        "members": [member(place, one) for one in shown],
        "channels": [channel(place, one) for one in channels],
        "threads": [thread(place, one) for one in active_threads(place)],
        "presences": [presence(one) for one in there] if with_presences else [],
        "voice_states": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def presence(who: Member) -> Json:
    """Return a member's presence: everyone is here."""
    return {
        "user": {"id": who.id},
        "status": "online",
        "activities": [],
        "client_status": {"desktop": "online"},
    }


def application(place: Guild) -> Json:
    """Return the application's object."""
    bot = place.member(place.world.bot_id)
    owner = place.member(permissions.owner(place.world))
    return {
        "id": place.application_id,
        "name": bot.display,
        "icon": None,
        "description": "",
        "rpc_origins": [],
        "bot_public": False,
        "bot_require_code_grant": False,
        "bot": user(bot),
        "owner": user(owner),
        "team": None,
        "verify_key": place.secret("verify key", 64),
        "guild_id": None,
        "flags": place.application_flags(),
        "approximate_guild_count": 1,
        "approximate_user_install_count": 0,
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "event_webhooks_status": 1,
        "tags": [],
        "integration_types_config": {"0": {}},
        "hook": True,
        "summary": "",
        "is_monetized": False,
    }


def _newest(place: Guild, shown: Channel) -> str | None:
    newest = None
    for one in place.world.messages(shown.id):
        if one.ephemeral_to is None:
            newest = one.id
    return newest
