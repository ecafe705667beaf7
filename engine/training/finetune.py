"""Fine-tuning: a checkpoint goes on learning from an operator's own conversations.

The same run for the bundled checkpoint and for GPT-J-6B; the recipe says
whether all weights are tuned or adapters beside them. Which lines a step
learns from follows from the seed and the step alone, so a run that was killed
goes on as if it had not been. A share of the lines is kept from training: the
loss on them, before and after, is what was gained. Where dialogues of the
bundled corpus are mixed in, held-out ones of them show what was lost.
"""

from __future__ import annotations

import hashlib
import json
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
from tokenizers import Tokenizer

from bot.family import Family
from bot.prompts import ServedModel
from engine.checkpoint import Checkpoint
from engine.families import family_for, load_families
from engine.machine import read_machine
from engine.training.corpus import MINI, Corpus
from engine.training.examples import Example, read_examples, split
from engine.training.losses import open_losses
from engine.training.memory import OutOfMemory
from engine.training.pretrain import Progress, go_on, ignore
from engine.training.publish import publish_tuned
from engine.training.ranks import joined
from engine.training.recipe import RecipeError, TuningRecipe
from engine.training.rows import Row, RowWriter
from engine.training.tuner import BYTES_FROZEN, BYTES_FULL, Tuner
from engine.training.weights import find_start, load_weights

RUN = "tuning.json"
MODEL = "model"
MAY_CHANGE = ("rows_at_once", "threads", "save_every")
"""Fields of a recipe in which a run that is taken up again may differ."""
MOST_MEASURED = 64
"""Rows that a loss is measured on: enough to see, few enough for 6B on a CPU."""
CORPUS_MEASURED = 24
"""Dialogues of the bundled corpus that it is measured on; they are long."""
MEASURED_BY = 90_002
"""Seed of the dialogues of the corpus that are measured on; no run's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """What a run learns from and measures on."""

    learned: tuple[Row, ...]
    held_out: tuple[Row, ...]
    held_out_lines: tuple[int, ...]
    """Numbers of the lines behind `held_out`."""
    corpus: tuple[Row, ...]
    """Held-out dialogues of the bundled corpus; empty where none are mixed in."""
    cut: tuple[int, ...]
    """Numbers of the lines that lost their beginning, being longer than a row."""
    longest: int
    """Tokens of the longest row that there can be."""
    pale: bool
    """Whether lines have a `system` message that the family has no place for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """Nats a token that Jay says."""

    held_out: float
    corpus: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to."""

    complete: bool
    before: Losses
    after: Losses | None
    """None: not complete."""
    tuned_parameters: int
    peak_bytes: int
    """The most memory that was held at a time: the process's, or the GPU's where there is one."""
    first: bool
    """Whether this process tells, of several that train together."""


def finetune(
    path: Path,
    recipe: TuningRecipe,
    *,
    out: Path,
    start: Path | None = None,
    dummy: bool = False,
    found: Callable[[Data], None] = lambda _: None,
    progress: Callable[[Progress], None] = ignore,
    stop: Callable[[], bool] = go_on,
) -> Outcome:
    """Tune a checkpoint by a recipe; the model is then in the folder `model` of the run.

    Args:
        path: the data set, as `examples` reads it.
        recipe: how.
        out: the folder of this run; a run found there is taken up.
        start: the checkpoint's folder; None: the bundled one, or what the recipe is for.
        dummy: invent the weights of the start.
        found: called with the data before the first step.
        progress: called after each step.
        stop: asked after each step; true saves and returns.

    Raises:
        DataError: the data set can't be learned from.
        RecipeError: the folder holds another run, or the recipe needs a start.
        EngineWontStart: the start holds no GPT-J.
        TokenizerMismatch: its tokenizer is not its family's.
        OutOfMemory: it doesn't fit.
        CheckpointError: a checkpoint can't be read or written.
        PublishError: the model can't be written; the one before is still there.
    """
    examples = read_examples(path)
    torch.set_num_threads(recipe.threads)
    torch.manual_seed(recipe.seed)
    with joined() as ranks:
        folder, checkpoint = find_start(recipe, start, dummy=dummy, run=out)
        _check_memory(recipe, checkpoint)
        family = _family(folder)
        mixes = recipe.kept > 0 and family.name == MINI.name
        writer = RowWriter(
            Tokenizer.from_file(str(folder / "tokenizer.json")),
            family,
            longest=min(recipe.row_tokens, checkpoint.window),
        )
        data = _data(examples, writer, recipe, family, mixes=mixes)
        if ranks.first:
            _claim(recipe, path, folder, out)
            found(data)
        tuner = Tuner(load_weights(folder, dummy=dummy, dtype=_dtype(recipe)), recipe, ranks)
        run = _Run(tuner, data, writer if mixes else None, out)
        before = run.begin()
        complete = run.learn(progress, stop)
        after = run.end(folder, family) if complete else None
        return Outcome(
            complete=complete,
            before=before,
            after=after,
            tuned_parameters=tuner.tuned_parameters,
            peak_bytes=_peak_bytes(),
            first=ranks.first,
        )


class _Run:
    """One run, from its checkpoint to its model."""

    def __init__(self, tuner: Tuner, data: Data, mixing: RowWriter | None, out: Path) -> None:
        self._tuner, self._data, self._mixing, self._out = tuner, data, mixing, out
        self._steps = tuner.recipe.steps(len(data.learned))
        self._corpus = Corpus(seed=tuner.recipe.seed) if mixing else None
        self._kept: dict[str, Any] = {}

    def begin(self) -> Losses:
        """Take up the checkpoint, or measure before the first step."""
        kept = self._tuner.load(self._out)
        self._kept = asdict(self._measure()) if kept is None else kept
        return Losses(**self._kept)

    def learn(self, progress: Callable[[Progress], None], stop: Callable[[], bool]) -> bool:
        """Take steps until the end, or until it is asked to stop; tell whether that is the end."""
        tuner, steps = self._tuner, self._steps
        stopped = False
        with open_losses(self._out, after=tuner.step) as losses:
            while tuner.step < steps and not stopped:
                done = self._step()
                stopped = tuner.ranks.any(stop())
                if tuner.ranks.first:
                    losses.note(done.step, done.loss)
                    progress(done)
                    if stopped or done.step == steps or done.step % tuner.recipe.save_every == 0:
                        tuner.save(self._out, self._kept)
        return tuner.step >= steps

    def end(self, start: Path, family: Family) -> Losses:
        """Write the model, and measure it as it is written."""
        model = self._tuner.settle()
        if self._tuner.ranks.first:
            publish_tuned(model, start=start, family=family, out=self._out / MODEL)
        return self._measure()

    def _step(self) -> Progress:
        began = time.monotonic()
        rows = self._rows(self._tuner.step)
        loss = self._tuner.learn(rows, steps=self._steps)
        return Progress(
            step=self._tuner.step,
            steps=self._steps,
            loss=loss,
            took_s=time.monotonic() - began,
            tokens=sum(len(row.ids) for row in rows),
        )

    def _rows(self, step: int) -> list[Row]:
        """Return a step's rows: the next of the data, shuffled anew each time it is through."""
        recipe, learned = self._tuner.recipe, self._data.learned
        rows = []
        for at in range(step * recipe.rows, (step + 1) * recipe.rows):
            epoch, place = divmod(at, len(learned))
            order = list(range(len(learned)))
            Random(f"lines:{recipe.seed}:{epoch}").shuffle(order)
            rows.append(learned[order[place]])
        if self._mixing is not None and self._corpus is not None:
            count = round(recipe.kept * recipe.rows)
            numbers = range(step * count, (step + 1) * count)
            rows += self._mixing.kept(self._corpus, numbers)
        return rows

    def _measure(self) -> Losses:
        corpus = self._data.corpus
        return Losses(
            held_out=self._tuner.measure(self._data.held_out[:MOST_MEASURED]),
            corpus=self._tuner.measure(corpus) if corpus else None,
        )


