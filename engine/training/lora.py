"""LoRA by peft: small adapters beside frozen matrices, folded into them at the end.

What is trained of GPT-J-6B by it is a thousandth of the weights, so that
gradients and optimizer cost next to nothing. vLLM serves no adapters for
GPT-J; folded in, the checkpoint is one like any other.
"""

from __future__ import annotations

from peft import LoraConfig, PeftModel, get_peft_model
from transformers import GPTJForCausalLM

from engine.training.recipe import TuningRecipe


def attach(model: GPTJForCausalLM, recipe: TuningRecipe) -> PeftModel:
    """Freeze a model and put adapters on it; it is changed in place and still what is called."""
    config = LoraConfig(
        r=recipe.lora_rank,
        lora_alpha=recipe.lora_alpha,
        lora_dropout=0.0,
        target_modules=list(recipe.lora_on),
        bias="none",
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


def fold(adapted: PeftModel) -> GPTJForCausalLM:
    """Add the adapters to the matrices that they stand beside, and take them away."""
    return adapted.merge_and_unload()
