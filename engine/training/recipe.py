"""Recipes: one file a run, every number of it in one place (`recipes/*.toml`).

Of two kinds: `Recipe` trains from scratch, `TuningRecipe` goes on from a checkpoint.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from bot.errors import JayError
from engine.training.corpus import TASKS_FIRST

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
    tasks_first: float = TASKS_FIRST
    """Share of the dialogues that open with a reading task; the rest is talk alone."""
    haste: float = 1.0
    """How many times as often as usual people mistype and shout: what is hard is learned from."""
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
    """Loss weight of the first token of what Jay reads out of messages, on which the rest follows,
    and of each of a value that it gives back: one that is wrong, and all is."""
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

    @property
    def micro_batches(self) -> int:
        """Micro-batches of a step."""
        return max(1, self.batch_tokens // self.micro_tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningRecipe:
    """One fine-tuning run. Equal recipes, data and starts give equal curves on one machine."""

    name: str
    seed: int = 1
    epochs: int
    """How often each line of the data is learned from."""
    most_steps: int = 0
    """Ends the run earlier, if above 0. One is enough to try a machine out."""
    rows: int
    """Lines of a step, over all its micro-batches and processes."""
    rows_at_once: int
    """Lines that pass the model at once: what the memory holds. The step adds up the rest."""
    row_tokens: int
    """Longest row; never more than the checkpoint's window."""
    rate: float
    """AdamW's step, once risen."""
    rise: float = 0.05
    """Share of the run, at its start, in which the rate rises; it then falls to nothing."""
    kept: float = 0.0
    """Dialogues of the bundled corpus for each line of the data, so that what the checkpoint
    could do is not lost. Only for checkpoints of that corpus's family."""
    lora_rank: int = 0
    """Rank of the adapters; 0 tunes all weights."""
    lora_alpha: float = 16.0
    """What the adapters add is scaled by this over the rank."""
    lora_on: tuple[str, ...] = ()
    """Names of the matrices that get an adapter."""
    geometry: dict[str, int] = field(default_factory=dict)
    """Fields of `config.json` of the model that the recipe is for, where none comes along."""
    save_every: int = 20
    """Steps between checkpoints."""
    threads: int = 2

    def steps(self, lines: int) -> int:
        """Return the steps of a run over so many lines."""
        steps = max(1, self.epochs * lines // self.rows)
        return min(steps, self.most_steps) if self.most_steps else steps


Kind = TypeVar("Kind", Recipe, TuningRecipe)


def load_recipe(name: str) -> Recipe:
    """Read a recipe by the name of a bundled one, or by the path of a file.

    Raises:
        RecipeError: there is none, or it has fields that are missing or unknown.
    """
    return _load(name, Recipe)


def load_tuning(name: str) -> TuningRecipe:
    """Read a recipe for fine-tuning, as `load_recipe` does.

    Raises:
        RecipeError: there is none, or it has fields that are missing or unknown.
    """
    recipe = _load(name, TuningRecipe)
    return replace(recipe, lora_on=tuple(recipe.lora_on))


def _load(name: str, kind: type[Kind]) -> Kind:
    path = Path(name) if name.endswith(".toml") else HERE / f"{name}.toml"
    try:
        found: dict[str, Any] = tomllib.loads(path.read_text())
    except FileNotFoundError as error:
        raise RecipeError(f"there is no recipe {name!r}") from error
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{path}: {error}") from error
    unknown = found.keys() - {one.name for one in fields(kind)}
    if unknown:
        raise RecipeError(f"{path} has fields that no recipe has: {', '.join(sorted(unknown))}")
    try:
        return kind(**{"name": path.stem, **found})
    except TypeError as error:
        raise RecipeError(f"{path}: {error}") from error
