"""vLLM's OpenAI server as `bot.ports.Engine`.

Prompts go out as token ids and come back as a stream of text and ids
(`return_token_ids`), so that a stream that breaks can be taken up again
exactly where it was: `engine/generation` knows what to ask, `engine/patience`
how often. A reply may take as long as it flows; only silence ends it.

How many requests go out at once is not here: `engine/load`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

import structlog
from openai import AsyncOpenAI, AsyncStream, DefaultAsyncHttpxClient, Timeout
from openai.types import Completion, CompletionUsage

from bot.errors import EngineBroke, EngineError, EngineStalled, PromptRefused
from bot.prompts import Piece, Prompt, ServedModel, Waiting
from engine.errors import LIBRARY_ERRORS, translate
from engine.generation import Chunk, Generation
from engine.patience import FIRST_PAUSE_S, Patience
from engine.router import SESSION_HEADER
from engine.tokenizer import ServedCodec, Tokenizer, choose_codec

log = structlog.get_logger(__name__)

CONNECT_TIMEOUT_S = 5.0
ASK_TIMEOUT_S = 10.0
"""For what is answered without generating: the model's name, token ids."""
FIRST_TOKEN_PATIENCE = 4.0
"""So many idle timeouts may pass between vLLM's 200, which comes at once, and the first token: the
prompt is read then, perhaps behind others. 2,048 tokens take a 6B model on a CPU more than a
minute."""
RESTART_WAIT_S = 90.0
"""An engine that answered before and is gone is waited for that long: a restart takes it."""
MOST_STOPS = 4
"""vLLM refuses more unless VLLM_MAX_STOP_STRINGS is raised; `Generation` looks for all."""
LONGEST_HALF_CHARACTER = 3
"""Tokens that can be the beginning of one character of four bytes."""


