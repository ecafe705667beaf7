"""Markdown as Slack's own: what people see, and that it pings nobody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from adapters.sandbox.slack import limits as sandbox_limits
from adapters.sandbox.slack.markup import pings
from adapters.slack import limits
from adapters.slack.render import BORDER, to_mrkdwn, to_stream_markdown

WORDS = st.sampled_from(
    [
        "word ", "<!channel>", "<@U012AB3CD>", "<!subteam^S1|team>", "<#C1|x>", "`", "``", "```\n",
        "**", "_", "[a](https://e.org/<!here>)", "[<!here>](https://e.org)", "<https://e.org/|x>",
        "![<!everyone>](https://e.org/a.png)", "\n", "> ", "- ", "1. ", "# ", "&lt;!here&gt;", "\\<",
        "| a | b |\n|---|---|\n| <!here> | d |\n", "https://e.org/?a=<!here>&b", "&#60;!here&#62;",
    ]
)  # fmt: skip
TEXTS = st.lists(WORDS, max_size=40).map("".join)


def one(markdown: str) -> str:
    (part,) = to_mrkdwn(markdown)
    return part


@given(st.one_of(TEXTS, st.text(max_size=300)))
def test_nothing_that_a_model_writes_pings_anybody(text: str) -> None:
    for part in (*to_mrkdwn(text), *to_stream_markdown(text)):
        assert pings(part) == []


@given(TEXTS)
def test_only_links_stand_in_angle_brackets(text: str) -> None:
    """`<` opens nothing but a link, and each is closed."""
    for part in to_mrkdwn(text):
        inside = [piece.partition(">")[0] for piece in part.split("<")[1:]]
        assert [piece for piece in inside if not piece.startswith(("https://", "mailto:"))] == []
        assert part.count("<") <= part.count(">")


def test_the_limits_are_those_that_the_other_end_checks() -> None:
    assert limits.UPDATE_TEXT_MAX == sandbox_limits.UPDATE_TEXT_MAX
    assert limits.MARKDOWN_TEXT_MAX == sandbox_limits.MARKDOWN_TEXT_MAX
    assert limits.STREAM_LIFE_S < sandbox_limits.STREAM_LIFE_S
    for tier, pace in ((3, limits.UPDATES), (4, limits.APPENDS)):
        assert sandbox_limits.PER_MINUTE[tier] >= 60 * pace.last_per_s + pace.burst
        assert pace.making_per_s < pace.last_per_s
    assert limits.PART_CHARS < limits.UPDATE_TEXT_MAX
    assert limits.MARKDOWN_PART_CHARS < limits.MARKDOWN_TEXT_MAX


@given(st.text("ab &<>*\n`", min_size=1, max_size=3000).map(lambda text: text * 5))
def test_every_part_can_be_written_as_an_edit(text: str) -> None:
    assert [part for part in to_mrkdwn(text) if len(part) > limits.UPDATE_TEXT_MAX] == []


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("**bold** *italic* ~~gone~~ `code`", "*bold* _italic_ ~gone~ `code`"),
        ("# Title\nText", "*Title*\nText"),
        ("# **Title**", "*Title*"),
        ("- a\n- b\n  - c", "• a\n• b\n    ◦ c"),
        ("3. a\n4. b", "3. a\n4. b"),
        ("> said\n> twice", "> said\n> twice"),
        ("```python\nx < 1\n```", "```\nx &lt; 1\n```"),
        ("[docs](https://e.org/?a=1&b=2)", "<https://e.org/?a=1&amp;b=2|docs>"),
        ("<https://e.org/a|b>", "<https://e.org/a%7Cb|https://e.org/a|b>"),
        ("<https://e.org/a>", "<https://e.org/a>"),
        ("![cat](https://e.org/c.png)", "<https://e.org/c.png|cat>"),
        ("1 < 2 & 3 > 2", "1 &lt; 2 &amp; 3 &gt; 2"),
        ("un**believ**able", f"un{BORDER}*believ*{BORDER}able"),
        (r"\> no quote", f"{BORDER}&gt; no quote"),
        ("`` a`b ``", "`a\u02cbb`"),
        ("snake_case_name 2*3*4", f"snake_case_name 2{BORDER}_3_{BORDER}4"),
    ],
)
def test_markdown_looks_as_it_should(markdown: str, shown: str) -> None:
    assert one(markdown) == shown


def test_backticks_in_a_fence_do_not_end_it() -> None:
    (part,) = to_mrkdwn("````\na ``` b\n````")

    assert part.count("```") == 2


@given(st.lists(st.text("abc*_`~[]()#>-+1.!|\\", min_size=1, max_size=12), max_size=12))
def test_words_in_stream_markdown_read_as_the_words(words: list[str]) -> None:
    """What was escaped must come out of a Markdown reader as it went in."""
    text = " ".join(words)
    source = "".join(f"\\{char}" if not char.isalnum() and char != " " else char for char in text)

    parts = to_stream_markdown(source)

    parser = MarkdownIt("commonmark", {"html": False})
    read = "".join(
        child.content
        for part in parts
        for token in parser.parse(part)
        for child in token.children or ()
    )
    assert read.split() == text.split()


def test_bare_addresses_stay_whole_in_stream_markdown() -> None:
    assert to_stream_markdown("see https://e.org/a_b_c?x=[1]") == ("see https://e.org/a_b_c?x=[1]",)


def test_stream_markdown_keeps_markdown() -> None:
    text = "# Title\n\n- **a**\n- `b`\n\n```py\nx\n```\n\n[l](https://e.org)"

    assert to_stream_markdown(text) == (text,)
