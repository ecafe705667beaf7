"""Says for all to see what only one person saw."""

from __future__ import annotations

from bot.skills.asking import read_asked
from bot.skills.skill import Outcome, Request, Steps

SHARE = "share"
SHARED = "_Shared by {name}._"


def share(request: Request) -> Steps[Outcome]:
    """Return what Jay said last in this conversation; nothing if it was shared already."""
    said = [turn.text for turn in request.turns if turn.role == "jay"]
    asked = [turn.text for turn in request.turns if turn.role == "person"]
    # Who sees this place may not be allowed to see another one; such an answer has no button.
    elsewhere = any(read_asked(one).channels for one in asked)
    if not said or elsewhere or said[-1].endswith(SHARED.format(name=request.person.name)):
        return Outcome(text="")
    yield from ()
    return Outcome(text=f"{said[-1]}\n\n{SHARED.format(name=request.person.name)}")
