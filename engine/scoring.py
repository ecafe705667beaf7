"""How likely a served model finds a text: vLLM's `prompt_logprobs`.

For perplexity and probes, not for replies: `engine.client` writes those.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from openai import AsyncOpenAI, DefaultAsyncHttpxClient, Timeout

from bot.errors import EngineBroke
from engine.client import CONNECT_TIMEOUT_S, is_loopback
from engine.errors import LIBRARY_ERRORS, translate

TIMEOUT_S = 300.0
"""A window of 2,048 tokens takes a 6B model on a CPU more than a minute, behind others."""


@asynccontextmanager
async def open_scorer(url: str, *, model: str, api_key: str) -> AsyncIterator[Scorer]:
    """Open the client of an engine; the arguments are `engine.client.open_engine`'s."""
    transport = DefaultAsyncHttpxClient(trust_env=not is_loopback(url))
    async with AsyncOpenAI(
        base_url=url,
        api_key=api_key or "none",
        timeout=Timeout(TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
        http_client=transport,
    ) as client:
        yield Scorer(client, url=url, model=model)


class Scorer:
    """The client. Made by `open_scorer`."""

    def __init__(self, client: AsyncOpenAI, *, url: str, model: str) -> None:
        """Take an open client of the SDK and the served model's name."""
        self._client, self._url, self._model = client, url, model

    async def logprobs(self, ids: Sequence[int]) -> list[float]:
        """Return the log-probability (nats) of each token after those before it.

        The first token has none before it: the list is one shorter than `ids`.

        Raises:
            EngineError: the engine can't be asked, or tells no log-probabilities.
        """
        try:
            told = await self._client.completions.create(
                model=self._model,
                prompt=list(ids),
                max_tokens=1,
                temperature=0.0,
                extra_body={"prompt_logprobs": 0, "add_special_tokens": False},
            )
        except LIBRARY_ERRORS as error:
            raise translate(error, url=self._url) from error
        try:
            found = (told.choices[0].model_extra or {})["prompt_logprobs"]
            return [
                float(at[str(one)]["logprob"]) for one, at in zip(ids[1:], found[1:], strict=True)
            ]
        except (TypeError, LookupError, ValueError) as error:
            raise EngineBroke(f"{self._url} tells no log-probabilities of a prompt") from error
