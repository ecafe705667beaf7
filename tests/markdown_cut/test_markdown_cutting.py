"""Cutting Markdown: nothing is lost, nothing is too long, nothing jumps while text grows."""

from __future__ import annotations

import time

import pytest
from fakes.dialects import BOLD, CLOSE, LABEL, LINK, LINK_END, OPEN, QUOTE, PlainDialect, visible
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.markdown import Mark, render
from adapters.markdown.clusters import clusters

DIALECT = PlainDialect()
PIECES = st.sampled_from(
    [
        "word ", "and more ", "\n", "\n\n", "**", "*", "_", "~~", "`", "```", "```py\n", "- ",
        "1. ", "> ", "# ", "[label](https://example.org/a?b=1&c=2)", "[", "](", ")", "![a](", "&amp;",
        "&", "<b>", "<https://example.org>", "| a | b |\n|---|---|\n| c | d |\n", "---\n", "    ",
        "👩‍👩‍👧", "🇩🇪", "é", "e\u0301", "\\", "x" * 90, "https://example.org/" + "y" * 120, "\t", "\r\n",
    ]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=400), st.lists(PIECES, max_size=60).map("".join))
LIMITS = st.integers(80, 300)


class ShortLinks(PlainDialect):
    """Links as in the other dialect are text where their address is too long."""

    def link(self, url: str) -> Mark:
        return Mark(BOLD, BOLD)


def cut(text: str, limit: int = 80) -> tuple[str, ...]:
    return render(text, DIALECT, limit=limit)


def seen(parts: tuple[str, ...]) -> str:
    return "".join(visible(part) for part in parts)


@given(TEXTS, LIMITS, LIMITS)
@example("[" + "x" * 200 + "](https://example.org/" + "y" * 200 + ")", 80, 80)
@example("- " * 40 + "deep", 80, 80)
@example("> " * 90 + "deeper than is parsed", 80, 80)
@example("a " + "&" * 300, 80, 90)
def test_no_part_is_too_long_or_empty(text: str, limit: int, first_limit: int) -> None:
    """Slack and Discord refuse the whole message otherwise."""
    parts = render(text, DIALECT, limit=limit, first_limit=first_limit)

    assert [part for part in parts[:1] if len(part) > first_limit] == []
    assert [part for part in parts[1:] if len(part) > limit] == []
    assert [part for part in parts if not part.strip()] == []


@given(TEXTS, LIMITS, LIMITS)
def test_a_cut_text_shows_every_character_that_the_whole_one_shows(
    text: str, limit: int, first_limit: int
) -> None:
    parts = render(text, ShortLinks(), limit=limit, first_limit=first_limit)

    assert seen(parts) == seen(render(text, ShortLinks(), limit=1_000_000))


@given(st.lists(st.text("abcäöü1é漢&", min_size=1, max_size=200), max_size=40), LIMITS)
def test_plain_words_arrive_as_they_are(words: list[str], limit: int) -> None:
    assert seen(cut(" ".join(words), limit)) == "".join(words)


@given(TEXTS)
def test_no_escape_and_no_emoji_is_cut_in_two(text: str) -> None:
    """`&am` would be shown as it stands, half an emoji as a box."""
    for part in cut(text):
        rest = part.replace("&amp;", "")
        assert "&" not in rest
        assert not part.startswith(("\u0301", "\u200d"))


@given(st.lists(PIECES, max_size=40).map("".join))
def test_every_prefix_of_a_growing_text_can_be_shown(text: str) -> None:
    """Streaming renders each of them."""
    for end in range(0, len(text), 7):
        parts = cut(text[:end], 120)
        assert [part for part in parts if len(part) > 120] == []


@given(st.lists(st.sampled_from(["some", "words", "of", "talk.", "\n"]), max_size=200))
def test_parts_that_are_full_stay_as_they_are_while_words_are_added(words: list[str]) -> None:
    """Each change of an early part is an edit that people see jump."""
    text = " ".join(words)
    whole = cut(text)

    for end in range(0, len(words), 9):
        early = cut(" ".join(words[:end]))
        assert early[:-1] == whole[: max(0, len(early) - 1)]


def test_an_open_fence_is_closed() -> None:
    parts = cut("Look:\n```py\nprint(1)")

    assert parts == (f"Look:\n{OPEN}py\nprint(1)\n{CLOSE}",)


