"""The Web API methods that write: `chat.*`, `reactions.*`, `views.publish`.

Streams have a room of their own: streaming.py.
"""

from __future__ import annotations

from adapters.sandbox.records import Channel, Json, Message
from adapters.sandbox.slack import checking, limits, markup, shapes
from adapters.sandbox.slack.checking import Content
from adapters.sandbox.slack.workspace import Refused, Workspace


def post_message(place: Workspace, args: Json) -> Json:
    """chat.postMessage."""
    channel = place.channel_to_write(str(args["channel"]))
    shown = checking.content(args)
    metadata = checking.metadata(args.get("metadata"))
    thread = thread_of(place, channel, args.get("thread_ts"))
    wait = place.limits.post(channel.id)
    if wait:
        raise Refused("ratelimited", retry_after_s=wait)
    extra = extra_of(place, shown, args)
    if thread and args.get("reply_broadcast"):
        extra["broadcast"] = True
    message = place.world.say(
        channel.id, place.world.bot_id, shown.text, thread=thread, metadata=metadata, extra=extra
    )
    body: Json = {
        "ok": True,
        "channel": channel.id,
        "ts": message.id,
        "message": shapes.message(place, message, as_root=False),
    }
    if shown.truncated:
        body["warning"] = "message_truncated"
        body["response_metadata"] = {"warnings": ["message_truncated"]}
    return body


def update(place: Workspace, args: Json) -> Json:
    """chat.update."""
    channel = place.joined_channel(str(args["channel"]))
    message = place.own_message(channel, str(args["ts"]), "cant_update_message")
    if channel.archived:
        raise Refused("is_inactive")
    if message.streaming:
        raise Refused("streaming_state_conflict")
    shown = checking.content(args, text_max=limits.UPDATE_TEXT_MAX)
    extra = extra_of(place, shown, args)
    metadata = checking.metadata(args.get("metadata"))
    edited = place.world.edit(channel.id, message.id, shown.text, metadata=metadata, extra=extra)
    return {
        "ok": True,
        "channel": channel.id,
        "ts": message.id,
        "text": shown.text,
        "message": shapes.message(place, edited, as_root=False),
    }


def delete(place: Workspace, args: Json) -> Json:
    """chat.delete."""
    channel = place.joined_channel(str(args["channel"]))
    message = place.own_message(channel, str(args["ts"]), "cant_delete_message")
    place.world.delete(channel.id, message.id)
    return {"ok": True, "channel": channel.id, "ts": message.id}


def post_ephemeral(place: Workspace, args: Json) -> Json:
    """chat.postEphemeral."""
    channel = place.channel_to_write(str(args["channel"]))
    reader = str(args["user"])
    if reader not in channel.members:
        raise Refused("user_not_in_channel")
    shown = checking.content(args, text_max=limits.TEXT_TRUNCATED_AT)
    message = place.world.say(
        channel.id,
        place.world.bot_id,
        shown.text,
        thread=thread_of(place, channel, args.get("thread_ts")),
        ephemeral_to=reader,
        extra=extra_of(place, shown, args),
    )
    return {"ok": True, "message_ts": message.id}


def get_permalink(place: Workspace, args: Json) -> Json:
    """chat.getPermalink."""
    channel = place.visible_channel(str(args["channel"]))
    message = place.world.get(channel.id, str(args["message_ts"]))
    if message is None or message.deleted:
        raise Refused("message_not_found")
    return {"ok": True, "channel": channel.id, "permalink": place.permalink(message)}


def add_reaction(place: Workspace, args: Json) -> Json:
    """reactions.add."""
    channel, message, name = _reactable(place, args)
    if not place.world.react(channel.id, message.id, place.world.bot_id, name):
        raise Refused("already_reacted")
    return {"ok": True}


def remove_reaction(place: Workspace, args: Json) -> Json:
    """reactions.remove."""
    channel, message, name = _reactable(place, args)
    if not place.world.react(channel.id, message.id, place.world.bot_id, name, remove=True):
        raise Refused("no_reaction")
    return {"ok": True}


def publish_view(place: Workspace, args: Json) -> Json:
    """views.publish."""
    view = args["view"]
    place.member(str(args["user_id"]))
    if not isinstance(view, dict) or view.get("type") != "home":
        raise Refused("invalid_arguments", "[ERROR] a view of type home is needed")
    if len(str(view)) > limits.VIEW_MAX_BYTES:
        raise Refused("view_too_large")
    shown = view | {"blocks": checking.blocks(view.get("blocks"))}
    place.homes[str(args["user_id"])] = shown
    root = {"id": "V0" + place.secret(str(args["user_id"]), 9).upper()}
    return {"ok": True, "view": root | shown | {"team_id": place.world.home_id}}


def thread_of(place: Workspace, channel: Channel, given: object) -> str | None:
    """Return the root's ts of the thread that a post goes to.

    Slack takes a well-formed ts of no message too: the reply then hangs in the air.
    """
    if not given:
        return None
    wanted = str(given)
    if place.world.ids.key(wanted) == (0, 0) or "." not in wanted:
        raise Refused("invalid_thread_ts")
    target = place.world.get(channel.id, wanted)
    return wanted if target is None else target.thread or target.id


def extra_of(place: Workspace, shown: Content, args: Json) -> Json:
    """Return what a post keeps beside its text: its blocks and whom it rings for."""
    heard = shown.text
    if args.get("link_names") or args.get("parse") == "full":
        heard = markup.link_names(place.world, heard)
    listed = dict.fromkeys(markup.pings(heard))
    for text in markup.texts_of(shown.blocks):
        listed |= dict.fromkeys(markup.pings(text))
    extra: Json = {"pings": list(listed), "blocks": shown.blocks, "markdown": shown.markdown}
    extra["unfurl"] = args.get("unfurl_links") is not False
    return extra


def _reactable(place: Workspace, args: Json) -> tuple[Channel, Message, str]:
    name = str(args["name"]).strip(":")
    channel = place.visible_channel(str(args.get("channel", "")))
    if not args.get("timestamp"):
        raise Refused("no_item_specified")
    if not name or not all(c.isalnum() or c in "_+-'" for c in name):
        raise Refused("invalid_name")
    if place.world.bot_id not in channel.members:
        raise Refused("not_in_channel")
    message = place.world.get(channel.id, str(args["timestamp"]))
    if message is None or message.deleted:
        raise Refused("message_not_found")
    if channel.archived:
        raise Refused("is_archived")
    return channel, message, name
