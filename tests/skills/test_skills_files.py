"""Skills as files: what makes one, and how a bad one is refused."""

from __future__ import annotations

import re
import string
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.catalogue import SHIPPED
from bot.conversations import Turn
from bot.errors import SkillRefused
from bot.family import render_turn
from bot.skills.choosing import TAKEN
from bot.skills.files import line_of, read_skill
from bot.skills.template import Choice, Template, fill, placeholders, read_arguments
from engine import load_families

GOOD = '''
name = "haiku"
description = "Write a haiku"
prompt = """
Write a {mood} haiku for {person} about this:
{text}
"""
stops = ["THE END"]
where = ["channels", "direct"]
seen_by = "asker"
max_tokens = 60
shortcut = "Haiku of this"

[[arguments]]
name = "mood"
description = "In which mood"
values = ["glad", "sad"]
default = "sad"

[[arguments]]
name = "text"
description = "What it is about"
required = true

[sampling]
temperature = 1
'''


def read(source: str) -> Template:
    return read_skill(source, file="haiku.toml", stem="haiku", taken=TAKEN)


def refused(source: str) -> SkillRefused:
    with pytest.raises(SkillRefused) as caught:
        read(source)
    return caught.value


def test_a_file_says_all_that_a_skill_is() -> None:
    skill = read(GOOD)

    assert skill.choices == (
        Choice(name="mood", description="In which mood", values=("glad", "sad"), default="sad"),
    )
    assert (skill.text_description, skill.required) == ("What it is about", True)
    assert skill.where == {"channels", "direct"}
    assert skill.private
    assert skill.manner.stops == ("THE END",)
    assert (skill.manner.temperature, skill.manner.top_p) == (1.0, None)
    assert skill.manner.max_tokens == 60
    assert skill.shortcut == "Haiku of this"


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_every_skill_that_ships_can_be_used(path) -> None:
    skill = read_skill(path.read_text(), file=path.name, stem=path.stem, taken=TAKEN)

    assert placeholders(skill.prompt) or skill.knowledge
    chosen, text = read_arguments(skill.example, skill.choices)
    assert text
    assert set(chosen) == {one.name for one in skill.choices}


@pytest.mark.parametrize("family", load_families().values(), ids=lambda one: one.name)
def test_no_family_takes_words_of_a_prompt_that_ships_for_a_border(family) -> None:
    """They would be broken up, and the model would read a mutilated order."""
    for path in SHIPPED.glob("*.toml"):
        skill = read_skill(path.read_text(), file=path.name, stem=path.stem)
        filled = fill(skill.prompt, dict.fromkeys(placeholders(skill.prompt), "x"))
        turn = Turn(role="person", text=filled, author="Ana", at=1.0)

        assert filled in "".join(render_turn(family, turn))


def test_the_manuals_example_is_a_skill() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    (source,) = re.findall(r"```toml\n(name = .*?)```", manual, re.DOTALL)

    skill = read_skill(source, file="haiku.toml", stem="haiku", taken=TAKEN)

    assert skill.choices[0].default == "sad"
    assert skill.manner.stops == ("The end",)


