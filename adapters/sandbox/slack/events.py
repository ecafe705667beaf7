"""What an app is told: a world's event as Slack's Events API payloads.

One happening can be several events: a mention arrives as `message` and as `app_mention`,
with the same `ts` and an `event_id` each. An app hears only of channels that it is in.
"""

from __future__ import annotations

import base64
import json

from adapters.sandbox.records import Channel, Event, Json, Message
from adapters.sandbox.slack import markup, shapes
from adapters.sandbox.slack.workspace import SLACKBOT, Workspace


def of(place: Workspace, event: Event) -> list[Json]:
    """Return the inner events that Slack sends for something that happened."""
    bot = place.world.bot_id
    joined = event.payload.get("change") == "joined"
    if bot not in event.channel.members:
        return []
    if event.kind == "message" and event.message is not None:
        return _message(place, event.channel, event.message)
    if event.kind == "edit" and event.message is not None and event.before is not None:
        return _edited(place, event.channel, event.message, event.before)
    if event.kind == "delete" and event.message is not None and event.before is not None:
        return _deleted(place, event.channel, event.message, event.before)
    if event.kind == "reaction" and event.message is not None and event.member is not None:
        return [_reaction(place, event, event.message, event.member.id)]
    if event.kind == "channel" and joined and event.member is not None:
        return [_joined(place, event.channel, event.member.id)]
    return []


def outer(place: Workspace, inner: Json) -> Json:
    """Return the body that carries an event, with an `event_id` of its own."""
    number = place.world.ids.thing("event", at=place.world.clock())
    channel = inner.get("channel") or inner.get("item", {}).get("channel")
    context = {"et": inner["type"], "tid": place.world.home_id, "aid": place.app_id}
    if isinstance(channel, str):
        context["cid"] = channel
    encoded = base64.urlsafe_b64encode(json.dumps(context).encode()).decode().rstrip("=")
    return {
        "token": place.secret("verification"),
        "team_id": place.world.home_id,
        "context_team_id": place.world.home_id,
        "context_enterprise_id": None,
        "api_app_id": place.app_id,
        "event": inner,
        "type": "event_callback",
        "event_id": number,
        "event_time": int(place.world.clock()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": place.world.home_id,
                "user_id": place.world.bot_id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-{encoded}",
    }


def assistant_opened(place: Workspace, user: str, channel: str, thread: str) -> Json:
    """Return `assistant_thread_started`, sent when a person opens the assistant pane."""
    return {
        "type": "assistant_thread_started",
        "assistant_thread": {
            "user_id": user,
            "context": {},
            "channel_id": channel,
            "thread_ts": thread,
        },
        "event_ts": now_ts(place),
    }


def session_stopped(
    place: Workspace, user: str, channel: str, thread: str, streams: list[str]
) -> Json:
    """Return `agent_session_stopped`, sent when a person presses Stop."""
    return {
        "type": "agent_session_stopped",
        "user": user,
        "channel": channel,
        "thread_ts": thread,
        "streaming_message_ts": streams,
        "event_ts": now_ts(place),
    }


def now_ts(place: Workspace) -> str:
    """Return the present as a ts."""
    return place.world.ids.message(at=place.world.clock())


def _message(place: Workspace, channel: Channel, message: Message) -> list[Json]:
    if message.ephemeral_to is not None:
        return []
    body = shapes.message(place, message, with_metadata=True, as_root=False)
    where = {
        "channel": channel.id,
        "channel_type": shapes.channel_type(channel),
        "event_ts": message.id,
    }
    if message.files and "subtype" not in body:
        body["subtype"] = "file_share"
    told = [body | where]
    mentioned = markup.mentions(message.text, place.world.bot_id)
    spoken = message.extra.get("subtype") in (None, "bot_message")
    if mentioned and spoken and channel.kind != "direct" and message.author != place.world.bot_id:
        mention = {name: value for name, value in body.items() if name != "subtype"}
        told.append(
            mention | {"type": "app_mention", "channel": channel.id, "event_ts": message.id}
        )
    return told


def _edited(place: Workspace, channel: Channel, message: Message, before: Message) -> list[Json]:
    growing = message.streaming
    if message.ephemeral_to is not None or growing:
        return []
    return [_changed(place, channel, shapes.message(place, message, as_root=False), before)]


def _deleted(place: Workspace, channel: Channel, message: Message, before: Message) -> list[Json]:
    if message.ephemeral_to is not None:
        return []
    if place.world.replies(channel.id, message.id):
        tombstone = shapes.message(place, message) | {"user": SLACKBOT}
        return [_changed(place, channel, tombstone, before)]
    ts = now_ts(place)
    return [
        {
            "type": "message",
            "subtype": "message_deleted",
            "hidden": True,
            "channel": channel.id,
            "channel_type": shapes.channel_type(channel),
            "deleted_ts": message.id,
            "previous_message": shapes.message(place, before, as_root=False),
            "ts": ts,
            "event_ts": ts,
        }
    ]


def _changed(place: Workspace, channel: Channel, shown: Json, before: Message) -> Json:
    ts = now_ts(place)
    return {
        "type": "message",
        "subtype": "message_changed",
        "hidden": True,
        "channel": channel.id,
        "channel_type": shapes.channel_type(channel),
        "message": shown,
        "previous_message": shapes.message(place, before, as_root=False),
        "ts": ts,
        "event_ts": ts,
    }


def _reaction(place: Workspace, event: Event, message: Message, member: str) -> Json:
    return {
        "type": "reaction_removed" if event.payload.get("removed") else "reaction_added",
        "user": member,
        "reaction": event.payload["emoji"],
        "item": {"type": "message", "channel": event.channel.id, "ts": message.id},
        "item_user": message.author,
        "event_ts": now_ts(place),
    }


def _joined(place: Workspace, channel: Channel, member: str) -> Json:
    return {
        "type": "member_joined_channel",
        "user": member,
        "channel": channel.id,
        "channel_type": "G" if channel.private else "C",
        "team": place.world.home_id,
        "event_ts": now_ts(place),
    }
