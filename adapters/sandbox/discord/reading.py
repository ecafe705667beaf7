"""The calls that read: who and where the bot is, the server, channels and messages."""

from __future__ import annotations

from functools import partial
from typing import Any

from adapters.sandbox.discord import intents, limits, messages, permissions, shapes
from adapters.sandbox.discord.calls import Call, Endpoint, Handler
from adapters.sandbox.discord.guild import Guild
from adapters.sandbox.discord.refusals import Refused
from adapters.sandbox.records import Channel, Json

GATEWAY_PATH = "/discord/gateway"


def endpoints(place: Guild) -> list[Endpoint]:
    """Return the reading endpoints."""

    def get(path: str, call: Any, bucket: str = "other", *, with_token: bool = True) -> Endpoint:
        handler: Handler = partial(call, place)
        return Endpoint("GET", path, handler, bucket, with_token=with_token)

    return [
        get("/gateway", gateway, with_token=False),
        get("/gateway/bot", gateway_bot),
        get("/users/@me", own_user),
        get("/users/@me/guilds", own_guilds),
        get("/users/{user_id}", user),
        get("/applications/@me", application),
        get("/oauth2/applications/@me", application),
        get("/guilds/{guild_id}", guild),
        get("/guilds/{guild_id}/channels", guild_channels),
        get("/guilds/{guild_id}/roles", guild_roles),
        get("/guilds/{guild_id}/emojis", guild_expressions),
        get("/guilds/{guild_id}/stickers", guild_expressions),
        get("/guilds/{guild_id}/threads/active", guild_threads),
        get("/guilds/{guild_id}/members", guild_members),
        get("/guilds/{guild_id}/members/search", search_members),
        get("/guilds/{guild_id}/members/{user_id}", guild_member),
        get("/channels/{channel_id}/threads/archived/public", archived_threads),
        get("/channels/{channel_id}", channel),
        get("/channels/{channel_id}/messages", history, "message.read"),
        get("/channels/{channel_id}/messages/{message_id}", message, "message.read"),
        get("/channels/{channel_id}/messages/{message_id}/reactions/{emoji}", reaction_users),
    ]


def gateway_url(place: Guild) -> str:
    """Return the gateway's address."""
    return place.url.replace("http", "ws", 1) + GATEWAY_PATH


def gateway(place: Guild, call: Call) -> Json:
    """GET gateway."""
    return {"url": gateway_url(place)}


def gateway_bot(place: Guild, call: Call) -> Json:
    """GET gateway/bot."""
    start_limit = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
    return {"url": gateway_url(place), "shards": 1, "session_start_limit": start_limit}


def own_user(place: Guild, call: Call) -> Json:
    """GET users/@me."""
    return shapes.own_user(place)


def own_guilds(place: Guild, call: Call) -> list[Json]:
    """GET users/@me/guilds."""
    full = shapes.guild(place)
    kept = {key: full[key] for key in ("id", "name", "icon", "banner", "features")}
    return [kept | {"owner": False, "permissions": str(permissions.EVERYONE)}]


def user(place: Guild, call: Call) -> Json:
    """GET users/{id}."""
    return shapes.user(place.member(call.args["user_id"]))


def application(place: Guild, call: Call) -> Json:
    """GET applications/@me and oauth2/applications/@me."""
    return shapes.application(place)


def guild(place: Guild, call: Call) -> Json:
    """GET guilds/{id}."""
    _check_guild(place, call)
    found = shapes.guild(place)
    if call.query.get("with_counts") in ("1", "true", "True"):
        count = len(shapes.members(place))
        found |= {"approximate_member_count": count, "approximate_presence_count": count}
    return found


def guild_channels(place: Guild, call: Call) -> list[Json]:
    """GET guilds/{id}/channels: also those that the bot can't see, without threads."""
    _check_guild(place, call)
    channels = place.world.channels.values()
    return [shapes.channel(place, one) for one in channels if one.kind == "text"]


def guild_roles(place: Guild, call: Call) -> list[Json]:
    """GET guilds/{id}/roles."""
    _check_guild(place, call)
    return permissions.roles(place.world)


def guild_expressions(place: Guild, call: Call) -> list[Json]:
    """GET guilds/{id}/emojis and stickers: the server has none of its own."""
    _check_guild(place, call)
    return []


def guild_threads(place: Guild, call: Call) -> Json:
    """GET guilds/{id}/threads/active."""
    _check_guild(place, call)
    threads = shapes.active_threads(place)
    own = [one for one in threads if place.world.bot_id in one.members]
    return {
        "threads": [shapes.thread(place, one) for one in threads],
        "members": [shapes.thread_member(place, one, place.world.bot_id) for one in own],
    }


