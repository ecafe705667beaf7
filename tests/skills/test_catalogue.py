"""The list of commands, and how it follows an operator's folder."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.catalogue import LOOK_EVERY_S, MOST_OWN, Catalogue, read_folder
from bot.errors import SkillRefused

SKILL = 'name = "{name}"\ndescription = "{description}"\nprompt = "Do it."\n'


def put(folder: Path, name: str, description: str = "Does it") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(SKILL.format(name=name, description=description))
    return path


def descriptions(catalogue: Catalogue) -> dict[str, str]:
    return {one.name: one.description for one in catalogue.commands}


def test_what_ships_is_there_without_a_folder() -> None:
    names = [one.name for one in Catalogue().commands]

    assert names[:2] == ["summarize", "answer"]
    assert {"paraphrase", "draft", "code", "explain", "brainstorm", "translate-tone"} <= {*names}


def test_an_operators_file_adds_a_command_or_takes_the_place_of_one_that_ships(
    tmp_path: Path,
) -> None:
    put(tmp_path, "greet")
    put(tmp_path, "explain", "As we explain it")

    found = descriptions(Catalogue(tmp_path))

    assert found["greet"] == "Does it"
    assert found["explain"] == "As we explain it"


def test_a_bad_file_is_told_in_one_line_and_leaves_the_rest_working(tmp_path: Path) -> None:
    put(tmp_path, "greet")
    (tmp_path / "broken.toml").write_text('name = "broken"\nprompt = "a {b}"\ndescription = "c"\n')
    (tmp_path / "summarize.toml").write_text(SKILL.format(name="summarize", description="Mine"))
    (tmp_path / "bytes.toml").write_bytes(b'name = "bytes"\nprompt = "\xff"\n')
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "gone.toml").symlink_to(tmp_path / "nowhere")
    (tmp_path / ".hidden.toml").write_text("half a fi")
    (tmp_path / "notes.txt").write_text("no skill")

    with capture_logs() as told:
        found = descriptions(Catalogue(tmp_path))

    refused = {
        Path(one["file"]).name: (one["line"], one["reason"])
        for one in told
        if one["event"] == "catalogue.skill_refused"
    }
    assert refused.keys() == {"broken.toml", "summarize.toml", "bytes.toml", "folder.toml"}
    assert refused["broken.toml"] == (
        2,
        "prompt: {b} is unknown; there are {person}, {messages}",
    )
    assert refused["bytes.toml"] == (2, "is not UTF-8")
    assert refused["folder.toml"] == (1, "can't be read: Is a directory")
    assert "greet" in found
    assert found["summarize"] == "Sum up what was said in this channel"


@pytest.mark.looptime
async def test_the_list_follows_the_folder(tmp_path: Path) -> None:
    """An operator tries a prompt out; nobody shall have to restart for each word."""
    old = put(tmp_path, "greet")
    catalogue = Catalogue(tmp_path)
    commands = catalogue.commands
    watching = asyncio.create_task(catalogue.run())

    async def looked() -> dict[str, str]:
        await asyncio.sleep(2 * LOOK_EVERY_S)
        return descriptions(catalogue)

    put(tmp_path, "greet", "Does it better")
    put(tmp_path, "wave")
    assert (await looked())["greet"] == "Does it better"
    assert "wave" in descriptions(catalogue)

    old.write_text("prompt = ")
    with capture_logs() as told:
        # What people use goes on while somebody edits it; the log tells once.
        assert (await looked())["greet"] == "Does it better"
        await looked()
    (refused,) = [one for one in told if one["event"] == "catalogue.skill_refused"]
    assert refused["in_use"]

    old.unlink()
    assert "greet" not in await looked()

    os.rename(tmp_path, tmp_path.with_name("away"))
    assert "wave" in await looked()
    assert catalogue.commands is commands
    watching.cancel()


@pytest.mark.looptime
async def test_a_file_that_ships_is_back_when_the_operators_own_is_gone(tmp_path: Path) -> None:
    own = put(tmp_path, "explain", "As we explain it")
    catalogue = Catalogue(tmp_path)
    watching = asyncio.create_task(catalogue.run())
    own.unlink()
    await asyncio.sleep(2 * LOOK_EVERY_S)

    assert descriptions(catalogue)["explain"] == "Explain a word, an idea or a text"
    watching.cancel()


def test_a_folder_that_is_not_there_is_told_and_nothing_fails(tmp_path: Path) -> None:
    with capture_logs() as told:
        catalogue = Catalogue(tmp_path / "nowhere")

    assert [one["event"] for one in told] == ["catalogue.no_folder"]
    assert "explain" in descriptions(catalogue)


def test_more_files_than_the_platforms_take_are_refused(tmp_path: Path) -> None:
    """Slack would refuse the manifest as a whole."""
    for at in range(MOST_OWN + 3):
        put(tmp_path, f"skill-{at:03}")

    catalogue = Catalogue(tmp_path)

    refused = [one.refused for one in catalogue.own.values() if one.refused]
    assert len(refused) == 3
    assert isinstance(refused[0], SkillRefused)
    assert len(catalogue.commands) <= 50

    (tmp_path / "skill-000.toml").unlink()
    with capture_logs() as told:
        again = read_folder(tmp_path, catalogue.own)
    still = [f"skill-{at:03}" for at in (MOST_OWN + 1, MOST_OWN + 2)]
    assert [one.path.stem for one in again.values() if one.refused] == still
    assert told == []


MENU_SKILL = (
    SKILL
    + """shortcut = "{shortcut}"
