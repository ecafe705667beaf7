"""`DiscordSurface`: writes replies by REST alone, so that a worker needs no gateway.

A reply to a message answers it by Discord's reply function and may ring for
its author, nobody else. The first part of a command's answer fills in the
deferral, as long as the interaction's token is good; all else are plain
messages of the channel. Those carry a nonce that Discord enforces: the same
part is never posted twice. Where Jay may not write in the channel itself, the
command's own webhook still may.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

import structlog
from pydantic import TypeAdapter

from adapters.discord import answers, history
from adapters.discord.access import find_channel
from adapters.discord.buttons import below
from adapters.discord.directory import Directory
from adapters.discord.errors import InteractionOver
from adapters.discord.limits import NONCE_MAX, PACE, READ_PACE, SHARED_PACE
from adapters.discord.normalise import Handle, direct_place
from adapters.discord.payloads import ChannelPayload, PostedPayload
from adapters.discord.reading import read_range
from adapters.discord.render import render
from adapters.discord.rest import Rest
from bot.errors import MayNotWrite, MessageGone, PlatformError, Rejected
from bot.histories import History
from bot.messages import IncomingMessage, Place
from bot.paces import SharedPace
from bot.ports import Target
from bot.settings import DiscordSettings

log = structlog.get_logger(__name__)

CANT_SPEAK = "🤐"
"""Says by a reaction that Jay heard and may not answer."""
NO_PREVIEW = 1 << 2
"""The flag of a message whose links are not unfolded (SUPPRESS_EMBEDS)."""
MOST_WHISPERS = 3
"""Parts of a private message; a channel's long reply is not sent whole."""

TOO_LATE = "the command was used too long ago to be answered in private"

_POSTED = TypeAdapter(PostedPayload)
_CHANNEL = TypeAdapter(ChannelPayload)
_MESSAGES = "/channels/{channel_id}/messages"
_MESSAGE = _MESSAGES + "/{message_id}"


