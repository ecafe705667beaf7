"""Text to token ids by the served model's own tokenizer.

The server's `/tokenize` is the truth. Where the checkpoint's directory is on
this machine its `tokenizer.json` gives the same ids a thousand times faster;
it is used once it agreed with the server on a probe. Either way each text is
encoded once: a conversation's turns come again with every reply.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import openai
import structlog
from tokenizers import Tokenizer as TokenizersTokenizer

from bot.errors import EngineBroke
from engine.errors import LIBRARY_ERRORS, translate
from engine.router import SESSION_HEADER

log = structlog.get_logger(__name__)

Ids = tuple[int, ...]

REMEMBERED_TEXTS = 4_096
LONGEST_REMEMBERED = 8_000
"""Characters; with the above at most some 30 million characters are held."""
AT_ONCE = 16
"""Requests to `/tokenize` side by side."""
SPREAD = 64
"""Sessions that they are spread over, so that a router gives each replica its share, sends a second
try elsewhere, and has no need to tell requests apart by what people said."""
BLOCKS_THE_LOOP = 20_000
"""Characters that take a few milliseconds to encode; more go to a thread."""
PROBE = "[human]: Zwölf 12.5 naïve\n###\n[robot]:  ok 😀\t<|endoftext|>"
"""Spaces, digits, marks, several scripts: where tokenizers differ if they do."""


class Codec(Protocol):
    """Encodes and decodes, without memory."""

    async def encode(self, texts: Sequence[str]) -> list[Ids]:
        """Return each text's ids, nothing added."""
        ...

    async def decode(self, ids: Ids) -> str:
        """Return the text of ids, special tokens included."""
        ...


class Tokenized(openai.BaseModel):
    """The server's answer to `/tokenize`."""

    tokens: list[int]


class Detokenized(openai.BaseModel):
    """The server's answer to `/detokenize`."""

    prompt: str


Told = TypeVar("Told", Tokenized, Detokenized)


class ServedCodec:
    """The server's own tokenizer, asked over HTTP."""

    def __init__(self, client: openai.AsyncOpenAI, *, root: str, model: str) -> None:
        """Ask the server at `root`, which is its address without `/v1`."""
        self._client, self._root, self._model = client, root, model
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._sessions = itertools.cycle(f"tokens-{at}" for at in range(SPREAD))

    async def encode(self, texts: Sequence[str]) -> list[Ids]:
        """As `Codec.encode`.

        Raises:
            EngineError: the server can't be asked.
        """
        try:
            async with asyncio.TaskGroup() as group:
                asked = [group.create_task(self._encode(text)) for text in texts]
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return [one.result() for one in asked]

    async def decode(self, ids: Ids) -> str:
        """As `Codec.decode`.

        Raises:
            EngineError: the server can't be asked.
        """
        told = await self._ask("detokenize", Detokenized, {"tokens": list(ids)})
        prompt = getattr(told, "prompt", None)
        if not isinstance(prompt, str):
            raise EngineBroke(f"{self._root} tells no text for token ids")
        return prompt

    async def _encode(self, text: str) -> Ids:
        async with self._at_once:
            told = await self._ask(
                "tokenize", Tokenized, {"prompt": text, "add_special_tokens": False}
            )
        tokens = getattr(told, "tokens", None)
        if not isinstance(tokens, list) or not all(isinstance(one, int) for one in tokens):
            raise EngineBroke(f"{self._root} tells no token ids for text")
        return tuple(tokens)

    async def _ask(self, verb: str, answer: type[Told], body: dict[str, object]) -> Told:
        try:
            return await self._client.post(
                f"{self._root}/{verb}",
                cast_to=answer,
                body={"model": self._model, **body},
                options={"headers": {SESSION_HEADER: next(self._sessions)}},
            )
        except LIBRARY_ERRORS as error:
            raise translate(error, url=self._root) from error


class LocalCodec:
    """A `tokenizer.json` on this machine."""

    def __init__(self, tokenizer: TokenizersTokenizer) -> None:
        """Encode by a loaded tokenizer; truncation and padding in its file don't count."""
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer

    async def encode(self, texts: Sequence[str]) -> list[Ids]:
        """As `Codec.encode`."""
        if sum(map(len, texts)) > BLOCKS_THE_LOOP:
            return await asyncio.to_thread(self._encode, texts)
        return self._encode(texts)

    async def decode(self, ids: Ids) -> str:
        """As `Codec.decode`."""
        return self._tokenizer.decode(list(ids), skip_special_tokens=False)

    def _encode(self, texts: Sequence[str]) -> list[Ids]:
        encoded = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [tuple(one.ids) for one in encoded]


async def choose_codec(served: ServedCodec, *, folder: str) -> Codec:
    """Return the codec to use: the folder's own where it agrees with the server's.

    Raises:
        EngineError: the server can't be asked.
    """
    path = Path(folder) / "tokenizer.json"
    try:
        here = bool(folder) and path.is_file()
    except (OSError, ValueError):  # what the server calls a folder can be no path at all
        here = False
    if not here:
        return served
    try:
        local = LocalCodec(await asyncio.to_thread(TokenizersTokenizer.from_file, str(path)))
    except Exception as error:  # noqa: BLE001 - tokenizers raises bare Exception for a bad file
        log.warning("tokenizer.unreadable", path=str(path), error=str(error))
        return served
    if await local.encode([PROBE]) != await served.encode([PROBE]):
        log.warning("tokenizer.disagrees", path=str(path))
        return served
    return local


class Tokenizer:
    """A codec that remembers."""

    def __init__(self, codec: Codec) -> None:
        """Remember what this codec gives."""
        self._codec = codec
        self._known: OrderedDict[str, Ids] = OrderedDict()

    async def encode(self, texts: Sequence[str]) -> list[Ids]:
        """Return each text's ids, nothing added.

        Raises:
            EngineError: the server can't be asked.
        """
        found = {text: ids for text in texts if (ids := self._known.get(text)) is not None}
        new = [text for text in dict.fromkeys(texts) if text not in found]
        if new:
            found |= zip(new, await self._codec.encode(new), strict=True)
        for text, ids in found.items():
            self._remember(text, ids)
        return [found[text] for text in texts]

    async def decode(self, ids: Ids) -> str:
        """Return the text of ids.

        Raises:
            EngineError: the server can't be asked.
        """
        return await self._codec.decode(ids)

    def _remember(self, text: str, ids: Ids) -> None:
        if len(text) > LONGEST_REMEMBERED:
            return
        self._known[text] = ids
        self._known.move_to_end(text)
        if len(self._known) > REMEMBERED_TEXTS:
            self._known.popitem(last=False)
