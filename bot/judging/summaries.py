"""`/summarize` on stretches of conversations with known facts, and how many of them it tells.

The model in use and the skill are the real ones. A fact counts as told where a
line of the summary holds its value and links the message that states it. Beside
it stand summaries without a model, of as many messages each: the first ones, and
those nearest to what all of them are about (the centroid of Radev et al., 2004).
"""

from __future__ import annotations

import asyncio
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from bot.figures import Figure
from bot.grounding import content_words
from bot.judging.talks import ASKER, AnswerSet, Report, Talk
from bot.messages import IncomingMessage
from bot.prompting import Said, Speech
from bot.skills import (
    Batch,
    Cite,
    Cited,
    Done,
    Found,
    Measure,
    Outcome,
    Progress,
    Read,
    Request,
    Sizes,
    Step,
    Task,
)
from bot.skills.skill import Answer
from bot.skills.summarize import summarize
from engine.training.judge import rouge_l
from engine.training.scores import mean, share

STRETCH = 40
"""Messages that are summed up at once: what somebody missed in an afternoon."""
LINK = re.compile(r"\[[^\]]*\]\(#([^)]+)\)")

Lines = tuple[tuple[str, str], ...]
"""Of a summary: id of the message that a line links, and its text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SummedUp:
    """What came of one stretch."""

    talk: Talk
    messages: tuple[IncomingMessage, ...]
    facts: tuple[tuple[str, str], ...]
    """Id of a message and the value that it states."""
    lines: Lines

    @property
    def worded(self) -> list[tuple[str, str]]:
        """The lines in the model's words: the others name their author in bold, and quote."""
        return [one for one in self.lines if "**" not in one[1]]

    @property
    def unsupported(self) -> list[str]:
        """The lines that name a value that the message they link does not hold."""
        texts = {one.message_id: f"{one.author.name}: {one.text}".lower() for one in self.messages}
        return [
            line
            for of, line in self.worded
            if not all(value in texts[of] for value in self.talk.named(LINK.sub("", line)))
        ]


async def evaluate_summaries(
    data: AnswerSet, speech: Speech, *, part: str, report: Report
) -> list[SummedUp]:
    """Sum up every stretch of one part of the set; takes a minute or two on a CPU.

    Raises:
        EngineError: the model can't be had.
    """
    done: list[SummedUp] = []
    for talk in data.conversations:
        if talk.part == part:
            said = talk.said()
            stretches = [said[at : at + STRETCH] for at in range(0, len(said), STRETCH)]
            done += await asyncio.gather(
                *(_summed_up(talk, one, speech) for one in stretches if len(one) == STRETCH)
            )
            report(f"{talk.name}: summed up")
    return done


async def _summed_up(talk: Talk, messages: tuple[IncomingMessage, ...], speech: Speech) -> SummedUp:
    """Use the command as `bot.driving` would, without a platform."""
    steps = summarize(Request(text=f"last {STRETCH}", place=talk.place, person=ASKER, command=True))
    answer: Answer = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as end:
            outcome: Outcome = end.value
            break
        answer = await _do(step, messages, speech)
    ids = {one.message_id for one in messages}
    facts = {(message, one.gold) for one in talk.questions if one.gold for message in one.messages}
    lines = [(found[1], line) for line in outcome.text.splitlines() if (found := LINK.search(line))]
    return SummedUp(
        talk=talk,
        messages=messages,
        facts=tuple(sorted(one for one in facts if one[0] in ids)),
        lines=tuple(lines),
    )


async def _do(step: Step, messages: tuple[IncomingMessage, ...], speech: Speech) -> Answer:
    match step:
        case Read():
            return Found(messages=messages)
        case Measure():
            sizes = tuple(await speech.count(step.texts))
            return Sizes(tokens=sizes, room=speech.budget_tokens)
        case Batch():
            return Done(
                said=tuple(await asyncio.gather(*(_say(speech, one) for one in step.tasks)))
            )
        case Cite():
            return Cited(links={one.message_id: f"#{one.message_id}" for one in step.messages})
        case Progress():
            return None
        case _:
            raise TypeError(f"a summary does not ask for {type(step).__name__}")


async def _say(speech: Speech, task: Task) -> Said:
    prompt = await speech.task(
        instruction=task.instruction, text=task.text, max_tokens=task.max_tokens, salt=""
    )
    return await speech.ask(prompt)


def summary_figures(done: Sequence[SummedUp], *, part: str, how: str) -> list[Figure]:
    """Return the figures; their names end in the part's, but for `held_out`."""
    end = "" if part == "held_out" else f"_{part}"
    lines = [one.lines for one in done]
    first = [_as_lines(one.messages[: len(one.lines)]) for one in done]
    nearest = [_as_lines(_nearest(one.messages, len(one.lines))) for one in done]
    recall, lead, extractive = (_recall(done, each) for each in (lines, first, nearest))
    worded = [of in one.worded for one in done for of in one.lines]
    scores = (
        share(
            "summary_fact_recall",
            recall,
            how=f"known facts of {STRETCH} messages whose value stands in a line that links them; "
            f"baseline: as many messages, the first ones",
            baseline=_rate(lead),
        ),
        share(
            "summary_fact_recall_extractive",
            extractive,
            how="the same of as many messages, those nearest to what all are about",
        ),
        mean(
            "summary_rouge",
            _rouge(done, lines),
            unit="ROUGE-L",
            how="F1 with the messages that state known facts; baseline: the first messages",
            baseline=fmean(_rouge(done, first)),
        ),
        mean(
            "summary_rouge_extractive",
            _rouge(done, nearest),
            unit="ROUGE-L",
            how="the same of the messages nearest to what all are about",
        ),
        share("summary_in_words", worded, how="lines in the model's words; the rest are quotes"),
    )
    unsupported = Figure(
        name="summary_unsupported_claims",
        value=float(sum(len(one.unsupported) for one in done)),
        unit="claims",
        n=sum(worded),
        how="lines in the model's words that name a value that their message does not hold",
    )
    found = [*(one.figure for one in scores), unsupported]
    return [replace(one, name=one.name + end, how=f"{one.how}; {how}") for one in found]


def _recall(done: Sequence[SummedUp], told: Sequence[Lines]) -> list[bool]:
    """Return, of each known fact, whether it is told."""
    return [
        any(of == message and value.lower() in text.lower() for of, text in lines)
        for one, lines in zip(done, told, strict=True)
        for message, value in one.facts
    ]


def _rate(hits: Sequence[bool]) -> float:
    return sum(hits) / max(1, len(hits))


def _rouge(done: Sequence[SummedUp], told: Sequence[Lines]) -> list[float]:
    found = []
    for one, lines in zip(done, told, strict=True):
        stating = {message for message, _ in one.facts}
        wanted = [each.text for each in one.messages if each.message_id in stating]
        found.append(rouge_l(" ".join(text for _, text in lines), " ".join(wanted)))
    return found


def _as_lines(messages: Sequence[IncomingMessage]) -> Lines:
    return tuple((one.message_id, one.text) for one in messages)


def _nearest(messages: Sequence[IncomingMessage], count: int) -> list[IncomingMessage]:
    """Return the messages whose words weigh most in all of them, in their order."""
    words = [Counter(content_words(one.text)) for one in messages]
    held_by = Counter(word for each in words for word in each)
    weights = {
        word: sum(each[word] for each in words) * math.log(len(messages) / held)
        for word, held in held_by.items()
    }
    ranked = sorted(
        range(len(messages)), key=lambda at: (-sum(weights[word] for word in words[at]), at)
    )
    return [messages[at] for at in sorted(ranked[:count])]
