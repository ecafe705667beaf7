"""Recipes: one file a run, every number of it in one place (`recipes/*.toml`)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from bot.errors import JayError

HERE = Path(__file__).parent / "recipes"


class RecipeError(JayError):
    """A recipe that can't be run."""

    hint = "See engine/training/recipes/ for recipes that run."


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One training run. Equal recipes and equal data give equal curves on one machine."""

    name: str
    seed: int = 1
    start: str = ""
    """Folder of a published checkpoint of this shape, whose weights and tokenizer the run takes
    over; empty: from nothing."""
    width: int
    layers: int
    heads: int
    rotary: int
    """Dimensions of a head that turn with the position; the rest see only content."""
    vocabulary: int
    window: int = 2048
    """`n_positions` of the exported model. Rotary phases are relative, so rows may be shorter."""
    tokens: int
    """Length of the run. A run that is taken up again may have another: until the fall of the
    rates nothing depends on it, so the end can be chosen late."""
    batch_tokens: int
    """Tokens of a step, over all its micro-batches."""
    micro_tokens: int = 1536
    """Tokens that pass the model at once: what memory and the allocator like best."""
    row_lengths: dict[str, float]
    """Tokens of a row → its share of the micro-batches. A row is one dialogue."""
    muon_rate: float
    """Step of the matrices inside the layers."""
    adam_rate: float
    """Step of everything else."""
    warmup_tokens: int = 100_000
    """Length of the rise of the rates."""
    decay: float = 0.4
    """Share of the run, at its end, in which they fall to nothing."""
    person_weight: float = 0.1
    """Loss weight of what people say; what Jay says has 1."""
    reading_weight: float = 4.0
    """Loss weight of the first token of what Jay reads out of messages, and of the value that was
    asked for: the rest follows on them, and they are right seven times less often."""
    induction: bool = True
    """Start with heads that copy."""
    save_every: int = 100
    """Steps between checkpoints."""
    threads: int = 2
    half: bool = True
    """Multiply in bfloat16 where the CPU can; weights and sums stay in float32."""

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return self.tokens // self.batch_tokens


def load_recipe(name: str) -> Recipe:
    """Read a recipe by the name of a bundled one, or by the path of a file.

    Raises:
        RecipeError: there is none, or it has fields that are missing or unknown.
    """
    path = Path(name) if name.endswith(".toml") else HERE / f"{name}.toml"
    try:
        found: dict[str, Any] = tomllib.loads(path.read_text())
    except FileNotFoundError as error:
        raise RecipeError(f"there is no recipe {name!r}") from error
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{path}: {error}") from error
    unknown = found.keys() - {one.name for one in fields(Recipe)}
    if unknown:
        raise RecipeError(f"{path} has fields that no recipe has: {', '.join(sorted(unknown))}")
    try:
        recipe = Recipe(**{"name": path.stem, **found})
    except TypeError as error:
        raise RecipeError(f"{path}: {error}") from error
    return recipe
