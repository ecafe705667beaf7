"""A whole run of the tiny recipe: it learns, it resumes, and it never loses what it has."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from engine.training.corpus import Corpus  # noqa: E402
from engine.training.gptj import load_gptj  # noqa: E402
from engine.training.loop import (  # noqa: E402
    CHECKPOINT,
    CheckpointError,
    Trainer,
    load_state,
    schedule,
)
from engine.training.losses import LOG, read_losses  # noqa: E402
from engine.training.memory import OutOfMemory  # noqa: E402
from engine.training.model import Model, Shape  # noqa: E402
from engine.training.packing import Packer  # noqa: E402
from engine.training.pretrain import recipe_of, tokenizer_of, train  # noqa: E402
from engine.training.publish import largest_difference, publish  # noqa: E402
from engine.training.ranks import Ranks  # noqa: E402
from engine.training.recipe import Recipe, RecipeError, load_recipe  # noqa: E402

pytestmark = pytest.mark.torch
TINY = load_recipe("tiny")
WAIT_S = 120.0


def after(steps: int) -> Callable[[], bool]:
    """Return what asks to stop after so many steps."""
    left = iter(range(steps - 1, -1, -1))
    return lambda: next(left) == 0


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole")
    assert train(TINY, out=out)
    return out


def test_the_loss_falls(whole_run: Path) -> None:
    curve = read_losses(whole_run)

    assert len(curve) == TINY.steps
    assert sum(curve[-3:]) / 3 < sum(curve[:3]) / 3 - 0.5


def test_a_run_reads_as_many_tasks_as_its_recipe_says(whole_run: Path, tmp_path: Path) -> None:
    train(replace(TINY, tasks_first=0.0), out=tmp_path, stop=after(1))

    assert read_losses(tmp_path)[0] != pytest.approx(read_losses(whole_run)[0], abs=1e-4)


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(
    whole_run: Path, tmp_path: Path
) -> None:
    first = train(TINY, out=tmp_path, stop=after(7))
    second = train(TINY, out=tmp_path)

    assert (first, second) == (False, True)
    assert read_losses(tmp_path) == pytest.approx(read_losses(whole_run), abs=1e-4)


def test_a_run_that_was_killed_goes_on_as_if_it_had_not_been(
    whole_run: Path, tmp_path: Path
) -> None:
    """A power cut leaves lines of steps that no checkpoint holds, the last one half written."""

    def killed() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(TINY, out=tmp_path, progress=lambda done: killed() if done.step == 8 else None)
    with (tmp_path / LOG).open("a") as log:
        log.write('{"step": 9, "lo')

    assert train(TINY, out=tmp_path)
    assert read_losses(tmp_path) == pytest.approx(read_losses(whole_run), abs=1e-4)


def test_two_processes_of_torchrun_take_the_steps_of_one(whole_run: Path, tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
        *("--no-python", sys.executable, "-c", "from bot.cli import main; main()"),
        *("train", "mini", "--recipe", "tiny", "--out", str(tmp_path)),
    ]

    told = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )

    assert told.returncode == 0, told.stderr[-2000:]
    assert told.stdout.count("Done: ") == 1
    assert read_losses(tmp_path) == pytest.approx(read_losses(whole_run), abs=1e-2)


def test_more_processes_than_micro_batches_are_refused() -> None:
    """Those without one would wait for the others' gradients for ever."""
    three = Ranks(count=3, device=torch.device("cpu"))

    with pytest.raises(RecipeError, match="batch_tokens must be 3 times micro_tokens"):
        Trainer(Model(Shape.of(TINY)), TINY, three)


def test_a_micro_batch_that_does_not_fit_is_told_with_a_smaller_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 9 bytes")

    monkeypatch.setattr(Model, "forward", full)

    with pytest.raises(OutOfMemory, match="128 tokens at once") as told:
        train(TINY, out=tmp_path)
    assert "micro_tokens = 64" in told.value.hint


def test_every_token_of_what_is_given_back_weighs_more(whole_run: Path) -> None:
    corpus = Corpus(seed=3)
    tokenizer = tokenizer_of(TINY, whole_run, corpus)
    recipe = replace(TINY, row_lengths={"400": 1.0}, micro_tokens=6_000, batch_tokens=6_000)
    weighed = [
        tokenizer.decode(batch.targets[row][batch.weights[row] == recipe.reading_weight].tolist())
        for step in range(12)
        for batch in Packer(corpus, tokenizer, recipe).step(step)
        for row in range(len(batch.ids))
    ]
    told = [
        one.value
        for step in range(12)
        for number in range(15)
        for one in islice(corpus.dialogue(step * recipe.batch_tokens + number), 2)
        if one.intent == "memory.name_told"
    ]

    assert told
    assert all(any(f" {name}" in text for text in weighed) for name in told)


