"""The Stop button below a reply in the making. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

STOP = "jay:stop"
ROW, BUTTON, SECONDARY = 1, 2, 2
"""Types of components, and a button's style."""


def below(*, stop: bool) -> Sequence[Mapping[str, object]]:
    """Return a message's components: the button, or none."""
    button = {"type": BUTTON, "style": SECONDARY, "label": "Stop", "custom_id": STOP}
    return ({"type": ROW, "components": [button]},) if stop else ()