@asynccontextmanager
async def open_engine(
    url: str,
    *,
    model: str,
    api_key: str,
    idle_timeout_s: float,
    retries: int,
    restart_wait_s: float = RESTART_WAIT_S,
    first_pause_s: float = FIRST_PAUSE_S,
) -> AsyncIterator[VllmEngine]:
    """Open the client of an engine, or of a router before several. Nothing is asked yet.

    Args:
        url: an OpenAI-compatible vLLM server, with `/v1`.
        model: the served model's name; empty: the first one that the server lists.
        api_key: as the server wants it; empty for none.
        idle_timeout_s: silence that long breaks a stream.
        retries: how often in a row a stream may break without having got much further.
        restart_wait_s: how long an engine that is gone is waited for, once it has answered.
        first_pause_s: before the first retry; each further one waits three times as long.
    """
    transport = DefaultAsyncHttpxClient(trust_env=not is_loopback(url))
    async with AsyncOpenAI(
        base_url=url,
        api_key=api_key or "none",
        timeout=Timeout(ASK_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
        max_retries=0,
        http_client=transport,
    ) as client:
        yield VllmEngine(
            client,
            url=url.rstrip("/"),
            model=model,
            idle_timeout_s=idle_timeout_s,
            retries=retries,
            restart_wait_s=restart_wait_s,
            first_pause_s=first_pause_s,
        )


class VllmEngine:
    """The client. Made by `open_engine`."""

    def __init__(
        self,
        client: AsyncOpenAI,
        *,
        url: str,
        model: str,
        idle_timeout_s: float,
        retries: int,
        restart_wait_s: float,
        first_pause_s: float,
    ) -> None:
        """Take an open client of the SDK; the rest as for `open_engine`."""
        self._client, self._url, self._model = client, url, model
        self._idle_timeout_s, self._retries = idle_timeout_s, retries
        self._restart_wait_s, self._first_pause_s = restart_wait_s, first_pause_s
        self._served: ServedModel | None = None
        self._tokenizer: Tokenizer | None = None
        self._choosing = asyncio.Lock()
        self._takes_priority = True

    async def model(self) -> ServedModel:
        """Ask which model is served.

        Raises:
            EngineUnreachable: nothing answers.
            EngineError: what answers is no vLLM, or serves other models.
        """
        try:
            page = await self._client.models.list()
            listed = {str(one.id): one.model_extra or {} for one in page.data}
        except LIBRARY_ERRORS as error:
            raise translate(error, url=self._url) from error
        except (TypeError, AttributeError) as error:
            raise EngineError(f"what answers at {self._url} lists no models") from error
        name = self._model or next(iter(listed), "")
        if name not in listed or not name.isprintable():
            names = ", ".join(listed) or "none"
            raise EngineError(f"{self._url} serves {names}; ENGINE_MODEL asks for {name!r}")
        window = listed[name].get("max_model_len")
        if not isinstance(window, int):
            raise EngineError(f"{self._url} tells no max_model_len for {name}: is it vLLM?")
        root = listed[name].get("root")
        revision = root if isinstance(root, str) and root.isprintable() else ""
        served = ServedModel(name=name, window=window, revision=revision)
        if served != self._served:
            self._served, self._tokenizer = served, None
            log.info("client.model", name=name, window=window, revision=served.revision)
        return served

    async def encode(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Return each text's token ids in the served model's vocabulary, nothing added.

        An engine that has answered before is asked again, as for a stream.

        Raises:
            EngineError: the server can't be asked.
        """
        patience = self._patience()
        while True:
            try:
                tokenizer = await self._served_tokenizer()
                return await tokenizer.encode(texts)
            except EngineError as failure:
                if self._served is None:
                    raise
                await self._pause(patience, failure, tokens=0)

    def waiting(self, session: str) -> Waiting | None:
        """Return None: what waits in vLLM itself can't be told apart."""
        return None

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Generate, as `bot.ports.Engine` promises.

        Raises:
            EngineBusy: the engine takes no more; nothing was yielded.
            EngineUnreachable: nothing answers; nothing was yielded.
            PromptRefused: the engine refuses the request.
            EngineStalled: it fell silent, and again after each retry.
            EngineBroke: the stream broke, and again after each retry.
        """
        generation = Generation(prompt=prompt)
        patience = self._patience()
        while not generation.ended:
            failure: EngineError = EngineBroke("the stream ended before the reply did")
            try:
                if generation.coarse:
                    await self._drop_half_character(generation)
                if (rest := generation.rest()) is None:
                    break
                async with aclosing(self._chunks(rest)) as chunks:
                    async for chunk in chunks:
                        piece = generation.feed(chunk)
                        if piece is not None:
                            yield piece
                        if generation.needs_no_more:
                            break
            except EngineError as error:
                failure = error
            if not generation.ended and not self._without_priority(prompt, failure):
                await self._before_again(generation, patience, failure)
        yield generation.last()

    async def _chunks(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        """Send one request and yield what comes; raises only `EngineError`s."""
        wait_s = self._idle_timeout_s
        try:
            async with asyncio.timeout(wait_s):
                stream = await self._send(prompt)
            wait_s *= FIRST_TOKEN_PATIENCE
            async with stream:
                events = aiter(stream)
                while True:
                    async with asyncio.timeout(wait_s):
                        event = await anext(events, None)
                    if event is None:
                        return
                    chunk = read_chunk(event)
                    yield chunk
                    if chunk.ids:
                        wait_s = self._idle_timeout_s
        except TimeoutError as error:
            raise EngineStalled(f"the engine at {self._url} was silent {wait_s:.0f} s") from error
        except LIBRARY_ERRORS as error:
            raise translate(error, url=self._url) from error

    async def _send(self, prompt: Prompt) -> AsyncStream[Completion]:
        model = self._served or await self.model()
        sampling = prompt.sampling
        extra: dict[str, object] = {
            "return_token_ids": True,
            "include_stop_str_in_output": True,
            "add_special_tokens": False,
            "top_k": sampling.top_k,
            "repetition_penalty": sampling.repetition_penalty,
        }
        if prompt.stop_ids:
            extra["stop_token_ids"] = list(prompt.stop_ids)
        if prompt.salt:
            extra["cache_salt"] = prompt.salt
        if prompt.priority and self._takes_priority:
            extra["priority"] = prompt.priority
        return await self._client.completions.create(
            model=model.name,
            prompt=list(prompt.ids),
            max_tokens=prompt.max_tokens,
            # None but the drawn token's: no server forbids that, and it costs least.
            logprobs=0,
            stop=list(prompt.stop[:MOST_STOPS]),
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            stream=True,
            stream_options={"include_usage": True},
            extra_body=extra,
            extra_headers={SESSION_HEADER: quote(prompt.session, safe=":")},
            # Silence is timed in `_chunks`: a keep-alive comment is no sign of life there.
            timeout=Timeout(None, connect=CONNECT_TIMEOUT_S),
        )

    def _without_priority(self, prompt: Prompt, failure: EngineError) -> bool:
        """Tell whether a request was refused for its priority alone; then none is sent again.

        vLLM 0.32 ignores a priority without `--scheduling-policy priority`; its
        documentation says that it raises an error, as earlier ones do.
        """
        refused = isinstance(failure, PromptRefused) and "priority" in str(failure).lower()
        if not (refused and prompt.priority and self._takes_priority):
            return False
        self._takes_priority = False
        log.warning("client.no_priority", url=self._url)
        return True

    async def _before_again(
        self, generation: Generation, patience: Patience, failure: EngineError
    ) -> None:
        """Wait until it makes sense to ask for the rest.

        Raises:
            EngineError: it never does.
        """
        if generation.blind:
            raise EngineBroke(f"{failure}; the engine sends no token ids") from failure
        await self._pause(patience, failure, tokens=len(generation.kept))

    async def _pause(self, patience: Patience, failure: EngineError, *, tokens: int) -> None:
        patience.away_s = self._restart_wait_s if self._served is not None else 0.0
        pause_s = patience.pause_s(failure, tokens=tokens, now=asyncio.get_running_loop().time())
        log.info(
            "client.again",
            why=str(failure),
            after_tokens=tokens,
            attempt=patience.taken,
            pause_s=round(pause_s, 2),
        )
        await asyncio.sleep(pause_s)

    def _patience(self) -> Patience:
        return Patience(retries=self._retries, first_pause_s=self._first_pause_s)

    async def _drop_half_character(self, generation: Generation) -> None:
        tokenizer = await self._served_tokenizer()
        for _ in range(LONGEST_HALF_CHARACTER):
            tail = tuple(generation.kept[-LONGEST_HALF_CHARACTER - 1 :])
            if not tail or not (await tokenizer.decode(tail)).endswith("\ufffd"):
                break
            generation.drop_last()
        generation.coarse = False

    async def _served_tokenizer(self) -> Tokenizer:
        async with self._choosing:
            if self._tokenizer is None:
                model = self._served or await self.model()
                root = self._url.removesuffix("/v1")
                served = ServedCodec(self._client, root=root, model=model.name)
                self._tokenizer = Tokenizer(await choose_codec(served, folder=model.revision))
            return self._tokenizer


def read_chunk(event: object) -> Chunk:
    """Read one event of a completion's stream. Pure.

    Raises:
        EngineBroke: it is none.
    """
    choices = getattr(event, "choices", None)
    if not isinstance(event, Completion) or not isinstance(choices, list):
        raise EngineBroke("the engine sent what is no completion")
    chunk = Chunk()
    for choice in choices:
        text = getattr(choice, "text", None)
        if not isinstance(text, str):
            raise EngineBroke("the engine sent a completion without text")
        ids = (choice.model_extra or {}).get("token_ids") or []
        if not isinstance(ids, list) or not all(isinstance(one, int) for one in ids):
            raise EngineBroke("the engine sent token ids that are none")
        texts, logprobs = _probabilities(choice.logprobs)
        chunk = Chunk(
            text=text,
            ids=tuple(ids),
            texts=texts,
            logprobs=logprobs,
            finish=str(choice.finish_reason or ""),
        )
    usage: object = event.usage
    if isinstance(usage, CompletionUsage):
        details: object = usage.prompt_tokens_details
        cached = getattr(details, "cached_tokens", 0)
        chunk = replace(
            chunk,
            prompt_tokens=_count(usage.prompt_tokens),
            cached_tokens=_count(cached),
            reply_tokens=_count(usage.completion_tokens),
        )
    return chunk


def _probabilities(told: object) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Return tokens' texts and log-probabilities; nothing where one of them is not told."""
    texts = getattr(told, "tokens", None)
    logprobs = getattr(told, "token_logprobs", None)
    if not isinstance(texts, list) or not isinstance(logprobs, list):
        return (), ()
    numbers = tuple(float(one) for one in logprobs if isinstance(one, float | int) and one <= 0)
    if len(numbers) != len(logprobs) or not all(isinstance(one, str) for one in texts):
        return (), ()
    return tuple(texts), numbers


def _count(told: object) -> int:
    """Return a number of tokens; the SDK checks nothing of what it is told."""
    return told if isinstance(told, int) and told > 0 else 0


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine: a proxy from the environment can't reach it."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
