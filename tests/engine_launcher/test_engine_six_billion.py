"""GPT-J's whole geometry with invented weights, by the command that people type.

Opt-in: `pytest -m six_billion`. It takes 16 GB of memory and some minutes.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from shutil import copy

import pytest
from vllm_server import free_port

from bot.prompts import Finish, Prompt, Sampling
from engine import open_engine

GPT_J = {
    "architectures": ["GPTJForCausalLM"],
    "model_type": "gptj",
    "n_embd": 4096,
    "n_layer": 28,
    "n_head": 16,
    "n_positions": 2048,
    "rotary_dim": 64,
    "vocab_size": 50400,
    "n_inner": None,
    "activation_function": "gelu_new",
    "layer_norm_epsilon": 1e-05,
    "tie_word_embeddings": False,
    "bos_token_id": 0,
    "eos_token_id": 0,
    "dtype": "float16",
}
START_TIMEOUT_S = 800.0


@pytest.mark.six_billion
@pytest.mark.timeout(1200)
async def test_gpt_j_itself_starts_and_speaks(tiny_checkpoint: Path, tmp_path: Path) -> None:
    folder = tmp_path / "gpt-j-6b"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(GPT_J))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        copy(tiny_checkpoint / name, folder / name)
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(
            str(Path(sys.executable).with_name("jay")),
            "engine",
            "serve",
            "--model",
            str(folder),
            "--port",
            str(port),
        ),
        *("--load-format", "dummy"),
        stdout=asyncio.subprocess.PIPE,
        cwd=tmp_path,
    )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), START_TIMEOUT_S)
        assert line.decode().strip() == f"ENGINE_URL=http://127.0.0.1:{port}/v1"
        finish = await speak(line.decode().strip().partition("=")[2])
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 60)

    assert finish.reply_tokens == 4
    assert process.returncode == 0


async def speak(url: str) -> Finish:
    async with open_engine(url, model="", api_key="", idle_timeout_s=120.0, retries=0) as engine:
        model = await engine.model()
        assert (model.name, model.window) == ("gpt-j-6b", 2048)
        (ids,) = await engine.encode(["[human]: Hello"])
        prompt = Prompt(ids=ids, max_tokens=4, sampling=Sampling(temperature=0.0))
        finish = [piece async for piece in engine.stream(prompt)][-1].finish
    assert finish is not None
    return finish
