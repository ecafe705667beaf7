from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.guards import LOOKED_BACK_WORDS, Guard

STOPS = ("\n###", "\n[human]:")
NEVER = ("[human]:", "[robot]:")


def guard(**overrides: int) -> Guard:
    return Guard(stops=STOPS, never=NEVER, **overrides)


def fed(*pieces: str, **overrides: int) -> Guard:
    reader = guard(**overrides)
    for piece in pieces:
        if not reader.feed(piece):
            break
    reader.flush()
    return reader


def test_a_stop_ends_the_reply_and_is_not_shown() -> None:
    reader = fed(" Hello there.\n##", "#\n[human]: and me")

    assert (reader.text, reader.cut) == ("Hello there.", "stop")


def test_half_a_stop_is_held_back_until_it_is_known_to_be_none() -> None:
    """A person would see a mark flash up and vanish."""
    reader = guard()
    reader.feed("Title\n##")
    assert reader.text == "Title"

    reader.feed(" not a stop")
    reader.flush()

    assert reader.text == "Title\n## not a stop"


def test_an_invented_turn_of_a_person_is_cut() -> None:
    """People took such lines for their own words."""
    reader = fed("Sure.", "\n [hum", "an]: thanks, and", " what about me?")

    assert (reader.text, reader.cut) == ("Sure.", "invented_turn")


def test_a_loop_is_cut_to_its_first_round_and_says_so() -> None:
    reader = fed("I am here. " + "And then we went on to the shop. " * 9)

    assert reader.cut == "loop"
    assert reader.text == "I am here. And then we went on to the shop."
    assert reader.note


def test_a_loop_of_many_long_words_is_seen_as_well() -> None:
    """Twenty words of sixty letters, four times: a model that counts in hexadecimal does that."""
    rounds = " ".join(f"{at:060x}" for at in range(20))

    reader = fed(*(f"{rounds} " * 5))

    assert (reader.text, reader.cut) == (rounds, "loop")


def test_a_long_reply_holds_no_more_of_the_past_than_a_loop_takes() -> None:
    """Five hundred replies at once would hold it all."""
    reader = guard(max_chars=100_000)
    for at in range(3_000):
        reader.feed(f"{at} ")

    assert len(reader._words) == len(reader._ends) <= 2 * LOOKED_BACK_WORDS


def test_emphasis_is_no_loop() -> None:
    assert fed("No, no, no, no! That is a very, very, very good idea.").cut == ""


def test_a_flood_of_one_character_is_cut() -> None:
    reader = fed("Wow" + "!" * 500)

    assert (reader.text, reader.cut) == ("Wow!!!", "flood")


def test_a_reply_over_its_length_is_cut_and_says_so() -> None:
    reader = fed("ab " * 40, max_chars=30)

    assert reader.cut == "length"
    assert len(reader.text) <= 30
    assert reader.note


@given(pieces=st.lists(st.text(alphabet="ab #[]\nhumanrobot:!", max_size=12), max_size=20))
def test_how_the_stream_is_cut_into_pieces_makes_no_difference(pieces: list[str]) -> None:
    """vLLM may send one token or ten at a time."""
    whole = "".join(pieces)

    assert fed(*pieces).text == fed(*list(whole)).text


@given(pieces=st.lists(st.text(alphabet="ab #[]\nhuman:", max_size=12), max_size=20))
def test_nothing_forbidden_is_ever_shown(pieces: list[str]) -> None:
    reader = guard()
    for piece in pieces:
        more = reader.feed(piece)
        assert not any(stop in reader.text for stop in STOPS)
        assert not any(line.lstrip().startswith(NEVER) for line in reader.text.split("\n"))
        if not more:
            break


@given(text=st.text(alphabet=st.characters(exclude_characters="#[\n"), max_size=300))
def test_text_without_marks_or_loops_comes_through_whole(text: str) -> None:
    reader = fed(*text)

    if not reader.cut:
        assert reader.text == text.strip()
