"""The sentence embedder, held to the original network."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.retrieval import Embedder, find_model
from bot.retrieval.embedding import WIDTH
from bot.retrieval.packing import pack, unpack

FOLDER = find_model()
TEXTS = [
    "When does the ferry leave?",
    "ok",
    "The boat sails at half past six from the north pier, if the tide allows it. " * 20,
    "",
    "日本語 and ünïcödé 🙂",
]
needs_model = pytest.mark.skipif(FOLDER is None, reason="the extra `semantic` is not installed")


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    assert FOLDER is not None
    return Embedder(FOLDER)


@needs_model
@pytest.mark.torch
def test_vectors_are_those_of_the_original(embedder: Embedder) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    model = transformers.AutoModel.from_pretrained(str(FOLDER))
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(FOLDER))
    batch = tokenizer(TEXTS, padding=True, truncation=True, max_length=128, return_tensors="pt")
    with torch.no_grad():
        states = model(**batch).last_hidden_state
    held = batch["attention_mask"][..., None]
    mean = (states * held).sum(1) / held.sum(1)
    expected = (mean / mean.norm(dim=1, keepdim=True)).numpy()

    assert np.abs(embedder.embed(TEXTS) - expected).max() < 1e-5


@needs_model
def test_what_means_the_same_is_nearer_than_what_shares_words(embedder: Embedder) -> None:
    asked, meant, shares = embedder.embed(
        ["Who handles reservations?", "Please book it through Ulrike.", "Who handles the dog?"]
    )[:3]
    other = embedder.embed(["The soup was cold."])[0]

    assert asked @ meant > asked @ other
    assert shares @ asked < 0.9


@needs_model
def test_a_text_is_the_same_alone_and_among_others(embedder: Embedder) -> None:
    """Padding must not leak into what a message means."""
    alone = np.vstack([embedder.embed([text]) for text in TEXTS])

    assert np.abs(embedder.embed(TEXTS) - alone).max() < 1e-5


@given(seed=st.integers(0, 10_000))
def test_packing_costs_hardly_any_likeness(seed: int) -> None:
    drawn = np.random.default_rng(seed).standard_normal(WIDTH).astype(np.float32)
    vector = drawn / np.linalg.norm(drawn)

    packed = pack(vector, "text")
    back = unpack(packed, "text")

    assert len(packed) == 392
    assert back is not None
    assert float(vector @ back) > 0.99
    assert np.linalg.norm(back) == pytest.approx(1.0, abs=1e-5)


def test_a_vector_of_other_words_is_refused() -> None:
    """The message was edited while it was computed."""
    packed = pack(np.ones(WIDTH, dtype=np.float32), "before")

    assert unpack(packed, "after") is None
    assert unpack(packed[:-1], "before") is None
    assert unpack(b"", "before") is None
