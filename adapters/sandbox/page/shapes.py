"""The worlds as JSON for the page: homes, channels, messages and what happens to them.

The page draws the platforms' own markup itself, so texts go out as they are stored.
"""

from __future__ import annotations

from collections.abc import Iterable

from adapters.sandbox.records import Channel, Event, Json, Member, Message
from adapters.sandbox.world import World

WINDOW_MAX = 200
_QUOTE_LETTERS = 160
_FACES = 3

SUGGESTIONS = {
    "slack": (
        "@Jay What can you do?",
        "/summarize today",
        "/answer When do we move?",
    ),
    "discord": (
        "@Jay What can you do?",
        "/summarize 2 days",
        "/answer When is planting day?",
    ),
}
"""What a newcomer may try; the questions fit the seeds."""


def home(world: World) -> Json:
    """Return a workspace or server with everybody and every place in it."""
    return {
        "platform": world.platform,
        "id": world.home_id,
        "name": world.home_name,
        "bot": world.bot_id,
        "members": [member(one) for one in world.members.values()],
        "channels": [channel(one) for one in world.channels.values()],
        "persona": persona(world),
        "suggestions": SUGGESTIONS[world.platform],
    }


def persona(world: World) -> str:
    """Return who a newcomer speaks as: somebody who has talked with the bot before."""
    people = [one.id for one in world.members.values() if not one.bot and not one.deleted]
    for place in world.channels.values():
        if place.kind == "direct" and world.bot_id in place.members:
            known = [one for one in people if one in place.members]
            if known:
                return known[0]
    return people[0] if people else ""


def member(one: Member) -> Json:
    """Return a person or bot."""
    return {
        "id": one.id,
        "name": one.name,
        "display": one.display,
        "bot": one.bot,
        "gone": one.deleted,
        "color": one.color,
        "title": one.title,
    }


def channel(one: Channel) -> Json:
    """Return a channel, direct conversation or thread."""
    return {
        "id": one.id,
        "name": one.name,
        "kind": one.kind,
        "members": sorted(one.members),
        "parent": one.parent,
        "private": one.private,
        "topic": one.topic,
        "read_only": not one.writable_by_bot,
        "created_at": one.created_at,
        "archived": one.archived,
    }


def message(world: World, one: Message) -> Json:
    """Return a message as its readers see it now."""
    shown: Json = {
        "id": one.id,
        "channel": one.channel,
        "author": one.author,
        "text": one.text,
        "at": one.at,
        "edited_at": one.edited_at,
        "thread": one.thread,
        "reactions": one.reactions,
        "files": [
            {"name": file.name, "mimetype": file.mimetype, "size": file.size} for file in one.files
        ],
        "streaming": one.streaming,
    }
    kept = {
        name: one.extra[name]
        for name in ("blocks", "embeds", "components", "markdown", "broadcast", "subtype", "failed")
        if one.extra.get(name)
    }
    shown |= kept
    if one.ephemeral_to is not None:
        shown["ephemeral_to"] = one.ephemeral_to
    if one.reply_to is not None:
        shown["quote"] = _quote(world, one)
    if one.interaction is not None:
        shown["command"] = {
            "name": one.interaction.get("name", ""),
            "member": one.interaction.get("user_id", ""),
            "menu": "target_message_id" in one.interaction,
        }
    return shown


def thread_summary(world: World, place: str, root: str) -> Json:
    """Return what stands below the root of a Slack thread: how many replies, by whom."""
    replies = world.replies(place, root)
    faces = list(dict.fromkeys(one.author for one in replies))[:_FACES]
    last_at = replies[-1].at if replies else 0.0
    return {"root": root, "count": len(replies), "faces": faces, "last_at": last_at}


def may_see(world: World, viewer: str, place: Channel) -> bool:
    """Say whether a member reads a channel: its own members do, and a thread its parent's."""
    parent = world.channels.get(place.parent) if place.parent else None
    return viewer in place.members or (parent is not None and viewer in parent.members)


def window(
    world: World,
    place: Channel,
    *,
    viewer: str,
    thread: str | None = None,
    before: str | None = None,
    after: str | None = None,
    around: str | None = None,
    limit: int = 100,
) -> Json:
    """Return a stretch of a channel or thread, with whether there is more on either side.

    Args:
        world: Where.
        place: The channel.
        viewer: Whose ephemeral messages to show as well.
        thread: A Slack thread's root, to read that thread.
        before: Only older messages than this id: the newest of them.
        after: Only newer ones than this id: the oldest of them.
        around: The id to show with what stands on both sides; a reply shows its root.
        limit: At most so many.
    """
    limit = max(1, min(limit, WINDOW_MAX))

    def read(**bounds: str | bool | None) -> list[Message]:
        return world.history(  # one more than wanted tells whether there is more
            place.id, thread=thread, seen_by=viewer, limit=limit + 1,
            before=_text(bounds.get("before")), after=_text(bounds.get("after")),
            oldest_first=bool(bounds.get("oldest_first")),
        )  # fmt: skip

    target = world.get(place.id, around) if around else None
    if target is not None and not target.deleted:
        in_channel = target.thread is None or bool(target.extra.get("broadcast"))
        root = target.id if in_channel else target.thread or target.id
        limit //= 2
        older, newer = read(before=root), read(after=root, oldest_first=True)
        middle = world.get(place.id, root)
        here = [middle] if middle is not None and not middle.deleted else []
        found = [*older[-limit:], *here, *newer[:limit]]
        more_before, more_after = len(older) > limit, len(newer) > limit
        return _window(world, found, more_before, more_after) | {"root": root}
    if after is not None:
        found = read(after=after, before=before, oldest_first=True)
        return _window(world, found[:limit], False, len(found) > limit)
    found = read(before=before)
    return _window(world, found[-limit:], len(found) > limit, False)


def event(world: World, told: Event) -> Json:
    """Return something that has just happened, ready to be sent to every page."""
    shown: Json = {
        "kind": told.kind,
        "platform": world.platform,
        "channel": told.channel.id,
        "member": told.member.id if told.member else None,
    }
    if told.message is not None:
        if told.kind == "delete":
            shown["id"] = told.message.id
        else:
            shown["message"] = message(world, told.message)
        if told.message.thread is not None:
            shown["summary"] = thread_summary(world, told.channel.id, told.message.thread)
    elif told.kind == "channel":
        shown |= {"place": channel(told.channel), "change": told.payload.get("change")}
    elif told.kind in ("typing", "status"):
        shown |= {"thread": told.payload.get("thread"), "text": told.payload.get("text", "")}
    return shown


def _window(world: World, found: Iterable[Message], more_before: bool, more_after: bool) -> Json:
    shown = []
    for one in found:
        entry = message(world, one)
        if world.platform == "slack" and one.thread is None:
            summary = thread_summary(world, one.channel, one.id)
            if summary["count"]:
                entry["replies"] = summary
        shown.append(entry)
    return {"messages": shown, "more_before": more_before, "more_after": more_after}


def _quote(world: World, one: Message) -> Json:
    """Return the small line above a Discord reply, also where the message is gone."""
    quoted = world.get(one.channel, one.reply_to or "")
    if quoted is None or quoted.deleted or quoted.ephemeral_to is not None:
        return {"id": one.reply_to, "author": None, "text": ""}
    text = quoted.text[:_QUOTE_LETTERS]
    return {"id": quoted.id, "author": quoted.author, "text": text, "files": len(quoted.files)}


def _text(given: str | bool | None) -> str | None:
    return given if isinstance(given, str) else None
