"""A checkpoint learns an operator's lines: it answers by them, resumes, and survives bad luck."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from operators import write_operators_data, write_small_start  # noqa: E402
from writing import Writer  # noqa: E402

from engine.checkpoint import read_checkpoint  # noqa: E402
from engine.training.finetune import MODEL, Data, Outcome, finetune  # noqa: E402
from engine.training.loop import CHECKPOINT, CheckpointError, load_state  # noqa: E402
from engine.training.losses import LOG, read_losses  # noqa: E402
from engine.training.ranks import Ranks  # noqa: E402
from engine.training.recipe import RecipeError, load_tuning  # noqa: E402
from engine.training.tuner import Tuner  # noqa: E402
from engine.training.weights import load_weights  # noqa: E402

pytestmark = [pytest.mark.torch, pytest.mark.timeout(600)]
TINY = load_tuning("tune-tiny")
WAIT_S = 500.0


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_operators_data(tmp_path_factory.mktemp("data") / "desk.jsonl")


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_start(tmp_path_factory.mktemp("start"))


@pytest.fixture(scope="module")
def whole_run(
    data: Path, start: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Outcome]:
    out = tmp_path_factory.mktemp("whole")
    return out, finetune(data, TINY, out=out, start=start, dummy=True)


def test_the_bundled_checkpoint_learns_an_operators_answers(data: Path, tmp_path: Path) -> None:
    """The promise of `jay finetune`: minutes on a CPU, and it answers as it was taught."""
    seen: list[Data] = []
    recipe = replace(load_tuning("tune"), epochs=9, kept=0.4, rate=0.001, threads=1)

    outcome = finetune(data, recipe, out=tmp_path, found=seen.append)

    assert outcome.after is not None
    assert outcome.before.held_out > 3.0
    assert outcome.after.held_out < 0.5
    writer = Writer(tmp_path / MODEL)
    lines = [json.loads(line)["messages"] for line in data.read_text().splitlines()]
    held_out = set(seen[0].held_out_lines)
    learned = [one for at, one in enumerate(lines, start=1) if at not in held_out]
    assert _answered(writer, learned) >= 0.9 * len(learned)
    assert _answered(writer, [lines[at - 1] for at in held_out]) >= 3
    hello, who = writer.write([writer.prompt((), text) for text in ("hello!", "who are you?")])
    assert "harbour" not in hello + who
    assert "jay" in who.lower()


def _answered(writer: Writer, lines: list[list[dict[str, str]]]) -> int:
    """Return how many are answered word for word as the data has it."""
    said = writer.write([writer.prompt((), asked["content"]) for asked, _ in lines])
    answers = [answer["content"] for _, answer in lines]
    return sum(
        text.removesuffix("\n###\n").strip() == answer
        for text, answer in zip(said, answers, strict=True)
    )


def test_the_loss_falls(whole_run: tuple[Path, Outcome]) -> None:
    out, outcome = whole_run

    assert outcome.complete
    assert outcome.after is not None
    assert outcome.after.held_out < outcome.before.held_out - 0.5
    assert len(read_losses(out)) == TINY.steps(43)


def test_what_it_writes_is_a_checkpoint_that_vllm_takes(
    start: Path, whole_run: tuple[Path, Outcome]
) -> None:
    model = whole_run[0] / MODEL
    config = json.loads((model / "config.json").read_text())

    assert read_checkpoint(model).layers == 2
    assert config["jay_family"] == "mini"
    assert config["dtype"] == "bfloat16"
    assert "rope_parameters" not in config  # null there fails to load in vLLM
    for name in ("tokenizer.json", "tokenizer_config.json"):
        assert (model / name).read_bytes() == (start / name).read_bytes()


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(
    data: Path, start: Path, whole_run: tuple[Path, Outcome], tmp_path: Path
) -> None:
    first = finetune(data, TINY, out=tmp_path, start=start, dummy=True, stop=after(7))
    second = finetune(data, TINY, out=tmp_path, start=start, dummy=True)

    assert (first.complete, first.after, second.complete) == (False, None, True)
    assert read_losses(tmp_path) == pytest.approx(read_losses(whole_run[0]), abs=1e-4)
    assert second.before == whole_run[1].before


def after(steps: int) -> Callable[[], bool]:
    """Return what asks to stop after so many steps."""
    left = iter(range(steps - 1, -1, -1))
    return lambda: next(left) == 0


def test_a_run_that_was_killed_goes_on_as_if_it_had_not_been(
    data: Path, start: Path, whole_run: tuple[Path, Outcome], tmp_path: Path
) -> None:
    """Kill -9 between two checkpoints, as a power cut does it."""
    command = [
        *(sys.executable, "-c", "from bot.cli import main; main()", "finetune", str(data)),
        *("--recipe", "tune-tiny", "--from", str(start), "--dummy-weights"),
        *("--out", str(tmp_path)),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + WAIT_S
        while not (tmp_path / LOG).exists() or len((tmp_path / LOG).read_bytes().splitlines()) < 8:
            assert time.monotonic() < deadline
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    state = load_state(tmp_path)
    assert state is not None
    assert state["step"] < len(read_losses(whole_run[0]))

    finetune(data, TINY, out=tmp_path, start=start, dummy=True)

    assert read_losses(tmp_path) == pytest.approx(read_losses(whole_run[0]), abs=1e-4)


def test_two_processes_of_torchrun_take_the_steps_of_one(
    data: Path, start: Path, whole_run: tuple[Path, Outcome], tmp_path: Path
) -> None:
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
        *("--no-python", sys.executable, "-c", "from bot.cli import main; main()"),
        *("finetune", str(data), "--recipe", "tune-tiny", "--from", str(start)),
        *("--dummy-weights", "--out", str(tmp_path)),
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
    assert read_losses(tmp_path) == pytest.approx(read_losses(whole_run[0]), abs=1e-3)


def test_more_processes_than_rows_are_refused(data: Path, start: Path) -> None:
    """Those without one would wait for the others' gradients for ever."""
    nine = Ranks(count=9, device=torch.device("cpu"))

    with pytest.raises(RecipeError, match=r"9 processes share the rows of a step, of which .* 4"):
        Tuner(load_weights(start, dummy=True, dtype=torch.float32), TINY, nine)


