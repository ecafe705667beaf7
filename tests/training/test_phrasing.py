"""Patterns and slips of the keyboard: what training texts are made with."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.training.phrasing import (
    MOST_EXPANSIONS,
    as_typed,
    called,
    expand,
    fill,
    greeted,
    led,
    slots,
)

texts = st.text(alphabet="abcdefgh IJ'?!{}", min_size=1, max_size=60).filter(
    lambda text: bool(text.strip(" ?!")) and "{" not in text and "}" not in text
)


def test_a_choice_is_every_one_of_its_ways() -> None:
    assert set(expand("(hi|hello)( there|)")) == {"hi there", "hi", "hello there", "hello"}


def test_choices_may_be_nested() -> None:
    assert set(expand("a(b(c|d)|e)")) == {"abc", "abd", "ae"}


def test_a_pattern_of_many_ways_keeps_some_of_every_first_choice() -> None:
    """Cut off at the end instead, the last alternatives would never be said."""
    ways = expand("(a|b|c|d)" + "(1|2|3|4|5)" * 4)

    assert len(ways) == MOST_EXPANSIONS
    assert {way[0] for way in ways} == set("abcd")


@pytest.mark.parametrize("pattern", ["(a|b", "a|b)", "a)"])
def test_an_unbalanced_pattern_is_an_error(pattern: str) -> None:
    with pytest.raises(ValueError, match="bracket"):
        expand(pattern)


def test_a_slot_that_stands_twice_gets_one_value() -> None:
    pools = {"name": ("Ana", "Ben", "Cleo")}

    said = fill("{name} is {name}, not {name2}", pools, Random(4), {})

    first, second = said.split(", not ")
    assert first in {f"{name} is {name}" for name in pools["name"]}
    assert second in pools["name"]


@given(texts, st.integers())
def test_slips_leave_slots_as_they_are(text: str, seed: int) -> None:
    """A slot that was misspelt would be said to people as it is."""
    rng = Random(seed)

    typed = led(called(as_typed(f"{text} {{name}} {{num2}}", rng), rng), rng)

    assert [slot for slot, _ in slots(typed)] == ["{name}", "{num2}"]


@given(texts, st.integers())
def test_something_is_left_of_every_text(text: str, seed: int) -> None:
    rng = Random(seed)

    assert greeted(as_typed(text, rng), "Yes.", rng)[0].strip()


@given(st.integers())
def test_a_greeting_is_returned_once(seed: int) -> None:
    said, replied = greeted("who are you?", "Hello! I am Jay.", Random(seed))

    assert said.endswith("ho are you?")
    assert replied == "Hello! I am Jay."
