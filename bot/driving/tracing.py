"""Notes what a reply is made of, while it is made, and writes its trace in the end.

It keeps ids and numbers only: see `bot/traces`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.conversations import Conversation, Reply, Turn
from bot.ports import Store, Target
from bot.prompting import Speech
from bot.prompts import Finish, Sampling
from bot.skills import Outcome
from bot.traces import MOST_READ, Asked, ReadTurn, Sureness, Trace
from bot.window import Window


@dataclass(slots=True, kw_only=True)
class Tracer:
    """Notes for one reply."""

    revision: int = 0
    """The channel's log had changed so often before any of it was read."""
    _asked: Asked | None = None
    _read: tuple[ReadTurn, ...] = ()
    _left_out: int = 0
    _cut_tokens: int = 0
    _knows_all: bool = False
    _begun_chars: int = 0

    def chats(
        self,
        speech: Speech,
        turns: Sequence[Turn],
        window: Window,
        *,
        sampling: Sampling,
        begun: str,
    ) -> None:
        """Note a prompt that goes on with a conversation.

        Args:
            speech: the model.
            turns: of which the window holds the last.
            window: what the prompt holds.
            sampling: how the words are drawn.
            begun: what an earlier worker had the model say of this reply.
        """
        self.asks(speech, prompts=1, sampling=sampling)
        held = turns[window.start :]
        self._left_out, self._cut_tokens = window.start, window.cut_tokens
        self._begun_chars = len(begun)
        self._read = tuple(
            ReadTurn(role=turn.role, message_ids=turn.message_ids) for turn in held[-MOST_READ:]
        )
        self._knows_all = len(held) <= MOST_READ and all(turn.message_ids for turn in held)

    def asks(
        self, speech: Speech, *, prompts: int, noted: int = 0, sampling: Sampling | None = None
    ) -> None:
        """Note tasks that the model does.

        Args:
            speech: the model.
            prompts: how many.
            noted: how many more were answered by what had been noted.
            sampling: how the words are drawn; without it as the family has it.
        """
        self._asked = Asked(
            model=speech.model.name,
            revision=speech.model.revision,
            family=speech.family.name,
            sampling=sampling or speech.family.sampling,
            window=speech.model.window,
            budget_tokens=speech.budget_tokens,
            max_tokens=speech.max_tokens,
            prompts=prompts,
            noted=noted,
        )

    def trace(
        self,
        outcome: Outcome,
        *,
        reply: Reply,
        conversation: Conversation,
        target: Target,
        at: float,
        skill: str,
        finish: str,
        cost: Finish | None,
    ) -> Trace:
        """Return the trace of a reply that is whole.

        Args:
            outcome: what is said.
            reply: its record.
            conversation: to which it belongs.
            target: where it was written.
            at: now, Unix seconds.
            skill: which skill made it.
            finish: how it ended, as in `Made`.
            cost: what the model read and wrote.
        """
        asked = self._asked
        if asked is not None and cost is not None:
            asked = replace(
                asked,
                prompt_tokens=cost.prompt_tokens,
                cached_tokens=cost.cached_tokens,
                reply_tokens=cost.reply_tokens,
            )
        # In Slack a channel's message is answered in the thread below it, a command is not.
        below = "" if target.place.direct or target.handle else conversation.thread
        return Trace(
            reply_id=reply.reply_id,
            answered=reply.answers,
            place=replace(target.place, thread=target.place.thread or below),
            at=at,
            revision=self.revision,
            skill=skill,
            finish=finish,
            person=target.person if target.private else "",
            asked=asked,
            read=self._read,
            left_out=self._left_out,
            cut_tokens=self._cut_tokens,
            passages=outcome.passages,
            cited=len(outcome.sources),
            withheld=outcome.withheld,
            sureness=_sureness(outcome),
            traceable=self._knows_all or bool(outcome.passages),
            begun_chars=self._begun_chars,
        )


async def as_before(store: Store, conversation: Conversation, trace: Trace) -> Trace | None:
    """Return the trace of what is shared: it came about as the reply before it.

    Args:
        store: where that was kept.
        conversation: whose last reply is shared.
        trace: where and when it is shared.
    """
    turns = await store.turns(conversation)
    said = [one for turn in turns if turn.role == "jay" for one in turn.message_ids]
    before = await store.trace(trace.place, said[-1]) if said else None
    return before and replace(before, person="", place=trace.place, at=trace.at)


def _sureness(outcome: Outcome) -> Sureness | None:
    """Return how sure the model was of what is shown; words are marked where they stand first."""
    said = outcome.said
    if said is None or said.sureness is None or outcome.withheld:
        return None
    if outcome.text.startswith(said.text):
        return said.sureness
    return replace(said.sureness, unsure=())
