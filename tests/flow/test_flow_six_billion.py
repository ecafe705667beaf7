"""GPT-J's whole geometry with invented weights, by the command that people type.

Opt-in: `pytest -m six_billion`. It takes 16 GB of memory and some minutes. What such a
model says makes no sense; that it is said, streamed and shown on a platform does.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from pathlib import Path

import pytest
from stage import playing, until
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from vllm_server import free_port

from adapters.sandbox.server import Sandbox
from bot.conversations import Conversation

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
REPLY_TIMEOUT_S = 240.0


@pytest.mark.six_billion
@pytest.mark.timeout(1200)
async def test_gpt_j_itself_starts_and_speaks(tmp_path: Path) -> None:
    folder = tmp_path / "gpt-j-6b"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(GPT_J))
    write_tokenizer(folder)
    port = free_port()
    command = ("engine", "serve", "--model", str(folder), "--port", str(port))
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("jay"),
        *command,
        *("--load-format", "dummy"),
        stdout=asyncio.subprocess.PIPE,
        cwd=tmp_path,
    )
    assert process.stdout is not None
    began = time.monotonic()
    try:
        line = await asyncio.wait_for(process.stdout.readline(), START_TIMEOUT_S)
        print(f"6B is up after {time.monotonic() - began:.0f} s")
        assert line.decode().strip() == f"ENGINE_URL=http://127.0.0.1:{port}/v1"
        await speak_on_slack(line.decode().strip().partition("=")[2], tmp_path)
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 60)

    assert process.returncode == 0


def write_tokenizer(folder: Path) -> None:
    """A word for each of the 50,400 ids: what invented weights draw is then text."""
    vocabulary = {f"w{at}": at for at in range(GPT_J["vocab_size"])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="w0"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "w0", "eos_token": "w0"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


async def speak_on_slack(url: str, data_dir: Path) -> None:
    async with Sandbox() as sandbox, playing(sandbox, data_dir=data_dir, engine_url=url) as stage:
        asked = stage.mention("slack", "hello, are you there?")
        began = time.monotonic()
        await until(lambda: bool(stage.replies("slack", asked)), within_s=REPLY_TIMEOUT_S)
        print(f"6B's first words after {time.monotonic() - began:.0f} s")
        conversation = Conversation(
            platform="slack",
            workspace=sandbox.slack.team_id,
            channel=asked.channel,
            root=asked.id,
        )
        async with asyncio.timeout(REPLY_TIMEOUT_S):
            while len(turns := await stage.app.store.turns(conversation)) < 2:
                await asyncio.sleep(0.2)
        made = turns[1].made
        assert made is not None
        assert (made.model, made.reply_tokens > 0) == ("gpt-j-6b", True)
        print(f"6B made {made.reply_tokens} tokens in {made.total_s:.0f} s")
