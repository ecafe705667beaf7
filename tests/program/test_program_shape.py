"""The shape of the program itself: what is long, what is where, what the documents promise."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = [path for room in ("bot", "adapters", "engine") for path in (ROOT / room).rglob("*.py")]
LONGEST_FUNCTION_LINES = 50
LONGEST_MODULE_LINES = 420


def functions() -> list[tuple[str, int]]:
    found = []
    for path in PRODUCT:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[0]
                if ast.get_docstring(node) and len(node.body) > 1:
                    first = node.body[1]
                lines = (node.end_lineno or 0) - first.lineno + 1
                found.append((f"{path.relative_to(ROOT)}:{node.name}", lines))
    return found


def test_no_function_is_longer_than_a_screen() -> None:
    """Nobody shall add a longer one unseen."""
    long = [(name, lines) for name, lines in functions() if lines > LONGEST_FUNCTION_LINES]

    assert long == []


def test_no_module_has_grown_past_its_noun() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in PRODUCT
        if (lines := len(path.read_text().splitlines())) > LONGEST_MODULE_LINES
    }

    assert long == {}


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "manager", "base", "misc"])
def test_no_module_is_named_after_nothing(name: str) -> None:
    assert [path for path in PRODUCT if path.stem == name] == []


def test_every_setting_stands_in_the_operations_manual() -> None:
    """An operator looks there, not into the source."""
    from pydantic import BaseModel

    from bot.settings import CONVENTIONAL, Settings

    manual = (ROOT / "docs" / "operations.md").read_text()
    names = ["REDIS_URL"]
    for field, info in Settings.model_fields.items():
        group = info.annotation
        if field == "redis_url":
            continue
        if isinstance(group, type) and issubclass(group, BaseModel):
            prefix = f"{field}_" if field in CONVENTIONAL else f"jay_{field}__"
            names += [f"{prefix}{inner}".upper() for inner in group.model_fields]
        else:
            names.append(f"JAY_{field}".upper())

    assert [name for name in names if f"`{name}`" not in manual] == []


def test_every_metric_stands_in_the_operations_manual() -> None:
    import bot.metrics

    manual = (ROOT / "docs" / "operations.md").read_text()
    source = Path(bot.metrics.__file__).read_text()

    assert [name for name in re.findall(r'"(jay_\w+)"', source) if name not in manual] == []


def test_the_words_load_without_any_platform_or_model_library() -> None:
    """The words are what every room imports; they must stay cheap."""
    code = (
        "import sys, bot.messages, bot.conversations, bot.prompts, bot.family, bot.errors;"
        "print([n for n in ('slack_sdk','discord','redis','openai','torch') if n in sys.modules])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert told.stdout.strip() == "[]"
