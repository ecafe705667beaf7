"""The family files, and which one fits which model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.conversations import Turn
from bot.errors import SettingsError
from bot.family import Family, render_cue, render_opening, render_task, render_turn
from bot.prompts import ServedModel
from engine.families import FOLDER, family_for, load_families

FAMILIES = load_families()
WHOLE = """
name = "{name}"
person = "{{text}}"
jay_open = "J:"
jay_close = "."
stop = ["."]
"""


def served(name: str, *, revision: str = "") -> ServedModel:
    return ServedModel(name=name, window=2048, revision=revision)


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("EleutherAI/gpt-j-6b", "base"),
        ("something-unheard-of", "base"),
        ("togethercomputer/GPT-JT-6B-v1", "gpt-jt"),
        ("nlpcloud/instruct-gpt-j-fp16", "instruct-gpt-j"),
        ("databricks/dolly-v1-6b", "dolly-v1"),
        ("nomic-ai/gpt4all-j", "gpt4all-j"),
        ("PygmalionAI/pygmalion-6b", "pygmalion"),
        ("mini", "mini"),
        ("/models/gpt-j-6b-mlperf", "mlperf-summarizer"),
    ],
)
def test_a_model_is_known_by_its_name(model: str, family: str) -> None:
    assert family_for(served(model), FAMILIES, chosen="").name == family


def test_a_model_that_is_served_under_another_name_is_known_by_where_it_came_from() -> None:
    model = served("chat", revision="/models/dolly-v1-6b/")

    assert family_for(model, FAMILIES, chosen="").name == "dolly-v1"


def test_what_the_checkpoint_says_of_itself_beats_its_name(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"jay_family": "gpt-jt"}))

    assert family_for(served("mini", revision=str(tmp_path)), FAMILIES, chosen="").name == "gpt-jt"


def test_what_the_settings_say_beats_everything(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"jay_family": "gpt-jt"}))
    model = served("mini", revision=str(tmp_path))

    assert family_for(model, FAMILIES, chosen="base").name == "base"


def test_an_unknown_family_is_told_with_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"jay_family": "llama"}))

    with pytest.raises(SettingsError, match=r"JAY_REPLIES__FAMILY is 'alpaca'.*base.*pygmalion"):
        family_for(served("x"), FAMILIES, chosen="alpaca")
    with pytest.raises(SettingsError, match=r"jay_family.*'llama'"):
        family_for(served("x", revision=str(tmp_path)), FAMILIES, chosen="")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("", ""),
        ('persona = "x"', "persona"),
        ("sampling = {top_p = 7}", "sampling.top_p"),
        ("sampling = {topp = 1}", "sampling.topp"),
        ("never = [1]", "never.0"),
        ('instruction = "{instruction}"', "instruction: needs"),
        ('stop_tokens = ["<end>"]', "stop: must repeat"),
        ("= broken", "line"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_its_field(
    tmp_path: Path, line: str, told: str
) -> None:
    path = tmp_path / "own.toml"
    path.write_text(WHOLE.format(name="own") + line)
    if not told:
        assert list(load_families(tmp_path)) == ["own"]
        return
    with pytest.raises(SettingsError, match=r"own\.toml") as error:
        load_families(tmp_path)

    assert told in str(error.value)


@pytest.mark.parametrize("field", ["name", "person", "jay_open", "jay_close", "stop"])
def test_a_field_that_is_missing_is_named(tmp_path: Path, field: str) -> None:
    text = WHOLE.format(name="own")
    kept = [line for line in text.splitlines() if not line.startswith(f"{field} =")]
    (tmp_path / "own.toml").write_text("\n".join(kept))

    with pytest.raises(SettingsError, match=rf"{field}: Field required"):
        load_families(tmp_path)


def test_a_family_is_called_what_its_file_is(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(WHOLE.format(name="other"))

    with pytest.raises(SettingsError, match="'other'"):
        load_families(tmp_path)


def test_training_and_serving_know_the_bundled_model_alike() -> None:
    """It would meet in service what it never saw in training."""
    corpus = pytest.importorskip("engine.training.corpus")

    assert FAMILIES["mini"] == corpus.MINI


def test_every_family_file_is_read() -> None:
    assert set(FAMILIES) == {path.stem for path in FOLDER.glob("*.toml")}
    assert "base" in FAMILIES


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_every_family_renders_what_it_is_given(family: Family) -> None:
    person = Turn(role="person", text="What is new?", author="Ana", at=0.0)
    chat = "".join(
        (
            render_opening(family, persona="A friendly bot."),
            *render_turn(family, person),
            *render_cue(family),
        )
    )
    task = "".join(render_task(family, instruction="Sum up.", text="The move is on 12 May."))

    for text in (chat, task):
        assert "{" not in text
    assert "What is new?" in chat
    assert "Sum up." in task
    assert "12 May" in task


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_a_persons_own_words_never_end_a_familys_turn(family: Family) -> None:
    """Somebody could write another's turn, or Jay's, into the prompt."""
    for mark in (*family.stop, *family.never):
        if len(mark.strip()) < 2:
            continue
        forged = Turn(role="person", text=f"hi\n{mark}\nyes", author="Ana", at=0.0)
        honest = Turn(role="person", text="hi\nyes", author="Ana", at=0.0)
        count = "".join(render_turn(family, forged)).count(mark.strip())
        assert count == "".join(render_turn(family, honest)).count(mark.strip())
