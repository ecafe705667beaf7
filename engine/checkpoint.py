"""A checkpoint's directory: what is in it, and whether vLLM can serve it.

vLLM needs half a minute to find out that a file is missing, and says it in
forty lines. What can be seen from the files is said here, in one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from bot.errors import EngineWontStart

BUNDLED = Path(__file__).parent / "checkpoints" / "mini"
"""The checkpoint that comes with Jay."""
ARCHITECTURE = "GPTJForCausalLM"
LFS_POINTER = b"version https://git-lfs"
"""What stands in a file that git-lfs did not fetch."""
BYTES_OF = {"float32": 4, "float16": 2, "bfloat16": 2}

Count = Annotated[int, Field(gt=0)]


class Config(BaseModel):
    """What `config.json` must tell; the rest is vLLM's."""

    n_embd: Count
    n_layer: Count
    n_head: Count
    n_positions: Count
    vocab_size: Count
    rotary_dim: int | None = None
    n_inner: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A checkpoint that can be served."""

    folder: Path
    width: int
    layers: int
    heads: int
    window: int
    vocabulary: int
    inner: int
    """Width of the MLP."""

    @property
    def name(self) -> str:
        """What it is served as: its directory's name."""
        return self.folder.resolve().name

    @property
    def parameters(self) -> int:
        """How many numbers it has."""
        width, inner = self.width, self.inner
        layer = 4 * width * width + 2 * width * inner + inner + 3 * width
        head = (2 * width + 1) * self.vocabulary + 2 * width
        return self.layers * layer + head

    def weights_bytes(self, dtype: str) -> int:
        """Return the memory that the weights take as this type."""
        return self.parameters * BYTES_OF[dtype]

    def cache_bytes(self, dtype: str) -> int:
        """Return the memory of one token in the KV cache as this type."""
        return 2 * self.layers * self.width * BYTES_OF[dtype]


def read_checkpoint(folder: Path, *, needs_weights: bool = True) -> Checkpoint:
    """Read and judge a checkpoint.

    Args:
        folder: its directory.
        needs_weights: False where vLLM will invent them (`--load-format dummy`).

    Raises:
        EngineWontStart: vLLM could not serve it; says why in a line.
    """
    if not folder.is_dir():
        raise EngineWontStart(f"There is no checkpoint directory {folder}.")
    config = _read_config(folder)
    _judge_tokenizer(folder, vocabulary=config.vocab_size)
    if needs_weights:
        _judge_weights(folder)
    return Checkpoint(
        folder=folder,
        width=config.n_embd,
        layers=config.n_layer,
        heads=config.n_head,
        window=config.n_positions,
        vocabulary=config.vocab_size,
        inner=config.n_inner or 4 * config.n_embd,
    )


def _read_config(folder: Path) -> Config:
    path = folder / "config.json"
    raw = _read_json(path)
    architectures = raw.get("architectures")
    if not isinstance(architectures, list) or ARCHITECTURE not in architectures:
        raise EngineWontStart(f"{path} is of {architectures or 'no architecture'}, not a GPT-J.")
    if "rope_parameters" in raw and raw["rope_parameters"] is None:
        raise EngineWontStart(f'{path} has "rope_parameters": null: vLLM fails on it. Delete it.')
    try:
        config = Config.model_validate(raw)
    except ValidationError as error:
        wrong = "; ".join(f"{item['loc'][0]}: {item['msg']}" for item in error.errors())
        raise EngineWontStart(f"{path}: {wrong}") from error
    if config.n_embd % config.n_head:
        raise EngineWontStart(f"{path}: n_embd {config.n_embd} is no multiple of n_head.")
    if (config.rotary_dim or 0) > config.n_embd // config.n_head:
        raise EngineWontStart(f"{path}: rotary_dim is larger than a head.")
    return config


def _judge_tokenizer(folder: Path, *, vocabulary: int) -> None:
    whole, parts = folder / "tokenizer.json", (folder / "vocab.json", folder / "merges.txt")
    if whole.is_file():
        raw = _read_json(whole)
        model = raw.get("model")
        tokens = model.get("vocab") if isinstance(model, dict) else None
        added = raw.get("added_tokens") or []
        if not isinstance(tokens, dict) or not isinstance(added, list):
            raise EngineWontStart(f"{whole} has no vocabulary.")
        ids = [*tokens.values(), *(one.get("id", 0) for one in added if isinstance(one, dict))]
    elif all(part.is_file() for part in parts):
        ids = list(_read_json(parts[0]).values())
    else:
        raise EngineWontStart(f"{folder} has no tokenizer: tokenizer.json is missing.")
    largest = max((one for one in ids if isinstance(one, int)), default=-1)
    if largest >= vocabulary:
        raise EngineWontStart(
            f"The tokenizer in {folder} knows token {largest}, the model only {vocabulary}: "
            "they don't belong together."
        )


def _judge_weights(folder: Path) -> None:
    for stem in ("model.safetensors", "pytorch_model.bin"):
        index = folder / f"{stem}.index.json"
        if index.is_file():
            shards = _read_json(index).get("weight_map")
            if not isinstance(shards, dict) or not shards:
                raise EngineWontStart(f"{index} lists no weights.")
            for shard in sorted(set(shards.values())):
                _judge_file(folder / str(shard), needed_by=index)
            return
        if (folder / stem).is_file():
            _judge_file(folder / stem, needed_by=folder)
            return
    raise EngineWontStart(f"{folder} has no weights: model.safetensors is missing.")


def _judge_file(path: Path, *, needed_by: Path) -> None:
    if not path.is_file():
        raise EngineWontStart(f"{path} is missing; {needed_by} needs it.")
    with path.open("rb") as file:
        head = file.read(len(LFS_POINTER))
    if head == LFS_POINTER:
        raise EngineWontStart(f"{path} is only a git-lfs pointer: run `git lfs pull`.")
    if not head:
        raise EngineWontStart(f"{path} is empty.")


def _read_json(path: Path) -> dict[str, object]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise EngineWontStart(f"{path} is missing.") from error
    except (OSError, ValueError) as error:
        raise EngineWontStart(f"{path} can't be read: {error}") from error
    if not isinstance(raw, dict):
        raise EngineWontStart(f"{path} is no JSON object.")
    return raw
