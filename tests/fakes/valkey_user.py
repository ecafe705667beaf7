"""The least that Jay may do, as the operations manual lists it, given to a user of a test's server."""

from __future__ import annotations

import re
from pathlib import Path

import redis

MANUAL = Path(__file__).parents[2] / "docs" / "operations.md"
NAME = "jay"
PASSWORD = "pw-of-jay"


def documented_rules() -> list[str]:
    """Return the words of the manual's `ACL SETUSER jay`, without the name."""
    block = re.search(r"ACL SETUSER jay ([^`]*)```", MANUAL.read_text())
    assert block, "docs/operations.md lists no ACL SETUSER jay"
    return block[1].split()


def allow(*servers: redis.Redis, also: tuple[str, ...] = ()) -> None:
    """Make the user on each server, with what the manual lists and no more."""
    for server in servers:
        rules = [rule.replace(">PASSWORD", f">{PASSWORD}") for rule in documented_rules()]
        server.execute_command("ACL", "SETUSER", NAME, "reset", *rules, *also)


def as_user(url: str) -> str:
    """Return the URL by which the user gets in."""
    return url.replace("://", f"://{NAME}:{PASSWORD}@", 1)
