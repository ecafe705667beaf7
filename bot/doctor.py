"""`jay doctor`: runs every room's own checks. It knows nothing itself."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path

import adapters.discord.checks
import adapters.slack.checks
import bot.store.checks
import engine.checks
from bot.catalogue import read_folder
from bot.errors import SkillRefused
from bot.findings import Finding
from bot.settings import Settings

PACKAGES = ("bot", "adapters", "engine")
"""Jay's own. PyPI has an unrelated package that installs a top-level `adapters`."""


async def findings(settings: Settings) -> AsyncIterator[Finding]:
    """Yield what was found, one thing after another."""
    yield _python()
    for package in PACKAGES:
        yield _ours(package)
    yield _skills(settings.skills_dir)
    rooms = (
        bot.store.checks.check(settings.redis_url.get_secret_value()),
        engine.checks.check(
            settings.engine, port=settings.limits.port, family=settings.replies.family
        ),
        adapters.slack.checks.check(settings.slack),
        adapters.discord.checks.check(settings.discord),
    )
    for room in rooms:
        async for finding in room:
            yield finding


def _skills(folder: Path | None) -> Finding:
    there = folder is None or folder.expanduser().is_dir()
    own = read_folder(folder.expanduser(), {}) if folder and there else {}
    refused = [str(one.refused) for one in own.values() if one.refused]
    detail = f"{len(own)} of your own" if there else f"JAY_SKILLS_DIR: {folder} is no folder"
    return Finding(
        name="skills",
        ok=there and not refused,
        detail="; ".join(refused) or detail,
        hint=SkillRefused.hint,
    )


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Finding(
        name="python",
        ok=sys.version_info >= (3, 11),
        detail=version,
        hint="Jay needs Python 3.11 or newer.",
    )


def _ours(package: str) -> Finding:
    spec = find_spec(package)
    origin = Path(spec.origin) if spec and spec.origin else None
    home = Path(__file__).parents[1]
    return Finding(
        name=f"package {package}",
        ok=origin is not None and origin.parents[1] == home,
        detail=str(origin),
        hint=f"Another package named {package} is in the way; give Jay an environment of its own.",
    )