[[arguments]]
name = "text"
description = "What"
required = true
"""
)


def put_into_menus(folder: Path, name: str, shortcut: str) -> Path:
    path = folder / f"{name}.toml"
    filled = MENU_SKILL.format(name=name, description="Does it", shortcut=shortcut)
    path.write_text(filled.replace('"Do it."', '"Do {text}."'))
    return path


def in_menus(catalogue: Catalogue) -> list[str]:
    return [one.name for one in catalogue.shortcuts]


OF_CODE = ["Summarize from here", "Summarize this thread"]


def test_a_shortcut_that_has_no_room_is_told_in_one_line_and_its_skill_works(
    tmp_path: Path,
) -> None:
    put_into_menus(tmp_path, "first", "First")
    put_into_menus(tmp_path, "second", "Second")

    with capture_logs() as told:
        catalogue = Catalogue(tmp_path)
    (left_out,) = [one for one in told if one["event"] == "catalogue.shortcut_left_out"]

    assert in_menus(catalogue) == [*OF_CODE, "Explain this", "Paraphrase this", "First"]
    assert "second" in descriptions(catalogue)
    assert (left_out["name"], left_out["shortcut"]) == ("second", "Second")
    assert "menus have room for 5" in left_out["reason"]
    assert catalogue.left_out == {"second": left_out["reason"]}


def test_an_operators_file_takes_the_place_of_the_shipped_ones_shortcut(tmp_path: Path) -> None:
    put(tmp_path, "explain")
    put_into_menus(tmp_path, "paraphrase", "Other words")
    put_into_menus(tmp_path, "zest", "Other-Words")

    catalogue = Catalogue(tmp_path)

    assert in_menus(catalogue) == [*OF_CODE, "Other words"]
    assert "'Other words'" in catalogue.left_out["zest"]


@pytest.mark.looptime
async def test_menus_follow_the_folder_and_each_change_is_told_once(tmp_path: Path) -> None:
    """What had no room gets in when another one makes way, with nobody restarting Jay."""
    first = put_into_menus(tmp_path, "first", "First")
    catalogue = Catalogue(tmp_path)
    shortcuts = catalogue.shortcuts
    watching = asyncio.create_task(catalogue.run())

    with capture_logs() as told:
        put_into_menus(tmp_path, "second", "Second")
        await asyncio.sleep(4 * LOOK_EVERY_S)
    assert in_menus(catalogue)[-1] == "First"
    assert [one["event"] for one in told].count("catalogue.shortcut_left_out") == 1

    first.unlink()
    await asyncio.sleep(2 * LOOK_EVERY_S)
    assert in_menus(catalogue)[-1] == "Second"
    assert catalogue.left_out == {}
    assert catalogue.shortcuts is shortcuts
    watching.cancel()


def test_rights_that_were_put_right_are_noticed(tmp_path: Path) -> None:
    """A change of rights leaves a file's time of change as it was."""
    path = put(tmp_path, "greet")
    catalogue = Catalogue(tmp_path)
    before = catalogue.own[path].stamp
    times = path.stat()
    path.chmod(0o600)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    assert Catalogue(tmp_path).own[path].stamp != before
