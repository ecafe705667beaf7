"""Prompt families: how a GPT-J writes turns, and what ends them.

GPT-J and its tuned relatives were each trained on texts of one shape; a prompt
of another shape gets worse replies. A family is that shape as data (the files
are `engine/families/*.toml`). The same rendering serves the bot and the
training data, so that a tuned model meets in service what it saw in training.

Text is rendered as segments that are tokenised one by one. A turn's ids thus
never depend on its neighbours, and the next prompt's ids extend the last
one's: vLLM's prefix cache answers for all that was said before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bot.conversations import Turn
from bot.prompts import Sampling


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """The prompt format of one kind of GPT-J checkpoint."""

    name: str
    models: tuple[str, ...] = ()
    """Shell patterns of model names that this family fits, in lower case."""
    begin: str = ""
    """Stands once at the start of every prompt, as it is (`<|endoftext|>` where trained so)."""
    preamble: str = ""
    """Follows `begin` in a chat; `{persona}` is filled in."""
    person: str
    """A person's turn; `{text}` is what was said, `{name}` who said it."""
    jay_open: str
    """Opens Jay's turn. What Jay says follows it, led by `jay_lead`."""
    jay_lead: str = " "
    jay_close: str
    instruction: str = ""
    """A single task outside a chat, `{instruction}` and `{input}`; empty: a person's turn."""
    stop: tuple[str, ...]
    """Strings that end a reply. They are never shown."""
    stop_tokens: tuple[str, ...] = ()
    """Special tokens that end a reply, by their text."""
    never: tuple[str, ...] = ()
    """Openings of lines that a reply must not hold: an invented turn of somebody else."""
    quiet: bool = False
    """What a person says all in capitals is read in small letters: to a model of few words they are
    other words, which it hardly knows."""
    sampling: Sampling = field(default_factory=Sampling)
    licence: str = ""
    about: str = ""


def render_opening(family: Family, *, persona: str) -> str:
    """Return what stands before the first turn of a chat; may be empty."""
    return family.begin + family.preamble.replace("{persona}", persona)


def render_turn(family: Family, turn: Turn) -> tuple[str, ...]:
    """Return a turn's segments."""
    text = turn.text.strip()
    if turn.role == "jay":
        return (family.jay_open, family.jay_lead + defuse(family, text), family.jay_close)
    # First the capitals: in small letters they may read as a border.
    text = defuse(family, text.lower() if family.quiet and is_shouted(text) else text)
    author = defuse(family, turn.author)
    return (family.person.replace("{name}", author).replace("{text}", text),)


def is_shouted(text: str) -> bool:
    """Tell whether a text of two words or more is all in capitals: one may be a name, as `API` is."""
    return text.isupper() and sum(word.isupper() for word in text.split()) > 1


def render_cue(family: Family) -> tuple[str, ...]:
    """Return the segments after which Jay speaks."""
    return (family.jay_open,)


def render_task(family: Family, *, instruction: str, text: str) -> tuple[str, ...]:
    """Return the segments of one task outside a chat, cue included.

    Args:
        family: the format.
        instruction: what to do, one sentence or a few.
        text: what to do it on; may be empty.
    """
    instruction, text = defuse(family, instruction.strip()), defuse(family, text.strip())
    if family.instruction:
        filled = family.instruction.replace("{instruction}", instruction).replace("{input}", text)
        return tuple(part for part in (family.begin, filled) if part)
    said = f"{instruction}\n{text}" if text else instruction
    turn = family.person.replace("{name}", "").replace("{text}", said)
    return tuple(part for part in (family.begin, turn, family.jay_open) if part)


def defuse(family: Family, text: str) -> str:
    """Break up what in a person's text would read as a turn's border.

    Without this a person could write another's turn, or Jay's, into the prompt.
    """
    for mark in _marks(family):
        while mark in text:
            text = text.replace(mark, mark[0] + "\u200b" + mark[1:])
    return text


def _marks(family: Family) -> Iterable[str]:
    marks: Sequence[str] = (*family.stop, *family.never, *family.stop_tokens, family.begin)
    return (stripped for mark in marks if len(stripped := mark.strip()) > 1)
