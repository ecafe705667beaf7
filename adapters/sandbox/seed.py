"""Fills both worlds with people, channels and some weeks of conversation.

Who there is stands in seeds/*.toml, what they said in seeds/*.md (the language is in
script.py), both written to be read. Dates in it are relative, so that the talk always
ends today; the same `now` gives the same world, id by id.
"""

from __future__ import annotations

import datetime as dt
import random
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from adapters.sandbox import script
from adapters.sandbox.records import Channel, File, Json, Message
from adapters.sandbox.slack import markup
from adapters.sandbox.world import World

SEEDS = Path(__file__).parent / "seeds"
_SLACK_AGE_S, _DISCORD_AGE_S = 400 * 86_400, 700 * 86_400
_AT_NAME = re.compile(r"(?<![\w@])@(\w+)")
_HASH_NAME = re.compile(r"<#([\w-]+)>")


def fill_slack(world: World, *, now: float) -> None:
    """Make the workspace of Harbour Labs, a company that plans berths for ports."""
    world.home_id = world.ids.thing("team", at=now - _SLACK_AGE_S)
    _Telling(
        world, "harbour_labs", now, _SLACK_AGE_S, lambda text: markup.from_typed(world, text)
    ).tell()


def fill_discord(world: World, *, now: float) -> None:
    """Make the server of Open Orchard, people who plant and map fruit trees."""
    world.home_id = world.ids.thing("guild", at=now - _DISCORD_AGE_S)
    _Telling(
        world, "open_orchard", now, _DISCORD_AGE_S, lambda text: _discord_text(world, text)
    ).tell()


