"""The walls between rooms hold: each is tried by planting a breach."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS = PROJECT["tool"]["importlinter"]["contracts"]

BREACHES = {
    "Layers": ("bot/errors.py", "import bot.intake"),
    "Strangers": ("adapters/slack/limits.py", "import adapters.discord.limits"),
    "Adapters and the engine": ("engine/families.py", "import bot.delivery"),
    "The sandbox": ("adapters/sandbox/faults.py", "import bot.errors"),
    "slack_bolt and slack_sdk": ("adapters/sandbox/ids.py", "import slack_sdk"),
    "discord only": ("bot/health.py", "import discord"),
    "redis": ("bot/app.py", "import redis.asyncio"),
    "openai": ("bot/prompting.py", "import openai"),
    "torch": ("engine/families.py", "import torch"),
    "vllm": ("engine/families.py", "import vllm"),
}
"""The beginning of a contract's name → where a line is planted that breaks it."""


@pytest.fixture(scope="module")
def verdict(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What import-linter says of a copy of the program with all breaches planted."""
    copy = tmp_path_factory.mktemp("breached")
    for room in ("bot", "adapters", "engine"):
        shutil.copytree(
            ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__", "checkpoints")
        )
    shutil.copy(ROOT / "pyproject.toml", copy)
    for path, line in BREACHES.values():
        place = copy / path
        place.write_text(f"{place.read_text()}\n{line}\n")
    told = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=copy,
        env={"PYTHONPATH": str(copy), "PATH": "/usr/bin:/bin", "COLUMNS": "300"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return told.stdout + told.stderr


@pytest.mark.parametrize("contract", BREACHES)
def test_a_breach_of_each_wall_is_seen(contract: str, verdict: str) -> None:
    lines = [line for line in verdict.splitlines() if line.startswith(contract)]

    assert any(" BROKEN" in line for line in lines), verdict


def test_every_wall_is_tried() -> None:
    untried = [
        contract["name"]
        for contract in CONTRACTS
        if not any(contract["name"].startswith(begin) for begin in BREACHES)
    ]

    assert untried == []


def test_every_module_of_bot_has_its_layer() -> None:
    """A room that stands in no layer could import anything."""
    (layers,) = (one["layers"] for one in CONTRACTS if one["type"] == "layers")
    named = {room.strip(" ()") for layer in layers for room in layer.split("|")}
    rooms = {
        f"bot.{path.stem}"
        for path in (ROOT / "bot").iterdir()
        if path.stem != "__init__" and (path.suffix == ".py" or (path / "__init__.py").exists())
    }

    assert rooms - named == set()
