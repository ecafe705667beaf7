"""`jay train mini`, as one types it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app, long_runs
from bot.cli.long_runs import AGAIN_S, INTERRUPTED, TrainingMissing, interruptible

WAIT_S = 60.0


@pytest.mark.torch
def test_a_short_run_ends_with_a_model_that_can_be_served(tmp_path: Path) -> None:
    pytest.importorskip("torch")

    told = CliRunner().invoke(
        app, ["train", "mini", "--recipe", "tiny", "--tokens", "2600", "--out", str(tmp_path)]
    )

    assert told.exit_code == 0, told.output
    assert "step 10 of 10 · loss" in told.output
    assert "tokens/s" in told.output
    assert f"jay engine serve --model {tmp_path / 'model'}" in told.output
    assert (tmp_path / "model" / "model.safetensors").exists()


@pytest.mark.torch
def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path: Path) -> None:
    """A run takes hours; whoever needs the machine must not lose them."""
    pytest.importorskip("torch")
    log = tmp_path / "losses.jsonl"
    command = "from bot.cli import main; main()"
    options = ["--recipe", "tiny", "--tokens", "20000", "--out", str(tmp_path)]
    with subprocess.Popen(
        [sys.executable, "-c", command, "train", "mini", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            _await_steps(log, 3)
            process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=WAIT_S)
        finally:
            process.kill()

    steps = [json.loads(line)["step"] for line in log.read_text().splitlines()]
    assert process.returncode == INTERRUPTED, said
    assert "the same command goes on from there" in said
    assert "Traceback" not in said
    assert _saved_step(tmp_path) == steps[-1]


def test_a_second_ctrl_c_ends_the_program_unless_it_is_an_echo_of_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`torchrun` passes Ctrl-C on to processes that the terminal has told already."""
    clock = iter((100.0, 100.0 + AGAIN_S / 2, 100.0 + 2 * AGAIN_S))
    monkeypatch.setattr(long_runs.time, "monotonic", lambda: next(clock))

    found = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background
    try:
        with interruptible() as asked:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            assert asked.is_set()
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, found)


@pytest.mark.torch
def test_two_processes_of_torchrun_save_at_ctrl_c_and_tell_once(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    log = tmp_path / "losses.jsonl"
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
            *("--nproc-per-node", "2", "--no-python"),
            *(sys.executable, "-c", "from bot.cli import main; main()", "train", "mini"),
            *("--recipe", "tiny", "--tokens", "40000", "--out", str(tmp_path)),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:
        try:
            _await_steps(log, 3)
            os.killpg(process.pid, signal.SIGINT)
            said, _ = process.communicate(timeout=WAIT_S)
        finally:
            process.kill()

    steps = [json.loads(line)["step"] for line in log.read_text().splitlines()]
    assert said.count("the same command goes on from there") == 1, said
    assert _saved_step(tmp_path) == steps[-1]


def _await_steps(log: Path, count: int) -> None:
    deadline = time.monotonic() + WAIT_S
    while not log.exists() or len(log.read_text().splitlines()) < count:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _saved_step(run: Path) -> int:
    from engine.training.loop import load_state

    state = load_state(run)
    assert state is not None
    return int(state["step"])


def test_without_torch_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(sys.modules):
        if name.startswith("engine.training"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)

    told = CliRunner().invoke(app, ["train", "mini"])

    assert isinstance(told.exception, TrainingMissing)
    assert "torch" in str(told.exception)
    assert told.exception.hint == "pip install 'jay-gptj[training]'"
