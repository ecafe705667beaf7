"""Rows of token ids for fine-tuning: one conversation each, with a weight for every token.

Written by `bot.family` as serving writes it, so that a tuned checkpoint meets
in service what it saw here. Only what Jay says is learned. A conversation that
is longer than the window loses its beginning, as it does in service.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import torch
from tokenizers import Tokenizer

from bot.conversations import Turn
from bot.errors import JayError
from bot.family import Family, render_opening, render_turn
from bot.settings import ReplySettings
from engine.training.corpus import Corpus
from engine.training.examples import Example

PERSONA = ReplySettings().persona
"""What serving says of Jay where the family has a place for it and nothing else is set."""
KEPT_EXCHANGES = 2
"""Exchanges of a dialogue of the bundled corpus that is mixed in."""


class TokenizerMismatch(JayError):
    """The checkpoint's tokenizer is not the one that its family was trained with."""

    hint = "Take tokenizer.json from where the weights come from, or set jay_family right."


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One conversation, ready to be learned."""

    ids: tuple[int, ...]
    weights: tuple[float, ...]
    """1 for a token that Jay says, 0 for all others."""

    @property
    def said(self) -> float:
        """How many tokens Jay says."""
        return sum(self.weights)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Rows side by side, each tensor of shape (rows, tokens). Padding has no weight.

    It stands behind the row, where attention looks at it from nowhere.
    """

    ids: torch.Tensor
    targets: torch.Tensor
    weights: torch.Tensor


class RowWriter:
    """Writes rows for one checkpoint."""

    def __init__(self, tokenizer: Tokenizer, family: Family, *, longest: int) -> None:
        """Take the checkpoint's tokenizer and family, and the most tokens of a row.

        Raises:
            TokenizerMismatch: the family's special tokens are not the tokenizer's.
        """
        self._tokenizer, self._family, self.longest = tokenizer, family, longest
        for token in (family.begin, *family.stop_tokens):
            if token and len(self._ids(token)) != 1:
                raise TokenizerMismatch(
                    f"the tokenizer cuts {token!r} in {len(self._ids(token))} tokens, so it is "
                    f"none of the family {family.name}"
                )

    def write(self, example: Example) -> tuple[Row, int]:
        """Return the row of a line, and how many tokens of its beginning had to go."""
        return self.row(example.turns, persona=example.persona)

    def row(self, turns: Iterable[Turn], *, persona: str | None = None) -> tuple[Row, int]:
        """Return the row of a conversation, and how many tokens of its beginning had to go."""
        persona = PERSONA if persona is None else persona
        opening = self._ids(render_opening(self._family, persona=persona))
        ids, weights = list[int](), list[float]()
        for turn in turns:
            pieces = render_turn(self._family, turn)
            for at, piece in enumerate(pieces):
                found = self._ids(piece)
                ids += found
                weights += [float(turn.role == "jay" and at > 0)] * len(found)
        cut = max(0, len(opening) + len(ids) - self.longest)
        row = Row(ids=(*opening, *ids[cut:]), weights=(*(0.0 for _ in opening), *weights[cut:]))
        return row, cut

    def kept(self, corpus: Corpus, numbers: Iterable[int]) -> Iterator[Row]:
        """Yield rows of the bundled corpus, by the numbers of its dialogues."""
        for number in numbers:
            turns = [
                turn
                for one in islice(corpus.dialogue(number), KEPT_EXCHANGES)
                for turn in (_turn("person", one.person), _turn("jay", one.jay))
            ]
            yield self.row(turns)[0]

    def _ids(self, text: str) -> list[int]:
        return self._tokenizer.encode(text, add_special_tokens=False).ids


def batch(rows: Sequence[Row]) -> Batch:
    """Put rows side by side, padded to the longest."""
    longest = max(len(row.ids) for row in rows)
    pad = [longest - len(row.ids) for row in rows]
    ids = torch.tensor([row.ids + (0,) * more for row, more in zip(rows, pad, strict=True)])
    weights = torch.tensor(
        [row.weights + (0.0,) * more for row, more in zip(rows, pad, strict=True)]
    )
    return Batch(ids=ids[:, :-1], targets=ids[:, 1:], weights=weights[:, 1:])


def _turn(role: str, text: str) -> Turn:
    return Turn(role="jay" if role == "jay" else "person", text=text, author="", at=0.0)
