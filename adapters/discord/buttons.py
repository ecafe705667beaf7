"""The buttons below a reply: Stop while it is made, Share where one person sees it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.ports import Target

STOP, SHARE = "jay:stop", "jay:share"
ROW, BUTTON, SECONDARY = 1, 2, 2
"""Types of components, and a button's style."""


def below(target: Target, *, last: bool) -> Sequence[Mapping[str, object]]:
    """Return a reply's components: a button, or none."""
    if target.stop and not last:
        return _row("Stop", STOP)
    return _row("Share", SHARE) if target.share and last else ()


def _row(label: str, custom_id: str) -> Sequence[Mapping[str, object]]:
    button = {"type": BUTTON, "style": SECONDARY, "label": label, "custom_id": custom_id}
    return ({"type": ROW, "components": [button]},)
