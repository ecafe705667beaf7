"""GPT-J-6B's recipe: frozen, adapters trained, folded in, and served by vLLM as one checkpoint.

In `make test` on its 28 layers at a small width; with `pytest -m six_billion` on all of it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from operators import write_operators_data, write_small_start  # noqa: E402
from transformers import GPTJForCausalLM  # noqa: E402
from vllm_server import free_port  # noqa: E402

from bot.prompts import Prompt  # noqa: E402
from engine import open_engine, serve  # noqa: E402
from engine.checkpoint import read_checkpoint  # noqa: E402
from engine.launcher import wait_until_up  # noqa: E402
from engine.training.finetune import MODEL, finetune  # noqa: E402
from engine.training.recipe import load_tuning  # noqa: E402

pytestmark = [pytest.mark.torch, pytest.mark.timeout(600)]
SIX_BILLION = load_tuning("gptj-6b-lora")
WEIGHTS = 6_050_882_784
"""As transformers counts those of EleutherAI/gpt-j-6b."""
NARROW = {"n_embd": 64, "n_head": 2, "n_positions": 256, "rotary_dim": 8, "vocab_size": 4096}
SMALL = replace(
    SIX_BILLION,
    epochs=1,
    rows=8,
    row_tokens=64,
    rate=0.01,
    threads=1,
    geometry={**SIX_BILLION.geometry, **NARROW},
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_operators_data(tmp_path_factory.mktemp("data") / "desk.jsonl")


@pytest.fixture(scope="module")
def tuned(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run")
    outcome = finetune(data, SMALL, out=out, dummy=True)
    assert outcome.complete
    assert outcome.after is not None
    assert outcome.after.held_out < outcome.before.held_out
    assert outcome.tuned_parameters == 28 * 2 * (64 * 8 * 2)
    return out


def test_the_recipe_is_of_gpt_j_6b(tmp_path: Path) -> None:
    from engine.training.weights import find_start

    _, checkpoint = find_start(SIX_BILLION, None, dummy=True, run=tmp_path)

    assert checkpoint.parameters == WEIGHTS


def test_only_the_matrices_with_adapters_have_changed(tuned: Path, data: Path) -> None:
    torch.manual_seed(SMALL.seed)
    from engine.training.weights import load_weights

    before = load_weights(tuned / "start", dummy=True, dtype=torch.bfloat16).state_dict()
    after = GPTJForCausalLM.from_pretrained(tuned / MODEL, dtype=torch.bfloat16).state_dict()

    assert before.keys() == after.keys()
    changed = {name.split(".")[-2] for name in after if not torch.equal(before[name], after[name])}
    assert changed == {"q_proj", "v_proj"}


def test_a_stopped_run_of_adapters_folds_in_what_a_whole_one_does(
    tuned: Path, data: Path, tmp_path: Path
) -> None:
    steps = iter((False, False, True))

    finetune(data, SMALL, out=tmp_path, dummy=True, stop=lambda: next(steps))
    finetune(data, SMALL, out=tmp_path, dummy=True)

    mine, theirs = (
        GPTJForCausalLM.from_pretrained(folder / MODEL).state_dict() for folder in (tmp_path, tuned)
    )
    # One step in bfloat16 apart at most: the order of sums may differ.
    for name, one in mine.items():
        torch.testing.assert_close(one, theirs[name], atol=2e-3, rtol=2e-2)


@pytest.mark.vllm
@pytest.mark.timeout(700)
async def test_vllm_serves_what_was_folded(tuned: Path, tmp_path: Path) -> None:
    async with served(tuned / MODEL, tmp_path) as said:
        assert said == 8


@asynccontextmanager
async def served(model: Path, folder: Path) -> AsyncIterator[int]:
    """Serve a checkpoint; yields how many tokens it said."""
    port = free_port()
    log_path = folder / "engine.log"
    async with serve(model, port=port, log_path=log_path, on_progress=print) as url:
        await wait_until_up(url)
        async with open_engine(
            url, model="", api_key="", idle_timeout_s=120.0, retries=0
        ) as engine:
            prompt = Prompt(ids=tuple(range(40)), max_tokens=8)
            yield sum([len(piece.ids) async for piece in engine.stream(prompt)])


def test_what_does_not_fit_is_told_with_what_helps(data: Path, tmp_path: Path) -> None:
    """The kernel would kill a run that asks for more than there is, without a word."""
    config = tmp_path / "huge"
    recipe = tmp_path / "huge.toml"
    recipe.write_text(
        "epochs = 1\nrows = 8\nrows_at_once = 8\nrow_tokens = 64\nrate = 0.1\n"
        "[geometry]\nn_embd = 20480\nn_layer = 96\nn_head = 80\n"
    )

    told = run_jay("finetune", data, "--recipe", recipe, "--dummy-weights", "--out", config)

    assert told.returncode == 1
    assert "GiB before the first row" in told.stderr
    assert "--recipe gptj-6b-lora" in told.stderr
    assert "Traceback" not in told.stderr


def test_rows_that_do_not_fit_are_told_with_fewer(data: Path, tmp_path: Path) -> None:
    """A real allocator that says no: the address space is bounded in the middle of the run."""
    start = write_small_start(tmp_path)
    code = f"""
import resource, sys
from dataclasses import replace
from pathlib import Path
from engine.training.finetune import finetune
from engine.training.recipe import load_tuning
from bot.errors import JayError

def bound(_done):
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**20, used + 2**20))

recipe = replace(load_tuning("tune-tiny"), rows=32, rows_at_once=32)
start, data, out = Path({str(start)!r}), Path({str(data)!r}), Path({str(tmp_path)!r})
try:
    finetune(data, recipe, out=out, start=start, dummy=True, progress=bound)
except JayError as error:
    print(type(error).__name__, error, error.hint, sep=" | ")
"""

    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=500, check=False
    )

    assert "OutOfMemory | 32 rows at once of up to" in told.stdout, told.stderr
    assert "--rows-at-once 16: a step still adds up 32 rows" in told.stdout


def run_jay(*arguments: object, timeout_s: float = 500) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from bot.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)


@pytest.mark.six_billion
@pytest.mark.timeout(3000)
async def test_gpt_j_6b_takes_a_step_and_is_served(data: Path, tmp_path: Path) -> None:
    """On invented weights: one step of one short row, in 12 GB of weights and a little."""
    short = ("--steps", 1, "--rows", 1, "--row-tokens", 48)
    what = ("--recipe", "gptj-6b-lora", "--dummy-weights")

    told = run_jay("finetune", data, *what, *short, "--out", tmp_path, timeout_s=1800)

    assert told.returncode == 0, told.stderr
    print(told.stdout)
    (peak,) = re.findall(r"Most memory at a time: ([\d.]+) GiB", told.stdout)
    assert float(peak) < 15
    assert read_checkpoint(tmp_path / MODEL).parameters == WEIGHTS
    async with served(tmp_path / MODEL, tmp_path) as said:
        assert said == 8
