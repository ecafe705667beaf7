"""The buttons below a reply: Stop while it is made, Share where one person sees it. Pure.

They need blocks, and with blocks Slack shows these instead of the text.
"""

from __future__ import annotations

STOP, SHARE = "jay_stop", "jay_share"
MADE_UP = "response:"
"""Begins the id of a reply to which Slack gives none."""
SECTION_MAX = 3_000
"""Characters of a section's text, as Slack's documentation states it."""


def with_button(text: str, action: str, *, value: str = "") -> list[dict[str, object]]:
    """Return a text as blocks with a button below.

    Args:
        text: in Slack's markup.
        action: `STOP` or `SHARE`.
        value: comes back with the press: the id of the reply, where Slack gives it none.
    """
    button: dict[str, object] = {
        "type": "button",
        "action_id": action,
        "text": {"type": "plain_text", "text": {STOP: "Stop", SHARE: "Share"}[action]},
    }
    sections: list[dict[str, object]] = [
        {"type": "section", "text": {"type": "mrkdwn", "text": one}} for one in _sections(text)
    ]
    elements = [button | ({"value": value} if value else {})]
    return [*sections, {"type": "actions", "elements": elements}]


def _sections(text: str) -> list[str]:
    """Cut a text at line ends, or else where it must be, into what sections hold."""
    found = [""]
    for line in text.splitlines(keepends=True):
        if len(found[-1]) + len(line) > SECTION_MAX and found[-1]:
            found.append("")
        while len(line) > SECTION_MAX:
            found[-1], line = line[:SECTION_MAX], line[SECTION_MAX:]
            found.append("")
        found[-1] += line
    return [one for one in found if one.strip()]
