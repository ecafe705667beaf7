"""The buttons below a reply: Stop while it is made, then Share where one person sees it, and Why?.

They need blocks, and with blocks Slack shows these instead of the text. Pure.
"""

from __future__ import annotations

from bot.ports import Target

STOP, SHARE, WHY = "jay_stop", "jay_share", "jay_why"
LABELS = {STOP: "Stop", SHARE: "Share", WHY: "Why?"}
MADE_UP = "response:"
"""Begins the id of a reply to which Slack gives none."""
SECTION_MAX = 3_000
"""Characters of a section's text, as Slack's documentation states it."""
FENCE = "```"
SECTION_CHARS = SECTION_MAX - 2 * len(f"{FENCE}\n")
"""What a section takes of a text: code that goes on in the next is closed and opened again."""


def below(target: Target, *, last: bool) -> tuple[str, ...]:
    """Return which buttons stand below a message.

    Args:
        target: where it goes, and what it may carry.
        last: nothing more will come for this message.
    """
    if target.stop and not last:
        return (STOP,)
    share = (SHARE,) if target.share and last else ()
    return (*share, WHY) if target.why else share


def row(*actions: str, value: str = "") -> dict[str, object]:
    """Return the block that holds buttons.

    Args:
        actions: `STOP`, `SHARE`, `WHY`.
        value: comes back with a press: the id of the reply, where Slack gives it none.
    """
    given = {"value": value} if value else {}
    elements = [
        {
            "type": "button",
            "action_id": one,
            "text": {"type": "plain_text", "text": LABELS[one]},
        }
        | given
        for one in actions
    ]
    return {"type": "actions", "elements": elements}


def with_buttons(
    text: str, *actions: str, value: str = "", markdown: bool = False
) -> list[dict[str, object]]:
    """Return a text as blocks with buttons below.

    Args:
        text: in Slack's markup.
        actions: as for `row`.
        value: as for `row`.
        markdown: the text is Markdown.
    """
    if markdown:
        return [{"type": "markdown", "text": text}, row(*actions, value=value)]
    sections: list[dict[str, object]] = [
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": one, "verbatim": True},
            # Else Slack folds it up behind "See more".
            "expand": True,
        }
        for one in _sections(text)
    ]
    return [*sections, row(*actions, value=value)]


def _sections(text: str) -> list[str]:
    """Cut a text at line ends, or else where it must be, into what sections hold."""
    found, coded = [""], False
    for line in text.splitlines(keepends=True):
        if len(found[-1]) + len(line) > SECTION_CHARS and found[-1]:
            found.append("")
        while len(line) > SECTION_CHARS:
            found[-1], line = line[:SECTION_CHARS], line[SECTION_CHARS:]
            found.append("")
        found[-1] += line
    shown = []
    for one in found:
        if one.strip():
            opened = f"{FENCE}\n{one}" if coded else one
            coded = opened.count(FENCE) % 2 == 1
            shown.append(f"{opened.rstrip()}\n{FENCE}" if coded else opened)
    return shown