@dataclass(slots=True)
class _Telling:
    """One filling of one world."""

    world: World
    name: str
    now: float
    age_s: float
    write: Callable[[str], str]
    """Turns a text as typed into the platform's markup."""
    random: random.Random = field(init=False)
    today: dt.date = field(init=False)
    midnight: float = field(init=False)
    root: Message | None = None
    thread: Channel | None = None
    last_at: float = 0.0

    def __post_init__(self) -> None:
        self.random = random.Random(self.name)
        moment = dt.datetime.fromtimestamp(self.now, dt.UTC)
        self.today = moment.date()
        self.midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()

    def tell(self) -> None:
        """Make members and channels, then say everything, channel by channel."""
        cast = tomllib.loads((SEEDS / f"{self.name}.toml").read_text("utf-8"))
        told = script.parse((SEEDS / f"{self.name}.md").read_text("utf-8"))
        self._people(cast)
        self._channels(cast, told.topics)
        for line in told.lines:
            self._say(line)
        for routine in cast.get("routines", ()):
            self._routine(routine)

    def _people(self, cast: Json) -> None:
        self.world.home_name = cast["home"]
        for place, one in enumerate(cast["members"]):
            member = self.world.add_member(
                one["name"],
                one["display"],
                bot=one.get("bot", False),
                color=one["color"],
                title=one.get("title", ""),
                at=self.now - self.age_s + 3_600 * (place + 1),
            )
            member.deleted = one.get("deleted", False)
        self.world.bot_id = self.world.member_named("jay").id

    def _channels(self, cast: Json, topics: dict[str, str]) -> None:
        here = [member for member in self.world.members.values() if not member.deleted]
        for place, one in enumerate(cast["channels"]):
            only = one.get("only")
            self.world.add_channel(
                one["name"],
                members=[
                    member.id
                    for member in here
                    if (only is None or member.name in only)
                    and not (member.id == self.world.bot_id and one.get("without_bot"))
                ],
                private=one.get("private", False),
                writable_by_bot=one.get("writable_by_bot", True),
                readable_by_bot=not one.get("without_bot", False),
                topic=one.get("topic") or topics.get(one["name"], ""),
                at=self.now - self.age_s + 90_000 + 60 * place,
            )

    def _say(self, line: script.Line) -> None:
        channel = self._place(line)
        at = self._moment(line.day, line.time)
        same_minute = 0 <= self.last_at - at < 60
        self.last_at = at = max(at, self.last_at + 7) if line.depth or same_minute else at
        message = self.world.say(
            channel.id,
            self.world.member_named(line.author).id,
            self._text(line.text),
            thread=self._slack_root(line),
            reply_to=self.root.id if self._is_reply(line) and self.root else None,
            files=[
                File(id=self.world.ids.thing("file", at=at), name=name, mimetype=kind, size=size)
                for name, kind, size in line.files
            ],
            at=min(at, self.now - 1),
        )
        if line.depth == 0:
            self.root, self.thread = message, None
            if line.title:
                self._open_thread(channel, message, line.title)
        if line.edited is not None:
            self.world.edit(channel.id, message.id, self._text(line.edited), at=at + 95)
        for emoji, names in line.reactions:
            for name in names:
                self.world.react(channel.id, message.id, self.world.member_named(name).id, emoji)

    def _place(self, line: script.Line) -> Channel:
        if line.channel.startswith("dm "):
            other = self.world.member_named(line.channel[3:])
            return self.world.open_direct(self.world.bot_id, other.id)
        if line.depth == 2 and self.thread is not None:
            self.thread.members.add(self.world.member_named(line.author).id)
            return self.thread
        return self.world.channel_named(line.channel)

    def _slack_root(self, line: script.Line) -> str | None:
        if self.world.platform == "slack" and line.depth and self.root is not None:
            return self.root.id
        return None

    def _is_reply(self, line: script.Line) -> bool:
        return self.world.platform == "discord" and line.depth == 1

    def _open_thread(self, channel: Channel, root: Message, title: str) -> None:
        if self.world.platform == "discord":
            self.thread = self.world.create_thread(channel.id, root.id, title, by=root.author)
            self.thread.created_at = root.at

    def _moment(self, day: str, time: str) -> float:
        if time.startswith("-"):
            return self.now + 60 * int(time)
        hours, minutes = time.split(":")
        days = (script.day_of(day, self.today) - self.today).days
        seconds = self.random.randrange(45)
        return self.midnight + days * 86_400 + int(hours) * 3_600 + int(minutes) * 60 + seconds

    def _text(self, text: str) -> str:
        return self.write(script.with_dates(text, self.today))

    def _routine(self, routine: Json) -> None:
        """Say what a bot says every day, and what some people answer to it."""
        answers = {name: list(said) for name, said in routine.get("answers", {}).items()}
        for count in range(routine["first"], routine["last"] + 1):
            line = script.Line(
                channel=routine["channel"],
                day=f"{routine['unit']}{count:+d}",
                time=routine["at"],
                author=routine["author"],
                text=self._fill(self.random.choice(routine["lines"])),
                depth=0,
            )
            self._say(line)
            if self.root is not None and "subtype" in routine:
                self.root.extra["subtype"] = routine["subtype"]
            for minutes, name in enumerate(self._answering(routine, answers), 3):
                said = answers[name].pop(0)
                answers[name].append(said)
                at = f"{routine['at'][:3]}{int(routine['at'][3:]) + 2 * minutes:02d}"
                self._say(
                    script.Line(
                        channel=line.channel, day=line.day, time=at, author=name, text=said, depth=1
                    )
                )

    def _answering(self, routine: Json, answers: dict[str, list[str]]) -> list[str]:
        least, most = routine.get("answers_min", 0), routine.get("answers_max", 0)
        return self.random.sample(sorted(answers), self.random.randint(least, most))

    def _fill(self, line: str) -> str:
        numbers = {
            "n": self.random.randint(2, 5) if ":{n}" in line else self.random.randint(11, 48),
            "s": self.random.randint(31, 87),
            "d": self.random.randint(2, 7),
            "t": self.random.randint(0, 3),
            "m": self.random.randint(44, 52),
        }
        for name, number in numbers.items():
            line = line.replace("{" + name + "}", str(number))
        return line


def _discord_text(world: World, text: str) -> str:
    by_name = {member.name: member.id for member in world.members.values()}
    channels = {channel.name: channel.id for channel in world.channels.values()}
    named = _AT_NAME.sub(lambda at: f"<@{by_name[at[1]]}>" if at[1] in by_name else at[0], text)
    return _HASH_NAME.sub(
        lambda place: f"<#{channels[place[1]]}>" if place[1] in channels else place[0], named
    )
