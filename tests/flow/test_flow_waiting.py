"""An engine with one place, three people: what the others read while they wait, on real parts.

The engine is a stand-in that takes its time; all between it and the people is real.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from fakes.completions import CompletionsServer, Stream, says
from stage import playing, until

from adapters.sandbox.server import Sandbox
from adapters.sandbox.world import Event
from bot.messages import PLATFORMS, PlatformName

pytestmark = [pytest.mark.valkey]
REPLY_S = 3.5
"""Longer than people are left without a word (2 to 2.5 s)."""


class SlowServer(CompletionsServer):
    """Takes its time before it speaks."""

    async def _stream(
        self, request: web.Request, response: web.StreamResponse, answer: Stream, prompt: int
    ) -> None:
        await asyncio.sleep(REPLY_S)
        await super()._stream(request, response, answer, prompt)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as opened:
        yield opened


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_people_read_where_they_stand_and_then_their_reply_in_its_place(
    platform: PlatformName, sandbox: Sandbox, tmp_path: Path
) -> None:
    read = list[tuple[str, str]]()

    def watch(event: Event) -> None:
        if event.message and event.message.author == stage.world(platform).bot_id:
            read.append((event.message.id, event.message.text))

    async with SlowServer([says(" Here I am.")]).running() as engine:
        async with playing(
            sandbox, data_dir=tmp_path, engine_url=engine.url, limits={"max_running": 1}
        ) as stage:
            stage.world(platform).listen(watch)
            people = stage.people(platform, 3)
            asked = [stage.mention(platform, "hello", person=person) for person in people]
            await until(lambda: all(stage.replies(platform, one) for one in asked))
            shown = [[one.text for one in stage.replies(platform, to)] for to in asked]

    waited = [(message_id, text) for message_id, text in read if "next reply" in text]
    assert shown == [["Here I am."]] * 3
    assert any("1 reply before yours" in text for _, text in read)
    assert waited
    for message_id, _ in waited:
        assert [text for one, text in read if one == message_id][-1] == "Here I am."
