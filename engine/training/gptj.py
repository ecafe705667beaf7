"""A model in GPT-J's own form, as transformers and vLLM name it, and back.

Undoes the two differences of form of `model`: the fused projections are cut in
three, and the tied output matrix becomes a copy of the embedding, since GPT-J
knows no tying. The way back takes only what was tied.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from engine.training.corpus import MINI
from engine.training.model import Model, Shape
from engine.training.recipe import RecipeError

WEIGHTS = "model.safetensors"
SIZES = ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head", "rotary_dim")
"""Fields of the configuration that weights depend on."""


def configuration(shape: Shape) -> dict[str, Any]:
    """Return the `config.json` of a shape: every field of GPT-J's that is not its default."""
    return {
        "architectures": ["GPTJForCausalLM"],
        "model_type": "gptj",
        "jay_family": MINI.name,
        "vocab_size": shape.vocabulary,
        "n_positions": shape.window,
        "n_embd": shape.width,
        "n_layer": shape.layers,
        "n_head": shape.heads,
        "rotary_dim": shape.rotary,
        "n_inner": None,
        "activation_function": "gelu_new",
        "layer_norm_epsilon": 1e-05,
        "attn_pdrop": 0.0,
        "embd_pdrop": 0.0,
        "resid_pdrop": 0.0,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "tie_word_embeddings": False,
        "use_cache": True,
        "torch_dtype": "bfloat16",
    }


def as_gptj(model: Model) -> dict[str, torch.Tensor]:
    """Return the weights under the names that transformers and vLLM know."""
    found = {
        "transformer.wte.weight": model.embedding.weight,
        "transformer.ln_f.weight": model.norm.weight,
        "transformer.ln_f.bias": model.norm.bias,
        "lm_head.weight": model.embedding.weight.clone(),
        "lm_head.bias": model.bias,
    }
    for at, layer in enumerate(model.stack):
        here = f"transformer.h.{at}"
        for name, part in zip("qkv", layer.qkv.weight.chunk(3), strict=True):
            found[f"{here}.attn.{name}_proj.weight"] = part
        found |= {
            f"{here}.attn.out_proj.weight": layer.out.weight,
            f"{here}.ln_1.weight": layer.norm.weight,
            f"{here}.ln_1.bias": layer.norm.bias,
            f"{here}.mlp.fc_in.weight": layer.up.weight,
            f"{here}.mlp.fc_in.bias": layer.up.bias,
            f"{here}.mlp.fc_out.weight": layer.down.weight,
            f"{here}.mlp.fc_out.bias": layer.down.bias,
        }
    return {name: tensor.detach() for name, tensor in found.items()}


def load_gptj(model: Model, folder: Path) -> None:
    """Set a model's weights to those of a published folder.

    Raises:
        RecipeError: there is no model, one of another size, or one whose output is not tied.
    """
    try:
        config = json.loads((folder / "config.json").read_text())
        found = load_file(folder / WEIGHTS)
    except (OSError, ValueError, SafetensorError) as error:
        raise RecipeError(f"{folder} holds no model to start from: {error}") from error
    mine = configuration(model.shape)
    if other := [name for name in SIZES if config.get(name) != mine[name]]:
        wrong = ", ".join(f"{name} {config.get(name)} for {mine[name]}" for name in other)
        raise RecipeError(f"{folder} is of another size than the recipe: {wrong}")
    if not torch.equal(found["lm_head.weight"], found["transformer.wte.weight"]):
        raise RecipeError(f"{folder} has an output matrix of its own; training here ties it")
    model.load_state_dict(of_gptj(model, found))


def of_gptj(model: Model, found: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return weights of GPT-J's names under those of `model`; the inverse of `as_gptj`."""
    state = {
        "embedding.weight": found["transformer.wte.weight"],
        "norm.weight": found["transformer.ln_f.weight"],
        "norm.bias": found["transformer.ln_f.bias"],
        "bias": found["lm_head.bias"],
    }
    for at in range(model.shape.layers):
        here, mine = f"transformer.h.{at}", f"layers.{at}"
        projections = [found[f"{here}.attn.{name}_proj.weight"] for name in "qkv"]
        state |= {
            f"{mine}.qkv.weight": torch.cat(projections),
            f"{mine}.out.weight": found[f"{here}.attn.out_proj.weight"],
            f"{mine}.norm.weight": found[f"{here}.ln_1.weight"],
            f"{mine}.norm.bias": found[f"{here}.ln_1.bias"],
            f"{mine}.up.weight": found[f"{here}.mlp.fc_in.weight"],
            f"{mine}.up.bias": found[f"{here}.mlp.fc_in.bias"],
            f"{mine}.down.weight": found[f"{here}.mlp.fc_out.weight"],
            f"{mine}.down.bias": found[f"{here}.mlp.fc_out.bias"],
        }
    return {name: one.float() for name, one in state.items()}
