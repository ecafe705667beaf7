"""What a summary is asked for: range, form and scope, in a person's words. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Form = Literal["bullets", "paragraph", "decisions", "topics"]
Scope = Literal["here", "channel", "thread"]

_FORMS: tuple[tuple[Form, str], ...] = (
    ("topics", r"(?:(?:as|in|by|per) )topics?"),
    ("paragraph", r"(?:as|in) (?:a |one )?(?:paragraph|prose|text)"),
    (
        "decisions",
        r"(?:(?:as|with) )?(?:the )?(?:decisions?|action items?|to-?dos?|actions?)"
        r"(?:(?: and|,|&) (?:the )?(?:decisions?|action items?|to-?dos?|actions?))*(?: only)?",
    ),
    ("bullets", r"(?:as|in) (?:a )?(?:bullets?(?: points?)?|list|points)"),
)
_CHANNEL = re.compile(r"(?<!\S)#([\w-]{1,100})", re.UNICODE)
_SCOPE = re.compile(r"(?:(?:of|in|for) )?(?:this|the) (channel|thread)", re.IGNORECASE)
_SCOPES: dict[str, Scope] = {"channel": "channel", "thread": "thread"}
_FILLER = re.compile(r"(?<!\w)(?:please|for me|messages from|everything)(?!\w)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request for a summary, taken apart."""

    range: str
    """What is left for the range; may be empty."""
    form: Form = "bullets"
    scope: Scope = "here"
    """`channel`: the channel, though it is asked in a thread; `thread`: a thread, by all means."""
    channels: tuple[str, ...] = ()
    """Names of other channels, without `#`."""
    plain: bool = True
    """Nothing but a range was said."""


def read_asked(text: str) -> Asked:
    """Take a request apart.

    Args:
        text: what stood after the skill's name.
    """
    left = _FILLER.sub(" ", " ".join(text.split()))
    channels = tuple(dict.fromkeys(_CHANNEL.findall(left)))
    left = _CHANNEL.sub(" ", left)
    form: Form = "bullets"
    for name, pattern in _FORMS:
        found = re.search(rf"(?<!\w){pattern}\s*$", " ".join(left.split()), re.IGNORECASE)
        if found:
            left, form = " ".join(left.split())[: found.start()], name
            break
    scoped = _SCOPE.search(left)
    left = _SCOPE.sub(" ", left, count=1)
    left = re.sub(r"\s+(?:and|in|of)\s*$", "", " ".join(left.split()))
    return Asked(
        range=left.strip(" ,"),
        form=form,
        scope=_SCOPES[scoped[1].lower()] if scoped else "here",
        channels=channels,
        plain=form == "bullets" and not scoped and not channels,
    )
