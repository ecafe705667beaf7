"""A world as JSON and back, so that a second demo shows the same conversation."""

from __future__ import annotations

from dataclasses import asdict

from adapters.sandbox.records import Channel, File, Json, Member, Message
from adapters.sandbox.world import World

VERSION = 1


def dump(world: World) -> Json:
    """Return everything that a world holds as plain JSON values."""
    return {
        "version": VERSION,
        "home_id": world.home_id,
        "home_name": world.home_name,
        "bot_id": world.bot_id,
        "members": [asdict(member) for member in world.members.values()],
        "channels": [
            asdict(channel) | {"members": sorted(channel.members)}
            for channel in world.channels.values()
        ],
        "messages": [
            asdict(message) for channel in world.channels for message in world.messages(channel)
        ],
    }


def load(world: World, state: Json) -> None:
    """Put a dumped state into a world, in place of what it holds.

    Raises:
        ValueError: When it was written by another version or is no such state.
    """
    if state.get("version") != VERSION:
        raise ValueError(f"a sandbox state of version {VERSION} was expected")
    try:
        members = [Member(**fields) for fields in state["members"]]
        channels = [
            Channel(**(fields | {"members": set(fields["members"])}))
            for fields in state["channels"]
        ]
        messages = [
            Message(**(fields | {"files": [File(**file) for file in fields["files"]]}))
            for fields in state["messages"]
        ]
        world.home_id, world.home_name = state["home_id"], state["home_name"]
        world.bot_id = state["bot_id"]
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a sandbox state: {error}") from error
    for message in messages:
        message.streaming = False
    world.restore(members, channels, messages)
