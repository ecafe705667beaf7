"""What the engine is asked, and what comes back from it."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.spans import roughly


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How the next token is drawn. The names are vLLM's."""

    temperature: float = 0.7
    top_p: float = 0.9
    top_k: int = 0
    """0 is off."""
    repetition_penalty: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a skill has its words drawn, where that differs from the family's way."""

    stops: tuple[str, ...] = ()
    """End the reply as the family's own do."""
    max_tokens: int = 0
    """The longest reply; 0, or more than people may get at all: as long as any."""
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    repetition_penalty: float | None = None

    def of(self, family: Sampling) -> Sampling:
        """Return the family's sampling with what differs."""

        def of_both(own: float | None, other: float) -> float:
            return other if own is None else own

        return Sampling(
            temperature=of_both(self.temperature, family.temperature),
            top_p=of_both(self.top_p, family.top_p),
            top_k=family.top_k if self.top_k is None else self.top_k,
            repetition_penalty=of_both(self.repetition_penalty, family.repetition_penalty),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One request to the engine."""

    ids: tuple[int, ...]
    """The prompt's token ids, in the served model's vocabulary."""
    max_tokens: int
    """At most this many new tokens; prompt and reply together fit the model's window."""
    stop: tuple[str, ...] = ()
    stop_ids: tuple[int, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    session: str = ""
    """The conversation's key; replicas are chosen by it, so that its cache answers."""
    salt: str = ""
    """The workspace; one workspace's prefix cache never answers another's."""
    person: str = ""
    """Who asked, as the platform tells them apart; people take turns where requests wait."""
    priority: int = 0
    """vLLM's: lower is served earlier. Chat is 0, summaries stand behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """How a generation ended, and what it cost."""

    reason: str
    """`stop` or `length`."""
    prompt_tokens: int
    cached_tokens: int
    reply_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Tokens that the model drew: mostly one, or a few that make up one text."""

    chars: int
    """Length of their text as it was generated, also of what is held back or cut off of it."""
    logprobs: tuple[float, ...]
    """The logarithm of each one's probability, before temperature; empty: not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of the stream: text as it came, and on the last one how it ended."""

    text: str
    ids: tuple[int, ...] = ()
    drawn: tuple[Drawn, ...] = ()
    """The tokens of `ids`, in order. The text of a piece may lag behind theirs."""
    finish: Finish | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Where a request stands that waits for its turn."""

    ahead: int
    """Requests that have their turn before it, if nobody else comes."""
    about_s: float | None = None
    """How long it will wait, by the measured pace; None: nothing was measured yet."""

    @property
    def said(self) -> str:
        """It in words, for the person who waits."""
        replies = "1 reply" if self.ahead == 1 else f"{self.ahead} replies"
        place = f"{replies} before yours" if self.ahead else "Yours is the next reply"
        return place if self.about_s is None else f"{place}, {roughly(self.about_s)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """The model behind the engine's address."""

    name: str
    window: int
    """Tokens of prompt and reply together."""
    revision: str = ""
    """Where it was loaded from, as the server tells it."""
