"""Where fine-tuning starts: a checkpoint's weights, or invented ones of its shape.

Invented weights (`--dummy-weights`) try a machine and the whole way out before
12 GB of real ones are there. What such a model says makes no sense.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from transformers import GPTJConfig, GPTJForCausalLM
from transformers.initialization import no_init_weights
from transformers.utils.logging import disable_progress_bar

from engine.checkpoint import BUNDLED, Checkpoint, read_checkpoint
from engine.training import vocabulary
from engine.training.recipe import RecipeError, TuningRecipe

SPREAD = 0.02
"""Standard deviation of invented weights; GPT-J's `initializer_range`."""
BLOCK = 1_000_003
"""So many are drawn and then repeated: six billion draws take minutes. A prime, so that no two
rows of a matrix are alike."""


def find_start(
    recipe: TuningRecipe, chosen: Path | None, *, dummy: bool, run: Path
) -> tuple[Path, Checkpoint]:
    """Return the folder that a run starts from, and what it holds.

    Without one a recipe starts from the bundled checkpoint; one for another
    geometry has a folder made for it, of that geometry and without weights.

    Raises:
        RecipeError: the recipe needs a checkpoint, and none is given.
        EngineWontStart: the folder holds no GPT-J that could be served.
    """
    folder = chosen or BUNDLED
    if chosen is None and recipe.geometry:
        if not dummy:
            raise RecipeError(
                f"the recipe {recipe.name} needs the weights that it tunes: --from DIR, or "
                "--dummy-weights to try it out"
            )
        folder = _of_geometry(recipe, run / "start")
    return folder, read_checkpoint(folder, needs_weights=not dummy)


def load_weights(folder: Path, *, dummy: bool, dtype: torch.dtype) -> GPTJForCausalLM:
    """Return the model of a folder on the CPU; nothing in it is drawn by chance in use."""
    disable_progress_bar()
    config = GPTJConfig.from_pretrained(folder)
    config.attn_pdrop = config.embd_pdrop = config.resid_pdrop = 0.0
    config.use_cache = False
    if dummy:
        return _invent(config, dtype)
    model: GPTJForCausalLM = GPTJForCausalLM.from_pretrained(folder, config=config, dtype=dtype)
    return model


@torch.no_grad()
def _invent(config: GPTJConfig, dtype: torch.dtype) -> GPTJForCausalLM:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with no_init_weights():
            model = GPTJForCausalLM(config)
    finally:
        torch.set_default_dtype(before)
    block = torch.empty(BLOCK, dtype=dtype).normal_(std=SPREAD)
    for name, parameter in model.named_parameters():
        if parameter.ndim == 2:
            for piece in parameter.view(-1).split(BLOCK):
                piece.copy_(block[: len(piece)])
        else:
            parameter.fill_(float(name.endswith("weight")))
    return model


def _of_geometry(recipe: TuningRecipe, folder: Path) -> Path:
    """Make a folder with the recipe's geometry, and the bundled tokenizer and family."""
    folder.mkdir(parents=True, exist_ok=True)
    bundled: dict[str, Any] = json.loads((BUNDLED / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(bundled | recipe.geometry, indent=2) + "\n")
    vocabulary.copy(BUNDLED, folder)
    return folder
