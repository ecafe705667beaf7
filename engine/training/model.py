"""GPT-J on one page, as it is trained here.

The same function as transformers' `GPTJForCausalLM` and vLLM's, with two
differences of form: the three projections of attention are one matrix, and the
output matrix is the embedding (tied). `publish` undoes both; a test compares
the logits.

What makes it GPT-J: one LayerNorm a layer, whose output feeds attention and
MLP side by side; no biases in attention; rotary phases on the first dimensions
of each head, on neighbouring pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as fn

from engine.training.recipe import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The size of a model."""

    width: int
    layers: int
    heads: int
    rotary: int
    vocabulary: int
    window: int

    @classmethod
    def of(cls, recipe: Recipe) -> Shape:
        """Return the size that a recipe asks for."""
        return cls(
            width=recipe.width,
            layers=recipe.layers,
            heads=recipe.heads,
            rotary=recipe.rotary,
            vocabulary=recipe.vocabulary,
            window=recipe.window,
        )


class Layer(nn.Module):
    """Attention and MLP side by side on one normalised input."""

    def __init__(self, shape: Shape) -> None:
        """Draw the weights; matrices that write into the stream start small."""
        super().__init__()
        width = shape.width
        self.heads, self.rotary = shape.heads, shape.rotary
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)
        for matrix in (self.qkv, self.up):
            nn.init.normal_(matrix.weight, std=width**-0.5 / 2)
        for matrix in (self.out, self.down):
            nn.init.normal_(matrix.weight, std=0.02 / (2 * shape.layers) ** 0.5)
        nn.init.zeros_(self.up.bias)
        nn.init.zeros_(self.down.bias)

    def forward(self, x: torch.Tensor, phases: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """Map the stream, shape (rows, tokens, width), to itself plus what this layer adds."""
        rows, tokens, width = x.shape
        normed = self.norm(x)
        heads = self.qkv(normed).view(rows, tokens, 3, self.heads, width // self.heads)
        q, k, v = heads.permute(2, 0, 3, 1, 4)
        q, k = self._turn(q, phases), self._turn(k, phases)
        seen = fn.scaled_dot_product_attention(q, k, v, is_causal=True)
        attended: torch.Tensor = self.out(seen.transpose(1, 2).reshape(rows, tokens, width))
        thought: torch.Tensor = self.down(fn.gelu(self.up(normed), approximate="tanh"))
        return x + attended + thought

    def _turn(self, x: torch.Tensor, phases: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """Rotate neighbouring pairs of the first dimensions by the token's position."""
        cos, sin = phases
        turning, still = x[..., : self.rotary], x[..., self.rotary :]
        even, odd = turning[..., 0::2], turning[..., 1::2]
        turned = torch.stack((even * cos - odd * sin, odd * cos + even * sin), dim=-1)
        return torch.cat((turned.flatten(-2), still), dim=-1)


class Model(nn.Module):
    """A whole GPT-J with tied embeddings."""

    cos: torch.Tensor
    sin: torch.Tensor

    def __init__(self, shape: Shape) -> None:
        """Draw the weights from torch's generator: seed it first."""
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        nn.init.normal_(self.embedding.weight, std=0.05)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.width)
        self.bias = nn.Parameter(torch.zeros(shape.vocabulary))
        angles = torch.outer(torch.arange(shape.window), frequencies(shape.rotary))
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    @property
    def stack(self) -> list[Layer]:
        """The layers, from the embedding up."""
        return [layer for layer in self.layers if isinstance(layer, Layer)]

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Return the logits of the next token at every place, (rows, tokens, vocabulary)."""
        phases = self.cos[: ids.shape[1]], self.sin[: ids.shape[1]]
        x = self.embedding(ids)
        for layer in self.layers:
            x = layer(x, phases)
        return fn.linear(self.norm(x), self.embedding.weight, self.bias)


def frequencies(rotary: int) -> torch.Tensor:
    """Return the turn per token of each rotary pair, fastest first."""
    return 10_000.0 ** (-torch.arange(0, rotary, 2).float() / rotary)
