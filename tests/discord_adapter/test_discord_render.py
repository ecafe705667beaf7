"""Markdown as Discord shows it: pure."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.limits import CONTENT_MAX
from adapters.discord.render import render, without_mentions

RINGS = re.compile(r"@everyone|@here|<@[!&]?\d+>|<#\d+>")
"""What Discord's server takes for a mention, wherever it stands."""

PIECES = [*"@<>#&!*_~|`[]()\\-+.1 \n", "everyone", "here", "12345", "é"]
MARKDOWN = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


def one(markdown: str) -> str:
    (part,) = render(markdown)
    return part


def shown(text: str) -> str:
    """What a reader sees of escaped text."""
    return re.sub(r"\\([^0-9A-Za-z\s])", r"\1", text).replace("\u200b", "")


@pytest.mark.parametrize(
    ("markdown", "discord"),
    [
        ("plain words", "plain words"),
        ("**bold** and *italic*", "**bold** and _italic_"),
        ("~~gone~~", "~~gone~~"),
        ("in`code`line", "in`code`line"),
        ("# Title", "# Title"),
        ("#### Deep", "**Deep**"),
        ("- one\n- two\n  - deeper", "- one\n- two\n  - deeper"),
        ("3. three\n4. four", "3. three\n4. four"),
        ("> said", "> said"),
        ("```python\na = b_c\n```", "```python\na = b_c\n```"),
        ("[the docs](https://example.org/a_b)", "[the docs](<https://example.org/a_b>)"),
        ("<https://example.org>", "<https://example.org>"),
        ("see https://example.org/a_b_c", "see https://example.org/a_b_c"),
    ],
)
def test_markdown_becomes_discords(markdown: str, discord: str) -> None:
    assert one(markdown) == discord


@pytest.mark.parametrize(
    "text",
    [
        "snake_case_name",
        "2 * 3 * 4",
        "a || b || c",
        "a ~~ b ~ c",
        "x < y > z",
        "a [note] here",
        "C:\\temp\\new",
        "1986\\. A year",
    ],
)
def test_signs_that_the_model_meant_as_text_show_as_text(text: str) -> None:
    meant = text.replace("1986\\.", "1986.")

    assert shown(one(text)) == meant


def test_discords_own_signs_in_text_are_escaped() -> None:
    """They would hide a text, or make it small: Markdown knows neither."""
    assert one("||spoiler||") == "\\|\\|spoiler\\|\\|"
    assert one("-# small").startswith("\\-")
    assert one("<t:0:R>").startswith("\\<")


@pytest.mark.parametrize(
    "markdown",
    [
        "@everyone cake",
        "mail@everyone.com",
        "<@123456789012345678>",
        "<@&123456789012345678> <#123456789012345678>",
        "`@here`",
        "```\n@everyone <@1>\n```",
        "[@everyone](https://example.org/@everyone)",
        "@*every*one @&#101;veryone",
        "https://example.org/<@12>",
        "<https://example.org/@here>",
        "# @here",
    ],
)
def test_the_model_can_ring_for_nobody(markdown: str) -> None:
    for part in render(markdown):
        assert not RINGS.search(part)


def test_a_broken_mention_still_reads_as_it_was_written() -> None:
    assert shown(one("ask @everyone or <@123>")) == "ask @everyone or <@123>"


def test_a_fence_inside_code_does_not_end_it() -> None:
    part = one("````\n```\ninner\n```\n````")

    assert part.count("```") == 2
    assert part.replace("\u200b", "").count("```") == 4


def test_code_that_holds_a_backtick_stays_code() -> None:
    assert one("``a ` b``") == "``a ` b``"


def test_a_long_reply_comes_in_parts_with_its_fence_closed_in_each() -> None:
    parts = render("```python\n" + "print('hello')\n" * 300 + "```")

    assert len(parts) > 2
    for part in parts:
        assert len(part) <= CONTENT_MAX
        assert part.startswith("```python\n")
        assert part.endswith("\n```")


def test_signs_beyond_the_basic_plane_count_double() -> None:
    """Clients count so; a part must be within the limit however it is counted."""
    parts = render("🌻" * 1_500)

    assert all(len(part.encode("utf-16-le")) // 2 <= CONTENT_MAX for part in parts)
    assert "".join(parts) == "🌻" * 1_500


@given(MARKDOWN)
def test_nothing_rings_and_nothing_is_too_long_whatever_the_model_writes(markdown: str) -> None:
    for part in render(markdown):
        assert part.strip()
        assert len(part) <= CONTENT_MAX
        assert not RINGS.search(part)


@given(st.text(alphabet="@<>#!&everyonh 1", max_size=30), st.integers(0, 30))
def test_a_mention_is_broken_also_where_a_part_ends_within_it(text: str, at: int) -> None:
    pieces = without_mentions(text[:at]) + without_mentions(text[at:])

    assert not RINGS.search(pieces)
    assert pieces.replace("\u200b", "") == text
