"""A GPT-J in the making: transformers' model, AdamW, and what a resumed run needs.

All weights are tuned in float32, or with LoRA a few beside frozen ones in
bfloat16, whose activations are computed a second time instead of being kept.
Only the places where Jay speaks get logits: at 50,400 tokens of vocabulary
they would be most of the memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from torch.nn import functional as fn
from transformers import GPTJForCausalLM

from engine.training.loop import load_state, save_state
from engine.training.lora import attach, fold
from engine.training.memory import OutOfMemory, within
from engine.training.ranks import Ranks
from engine.training.recipe import RecipeError, TuningRecipe
from engine.training.rows import Row, batch

STORED = torch.bfloat16
"""What weights are stored in."""
BYTES_FULL, BYTES_FROZEN = 16, 2
"""Memory of a weight: with gradient and two moments in float32, or frozen in bfloat16."""
CLIP = 1.0


class Tuner:
    """A model with what trains it."""

    def __init__(self, model: GPTJForCausalLM, recipe: TuningRecipe, ranks: Ranks) -> None:
        """Take a model as it was loaded, and put adapters on it where the recipe says so.

        Raises:
            RecipeError: a step has fewer rows than there are processes to share them.
        """
        if recipe.rows < ranks.count:
            raise RecipeError(
                f"{ranks.count} processes share the rows of a step, of which there are {recipe.rows}"
            )
        self.model, self.recipe, self.ranks = model, recipe, ranks
        self.step = 0
        self._adapted: PeftModel | None = None
        if recipe.lora_rank:
            self._adapted = attach(model, recipe)
            model.gradient_checkpointing_enable({"use_reentrant": False})
        model.to(ranks.device)
        model.train()
        self._half = ranks.device.type == "cuda" or bool(torch.cpu._is_avx512_bf16_supported())
        self._tuned = {name: one for name, one in model.named_parameters() if one.requires_grad}
        self._adam = torch.optim.AdamW(
            self._tuned.values(), lr=recipe.rate, betas=(0.9, 0.98), weight_decay=0.0
        )

    @property
    def tuned_parameters(self) -> int:
        """How many numbers are trained."""
        return sum(one.numel() for one in self._tuned.values())

    def learn(self, rows: Sequence[Row], *, steps: int) -> float:
        """Take one of so many steps; return the loss a token that Jay says.

        Raises:
            OutOfMemory: the rows at once don't fit.
        """
        self._adam.zero_grad(set_to_none=True)
        said = sum(row.said for row in rows)
        mine = rows[self.ranks.rank :: self.ranks.count]
        lost = torch.zeros((), device=self.ranks.device)
        with within(lambda: self._out_of_memory(mine)):
            for some in self._at_once(mine):
                loss = self._loss(some)
                torch.autograd.backward(loss / said)
                lost += loss.detach()
            self._apply(steps)
        self.ranks.add_up([lost])
        self.step += 1
        return float(lost) / said

    @torch.no_grad()
    def measure(self, rows: Sequence[Row]) -> float:
        """Return the loss a token that Jay says.

        Raises:
            OutOfMemory: the rows at once don't fit.
        """
        with within(lambda: self._out_of_memory(rows)):
            return sum(float(self._loss(some)) for some in self._at_once(rows)) / sum(
                row.said for row in rows
            )

    @torch.no_grad()
    def settle(self) -> GPTJForCausalLM:
        """Fold adapters in, round the weights as they are stored, and return the model."""
        if self._adapted is not None:
            self.model = fold(self._adapted)
        for parameter in self.model.parameters():
            if parameter.dtype != STORED:
                parameter.copy_(parameter.to(STORED))
        return self.model

    def save(self, folder: Path, kept: dict[str, Any]) -> None:
        """Write what is trained, and what the run keeps beside it.

        Raises:
            CheckpointError: it can't be written; the one before is still there.
        """
        tuned = {name: one.detach() for name, one in self._tuned.items()}
        state = {"step": self.step, "tuned": tuned, "adam": self._adam.state_dict(), "kept": kept}
        save_state(state, folder)

    def load(self, folder: Path) -> dict[str, Any] | None:
        """Take up the checkpoint of a folder; return what the run kept, None without one.

        Raises:
            CheckpointError: it is there and can't be read.
        """
        state = load_state(folder)
        if state is None:
            return None
        self.step = state["step"]
        with torch.no_grad():
            for name, one in self._tuned.items():
                one.copy_(state["tuned"][name])
        self._adam.load_state_dict(state["adam"])
        kept: dict[str, Any] = state["kept"]
        return kept

    def _apply(self, steps: int) -> None:
        gradients = [one.grad for one in self._tuned.values() if one.grad is not None]
        self.ranks.add_up(gradients)
        torch.nn.utils.clip_grad_norm_(self._tuned.values(), CLIP)
        share = schedule(self.step, steps, rise=self.recipe.rise)
        for group in self._adam.param_groups:
            group["lr"] = self.recipe.rate * share
        self._adam.step()

    def _at_once(self, rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
        """Cut rows into micro-batches, such of a length together: padding costs time."""
        rows = sorted(rows, key=lambda row: len(row.ids))
        for at in range(0, len(rows), self.recipe.rows_at_once):
            yield rows[at : at + self.recipe.rows_at_once]

    def _loss(self, rows: Sequence[Row]) -> torch.Tensor:
        """Return the sum of the losses of what Jay says."""
        found = batch(rows)
        device = self.ranks.device
        jays = (found.weights > 0).to(device)
        with torch.autocast(device.type, dtype=STORED, enabled=self._half):
            hidden = self.model.transformer(input_ids=found.ids.to(device)).last_hidden_state
            logits = self.model.lm_head(hidden[jays])
        return fn.cross_entropy(logits.float(), found.targets.to(device)[jays], reduction="sum")

    def _out_of_memory(self, rows: Sequence[Row]) -> OutOfMemory:
        at_once, longest = self.recipe.rows_at_once, max(len(row.ids) for row in rows)
        return OutOfMemory(
            f"{at_once} rows at once of up to {longest} tokens don't fit into the memory",
            hint=f"Try --rows-at-once {at_once // 2}: a step still adds up {self.recipe.rows} rows."
            if at_once > 1
            else f"Try --row-tokens {longest // 2}, or --recipe gptj-6b-lora.",
        )


def schedule(step: int, steps: int, *, rise: float) -> float:
    """Return the share of the full rate: a rise, then a straight fall to nothing."""
    risen = (step + 1) / max(1.0, rise * steps)
    left = (steps - step) / max(1.0, (1 - rise) * steps)
    return min(1.0, risen, left)
