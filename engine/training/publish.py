"""From a training run to a folder that vLLM and transformers load as it is.

The weights take GPT-J's form (`gptj`). The folder is made beside the old one,
loaded back and compared with the trained model; only then does it take the old
one's place. So neither a full disk nor a broken run costs the checkpoint that
was there. What was tuned is transformers' own already, and may be too large to
be loaded a second time.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import GPTJForCausalLM

from bot.errors import JayError
from bot.family import Family
from engine.checkpoint import read_checkpoint
from engine.families import CHECKPOINT_FIELD
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
LARGEST_SHARD = "1GB"
"""Of a large model: writing holds one shard beside the model in memory."""


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
    with taking_the_place_of(out) as fresh:
        write(model, Tokenizer.from_file(str(run / "tokenizer.json")), fresh)
        if (difference := largest_difference(model, fresh)) > MOST_DIFFERENCE:
            raise PublishError(f"the written model differs by {difference:.4f} in its logits")
    return out


def publish_tuned(model: GPTJForCausalLM, *, start: Path, family: Family, out: Path) -> Path:
    """Write a tuned model as a model folder, and return it.

    Args:
        model: transformers' model, its weights rounded as they are stored.
        start: the folder that it was tuned from; its tokenizer comes along.
        family: the prompt family that it was tuned on.
        out: the model folder; one found there is replaced, its model card kept.

    Raises:
        PublishError: it can't be written.
    """
    with taking_the_place_of(out) as fresh:
        model.config.use_cache = True
        model.to(STORED).save_pretrained(fresh, max_shard_size=LARGEST_SHARD)
        for shard in fresh.glob("*.safetensors"):
            shard.chmod(0o644)  # safetensors leaves it to its owner alone
        config = json.loads((fresh / "config.json").read_text())
        # vLLM fails on a null there.
        told = {key: one for key, one in config.items() if one is not None or key == "n_inner"}
        _write_json(fresh / "config.json", told | {CHECKPOINT_FIELD: family.name})
        vocabulary.copy(start, fresh)
        read_checkpoint(fresh)
    return out


@contextmanager
def taking_the_place_of(out: Path) -> Iterator[Path]:
    """Give an empty folder; if the body ends well, it takes the place of `out`.

    The model card of `out` stays. Until the last moment what was there is untouched.

    Raises:
        PublishError: it can't be written.
    """
    fresh, old = out.with_name(out.name + ".part"), out.with_name(out.name + ".old")
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        yield fresh
        if (out / CARD).exists():
            shutil.copyfile(out / CARD, fresh / CARD)
        shutil.rmtree(old, ignore_errors=True)
        if out.exists():
            os.replace(out, old)
        os.replace(fresh, out)
    except (OSError, SafetensorError) as error:
        raise PublishError(f"{out} can't be written: {error}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        if old.exists() and not out.exists():
            os.replace(old, out)
        shutil.rmtree(old, ignore_errors=True)


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
