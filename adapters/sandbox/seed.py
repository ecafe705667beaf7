"""Fills both worlds with people, channels and some weeks of conversation.

The same `now` gives the same worlds. Members and channels are here; what they said is
in `seeds/` as text that a person can read and edit.
"""

from __future__ import annotations

from adapters.sandbox.world import World


def fill_slack(world: World, *, now: float) -> None:
    """Make the workspace of Harbour Labs, a company of fourteen."""
    start = now - 400 * 86_400
    world.home_id, world.home_name = world.ids.thing("team", at=start), "Harbour Labs"
    jay = world.add_member("jay", "Jay", bot=True, color="#3f51b5", at=start)
    world.bot_id = jay.id
    maya = world.add_member("maya", "Maya Lindqvist", color="#8e24aa", at=start + 1)
    general = world.add_channel("general", members=(jay.id, maya.id), at=start + 2)
    world.say(general.id, maya.id, "Morning everyone.", at=now - 3600)


def fill_discord(world: World, *, now: float) -> None:
    """Make the server of Open Orchard, a community of gardeners and makers."""
    start = now - 700 * 86_400
    world.home_id, world.home_name = world.ids.thing("guild", at=start), "Open Orchard"
    jay = world.add_member("jay", "Jay", bot=True, color="#5865f2", at=start)
    world.bot_id = jay.id
    fern = world.add_member("fern", "Fern", color="#43a047", at=start + 1)
    general = world.add_channel("general", members=(jay.id, fern.id), at=start + 2)
    world.say(general.id, fern.id, "Morning everyone.", at=now - 3600)
