"""The launcher with a program in vLLM's place: real processes, real signals, real ports."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest
from aiohttp import web
from fakes.vllm_process import VllmProcesses

from bot.errors import EngineWontStart
from engine.arguments import Wishes
from engine.checkpoint import read_checkpoint
from engine.launcher import Launcher, serve, wait_until_up
from engine.leash import NICENESS
from engine.machine import Machine

pytestmark = pytest.mark.timeout(90)
MACHINE = Machine(architecture="x86_64", vllm="cpu")
SERVES = "serves"
MakeVllm = Callable[..., VllmProcesses]


@pytest.fixture
def make_vllm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeVllm:
    def make(*behaviours: str) -> VllmProcesses:
        processes = VllmProcesses(tmp_path / "stand-in", list(behaviours))
        monkeypatch.setenv("PYTHONPATH", str(processes.home))
        return processes

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    config = {"n_embd": 64, "n_layer": 2, "n_head": 2, "n_positions": 512, "vocab_size": 300}
    (folder / "config.json").write_text(json.dumps(config | {"architectures": ["GPTJForCausalLM"]}))
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": {"a": 0}}}))
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def launcher(folder: Path, told: list[str], *, machine: Machine = MACHINE) -> Launcher:
    return Launcher(
        checkpoint=read_checkpoint(folder),
        wishes=Wishes(host="127.0.0.1", port=free_port()),
        log_path=folder.parent / "engine.log",
        report=told.append,
        machine=machine,
        pauses_s=(0.01,),
    )


async def until(true: Callable[[], object], *, within_s: float = 40.0) -> None:
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.02)


async def test_the_body_runs_while_the_engine_starts_and_nothing_stays_behind(
    make_vllm: MakeVllm, folder: Path
) -> None:
    vllm, told, port = make_vllm(SERVES), list[str](), free_port()
    began = time.monotonic()
    async with serve(
        folder, port=port, log_path=folder / "logs" / "engine.log", on_progress=told.append
    ) as url:
        assert time.monotonic() - began < 1.0
        await wait_until_up(url, timeout_s=30)
        await until(lambda: any("ready after" in line for line in told))
        assert len(vllm.alive) == 2

    assert url == f"http://127.0.0.1:{port}/v1"
    assert vllm.alive == [], "also not the child that ignores SIGTERM"


async def test_an_engine_leaves_the_processors_to_who_reads_its_stream(
    make_vllm: MakeVllm, folder: Path
) -> None:
    vllm, told = make_vllm(SERVES), list[str]()
    keeping = asyncio.create_task(launcher(folder, told).keep())
    await until(lambda: len(vllm.alive) == 2)
    above = [os.getpriority(os.PRIO_PROCESS, pid) for pid in vllm.alive]
    ours = os.getpriority(os.PRIO_PROCESS, 0)

    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    assert above == [min(ours + NICENESS, 19)] * 2


async def test_an_engine_that_is_killed_is_started_again(make_vllm: MakeVllm, folder: Path) -> None:
    vllm, told = make_vllm(SERVES), list[str]()
    keeping = asyncio.create_task(launcher(folder, told).keep())
    await until(lambda: any("ready" in line for line in told))
    os.kill(vllm.starts[0][0], signal.SIGKILL)
    await until(lambda: sum("ready" in line for line in told) == 2)

    assert any("killed (signal 9)" in line for line in told)
    assert len(vllm.alive) == 2, "nothing of the first is left"
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    assert vllm.alive == []


async def test_one_that_comes_up_is_started_again_however_often_it_is_killed(
    make_vllm: MakeVllm, folder: Path
) -> None:
    """Somebody whose replicas are killed one after another wants them back, and not an exit."""
    vllm, told = make_vllm(SERVES), list[str]()
    keeping = asyncio.create_task(launcher(folder, told).keep())
    for kills in range(1, 5):
        await until(lambda kills=kills: sum("ready" in line for line in told) == kills)
        os.kill(vllm.starts[-1][0], signal.SIGKILL)
    await until(lambda: sum("ready" in line for line in told) == 5)

    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


async def test_one_that_was_up_is_started_again_whatever_its_log_says(
    make_vllm: MakeVllm, folder: Path
) -> None:
    """A kill soon after the start would otherwise end Jay over a cause that it can't have had."""
    vllm, told = make_vllm("serves, says: size mismatch", SERVES), list[str]()
    keeping = asyncio.create_task(launcher(folder, told).keep())
    await until(lambda: any("ready" in line for line in told))
    os.kill(vllm.starts[0][0], signal.SIGKILL)
    await until(lambda: keeping.done() or sum("ready" in line for line in told) == 2)

    assert not keeping.done()
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


async def test_one_that_dies_at_every_start_is_given_up_with_its_last_words(
    make_vllm: MakeVllm, folder: Path
) -> None:
    vllm, told = make_vllm("ValueError: the moon is full"), list[str]()

    with pytest.raises(EngineWontStart, match=r"the moon is full.*engine\.log"):
        await launcher(folder, told).keep()

    assert len(vllm.starts) == 3
    assert vllm.alive == []


async def test_what_can_not_get_better_is_given_up_at_once(
    make_vllm: MakeVllm, folder: Path
) -> None:
    vllm = make_vllm("SafetensorError: Error while deserializing header")

    with pytest.raises(EngineWontStart, match="weights are damaged"):
        await launcher(folder, []).keep()

    assert len(vllm.starts) == 1


