"""`SlackSide`: the workspace as the server, the page and the tests use it.

It listens to the world and tells the app what happened, and it offers what a person does
in Slack that is more than a change of the world: typing a text that becomes markup, using
a slash command, pressing a button or Stop, opening the assistant pane.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Iterable

import structlog
from aiohttp import web

from adapters.sandbox.faults import Faults
from adapters.sandbox.records import Event, File, Json, Member, Message
from adapters.sandbox.slack import events, markup, streaming
from adapters.sandbox.slack.delivery import Delivery, Pace
from adapters.sandbox.slack.interactions import Interactions
from adapters.sandbox.slack.limits import Limits
from adapters.sandbox.slack.response_urls import ResponseUrls
from adapters.sandbox.slack.sockets import Sockets
from adapters.sandbox.slack.web_api import WebApi
from adapters.sandbox.slack.webhooks import Webhooks
from adapters.sandbox.slack.workspace import SLACKBOT, Workspace
from adapters.sandbox.world import World

log = structlog.get_logger(__name__)


class SlackSide:
    """A Slack workspace over a world.

    Args:
        world: Who is there and what was said.
        faults: What goes wrong.
        events_url: Post events there, signed, instead of sending them down sockets.
        agent: Whether the app is declared as an agent.
        limits: The rate limits; a `Limits(…, on=False)` switches them off.
        pace: How long an ack may take and when to try again.
    """

    def __init__(
        self,
        world: World,
        faults: Faults,
        *,
        events_url: str | None = None,
        agent: bool = True,
        limits: Limits | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.world = world
        self.place = Workspace(world, faults, limits or Limits(world.clock), agent=agent)
        self.sockets = Sockets(self.place)
        self.response_urls = ResponseUrls(self.place)
        self._api = WebApi(self.place, self.sockets.open_address)
        webhooks = Webhooks(self.place, events_url) if events_url else None
        self._delivery = Delivery(self.place, self.sockets, webhooks, pace or Pace())
        self._interactions = Interactions(self.place, self._delivery, self.response_urls)
        self.commands: list[Json] = []
        """What the page offers behind a slash; any other command can be typed all the same."""
        self.shortcuts: list[Json] = []
        """What the page offers in messages' menus."""
        self._leaving: set[asyncio.Task[None]] = set()
        self._unsubscribe = [
            world.listen(self._happened),
            faults.on_signal("slack", self._signalled),
        ]
        if SLACKBOT not in world.members:
            world.members[SLACKBOT] = Member(
                id=SLACKBOT, name="slackbot", display="Slackbot", bot=True
            )

    # Where it is

    def serve_at(self, url: str) -> None:
        """Take note of the address that the server has got."""
        self.place.url = url

    def install(self, manifest: Json) -> None:
        """Take an app's manifest, the only place where Slack learns of commands and shortcuts."""
        self.commands = [
            {
                "name": one["command"].removeprefix("/"),
                "description": one["description"],
                "hint": one.get("usage_hint", ""),
                "detail": "",
            }
            for one in manifest["features"]["slash_commands"]
        ]
        self.shortcuts = [
            {"id": one["callback_id"], "name": one["name"]}
            for one in manifest["features"].get("shortcuts", [])
            if one["type"] == "message"
        ]

    @property
    def api_url(self) -> str:
        """The Web API's address, with a slash at the end as slack_sdk wants it."""
        return f"{self.place.url}/slack/api/"

    @property
    def bot_token(self) -> str:
        """The `xoxb-` token."""
        return self.place.bot_token

    @property
    def app_token(self) -> str:
        """The `xapp-` token."""
        return self.place.app_token

    @property
    def signing_secret(self) -> str:
        """The key that HTTP events are signed with."""
        return self.place.signing_secret

    @property
    def team_id(self) -> str:
        """The workspace's id."""
        return self.world.home_id

    @property
    def bot_user_id(self) -> str:
        """The app's bot user."""
        return self.world.bot_id

    def routes(self) -> list[web.RouteDef]:
        """Return everything that the Slack side serves."""
        return [
            *self._api.routes(),
            *self.sockets.routes(),
            *self.response_urls.routes(),
            web.get("/archives/{channel}/{message}", _to_page),
        ]

    async def close(self) -> None:
        """Stop telling the app anything and close its sockets."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        for task in self._leaving:
            task.cancel()
        await asyncio.gather(*self._leaving, return_exceptions=True)
        await self._delivery.close()
        await self.sockets.close()

    # What people do

    def say_as(
        self,
        member: str,
        channel: str,
        typed: str,
        *,
        thread: str | None = None,
        broadcast: bool = False,
        files: Iterable[File] = (),
    ) -> Message:
        """Post what a person types: `@Jay` becomes a mention, `<` is escaped."""
        text = markup.from_typed(self.world, typed)
        extra: Json = {"pings": markup.pings(text)}
        if thread and broadcast:
            extra["broadcast"] = True
        return self.world.say(channel, member, text, thread=thread, files=files, extra=extra)

    def edit_as(self, channel: str, message: str, typed: str) -> Message:
        """Change a person's message to what they type now."""
        text = markup.from_typed(self.world, typed)
        return self.world.edit(channel, message, text, extra={"pings": markup.pings(text)})

    def shown(self, text: str) -> str:
        """Return a text in Slack's markup as a reader sees it."""
        return markup.to_shown(self.world, text)

    async def run_command(
        self,
        member: str,
        channel: str,
        name: str,
        text: str = "",
        *,
        options: Json | None = None,
    ) -> Json:
        """Use a slash command; see `Interactions.run_command`."""
        return await self._interactions.run_command(member, channel, name, text, options=options)

    async def press_button(
        self, member: str, channel: str, message: str, action_id: str, value: str = ""
    ) -> Json:
        """Press a button in a message; answers as `run_command` does."""
        return await self._interactions.press_button(member, channel, message, action_id, value)

    async def use_shortcut(self, member: str, channel: str, message: str, callback_id: str) -> Json:
        """Use a message shortcut; answers as `run_command` does."""
        return await self._interactions.use_shortcut(member, channel, message, callback_id)

    def open_assistant(self, member: str) -> Message:
        """Open the assistant pane: a new thread in the direct conversation with the app."""
        channel = self.world.open_direct(self.world.bot_id, member)
        root = self.world.say(
            channel.id,
            self.world.bot_id,
            "New Assistant Thread",
            extra={"subtype": "assistant_app_thread"},
        )
        if self.place.agent:
            self._push(events.assistant_opened(self.place, member, channel.id, root.id))
        return root

    def press_stop(self, member: str, channel: str, thread: str) -> list[str]:
        """Press Stop in a thread; returns the streams that take no more appends now."""
        stopped = streaming.stop_by_person(self.place, self.world.channels[channel], thread)
        if self.place.agent:
            self._push(events.session_stopped(self.place, member, channel, thread, stopped))
        return stopped

    async def verify_url(self) -> bool:
        """Send `url_verification` to the events address and say whether it was answered."""
        challenge = secrets.token_hex(16)
        body = {
            "type": "url_verification",
            "token": self.place.secret("verification"),
            "challenge": challenge,
        }
        answer = await self._delivery.post_once(body)
        if answer is None:
            return False
        try:
            read = json.loads(answer)
        except ValueError:
            return answer.strip() == challenge
        return isinstance(read, dict) and read.get("challenge") == challenge

    # What the app is told

    def _happened(self, event: Event) -> None:
        joined = event.kind == "channel" and event.payload.get("change") == "joined"
        for inner in events.of(self.place, event):
            self._push(inner)
        if joined and event.member is not None:
            self.world.say(
                event.channel.id,
                event.member.id,
                f"<@{event.member.id}> has joined the channel",
                extra={"subtype": "channel_join"},
            )

    def _push(self, inner: Json) -> None:
        self._delivery.push(events.outer(self.place, inner))

    def _signalled(self, name: str, details: Json) -> None:
        if name == "drop_sockets":
            self.sockets.drop()
        elif name == "disconnect":
            reason = str(details.get("reason", "refresh_requested"))
            after_s = float(details.get("after_s", 1.0))
            task = asyncio.get_running_loop().create_task(
                self.sockets.disconnect(reason, after_s=after_s)
            )
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)


async def _to_page(request: web.Request) -> web.Response:
    channel, message = request.match_info["channel"], request.match_info["message"]
    digits = message.removeprefix("p")
    ts = f"{digits[:-6]}.{digits[-6:]}"
    raise web.HTTPFound(f"/#slack/{channel}/{ts}")
