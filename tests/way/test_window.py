from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.window import KEEP, fit

OPENING, CUE = (1, 2), (9,)
turns_of_ids = st.lists(
    st.integers(1, 40).map(lambda size: tuple(range(100, 100 + size))), min_size=1, max_size=30
)


def test_everything_fits_as_it_is() -> None:
    """Nobody's words may go while there is room."""
    window = fit([(10, 11), (12,)], opening=OPENING, cue=CUE, budget_tokens=6)

    assert window.ids == (1, 2, 10, 11, 12, 9)
    assert (window.start, window.cut_tokens) == (0, 0)


def test_an_overfull_window_drops_the_oldest_turns_down_to_the_kept_share() -> None:
    """Dropping one turn a reply would leave the prefix cache nothing to answer with."""
    turns = [(at,) * 10 for at in range(10)]

    window = fit(turns, opening=(), cue=(), budget_tokens=95)

    assert len(window.ids) <= 95 * KEEP
    assert window.ids[-1] == 9


def test_the_start_stays_while_the_turns_after_it_fit() -> None:
    turns = [(at,) * 10 for at in range(10)]

    window = fit(turns, opening=(), cue=(), budget_tokens=60, start=5)

    assert window.start == 5


def test_a_single_turn_that_is_too_long_loses_its_middle() -> None:
    """The question often stands at the end of a long paste, the greeting at its start."""
    window = fit([tuple(range(100))], opening=OPENING, cue=CUE, budget_tokens=13)

    assert len(window.ids) == 13
    assert window.cut_tokens == 90
    assert window.ids[2] == 0
    assert window.ids[-2] == 99


def test_no_room_for_any_turn_is_an_error() -> None:
    with pytest.raises(ValueError, match="no room"):
        fit([(1,)], opening=OPENING, cue=CUE, budget_tokens=3)


@given(turns=turns_of_ids, budget=st.integers(4, 300), start=st.integers(0, 40))
def test_a_prompt_never_passes_its_budget(
    turns: list[tuple[int, ...]], budget: int, start: int
) -> None:
    """vLLM refuses a prompt that is one token too long."""
    window = fit(turns, opening=OPENING, cue=CUE, budget_tokens=budget, start=start)

    assert len(window.ids) <= budget
    assert window.ids[:2] == OPENING
    assert window.ids[-1:] == CUE


@given(turns=turns_of_ids, more=turns_of_ids, budget=st.integers(50, 400))
def test_the_next_prompt_extends_the_last_one_unless_the_window_was_trimmed(
    turns: list[tuple[int, ...]], more: list[tuple[int, ...]], budget: int
) -> None:
    """Else every follow-up would be computed from its first token."""
    first = fit(turns, opening=OPENING, cue=(), budget_tokens=budget)

    second = fit([*turns, *more], opening=OPENING, cue=(), budget_tokens=budget, start=first.start)

    if second.start == first.start and not second.cut_tokens and not first.cut_tokens:
        assert second.ids[: len(first.ids)] == first.ids
