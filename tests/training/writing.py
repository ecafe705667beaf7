"""A published checkpoint that writes: many replies side by side, as serving would get them.

Greedy, so that what is measured does not depend on luck. vLLM is not needed;
the prompts are the very ids that serving sends.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import GPTJForCausalLM

from engine.training.corpus import MINI, Exchange, opening, segments

LONGEST_REPLY = 90
"""Tokens; the corpus has none longer than 70."""
AT_ONCE = 32


class Writer:
    """A checkpoint with its tokenizer."""

    def __init__(self, folder: Path) -> None:
        """Load the folder that `publish` wrote."""
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._model = GPTJForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self._window: int = self._model.config.n_positions
        self._end = self._tokenizer.encode(MINI.jay_close).ids[0]

    def prompt(self, before: Sequence[Exchange], asked: str) -> list[int]:
        """Return the ids that have Jay reply to `asked`, after these exchanges."""
        texts = [opening()]
        for exchange in before:
            texts += [text for text, _ in segments(exchange)]
        person, cue, *_ = (text for text, _ in segments(Exchange(person=asked, jay="", intent="")))
        return [one for text in (*texts, person, cue) for one in self._tokenizer.encode(text).ids]

    def write(self, prompts: Sequence[list[int]]) -> list[str]:
        """Return the replies; one that did not end by itself lacks its closing mark.

        The mark is left on, so that the caller sees how a reply ended.
        """
        order = sorted(range(len(prompts)), key=lambda at: len(prompts[at]))
        replies = [""] * len(prompts)
        for start in range(0, len(order), AT_ONCE):
            chosen = order[start : start + AT_ONCE]
            written = self._batch([prompts[at] for at in chosen])
            for at, reply in zip(chosen, written, strict=True):
                replies[at] = reply
        return replies

    @torch.no_grad()
    def _batch(self, prompts: Sequence[list[int]]) -> list[str]:
        prompts = [ids[-(self._window - LONGEST_REPLY) :] for ids in prompts]
        longest = max(map(len, prompts))
        ids = torch.tensor([[0] * (longest - len(one)) + one for one in prompts])
        seen = torch.tensor([[0] * (longest - len(one)) + [1] * len(one) for one in prompts])
        made = self._model.generate(
            input_ids=ids,
            attention_mask=seen,
            max_new_tokens=LONGEST_REPLY,
            do_sample=False,
            eos_token_id=self._end,
            pad_token_id=0,
        )
        return [self._decoded(row[longest:].tolist()) for row in made]

    def _decoded(self, ids: list[int]) -> str:
        if self._end in ids:
            ids = ids[: ids.index(self._end) + 1]
        return self._tokenizer.decode(ids, skip_special_tokens=False)