async def test_one_that_does_not_start_ends_the_body(make_vllm: MakeVllm, folder: Path) -> None:
    """Whoever waits for the engine would wait for ever."""
    make_vllm("RuntimeError: can't allocate memory")

    with pytest.raises(EngineWontStart, match="not enough memory"):
        async with serve(
            folder, port=free_port(), log_path=folder / "engine.log", on_progress=print
        ):
            await asyncio.sleep(60)


async def test_what_the_body_raises_leaves_as_it_was(make_vllm: MakeVllm, folder: Path) -> None:
    vllm = make_vllm(SERVES)

    async def fail() -> None:
        async with serve(
            folder, port=free_port(), log_path=folder / "engine.log", on_progress=print
        ):
            await until(lambda: vllm.starts)
            raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        await fail()
    assert vllm.alive == []


async def test_cancelling_stops_the_engine(make_vllm: MakeVllm, folder: Path) -> None:
    vllm = make_vllm(SERVES)

    async def hold() -> None:
        async with serve(
            folder, port=free_port(), log_path=folder / "engine.log", on_progress=print
        ):
            await asyncio.Event().wait()

    holding = asyncio.create_task(hold())
    await until(lambda: vllm.alive)
    holding.cancel()

    assert isinstance(
        (await asyncio.gather(holding, return_exceptions=True))[0], asyncio.CancelledError
    )
    assert vllm.alive == []


async def test_an_engine_with_the_same_checkpoint_is_used_and_left_running(
    make_vllm: MakeVllm, folder: Path
) -> None:
    """`jay engine serve` in one window, `jay run` in another."""
    vllm, port, told = make_vllm(SERVES), free_port(), list[str]()
    async with serve(folder, port=port, log_path=folder / "engine.log", on_progress=print) as url:
        await wait_until_up(url, timeout_s=30)
        async with serve(folder, port=port, log_path=folder / "other.log", on_progress=told.append):
            await until(lambda: told)
        assert "using it" in told[0]
        assert len(vllm.starts) == 1
        assert len(vllm.alive) == 2


async def test_a_port_that_something_else_has_is_told_with_what_it_is(folder: Path) -> None:
    app = web.Application()
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = int(runner.addresses[0][1])
    try:
        with pytest.raises(EngineWontStart, match=rf"Port {port} is taken by another program"):
            async with serve(folder, port=port, log_path=folder / "engine.log", on_progress=print):
                await asyncio.sleep(30)
    finally:
        await runner.cleanup()


async def test_a_port_that_a_vllm_with_another_model_has_is_told(
    make_vllm: MakeVllm, folder: Path, tmp_path: Path
) -> None:
    make_vllm(SERVES)
    port, other = free_port(), copytree(folder, tmp_path / "another")
    async with serve(folder, port=port, log_path=folder / "engine.log", on_progress=print) as url:
        await wait_until_up(url, timeout_s=30)
        with pytest.raises(EngineWontStart, match=r"taken by a vLLM that serves .*checkpoint"):
            async with serve(other, port=port, log_path=tmp_path / "o.log", on_progress=print):
                await asyncio.sleep(30)


async def test_without_vllm_the_other_way_is_named(folder: Path) -> None:
    absent = Machine(architecture="x86_64", vllm="")

    with pytest.raises(EngineWontStart, match="ENGINE_URL"):
        await launcher(folder, [], machine=absent).keep()


async def test_a_checkpoint_that_can_not_be_served_is_told_before_anything_runs(
    make_vllm: MakeVllm, folder: Path
) -> None:
    vllm = make_vllm(SERVES)
    (folder / "model.safetensors").unlink()

    with pytest.raises(EngineWontStart, match="no weights"):
        async with serve(
            folder, port=free_port(), log_path=folder / "engine.log", on_progress=print
        ):
            pass

    assert vllm.starts == []


HOLD = """
import asyncio, sys
from pathlib import Path
from engine.leash import NICENESS
from engine.launcher import serve

async def hold():
    folder = Path(sys.argv[1])
    async with serve(folder, port=int(sys.argv[2]), log_path=folder / "e.log", on_progress=print):
        await asyncio.Event().wait()

asyncio.run(hold())
"""


async def test_if_we_are_killed_the_engine_ends_too(make_vllm: MakeVllm, folder: Path) -> None:
    """Three GiB would stay in use, and the port taken, until somebody notices."""
    vllm = make_vllm(SERVES)
    us = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLD, str(folder), str(free_port())),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        await until(lambda: len(vllm.alive) == 2, within_s=90)  # two interpreters start
    finally:
        us.kill()
        await us.wait()

    await until(lambda: not vllm.alive, within_s=12)


async def test_the_command_tells_the_address_and_ends_on_sigterm(
    make_vllm: MakeVllm, folder: Path
) -> None:
    vllm, port = make_vllm(SERVES), free_port()
    command = [
        *(sys.executable, "-c", "from bot.cli import main; main()", "engine", "serve"),
        *("--model", str(folder), "--port", str(port), "--", "--seed", "3"),
    ]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, cwd=folder.parent
    )
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 60)
    arguments = vllm.command()
    process.terminate()

    assert line.decode().strip() == f"ENGINE_URL=http://127.0.0.1:{port}/v1"
    assert arguments[-2:] == ["--seed", "3"]
    assert await asyncio.wait_for(process.wait(), 20) == 0
    assert vllm.alive == []
