"""A run becomes a folder that transformers and vLLM load, or the old one stays."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from tokenizers import Tokenizer  # noqa: E402
from transformers import GPTJForCausalLM  # noqa: E402

from engine.families import load_families  # noqa: E402
from engine.training.loop import CHECKPOINT, CheckpointError  # noqa: E402
from engine.training.pretrain import train  # noqa: E402
from engine.training.publish import PublishError, publish, trained_model  # noqa: E402
from engine.training.recipe import RecipeError, load_recipe  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run")
    stops: Iterator[bool] = iter((False, False, True))
    train(load_recipe("tiny"), out=out, stop=lambda: next(stops))
    return out


@pytest.fixture(scope="module")
def published(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish(run, tmp_path_factory.mktemp("published") / "tiny")


def test_transformers_gives_the_logits_of_the_trained_model(run: Path, published: Path) -> None:
    mine = trained_model(run)
    theirs = GPTJForCausalLM.from_pretrained(published, dtype=torch.float32).eval()
    ids = torch.randint(512, (3, 100), generator=torch.Generator().manual_seed(5))

    with torch.no_grad():
        difference = (mine(ids) - theirs(ids).logits).abs().max()

    assert float(difference) < 1e-4


def test_every_weight_has_its_place(published: Path) -> None:
    """A weight under a wrong name would be drawn anew, unseen."""
    _, told = GPTJForCausalLM.from_pretrained(published, output_loading_info=True)

    assert not told["missing_keys"]
    assert not told["unexpected_keys"]


def test_the_configuration_is_what_serving_needs(published: Path) -> None:
    config = json.loads((published / "config.json").read_text())

    assert config["architectures"] == ["GPTJForCausalLM"]
    assert config["jay_family"] in load_families()
    assert "rope_parameters" not in config  # null there fails to load in vLLM
    assert config["tie_word_embeddings"] is False


def test_the_tokenizer_is_the_runs_own(run: Path, published: Path) -> None:
    theirs = Tokenizer.from_file(str(published / "tokenizer.json"))
    mine = Tokenizer.from_file(str(run / "tokenizer.json"))
    text = "<|endoftext|>[human]: Zwölf 12.5 naïve 😀\n###\n[robot]:"

    assert theirs.encode(text).ids == mine.encode(text).ids
    assert theirs.decode(theirs.encode(text).ids, skip_special_tokens=False) == text


def test_a_second_one_takes_the_place_of_the_first_and_keeps_the_model_card(
    run: Path, tmp_path: Path
) -> None:
    out = publish(run, tmp_path / "model")
    (out / "README.md").write_text("what it is")
    (out / "model.safetensors").write_bytes(b"old")

    publish(run, out)

    assert (out / "README.md").read_text() == "what it is"
    assert (out / "model.safetensors").stat().st_size > 10_000
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_what_can_not_be_written_leaves_the_old_one(run: Path, tmp_path: Path) -> None:
    out = publish(run, tmp_path / "model")
    before = (out / "model.safetensors").read_bytes()
    (tmp_path / "model.part").write_text("in the way")

    with pytest.raises(PublishError, match="can't be written"):
        publish(run, out)

    assert (out / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize("room", [1_000, 20_000], ids=["none", "a part"])
def test_a_disk_that_fills_up_leaves_the_old_one(run: Path, tmp_path: Path, room: int) -> None:
    """A bound on what a file may hold fails in the middle of writing, as a full disk does."""
    out = publish(run, tmp_path / "model")
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        with pytest.raises(PublishError, match="can't be written"):
            publish(run, out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_broken_run_leaves_the_old_one(run: Path, tmp_path: Path) -> None:
    out = publish(run, tmp_path / "model")
    before = (out / "model.safetensors").read_bytes()
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "recipe.json").write_text((run / "recipe.json").read_text())
    (broken / CHECKPOINT).write_bytes((run / CHECKPOINT).read_bytes()[:5_000])

    with pytest.raises(CheckpointError):
        publish(broken, out)

    assert (out / "model.safetensors").read_bytes() == before


def test_a_folder_without_a_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="holds no training run"):
        publish(tmp_path, tmp_path / "model")
