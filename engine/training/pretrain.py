"""A whole run: corpus, tokenizer, model, loop. Resumable at any step."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import torch
from tokenizers import Tokenizer

from engine.training import vocabulary
from engine.training.corpus import Corpus, opening, segments
from engine.training.gptj import load_gptj
from engine.training.induction import set_copying_heads
from engine.training.loop import CHECKPOINT, Trainer
from engine.training.losses import LOG, open_losses
from engine.training.model import Model, Shape
from engine.training.packing import Packer
from engine.training.ranks import Ranks, joined
from engine.training.recipe import Recipe, RecipeError

TOKENIZER_DIALOGUES = 6_000
"""Dialogues that the tokenizer is trained on, of twelve exchanges each."""
RECIPE = "recipe.json"
MAY_CHANGE = (
    "tokens",
    "row_lengths",
    "micro_tokens",
    "person_weight",
    "reading_weight",
    "decay",
    "threads",
    "save_every",
)
"""Fields of a recipe in which a run that is taken up again may differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is."""

    step: int
    steps: int
    loss: float
    """Nats a token of Jay's, on this step's batch."""
    took_s: float
    """What this step took, its text drawn and encoded included."""
    tokens: int
    """How many tokens this step read."""


def ignore(progress: Progress) -> None:
    """Report to nobody."""


def go_on() -> bool:
    """Never stop before the end."""
    return False


def train(
    recipe: Recipe,
    *,
    out: Path,
    resume: bool = True,
    progress: Callable[[Progress], None] = ignore,
    stop: Callable[[], bool] = go_on,
) -> bool:
    """Train by a recipe; return whether the run is complete.

    The folder then holds tokenizer, recipe, checkpoint and losses.

    Args:
        recipe: what to train.
        out: the folder of this run; a run found there is taken up.
        resume: begin anew if false.
        progress: called after each step.
        stop: asked after each step; true saves and returns.

    Raises:
        RecipeError: the folder holds a run of another recipe.
        CheckpointError: a checkpoint can't be read or written.
    """
    torch.set_num_threads(recipe.threads)
    torch.manual_seed(recipe.seed)
    corpus = Corpus(seed=recipe.seed, tasks_first=recipe.tasks_first, haste=recipe.haste)
    with joined() as ranks:
        if ranks.first:
            out.mkdir(parents=True, exist_ok=True)
            _claim(recipe, out, resume=resume)
            tokenizer_of(recipe, out, corpus)
        ranks.meet()
        packer = Packer(corpus, tokenizer_of(recipe, out, corpus), recipe)
        trainer = _trainer(recipe, ranks, out, resume=resume)
        return _learn(trainer, packer, out, progress, stop)


def _trainer(recipe: Recipe, ranks: Ranks, out: Path, *, resume: bool) -> Trainer:
    """Return what trains the model, at the run's checkpoint or at its begin."""
    model = Model(Shape.of(recipe))
    taken_up = resume and (out / CHECKPOINT).exists()
    if not taken_up:
        _begin(model, recipe)
    trainer = Trainer(model, recipe, ranks)
    if taken_up:
        trainer.load(out)
    return trainer


def _learn(
    trainer: Trainer,
    packer: Packer,
    out: Path,
    progress: Callable[[Progress], None],
    stop: Callable[[], bool],
) -> bool:
    """Take steps until the end, or until it is asked to stop; tell whether that is the end."""
    recipe, ranks = trainer.recipe, trainer.ranks
    stopped = False
    with open_losses(out, after=trainer.step) if ranks.first else nullcontext() as losses:
        while trainer.step < recipe.steps and not stopped:
            done = _step(trainer, packer)
            stopped = ranks.any(stop())
            if losses is not None:
                losses.note(done.step, done.loss)
                progress(done)
                if stopped or done.step == recipe.steps or done.step % recipe.save_every == 0:
                    trainer.save(out)
    return trainer.step >= recipe.steps


def _begin(model: Model, recipe: Recipe) -> None:
    if recipe.start:
        load_gptj(model, Path(recipe.start))
    elif recipe.induction:
        set_copying_heads(model)


def _step(trainer: Trainer, packer: Packer) -> Progress:
    began = time.monotonic()
    batches = list(packer.step(trainer.step))
    loss = trainer.learn(batches)
    return Progress(
        step=trainer.step,
        steps=trainer.recipe.steps,
        loss=loss,
        took_s=time.monotonic() - began,
        tokens=sum(batch.ids.numel() for batch in batches),
    )


def tokenizer_of(recipe: Recipe, out: Path, corpus: Corpus) -> Tokenizer:
    """Return the run's tokenizer: that of the checkpoint it starts from, or trained on first use.

    Raises:
        RecipeError: the folder's tokenizer does not fit the recipe.
    """
    path = out / "tokenizer.json"
    if not path.exists() and recipe.start:
        _take_over(Path(recipe.start), out)
    elif not path.exists():
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


def _take_over(start: Path, out: Path) -> None:
    try:
        vocabulary.copy(start, out)
    except OSError as error:
        raise RecipeError(f"{start} holds no tokenizer to start with: {error}") from error


def recipe_of(out: Path) -> Recipe:
    """Return the recipe of the run that a folder holds.

    Raises:
        RecipeError: it holds none.
    """
    try:
        return Recipe(**json.loads((out / RECIPE).read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise RecipeError(f"{out} holds no training run") from error


def _claim(recipe: Recipe, out: Path, *, resume: bool) -> None:
    """Write the recipe down, or compare it with the one of the run found there."""
    path = out / RECIPE
    mine = asdict(recipe)
    found = asdict(recipe_of(out)) if resume and path.exists() else mine
    if {**found, **{name: mine[name] for name in MAY_CHANGE}} != mine:
        raise RecipeError(f"{out} holds a run of another recipe; take another folder")
    if not resume:
        for name in ("tokenizer.json", LOG):
            (out / name).unlink(missing_ok=True)
    path.write_text(json.dumps(mine, indent=2) + "\n")
