"""Batches: rows of token ids, each one dialogue, with a loss weight for every token.

A row holds one dialogue and nothing else, as a prompt does in service, so no
mask is needed and nothing leaks from a neighbour. Which dialogues a step sees
follows from the seed and the step alone; a run that resumes meets the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from random import Random

import torch
from tokenizers import Tokenizer

from engine.training.corpus import Corpus, Exchange, opening, segments
from engine.training.recipe import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One micro-batch, each tensor of shape (rows, tokens)."""

    ids: torch.Tensor
    targets: torch.Tensor
    weights: torch.Tensor


class Packer:
    """Draws the micro-batches of a step."""

    def __init__(self, corpus: Corpus, tokenizer: Tokenizer, recipe: Recipe) -> None:
        """Take what to draw from, what encodes it, and how rows are cut."""
        self._corpus = corpus
        self._recipe = recipe
        self._opening: list[int] = tokenizer.encode(opening()).ids
        self._encode = lru_cache(maxsize=200_000)(lambda text: tuple(tokenizer.encode(text).ids))

    def step(self, step: int) -> Iterator[Batch]:
        """Yield the micro-batches of a step."""
        recipe = self._recipe
        rng = Random(f"rows:{recipe.seed}:{step}")
        lengths = [int(length) for length in recipe.row_lengths]
        shares = list(recipe.row_lengths.values())
        number = step * recipe.batch_tokens
        for _ in range(recipe.micro_batches):
            length = rng.choices(lengths, shares)[0]
            rows = max(1, recipe.micro_tokens // length)
            yield self._batch([self._row(number + at, length) for at in range(rows)])
            number += rows

    def _row(self, number: int, length: int) -> tuple[list[int], list[float]]:
        """Return one more token than asked for: the last is only a target."""
        ids, weights = list(self._opening), [0.0] * len(self._opening)
        for exchange in self._corpus.dialogue(number):
            pieces = segments(exchange)
            closing, _ = pieces[-1]
            for text, by_jay in pieces:
                piece = self._encode(text)
                ids += piece
                weights += [1.0 if by_jay else self._recipe.person_weight] * len(piece)
                if by_jay and text != closing:
                    for at in self._read(text, exchange):
                        weights[at - len(piece)] = self._recipe.reading_weight
            if len(ids) > length:
                break
        return ids[: length + 1], weights[: length + 1]

    def _read(self, reply: str, exchange: Exchange) -> set[int]:
        """Return which tokens of a reply must be read: the first of a task's, and its value's."""
        found = {0} if exchange.intent.startswith("reading.") else set[int]()
        at = reply.find(f" {exchange.value}") if exchange.value else -1
        if at >= 0:
            end = at + 1 + len(exchange.value)
            found.update(range(len(self._encode(reply[:at])), len(self._encode(reply[:end]))))
        return found

    def _batch(self, rows: list[tuple[list[int], list[float]]]) -> Batch:
        ids = torch.tensor([ids for ids, _ in rows])
        weights = torch.tensor([weights for _, weights in rows])
        return Batch(ids=ids[:, :-1], targets=ids[:, 1:], weights=weights[:, 1:])
