"""What fine-tuning learns from: the very ids that serving sends, and only Jay's are learned."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from tokenizers import Tokenizer

from bot.conversations import Turn
from engine.checkpoint import BUNDLED
from engine.families import load_families
from engine.training.rows import RowWriter, TokenizerMismatch, batch

pytestmark = pytest.mark.torch
TURNS = (
    Turn(role="person", text="Is it open?", author="", at=0.0),
    Turn(role="jay", text="Until nine.", author="", at=0.0),
)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(BUNDLED / "tokenizer.json"))


def writer(tokenizer: Tokenizer, *, family: str = "mini", longest: int = 100) -> RowWriter:
    return RowWriter(tokenizer, load_families()[family], longest=longest)


def test_a_row_reads_as_serving_writes_it(tokenizer: Tokenizer) -> None:
    row, cut = writer(tokenizer).row(TURNS)

    text = tokenizer.decode(list(row.ids), skip_special_tokens=False)
    assert text == "<|endoftext|>[human]: Is it open?\n###\n[robot]: Until nine.\n###\n"
    assert cut == 0


def test_what_jay_says_is_learned_with_its_end_and_nothing_else(tokenizer: Tokenizer) -> None:
    """A model that learns what people ask starts to ask it."""
    row, _ = writer(tokenizer).row(TURNS)

    learned = [one for one, weight in zip(row.ids, row.weights, strict=True) if weight]
    assert tokenizer.decode(learned) == " Until nine.\n###\n"


def test_a_family_with_a_place_for_it_gets_the_persona(tokenizer: Tokenizer) -> None:
    base = writer(tokenizer, family="base", longest=400)

    told, _ = base.row(TURNS, persona="Jay is brief.")
    untold, _ = base.row(TURNS)

    assert "Jay is brief." in tokenizer.decode(list(told.ids))
    assert "runs on GPT-J" in tokenizer.decode(list(untold.ids))


def test_a_long_conversation_loses_its_beginning_and_keeps_the_reply(
    tokenizer: Tokenizer,
) -> None:
    long = Turn(role="person", text="open or closed " * 40, author="", at=0.0)

    row, cut = writer(tokenizer, longest=50).row((long, *TURNS))

    text = tokenizer.decode(list(row.ids), skip_special_tokens=False)
    assert len(row.ids) == 50
    assert cut > 50
    assert text.startswith("<|endoftext|>")
    assert text.endswith("[robot]: Until nine.\n###\n")


def test_padding_is_not_learned(tokenizer: Tokenizer) -> None:
    short, _ = writer(tokenizer).row(TURNS)
    long, _ = writer(tokenizer).row((*TURNS, *TURNS))

    found = batch([short, long])

    assert found.ids.shape == (2, len(long.ids) - 1)
    assert float(found.weights[0].sum()) == short.said
    assert float(found.weights[1].sum()) == long.said


def test_a_tokenizer_of_another_family_is_refused() -> None:
    """It would cut the turns' borders in pieces that the model never saw."""
    other = Tokenizer.from_str(
        '{"version": "1.0", "model": {"type": "WordLevel", "vocab": {"a": 0, "<": 1},'
        ' "unk_token": "a"}, "pre_tokenizer": {"type": "Whitespace"}}'
    )

    with pytest.raises(TokenizerMismatch, match=r"'<\|endoftext\|>' in 3 tokens"):
        writer(other)
