"""The Web API methods that read: who is there, which channels, what was said."""

from __future__ import annotations

import base64
import binascii
from typing import TypeVar

from adapters.sandbox.records import Channel, Json, Message
from adapters.sandbox.slack import limits, shapes
from adapters.sandbox.slack.workspace import Refused, Workspace

Item = TypeVar("Item")


def test_auth(place: Workspace, args: Json) -> Json:
    """auth.test."""
    bot = place.world.members[place.world.bot_id]
    return {
        "ok": True,
        "url": f"{place.url}/",
        "team": place.world.home_name,
        "user": bot.name,
        "team_id": place.world.home_id,
        "user_id": bot.id,
        "bot_id": place.bot_id(bot.id),
        "is_enterprise_install": False,
    }


def history(place: Workspace, args: Json) -> Json:
    """conversations.history: newest first; a page ends at the oldest it shows."""
    channel = _readable(place, args)
    limit = _limit(args, limits.HISTORY_DEFAULT, limits.HISTORY_MAX)
    latest = _cursor(args, "ts") or _ts(args, "latest")
    at_latest = latest is not None and not args.get("cursor")
    found = [
        message
        for message in place.world.messages(channel.id)
        if message.ephemeral_to is None
        and (message.thread is None or message.extra.get("broadcast"))
        and (not message.deleted or place.world.replies(channel.id, message.id))
        and _within(place, message, args, latest, inclusive_latest=at_latest)
    ]
    shown = found[-limit:]
    body: Json = {
        "ok": True,
        "messages": _messages(place, shown[::-1], args),
        "has_more": len(found) > len(shown),
        "pin_count": 0,
    }
    if body["has_more"]:
        body["response_metadata"] = {"next_cursor": _encode("ts", shown[0].id)}
    return body


def replies(place: Workspace, args: Json) -> Json:
    """conversations.replies: the root on every page, then the replies, oldest first."""
    channel = _readable(place, args)
    ts = str(args["ts"])
    target = place.world.get(channel.id, ts)
    if target is None or (target.deleted and not place.world.replies(channel.id, ts)):
        raise Refused("thread_not_found")
    if target.thread is not None:
        alone = _messages(place, [target], args)
        return {"ok": True, "messages": alone, "has_more": False}
    limit = _limit(args, 1000, 1000)
    latest, after = _ts(args, "latest"), _cursor(args, "after")
    key = place.world.ids.key
    found = [
        reply
        for reply in place.world.replies(channel.id, ts)
        if _within(place, reply, args, latest, inclusive_latest=True)
        and (after is None or key(reply.id) > key(after))
    ]
    shown = found[: max(1, limit - 1)]
    body: Json = {
        "ok": True,
        "messages": _messages(place, [target, *shown], args),
        "has_more": len(found) > len(shown),
    }
    if body["has_more"]:
        body["response_metadata"] = {"next_cursor": _encode("after", shown[-1].id)}
    return body


def info(place: Workspace, args: Json) -> Json:
    """conversations.info."""
    channel = place.visible_channel(str(args["channel"]))
    return {"ok": True, "channel": shapes.channel(place, channel)}


def list_channels(place: Workspace, args: Json) -> Json:
    """conversations.list: every channel that the bot may know of."""
    return _channels(place, args, mine=False)


def my_channels(place: Workspace, args: Json) -> Json:
    """users.conversations: the channels that the bot (or another user) is in."""
    return _channels(place, args, mine=True)


def members(place: Workspace, args: Json) -> Json:
    """conversations.members."""
    channel = place.visible_channel(str(args["channel"]))
    page, cursor = _page(sorted(channel.members), args, 100, 1000)
    return {"ok": True, "members": page, "response_metadata": {"next_cursor": cursor}}


def open_direct(place: Workspace, args: Json) -> Json:
    """conversations.open."""
    if args.get("channel"):
        channel = place.visible_channel(str(args["channel"]))
    else:
        wanted = [one for one in str(args.get("users") or "").split(",") if one]
        if not wanted:
            raise Refused("users_list_not_supplied")
        if len(wanted) > 1:
            raise Refused("method_not_supported_for_channel_type")
        if place.member(wanted[0]).deleted:
            raise Refused("user_disabled")
        channel = place.world.open_direct(place.world.bot_id, wanted[0])
    shown = shapes.channel(place, channel) if args.get("return_im") else {"id": channel.id}
    return {"ok": True, "no_op": False, "already_open": False, "channel": shown}


def join(place: Workspace, args: Json) -> Json:
    """conversations.join."""
    channel = place.visible_channel(str(args["channel"]))
    if channel.kind != "text" or channel.private:
        raise Refused("method_not_supported_for_channel_type")
    if channel.archived:
        raise Refused("is_archived")
    place.world.join(channel.id, place.world.bot_id)
    return {"ok": True, "channel": shapes.channel(place, channel)}


