"""Jay's clients against servers whose answers are damaged on their way.

Slack's and Discord's are the sandbox's own, damaged by a middleware; vLLM's
stream, models and tokens are written as vLLM 0.32 writes them.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from fuzz.mutating import Edit, Json, damaged, drawn
from fuzz.wires import discord_world, people_talk, slack_world

from adapters.discord import DiscordSurface
from adapters.sandbox.discord import DiscordSide
from adapters.sandbox.discord import Limits as DiscordLimits
from adapters.sandbox.faults import Faults
from adapters.sandbox.slack import SlackSide
from adapters.sandbox.slack.limits import Limits as SlackLimits
from adapters.slack import SlackSurface
from bot.errors import JayError
from bot.messages import Place
from bot.ports import Target
from bot.prompts import Prompt, Sampling
from bot.settings import DiscordSettings, SlackSettings
from engine import open_engine

Call = Callable[[], Awaitable[object]]


@dataclass
class Damage:
    """What is done to the next answers. Off until `dice` is set."""

    dice: random.Random | None = None
    done: int = 0

    def apply(self, text: str) -> bytes:
        if self.dice is None or not text:
            return text.encode()
        self.done += 1
        edits: Sequence[Edit] = drawn(self.dice)
        broken = json.dumps(damaged(json.loads(text), edits)).encode()
        if self.dice.random() < 0.1:
            broken = broken[: self.dice.randrange(len(broken))] + b"\xff\x00"
        return broken


@dataclass
class Clients:
    """Calls of one client, to make again and again."""

    calls: list[Call]
    damage: Damage
    crashes: list[str] = field(default_factory=list)

    async def make(self, call: Call) -> None:
        """Make a call; whatever it meets must be one of Jay's own errors."""
        try:
            await call()
        except JayError:
            return
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            self.crashes.append(f"{type(error).__name__}: {error}"[:300])


def _damaging(damage: Damage) -> Callable[..., Awaitable[web.StreamResponse]]:
    @web.middleware
    async def middleware(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        answer = await handler(request)
        spared = request.path.endswith("/users/@me")
        if spared or not isinstance(answer, web.Response) or not isinstance(answer.text, str):
            return answer
        kind = answer.headers.get("Content-Type", "application/json")
        body = damage.apply(answer.text)
        return web.Response(status=answer.status, body=body, headers={"Content-Type": kind})

    return middleware


@asynccontextmanager
async def _serving(routes: list[web.RouteDef], *, damage: Damage | None) -> AsyncIterator[str]:
    app = web.Application(middlewares=[_damaging(damage)] if damage else [])
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def slack_clients() -> AsyncIterator[Clients]:
    damage = Damage()
    side = SlackSide(slack_world(), Faults(), limits=SlackLimits(time.time, on=False))
    async with _serving(side.routes(), damage=damage) as url:
        side.serve_at(url)
        people_talk(side)
        channel = side.world.channel_named("general").id
        place = Place(platform="slack", workspace=side.team_id, channel=channel)
        target = Target(place=place, person=side.world.member_named("maya").id)
        settings = SlackSettings.model_validate(
            {"bot_token": side.bot_token, "app_token": side.app_token, "api_url": side.api_url}
        )
        async with SlackSurface(settings) as surface:
            yield Clients(_calls(surface, target), damage)
        await side.close()


@asynccontextmanager
async def discord_clients() -> AsyncIterator[Clients]:
    damage = Damage()
    side = DiscordSide(discord_world(), Faults(), limits=DiscordLimits(time.time, on=False))
    async with _serving(side.routes(), damage=damage) as url:
        side.serve_at(url)
        people_talk(side)
        channel = side.world.channel_named("general").id
        place = Place(platform="discord", workspace=side.guild_id, channel=channel)
        target = Target(place=place, person=side.world.member_named("maya").id)
        settings = DiscordSettings.model_validate(
            {"bot_token": side.bot_token, "api_url": side.api_url, "gateway_url": side.gateway_url}
        )
        async with DiscordSurface(settings) as surface:
            yield Clients(_calls(surface, target), damage)
        await side.close()


def _calls(surface: SlackSurface | DiscordSurface, target: Target) -> list[Call]:
    number = iter(range(10**9))

    async def post() -> str:
        return await surface.post(target, "hello", nonce=f"{next(number):x}.1", last=True)

    async def history() -> object:
        return await surface.history(target.place, limit=20)

    async def whisper() -> None:
        await surface.whisper(target, "psst")

    async def status() -> None:
        await surface.show_working(target, "thinking")

    async def link() -> str:
        return await surface.link(target.place, "1.000001")

    return [post, history, history, history, whisper, status, link]


MODELS: Json = {
    "object": "list",
    "data": [{"id": "gpt-j", "object": "model", "root": "/nowhere", "max_model_len": 2048}],
}
TOKENS: Json = {"count": 3, "max_model_len": 2048, "tokens": [1, 2, 3], "token_strs": None}
STREAM: tuple[Json, ...] = (
    {"id": "c", "object": "text_completion", "created": 1, "model": "gpt-j", "usage": None,
     "choices": [{"index": 0, "text": " Hel", "logprobs": None, "finish_reason": None,
                  "stop_reason": None, "token_ids": [11, 12]}]},
    {"id": "c", "object": "text_completion", "created": 1, "model": "gpt-j", "usage": None,
     "choices": [{"index": 0, "text": "lo", "logprobs": None, "finish_reason": "stop",
                  "stop_reason": "###", "token_ids": [13]}]},
    {"id": "c", "object": "text_completion", "created": 1, "model": "gpt-j", "choices": [],
     "usage": {"prompt_tokens": 3, "total_tokens": 6, "completion_tokens": 3,
               "prompt_tokens_details": {"cached_tokens": 2}}},
)  # fmt: skip


@asynccontextmanager
async def engine_clients() -> AsyncIterator[Clients]:
    damage = Damage()

    def telling(body: Json) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def tell(_: web.Request) -> web.Response:
            answer = damage.apply(json.dumps(body))
            return web.Response(body=answer, headers={"Content-Type": "application/json"})

        return tell

    async def complete(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for event in STREAM:
            await response.write(b"data: " + damage.apply(json.dumps(event)) + b"\n\n")
        await response.write(b"data: [DONE]\n\n")
        return response

    routes = [
        web.get("/v1/models", telling(MODELS)),
        web.post("/v1/completions", complete),
        web.post("/tokenize", telling(TOKENS)),
        web.post("/detokenize", telling({"prompt": "hello"})),
    ]
    async with _serving(routes, damage=None) as url:
        async with open_engine(
            f"{url}/v1", model="", api_key="", idle_timeout_s=2.0, retries=0, first_pause_s=0.0
        ) as engine:
            prompt = Prompt(
                ids=(1, 2, 3), max_tokens=8, sampling=Sampling(temperature=1.0), stop=("###",)
            )
            number = iter(range(10**9))

            async def stream() -> None:
                async with aclosing(engine.stream(prompt)) as pieces:
                    async for _ in pieces:
                        pass

            async def encode() -> object:
                return await engine.encode([f"text {next(number)}"])

            await engine.model()
            await encode()
            yield Clients([stream, stream, encode, engine.model], damage)
