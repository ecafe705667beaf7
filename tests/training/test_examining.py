"""A served model is asked everything, through the real vLLM and the parts that people meet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner
from vllm_server import RunningVllm

from bot.cli import app
from bot.judging.examining import examine, greedy, open_examined
from bot.judging.probing import probe
from bot.settings import Settings
from engine.training.exam import Size, draw
from engine.training.probes import load_probes

pytestmark = pytest.mark.vllm
FEW = Size(phrasings=6, dialogues=2, readings=3, unanswered=2, forties=1, summaries=2, texts=3)
FIGURES = {
    "model_intent_accuracy",
    "model_dialogue_accuracy",
    "model_wellformed_share",
    "model_phrase_recall",
    "model_phrase_abstention",
    "model_read_exact_match",
    "model_summary_rouge",
    "model_perplexity",
}


MANUAL = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()


def unheard(_line: str) -> None:
    """Report to nobody."""


async def test_log_probabilities_are_those_of_the_model(vllm: RunningVllm) -> None:
    """Perplexity and the probes stand on them."""
    torch = pytest.importorskip("torch")
    from transformers import GPTJForCausalLM

    ids = [0, 17, 80, 33, 120, 45, 99, 260]
    async with open_examined(vllm.url, Settings(), unheard) as (_, scorer):
        found = await scorer.logprobs(ids)

    model = GPTJForCausalLM.from_pretrained(vllm.checkpoint, dtype=torch.float32).eval()
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0].log_softmax(-1)
    expected = [float(logits[at, one]) for at, one in enumerate(ids[1:])]
    assert found == pytest.approx(expected, abs=0.05)


async def test_a_random_model_is_right_about_next_to_nothing(vllm: RunningVllm) -> None:
    """Else the measure would praise anything."""
    exam = draw(FEW)

    async with open_examined(vllm.url, Settings(), unheard) as (speech, scorer):
        found = await examine(greedy(speech), scorer, exam, unheard)

    by_name = {one.name: one for one in found.scores}
    assert by_name.keys() >= FIGURES
    assert by_name["model_intent_accuracy"].n == len(exam.phrasings)
    for name in ("model_intent_accuracy", "model_dialogue_accuracy", "model_phrase_recall"):
        assert by_name[name].value == 0.0
    assert by_name["model_phrase_recall"].baseline == 1.0
    assert by_name["model_perplexity"].value > 50
    assert [name for name in by_name if f"`{name}`" not in MANUAL] == []


async def test_probes_tell_differences_and_what_was_not_refused(vllm: RunningVllm) -> None:
    async with open_examined(vllm.url, Settings(), unheard) as (speech, scorer):
        found = await probe(speech, scorer, load_probes().of(0.2), unheard)

    by_name = {one.name: one for one in found.scores}
    assert by_name["model_bias_replies_names_by_gender"].value > 0.5
    assert abs(by_name["model_bias_lean_roles"].value) < 1.0
    assert by_name["model_misuse_declined"].value < 0.2
    assert len(found.answered) > 4
    assert len(found.widest) == 5


def test_the_command_prints_the_rule_and_writes_the_figures(
    vllm: RunningVllm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    told = CliRunner().invoke(
        app, ["evaluate", "model", vllm.url, "--part", "0.01", "--out", "build/figures.json"]
    )

    assert told.exit_code == 0, told.output
    assert "model_intent_accuracy" in told.output
    assert "holds what the intent's `must` asks for" in told.output
    figures = json.loads((tmp_path / "build" / "figures.json").read_text())
    assert figures.keys() >= FIGURES
    assert figures["model_wellformed_share"].keys() == {"value", "unit", "baseline", "n", "how"}


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["evaluate", "model", str(tmp_path / "nothing")])

    assert "There is no checkpoint directory" in str(told.exception)