def test_a_fence_that_is_too_long_is_closed_at_the_cut_and_opened_again() -> None:
    lines = [f"line_number_{n} = {n}" for n in range(12)]

    parts = cut("```py\n" + "\n".join(lines) + "\n```")

    assert len(parts) > 2
    assert all(part.startswith(f"{OPEN}py\n") for part in parts)
    assert all(part.endswith(f"\n{CLOSE}") for part in parts)
    inside = [part.removeprefix(f"{OPEN}py\n").removesuffix(f"\n{CLOSE}") for part in parts]
    assert "\n".join(inside).split("\n") == lines


def test_a_fence_that_fits_in_one_part_is_not_cut() -> None:
    code = "```\n" + "\n".join(["x = 1"] * 8) + "\n```"

    first, second = cut("Some words that stand before the code, forty or so.\n\n" + code)

    assert OPEN not in first
    assert second == f"{OPEN}\n" + "\n".join(["x = 1"] * 8) + f"\n{CLOSE}"


def test_a_list_item_that_fits_in_one_part_is_not_cut() -> None:
    item = "an item that is some fifty characters long, really"

    parts = cut(f"- {item}\n- {item}")

    assert [visible(part) for part in parts] == [item.replace(" ", "")] * 2


def test_bold_that_is_cut_is_closed_and_opened_again() -> None:
    parts = cut("**" + "word " * 30 + "end**")

    assert len(parts) > 1
    assert all(part.startswith(BOLD) and part.endswith(BOLD) for part in parts)


def test_half_a_mark_is_text() -> None:
    assert cut("so **bo") == ("so **bo",)
    assert cut("so **bold** it") == (f"so {BOLD}bold{BOLD} it",)


def test_a_link_keeps_its_address_and_label() -> None:
    assert cut("see [the docs](https://example.org/x) now", 300) == (
        f"see {LINK}https://example.org/x{LABEL}the docs{LINK_END} now",
    )
    assert cut("![a cat](https://example.org/cat.png)", 300) == (
        f"{LINK}https://example.org/cat.png{LABEL}a cat{LINK_END}",
    )
    assert cut("[this](other.md)") == ("this (other.md)",)


def test_html_and_references_are_text() -> None:
    assert cut("<b>bold</b> [x]: y") == ("<b>bold</b> [x]: y",)
    assert cut("[a]: https://example.org") == ("[a]: https://example.org",)


def test_a_quote_goes_on_in_each_line_and_part() -> None:
    parts = cut("> " + "quoted words " * 12 + "\n> next")

    assert len(parts) > 1
    assert all(line.startswith(QUOTE) for part in parts for line in part.split("\n"))


def test_a_table_becomes_lines_of_one_width() -> None:
    (part,) = cut("| name | no |\n|---|---|\n| ana | 1 |\n| benedict | 22 |")

    assert part.split("\n")[1:-1] == [
        "name     | no",
        "---------+---",
        "ana      | 1",
        "benedict | 22",
    ]


def test_blank_lines_stay_as_the_model_set_them() -> None:
    assert cut("one\ntwo\n\n\nthree") == ("one\ntwo\n\nthree",)


def test_a_list_that_is_being_written_makes_no_heading_of_the_line_before() -> None:
    assert BOLD not in "".join(cut("Options:\n-"))


def test_nothing_to_show_is_no_part() -> None:
    assert [cut(text) for text in ("", " \n", "```", "```py\n", "-", "> ", "#")] == [()] * 7


def test_a_limit_without_room_is_refused() -> None:
    with pytest.raises(ValueError):
        cut("text", 20)


@given(st.text())
def test_clusters_join_to_the_text(text: str) -> None:
    assert "".join(clusters(text)) == text


def test_clusters_are_what_a_reader_sees_as_one() -> None:
    text = "👩‍👩‍👧🇩🇪🇫🇷e\u0301👍🏽a"

    assert list(clusters(text)) == ["👩‍👩‍👧", "🇩🇪", "🇫🇷", "e\u0301", "👍🏽", "a"]


@pytest.mark.parametrize(
    "unit", ["word and **bold** and `code` ", "[", "**a ", "* a\n", "> ", "x", "- a\n  ", "漢字"]
)
def test_time_grows_with_the_text_and_no_faster(unit: str) -> None:
    """A flood of a base model must not hold up the loop: four times the text, not sixteen."""
    small, large = (unit * (size // len(unit)) for size in (4_000, 16_000))

    assert cost(large) < 10 * max(cost(small), 0.01)


def cost(text: str) -> float:
    spent = []
    for _ in range(3):
        began = time.process_time()
        render(text, DIALECT, limit=2000)
        spent.append(time.process_time() - began)
    return min(spent)
