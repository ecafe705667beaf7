"""What one try at a reply answers, what the next takes over, and when there is none. Pure."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

from bot.conversations import Reply
from bot.messages import Mail
from bot.skills import COMMANDS, Outcome, SlashCommand, choose

ENDS_A_FAILURE = 4
"""Tries that ended for a reason unknown, for one that failed by an error."""


def together(
    waiting: Sequence[Mail], begun: Reply | None, commands: Sequence[SlashCommand] = COMMANDS
) -> tuple[Mail, ...]:
    """Return the mail that one reply answers.

    What a begun reply answers stays its own. Else all messages that wait are
    answered together, up to the first that asks for a skill: that one stands alone.
    """
    if begun is not None:
        return tuple(one for one in waiting if one.message_id in begun.answers)
    taken: list[Mail] = []
    for one in waiting:
        if choose(one, commands).name != "chat":
            return tuple(taken) or (one,)
        taken.append(one)
    return tuple(taken)


def is_given_up(begun: Reply, max_tries: int) -> bool:
    """Tell whether a reply is not tried again.

    An error counts fully. A try that just ended (its worker was killed, or cut off from the
    store) says little about the mail, and counts a quarter.
    """
    return max(begun.failures, begun.tries // ENDS_A_FAILURE) >= max_tries


def next_try(mail: tuple[Mail, ...], begun: Reply | None, *, began_at: float) -> Reply:
    """Return the record of another try at a reply.

    Mail that was answered together and failed twice is answered one by one
    from then on, so that a poisoned message takes none beside it along.
    """
    if begun is None:
        return Reply(
            reply_id=secrets.token_hex(8),
            answers=tuple(one.message_id for one in mail),
            began_at=began_at,
            tries=1,
        )
    if is_given_up(begun, 2) and len(mail) > 1 and not begun.whole:
        return replace(begun, answers=(mail[0].message_id,), text="", tries=1, failures=0)
    return replace(begun, tries=begun.tries + 1)


def with_outcome(record: Reply, outcome: Outcome) -> Reply:
    """Return the record of a reply that is whole: whoever takes it over shows and keeps the same."""
    return replace(
        record,
        whole=outcome.text,
        kept=outcome.kept,
        skill=outcome.skill,
        sources=outcome.sources,
        whispered=outcome.whispered,
    )


def outcome_of(record: Reply) -> Outcome:
    """Return what a record that is whole was made of, as far as it is still of use."""
    return Outcome(
        text=record.whole,
        kept=record.kept,
        skill=record.skill,
        sources=record.sources,
        whispered=record.whispered,
    )
