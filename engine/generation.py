"""One reply in the making, across all the requests that it takes.

A stream that breaks is taken up again by a request whose prompt is the old one
and the tokens so far. Two things must be right at that seam. The server decodes
anew, and if the prompt ended inside a character it would repeat the whole
prompt as text: tokens whose text has not come yet are dropped and drawn again.
And a stop string may stand half before and half behind the seam: the server is
asked to include stop strings, so that its text never lags behind its tokens,
and they are looked for and cut off here.

Pure: the chunks come from `engine/client`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bot.prompts import Drawn, Finish, Piece, Prompt
from engine.stops import StopFilter

ENDED = {"stop": "stop", "length": "length", "repetition": "stop"}
"""What vLLM calls a whole ending, and what it is for us. `abort` and `error` are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """One event of the server's stream."""

    text: str = ""
    ids: tuple[int, ...] = ()
    texts: tuple[str, ...] = ()
    """Each token's own, as far as it has one."""
    logprobs: tuple[float, ...] = ()
    """Each token's; empty: not told."""
    finish: str = ""
    """The server's `finish_reason`, on the last chunk that has text."""
    prompt_tokens: int | None = None
    """With the next two on the usage chunk alone, which comes last."""
    cached_tokens: int = 0
    reply_tokens: int = 0


@dataclass(slots=True, kw_only=True)
class Generation:
    """What was generated for one prompt so far, and what is to be asked next."""

    prompt: Prompt
    kept: list[int] = field(default_factory=list)
    """Tokens whose text has come."""
    coarse: bool = False
    """The last tokens came several at once: the last of them may be half a character."""
    blind: bool = False
    """Text came without token ids: not to be taken up again."""
    _waiting: list[int] = field(default_factory=list)
    _logprobs: list[float] = field(default_factory=list)
    """Of the tokens that wait for their text."""
    _stops: StopFilter = field(init=False)
    _reason: str = ""
    _usage: Chunk | None = None

    def __post_init__(self) -> None:
        self._stops = StopFilter(stops=self.prompt.stop)

    @property
    def begun(self) -> bool:
        """Whether anything was generated."""
        return bool(self.kept) or self.blind

    @property
    def ended(self) -> bool:
        """Whether the reply is whole; only its usage may still come."""
        return bool(self._reason)

    @property
    def needs_no_more(self) -> bool:
        """Whether the stream may be closed now, without its usage."""
        return self.ended and (self._usage is not None or self._reason == "seam")

    def rest(self) -> Prompt | None:
        """Return the request that goes on from here; None if no token is left to ask for."""
        self._waiting.clear()
        self._logprobs.clear()
        left = self.prompt.max_tokens - len(self.kept)
        if left <= 0:
            self._reason = "length"
            return None
        return replace(self.prompt, ids=(*self.prompt.ids, *self.kept), max_tokens=left)

    def drop_last(self) -> None:
        """Forget the last token: its text had not come."""
        self.kept.pop()

    def feed(self, chunk: Chunk) -> Piece | None:
        """Take a chunk in; return what is to be shown of it, if anything."""
        if chunk.prompt_tokens is not None:
            self._usage = chunk
        if self.ended:
            return None
        self._waiting.extend(chunk.ids)
        self._logprobs.extend(chunk.logprobs)
        ids: tuple[int, ...] = ()
        drawn: tuple[Drawn, ...] = ()
        if chunk.text or chunk.finish in ENDED:
            ids = tuple(self._waiting)
            self.coarse = len(chunk.ids) > 1
            self.blind = self.blind or not ids
            self.kept += ids
            drawn = drawn_of(chunk, waiting=len(ids), logprobs=tuple(self._logprobs))
            self._waiting.clear()
            self._logprobs.clear()
        text = self._stops.feed(chunk.text)
        self._reason = ENDED.get(chunk.finish, "")
        if self._stops.found and not self._reason:
            self._reason = "seam"
        return Piece(text=text, ids=ids, drawn=drawn) if text or ids else None

    def last(self) -> Piece:
        """Return the last piece, with what was held back and how it ended."""
        usage = self._usage or Chunk()
        stopped = self._stops.found or self._reason != "length"
        prompt_tokens = len(self.prompt.ids)
        return Piece(
            text=self._stops.flush(),
            finish=Finish(
                reason="stop" if stopped else "length",
                prompt_tokens=prompt_tokens,
                cached_tokens=min(usage.cached_tokens, prompt_tokens),
                reply_tokens=len(self.kept) or usage.reply_tokens,
            ),
        )


def drawn_of(chunk: Chunk, *, waiting: int, logprobs: tuple[float, ...]) -> tuple[Drawn, ...]:
    """Return the tokens whose text a chunk brought. Pure.

    Args:
        chunk: the newest.
        waiting: how many tokens its text is of: its own, and those before it without text.
        logprobs: theirs.
    """
    if len(logprobs) != waiting:
        return (Drawn(chars=len(chunk.text), logprobs=()),)
    # A token that is part of a character has no text of its own.
    if len(chunk.texts) == waiting and "".join(chunk.texts) == chunk.text:
        return tuple(
            Drawn(chars=len(text), logprobs=(logprob,))
            for text, logprob in zip(chunk.texts, logprobs, strict=True)
        )
    return (Drawn(chars=len(chunk.text), logprobs=logprobs),)
