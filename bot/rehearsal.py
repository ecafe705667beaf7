"""The scripted conversation of `jay demo --check`: people speak, Jay must answer.

It stands where a person stands: it says things in the sandbox and watches what
appears there. Times are taken from the moment something was said.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from adapters.sandbox.server import Sandbox
from adapters.sandbox.world import Event, Message, World

QUIET_S = 3.0
"""A reply that has not changed for so long is complete."""
LOOK_EVERY_S = 0.1
ANSWER_TIMEOUT_S = 120.0
UNFINISHED = re.compile(r"^_[^_\n]*…_$")
"""A line that says that Jay is at work is no answer yet."""
FAILED = ("I can't reach", "stopped in the middle", "Too many people", "Something went wrong")

Kind = Literal["mention", "follow-up", "direct message", "/summarize", "/answer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that a person says."""

    kind: Kind
    text: str
    channel: str = "general"


SCRIPT: dict[str, tuple[Line, ...]] = {
    "slack": (
        Line(kind="mention", text="Hello! Who are you?"),
        Line(kind="follow-up", text="What can you do here?"),
        Line(kind="direct message", text="Hi Jay, how are you?"),
        Line(kind="/summarize", text="last 30"),
        Line(kind="/answer", text="Why do we keep Postgres for the event log?"),
    ),
    "discord": (
        Line(kind="mention", text="Good morning, what is your name?"),
        Line(kind="follow-up", text="Do you remember what we say here?"),
        Line(kind="direct message", text="Hello! Can you tell me a joke?"),
        Line(kind="/summarize", text="last 30"),
        Line(
            kind="/answer",
            text="How long does the battery last with firmware 0.8.1?",
            channel="releases",
        ),
    ),
}
"""What is said, platform by platform. The answers are not scripted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of one line."""

    platform: str
    line: Line
    reply: str
    """All that Jay showed, as people see it; empty if nothing came."""
    first_word_s: float
    last_word_s: float

    @property
    def whole(self) -> bool:
        """Whether it is an answer, and not an apology."""
        return bool(self.reply) and not any(sign in self.reply for sign in FAILED)


@dataclass(slots=True)
class _Watch:
    """Collects what Jay shows since it began."""

    world: World
    began: float = field(default_factory=time.monotonic)
    shown: dict[str, str] = field(default_factory=dict)
    first_word_s: float = 0.0
    last_word_s: float = 0.0

    def __call__(self, event: Event) -> None:
        message = event.message
        if message is None or message.author != self.world.bot_id:
            return
        if event.kind == "delete":
            self.shown.pop(message.id, None)
        elif event.kind in ("message", "edit") and not UNFINISHED.match(message.text.strip()):
            if not message.text.strip():
                return
            self.shown[message.id] = message.text
            now = time.monotonic() - self.began
            self.first_word_s = self.first_word_s or now
            self.last_word_s = now

    async def completed(self, *, within_s: float) -> None:
        """Return when a reply has stood unchanged for `QUIET_S`, or when the time is over."""
        until = self.began + within_s
        while (now := time.monotonic()) < until:
            if self.shown and now - self.began - self.last_word_s >= QUIET_S:
                return
            await asyncio.sleep(LOOK_EVERY_S)


async def rehearse(sandbox: Sandbox, *, report: Callable[[Answered], None]) -> Sequence[Answered]:
    """Hold the script on both platforms, one line after another; report each as it ends."""
    told = []
    for platform, lines in SCRIPT.items():
        stage = _Stage(sandbox, platform)
        for line in lines:
            answered = await stage.play(line)
            report(answered)
            told.append(answered)
    return told


class _Stage:
    """One platform of the sandbox, with a person on it."""

    def __init__(self, sandbox: Sandbox, platform: str) -> None:
        self._platform = platform
        self._world = sandbox.slack_world if platform == "slack" else sandbox.discord_world
        self._side = sandbox.slack if platform == "slack" else sandbox.discord
        self._last: Message | None = None
        general = self._world.channel_named("general")
        self._person = next(
            member.id
            for member in self._world.members.values()
            if not member.bot and not member.deleted and member.id in general.members
        )

    async def play(self, line: Line) -> Answered:
        watch = _Watch(self._world)
        unsubscribe = self._world.listen(watch)
        try:
            await self._act(line)
            await watch.completed(within_s=ANSWER_TIMEOUT_S)
        finally:
            unsubscribe()
        return Answered(
            platform=self._platform,
            line=line,
            reply="\n".join(self._side.shown(text) for text in watch.shown.values()),
            first_word_s=watch.first_word_s,
            last_word_s=watch.last_word_s,
        )

    async def _act(self, line: Line) -> None:
        channel = self._world.channel_named(line.channel).id
        match line.kind:
            case "mention":
                text = f"<@{self._world.bot_id}> {line.text}"
                self._last = self._world.say(channel, self._person, text)
            case "follow-up":
                self._follow_up(channel, line.text)
            case "direct message":
                direct = self._world.open_direct(self._person, self._world.bot_id)
                self._world.say(direct.id, self._person, line.text)
            case "/summarize" | "/answer":
                await self._side.run_command(self._person, channel, line.kind[1:], line.text)

    def _follow_up(self, channel: str, text: str) -> None:
        """Go on without naming Jay: in Slack in the thread, in Discord as a reply to Jay."""
        if self._last is None:
            raise LookupError("a follow-up needs a mention before it")
        if self._platform == "slack":
            self._world.say(channel, self._person, text, thread=self._last.id)
            return
        jays = [
            message
            for message in self._world.messages(channel)
            if message.author == self._world.bot_id and message.reply_to == self._last.id
        ]
        if jays:
            self._world.say(channel, self._person, text, reply_to=jays[-1].id)
