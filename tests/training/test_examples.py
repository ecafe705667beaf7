"""An operator's data set: what is read, and what is refused with the numbers of the lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.training.examples import LEAST, DataError, read_examples, split


def said(asked: str, answer: str = "Yes.") -> str:
    return json.dumps({"prompt": asked, "completion": answer})


def written(path: Path, *lines: str, filler: int = LEAST) -> Path:
    path.write_text("\n".join((*lines, *(said(f"Filler {at}?") for at in range(filler)))))
    return path


def test_both_shapes_are_read(tmp_path: Path) -> None:
    chat = {
        "messages": [
            {"role": "system", "content": "Jay is brief."},
            {"role": "user", "content": "Is it open?"},
            {"role": "assistant", "content": "Until nine."},
            {"role": "user", "content": "And on Sunday?"},
            {"role": "assistant", "content": "Closed."},
        ]
    }
    first, second, *_ = read_examples(
        written(tmp_path / "a.jsonl", json.dumps(chat), "", said("Wifi?", "Krabbe5."))
    )

    assert (first.line, first.persona) == (1, "Jay is brief.")
    assert [(turn.role, turn.text) for turn in first.turns] == [
        ("person", "Is it open?"),
        ("jay", "Until nine."),
        ("person", "And on Sunday?"),
        ("jay", "Closed."),
    ]
    assert (second.line, second.persona) == (3, None)
    assert [turn.text for turn in second.turns] == ["Wifi?", "Krabbe5."]


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ('{"text": "hello"}', "line 1: its fields are text; messages, or prompt and completion"),
        ('{"prompt": "a"}', "its fields are prompt"),
        ('{"prompt": "a", "completion": ""}', "what the assistant says is no text"),
        ('{"prompt": 3, "completion": "b"}', "what the user says is no text"),
        ('{"messages": "hello"}', "its messages are no list"),
        ('{"messages": []}', "a user must speak first"),
        ('{"messages": [{"role": "user", "text": "a"}]}', "a message has the fields role, text"),
        ('{"messages": [{"role": "user", "content": "a"}]}', "an assistant after them"),
        ('{"messages": [{"role": "bot", "content": "a"}]}', "the role 'bot' is not known"),
        ('{"prompt": "a"', "it is no JSON"),
        ("[1]", "it is no JSON object"),
    ],
)
def test_a_line_that_is_wrong_is_named(tmp_path: Path, line: str, wrong: str) -> None:
    with pytest.raises(DataError, match="1 of 21 lines are wrong") as caught:
        read_examples(written(tmp_path / "a.jsonl", line))

    assert wrong in str(caught.value)
    assert '{"messages": [' in DataError.hint


def test_of_many_wrong_lines_five_are_named_and_all_are_counted(tmp_path: Path) -> None:
    lines = ['{"text": "hello"}'] * 8

    with pytest.raises(DataError, match="8 of 28 lines are wrong") as caught:
        read_examples(written(tmp_path / "a.jsonl", *lines))

    assert "line 5: " in str(caught.value)
    assert "line 6: " not in str(caught.value)
    assert str(caught.value).endswith("and 3 more")


def test_ten_lines_are_too_few_and_the_count_that_is_needed_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has 10 different lines; at least 20 are needed"):
        read_examples(written(tmp_path / "a.jsonl", filler=10))


def test_equal_lines_count_once(tmp_path: Path) -> None:
    """One of them would be learned and the other measured on."""
    with pytest.raises(DataError, match="has 1 different lines"):
        read_examples(written(tmp_path / "a.jsonl", *[said("Open?")] * 30, filler=0))


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", None], ids=["no text", "no file"])
def test_what_is_no_text_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.jsonl"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(DataError, match=r"a\.jsonl can't be read"):
        read_examples(path)


def test_a_tenth_is_kept_from_training_the_same_each_time(tmp_path: Path) -> None:
    examples = read_examples(written(tmp_path / "a.jsonl", filler=60))

    learned, held_out = split(examples, seed=1)

    assert (len(learned), len(held_out)) == (54, 6)
    assert not set(learned) & set(held_out)
    assert split(examples, seed=1) == (learned, held_out)
    assert split(examples, seed=2) != (learned, held_out)
