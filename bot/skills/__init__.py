"""What Jay can do: talk, summarise, answer from what was said, explain itself.

A skill is a generator. It yields what it needs (`Say`, `Ask`, `Read`, `Batch`,
`Search`, `Progress` and so on), is sent the result, and returns an `Outcome`.
It does no I/O, so its tests drive it by hand; `bot.driving` drives it for real.
"""

from bot.skills.choosing import COMMANDS, Chosen, SlashCommand, choose
from bot.skills.skill import (
    Ask,
    Batch,
    Cite,
    Cited,
    Clock,
    Done,
    Find,
    Found,
    Matches,
    Measure,
    Outcome,
    Progress,
    Read,
    Recall,
    Recalled,
    Request,
    Say,
    Search,
    Sizes,
    Step,
    Steps,
    Task,
)

__all__ = [
    "COMMANDS",
    "Ask",
    "Batch",
    "Chosen",
    "Cite",
    "Cited",
    "Clock",
    "Done",
    "Find",
    "Found",
    "Matches",
    "Measure",
    "Outcome",
    "Progress",
    "Read",
    "Recall",
    "Recalled",
    "Request",
    "Say",
    "Search",
    "Sizes",
    "SlashCommand",
    "Step",
    "Steps",
    "Task",
    "choose",
]
