"""The command line, run as its user runs it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.talk import CHANNEL, message
from fakes.valkey import RunningValkey, empty_valkey, valkey

from bot.conversations import in_place
from bot.store import open_store

__all__ = ["empty_valkey", "valkey"]

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
        "finetune",
        "evaluate",
        "forget",
        "manifest",
        "parked",
        "skills",
    ):
        assert verb in told


def test_the_list_of_skills_tells_where_each_comes_from_and_which_file_is_bad(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "skills"
    folder.mkdir()
    good = 'name = "greet"\ndescription = "Greet somebody"\nprompt = "Hello"\n'
    (folder / "greet.toml").write_text(good)
    well = jay("skills", folder=tmp_path, JAY_SKILLS_DIR=str(folder))
    (folder / "bad.toml").write_text('name = "bad"\nprompt = """\nHello {you}\n"""\n')
    ill = jay("skills", folder=tmp_path, JAY_SKILLS_DIR=str(folder))
    nowhere = jay("skills", "nowhere", folder=tmp_path)
    doctor = jay("doctor", folder=tmp_path, JAY_SKILLS_DIR=str(folder))
    unset = jay("skills", folder=folder, JAY_SKILLS_DIR="")

    assert well.returncode == 0
    assert "code" in next(line for line in well.stdout.splitlines() if "/summarize" in line)
    assert str(folder) in next(line for line in well.stdout.splitlines() if "/greet" in line)
    assert ill.returncode == 1
    assert "/greet" in ill.stdout
    assert f"{folder}/bad.toml:1: description: is missing; prompt: {{you}} is unknown" in ill.stderr
    assert nowhere.returncode == 1
    assert "JAY_SKILLS_DIR must name one" in nowhere.stderr
    assert (unset.returncode, unset.stderr) == (0, "")
    assert f"FAIL skills: {folder}/bad.toml:1: " in doctor.stdout


MENU_SKILL = """name = "{name}"
description = "Greet somebody"
prompt = "Greet {{text}}"
shortcut = "Greet as {name}"
[[arguments]]
name = "text"
description = "Whom"
required = true
"""


def test_the_list_of_skills_tells_what_stands_in_menus_and_what_had_no_room(
    tmp_path: Path,
) -> None:
    for name in ("greet", "hail"):
        (tmp_path / f"{name}.toml").write_text(MENU_SKILL.format(name=name))

    told = jay("skills", folder=tmp_path, JAY_SKILLS_DIR=str(tmp_path))
    manifest = jay("manifest", "slack", folder=tmp_path, JAY_SKILLS_DIR=str(tmp_path))
    discord = jay("manifest", "discord", folder=tmp_path, JAY_SKILLS_DIR=str(tmp_path))
    lines = {line.split()[0]: line for line in told.stdout.splitlines()}
    made = json.JSONDecoder().raw_decode(manifest.stdout)[0]

    assert told.returncode == 0
    assert "Explain this" in lines["/explain"]
    assert "  Greet as greet  " in told.stdout
    assert "(Greet as hail)" in told.stdout
    assert "/hail is not in menus, and works by command: menus have room for 5" in told.stdout
    assert [one["callback_id"] for one in made["features"]["shortcuts"]] == [
        "summarize_from_here", "summarize_this_thread", "explain_this", "paraphrase_this",
        "greet_as_greet",
    ]  # fmt: skip
    assert "Greet as greet" in discord.stdout
    assert "Greet as hail" not in discord.stdout


def test_an_operators_own_skill_stands_in_the_manifest(tmp_path: Path) -> None:
    """Slack offers no command that its app's manifest doesn't hold."""
    good = 'name = "greet"\ndescription = "Greet somebody"\nprompt = "Hello"\n'
    (tmp_path / "greet.toml").write_text(good)
    (tmp_path / "bad.toml").write_text("no toml")

    told = jay("manifest", "slack", folder=tmp_path, JAY_SKILLS_DIR=str(tmp_path))
    made = json.JSONDecoder().raw_decode(told.stdout)[0]

    commands = {one["command"]: one for one in made["features"]["slash_commands"]}
    assert commands["/greet"]["description"] == "Greet somebody"
    assert "usage_hint" not in commands["/greet"]
    assert commands["/explain"]["usage_hint"].startswith("[simply|briefly|in-depth] ")
    assert "bad.toml" in told.stderr


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


def test_an_answer_set_that_is_not_there_is_named_before_any_engine_starts(tmp_path: Path) -> None:
    told = jay("evaluate", "skills", folder=tmp_path)

    assert told.returncode == 1
    assert "tests/data/answers.json" in told.stderr
    assert "Traceback" not in told.stderr


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


@pytest.mark.valkey
def test_parked_says_when_there_is_nothing_and_refuses_what_is_not_there(tmp_path: Path) -> None:
    told = jay("parked", folder=tmp_path)
    refused = jay("parked", "--again", "slack:T1:C1:1.0/1.0", folder=tmp_path)

    assert told.returncode == 0, told.stderr
    assert told.stdout.strip() == "Nothing is parked."
    assert refused.returncode == 1
    assert "slack:T1:C1:1.0/1.0" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.valkey
def test_parked_lists_without_a_word_of_what_was_said_and_has_it_answered_again(
    tmp_path: Path, empty_valkey: RunningValkey
) -> None:
    """Operators' terminals and tickets are no place for people's messages."""
    asyncio.run(park_one(empty_valkey.url))

    listed = jay("parked", folder=tmp_path, REDIS_URL=empty_valkey.url)
    again = jay("parked", "--again", "all", folder=tmp_path, REDIS_URL=empty_valkey.url)
    after = jay("parked", folder=tmp_path, REDIS_URL=empty_valkey.url)

    assert "slack:T1:C1:1.0/1.0" in listed.stdout
    assert "secret words" not in listed.stdout
    assert "waits to be answered again" in again.stdout
    assert after.stdout.strip() == "Nothing is parked."


async def park_one(url: str) -> None:
    talk = in_place(CHANNEL, root="1.0")
    async with open_store(url, retention_days=3, max_turns=50, max_log=100) as store:
        await store.accept(message("secret words"), conversation=talk, waiting=5)
        lease = await store.claim(worker="w", lease_s=60.0, wait_s=0.0)
        assert lease is not None
        await store.park(lease, message_ids=["1.0"])
        await store.release(lease)
