"""What stands in messages' menus: how a text is handed on, and what menus have room for."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.catalogue import SHIPPED
from bot.skills.choosing import command_of
from bot.skills.files import read_skill
from bot.skills.shortcuts import (
    LONGEST_NAME,
    MOST_SHORTCUTS,
    SHORTCUTS,
    MessageShortcut,
    fit,
    shortcut_of,
)
from bot.skills.template import Choice, Template, read_arguments

TONE = Choice(name="tone", description="", values=("warm", "formal"), default="formal")


def template(**more: object) -> Template:
    return Template(name="explain", description="", shortcut="Explain this", **more)


def named(*names: str) -> list[MessageShortcut]:
    return [
        MessageShortcut(name=name, command=f"c{at}", text="{text}") for at, name in enumerate(names)
    ]


@given(st.text(max_size=80).map(str.strip))
@example("warm: and {at} {text} {0}")
@example("formal dress")
@example(": a colon of its own")
@example(":wave: hello")
@pytest.mark.parametrize("choices", [(), (TONE,)], ids=["no choices", "choices"])
def test_a_messages_words_come_through_whole_and_choose_nothing(
    choices: tuple[Choice, ...], said: str
) -> None:
    """ "Formal dress" would otherwise be taken for "dress", said formally."""
    shortcut = shortcut_of(template(choices=choices))

    assert shortcut is not None
    typed = shortcut.text.format(at="1.5", text=said)
    chosen, text = read_arguments(typed, choices)
    assert text == said
    assert set(chosen.values()) <= {"formal"}


def test_what_ships_leaves_room_for_one_of_the_operators() -> None:
    shipped = [
        command_of(read_skill(path.read_text(), file=path.name, stem=path.stem)).shortcut
        for path in sorted(SHIPPED.glob("*.toml"))
    ]

    offered, left_out = fit((*SHORTCUTS, *(one for one in shipped if one)))

    assert [one.name for one in offered] == [
        "Summarize from here", "Summarize this thread", "Explain this", "Paraphrase this",
    ]  # fmt: skip
    assert left_out == {}
    assert len(offered) < MOST_SHORTCUTS
    assert all(len(one.name) <= LONGEST_NAME for one in offered)


def test_what_has_no_room_is_left_out_and_told_why() -> None:
    offered, left_out = fit(named("A", "B", "C", "D", "E", "F", "G"))

    assert [one.name for one in offered] == ["A", "B", "C", "D", "E"]
    assert left_out == dict.fromkeys(("c5", "c6"), "menus have room for 5: A, B, C, D, E")


def test_of_two_that_platforms_could_not_tell_apart_the_first_stays() -> None:
    offered, left_out = fit(named("Explain this", "Explain-THIS", "Explain that"))

    assert [one.name for one in offered] == ["Explain this", "Explain that"]
    assert left_out == {
        "c1": "/c0 has 'Explain this' in menus, and platforms could not tell the two apart"
    }


@given(st.lists(st.text(min_size=1, max_size=LONGEST_NAME), max_size=8))
@example(["Объясни это", "Перескажи это", "説明して"])
def test_ids_tell_apart_whatever_is_offered_and_slack_can_take_them(names: list[str]) -> None:
    offered, left_out = fit(named(*names))
    ids = [one.id for one in offered]

    assert len({*ids}) == len(ids) <= MOST_SHORTCUTS
    assert len(ids) + len(left_out) == len(names)
    assert all(re.fullmatch(r"[a-z0-9_]{1,255}", one) for one in ids)
    if names[:2] == ["Объясни это", "Перескажи это"]:
        assert len(ids) == 3
