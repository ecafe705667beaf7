"""Plays a script: people speak, things go wrong, and once all is quiet the history is collected."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis
from chaos.breaking import READY_WITHIN_S, Breaking
from chaos.plan import Line, Plan, Talk
from chaos.store import AddStore, one_valkey
from chaos.troupe import Troupe
from replicas import Replicas

from adapters.sandbox.records import Channel, Event
from adapters.sandbox.server import Sandbox
from adapters.sandbox.world import World
from bot.conversations import Conversation
from bot.messages import PLATFORMS, PlatformName

LEASE_S = 3.0
QUIET_S = 5.0
TRIES_S = 0.25
STORE_WITHIN_S = 20.0

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """What a person said, where and when."""

    conversation: str
    platform: PlatformName
    message_id: str
    at: float
    direct: bool


@dataclass(slots=True)
class Open:
    """A conversation as it goes on."""

    talk: Talk
    channel: str
    person: str
    root: str = ""
    answer: str = ""
    """Jay's newest message there, which a follow-up on Discord replies to."""
    spoke_at: float = 0.0
    wrote_at: list[float] = field(default_factory=list)


class Play:
    """One run of a script, in a folder of its own."""

    def __init__(
        self,
        plan: Plan,
        *,
        sandbox: Sandbox,
        folder: Path,
        engines: Replicas,
        workers: int,
        report: Report,
        add_store: AddStore = one_valkey,
    ) -> None:
        """Take what is needed; nothing runs before `on_stage`.

        Args:
            plan: the script.
            sandbox: both platforms.
            folder: where logs and the store's data go; it stays.
            engines: the vLLM servers, of which one is killed.
            workers: how many.
            report: is told how it goes on.
            add_store: adds the store's processes; given a short path for a socket.
        """
        self.plan, self.sandbox, self.folder, self.report = plan, sandbox, folder, report
        self.troupe = Troupe(folder)
        self.socket = Path("/tmp") / f"jay-chaos-{os.getpid()}-{plan.seed}.sock"
        self.redis = add_store(self.troupe, self.socket)
        self.engines = engines
        self.workers = tuple(f"worker-{number}" for number in range(workers))
        self.breaking = Breaking(
            troupe=self.troupe,
            sandbox=sandbox,
            redis=self.redis,
            engines=engines,
            workers=self.workers,
            waiting=self._waiting,
            note=self.note,
        )
        self.spoken: list[Spoken] = []
        self.open: dict[int, Open] = {}
        self._log = (folder / "events.jsonl").open("a", buffering=1)
        self._changed_at = time.time()
        self._channels: dict[PlatformName, list[str]] = {}
        self._by_place: dict[tuple[str, str], Open] = {}

    def world(self, platform: PlatformName) -> World:
        return self.sandbox.slack_world if platform == "slack" else self.sandbox.discord_world

    def note(self, what: str, **fields: object) -> None:
        self._log.write(json.dumps({"t": round(time.time(), 3), "what": what, **fields}) + "\n")

    @asynccontextmanager
    async def on_stage(self) -> AsyncIterator[Play]:
        """Start every process, and end all of them whatever happens."""
        stop = [self.world(p).listen(lambda e, p=p: self._heard(p, e)) for p in PLATFORMS]
        keeping: asyncio.Task[None] | None = None
        try:
            self._set_up()
            await self._start_all()
            keeping = asyncio.create_task(self.troupe.keep_up(self.note))
            yield self
        finally:
            await self.breaking.end()
            if keeping is not None:
                keeping.cancel()
                await asyncio.gather(keeping, return_exceptions=True)
            for unsubscribe in stop:
                unsubscribe()
            await asyncio.to_thread(self.troupe.end)
            self.redis.close()
            self.socket.unlink(missing_ok=True)
            self._log.close()

    def _set_up(self) -> None:
        self.sandbox.slack.place.limits.on = False
        self.sandbox.discord.place.limits.on = False
        for platform in PLATFORMS:
            world = self.world(platform)
            general = world.channel_named("general")
            count = 1 + max((talk.place for talk in self.plan.talks), default=0)
            self._channels[platform] = [
                world.add_channel(f"chaos-{number}", members=general.members).id
                for number in range(count)
            ]
        environment = self._environment()
        for name in ("slack", "discord"):
            self.troupe.add_jay(name, name, environment)
        for name in self.workers:
            self.troupe.add_jay(name, "worker", environment)

    def _environment(self) -> dict[str, str]:
        slack, discord = self.sandbox.slack, self.sandbox.discord
        return dict(os.environ) | {
            "REDIS_URL": self.redis.url,
            "ENGINE_URL": self.engines.url,
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "SLACK_API_URL": slack.api_url,
            "DISCORD_BOT_TOKEN": discord.bot_token,
            "DISCORD_API_URL": discord.api_url,
            "DISCORD_GATEWAY_URL": discord.gateway_url,
            "JAY_STATUS_PORT": "0",
            "JAY_DATA_DIR": str(self.folder / "data"),
            "JAY_STORE__LEASE_S": str(LEASE_S),
            "JAY_WORKER__GRACE_S": "5",
            "JAY_REPLIES__MAX_TOKENS": "12",
            "JAY_REPLIES__MAX_WAITING": "500",
            "JAY_LOG_JSON": "true",
        }

    async def _start_all(self) -> None:
        for name in self.redis.servers:
            self.troupe.players[name].start()
        await self._until(self.redis.answers, STORE_WITHIN_S)
        await asyncio.to_thread(self.redis.form)
        for player in self.troupe.players.values():
            player.start()
        await self._until(lambda: all(map(self.breaking.listens, PLATFORMS)), READY_WITHIN_S)
        self.report("all processes run, both edges are connected")

    async def _until(self, true: Callable[[], bool], within_s: float) -> None:
        async with asyncio.timeout(within_s):
            while not true():
                await asyncio.sleep(0.05)

    # What people do

    async def speak(self, began: float) -> None:
        for line in self.plan.lines:
            await asyncio.sleep(max(0.0, began + line.at - time.time()))
            self._say(line)

    def _say(self, line: Line) -> None:
        talk = self.plan.talks[line.talk]
        world = self.world(talk.platform)
        here = self.open.get(talk.number) or self._begin(talk)
        # On Discord, a reply to a person is for that person; so Jay is named until he spoke.
        alone = talk.platform == "discord" and not here.answer
        named = line.named or (not talk.direct and (not here.root or alone))
        reply_to = here.answer or here.root or None
        text = f"<@{world.bot_id}> {line.text}" if named else line.text
        slack = talk.platform == "slack"
        said = world.say(
            here.channel,
            here.person,
            text,
            thread=here.root or None if slack and not talk.direct else None,
            reply_to=reply_to if not slack and not talk.direct else None,
        )
        if not talk.direct:
            here.root = here.root or said.id
            self._by_place[(here.channel, said.id)] = here
        here.spoke_at = said.at
        key = self.key(here)
        self.spoken.append(
            Spoken(
                conversation=key,
                platform=talk.platform,
                message_id=said.id,
                at=said.at,
                direct=talk.direct,
            )
        )
        self.note("said", conversation=key, message=said.id, text=text)

    def _begin(self, talk: Talk) -> Open:
        world = self.world(talk.platform)
        general = world.channel_named("general")
        people = sorted(
            member.id
            for member in world.members.values()
            if not member.bot and not member.deleted and member.id in general.members
        )
        person = people[talk.number % len(people)]
        channel = self._channels[talk.platform][talk.place]
        if talk.direct:
            person = world.add_member(f"guest{talk.number}", f"Guest {talk.number}").id
            channel = world.open_direct(person, world.bot_id).id
        here = self.open[talk.number] = Open(talk, channel, person)
        if talk.direct:
            self._by_place[(channel, "")] = here
        return here

    def key(self, here: Open) -> str:
        talk = here.talk
        workspace = self.world(talk.platform).home_id
        if talk.platform == "discord" and talk.direct:
            workspace = ""
        return Conversation(
            platform=talk.platform, workspace=workspace, channel=here.channel, root=here.root
        ).key

    def _heard(self, platform: PlatformName, event: Event) -> None:
        message = event.message
        if message is None or message.author != self.world(platform).bot_id:
            return
        if event.kind not in ("message", "edit", "delete"):
            return
        self._changed_at = time.time()
        here = self.find(event.channel, message.thread, message.reply_to)
        self.note(
            event.kind,
            platform=platform,
            channel=message.channel,
            message=message.id,
            text=message.text,
            conversation=self.key(here) if here else "",
        )
        if here is not None:
            here.wrote_at.append(time.time())
            if event.kind == "message" and not here.talk.direct:
                self._by_place[(here.channel, message.id)] = here
                here.answer = message.id

    def find(self, channel: Channel, thread: str | None, reply_to: str | None) -> Open | None:
        direct = self._by_place.get((channel.id, ""))
        return direct or self._by_place.get((channel.id, thread or reply_to or "?"))

    # What goes wrong

    async def trouble(self, began: float) -> None:
        for number, fault in enumerate(self.plan.faults, start=1):
            await asyncio.sleep(max(0.0, began + fault.at - time.time()))
            self.report(
                f"{time.time() - began:5.0f} s  fault {number}/{len(self.plan.faults)}: "
                f"{fault.kind}; {len(self.spoken)} said"
            )
            self.note("fault", kind=fault.kind, for_s=round(fault.for_s, 2), pick=fault.pick)
            self.breaking.strike(fault)

    def _waiting(self) -> tuple[str, ...]:
        """Return the conversations in which a person spoke last."""
        return tuple(
            self.key(one)
            for one in self.open.values()
            if not one.wrote_at or one.wrote_at[-1] < one.spoke_at
        )

    # Until all is quiet

    async def settle_down(self, within_s: float) -> bool:
        """Heal everything, and return whether Jay came to rest in time."""
        await self.breaking.healed()
        for player in self.troupe.players.values():
            player.signal(signal.SIGCONT)
            player.start()
        self._changed_at = time.time()
        deadline = time.time() + within_s
        told = 0.0
        while time.time() < deadline:
            mail = await asyncio.to_thread(self._mail)
            if mail == 0 and time.time() - self._changed_at > QUIET_S:
                return True
            if time.time() - told > 10:
                told = time.time()
                self.report(f"waiting for quiet: {mail} conversations have mail")
            await asyncio.sleep(TRIES_S)
        return False

    def _mail(self) -> int:
        try:
            return sum(1 for _ in self.redis.keys("mail"))
        except redis.RedisError:
            return -1

    def resumes(self) -> Iterator[float]:
        """Yield for each conversation hit by a kill how long until Jay wrote there again."""
        by_key = {self.key(one): one for one in self.open.values()}
        for blow in self.breaking.blows:
            for key in blow.waiting:
                here = by_key.get(key)
                after = [at for at in here.wrote_at if at > blow.at] if here else []
                if after:
                    yield after[0] - blow.at
