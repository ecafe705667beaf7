"""A whole run: corpus, tokenizer, model, loop. Resumable at any step."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import torch
from tokenizers import Tokenizer

from engine.training import vocabulary
from engine.training.corpus import Corpus, opening, segments
from engine.training.induction import set_copying_heads
from engine.training.loop import Trainer
from engine.training.model import Model, Shape
from engine.training.packing import Packer
from engine.training.recipe import Recipe, RecipeError

TOKENIZER_DIALOGUES = 6_000
"""Dialogues that the tokenizer is trained on, of twelve exchanges each."""
LOG = "losses.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is."""

    step: int
    steps: int
    loss: float
    """Nats a token of Jay's, on this step's batch."""
    tokens_per_s: float
    left_s: float


def ignore(progress: Progress) -> None:
    """Report to nobody."""


def train(
    recipe: Recipe,
    *,
    out: Path,
    resume: bool = True,
    progress: Callable[[Progress], None] = ignore,
    until: int | None = None,
) -> Path:
    """Train by a recipe, and return the folder with tokenizer, checkpoint and losses.

    Args:
        recipe: what to train.
        out: the folder of this run; a run found there is taken up.
        resume: begin anew if false.
        progress: called after each step.
        until: stop after this step as if killed there; the whole run otherwise.

    Raises:
        RecipeError: the folder holds a run of another recipe.
    """
    torch.set_num_threads(recipe.threads)
    torch.manual_seed(recipe.seed)
    out.mkdir(parents=True, exist_ok=True)
    corpus = Corpus(seed=recipe.seed)
    _claim(recipe, out, resume=resume)
    tokenizer = tokenizer_of(recipe, out, corpus)
    model = Model(Shape.of(recipe))
    if recipe.induction:
        set_copying_heads(model)
    trainer = Trainer(model, recipe)
    if resume:
        trainer.load(out)
    packer = Packer(corpus, tokenizer, recipe)
    last = min(recipe.steps, until if until is not None else recipe.steps)
    with (out / LOG).open("a") as log:
        while trainer.step < last:
            began = time.monotonic()
            loss = trainer.learn(list(packer.step(trainer.step)))
            took = time.monotonic() - began
            done = Progress(
                step=trainer.step,
                steps=recipe.steps,
                loss=loss,
                tokens_per_s=recipe.batch_tokens / took,
                left_s=took * (recipe.steps - trainer.step),
            )
            log.write(json.dumps({"step": done.step, "loss": round(loss, 6)}) + "\n")
            log.flush()
            progress(done)
            if trainer.step % recipe.save_every == 0 or trainer.step == last:
                trainer.save(out)
    return out


def tokenizer_of(recipe: Recipe, out: Path, corpus: Corpus) -> Tokenizer:
    """Return the run's tokenizer, trained on first use."""
    path = out / "tokenizer.json"
    if not path.exists():
        count = min(TOKENIZER_DIALOGUES, max(100, recipe.tokens // 100))
        texts = (
            text
            for number in range(count)
            for exchange in islice(corpus.dialogue(-1 - number), 12)
            for text, _ in segments(exchange)
        )
        vocabulary.save(vocabulary.learn(texts, size=recipe.vocabulary), out, window=recipe.window)
    tokenizer = Tokenizer.from_file(str(path))
    if tokenizer.get_vocab_size() > recipe.vocabulary or tokenizer.encode(opening()).ids != [0]:
        raise RecipeError(f"{path} is not the tokenizer of this recipe")
    return tokenizer


def _claim(recipe: Recipe, out: Path, *, resume: bool) -> None:
    """Write the recipe down, or compare it with the one of the run found there."""
    path = out / "recipe.json"
    mine = json.dumps(asdict(recipe), indent=2) + "\n"
    if resume and path.exists() and path.read_text() != mine:
        raise RecipeError(f"{out} holds a run of another recipe; take another folder")
    if not resume:
        for name in ("tokenizer.json", LOG):
            (out / name).unlink(missing_ok=True)
    path.write_text(mine)
