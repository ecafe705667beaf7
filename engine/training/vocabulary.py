"""The tokenizer: byte-level BPE, trained on the corpus it will meet.

Digits stand alone, so that numbers are copied digit by digit. What borders a
turn is one token each: of short chat turns they would else take a third.
`<|endoftext|>` has id 0; nothing is added to a text that doesn't stand in it,
since serving sends token ids with the beginning included.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Digits
from tokenizers.pre_tokenizers import Sequence as InOrder
from tokenizers.trainers import BpeTrainer

END = "<|endoftext|>"
FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
    "merges.txt",
    "added_tokens.json",
    "special_tokens_map.json",
)
BORDERS = ("[human]:", "[robot]:", "\n###\n")


def learn(texts: Iterable[str], *, size: int) -> Tokenizer:
    """Train a tokenizer of exactly `size` tokens, given text enough."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = InOrder(
        [Digits(individual_digits=True), ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(
        vocab_size=size - len(BORDERS),
        special_tokens=[END],
        initial_alphabet=ByteLevel.alphabet(),
        min_frequency=2,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_tokens([AddedToken(border, normalized=False) for border in BORDERS])
    return tokenizer


def save(tokenizer: Tokenizer, folder: Path, *, window: int) -> None:
    """Write `tokenizer.json` and its configuration for transformers and vLLM."""
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": END,
        "eos_token": END,
        "unk_token": END,
        "clean_up_tokenization_spaces": False,
        "model_max_length": window,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")


def copy(source: Path, folder: Path) -> None:
    """Copy a checkpoint's tokenizer, with whatever transformers keeps beside it.

    Raises:
        OSError: there is none, or it can't be written.
    """
    for name in FILES:
        if name == FILES[0] or (source / name).is_file():
            shutil.copyfile(source / name, folder / name)


def encode(tokenizer: Tokenizer, segments: Sequence[str]) -> list[list[int]]:
    """Return the ids of each segment, encoded on its own."""
    return [found.ids for found in tokenizer.encode_batch(list(segments))]
