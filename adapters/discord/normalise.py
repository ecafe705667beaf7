"""From Discord's payloads to Jay's words. Pure.

A message reads as people see it: mentions become `@name`, `@role` and
`#channel`, emoji and times are spelled out, and Jay's own mention is cut off.
What is no talk (joins, pins, calls) becomes None.

Names that a payload doesn't carry are handed in (`Names`); `directory` finds
them, and `needs_names` tells when they are needed at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from adapters.discord import buttons
from adapters.discord.limits import said_at
from adapters.discord.payloads import (
    APPLICATION_COMMAND,
    CHAT_INPUT,
    COMPONENT,
    DEFAULT,
    DIRECT,
    FORWARD,
    HAS_THREAD,
    REPLY,
    THREAD_STARTER,
    THREADS,
    ChannelPayload,
    InteractionPayload,
    MemberPayload,
    MessagePayload,
    OptionPayload,
    PressPayload,
    TargetPayload,
    UserPayload,
    WordsPayload,
)
from bot.commands import TEXT, MessageShortcut
from bot.messages import (
    Attachment,
    Command,
    IncomingMessage,
    MessageChanged,
    Person,
    Place,
    ShareAsked,
    StopAsked,
)

_MARK = re.compile(
    r"<@!?(?P<user>\d+)>"
    r"|<@&(?P<role>\d+)>"
    r"|<#(?P<channel>\d+)>"
    r"|<a?:(?P<emoji>\w+):\d+>"
    r"|<t:(?P<time>-?\d{1,11})(?::[tTdDfFR])?>"
    r"|</(?P<command>[^:<>]+):\d+>"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What is needed to read a server's messages."""

    me: str
    """Jay's user id."""
    my_roles: frozenset[str] = frozenset()
    """The role that Discord made for Jay; who mentions it means Jay."""
    roles: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    """What answers an interaction later, from any process."""

    application_id: str
    interaction_id: str
    token: str

    def __str__(self) -> str:
        return f"{self.application_id}:{self.interaction_id}:{self.token}"

    @classmethod
    def parse(cls, text: str) -> Handle:
        """Read it back.

        Raises:
            ValueError: it is none.
        """
        application_id, interaction_id, token = text.split(":", 2)
        said_at(interaction_id)
        return cls(application_id=application_id, interaction_id=interaction_id, token=token)


def place_of(channel: ChannelPayload, *, guild_id: str | None = None) -> Place:
    """Return the place that a channel or thread is.

    Args:
        channel: as Discord describes it.
        guild_id: its server, where the description leaves that out.
    """
    workspace = channel.guild_id or guild_id or ""
    if channel.type in THREADS and channel.parent_id:
        return Place(
            platform="discord", workspace=workspace, channel=channel.parent_id, thread=channel.id
        )
    direct = channel.type in DIRECT
    return Place(
        platform="discord",
        workspace="" if direct else workspace,
        channel=channel.id,
        direct=direct,
    )


def direct_place(channel_id: str) -> Place:
    """Return the place of a direct message, which is all that comes without a server."""
    return Place(platform="discord", workspace="", channel=channel_id, direct=True)


def needs_names(payload: WordsPayload) -> bool:
    """Tell whether a message can't be read without the server's roles and channels."""
    if payload.mention_roles:
        return True
    return any(mark["role"] or mark["channel"] for mark in _MARK.finditer(payload.content))


def message(payload: MessagePayload, *, place: Place, names: Names) -> IncomingMessage | None:
    """Return what was said; None where the message is only a notice of Discord's.

    Args:
        payload: the message.
        place: where it stands.
        names: what the server calls its roles and channels.
    """
    if payload.type == THREAD_STARTER and payload.referenced_message is not None:
        payload = payload.referenced_message
    if payload.type not in (DEFAULT, REPLY):
        return None
    reference = payload.message_reference
    answers = reference is not None and reference.type != FORWARD
    to_jay, to_others = _meant_for(payload, names)
    return IncomingMessage(
        place=place,
        message_id=payload.id,
        author=Person(
            id=payload.author.id,
            name=display_name(payload.author, payload.member),
            bot=payload.author.bot or payload.webhook_id is not None,
            jay=payload.author.id == names.me,
        ),
        text=text_of(payload, names=names),
        sent_at=payload.timestamp.timestamp(),
        mentions_jay=to_jay,
        mentions_others=to_others,
        reply_to=(reference.message_id or "") if answers and reference else "",
        attachments=tuple(
            Attachment(name=one.filename, media_type=one.content_type or "")
            for one in payload.attachments
        ),
        edited_at=payload.edited_timestamp.timestamp() if payload.edited_timestamp else 0.0,
    )