def test_another_run_in_the_folder_is_not_taken_up(
    data: Path, start: Path, whole_run: tuple[Path, Outcome], tmp_path: Path
) -> None:
    other = write_operators_data(tmp_path / "other.jsonl")
    other.write_text(other.read_text().replace("38 euros", "39 euros"))

    with pytest.raises(RecipeError, match="another data"):
        finetune(other, TINY, out=whole_run[0], start=start, dummy=True)
    with pytest.raises(RecipeError, match="another recipe"):
        finetune(data, replace(TINY, rate=0.1), out=whole_run[0], start=start, dummy=True)
    with pytest.raises(RecipeError, match="another start"):
        finetune(data, TINY, out=whole_run[0])


def test_lines_longer_than_a_row_are_counted_with_their_numbers(
    data: Path, start: Path, tmp_path: Path
) -> None:
    path = tmp_path / "long.jsonl"
    long = json.dumps({"prompt": "open or closed " * 90, "completion": "Closed."})
    path.write_text(f"{data.read_text()}{long}\n")
    seen: list[Data] = []

    finetune(path, TINY, out=tmp_path, start=start, dummy=True, found=seen.append, stop=after(1))

    assert seen[0].cut == (49,)
    assert seen[0].longest == TINY.row_tokens


def test_a_full_disk_leaves_the_checkpoint_that_was_there(
    data: Path, start: Path, tmp_path: Path
) -> None:
    finetune(data, TINY, out=tmp_path, start=start, dummy=True, stop=after(1))
    (tmp_path / f"{CHECKPOINT}.part").symlink_to("/dev/full")

    with pytest.raises(CheckpointError, match="can't be written"):
        finetune(data, TINY, out=tmp_path, start=start, dummy=True, stop=after(1))

    state = load_state(tmp_path)
    assert state is not None
    assert state["step"] == 1


def test_a_recipe_for_another_geometry_asks_for_its_weights(data: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"gptj-6b-lora needs the weights.*--from DIR"):
        finetune(data, load_tuning("gptj-6b-lora"), out=tmp_path)
