"""The buttons below a reply: Stop while it is made, then Share where one person sees it, and Why?.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.ports import Target

STOP, SHARE, WHY = "jay:stop", "jay:share", "jay:why"
LABELS = {STOP: "Stop", SHARE: "Share", WHY: "Why?"}
ROW, BUTTON, SECONDARY = 1, 2, 2
"""Types of components, and a button's style."""


def below(target: Target, *, last: bool) -> Sequence[Mapping[str, object]]:
    """Return a reply's components: a row of buttons, or none."""
    if target.stop and not last:
        return _row(STOP)
    share = (SHARE,) if target.share and last else ()
    wanted = (*share, WHY) if target.why else share
    return _row(*wanted) if wanted else ()


def _row(*buttons: str) -> Sequence[Mapping[str, object]]:
    shown = [
        {"type": BUTTON, "style": SECONDARY, "label": LABELS[one], "custom_id": one}
        for one in buttons
    ]
    return ({"type": ROW, "components": shown},)
