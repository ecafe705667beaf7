"""What a checkpoint's directory tells before vLLM is started."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.errors import EngineWontStart
from engine.checkpoint import read_checkpoint

CONFIG = {
    "architectures": ["GPTJForCausalLM"],
    "n_embd": 64,
    "n_layer": 2,
    "n_head": 2,
    "n_positions": 512,
    "rotary_dim": 16,
    "vocab_size": 300,
    "n_inner": None,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint with nothing wrong but its weights' content."""
    folder = tmp_path / "good"
    folder.mkdir()
    write(folder / "config.json", CONFIG)
    write(folder / "tokenizer.json", {"model": {"vocab": {"a": 0, "b": 299}}, "added_tokens": []})
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content))


def test_a_whole_checkpoint_tells_its_geometry(folder: Path) -> None:
    read = read_checkpoint(folder)

    assert (read.name, read.width, read.layers, read.window) == ("good", 64, 2, 512)


def shard(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    index = {"weight_map": {"a": "part-1.safetensors", "b": "part-2.safetensors"}}
    write(folder / "model.safetensors.index.json", index)
    (folder / "part-1.safetensors").write_bytes(b"weights")


def set_config(**fields: object) -> Callable[[Path], None]:
    return lambda folder: write(folder / "config.json", CONFIG | fields)


WRONG: list[tuple[str, Callable[[Path], object], str]] = [
    ("no config", lambda f: (f / "config.json").unlink(), "config.json is missing"),
    ("no json", lambda f: (f / "config.json").write_text("{"), "can't be read"),
    ("a list", lambda f: (f / "config.json").write_text("[]"), "no JSON object"),
    ("a llama", set_config(architectures=["LlamaForCausalLM"]), "not a GPT-J"),
    ("no architecture", set_config(architectures=None), "not a GPT-J"),
    ("the rope trap", set_config(rope_parameters=None), "rope_parameters"),
    ("no layers", set_config(n_layer=0), "n_layer"),
    ("odd heads", set_config(n_head=3), "no multiple"),
    ("large rotary", set_config(rotary_dim=64), "rotary_dim"),
    ("no weights", lambda f: (f / "model.safetensors").unlink(), "no weights"),
    ("empty weights", lambda f: (f / "model.safetensors").write_bytes(b""), "is empty"),
    (
        "a pointer",
        lambda f: (f / "model.safetensors").write_text(
            "version https://git-lfs.github.com/spec/v1"
        ),
        "git lfs pull",
    ),
    ("a lost shard", shard, "part-2.safetensors is missing"),
    ("no tokenizer", lambda f: (f / "tokenizer.json").unlink(), "no tokenizer"),
    (
        "no vocabulary",
        lambda f: write(f / "tokenizer.json", {"model": None}),
        "no vocabulary",
    ),
    (
        "another's tokenizer",
        lambda f: write(
            f / "tokenizer.json",
            {"model": {"vocab": {"a": 0}}, "added_tokens": [{"id": 300, "content": "<x>"}]},
        ),
        "don't belong together",
    ),
]


@pytest.mark.parametrize(("what", "spoil", "told"), WRONG, ids=[one[0] for one in WRONG])
def test_what_is_wrong_is_told_in_one_line(
    folder: Path, what: str, spoil: Callable[[Path], object], told: str
) -> None:
    spoil(folder)

    with pytest.raises(EngineWontStart) as error:
        read_checkpoint(folder)

    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_invented_weights_need_no_file(folder: Path) -> None:
    (folder / "model.safetensors").unlink()

    assert read_checkpoint(folder, needs_weights=False).layers == 2


def test_a_vocabulary_in_two_files_is_a_tokenizer_too(folder: Path) -> None:
    """As GPT-J itself was published."""
    (folder / "tokenizer.json").unlink()
    write(folder / "vocab.json", {"a": 0, "b": 5})
    (folder / "merges.txt").write_text("")

    assert read_checkpoint(folder).vocabulary == 300


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineWontStart, match="nowhere"):
        read_checkpoint(tmp_path / "nowhere")