def _data(
    examples: Sequence[Example],
    writer: RowWriter,
    recipe: TuningRecipe,
    family: Family,
    *,
    mixes: bool,
) -> Data:
    learned, held_out = split(examples, seed=recipe.seed)
    cut = [one.line for one in examples if writer.write(one)[1]]
    corpus = Corpus(seed=MEASURED_BY, held_out=True) if mixes else None
    return Data(
        learned=tuple(writer.write(one)[0] for one in learned),
        held_out=tuple(writer.write(one)[0] for one in held_out),
        held_out_lines=tuple(one.line for one in held_out),
        corpus=tuple(writer.kept(corpus, range(CORPUS_MEASURED))) if corpus else (),
        cut=tuple(cut),
        longest=writer.longest,
        pale="{persona}" not in family.preamble and any(one.persona for one in examples),
    )


def _family(folder: Path) -> Family:
    name = folder.resolve().name
    model = ServedModel(name=name, window=0, revision=str(folder))
    return family_for(model, load_families(), chosen="")


def _dtype(recipe: TuningRecipe) -> torch.dtype:
    return torch.bfloat16 if recipe.lora_rank else torch.float32


def _check_memory(recipe: TuningRecipe, checkpoint: Checkpoint) -> None:
    """Say before anything is loaded that it can't fit: the kernel would only kill us.

    Raises:
        OutOfMemory: the weights and what trains them are more than is free.
    """
    if torch.cuda.is_available():
        return
    needed = checkpoint.parameters * (BYTES_FROZEN if recipe.lora_rank else BYTES_FULL)
    free = read_machine().free_bytes
    if free is not None and needed > free:
        raise OutOfMemory(
            f"tuning {checkpoint.parameters / 1e6:,.0f} million weights needs "
            f"{needed / 2**30:.1f} GiB before the first row; {free / 2**30:.1f} GiB are free",
            hint="Adapters take an eighth of what all weights take: --recipe gptj-6b-lora.",
        )


def _peak_bytes() -> int:
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _claim(recipe: TuningRecipe, path: Path, start: Path, out: Path) -> None:
    """Write down what the run is, or compare it with the run found there.

    Raises:
        RecipeError: that is another one.
    """
    mine = {
        "recipe": {**asdict(recipe), "lora_on": list(recipe.lora_on)},
        "data": hashlib.sha256(path.read_bytes()).hexdigest(),
        "start": str(start.resolve()),
    }
    out.mkdir(parents=True, exist_ok=True)
    place = out / RUN
    if place.exists():
        found = json.loads(place.read_text())
        found["recipe"] |= {name: asdict(recipe)[name] for name in MAY_CHANGE}
        other = [name for name in mine if mine[name] != found.get(name)]
        if other:
            raise RecipeError(
                f"{out} holds a run with another {' and '.join(other)}; take another folder"
            )
    place.write_text(json.dumps(mine, indent=2) + "\n")
