"""Heads that copy, set by hand before the first step.

To answer "Nice to meet you, Priya." a model must find where "Pri" stood and
what came after. Trained from nothing, such heads form late; set by hand they
are there at once, and training keeps and bends them. On random words said
twice, a model so begun copied after 0.5 M tokens what others did not after 3.

Layer 0, head 0 looks one token back (by rotary phase alone) and writes what it
saw into dimensions kept free for it, the tag. In layer 1 the heads look for
tokens whose tag is the present token: what follows an earlier occurrence. Each
copies a part of the embedding found there, and the tied output reads it.
"""

from __future__ import annotations

import torch

from engine.training.model import Layer, Model, frequencies

LOOK_BACK = 9.0
"""Strength of the look one token back: the softmax gap to its neighbours is about 6."""
MATCH = 2.2
"""Strength of the match of a token and a tag."""
COPY = 0.7
"""Size of what is copied, against the embedding's own."""
ALWAYS = 1.0
"""What the normalised input holds in dimension 0, whatever the token: a bias for attention."""


@torch.no_grad()
def set_copying_heads(model: Model) -> None:
    """Set the first two layers of a fresh model; needs two layers, and heads wider than rotary."""
    shape = model.shape
    head = shape.width // shape.heads
    tag = head - shape.rotary
    if shape.layers < 2 or tag < 1:
        return
    first_tag = shape.width - tag
    model.embedding.weight[:, 0] = 0.0
    model.embedding.weight[:, first_tag:] = 0.0
    look, match = model.stack[:2]
    for layer in (look, match):
        layer.norm.weight[0], layer.norm.bias[0] = 0.0, ALWAYS
    _look_back(look, head=head, rotary=shape.rotary, tag=tag)
    for at in range(shape.heads):
        _match_and_copy(match, at, head=head, rotary=shape.rotary, tag=tag)


def _look_back(layer: Layer, *, head: int, rotary: int, tag: int) -> None:
    q, k, v = layer.qkv.weight.view(3, -1, layer.qkv.weight.shape[1])
    turns = frequencies(rotary)
    for part in (q, k, v):
        part[:head] = 0.0
    q[0:rotary:2, 0] = LOOK_BACK * turns.cos()
    q[1:rotary:2, 0] = -LOOK_BACK * turns.sin()
    k[0:rotary:2, 0] = LOOK_BACK
    own = torch.arange(tag)
    v[own, own + 1] = 1.0
    layer.out.weight[:, :head] = 0.0
    # The embedding's spread is 0.05 and the normalised input's 1.
    layer.out.weight[layer.out.weight.shape[0] - tag + own, own] = 0.05


def _match_and_copy(layer: Layer, at: int, *, head: int, rotary: int, tag: int) -> None:
    width = layer.qkv.weight.shape[1]
    q, k, v = layer.qkv.weight.view(3, width, width)
    rows = slice(at * head, (at + 1) * head)
    for part in (q, k, v):
        part[rows] = 0.0
    own = torch.arange(tag)
    q[at * head + rotary + own, own + 1] = MATCH
    k[at * head + rotary + own, width - tag + own] = MATCH
    copied = torch.arange(at * head, min((at + 1) * head, width - tag))
    v[copied, copied] = 1.0
    layer.out.weight[:, rows] = 0.0
    layer.out.weight[copied, copied] = 0.05 * COPY * 2
