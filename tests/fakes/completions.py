"""A server of vLLM's API over a real socket, which breaks where a test tells it to.

Characters are its tokens, so that whoever tests can read what was asked.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

CUT = "cut"
"""Breaks the connection."""
ABORT = "abort"
"""Ends as vLLM does when it is drained."""
SILENCE = "silence"
"""Sends nothing more until the client goes."""
GARBAGE = "garbage"
"""Sends what is no JSON."""
NO_END = "no end"
"""Ends the response in good order, but in the middle of the reply."""
FAILS = "fails"
"""Sends an error inside the stream."""
DEAF = "deaf"
"""Takes the request and does not even begin to answer."""
STOP, LENGTH = "stop", "length"


@dataclass(frozen=True)
class Refusal:
    """An answer by status alone."""

    status: int
    message: str = "no"
    plain: bool = False
    """As a router says it, and not in JSON."""


@dataclass(frozen=True)
class Stream:
    """Chunks of text, and how it ends."""

    chunks: tuple[str, ...]
    end: str = STOP
    silent: int = 0
    """So many last characters of each chunk have no text yet, as half characters do."""


def says(*chunks: str, end: str = STOP) -> Stream:
    return Stream(chunks=chunks, end=end)


@dataclass
class CompletionsServer:
    """Answers one request after another as it was told; the last answer serves for the rest."""

    answers: list[Stream | Refusal]
    window: int = 512
    name: str = "stand-in"
    refuses_priority: bool = False
    sends_ids: bool = True
    logprobs: dict[str, float] = field(default_factory=dict)
    """Of characters; of others it is -0.1."""
    requests: list[dict[str, object]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    tokenized: list[str] = field(default_factory=list)
    closed_early: int = 0
    refuses_tokens: list[Refusal] = field(default_factory=list)
    """What the next requests for token ids get."""
    url: str = ""
    _waiting: list[asyncio.Event] = field(default_factory=list)

    @asynccontextmanager
    async def running(self, *, port: int = 0) -> AsyncIterator[CompletionsServer]:
        app = web.Application()
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/health", self._health)
        app.router.add_post("/v1/completions", self._complete)
        app.router.add_post("/tokenize", self._tokenize)
        app.router.add_post("/detokenize", self._detokenize)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        try:
            yield self
        finally:
            for event in self._waiting:
                event.set()
            await runner.cleanup()

    @property
    def asked(self) -> list[str]:
        """The prompts so far, as text."""
        return ["".join(map(chr, request["prompt"])) for request in self.requests]  # type: ignore[arg-type,call-overload]

    async def _health(self, request: web.Request) -> web.Response:
        return web.Response()

    async def _models(self, request: web.Request) -> web.Response:
        model = {"id": self.name, "root": "/elsewhere", "max_model_len": self.window}
        return web.json_response({"object": "list", "data": [model]})

    async def _tokenize(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self.refuses_tokens:
            return _refused(self.refuses_tokens.pop(0))
        self.tokenized.append(body["prompt"])
        return web.json_response({"tokens": [ord(letter) for letter in body["prompt"]]})

    async def _detokenize(self, request: web.Request) -> web.Response:
        body = await request.json()
        return web.json_response({"prompt": "".join(map(chr, body["tokens"]))})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if self.refuses_priority and body.get("priority"):
            return _refused(Refusal(400, "Got priority 1 but priority scheduling is not enabled"))
        answer = self.answers[min(len(self.requests), len(self.answers) - 1)]
        self.requests.append(body)
        self.headers.append(request.headers)
        if isinstance(answer, Refusal):
            return _refused(answer)
        if answer.end == DEAF:
            await self._be_silent(request)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        try:
            await self._stream(request, response, answer, body)
        except (ConnectionResetError, asyncio.CancelledError):
            self.closed_early += 1
            raise
        return response

    async def _stream(
        self,
        request: web.Request,
        response: web.StreamResponse,
        answer: Stream,
        asked: dict[str, object],
    ) -> None:
        logprobs, prompt = asked.get("logprobs") is not None, len(asked["prompt"])  # type: ignore[arg-type]
        for at, text in enumerate(answer.chunks):
            last = at == len(answer.chunks) - 1 and answer.end in (STOP, LENGTH)
            end = answer.end if last else None
            await _send(response, self._chunk(text, end, answer.silent, logprobs))
        match answer.end:
            case "cut":
                assert request.transport is not None
                request.transport.abort()
                return
            case "silence":
                await self._be_silent(request)
                return
            case "garbage":
                await response.write(b'data: {"choices": [}\n\n')
                return
            case "no end":
                return
            case "fails":
                await _send(response, {"error": {"message": "engine dead", "code": 500}})
                return
            case "abort":
                await _send(response, self._chunk("", "abort", 0))
        said = sum(map(len, answer.chunks))
        usage = {"prompt_tokens": prompt, "completion_tokens": said, "total_tokens": prompt + said}
        details = {"prompt_tokens_details": {"cached_tokens": prompt // 2}}
        await _send(response, {"choices": [], "usage": usage | details})
        await response.write(b"data: [DONE]\n\n")

    async def _be_silent(self, request: web.Request) -> None:
        gone = asyncio.Event()
        self._waiting.append(gone)
        while not gone.is_set() and request.transport and not request.transport.is_closing():
            await asyncio.sleep(0.01)
        self.closed_early += not gone.is_set()

    def _chunk(
        self, text: str, finish: str | None, silent: int, logprobs: bool = False
    ) -> dict[str, object]:
        shown = text[: len(text) - silent] if silent else text
        choice: dict[str, object] = {"index": 0, "text": shown, "finish_reason": finish}
        if self.sends_ids:
            choice["token_ids"] = [ord(letter) for letter in text]
        if logprobs:
            choice["logprobs"] = {
                "tokens": list(text),
                "token_logprobs": [self.logprobs.get(letter, -0.1) for letter in text],
                "top_logprobs": [{} for _ in text],
                "text_offset": list(range(len(text))),
            }
        return {"id": "c", "object": "text_completion", "choices": [choice]}


def _refused(answer: Refusal) -> web.Response:
    if answer.plain:
        return web.Response(text=answer.message, status=answer.status)
    body = {"error": {"message": answer.message, "type": "x", "code": answer.status}}
    return web.json_response(body, status=answer.status)


async def _send(response: web.StreamResponse, event: dict[str, object]) -> None:
    await response.write(f"data: {json.dumps(event)}\n\n".encode())