def archived_threads(place: Guild, call: Call) -> Json:
    """GET channels/{id}/threads/archived/public: the last archived first."""
    where = place.channel(call.args["channel_id"])
    if not place.can(where, permissions.READ_HISTORY):
        raise Refused(50001)
    most = call.number("limit", limits.ARCHIVED_MAX, 2, limits.ARCHIVED_MAX)
    found = [
        one
        for one in place.world.channels.values()
        if one.kind == "thread" and one.parent == where.id and one.archived and place.can_see(one)
    ]
    found.sort(key=lambda one: int(one.id), reverse=True)
    return {
        "threads": [shapes.thread(place, one) for one in found[:most]],
        "members": [],
        "has_more": len(found) > most,
    }


def guild_members(place: Guild, call: Call) -> list[Json]:
    """GET guilds/{id}/members. Needs the members intent."""
    _check_guild(place, call)
    if not place.granted("guild_members"):
        raise Refused(50001)
    most = call.number("limit", 1, 1, limits.MEMBERS_MAX)
    after = int(call.snowflake("after") or 0)
    found = [one for one in shapes.members(place) if int(one.id) > after]
    return [shapes.member(place, one) for one in found[:most]]


def search_members(place: Guild, call: Call) -> list[Json]:
    """GET guilds/{id}/members/search."""
    _check_guild(place, call)
    most = call.number("limit", 1, 1, limits.MEMBERS_MAX)
    wanted = call.query.get("query", "").lower()
    found = [
        one
        for one in shapes.members(place)
        if one.name.lower().startswith(wanted) or one.display.lower().startswith(wanted)
    ]
    return [shapes.member(place, one) for one in found[:most]]


def guild_member(place: Guild, call: Call) -> Json:
    """GET guilds/{id}/members/{user}."""
    _check_guild(place, call)
    wanted = call.args["user_id"]
    wanted = place.world.bot_id if wanted == "@me" else wanted
    return shapes.member(place, place.guild_member(wanted))


def channel(place: Guild, call: Call) -> Json:
    """GET channels/{id}."""
    return shapes.channel(place, place.channel(call.args["channel_id"]))


def history(place: Guild, call: Call) -> list[Json]:
    """GET channels/{id}/messages: the newest first, whichever way it was asked."""
    where = place.channel(call.args["channel_id"])
    most = call.number("limit", limits.HISTORY_DEFAULT, 1, limits.HISTORY_MAX)
    before, after = call.snowflake("before"), call.snowflake("after")
    around = call.snowflake("around")
    if not place.can(where, permissions.READ_HISTORY):
        return []
    if around is not None:
        found = _around(place, where, around, most)
    elif after is not None:
        found = _page(place, where, after=after, limit=most, oldest_first=True)
    else:
        found = _page(place, where, before=before, limit=most)
    return [_readable(place, where, one) for one in reversed(found)]


def message(place: Guild, call: Call) -> Json:
    """GET channels/{id}/messages/{id}."""
    where = place.channel(call.args["channel_id"])
    wanted = call.args["message_id"]
    begun = messages.starter(place, where) if where.kind == "thread" else None
    if begun is not None and begun["id"] == wanted:
        return _readable(place, where, begun)
    return _readable(place, where, messages.message(place, place.message(where, wanted)))


def reaction_users(place: Guild, call: Call) -> list[Json]:
    """GET the users that chose an emoji."""
    where = place.channel(call.args["channel_id"])
    found = place.message(where, call.args["message_id"])
    most = call.number("limit", 25, 1, 100)
    after = int(call.snowflake("after") or 0)
    chosen = sorted(found.reactions.get(call.args["emoji"], []), key=int)
    return [shapes.user(place.member(one)) for one in chosen if int(one) > after][:most]


def _around(place: Guild, where: Channel, middle: str, most: int) -> list[Json]:
    low = _page(place, where, before=str(int(middle) + 1), limit=most // 2 + 1)
    high = _page(place, where, after=middle, limit=max(1, most - most // 2 - 1), oldest_first=True)
    return (low + high)[-most:] if most > 1 else low[-1:]


def _page(
    place: Guild,
    where: Channel,
    *,
    before: str | None = None,
    after: str | None = None,
    limit: int,
    oldest_first: bool = False,
) -> list[Json]:
    found = place.world.history(
        where.id, before=before, after=after, limit=limit, oldest_first=oldest_first
    )
    page = [messages.message(place, one) for one in found]
    begun = messages.starter(place, where) if where.kind == "thread" else None
    if begun is None or not int(after or 0) < int(begun["id"]) < int(before or 1 << 80):
        return page
    return [begun, *page][:limit] if oldest_first or len(page) < limit else page


def _readable(place: Guild, where: Channel, shown: Json) -> Json:
    if place.granted("message_content") or where.kind == "direct":
        return shown
    with_guild = shown | {"guild_id": place.world.home_id}
    kept = intents.without_content(with_guild, place.world.bot_id)
    return {key: value for key, value in kept.items() if key != "guild_id"}


def _check_guild(place: Guild, call: Call) -> None:
    if call.args["guild_id"] != place.world.home_id:
        raise Refused(10004)