def user_info(place: Workspace, args: Json) -> Json:
    """users.info."""
    return {"ok": True, "user": shapes.user(place, place.member(str(args["user"])))}


def list_users(place: Workspace, args: Json) -> Json:
    """users.list."""
    page, cursor = _page(list(place.world.members.values()), args, 200, 1000)
    return {
        "ok": True,
        "members": [shapes.user(place, member) for member in page],
        "cache_ts": int(place.world.clock()),
        "response_metadata": {"next_cursor": cursor},
    }


def bot_info(place: Workspace, args: Json) -> Json:
    """bots.info."""
    for member in place.world.members.values():
        if member.bot and place.bot_id(member.id) == args.get("bot"):
            return {"ok": True, "bot": shapes.bot(place, member)}
    raise Refused("bot_not_found")


def team_info(place: Workspace, args: Json) -> Json:
    """team.info."""
    domain = place.world.home_name.lower().replace(" ", "-")
    return {
        "ok": True,
        "team": {
            "id": place.world.home_id,
            "name": place.world.home_name,
            "domain": domain,
            "email_domain": "",
            "url": f"{place.url}/",
            "icon": {"image_default": True},
        },
    }


def file_info(place: Workspace, args: Json) -> Json:
    """files.info."""
    for channel in place.world.channels.values():
        if place.world.bot_id not in channel.members:
            continue
        for message in place.world.messages(channel.id):
            for file in message.files:
                if file.id == args["file"] and not message.deleted:
                    return {"ok": True, "file": shapes.file(place, file, message), "comments": []}
    raise Refused("file_not_found")


def _readable(place: Workspace, args: Json) -> Channel:
    channel = place.joined_channel(str(args["channel"]))
    if not channel.readable_by_bot:
        raise Refused("not_in_channel")
    kind = {"im": "im", "group": "groups", "channel": "channels"}[shapes.channel_type(channel)]
    provided = place.scopes("bot")
    if f"{kind}:history" not in provided:
        raise Refused("missing_scope", needed=f"{kind}:history", provided=",".join(provided))
    return channel


def _within(
    place: Workspace, message: Message, args: Json, latest: str | None, *, inclusive_latest: bool
) -> bool:
    key = place.world.ids.key
    at, oldest = key(message.id), _ts(args, "oldest")
    inclusive = bool(args.get("inclusive"))
    if latest is not None:
        end = key(latest)
        if at > end or (at == end and not (inclusive and inclusive_latest)):
            return False
    if oldest is not None:
        start = key(oldest)
        if at < start or (at == start and not inclusive):
            return False
    return True


def _messages(place: Workspace, found: list[Message], args: Json) -> list[Json]:
    asked = bool(args.get("include_all_metadata"))
    return [shapes.message(place, message, with_metadata=asked) for message in found]


def _channels(place: Workspace, args: Json, *, mine: bool) -> Json:
    kinds = {
        "public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim",
    }  # fmt: skip
    asked = [one.strip() for one in str(args.get("types") or "public_channel").split(",")]
    if any(one not in kinds for one in asked):
        raise Refused("invalid_types")
    wanted = {kinds[one] for one in asked}
    who = str(args.get("user") or place.world.bot_id) if mine else place.world.bot_id
    found = [
        channel
        for channel in place.world.channels.values()
        if shapes.channel_type(channel) in wanted
        and not (args.get("exclude_archived") and channel.archived)
        and (place.world.bot_id in channel.members or not channel.private)
        and (not mine or who in channel.members)
    ]
    page, cursor = _page(found, args, 100, 1000)
    return {
        "ok": True,
        "channels": [shapes.channel(place, channel) for channel in page],
        "response_metadata": {"next_cursor": cursor},
    }


def _page(items: list[Item], args: Json, default: int, most: int) -> tuple[list[Item], str]:
    start = int(_cursor(args, "at") or 0)
    end = start + _limit(args, default, most)
    return items[start:end], _encode("at", str(end)) if end < len(items) else ""


def _limit(args: Json, default: int, most: int) -> int:
    given = args.get("limit")
    if given in (None, "", 0, "0"):
        return default
    try:
        limit = int(str(given))
    except ValueError as error:
        raise Refused("invalid_limit") from error
    if limit < 0:
        raise Refused("invalid_limit")
    return min(limit, most)


def _ts(args: Json, name: str) -> str | None:
    given = args.get(name)
    if given in (None, "", 0, "0"):
        return None
    text = str(given)
    if not text.replace(".", "", 1).isdigit():
        raise Refused(f"invalid_ts_{name}")
    return text


def _encode(name: str, value: str) -> str:
    return base64.b64encode(f"{name}:{value}".encode()).decode()


def _cursor(args: Json, name: str) -> str | None:
    given = args.get("cursor")
    if not given:
        return None
    try:
        kind, _, value = base64.b64decode(str(given), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Refused("invalid_cursor") from error
    if kind != name or not value or (name == "at" and not value.isdigit()):
        raise Refused("invalid_cursor")
    return value
