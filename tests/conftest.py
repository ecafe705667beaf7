"""What all tests share: hypothesis without deadlines, virtual time, a clean environment."""

from __future__ import annotations

import os
import shutil

import pytest
from hypothesis import settings

pytest_plugins = ["vllm_server"]

settings.register_profile("jay", deadline=None, max_examples=100)
settings.load_profile("jay")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own tokens must never reach a test."""
    for name in list(os.environ):
        if name.startswith(("SLACK_", "DISCORD_", "ENGINE_", "REDIS_URL")) or (
            name.startswith("JAY_") and not name.startswith("JAY_TEST_")
        ):
            monkeypatch.delenv(name)


ONE_AFTER_ANOTHER = ("vllm", "browser")
"""Marks whose tests share one expensive process: all of a mark run in one xdist worker."""


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in a hook of the same name
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for mark in ONE_AFTER_ANOTHER:
            if item.get_closest_marker(mark):
                item.add_marker(pytest.mark.xdist_group(mark))
                break


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not shutil.which("chromium"):
        terminalreporter.write_line(
            "Chromium is absent, so the sandbox's page was not tested in a browser "
            "(apt-get install chromium)."
        )
