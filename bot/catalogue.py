"""The commands that there are: those made of code, those that ship as files, an operator's own.

With them go the shortcuts in messages' menus, as far as platforms have room for them.

An operator's folder is looked at every few seconds, by the files' times alone.
What can't be used is refused in one line of the log, and everything else goes
on; a file that was good and no longer is stays in use as it was. Jay's parts
all hold the lists `commands` and `shortcuts` and look into them anew each time,
so what changes here holds everywhere from the next message on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import structlog

from bot.errors import SkillRefused
from bot.skills import COMMANDS, SHORTCUTS, MessageShortcut, SlashCommand
from bot.skills.choosing import TAKEN, command_of
from bot.skills.files import MOST_CHARS, read_skill
from bot.skills.shortcuts import fit

log = structlog.get_logger(__name__)

SHIPPED = Path(__file__).parent / "skills" / "templates"
LOOK_EVERY_S = 2.0
MOST_OWN = 36
"""With those that ship this keeps below the fifty commands that a Slack manifest takes."""
IN_SLACK = "Slack offers it once it stands in the app's manifest: `jay manifest slack` prints it."

Stamp: TypeAlias = tuple[int, ...]
"""A file's times of change (ns; rights count as well), size and inode. With another one it is
read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillFile:
    """A file of a folder, as it was last read."""

    path: Path
    stamp: Stamp
    command: SlashCommand | None
    """None: there never was a good one."""
    refused: SkillRefused | None = None
    """Why it can't be used as it is now."""


class Catalogue:
    """Keeps commands and shortcuts up to date with an operator's folder."""

    def __init__(self, folder: Path | None = None) -> None:
        """Read what there is; a bad file of an operator's is told in the log.

        Args:
            folder: the operator's own; None: there is none.

        Raises:
            SkillRefused: a file that ships is damaged.
        """
        self.commands: list[SlashCommand] = []
        """The same list for good; what is in it changes."""
        self.shortcuts: list[MessageShortcut] = []
        """What stands in messages' menus; as long the same list."""
        self.left_out: Mapping[str, str] = {}
        """Why a command's shortcut does not stand there, by its name."""
        self.shipped = read_folder(SHIPPED, {})
        self.own: Mapping[Path, SkillFile] = {}
        folder = folder and folder.expanduser()
        self._folder, self._missing = folder, False
        for one in self.shipped.values():
            if one.refused:
                raise one.refused
        self._put(read_folder(folder, {}) if folder and self._is_there(folder) else {})

    async def run(self) -> None:
        """Look at the folder again and again, until cancelled."""
        while self._folder is not None:
            await asyncio.sleep(LOOK_EVERY_S)
            if await asyncio.to_thread(self._is_there, self._folder):
                self._put(await asyncio.to_thread(read_folder, self._folder, self.own))

    def _is_there(self, folder: Path) -> bool:
        """Tell whether the folder can be read; one that is away for a while takes nothing away."""
        missing = not folder.is_dir()
        if missing and not self._missing:
            log.warning("catalogue.no_folder", path=str(folder), hint="JAY_SKILLS_DIR names it.")
        self._missing = missing
        return not missing

    def _put(self, own: Mapping[Path, SkillFile]) -> None:
        before, self.own = self.own, own
        for path, one in own.items():
            old = before.get(path)
            if one is old or (old and one.refused and str(one.refused) == str(old.refused)):
                continue
            if one.refused:
                log.error(
                    "catalogue.skill_refused",
                    file=one.refused.file,
                    line=one.refused.line,
                    reason=one.refused.reason,
                    in_use=one.command is not None,
                )
            elif one.command:
                log.info("catalogue.skill_read", file=str(path), name=one.command.name)
        for path in before.keys() - own.keys():
            log.info("catalogue.skill_gone", file=str(path))
        made = {one.name: one for one in COMMANDS}
        for file in (*self.shipped.values(), *own.values()):
            if file.command:
                made[file.command.name] = file.command
        self.commands[:] = made.values()
        self._put_into_menus()

    def _put_into_menus(self) -> None:
        own = {one.name: one.shortcut for one in self.commands if one.shortcut}
        before = self.left_out
        self.shortcuts[:], self.left_out = fit((*SHORTCUTS, *own.values()))
        for name, reason in self.left_out.items():
            if before.get(name) != reason:
                log.warning(
                    "catalogue.shortcut_left_out",
                    name=name,
                    shortcut=own[name].name,
                    reason=reason,
                )


def read_folder(folder: Path, before: Mapping[Path, SkillFile]) -> dict[Path, SkillFile]:
    """Return a folder's files by path, those that didn't change as they were read before.

    Args:
        folder: one that is there.
        before: what this returned the last time.
    """
    found: dict[Path, SkillFile] = {}
    stamp: Stamp
    try:
        paths = sorted(one for one in folder.glob("*.toml") if not one.name.startswith("."))
    except OSError as error:
        log.warning("catalogue.no_folder", path=str(folder), error=str(error))
        return dict(before)
    for path in paths:
        old = before.get(path)
        try:
            seen = path.stat()
        except FileNotFoundError:
            continue
        except OSError:
            stamp = ()
        else:
            stamp = (seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size, seen.st_ino)
        if old and old.stamp == stamp:
            found[path] = old
            continue
        good = sum(one.command is not None for one in found.values())
        found[path] = _read(path, stamp, old, full=good >= MOST_OWN)
    return found


def _read(path: Path, stamp: Stamp, old: SkillFile | None, *, full: bool) -> SkillFile:
    try:
        if full:
            reason = f"there are {MOST_OWN} skills in this folder already, which is the most"
            raise SkillRefused(reason, file=str(path), line=1)
        template = read_skill(_text(path), file=str(path), stem=path.stem, taken=TAKEN)
    except SkillRefused as refused:
        kept = None if full or old is None else old.command
        # Where there is no room, there may be some at the next look.
        return SkillFile(path=path, stamp=() if full else stamp, command=kept, refused=refused)
    return SkillFile(path=path, stamp=stamp, command=command_of(template))


def _text(path: Path) -> str:
    """Return a file's text.

    Raises:
        SkillRefused: it can't be read, or is no text.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(4 * MOST_CHARS + 1)
        if len(raw) > 4 * MOST_CHARS:
            reason = f"is too long; a skill has at most {MOST_CHARS:,} characters"
            raise SkillRefused(reason, file=str(path), line=1)
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SkillRefused("is not UTF-8", file=str(path), line=line) from error
    except OSError as error:
        reason = f"can't be read: {error.strerror or error}"
        raise SkillRefused(reason, file=str(path), line=1) from error
