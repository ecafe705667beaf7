"""The checkpoint that comes along: small, loadable, and fit for what the demo says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from bot.prompts import ServedModel
from engine.families import family_for, load_families

MINI = Path(__file__).parents[2] / "engine" / "checkpoints" / "mini"
MOST_BYTES = 15_000_000
CARD = (MINI / "README.md").read_text()


def config() -> dict[str, object]:
    found: dict[str, object] = json.loads((MINI / "config.json").read_text())
    return found


def test_it_is_small_enough_for_a_repository() -> None:
    assert sum(path.stat().st_size for path in MINI.iterdir()) < MOST_BYTES


def test_it_is_a_gptj_that_says_which_family_it_is_of() -> None:
    family = family_for(
        ServedModel(name="anything", window=2048, revision=str(MINI)), load_families(), chosen=""
    )

    assert config()["architectures"] == ["GPTJForCausalLM"]
    assert config()["n_positions"] == 2048
    assert family.name == "mini"


def test_what_ends_a_turn_is_one_token_of_its_own() -> None:
    tokenizer = Tokenizer.from_file(str(MINI / "tokenizer.json"))

    assert tokenizer.encode("<|endoftext|>").ids == [0]
    assert all(len(tokenizer.encode(mark).ids) == 1 for mark in ("[human]:", "[robot]:", "\n###\n"))


@pytest.mark.torch
def test_the_card_states_its_size() -> None:
    pytest.importorskip("torch")
    from safetensors import safe_open

    with safe_open(MINI / "model.safetensors", framework="pt") as tensors:
        shapes = [tensors.get_slice(name).get_shape() for name in tensors.keys()]  # noqa: SIM118
    count = sum(_product(shape) for shape in shapes)

    (stated,) = re.findall(r"([\d.]+) million parameters", CARD)
    assert float(stated) == round(count / 1e6, 1)


def _product(shape: list[int]) -> int:
    return shape[0] * (shape[1] if len(shape) > 1 else 1)


CHATS = (
    (
        ("Hello! Who are you?", "jay|gpt-j"),
        ("What can you do here?", "/summarize"),
        ("thanks!", "welcome|pleasure|glad|any time"),
        ("I'm Priya", "Priya"),
        ("can you tell me a joke", "."),
        ("what is my name?", "Priya"),
        ("see you later", "bye|see you|take care"),
    ),
    (
        ("Good morning, what is your name?", "good morning.*jay"),
        ("Do you remember what we say here?", "conversation|2,048|thread"),
    ),
    (("Hi Jay, how are you?", "well|good|fine"), ("good, thanks", "glad|good|lovely")),
    (("Hello! Can you tell me a joke?", "."), ("hey wat can u do", "/summarize|/answer")),
)
"""What `jay demo --check` says, and how such chats go on; with what a reply must hold."""


@pytest.mark.torch
@pytest.mark.parametrize("chat", CHATS, ids=lambda chat: chat[0][0])
def test_chats_as_the_demo_has_them_get_sensible_replies(chat: tuple[tuple[str, str], ...]) -> None:
    pytest.importorskip("torch")
    from writing import Writer

    from engine.training.corpus import MINI as FAMILY
    from engine.training.corpus import Exchange
    from engine.training.judge import loops

    writer = Writer(MINI)
    before: list[Exchange] = []
    for asked, holds in chat:
        (said,) = writer.write([writer.prompt(before, asked)])
        text = said.removesuffix(FAMILY.jay_close).strip()
        assert said.endswith(FAMILY.jay_close), asked
        assert re.search(holds, text, re.IGNORECASE), (asked, text)
        assert not loops(text), text
        before.append(Exchange(person=asked, jay=text, intent=""))
