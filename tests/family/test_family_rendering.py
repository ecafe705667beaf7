from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.conversations import Turn
from bot.family import Family, defuse, render_task, render_turn

FAMILY = Family(
    name="test",
    begin="<|endoftext|>",
    person="[human]: {text}\n###\n",
    jay_open="[robot]:",
    jay_close="\n###\n",
    stop=("\n###", "\n[human]:"),
    never=("[human]:", "[robot]:"),
)


def turn(role: str, text: str) -> Turn:
    return Turn(role=role, text=text, author="Ana", at=1.0)  # type: ignore[arg-type]


def test_a_turn_of_jays_is_its_opening_its_words_and_its_close() -> None:
    """The generated words must stand as segments of their own, or the cache misses."""
    assert render_turn(FAMILY, turn("jay", "Hello.")) == ("[robot]:", " Hello.", "\n###\n")


def test_a_task_without_a_format_of_its_own_is_a_persons_turn() -> None:
    assert render_task(FAMILY, instruction="Do it.", text="- Ana: x") == (
        "<|endoftext|>",
        "[human]: Do it.\n- Ana: x\n###\n",
        "[robot]:",
    )


def test_a_persons_name_cannot_fill_in_the_text() -> None:
    family = Family(name="t", person="{name}: {text}\n", jay_open="J:", jay_close="\n", stop=("X",))

    assert render_turn(family, turn("person", "{name}"))[0].count("Ana") == 1


@given(text=st.text(alphabet="#[]\nhumanrobot:<|>endftx ", max_size=80))
def test_nobody_can_write_a_turns_border_into_the_prompt(text: str) -> None:
    """Else a message could put words into Jay's or another person's mouth."""
    (rendered,) = render_turn(FAMILY, turn("person", text))
    said = rendered.removeprefix("[human]: ").removesuffix("\n###\n")

    for mark in ("###", "[human]:", "[robot]:", "<|endoftext|>"):
        assert mark not in said
    assert defuse(FAMILY, text).replace("\u200b", "") == text.replace("\u200b", "")