def changed(payload: MessagePayload, *, place: Place, names: Names) -> MessageChanged | None:
    """Return a person's edit; None for a link's preview, a pin, or what a bot edits."""
    if payload.edited_timestamp is None or payload.type not in (DEFAULT, REPLY):
        return None
    if payload.author.bot or payload.webhook_id is not None:
        return None
    return MessageChanged(
        place=place,
        message_id=payload.id,
        text=text_of(payload, names=names),
        changed_at=payload.edited_timestamp.timestamp(),
    )


def command(payload: InteractionPayload) -> Command | None:
    """Return a slash command; None where it is something else."""
    typed = payload.type == APPLICATION_COMMAND and payload.data.type == CHAT_INPUT
    return _typed(payload) if typed else None


def chosen_from(
    payload: InteractionPayload, shortcuts: Sequence[MessageShortcut]
) -> MessageShortcut | None:
    """Return what somebody chose from a message's menu, if it is one of these."""
    return next((one for one in shortcuts if one.name == payload.data.name), None)


def words_of_target(payload: InteractionPayload) -> WordsPayload | None:
    """Return the words of the message from whose menu something was chosen.

    The first message of a thread is only a sign there for the one that the thread hangs on.
    """
    target = _target(payload)
    if target is not None and target.type == THREAD_STARTER:
        return target.referenced_message or target
    return target


def menu_command(
    payload: InteractionPayload, shortcut: MessageShortcut, *, names: Names
) -> Command | None:
    """Return the command that a shortcut stands for; None where a part of it is not told.

    Args:
        payload: the interaction.
        shortcut: what was chosen.
        names: what the server calls its roles and channels, as far as the message names some.
    """
    target, words = _target(payload), words_of_target(payload)
    if target is None or words is None:
        return None
    text = shortcut.text.format(at=target.timestamp.timestamp(), text=text_of(words, names=names))
    found = _given(payload, shortcut.command, text)
    if found is not None and shortcut.holds_words:
        found = replace(found, about=payload.data.target_id)
    if found is None or found.place.thread or not (shortcut.thread and target.flags & HAS_THREAD):
        return found
    return replace(found, place=replace(found.place, thread=payload.data.target_id))


def _target(payload: InteractionPayload) -> TargetPayload | None:
    return payload.data.resolved.messages.get(payload.data.target_id)


def _typed(payload: InteractionPayload) -> Command | None:
    said = _said(payload.data.options)
    # Names are not told here; a skill may look a channel up by its id.
    said = re.sub(r"<#(\d+)>", r"#\1", said)
    text = readable(said, people={}, names=Names(me="")).strip()
    return _given(payload, payload.data.name, text)


def _given(payload: InteractionPayload, name: str, text: str) -> Command | None:
    """Return a command as somebody gave it; None where nobody is told."""
    user = payload.user or (payload.member.user if payload.member else None)
    if user is None:
        return None
    return Command(
        place=place_of(payload.channel, guild_id=payload.guild_id),
        message_id=payload.id,
        author=Person(id=user.id, name=display_name(user, payload.member), bot=user.bot),
        name=name,
        text=text,
        sent_at=said_at(payload.id),
        handle=str(handle_of(payload)),
    )


