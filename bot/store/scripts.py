"""The steps that the store takes, each one Lua script: `NAME.lua` after `prelude.lua`.

A script runs as a whole, alone, on the server. That is what makes a step atomic.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

_HERE = Path(__file__).parent
_PRELUDE = _HERE / "prelude.lua"

STEPS: Final = tuple(sorted(path.stem for path in _HERE.glob("*.lua") if path != _PRELUDE))
"""The name of every step."""
READS: Final = frozenset(
    {
        "changes",
        "due_digests",
        "gaps",
        "mail",
        "messages",
        "open_reply",
        "parked",
        "standing",
        "takes_part",
        "turns",
        "vectors",
    }
)
"""Steps that write nothing but what time has made old; nobody waits for replicas to have it."""


def read_script(step: str) -> str:
    """Return a step's whole source."""
    return f"{_PRELUDE.read_text()}\n{(_HERE / f'{step}.lua').read_text()}"


SCRIPTS: Final = {
    step: (source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())
    for step in STEPS
    for source in (read_script(step),)
}
"""Each step's source, and the digest by which a server knows it."""
