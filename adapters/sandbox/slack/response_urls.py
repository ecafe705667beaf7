"""`response_url`: where an app answers a command or a button later.

Good for five answers within thirty minutes, without a token. An answer is ephemeral
unless it says `in_channel`, and can replace or delete the message it belongs to.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from aiohttp import web

from adapters.sandbox.records import Json
from adapters.sandbox.slack import checking, limits
from adapters.sandbox.slack.posting import extra_of, thread_of
from adapters.sandbox.slack.workspace import Refused, Workspace

KEPT_MAX = 1_000


@dataclass(slots=True, kw_only=True)
class ResponseUrl:
    """One address: for whom, where, and what it has left."""

    channel: str
    member: str
    made_at: float
    thread: str | None = None
    original: str | None = None
    """The message that `replace_original` and `delete_original` mean."""
    uses: int = 0


class ResponseUrls:
    """Hands out response URLs and answers what is posted to them."""

    def __init__(self, place: Workspace) -> None:
        self._place = place
        self._made: dict[str, ResponseUrl] = {}

    def routes(self) -> list[web.RouteDef]:
        """Return the route behind the URLs."""
        return [web.post("/slack/commands/{team}/{number}/{secret}", self._answer)]

    def make(
        self, channel: str, member: str, *, thread: str | None = None, original: str | None = None
    ) -> str:
        """Return a new URL for what a member did in a channel."""
        while len(self._made) >= KEPT_MAX:
            self._made.pop(next(iter(self._made)))
        secret = self._place.secret(
            f"response {channel} {len(self._made)} {self._place.world.clock()}"
        )
        self._made[secret] = ResponseUrl(
            channel=channel,
            member=member,
            made_at=self._place.world.clock(),
            thread=thread,
            original=original,
        )
        return f"{self._place.url}/slack/commands/{self._place.world.home_id}/1/{secret}"

    def respond(self, url: str, body: Json) -> None:
        """Show an answer as if it had been posted to a URL. Raises Refused."""
        found = self._made.get(url.rpartition("/")[2])
        if found is None:
            raise Refused("expired_url")
        self._show(found, body)

    async def _answer(self, request: web.Request) -> web.Response:
        found = self._made.get(request.match_info["secret"])
        try:
            if found is None or self._expired(found):
                raise Refused("expired_url")
            if found.uses >= limits.RESPONSE_URL_USES:
                raise Refused("used_url")
            found.uses += 1
            body = json.loads(await request.text() or "{}")
            if not isinstance(body, dict):
                raise Refused("invalid_payload")
            self._show(found, body)
        except ValueError:
            return web.json_response({"ok": False, "error": "invalid_payload"}, status=400)
        except Refused as refused:
            missing = refused.code in ("expired_url", "used_url")
            return web.json_response(refused.body(), status=404 if missing else 500)
        return web.json_response({"ok": True})

    def _expired(self, found: ResponseUrl) -> bool:
        return self._place.world.clock() - found.made_at > limits.RESPONSE_URL_LIFE_S

    def _show(self, found: ResponseUrl, body: Json) -> None:
        world, channel = self._place.world, self._place.world.channels[found.channel]
        original = world.get(channel.id, found.original) if found.original else None
        if original is not None and original.deleted:
            original = None
        if body.get("delete_original"):
            if original is not None:
                world.delete(channel.id, original.id)
            return
        shown = checking.content(body)
        extra = extra_of(self._place, shown, body)
        if body.get("replace_original") and original is not None:
            world.edit(channel.id, original.id, shown.text, extra=extra, mark_edited=False)
            return
        open_to_all = body.get("response_type") == "in_channel"
        given = body.get("thread_ts") or found.thread
        message = world.say(
            channel.id,
            world.bot_id,
            shown.text,
            thread=thread_of(self._place, channel, given),
            ephemeral_to=None if open_to_all else found.member,
            extra=extra,
        )
        if found.original is None:
            found.original = message.id
