"""The loop: gradients, two optimizers, a schedule, and checkpoints that resume exactly.

Matrices inside the layers step by Muon: their momentum made orthogonal, which
learns them about twice as fast as Adam. Everything else steps by AdamW.
torch has a Muon, but it works in bfloat16 always, which CPUs without
AVX512-bf16 emulate a hundred times slower.
"""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as fn

from bot.errors import JayError
from engine.training.memory import OutOfMemory, within
from engine.training.model import Model
from engine.training.packing import Batch
from engine.training.ranks import Ranks
from engine.training.recipe import Recipe, RecipeError

CHECKPOINT = "checkpoint.pt"


class CheckpointError(JayError):
    """A checkpoint that is missing, broken or can't be written."""

    hint = "Free some space, or begin the run anew in another folder."


class Muon:
    """Momentum, orthogonalised by five Newton-Schulz steps (Jordan et al., 2024)."""

    def __init__(
        self, matrices: list[torch.nn.Parameter], *, half: bool, momentum: float = 0.95
    ) -> None:
        """Take the matrices; a fused projection (3 width, width) is stepped as three.

        Args:
            matrices: what is stepped.
            half: make orthogonal in bfloat16, which is enough: singular values come out near 1.
            momentum: share of the old direction that a step keeps.
        """
        self._matrices = matrices
        self._dtype = torch.bfloat16 if half else torch.float32
        self._momentum = momentum
        self.buffers = [torch.zeros_like(matrix) for matrix in matrices]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Apply the gradients."""
        for matrix, buffer in zip(self._matrices, self.buffers, strict=True):
            assert matrix.grad is not None
            buffer.lerp_(matrix.grad, 1 - self._momentum)
            update = matrix.grad.lerp(buffer, self._momentum)
            rows, columns = update.shape
            fused = rows == 3 * columns
            parts = update.view(3, columns, columns) if fused else update[None]
            scale = max(1.0, parts.shape[1] / parts.shape[2]) ** 0.5
            matrix.sub_(orthogonal(parts.to(self._dtype)).view_as(matrix), alpha=rate * scale)


def orthogonal(x: torch.Tensor) -> torch.Tensor:
    """Return the nearest matrices with all singular values about 1, shape (n, rows, columns)."""
    tall = x.shape[1] > x.shape[2]
    x = x.transpose(1, 2) if tall else x
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        squared = x @ x.transpose(1, 2)
        x = 3.4445 * x + (-4.7750 * squared + 2.0315 * squared @ squared) @ x
    return x.transpose(1, 2) if tall else x


class Trainer:
    """A model with what trains it; all that a resumed run needs is in `state`."""

    def __init__(self, model: Model, recipe: Recipe, ranks: Ranks) -> None:
        """Sort the parameters between the two optimizers.

        Raises:
            RecipeError: a step has fewer micro-batches than there are processes to share them.
        """
        if recipe.micro_batches < ranks.count:
            raise RecipeError(
                f"{ranks.count} processes share the micro-batches of a step, of which there are "
                f"{recipe.micro_batches}: batch_tokens must be {ranks.count} times micro_tokens"
            )
        self.model = model.to(ranks.device)
        self.recipe = recipe
        self.ranks = ranks
        self.step = 0
        # Half as fast again as float32 where the CPU has it, far slower where it has not.
        self._half = recipe.half and (
            ranks.device.type == "cuda" or bool(torch.cpu._is_avx512_bf16_supported())
        )
        matrices = [one for one in model.layers.parameters() if one.ndim == 2]
        chosen = {id(one) for one in matrices}
        rest = [one for one in model.parameters() if id(one) not in chosen]
        self.muon = Muon(matrices, half=self._half)
        self.adam = torch.optim.AdamW(
            rest, lr=recipe.adam_rate, betas=(0.9, 0.98), weight_decay=0.0
        )

    def learn(self, batches: list[Batch]) -> float:
        """Take one step; return the loss a token over Jay's own tokens.

        Args:
            batches: all of the step; this process computes its share of them.

        Raises:
            OutOfMemory: a micro-batch doesn't fit.
        """
        self.model.zero_grad(set_to_none=True)
        device = self.ranks.device
        total = sum(float(batch.weights.sum()) for batch in batches)
        said = sum(float((batch.weights >= 1.0).sum()) for batch in batches)
        lost = torch.zeros((), device=device)
        for batch in batches[self.ranks.rank :: self.ranks.count]:
            with within(self._out_of_memory):
                losses = self._losses(batch)
                weights = batch.weights.to(device).flatten()
                torch.autograd.backward(losses @ weights / total)
            lost += losses.detach()[weights >= 1.0].sum()
        gradients = [one.grad for one in self.model.parameters() if one.grad is not None]
        self.ranks.add_up([lost, *gradients])
        self._apply()
        return float(lost) / max(1.0, said)

    def _losses(self, batch: Batch) -> torch.Tensor:
        """Return the loss of each token, the rows one after the other."""
        device = self.ranks.device
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=self._half):
            logits = self.model(batch.ids.to(device))
        targets = batch.targets.to(device).flatten()
        return fn.cross_entropy(logits.flatten(0, 1).float(), targets, reduction="none")

    def _out_of_memory(self) -> OutOfMemory:
        at_once = self.recipe.micro_tokens
        return OutOfMemory(
            f"{at_once:,} tokens at once don't fit into the memory",
            hint=f"Set micro_tokens = {at_once // 2} in the recipe and take the run up again: "
            "a step still adds up batch_tokens.",
        )

    def _apply(self) -> None:
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        share = schedule(self.step, self.recipe)
        for group in self.adam.param_groups:
            group["lr"] = self.recipe.adam_rate * share
        self.adam.step()
        self.muon.step(self.recipe.muon_rate * share)
        self.step += 1

    def save(self, folder: Path) -> None:
        """Write the checkpoint in one piece: whoever kills the run finds the last whole one.

        Raises:
            CheckpointError: it can't be written; the one before is still there.
        """
        state = {
            "step": self.step,
            "model": self.model.state_dict(),
            "adam": self.adam.state_dict(),
            "muon": self.muon.buffers,
            "random": torch.get_rng_state(),
        }
        save_state(state, folder)

    def load(self, folder: Path) -> bool:
        """Take up the checkpoint of that folder; tell whether there was one."""
        state = load_state(folder)
        if state is None:
            return False
        self.step = state["step"]
        self.model.load_state_dict(state["model"])
        self.adam.load_state_dict(state["adam"])
        for mine, saved in zip(self.muon.buffers, state["muon"], strict=True):
            mine.copy_(saved)
        torch.set_rng_state(state["random"])
        return True


def save_state(state: dict[str, Any], folder: Path) -> None:
    """Write a checkpoint in one piece.

    Raises:
        CheckpointError: it can't be written; the one before is still there.
    """
    unfinished = folder / f"{CHECKPOINT}.part"
    try:
        torch.save(state, unfinished)
        os.replace(unfinished, folder / CHECKPOINT)
    except (OSError, RuntimeError) as error:
        unfinished.unlink(missing_ok=True)
        raise CheckpointError(f"{folder / CHECKPOINT} can't be written: {error}") from error


def load_state(folder: Path) -> dict[str, Any] | None:
    """Read the checkpoint of that folder; None where there is none.

    Raises:
        CheckpointError: it is there and can't be read.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return None
    if not zipfile.is_zipfile(path):
        raise CheckpointError(f"{path} can't be read: it is not whole")
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{path} can't be read: {error}") from error
    return state


def schedule(step: int, recipe: Recipe) -> float:
    """Return the share of the full rate: a rise, a plain, and a fall to nothing."""
    risen = (step + 1) * recipe.batch_tokens / max(1, recipe.warmup_tokens)
    left = 1.0 - (step + 1) / recipe.steps
    return max(0.0, min(1.0, risen, left / recipe.decay + 1e-3))
