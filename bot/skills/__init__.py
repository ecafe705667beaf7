"""What Jay can do: talk, summarise, answer from what was said, explain itself.

A skill is a generator. It yields what it needs (`Say`, `Ask`, `Look`,
`Progress`), is sent the result, and returns an `Outcome`. It does no I/O, so
its tests drive it by hand; `bot.replying` drives it for real.
"""

from bot.skills.choosing import COMMANDS, Chosen, choose
from bot.skills.skill import (
    Ask,
    Look,
    Outcome,
    Progress,
    Request,
    Say,
    Seen,
    Step,
    Steps,
    Task,
)

__all__ = [
    "COMMANDS",
    "Ask",
    "Chosen",
    "Look",
    "Outcome",
    "Progress",
    "Request",
    "Say",
    "Seen",
    "Step",
    "Steps",
    "Task",
    "choose",
]
