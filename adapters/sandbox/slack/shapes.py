"""Slack's objects as the Web API and the Events API show them.

Users, bots, channels, files and messages; written from the reference pages at
docs.slack.dev. The adapter parses these shapes by itself: nothing is shared with it.
"""

from __future__ import annotations

import uuid

from adapters.sandbox.records import Channel, File, Json, Member, Message
from adapters.sandbox.slack import markup
from adapters.sandbox.slack.workspace import SLACKBOT, Workspace


def user(place: Workspace, member: Member) -> Json:
    """Return a user object."""
    shown = {
        "real_name": member.display,
        "real_name_normalized": member.display,
        "display_name": member.display,
        "display_name_normalized": member.display,
        "title": member.title,
        "status_text": "",
        "status_emoji": "",
        "team": place.world.home_id,
    }
    if member.bot:
        shown |= {"bot_id": place.bot_id(member.id), "api_app_id": place.app_id}
    return {
        "id": member.id,
        "team_id": place.world.home_id,
        "name": member.name,
        "deleted": member.deleted,
        "color": member.color.lstrip("#"),
        "real_name": member.display,
        "tz": "Europe/Lisbon",
        "tz_label": "Western European Time",
        "tz_offset": 0,
        "profile": shown,
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "is_bot": member.bot and member.id != SLACKBOT,
        "is_app_user": False,
        "updated": 1_700_000_000,
    }


def bot(place: Workspace, member: Member) -> Json:
    """Return a bot object, as `bots.info` and `bot_profile` have it."""
    app = place.app_id if member.id == place.world.bot_id else "A0" + member.id[2:]
    return {
        "id": place.bot_id(member.id),
        "deleted": member.deleted,
        "name": member.display,
        "updated": 1_700_000_000,
        "app_id": app,
        "user_id": member.id,
        "icons": {"image_36": "", "image_48": "", "image_72": ""},
        "team_id": place.world.home_id,
    }


def channel_type(channel: Channel) -> str:
    """Return `im`, `group` or `channel`, as events name it."""
    if channel.kind == "direct":
        return "im"
    return "group" if channel.private else "channel"


def channel(place: Workspace, found: Channel) -> Json:
    """Return a conversation object."""
    common = {
        "id": found.id,
        "created": int(found.created_at),
        "is_archived": found.archived,
        "is_im": found.kind == "direct",
        "is_org_shared": False,
        "context_team_id": place.world.home_id,
        "updated": int(found.created_at * 1000),
    }
    if found.kind == "direct":
        others = sorted(found.members - {place.world.bot_id})
        return common | {"user": others[0] if others else place.world.bot_id, "is_open": True}
    return common | {
        "name": found.name,
        "name_normalized": found.name,
        "is_channel": True,
        "is_group": False,
        "is_mpim": False,
        "is_private": found.private,
        "is_general": found.name == "general",
        "is_shared": False,
        "is_ext_shared": False,
        "is_pending_ext_shared": False,
        "is_member": place.world.bot_id in found.members,
        "is_read_only": not found.writable_by_bot,
        "creator": min(found.members, default=""),
        "unlinked": 0,
        "shared_team_ids": [place.world.home_id],
        "pending_shared": [],
        "topic": {"value": found.topic, "creator": "", "last_set": int(found.created_at)},
        "purpose": {"value": found.topic, "creator": "", "last_set": int(found.created_at)},
        "previous_names": [],
        "num_members": len(found.members),
    }


def file(place: Workspace, found: File, message: Message) -> Json:
    """Return a file object."""
    address = f"{place.url}/slack/files/{found.id}/{found.name}"
    return {
        "id": found.id,
        "created": int(message.at),
        "timestamp": int(message.at),
        "name": found.name,
        "title": found.name,
        "mimetype": found.mimetype,
        "filetype": found.name.rpartition(".")[2].lower() or "binary",
        "pretty_type": found.name.rpartition(".")[2].upper() or "Binary",
        "user": message.author,
        "user_team": place.world.home_id,
        "size": found.size,
        "mode": "hosted",
        "is_external": False,
        "is_public": True,
        "url_private": address,
        "url_private_download": address,
        "permalink": address,
        "channels": [message.channel],
        "file_access": "visible",
    }


