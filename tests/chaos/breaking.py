"""What goes wrong in a run: each fault of the script done to the processes and the platforms."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field

from chaos.plan import Fault
from chaos.store import Redis
from chaos.troupe import Player, Troupe
from replicas import Replicas

from adapters.sandbox.server import Sandbox
from bot.messages import PLATFORMS, PlatformName

READY_WITHIN_S = 90.0
DEAF_BEFORE_S = 1.0
"""What an edge was told so shortly before it was killed may not have been stored yet. One that
is told to end listens no more from then on, however long it takes."""
CALLS = {
    "slack": ("chat.*",),
    "discord": ("POST /channels/*/messages", "PATCH /channels/*/messages/*"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Blow:
    """A kill, and the conversations that waited for Jay at that moment."""

    kind: str
    at: float
    waiting: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Breaking:
    """Breaks things, and mends what doesn't come back by itself."""

    troupe: Troupe
    sandbox: Sandbox
    redis: Redis
    engines: Replicas
    workers: tuple[str, ...]
    waiting: Callable[[], tuple[str, ...]]
    """Gives the conversations in which a person spoke last."""
    note: Callable[..., None]
    blows: list[Blow] = field(default_factory=list)
    deaf: dict[PlatformName, list[tuple[float, float]]] = field(
        default_factory=lambda: {platform: [] for platform in PLATFORMS}
    )
    """When no edge listened; Unix seconds."""
    missed: list[str] = field(default_factory=list)
    """Faults that found nobody whom they could have hit."""
    _healing: set[asyncio.Task[None]] = field(default_factory=set)

    def strike(self, fault: Fault) -> None:
        """Let a fault happen now; what it needs to end goes on beside."""
        what, _, target = fault.kind.rpartition(" ")
        if what in ("kill", "restart", "freeze"):
            self._heal_later(self._fell(what, target, fault))
            return
        platform: PlatformName = "slack" if target == "slack" else "discord"
        faults = self.sandbox.faults
        if what == "drop":
            faults.signal(platform, "drop_sockets")
        elif what == "rotate":
            faults.signal(platform, "disconnect", after_s=0.5)
        elif what in ("duplicate", "reorder"):
            switch = "duplicate_events" if what == "duplicate" else "deaf_sockets"
            faults.turn(platform, switch)
            self._heal_later(self._turn_off(platform, switch, fault.for_s))
        else:
            for method in CALLS[platform]:
                if what == "429":
                    faults.rate_limit(platform, method, retry_after_s=1, times=fault.pick)
                else:
                    lost = what == "lost answer"
                    faults.fail(platform, method, status=503, times=fault.pick, after=lost)

    async def healed(self) -> None:
        """Wait until all that was felled stands again, and clear what is left of the faults."""
        if self._healing:
            await asyncio.wait(self._healing, timeout=READY_WITHIN_S)
        self.sandbox.faults.clear()

    async def end(self) -> None:
        """Stop whatever is still going on."""
        for task in self._healing:
            task.cancel()
        await asyncio.gather(*self._healing, return_exceptions=True)

    def listens(self, platform: PlatformName) -> bool:
        """Whether an edge is connected."""
        side = self.sandbox.slack.sockets if platform == "slack" else self.sandbox.discord.gateway
        return side.count > 0

    def _heal_later(self, healing: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(healing)
        self._healing.add(task)
        task.add_done_callback(self._end_of)

    def _end_of(self, healing: asyncio.Task[None]) -> None:
        self._healing.discard(healing)
        if not healing.cancelled() and (error := healing.exception()):
            self.note("not done", error=repr(error))

    async def _turn_off(self, platform: PlatformName, switch: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        self.sandbox.faults.turn(platform, switch, on=False)

    async def _fell(self, what: str, target: str, fault: Fault) -> None:
        if target == "vllm":
            if await self.engines.kill_one():
                self._blow(fault.kind, self.waiting())
            else:
                self._miss(fault)
            return
        player = self._choose(target, fault.pick)
        if player is None:
            self._miss(fault)
            return
        if what == "freeze":
            player.signal(signal.SIGSTOP)
            await asyncio.sleep(fault.for_s)
            player.signal(signal.SIGCONT)
            return
        if what == "kill":
            self._blow(fault.kind, await self._hit(player, target))
        told_at = time.time()
        await self._end(player, signal.SIGKILL if what == "kill" else signal.SIGTERM)
        await asyncio.sleep(fault.for_s)
        player.start()
        if target in PLATFORMS:
            await self._until_it_listens("slack" if target == "slack" else "discord", told_at)

    def _choose(self, target: str, pick: int) -> Player | None:
        names = {"worker": self.workers, "valkey": tuple(self.redis.servers)}.get(target, (target,))
        standing = [one for one in map(self.troupe.players.__getitem__, names) if one.alive]
        return standing[pick % len(standing)] if standing else None

    def _miss(self, fault: Fault) -> None:
        self.missed.append(fault.kind)
        self.note("missed", kind=fault.kind)

    async def _hit(self, player: Player, target: str) -> tuple[str, ...]:
        """Return the conversations that a kill hits: a worker's own, or all that wait."""
        if target != "worker":
            return self.waiting()
        return await asyncio.to_thread(self.redis.held_by, player.pid)

    async def _end(self, player: Player, how: signal.Signals) -> None:
        player.wanted = False
        player.signal(signal.SIGCONT)
        player.signal(how)
        if not await player.ended(10):
            self.note("did not end", name=player.name)
            player.signal(signal.SIGKILL)
            await player.ended(5)

    async def _until_it_listens(self, platform: PlatformName, told_at: float) -> None:
        deadline = time.time() + READY_WITHIN_S
        while not self.listens(platform) and time.time() < deadline:
            await asyncio.sleep(0.05)
        self.deaf[platform].append((told_at - DEAF_BEFORE_S, time.time()))

    def _blow(self, kind: str, waiting: tuple[str, ...]) -> None:
        self.blows.append(Blow(kind=kind, at=time.time(), waiting=waiting))
