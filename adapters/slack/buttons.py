"""The Stop button below a reply in the making. Pure.

It needs blocks, and with blocks Slack shows these instead of the text. So it
stands only below what fits one section, as a skill's progress does.
"""

from __future__ import annotations

STOP = "jay_stop"
SECTION_MAX = 3_000
"""Characters of a section's text, as Slack's documentation states it."""


def with_stop(text: str) -> list[dict[str, object]] | None:
    """Return a text as blocks with a Stop button below; None where it doesn't fit."""
    if len(text) > SECTION_MAX:
        return None
    return [
        {"type": "section", "text": {"type": "mrkdwn", "text": text}},
        {
            "type": "actions",
            "elements": [
                {
                    "type": "button",
                    "action_id": STOP,
                    "text": {"type": "plain_text", "text": "Stop"},
                }
            ],
        },
    ]