def test_the_end_may_be_chosen_while_the_run_goes_on(tmp_path: Path) -> None:
    """Whoever sees that the time runs out lets the rates fall early."""
    train(TINY, out=tmp_path, stop=after(3))
    shorter = replace(TINY, tokens=TINY.batch_tokens * 5)

    assert train(shorter, out=tmp_path)
    assert recipe_of(tmp_path).tokens == shorter.tokens
    assert len(read_losses(tmp_path)) == 5


@pytest.fixture(scope="module")
def published(whole_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish(whole_run, tmp_path_factory.mktemp("published") / "model")


def test_a_published_model_is_taken_over_exactly(published: Path) -> None:
    model = Model(Shape.of(TINY)).eval()

    load_gptj(model, published)

    assert largest_difference(model, published) < 1e-4


def test_a_run_may_start_where_another_was_published(
    whole_run: Path, published: Path, tmp_path: Path
) -> None:
    train(replace(TINY, start=str(published)), out=tmp_path, stop=after(1))

    assert read_losses(tmp_path)[0] < read_losses(whole_run)[0] - 0.5
    assert (tmp_path / "tokenizer.json").read_bytes() == (published / "tokenizer.json").read_bytes()


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"start": "nowhere"}, "nowhere holds no tokenizer"),
        ({"layers": 3}, "another size than the recipe: n_layer 2 for 3"),
    ],
)
def test_a_start_that_does_not_fit_says_why(
    published: Path, tmp_path: Path, change: dict[str, object], wrong: str
) -> None:
    recipe = replace(TINY, **{"start": str(published), **change})  # type: ignore[arg-type]

    with pytest.raises(RecipeError, match=wrong):
        train(recipe, out=tmp_path)


def test_the_rates_rise_stay_and_fall_to_nothing() -> None:
    recipe = replace(TINY, tokens=100 * TINY.batch_tokens, warmup_tokens=10 * TINY.batch_tokens)

    curve = [schedule(step, recipe) for step in range(100)]

    assert curve[:10] == sorted(curve[:10])
    assert set(curve[10:59]) == {1.0}
    assert curve[60:] == sorted(curve[60:], reverse=True)
    assert 0.0 < curve[-1] < 0.01


def test_a_run_of_another_recipe_is_not_taken_up(whole_run: Path) -> None:
    before = (whole_run / CHECKPOINT).read_bytes()

    with pytest.raises(RecipeError, match="another recipe"):
        train(replace(TINY, width=64), out=whole_run)

    assert (whole_run / CHECKPOINT).read_bytes() == before


def test_a_broken_checkpoint_is_named_and_left(tmp_path: Path) -> None:
    train(TINY, out=tmp_path, stop=after(1))
    (tmp_path / CHECKPOINT).write_bytes(b"half a checkp")

    with pytest.raises(CheckpointError, match=r"checkpoint\.pt can't be read"):
        train(TINY, out=tmp_path)

    assert (tmp_path / CHECKPOINT).read_bytes() == b"half a checkp"


def test_a_full_disk_leaves_the_checkpoint_that_was_there(tmp_path: Path) -> None:
    train(TINY, out=tmp_path, stop=after(1))
    (tmp_path / f"{CHECKPOINT}.part").symlink_to("/dev/full")

    with pytest.raises(CheckpointError, match="can't be written"):
        train(TINY, out=tmp_path, stop=after(1))

    state = load_state(tmp_path)
    assert state is not None
    assert state["step"] == 1


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("width = 3", "missing"),
        ('wdith = 3\nname = "x"', "no recipe has: wdith"),
        ("width = ", "Invalid value"),
    ],
)
def test_a_recipe_that_is_wrong_says_where(tmp_path: Path, text: str, wrong: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)

    with pytest.raises(RecipeError, match=wrong):
        load_recipe(str(path))


def test_a_recipe_that_is_not_there_is_named() -> None:
    with pytest.raises(RecipeError, match="no recipe 'nowhere'"):
        load_recipe("nowhere")


def test_the_recipes_that_come_along_are_whole() -> None:
    assert isinstance(load_recipe("mini"), Recipe)
    assert load_recipe("mini").steps > 1_000
    assert load_recipe("mini-reading").start == "build/training/mini/model"
