"""How sure the model was of its words, over every way that a text can be cut into tokens."""

from __future__ import annotations

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.guards import Guard
from bot.prompts import Drawn, Piece
from bot.sureness import UNSURE_BELOW, WORD, Listener
from bot.traces import MOST_UNSURE, Sureness, Unsure


def token(text: str, probability: float = 0.9) -> Piece:
    return Piece(text=text, ids=(1,), drawn=(Drawn(chars=len(text), logprobs=(log(probability),)),))


def heard(*pieces: Piece, shown: str, begun: str = "") -> Sureness | None:
    listener = Listener(begun=begun)
    for piece in pieces:
        listener.feed(piece)
    return listener.sureness(shown)


def unsure(sureness: Sureness | None, shown: str) -> list[str]:
    assert sureness is not None
    return [shown[one.start : one.end] for one in sureness.unsure]


def test_the_mean_is_over_the_tokens_that_are_shown() -> None:
    sure = heard(token(" Yes", 0.5), token(".", 0.25), token("\n###", 0.01), shown="Yes.")

    assert sure is not None
    assert sure.tokens == 2
    assert sure.mean_logprob == pytest.approx((log(0.5) + log(0.25)) / 2, abs=1e-4)


def test_a_word_is_as_sure_as_its_least_likely_token() -> None:
    pieces = [token(" The"), token(" Au", 0.9), token("rora", 0.1), token(" sails")]
    sure = heard(*pieces, shown="The Aurora sails")

    assert sure is not None
    assert sure.unsure == (Unsure(start=4, end=10, probability=0.1),)


def test_what_ends_a_word_counts_for_nothing() -> None:
    shown = "Yes, no."
    sure = heard(token(" Yes"), token(",", 0.01), token(" no"), token(".", 0.01), shown=shown)

    assert unsure(sure, shown) == []


def test_without_probabilities_nothing_is_known() -> None:
    """An engine may not tell them."""
    assert heard(Piece(text=" Yes", ids=(1,)), shown="Yes") is None
    assert heard(shown="") is None


def test_of_what_another_worker_began_nothing_is_known() -> None:
    shown = "The Aurora sails at nine"
    sure = heard(token(" at"), token(" nine", 0.1), begun="The Aurora sails", shown=shown)

    assert sure is not None
    assert sure.tokens == 2
    assert unsure(sure, shown) == ["nine"]


def test_tokens_that_make_up_one_text_share_it() -> None:
    one = Piece(text=" 🦜 nine", ids=(1, 2, 3), drawn=(Drawn(chars=7, logprobs=(-0.1, -3.0)),))
    sure = heard(one, token(" ships"), shown="🦜 nine ships")

    assert unsure(sure, "🦜 nine ships") == ["nine"]


def test_only_the_least_sure_words_are_kept_in_their_order() -> None:
    shown = " ".join(f"w{at}" for at in range(60))
    chances = [0.001 * (60 - at) for at in range(60)]
    pieces = [token(f" w{at}", chances[at]) for at in range(60)]
    sure = heard(*pieces, shown=shown)

    assert unsure(sure, shown) == [f"w{at}" for at in range(60 - MOST_UNSURE, 60)]


words = st.lists(
    st.tuples(st.sampled_from(["one", "two", "###", "a-b", "x"]), st.sampled_from([0.05, 0.9])),
    max_size=12,
)


@given(words=words, cuts=st.lists(st.integers(1, 4)), lead=st.sampled_from(["", " ", "\n"]))
def test_no_unsure_word_is_missed_wherever_a_text_is_cut_into_tokens(
    words: list[tuple[str, float]], cuts: list[int], lead: str
) -> None:
    """Also where the guards hold text back or cut it off. Signs alone are told exactly."""
    raw = lead + "".join(f"{text} " for text, _ in words)
    chances = [0.9] * len(lead)
    for text, probability in words:
        chances += [probability] * len(text) + [0.9]
    guard, listener, at = Guard(stops=("###",)), Listener(), 0
    for size in (*cuts, *([1] * len(raw))):
        part = raw[at : at + size]
        if part:
            guard.feed(part)
            listener.feed(token(part, min(chances[at : at + size])))
        at += size
    shown = guard.flush()
    lead_chars = len(raw) - len(raw.lstrip())
    wanted = {
        word.span()
        for word in WORD.finditer(shown)
        if min(chances[word.start() + lead_chars : word.end() + lead_chars]) < UNSURE_BELOW
    }

    sure = listener.sureness(shown)

    found = {(one.start, one.end) for one in sure.unsure} if sure else set()
    assert found >= wanted
    assert cuts or found == wanted
