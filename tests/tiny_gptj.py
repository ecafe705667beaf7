"""A random GPT-J of a few thousand weights, for tests that need a real vLLM and no sense."""

from __future__ import annotations

import json
from pathlib import Path

END = "<|endoftext|>"
WINDOW = 512
TEXT = (
    "[human]: Hello Jay, how are you today?\n###\n[robot]: I am well, thank you. And you?\n###\n"
    "[human]: What is the time in Oslo?\n###\n[robot]: I do not know, but it is the same as in "
    "Paris.\n###\n"
)


def write_tiny_gptj(folder: Path) -> Path:
    """Write a checkpoint as transformers would; seconds, and half a megabyte."""
    import torch
    from transformers import GPTJConfig, GPTJForCausalLM

    folder.mkdir(parents=True, exist_ok=True)
    size = _write_tokenizer(folder)
    torch.manual_seed(7)
    config = GPTJConfig(
        vocab_size=size,
        n_positions=WINDOW,
        n_embd=64,
        n_layer=2,
        n_head=2,
        rotary_dim=16,
        bos_token_id=0,
        eos_token_id=0,
        tie_word_embeddings=False,
    )
    GPTJForCausalLM(config).save_pretrained(folder)
    written = json.loads((folder / "config.json").read_text())
    if written.get("rope_parameters", True) is None:
        del written["rope_parameters"]
        (folder / "config.json").write_text(json.dumps(written, indent=2))
    return folder


def _write_tokenizer(folder: Path) -> int:
    from tokenizers import Tokenizer
    from tokenizers.decoders import ByteLevel as Decoder
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel
    from tokenizers.trainers import BpeTrainer

    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = Decoder()
    trainer = BpeTrainer(
        vocab_size=512,
        special_tokens=[END],
        initial_alphabet=ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([TEXT], trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": END,
        "eos_token": END,
        "unk_token": END,
        "clean_up_tokenization_spaces": False,
        "model_max_length": WINDOW,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return int(tokenizer.get_vocab_size())
