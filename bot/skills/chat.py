"""Plain conversation: the model goes on with the turns so far, unless somebody asks on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.messages import IncomingMessage, Mail
from bot.prompting import Said
from bot.skills.answer import answer, follows_up
from bot.skills.quiz import asks_for_answers, solve, unsolved
from bot.skills.skill import Outcome, Request, Steps, say

NOTHING_TO_READ = (
    "Hello! You can just write to me. Try a question, or `/summarize` and `/answer` "
    "to work with what was said in this channel."
)
ONLY_FILES = "I can only read text, not files. Tell me in words what it is about?"
NO_WORDS = "I have no good answer to that. Could you put it another way?"


def chat(request: Request) -> Steps[Outcome]:
    """Yield what the model shall continue, return what it said, with a note where it was cut.

    What asks on after an answer is answered from the messages too, and who gives a quiz up is
    shown its answers; until then the model doesn't know them either.
    """
    if not request.text.strip():
        return Outcome(text=NOTHING_TO_READ)
    if follows_up(request):
        return (yield from answer(request))
    if asks_for_answers(request):
        return solve(request)
    said = yield from say(tuple(unsolved(turn) for turn in request.turns))
    return spoken(said)


def spoken(said: Said) -> Outcome:
    """Return what the model said as it is shown: in words, with a note where it was cut."""
    text = said.text or NO_WORDS
    return Outcome(text=joined(text, said.note) if said.note else text, said=said)


def with_notes(outcome: Outcome, mail: Sequence[Mail], *, max_chars: int) -> Outcome:
    """Add what people should know about what was read of their messages.

    Args:
        outcome: what a skill made of them.
        mail: the messages.
        max_chars: so much was read of each.
    """
    long = [len(one.text) for one in mail if len(one.text) > max_chars]
    text = outcome.text
    if text == NOTHING_TO_READ and any(
        isinstance(one, IncomingMessage) and one.attachments for one in mail
    ):
        text = ONLY_FILES
    if long and text:
        note = f"_I read the first {max_chars:,} of {max(long):,} characters._"
        text = joined(text, note)
    return replace(outcome, text=text)


def joined(text: str, note: str) -> str:
    """Return a text with a note below, or the note alone."""
    return f"{text}\n\n{note}" if text else note