class DiscordSurface:
    """Discord as something to write on; an async context manager around its session."""

    pace = PACE
    shared_pace: SharedPace | None = SHARED_PACE
    read_pace = READ_PACE

    def __init__(self, settings: DiscordSettings) -> None:
        """Take where and as whom. Discord is first asked when something is written."""
        self._rest = Rest(settings)
        self._directory = Directory(self._rest)

    async def __aenter__(self) -> DiscordSurface:
        """Open the session."""
        await self._rest.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the session."""
        await self._rest.__aexit__(kind, error, trace)

    def render(self, markdown: str, *, target: Target) -> tuple[str, ...]:
        """Turn Markdown into Discord's, cut into parts of at most 2,000 characters. Pure."""
        return render(markdown)

    async def post(
        self, target: Target, part: str, *, nonce: str, last: bool, again: bool = False
    ) -> str:
        """Post a part and return its message id. Discord sees to it that none stands there twice.

        Raises:
            Rejected: the nonce is longer than Discord takes.
            PlatformError: Discord refuses.
        """
        if len(nonce) > NONCE_MAX:
            raise Rejected(f"a nonce has at most {NONCE_MAX} characters, this one {len(nonce)}")
        handle = answers.live_handle(target.handle)
        buttons = below(target, last=last)
        if target.private:
            return await self._aside(handle, part, nonce, buttons)
        if handle is not None and _is_first(nonce):
            try:
                return await answers.fill_in(self._rest, handle, part, components=buttons)
            except MessageGone as error:
                log.info("discord.answered_plainly", reason=str(error))
        try:
            return await self._say(target, part, nonce, buttons)
        except MayNotWrite:
            if handle is None:
                raise
            return await answers.follow_up(self._rest, handle, part, components=buttons)

    async def edit(
        self, target: Target, message_id: str, part: str, *, shown: str, last: bool
    ) -> None:
        """Make a posted message read `part`.

        Raises:
            MessageGone: somebody took it away.
            PlatformError: Discord refuses.
        """
        if part == shown and not (last and (target.stop or target.share)):
            return
        buttons = below(target, last=last)
        if target.private:
            await answers.edit(self._rest, _needed(target), message_id, part, components=buttons)
            return
        body = {
            "content": part,
            "flags": NO_PREVIEW,
            "allowed_mentions": _may_ring(target),
            "components": buttons,
        }
        where = {"channel_id": _channel(target.place), "message_id": message_id}
        try:
            await self._rest.call("PATCH", _MESSAGE, where=where, body=body)
        except MayNotWrite:
            handle = answers.live_handle(target.handle)
            if handle is None:
                raise
            await answers.edit(self._rest, handle, message_id, part, components=buttons)

    async def delete(self, target: Target, message_id: str) -> None:
        """Take a posted message away; one that is gone already is no error.

        Raises:
            PlatformError: Discord refuses.
        """
        where = {"channel_id": _channel(target.place), "message_id": message_id}
        try:
            if target.private:
                await answers.delete(self._rest, _needed(target), message_id)
                return
            await self._rest.call("DELETE", _MESSAGE, where=where)
        except MessageGone:
            return
        except MayNotWrite:
            handle = answers.live_handle(target.handle)
            if handle is None:
                raise
            await answers.delete(self._rest, handle, message_id)

    async def show_working(self, target: Target, status: str) -> bool:
        """Show the typing dots. A command already shows "Jay is thinking…" until answered."""
        if answers.live_handle(target.handle) is not None:
            return True
        where = {"channel_id": _channel(target.place)}
        try:
            await self._rest.call("POST", "/channels/{channel_id}/typing", where=where)
        except PlatformError as error:
            log.debug("discord.not_typing", channel=target.place.channel, error=str(error))
            return False
        return True

    async def whisper(self, target: Target, text: str) -> None:
        """Tell the person alone: in answer to the command, by direct message, or by a sign.

        Raises:
            MayNotWrite: they take no messages, and Jay may not react to theirs.
            PlatformError: Discord can't be reached.
        """
        parts = render(text)[:MOST_WHISPERS]
        handle = answers.live_handle(target.handle)
        if handle is not None and parts:
            try:
                await answers.fill_in(self._rest, handle, parts[0])
                return
            except InteractionOver as error:
                log.info("discord.answered_plainly", reason=str(error))
        try:
            channel = target.place.channel
            if not target.place.direct:
                channel = (await self.open_direct(target.place, target.person)).channel
            for part in parts:
                body = {"content": part, "allowed_mentions": answers.PING_NOBODY}
                await self._rest.call("POST", _MESSAGES, where={"channel_id": channel}, body=body)
        except MayNotWrite:
            if not target.reply_to:
                raise
            await self._react(target, CANT_SPEAK)

    async def link(self, place: Place, message_id: str) -> str:
        """Return the address of a message, as people share it."""
        server = place.workspace or "@me"
        return f"https://discord.com/channels/{server}/{_channel(place)}/{message_id}"

    async def history(
        self, place: Place, *, limit: int, since: float = 0.0
    ) -> Sequence[IncomingMessage]:
        """Read a place's newest messages back, oldest first.

        Raises:
            PlatformError: Jay may not read there, or Discord can't be reached.
        """
        return await history.read_back(self._rest, self._directory, place, limit=limit, since=since)

    async def read_range(self, place: Place, *, limit: int, since: float, until: float) -> History:
        """Read back what was said in a place and its threads.

        Raises:
            PlatformError: Jay may not read there, or Discord can't be reached.
        """
        return await read_range(
            self._rest, self._directory, place, limit=limit, since=since, until=until
        )

    async def zone(self, person: str) -> str:
        """Return nothing: Discord tells nobody's time zone."""
        return ""

    async def find_channel(self, near: Place, name: str, *, person: str) -> Place | None:
        """Return the channel of a name or id that a person may read.

        Raises:
            PlatformError: Discord can't be reached, or doesn't let Jay ask.
        """
        return await find_channel(self._rest, near, name, person=person)

    async def name_of(self, place: Place) -> str:
        """Return what people call a channel.

        Raises:
            PlatformError: Discord can't be reached, or doesn't let Jay see it.
        """
        where = {"channel_id": place.channel}
        channel = await self._rest.ask(_CHANNEL, "GET", "/channels/{channel_id}", where=where)
        return channel.name or ""

    async def open_direct(self, near: Place, person: str) -> Place:
        """Return the place of direct messages with a person; it opens with anybody.

        Raises:
            PlatformError: Discord can't be reached.
        """
        body = {"recipient_id": person}
        opened = await self._rest.ask(_POSTED, "POST", "/users/@me/channels", body=body)
        return direct_place(opened.id)

    async def places(self, *, since: float) -> Sequence[Place]:
        """Return the channels and threads of Jay's servers where something was said since then.

        Direct messages are not among them: Discord doesn't list them to bots.

        Raises:
            PlatformError: Discord can't be reached.
        """
        return await self._directory.places(since=since)

    async def _aside(
        self, handle: Handle | None, part: str, nonce: str, buttons: answers.Components
    ) -> str:
        """Answer a command for its person alone."""
        if handle is None:
            raise MayNotWrite(TOO_LATE)
        if _is_first(nonce):
            return await answers.fill_in(self._rest, handle, part, components=buttons)
        return await answers.follow_up(self._rest, handle, part, private=True, components=buttons)

    async def _say(self, target: Target, part: str, nonce: str, buttons: answers.Components) -> str:
        channel = _channel(target.place)
        body: dict[str, object] = {
            "content": part,
            "nonce": nonce,
            "enforce_nonce": True,
            "flags": NO_PREVIEW,
            "allowed_mentions": _may_ring(target),
            "components": buttons,
        }
        # In a direct message nobody else could be meant.
        if target.reply_to and not target.place.direct and _is_first(nonce):
            body["message_reference"] = {
                "message_id": target.reply_to,
                "channel_id": channel,
                "fail_if_not_exists": False,
            }
        posted = await self._rest.ask(
            _POSTED, "POST", _MESSAGES, where={"channel_id": channel}, body=body
        )
        return posted.id

    async def _react(self, target: Target, sign: str) -> None:
        await self._rest.call(
            "PUT",
            _MESSAGE + "/reactions/{emoji}/@me",
            where={
                "channel_id": _channel(target.place),
                "message_id": target.reply_to,
                "emoji": sign,
            },
        )


def _needed(target: Target) -> Handle:
    """Return the handle of a private answer.

    Raises:
        MayNotWrite: it is no longer good.
    """
    handle = answers.live_handle(target.handle)
    if handle is None:
        raise MayNotWrite(TOO_LATE)
    return handle


def _channel(place: Place) -> str:
    return place.thread or place.channel


def _is_first(nonce: str) -> bool:
    """Tell whether a nonce is that of a reply's first part, `<reply id>.0`."""
    return nonce.rpartition(".")[2] == "0"


def _may_ring(target: Target) -> dict[str, object]:
    """Return the `allowed_mentions` under which only the person answered is rung for."""
    return {"parse": [], "replied_user": bool(target.reply_to)}
