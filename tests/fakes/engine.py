"""An engine in memory that says what a test tells it to. Words are its tokens."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from random import Random

from bot.errors import EngineBroke, EngineUnreachable
from bot.prompts import Drawn, Finish, Piece, Prompt, ServedModel, Waiting

WORD = re.compile(r"\s*\S+|\s+")


@dataclass
class ScriptedEngine:
    """Answers request after request with the next reply; the last one serves for all that follow.

    As vLLM does, it ends before a stop string, and at the most tokens asked for.
    """

    replies: list[str]
    window: int = 2048
    delay_s: float = 0.0
    """Passes before each piece."""
    unreachable: bool = False
    poison: str = ""
    """A prompt that holds this text brings the program down, as a bug would."""
    logprobs: dict[str, float] = field(default_factory=dict)
    """Of words, with the space before them; of others it is -0.1."""
    goes_on: bool = False
    """Where a prompt ends with the reply's beginning, only the rest of it is said."""
    requests: list[Prompt] = field(default_factory=list)
    running: int = 0
    most_running: int = 0
    closed_early: int = 0
    """Streams that were closed before their end."""
    _vocabulary: list[str] = field(default_factory=list)
    _failure: tuple[int, Exception] | None = None

    @property
    def prompts(self) -> list[str]:
        """What was asked so far, as text."""
        return ["".join(self._vocabulary[one] for one in asked.ids) for asked in self.requests]

    def fail_after(self, pieces: int, error: Exception) -> None:
        """Have the next stream raise this after so many pieces."""
        self._failure = (pieces, error)

    async def model(self) -> ServedModel:
        self._reach()
        return ServedModel(name="scripted", window=self.window)

    async def encode(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        self._reach()
        return [self._encode(text) for text in texts]

    def waiting(self, session: str) -> Waiting | None:
        return None

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        self._reach()
        if self.poison and self.poison in "".join(self._vocabulary[one] for one in prompt.ids):
            raise RuntimeError("a bug")
        reply = self.replies[min(len(self.requests), len(self.replies) - 1)]
        failure, self._failure = self._failure, None
        self.requests.append(prompt)
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        try:
            said = 0
            async with aclosing(self._say(prompt, reply)) as pieces:
                async for piece in pieces:
                    if failure is not None and said >= failure[0]:
                        raise failure[1]
                    said += 1
                    yield piece
        except GeneratorExit:
            self.closed_early += 1
            raise
        finally:
            self.running -= 1

    async def _say(self, prompt: Prompt, reply: str) -> AsyncGenerator[Piece, None]:
        if self.goes_on:
            asked = "".join(self._vocabulary[one] for one in prompt.ids)
            said = max(at for at in range(len(reply) + 1) if asked.endswith(reply[:at]))
            reply = reply[said:]
        ends = [at for stop in prompt.stop if (at := reply.find(stop)) >= 0]
        ids = self._encode(reply[: min(ends)] if ends else reply)
        length = len(ids) > prompt.max_tokens
        ids = ids[: prompt.max_tokens]
        for one in ids:
            await asyncio.sleep(self.delay_s)
            text = self._vocabulary[one]
            drawn = Drawn(chars=len(text), logprobs=(self.logprobs.get(text, -0.1),))
            yield Piece(text=text, ids=(one,), drawn=(drawn,))
        yield Piece(
            text="",
            finish=Finish(
                reason="length" if length else "stop",
                prompt_tokens=len(prompt.ids),
                cached_tokens=0,
                reply_tokens=len(ids),
            ),
        )

    def _encode(self, text: str) -> tuple[int, ...]:
        words = WORD.findall(text)
        for word in words:
            if word not in self._vocabulary:
                self._vocabulary.append(word)
        return tuple(self._vocabulary.index(word) for word in words)

    def _reach(self) -> None:
        if self.unreachable:
            raise EngineUnreachable("nothing answers at the scripted engine's address")


@dataclass
class EchoingEngine:
    """Answers a task with lines of it, some in other words, some invented, as its dice fall."""

    dice: Random
    window: int = 2048
    die_after: int = 1 << 60
    """So many requests are answered; then nothing answers any more."""
    delay_s: float = 0.0
    """Passes before each answer."""
    requests: list[Prompt] = field(default_factory=list)
    running: int = 0
    most_running: int = 0
    _words: dict[str, int] = field(default_factory=dict)
    _texts: list[str] = field(default_factory=list)

    async def model(self) -> ServedModel:
        return ServedModel(name="echoing", window=self.window)

    async def encode(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        return [tuple(self._id(word) for word in WORD.findall(text)) for text in texts]

    def waiting(self, session: str) -> Waiting | None:
        return None

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        if len(self.requests) >= self.die_after:
            raise EngineBroke("the engine is gone")
        self.requests.append(prompt)
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        try:
            await asyncio.sleep(self.delay_s)
            yield Piece(text=self._say("".join(self._texts[one] for one in prompt.ids)))
            finish = Finish(
                reason="stop", prompt_tokens=len(prompt.ids), cached_tokens=0, reply_tokens=9
            )
            yield Piece(text="", finish=finish)
        finally:
            self.running -= 1

    def _say(self, asked: str) -> str:
        lines = [line.partition(": ")[2] for line in asked.splitlines() if line.startswith("- ")]
        said = self.dice.sample(lines, k=min(len(lines), self.dice.randint(0, 2)))
        if self.dice.random() < 0.3:
            said.append(f"The admiral sold {self.dice.randint(1000, 9999)} submarines to Peru.")
        return " " + " ".join(one if one.endswith(".") else f"{one}." for one in said)

    def _id(self, word: str) -> int:
        if word not in self._words:
            self._words[word] = len(self._texts)
            self._texts.append(word)
        return self._words[word]