@pytest.mark.parametrize(
    ("was", "became", "line", "reason"),
    [
        ('stops = ["THE END"]', 'stop = ["THE END"]', 8, "stop: unknown key; do you mean `stops`?"),
        ('prompt = """', 'prompt_ = """', 1, "prompt: is missing"),
        ('name = "haiku"', 'name = "answer"', 2, "name: /answer is a command of Jay's own"),
        ('name = "haiku"', 'name = "other"', 2, "the file's own is `haiku`"),
        ('name = "haiku"', 'name = "Two Words"', 2, "name: "),
        ('["THE END"]', '[" "]', 8, "stops: blanks alone"),
        ('["THE END"]', '[""]', 8, "stops.1: "),
        ('["THE END"]', '["a", "b", "c", "d", "e"]', 8, "stops: "),
        ('["THE END"]', '"THE END"', 8, "stops: "),
        ("{text}\n", "{text} {mod}\n", 6, "prompt: {mod} is unknown; there are {mood}, {text}"),
        ("{text}\n", "{text} {\n", 4, "prompt: "),
        ("{text}\n", "{text!r}\n", 6, "prompt: {text!r} must be a name alone"),
        ("{text}\n", "{text.__class__}\n", 6, "prompt: {text.__class__} is unknown"),
        ("{text}\n", "nothing\n", 4, "prompt: never uses the argument {text}"),
        ('"direct"]', '"everywhere"]', 9, "where.2: "),
        ('"asker"', '"nobody"', 10, "seen_by: "),
        ("max_tokens = 60", "max_tokens = 1", 11, "max_tokens: "),
        ("max_tokens = 60", "max_tokens = true", 11, "max_tokens: "),
        ('"Haiku of this"', '"Make a haiku of this one!"', 12, "shortcut: "),
        ('"Haiku of this"', '""', 12, "shortcut: "),
        ('"Haiku of this"', '"two\\nlines"', 12, "shortcut: one line, with no blanks around it"),
        ('"Haiku of this"', '" Haiku"', 12, "shortcut: one line, with no blanks around it"),
        ('"Haiku of this"', '"…"', 12, "shortcut: a name has letters"),
        ('"Haiku of this"', "true", 12, "shortcut: "),
        ("required = true", "", 12, "shortcut: a message may have no words, so `text` must be"),
        ('default = "sad"', 'default = "bad"', 18, "arguments.1.default: 'bad' is none of"),
        ('["glad", "sad"]', '["glad"]', 17, "arguments.1.values: "),
        ('name = "mood"', 'name = "person"', 14, "arguments: `person` is taken"),
        ('name = "text"', 'name = "topic"', 14, "arguments: what has no `values`"),
        ("max_tokens = 60", 'knowledge = "faq"', 11, "knowledge: is asked by `text`"),
        ("temperature = 1", "temperature = 3", 26, "sampling.temperature: "),
        ("temperature = 1", "warmth = 1", 26, "sampling.warmth: unknown key"),
        ("temperature = 1", "temperature = ", 26, "no TOML: "),
        ("[sampling]", "[sampling", 25, "no TOML: "),
    ],
)
def test_a_bad_file_is_refused_with_line_and_reason(
    was: str, became: str, line: int, reason: str
) -> None:
    """Its author would otherwise look for it by trial and error."""
    assert GOOD.count(was) >= 1

    error = refused(GOOD.replace(was, became, 1))

    assert reason in error.reason
    assert (error.file, error.line) == ("haiku.toml", line)
    assert "\n" not in str(error)


ASKED = """
name = "haiku"
description = "Ask the handbook"
knowledge = "handbook"
[[arguments]]
name = "text"
description = "What you ask"
required = true
"""


def test_what_a_channel_answers_is_for_who_asked_alone() -> None:
    """Others might not be allowed to read that channel."""
    skill = read(ASKED)
    everyone = refused(ASKED.replace("[[", 'seen_by = "everyone"\n[['))
    prompted = refused(ASKED.replace("[[", 'prompt = "Say {text}"\n[['))

    assert skill.private
    assert "seen_by: not everyone may read the channel" in everyone.reason
    assert "prompt: a skill with `knowledge` has none" in prompted.reason


def test_a_skill_that_takes_no_text_can_not_stand_in_menus() -> None:
    """What was chosen for a message would not even look at it."""
    source = """
name = "haiku"
description = "Greet"
prompt = "Greet {person}."
shortcut = "Greet"
"""

    assert refused(source).reason == (
        "shortcut: the message is its `text`, and there is no such argument"
    )
    assert refused(source).line == 5


