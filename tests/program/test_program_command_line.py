"""The command line, run as its user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

JAY = Path(sys.executable).with_name("jay")


def jay(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [JAY, *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "200", "JAY_STATUS_PORT": "0", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_help_names_every_verb(tmp_path: Path) -> None:
    told = jay("--help", folder=tmp_path).stdout

    for verb in (
        "run",
        "demo",
        "chat",
        "doctor",
        "engine",
        "train",
        "forget",
        "manifest",
        "parked",
    ):
        assert verb in told


def test_running_without_any_token_says_which_to_set(tmp_path: Path) -> None:
    told = jay("run", folder=tmp_path)

    assert told.returncode == 1
    assert "SLACK_BOT_TOKEN" in told.stderr
    assert "DISCORD_BOT_TOKEN" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_setting_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """A typing error in jay.toml would else be obeyed by nobody."""
    (tmp_path / "jay.toml").write_text("[replies]\nmax_token = 5\n")

    told = jay("run", folder=tmp_path)

    assert told.returncode == 1
    assert "replies.max_token" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_store_that_does_not_answer_ends_the_start_with_a_hint(tmp_path: Path) -> None:
    told = jay(
        "run",
        folder=tmp_path,
        SLACK_BOT_TOKEN="xoxb-planted",
        SLACK_APP_TOKEN="xapp-planted",
        REDIS_URL="redis://:s3cret@127.0.0.1:1/0",
    )

    assert told.returncode == 1
    assert "127.0.0.1:1" in told.stderr
    assert "REDIS_URL" in told.stderr
    assert "Traceback" not in told.stderr
    for secret in ("s3cret", "xoxb-planted", "xapp-planted"):
        assert secret not in told.stderr + told.stdout


def test_an_unknown_role_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    told = jay("run", "--only", "teams", folder=tmp_path, DISCORD_BOT_TOKEN="planted")

    assert told.returncode == 1
    assert "slack, discord, worker" in told.stderr


@pytest.mark.parametrize("platform", ["slack", "discord"])
def test_a_manifest_lists_every_command(platform: str, tmp_path: Path) -> None:
    told = jay("manifest", platform, folder=tmp_path)

    assert told.returncode == 0
    assert "summarize" in told.stdout
    assert "answer" in told.stdout


@pytest.mark.parametrize("verb", ["manifest", "forget"])
def test_a_platform_that_is_none_is_refused(verb: str, tmp_path: Path) -> None:
    told = jay(verb, "teams", *(["U1"] if verb == "forget" else []), folder=tmp_path)

    assert told.returncode == 1
    assert "slack or discord" in told.stderr
