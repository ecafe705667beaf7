"""`jay demo`: a store, an engine, a sandbox and Jay on this machine, with nothing to set up.

The sandbox stands where Slack and Discord stand. Jay gets its addresses and
tokens by settings, as it would get anybody's, and knows nothing else of it.
"""

from __future__ import annotations

import asyncio
import socket
import tempfile
import time
import webbrowser
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from pydantic import SecretStr
from rich.console import Console

from adapters.sandbox.server import Sandbox
from adapters.slack.manifest import manifest
from bot.app import App, open_app, stop_on_signals
from bot.errors import SettingsError
from bot.rehearsal import Answered, rehearse
from bot.settings import DiscordSettings, Settings, SlackSettings

READY_TIMEOUT_S = 300.0
LOOK_EVERY_S = 0.5
"""How often readiness is looked at."""

console = Console(highlight=False)


async def demo(settings: Settings, *, check: bool, port: int) -> int:
    """Run until Ctrl-C, or through the scripted conversation; return the exit status.

    Args:
        settings: engine, store and reply settings are used; the platforms are the sandbox's.
        check: hold the scripted conversation, on free ports and with data of its own.
        port: where the page is served.

    Raises:
        JayError: a part can't start; the text says what to do.
    """
    began = time.monotonic()

    def report(line: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:6.1f} s[/] {line}")

    with _own_ground(settings, check=check) as settings:
        stop = asyncio.Event()
        stop_on_signals(stop)
        async with AsyncExitStack() as stack:
            sandbox = await _open_sandbox(stack, settings, port=0 if check else port)
            report(f"sandbox: a Slack workspace and a Discord server at {sandbox.url}")
            app = await stack.enter_async_context(open_app(pointed_at(sandbox, settings)))
            catalogue = app.catalogue
            sandbox.slack.install(manifest(catalogue.commands, shortcuts=catalogue.shortcuts))
            report("store: ready")
            running = asyncio.create_task(app.run(report=report, stop=stop))
            status = 0
            try:
                if await _ready(app, running, stop):
                    report("Jay: connected to both, and the engine answers")
                    status = await _go_on(sandbox, check=check)
                if check:
                    stop.set()
                await running
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
            return status


async def _ready(app: App, running: asyncio.Task[None], stop: asyncio.Event) -> bool:
    """Wait until every part works; False if the program ends before."""
    async with asyncio.timeout(READY_TIMEOUT_S):
        while not running.done() and not stop.is_set():
            if all((await app.readiness()).values()):
                return True
            await asyncio.sleep(LOOK_EVERY_S)
    return False


async def _go_on(sandbox: Sandbox, *, check: bool) -> int:
    if check:
        console.print()
        told = await rehearse(sandbox, report=_print)
        whole = sum(one.whole for one in told)
        console.print(f"{whole} of {len(told)} answered in full")
        return 0 if whole == len(told) else 1
    console.print(f"\n[bold]Jay is ready: {sandbox.url}[/]   Ctrl-C stops it.\n")
    await asyncio.to_thread(webbrowser.open, sandbox.url)
    return 0


def _print(one: Answered) -> None:
    console.print(
        f"[bold]{one.platform} · {one.line.kind}[/]"
        f"   first word {one.first_word_s:.2f} s, last {one.last_word_s:.2f} s"
    )
    console.print(f"  › {one.line.text}", markup=False)
    for line in (one.reply or "(nothing came)").splitlines():
        console.print(f"    {line}", markup=False, soft_wrap=True)
    console.print()


@contextmanager
def _own_ground(settings: Settings, *, check: bool) -> Iterator[Settings]:
    """Give the check data and ports of its own, so that it can run beside a demo."""
    if not check:
        yield settings
        return
    with tempfile.TemporaryDirectory(prefix="jay-check-") as folder:
        limits = settings.limits.model_copy(update={"port": _free_port()})
        yield settings.model_copy(
            update={"data_dir": Path(folder), "status_port": 0, "limits": limits}
        )


def pointed_at(sandbox: Sandbox, settings: Settings) -> Settings:
    """Return the settings with the sandbox in the platforms' place."""
    slack = SlackSettings(
        bot_token=SecretStr(sandbox.slack.bot_token),
        app_token=SecretStr(sandbox.slack.app_token),
        signing_secret=SecretStr(sandbox.slack.signing_secret),
        api_url=sandbox.slack.api_url,
    )
    discord = DiscordSettings(
        bot_token=SecretStr(sandbox.discord.bot_token),
        api_url=sandbox.discord.api_url,
        gateway_url=sandbox.discord.gateway_url,
    )
    return settings.model_copy(update={"slack": slack, "discord": discord})


async def _open_sandbox(stack: AsyncExitStack, settings: Settings, *, port: int) -> Sandbox:
    sandbox = Sandbox(port=port, state_file=settings.data_dir / "sandbox.json")
    try:
        return await stack.enter_async_context(sandbox)
    except OSError as error:
        raise SettingsError(
            f"Port {port} is taken; is another demo running? Try `jay demo --port {port + 1}`."
        ) from error


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
