"""A conversation in the terminal: the same engine, family, window and guards, no platform."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from contextlib import AsyncExitStack, aclosing, suppress

from rich.console import Console
from rich.live import Live
from rich.markdown import Markdown

from bot.app import SpeechSource, managed_engine, open_model
from bot.conversations import Turn
from bot.driving import ENGINE_RETRY_S, ENGINE_WAIT_S
from bot.errors import EngineError, EngineUnreachable
from bot.prompting import Speech
from bot.prompts import Prompt
from bot.settings import Settings

HELP = "Type and press Enter. Ctrl-C stops a reply, Ctrl-D ends."


async def chat_in_terminal(settings: Settings) -> None:
    """Talk until the end of input.

    Raises:
        EngineError: the engine can't be had at all.
    """
    console = Console()
    async with AsyncExitStack() as stack:
        console.print("[dim]· looking for the engine[/]")
        await stack.enter_async_context(
            managed_engine(settings, lambda line: console.print(f"[dim]· {line}[/]"))
        )
        engine = await stack.enter_async_context(open_model(settings))
        speech = await wait_for_speech(SpeechSource(settings, engine))
        console.print(f"[dim]{speech.model.name}, family {speech.family.name}. {HELP}[/]")
        await _talk(console, speech)


async def wait_for_speech(source: SpeechSource, *, wait_s: float = ENGINE_WAIT_S) -> Speech:
    """Return the speech once the engine is up.

    Raises:
        TimeoutError: it takes longer than `wait_s`.
    """
    async with asyncio.timeout(wait_s):
        while True:
            try:
                return await source()
            except EngineUnreachable:
                await asyncio.sleep(ENGINE_RETRY_S)


async def _talk(console: Console, speech: Speech) -> None:
    turns: list[Turn] = []
    start = 0
    speaking: asyncio.Task[str] | None = None

    def interrupted() -> None:
        if speaking is not None and not speaking.done():
            speaking.cancel()
        else:
            console.print("\n[dim](Ctrl-D ends)[/]")

    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupted)
    while (text := await asyncio.to_thread(_ask, console)) is not None:
        if not text.strip():
            continue
        turns.append(Turn(role="person", text=text.strip(), author="You", at=time.time()))
        try:
            prompt, window = await speech.chat(turns, session="terminal", salt="", start=start)
            start = window.start
            speaking = asyncio.create_task(_speak(console, speech, prompt))
            reply = await speaking
            turns.append(Turn(role="jay", text=reply, author="Jay", at=time.time()))
        except EngineError as error:
            console.print(f"[red]{error.to_person}[/] [dim]{error}[/]")
    console.print()


async def _speak(console: Console, speech: Speech, prompt: Prompt) -> str:
    """Show a reply as it comes and return it; cancelled, it ends with what stands there."""
    reply = ""
    with suppress(asyncio.CancelledError), Live(console=console, refresh_per_second=12) as live:
        async with aclosing(speech.speak(prompt)) as stream:
            async for said in stream:
                reply = said.text
                live.update(Markdown(f"{reply}\n\n{said.note}" if said.note else reply))
    if not console.is_terminal:
        console.print()
    return reply


def _ask(console: Console) -> str | None:
    """Read one line; None at the end of input."""
    with suppress(EOFError):
        return console.input("[bold]you ›[/] " if sys.stdin.isatty() else "")
    return None
