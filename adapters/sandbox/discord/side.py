"""`DiscordSide`: the server as the sandbox's own server, the page and the tests use it.

It listens to the world and tells the bot what happened, and it offers what a person does
in Discord that is more than a change of the world: typing a text that becomes markup,
using a slash command, pressing a button, opening a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aiohttp import web

from adapters.sandbox.discord import (
    callbacks,
    events,
    markup,
    messages,
    posting,
    reading,
    shapes,
    threads,
)
from adapters.sandbox.discord.commands import MESSAGE_MENU, Commands
from adapters.sandbox.discord.gateway import Gateway
from adapters.sandbox.discord.guild import Guild, Pace
from adapters.sandbox.discord.interactions import Interactions
from adapters.sandbox.discord.limits import Limits
from adapters.sandbox.discord.rest import BASE, RestApi
from adapters.sandbox.faults import Faults
from adapters.sandbox.records import Channel, Event, File, Json, Message
from adapters.sandbox.world import World


class DiscordSide:
    """A Discord server over a world.

    Args:
        world: Who is there and what was said.
        faults: What goes wrong.
        limits: The rate limits; a `Limits(…, on=False)` switches them off.
        pace: The heartbeat and how patient Discord is.
    """

    def __init__(
        self,
        world: World,
        faults: Faults,
        *,
        limits: Limits | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.world = world
        self.place = Guild(world, faults, limits or Limits(world.clock), pace or Pace())
        self.gateway = Gateway(self.place)
        self._commands = Commands(self.place)
        self._interactions = Interactions(self.place, self._commands, self.gateway.interaction)
        self._api = RestApi(
            self.place,
            [
                *reading.endpoints(self.place),
                *posting.endpoints(self.place),
                *threads.endpoints(self.place),
                *self._commands.endpoints(),
                *callbacks.Callbacks(self.place, self._interactions).endpoints(),
            ],
        )
        self._signals: set[asyncio.Task[None]] = set()
        self._unsubscribe = [
            world.listen(self._happened),
            faults.on_signal("discord", self._signalled),
        ]

    # Where it is

    def serve_at(self, url: str) -> None:
        """Take note of the address that the server has got."""
        self.place.url = url

    @property
    def api_url(self) -> str:
        """The REST API's address, which ends in `/api/v10`."""
        return self.place.url + BASE

    @property
    def gateway_url(self) -> str:
        """The gateway's address."""
        return reading.gateway_url(self.place)

    @property
    def bot_token(self) -> str:
        """The bot's token, without `Bot` before it."""
        return self.place.bot_token

    @property
    def application_id(self) -> str:
        """The application's id."""
        return self.place.application_id

    @property
    def bot_user_id(self) -> str:
        """The bot's user."""
        return self.world.bot_id

    @property
    def guild_id(self) -> str:
        """The server's id."""
        return self.world.home_id

    def routes(self) -> list[web.RouteDef]:
        """Return everything that the Discord side serves."""
        return [*self.gateway.routes(), *self._api.routes()]

    async def close(self) -> None:
        """Stop telling the bot anything and close its connections."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        for task in self._signals:
            task.cancel()
        await asyncio.gather(*self._signals, return_exceptions=True)
        await self.gateway.close()

    # What people do

    def say_as(
        self,
        member: str,
        channel: str,
        typed: str,
        *,
        reply_to: str | None = None,
        files: Iterable[File] = (),
    ) -> Message:
        """Post what a person types: `@Jay` becomes a mention, `#general` a link."""
        text = markup.from_typed(self.world, typed)
        return self.world.say(channel, member, text, reply_to=reply_to, files=files)

    def edit_as(self, channel: str, message: str, typed: str) -> Message:
        """Change a person's message to what they type now."""
        return self.world.edit(channel, message, markup.from_typed(self.world, typed))

    def create_thread_as(self, member: str, channel: str, root: str | None, name: str) -> Channel:
        """Open a thread, on a message or on none; a message's thread is opened only once."""
        if root is not None and root in self.world.channels:
            return self.world.channels[root]
        return self.world.create_thread(channel, root, name, by=member)

    def shown(self, text: str) -> str:
        """Return a text in Discord's markup as a reader sees it."""
        return markup.to_shown(self.world, text)

    def pings(self, message: Message) -> list[str]:
        """Return whom a message rings for: ids of users and roles, `everyone`, `here`."""
        return messages.pings(self.place, message)

    @property
    def commands(self) -> list[Json]:
        """The commands that the bot has registered, as Discord shows them."""
        return self._commands.all()

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
        """Press a button of a message, which Discord knows by its `custom_id` alone.

        Answers as `run_command` does. `value` is for the twin on Slack.
        """
        return await self._interactions.press_button(member, channel, message, action_id)

    @property
    def shortcuts(self) -> list[Json]:
        """What stands in messages' menus, as the page shows it; Discord knows it by name."""
        menus = (one for one in self.commands if one["type"] == MESSAGE_MENU)
        return [{"id": one["name"], "name": one["name"]} for one in menus]

    async def use_menu(self, member: str, channel: str, message: str, name: str) -> Json:
        """Use a message's command from its menu; answers as `run_command` does."""
        return await self._interactions.use_menu(member, channel, message, name)

    async def suggest(
        self, member: str, channel: str, name: str, option: str, typed: str
    ) -> list[Json]:
        """Return what the bot suggests while a person types a command's option."""
        return await self._interactions.suggest(member, channel, name, option, typed)

    # What the bot is told

    def _happened(self, event: Event) -> None:
        channel, change = event.channel, event.payload.get("change")
        if channel.kind == "thread" and event.kind == "channel" and change == "created":
            self.place.thread_owners[channel.id] = shapes.thread_owner(self.place, channel)
        for told in events.of(self.place, event):
            self.gateway.tell(told)
        said = event.message if event.kind == "message" else None
        if channel.kind == "thread" and said is not None and said.ephemeral_to is None:
            # Whoever speaks in a thread is in it from then on.
            self.world.join(channel.id, said.author)

    def _signalled(self, name: str, details: Json) -> None:
        if name == "drop_sockets":
            self.gateway.drop()
            return
        if name == "disconnect":
            doing = self.gateway.reconnect(after_s=float(details.get("after_s", 1.0)))
        elif name == "invalid_session":
            doing = self.gateway.invalidate(resumable=bool(details.get("resumable", False)))
        elif name == "close":
            doing = self.gateway.close(int(details.get("code", 4000)))
        else:
            return
        task = asyncio.get_running_loop().create_task(doing)
        self._signals.add(task)
        task.add_done_callback(self._signals.discard)