def message(
    place: Workspace, found: Message, *, with_metadata: bool = False, as_root: bool = True
) -> Json:
    """Return a message object as the history has it.

    Args:
        place: The workspace.
        found: The message.
        with_metadata: Whether its metadata was asked for.
        as_root: Whether to count the replies of a thread's root, as the history does.
    """
    if found.deleted:
        return _tombstone(place, found, as_root=as_root)
    body = _author(place, found) | {
        "type": "message",
        "ts": found.id,
        "text": found.text,
        "team": place.world.home_id,
    }
    if "subtype" in found.extra:
        body["subtype"] = found.extra["subtype"]
    if found.extra.get("broadcast"):
        body["subtype"] = "thread_broadcast"
    if found.files:
        body |= {
            "files": [file(place, one, found) for one in found.files],
            "upload": False,
            "display_as_bot": False,
        }
    blocks = found.extra.get("blocks") or _blocks(place, found)
    if blocks:
        body["blocks"] = blocks
    if found.edited_at is not None:
        body["edited"] = {"user": found.author, "ts": f"{int(found.edited_at)}.000000"}
    if found.reactions:
        body["reactions"] = [
            {"name": name, "users": list(users), "count": len(users)}
            for name, users in found.reactions.items()
        ]
    if with_metadata and found.metadata is not None:
        body["metadata"] = found.metadata
    if found.streaming:
        body["streaming_state"] = "in_progress"
    return body | _threading(place, found, as_root=as_root)


def _author(place: Workspace, found: Message) -> Json:
    author = place.world.members.get(found.author)
    if author is None or not author.bot or author.id == SLACKBOT:
        body: Json = {"user": found.author}
        if author is not None and not found.extra.get("subtype"):
            made = uuid.uuid5(uuid.NAMESPACE_OID, found.channel + found.id)
            body["client_msg_id"] = str(made)
        return body
    profile = bot(place, author)
    if found.extra.get("subtype") == "bot_message":
        return {"bot_id": profile["id"], "username": author.display, "app_id": profile["app_id"]}
    return {
        "user": found.author,
        "bot_id": profile["id"],
        "app_id": profile["app_id"],
        "bot_profile": profile,
    }


def _blocks(place: Workspace, found: Message) -> list[Json]:
    if found.extra.get("markdown"):
        return [{"type": "markdown", "block_id": "md", "text": found.text}]
    author = place.world.members.get(found.author)
    if author is None or author.bot or not found.text or "subtype" in found.extra:
        return []
    return markup.rich_text(place.world, found.text)


def _threading(place: Workspace, found: Message, *, as_root: bool) -> Json:
    if found.thread is not None:
        body: Json = {"thread_ts": found.thread}
        root = place.world.get(found.channel, found.thread)
        if root is not None:
            body["parent_user_id"] = root.author
        if found.extra.get("broadcast") and root is not None:
            body["root"] = message(place, root, as_root=False)
        return body
    replies = place.world.replies(found.channel, found.id) if as_root else []
    if not replies:
        return {}
    people = list(dict.fromkeys(reply.author for reply in replies))
    return {
        "thread_ts": found.id,
        "reply_count": len(replies),
        "reply_users_count": len(people),
        "reply_users": people[:5],
        "latest_reply": replies[-1].id,
        "is_locked": False,
        "subscribed": False,
    }


def _tombstone(place: Workspace, found: Message, *, as_root: bool) -> Json:
    return {
        "type": "message",
        "subtype": "tombstone",
        "text": "This message was deleted.",
        "user": SLACKBOT,
        "hidden": True,
        "ts": found.id,
    } | _threading(place, found, as_root=as_root)
