"""vLLM's server by way of `engine.forking`, with a stand-in for vLLM's modules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CONTEXTS = """
import multiprocessing
def get_mp_context():
    return multiprocessing.get_context("spawn")
"""
SERVER = """
import sys
from vllm.utils.system_utils import get_mp_context
print(__name__, *sys.argv[1:], get_mp_context().get_start_method())
"""
SERVER_OF_ANOTHER_VERSION = "print(__name__, 'its own way')"


def served(home: Path, monkeypatch: pytest.MonkeyPatch, modules: dict[str, str]) -> str:
    for name, text in modules.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setenv("PYTHONPATH", f"{home}:{Path(__file__).parents[2]}")
    command = (sys.executable, "-m", "engine.forking", "--port", "1")
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_the_server_runs_with_its_arguments_and_forks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules = {
        "vllm/__init__.py": "",
        "vllm/utils/system_utils.py": CONTEXTS,
        "vllm/entrypoints/openai/api_server.py": SERVER,
    }

    assert served(tmp_path, monkeypatch, modules) == "__main__ --port 1 fork"


def test_a_vllm_that_is_built_otherwise_serves_its_own_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules = {
        "vllm/__init__.py": "",
        "vllm/entrypoints/openai/api_server.py": SERVER_OF_ANOTHER_VERSION,
    }

    assert served(tmp_path, monkeypatch, modules) == "__main__ its own way"
