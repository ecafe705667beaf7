"""From a training run to a folder that vLLM and transformers load as it is.

The weights take GPT-J's form (`gptj`). The folder is made beside the old one, loaded back and compared
with the trained model; only then does it take the old one's place. So neither
a full disk nor a broken run costs the checkpoint that was there.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import GPTJForCausalLM

from bot.errors import JayError
from engine.training import vocabulary
from engine.training.gptj import WEIGHTS, as_gptj, configuration
from engine.training.loop import CheckpointError, load_state
from engine.training.model import Model, Shape
from engine.training.pretrain import recipe_of

STORED = torch.bfloat16
"""What matrices were multiplied in; half the size, and no further rounding in service."""
MOST_DIFFERENCE = 2e-3
"""Between the logits of what was trained and what was written, both in float32."""
CARD = "README.md"


class PublishError(JayError):
    """What was written is not what was trained, or could not be written."""

    hint = "The checkpoint that was there before is untouched."


def publish(run: Path, out: Path) -> Path:
    """Write the run's newest checkpoint as a model folder, and return it.

    Args:
        run: the folder of a training run.
        out: the model folder; one found there is replaced, its model card kept.

    Raises:
        CheckpointError: the run has no checkpoint that can be read.
        PublishError: the folder can't be written, or doesn't load to the same model.
    """
    model = trained_model(run)
    fresh, old = out.with_name(out.name + ".part"), out.with_name(out.name + ".old")
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        write(model, Tokenizer.from_file(str(run / "tokenizer.json")), fresh)
        if (out / CARD).exists():
            shutil.copyfile(out / CARD, fresh / CARD)
        if (difference := largest_difference(model, fresh)) > MOST_DIFFERENCE:
            raise PublishError(f"the written model differs by {difference:.4f} in its logits")
        shutil.rmtree(old, ignore_errors=True)
        if out.exists():
            os.replace(out, old)
        os.replace(fresh, out)
    except OSError as error:
        raise PublishError(f"{out} can't be written: {error}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        if old.exists() and not out.exists():
            os.replace(old, out)
        shutil.rmtree(old, ignore_errors=True)
    return out


def trained_model(run: Path) -> Model:
    """Return the model of the run's newest checkpoint, its weights rounded as they are stored.

    Raises:
        CheckpointError: there is none, or it can't be read.
    """
    model = Model(Shape.of(recipe_of(run)))
    state = load_state(run)
    if state is None:
        raise CheckpointError(f"{run} holds no checkpoint yet")
    model.load_state_dict(state["model"])
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.to(STORED))
    return model.eval()


def write(model: Model, tokenizer: Tokenizer, folder: Path) -> None:
    """Write weights, configuration and tokenizer."""
    shape = model.shape
    tensors = {name: one.to(STORED).contiguous() for name, one in as_gptj(model).items()}
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    (folder / WEIGHTS).chmod(0o644)  # safetensors leaves it to its owner alone
    _write_json(folder / "config.json", configuration(shape))
    _write_json(
        folder / "generation_config.json",
        {"_from_model_config": True, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0},
    )
    vocabulary.save(tokenizer, folder, window=shape.window)


@torch.no_grad()
def largest_difference(model: Model, folder: Path) -> float:
    """Return how far transformers' logits of the folder are from the model's own."""
    written = GPTJForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    generator = torch.Generator().manual_seed(0)
    length = min(64, model.shape.window)
    ids = torch.randint(model.shape.vocabulary, (2, length), generator=generator)
    return float((written(ids).logits - model(ids)).abs().max())


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")