def _said(options: Sequence[OptionPayload]) -> str:
    """Return a command's arguments as people write them elsewhere: `formal: we are late`.

    What was typed stands behind what was chosen, in whatever order they come.
    """
    given = [one for one in options if one.value is not None]
    chosen = [str(one.value) for one in given if one.name != TEXT and len(given) > 1]
    typed = [str(one.value) for one in given if one.name == TEXT or len(given) == 1]
    if chosen and typed:
        chosen[-1] += ":"
    return " ".join((*chosen, *typed))


def handle_of(payload: InteractionPayload | PressPayload) -> Handle:
    """Return what answers an interaction."""
    return Handle(
        application_id=payload.application_id,
        interaction_id=payload.id,
        token=payload.token,
    )


def press(payload: PressPayload) -> StopAsked | ShareAsked | Command | None:
    """Return what the press of a button says; None where it is none of Jay's.

    Who presses Why? asks as by the command, of that reply.
    """
    if payload.type != COMPONENT:
        return None
    place = place_of(payload.channel, guild_id=payload.guild_id)
    user = payload.user or (payload.member.user if payload.member else None)
    match payload.data.custom_id:
        case buttons.STOP:
            return StopAsked(place=place, message_id=payload.message.id)
        case buttons.SHARE if user is not None:
            return ShareAsked(
                place=place,
                message_id=payload.message.id,
                press_id=payload.id,
                author=Person(id=user.id, name=display_name(user, payload.member)),
                at=said_at(payload.id),
            )
        case buttons.WHY if user is not None:
            return Command(
                place=place,
                message_id=payload.id,
                author=Person(id=user.id, name=display_name(user, payload.member)),
                name="why",
                text=payload.message.id,
                sent_at=said_at(payload.id),
                handle=str(handle_of(payload)),
            )
    return None


def text_of(payload: WordsPayload, *, names: Names) -> str:
    """Return a message's text as people see it, without Jay's own mention."""
    people = {one.id: display_name(one, one.member) for one in payload.mentions}
    text = payload.content
    if not text and payload.message_snapshots:
        text = payload.message_snapshots[0].message.content
    return readable(without_jay(text, names), people=people, names=names).strip()


def without_jay(text: str, names: Names) -> str:
    """Cut Jay's mentions off, with what sets the first one apart from the rest."""
    mine = [rf"@!?{names.me}", *(f"@&{role}" for role in sorted(names.my_roles))]
    mention = rf"<(?:{'|'.join(mine)})>"
    text = re.sub(rf"^\s*{mention}[\s,:]*", "", text)
    return re.sub(rf"[^\S\n]*{mention}", "", text)


def readable(text: str, *, people: Mapping[str, str], names: Names) -> str:
    """Write out what Discord's marks stand for.

    Args:
        text: with Discord's marks.
        people: display names by user id.
        names: the server's roles and channels.
    """

    def read(mark: re.Match[str]) -> str:
        match mark.lastgroup:
            case "user":
                return f"@{people.get(mark['user'], 'someone')}"
            case "role":
                return f"@{names.roles.get(mark['role'], 'role')}"
            case "channel":
                return f"#{names.channels.get(mark['channel'], 'channel')}"
            case "emoji":
                return f":{mark['emoji']}:"
            case "time":
                return _time(int(mark["time"]))
        return f"/{mark['command']}"

    return _MARK.sub(read, text)


def display_name(user: UserPayload, member: MemberPayload | None) -> str:
    """Return what others see as a user's name in this place."""
    nick = member.nick if member else None
    return nick or user.global_name or user.username


def _meant_for(payload: MessagePayload, names: Names) -> tuple[bool, bool]:
    """Return whether a message names Jay, and whether it names others and not Jay.

    A reply rings for whom it answers without naming them in its text; that
    counts only where the text names nobody.
    """
    named = {mark["user"] for mark in _MARK.finditer(payload.content) if mark["user"]}
    roles = {mark["role"] for mark in _MARK.finditer(payload.content) if mark["role"]}
    if names.me in named or roles & names.my_roles:
        return True, False
    if named or roles:
        return False, True
    rung = {one.id for one in payload.mentions}
    return names.me in rung, bool(rung) and names.me not in rung


def _time(at: int) -> str:
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
        return str(at)
