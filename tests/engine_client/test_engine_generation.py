"""Stop strings and seams, over every way that a text can be cut into chunks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.prompts import Drawn, Prompt
from engine.generation import Chunk, Generation
from engine.stops import StopFilter

LETTERS = st.text(alphabet="ab#\n", max_size=30)
STOPS = st.lists(st.text(alphabet="ab#\n", min_size=1, max_size=4), max_size=3).map(tuple)


@st.composite
def cut_texts(draw: st.DrawFn) -> list[str]:
    """A text in pieces, some of them empty."""
    text = draw(LETTERS)
    at = sorted(draw(st.lists(st.integers(0, len(text)), max_size=6)))
    return [text[a:b] for a, b in zip([0, *at], [*at, len(text)], strict=True)]


def before_first_stop(text: str, stops: tuple[str, ...]) -> str:
    """What a reader of the whole text would show, the stop that ends first winning."""
    ends = [(text.find(stop) + len(stop), text.find(stop)) for stop in stops if stop in text]
    if not ends:
        return text
    first_end = min(end for end, _ in ends)
    return text[: min(at for end, at in ends if end == first_end)]


def fed(pieces: list[str], stops: tuple[str, ...]) -> tuple[str, bool]:
    guard = StopFilter(stops=stops)
    shown = "".join(guard.feed(piece) for piece in pieces)
    return shown + guard.flush(), guard.found


@given(cut_texts(), STOPS)
def test_where_a_text_is_cut_makes_no_difference_to_what_is_found(
    pieces: list[str], stops: tuple[str, ...]
) -> None:
    shown, found = fed(pieces, stops)

    assert found == any(stop in "".join(pieces) for stop in stops)
    assert not any(stop in shown for stop in stops)
    assert "".join(pieces).startswith(shown)


@given(cut_texts(), STOPS)
def test_letter_by_letter_the_text_ends_before_the_stop_that_is_complete_first(
    pieces: list[str], stops: tuple[str, ...]
) -> None:
    """As vLLM decides it."""
    text = "".join(pieces)

    assert fed(list(text), stops)[0] == before_first_stop(text, stops)


@given(cut_texts(), STOPS)
def test_no_more_is_held_back_than_may_become_a_stop(
    pieces: list[str], stops: tuple[str, ...]
) -> None:
    """Words must appear at once."""
    guard = StopFilter(stops=stops)
    came, shown = "", ""
    for piece in pieces:
        shown += guard.feed(piece)
        came += piece
        if not guard.found:
            held = came[len(shown) :]
            assert not held or any(stop.startswith(held) for stop in stops)


@given(cut_texts(), st.data())
def test_a_reply_over_any_seams_is_the_reply_without(
    pieces: list[str], data: st.DataObject
) -> None:
    """Each seam starts a request that must ask for exactly what is left."""
    text = "".join(pieces)
    prompt = Prompt(ids=(1, 2), max_tokens=len(text) + 5, stop=("##",))
    generation = Generation(prompt=prompt)
    shown, at = "", 0
    while not generation.ended and at < len(text):
        rest = generation.rest()
        assert rest is not None
        assert rest.ids == (1, 2, *map(ord, text[:at]))
        assert rest.max_tokens == prompt.max_tokens - at
        for letter in text[at : at + data.draw(st.integers(1, 8))]:
            piece = generation.feed(Chunk(text=letter, ids=(ord(letter),)))
            shown += piece.text if piece else ""
            at += 1
            if generation.ended:
                break
    if not generation.ended:
        generation.feed(Chunk(finish="stop"))
    shown += generation.last().text

    assert shown == text.partition("##")[0]


def test_tokens_without_text_are_drawn_again_after_a_seam() -> None:
    generation = Generation(prompt=Prompt(ids=(1,), max_tokens=9))
    generation.feed(Chunk(text="a", ids=(10,)))
    generation.feed(Chunk(text="", ids=(11,)))
    rest = generation.rest()
    generation.feed(Chunk(text="b", ids=(12,)))

    assert rest is not None
    assert rest.ids == (1, 10)
    assert generation.kept == [10, 12]


def test_an_abort_is_no_end() -> None:
    generation = Generation(prompt=Prompt(ids=(1,), max_tokens=9))
    generation.feed(Chunk(text="a", ids=(10,), finish="abort"))

    assert not generation.ended


def test_a_reply_that_used_up_its_tokens_asks_for_no_more() -> None:
    generation = Generation(prompt=Prompt(ids=(1,), max_tokens=1))
    generation.feed(Chunk(text="a", ids=(10,)))

    assert generation.rest() is None
    finish = generation.last().finish
    assert finish is not None
    assert finish.reason == "length"


@given(cut_texts(), STOPS, st.data())
def test_the_tokens_drawn_account_for_all_text_whatever_is_held_back(
    pieces: list[str], stops: tuple[str, ...], data: st.DataObject
) -> None:
    """Words are marked by where their tokens stand."""
    generation = Generation(prompt=Prompt(ids=(1,), max_tokens=99, stop=stops))
    raw, shown, chars, logprobs = "", "", 0, list[float]()
    for at, text in enumerate(pieces):
        many = data.draw(st.integers(1, 2))
        drawn = (-0.5 - at,) * many
        piece = generation.feed(Chunk(text=text, ids=(at,) * many, logprobs=drawn))
        raw += text
        if piece:
            shown += piece.text
            chars += sum(one.chars for one in piece.drawn)
            logprobs += [logprob for one in piece.drawn for logprob in one.logprobs]
            assert len(piece.ids) == sum(len(one.logprobs) for one in piece.drawn)
        if generation.ended:
            break
    shown += generation.last().text

    assert raw.startswith(shown)
    assert chars == len(raw)
    assert logprobs == sorted(logprobs, reverse=True)


def test_tokens_of_one_chunk_are_told_apart_by_their_texts() -> None:
    generation = Generation(prompt=Prompt(ids=(1,), max_tokens=9))
    chunk = Chunk(text=" one two", ids=(1, 2), texts=(" one", " two"), logprobs=(-1.0, -2.0))
    parrot = Chunk(text="🦜", ids=(3, 4), texts=("\ufffd", "\ufffd"), logprobs=(-3.0, -4.0))

    first, second = generation.feed(chunk), generation.feed(parrot)

    assert first is not None
    assert second is not None
    assert first.drawn == (
        Drawn(chars=4, logprobs=(-1.0,)),
        Drawn(chars=4, logprobs=(-2.0,)),
    )
    assert second.drawn == (Drawn(chars=1, logprobs=(-3.0, -4.0)),)


def test_of_tokens_that_are_drawn_again_the_first_draw_counts_for_nothing() -> None:
    generation = Generation(prompt=Prompt(ids=(1,), max_tokens=9))
    generation.feed(Chunk(text="", ids=(11,), logprobs=(-9.0,)))
    generation.rest()
    piece = generation.feed(Chunk(text="b", ids=(12,), logprobs=(-1.0,)))

    assert piece is not None
    assert piece.drawn == (Drawn(chars=1, logprobs=(-1.0,)),)


def test_where_the_server_tells_no_probabilities_only_the_place_is_known() -> None:
    generation = Generation(prompt=Prompt(ids=(1,), max_tokens=9))
    piece = generation.feed(Chunk(text="ab", ids=(1,)))

    assert piece is not None
    assert piece.drawn == (Drawn(chars=2, logprobs=()),)