def test_all_that_is_wrong_is_said_at_once() -> None:
    error = refused(GOOD.replace("stops", "stop").replace('"asker"', '"nobody"'))

    assert "stop: unknown key" in error.reason
    assert "seen_by: " in error.reason
    assert error.reason.endswith("(line 10)")


def test_a_book_is_no_skill() -> None:
    assert "at most" in refused(GOOD + "#" * 30_000).reason


def test_keys_within_a_long_text_are_not_taken_for_the_files_own() -> None:
    source = 'prompt = """\nname = "x"\n"""\nname = "haiku"\n'

    assert line_of(source, ("name",)) == 4


@given(st.text(alphabet=string.printable, max_size=300))
@example("[" * 5_000)
@example("name = 1\nprompt = []\n[[arguments]]\n[[arguments]]\nvalues = 3\n[sampling]\n[where]\n")
@example("arguments = [[]]\nsampling = 3\n")
def test_no_text_brings_the_reader_down(source: str) -> None:
    """One person's typing error must not end the bot for everybody."""
    error = refused(source)

    assert 1 <= error.line <= source.count("\n") + 1
    assert error.reason


@given(st.data())
def test_lines_left_out_doubled_or_moved_are_read_or_refused_with_their_line(data) -> None:
    whole = GOOD.split("\n")
    at, out = data.draw(st.integers(0, len(whole))), data.draw(st.integers(0, 2))
    put = data.draw(st.lists(st.sampled_from(whole), max_size=3))
    source = "\n".join([*whole[:at], *put, *whole[at + out :]])

    with suppress(SkillRefused):
        assert read(source).name == "haiku"
        return

    assert 1 <= refused(source).line <= source.count("\n") + 1


TONES = (
    Choice(name="tone", description="", values=("formal", "warm"), default="formal"),
    Choice(name="reader", description="", values=("child", "expert"), default="expert"),
)


@pytest.mark.parametrize(
    ("typed", "tone", "reader", "text"),
    [
        ("we are late", "formal", "expert", "we are late"),
        ("warm we are late", "warm", "expert", "we are late"),
        ("Warm: we are late", "warm", "expert", "we are late"),
        ("child warm: we are late", "warm", "child", "we are late"),
        ("warm child we are late", "warm", "child", "we are late"),
        ("warm formal dress", "warm", "expert", "formal dress"),
        (": warm water", "formal", "expert", "warm water"),
        ("warm: child labour", "warm", "expert", "child labour"),
        ("warmth: of a kind", "formal", "expert", "warmth: of a kind"),
        ("warm", "warm", "expert", ""),
        ("warm\nline one\nline two", "warm", "expert", "line one\nline two"),
        ("", "formal", "expert", ""),
    ],
)
def test_leading_words_that_are_values_are_taken_for_them(
    typed: str, tone: str, reader: str, text: str
) -> None:
    assert read_arguments(typed, TONES) == ({"tone": tone, "reader": reader}, text)


@given(
    st.sampled_from([("warm",), ("warm", "child"), ("expert", "formal"), ()]),
    st.text(max_size=80).map(str.strip),
)
def test_whatever_stands_behind_a_colon_comes_through_as_it_was_typed(
    words: tuple[str, ...], text: str
) -> None:
    chosen, left = read_arguments(f"{' '.join(words)}: {text}", TONES)

    assert left == text
    assert set(words) <= set(chosen.values())


@given(st.text(max_size=200))
def test_no_typed_text_is_lost_or_invented(typed: str) -> None:
    chosen, text = read_arguments(typed, TONES)

    assert typed.strip().endswith(text)
    assert set(chosen) == {"tone", "reader"}


@given(st.text(max_size=80), st.text(max_size=80))
def test_braces_that_people_type_fill_nothing_in(text: str, person: str) -> None:
    """Somebody could otherwise read what stands in another placeholder."""
    assert fill("a {text} b {person} {{c}}", {"text": text, "person": person}) == (
        f"a {text} b {person} {{c}}"
    )
