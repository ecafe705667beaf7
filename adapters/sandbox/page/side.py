"""`PageSide`: the page as the server uses it, its routes over feed, deeds and mishaps.

All of it is served from the package's own files:

    GET  /                      the page
    GET  /page/static/{name}    its parts
    GET  /page/feed             the WebSocket (feed.py)
    POST /page/do/{deed}        what a person does (deeds.py)
"""

from __future__ import annotations

import mimetypes
from functools import partial
from pathlib import Path

import structlog
from aiohttp import web

from adapters.sandbox.discord import DiscordSide
from adapters.sandbox.faults import Faults
from adapters.sandbox.page import shapes
from adapters.sandbox.page.deeds import Deeds
from adapters.sandbox.page.feed import Feed
from adapters.sandbox.page.guarding import Declined, check_caller, read_json, text_of
from adapters.sandbox.page.mishaps import Mishaps
from adapters.sandbox.records import Event, Json
from adapters.sandbox.slack import SlackSide
from adapters.sandbox.world import World

log = structlog.get_logger(__name__)

STATIC = Path(__file__).parent / "static"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_HEADERS = {
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class PageSide:
    """The page over both worlds.

    Args:
        slack_world: The workspace.
        discord_world: The server.
        slack: What people do in the workspace.
        discord: What people do on the server.
        faults: What goes wrong.
    """

    def __init__(
        self,
        slack_world: World,
        discord_world: World,
        slack: SlackSide,
        discord: DiscordSide,
        faults: Faults,
    ) -> None:
        self._slack, self._discord = slack, discord
        self._worlds = (slack_world, discord_world)
        self._mishaps = Mishaps(
            faults, {"slack": slack_world, "discord": discord_world}, self._mishaps_changed
        )
        self._deeds = Deeds(slack, discord, self._mishaps)
        self._feed = Feed(self._snapshot, self._answer)
        self._unsubscribe = [world.listen(partial(self._happened, world)) for world in self._worlds]

    def routes(self) -> list[web.RouteDef]:
        """Return everything that the page is made of."""
        return [
            web.get("/", self._index),
            web.get("/favicon.ico", self._icon),
            web.get("/page/static/{name}", self._static),
            web.get("/page/feed", self._feed.serve),
            web.post("/page/do/{deed}", self._do),
        ]

    async def close(self) -> None:
        """End every page's connection and all that was begun here."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._mishaps.close()
        await self._feed.close()

    # The files

    async def _index(self, request: web.Request) -> web.StreamResponse:
        headers = _HEADERS | {"Content-Security-Policy": _POLICY}
        return _file("index.html", headers | {"Content-Type": "text/html; charset=utf-8"})

    async def _icon(self, request: web.Request) -> web.StreamResponse:
        return _file("icon.svg", _HEADERS | {"Content-Type": _TYPES[".svg"]})

    async def _static(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name not in {path.name for path in STATIC.iterdir()}:
            raise web.HTTPNotFound
        kind = _TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "text/plain"
        return _file(name, _HEADERS | {"Content-Type": f"{kind}; charset=utf-8"})

    # What the page does and asks

    async def _do(self, request: web.Request) -> web.Response:
        try:
            check_caller(request)
            deed = self._deeds.known.get(request.match_info["deed"])
            if deed is None:
                raise Declined(404, "no_deed", "Nothing of that name can be done.")
            return web.json_response(await deed(await read_json(request)))
        except Declined as declined:
            return declined.response()

    def _answer(self, asked: Json) -> Json:
        what = text_of(asked, "ask")
        if what == "commands":
            platform, _ = self._deeds.world(asked)
            return {"commands": self._commands(platform)}
        if what == "shortcuts":
            platform, _ = self._deeds.world(asked)
            side = self._slack if platform == "slack" else self._discord
            return {"shortcuts": side.shortcuts}
        if what != "history":
            raise Declined(404, "no_answer", "Nothing of that name can be asked.")
        who = self._deeds.actor(asked)
        bounds = {
            name: text_of(asked, name, default="") or None
            for name in ("thread", "before", "after", "around")
        }
        limit = asked.get("limit", 100)
        if not isinstance(limit, int):
            raise Declined(400, "bad_field", "“limit” must be a number.")
        return shapes.window(who.world, who.channel, viewer=who.member, limit=limit, **bounds)

    def _commands(self, platform: str) -> list[Json]:
        if platform == "slack":
            return self._slack.commands
        found = []
        for one in self._discord.commands:
            if one.get("type", 1) != 1:
                continue
            options = one.get("options") or []
            hint = " ".join(
                option["name"] if option.get("required") else f"[{option['name']}]"
                for option in options
            )
            detail = options[0].get("description", "") if options else ""
            found.append(
                {
                    "name": one["name"],
                    "description": one.get("description", ""),
                    "hint": hint,
                    "detail": detail,
                }
            )
        return found

    # What happens

    def _snapshot(self) -> Json:
        homes = [shapes.home(world) for world in self._worlds]
        return {"kind": "snapshot", "homes": homes, "mishaps": self._mishaps.shown()}

    def _happened(self, world: World, event: Event) -> None:
        self._feed.publish(shapes.event(world, event))

    def _mishaps_changed(self) -> None:
        places = [
            {
                "platform": world.platform,
                "channel": place.id,
                "read_only": not place.writable_by_bot,
            }
            for world in self._worlds
            for place in world.channels.values()
            if place.kind != "thread"
        ]
        self._feed.publish({"kind": "mishaps", "mishaps": self._mishaps.shown(), "places": places})


def _file(name: str, headers: dict[str, str]) -> web.FileResponse:
    return web.FileResponse(STATIC / name, headers=headers)
