"""Examines a served model: asks it what nobody trained it on, and scores what it says.

Through the very parts that people meet: the prompt family, the window, the
guards, the engine's client. What is asked is `engine.training.exam`, what is
right is `engine.training.judge`; nothing of torch is needed.
"""

from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TypeVar

from bot import grounding
from bot.app import SpeechSource
from bot.conversations import Turn
from bot.errors import PromptRefused
from bot.family import render_opening, render_turn
from bot.prompting import Said, Speech
from bot.settings import Settings
from engine import open_engine, serve
from engine.launcher import wait_until_up
from engine.scoring import Scorer, open_scorer
from engine.training.corpus import MINI, Exchange
from engine.training.exam import Exam
from engine.training.judge import Judge, Judged, abstains, rouge_l, stands_in
from engine.training.reading import ANSWER, SUMMARIZE, Task
from engine.training.scores import Score, mean, share

AT_ONCE = 48
"""Requests side by side; a CPU's throughput still grows up to there."""
IDLE_TIMEOUT_S = 120.0
"""Behind so many others the first word of a 6B model on a CPU takes a while."""
TASK_TOKENS = 120
"""The longest answer or summary."""
ENDED = ("", "stop")
"""How a reply ended that no guard had to cut."""
LEAD = 3
"""Messages that the simplest summary gives back: the first ones."""

Report = Callable[[str], None]
Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What came of it."""

    scores: tuple[Score, ...]
    judged: tuple[Judged, ...]
    """Every reply that was judged by intent, for whoever wants to see what failed."""


async def examine(speech: Speech, scorer: Scorer, exam: Exam, report: Report) -> Examined:
    """Ask everything of an exam.

    Args:
        speech: the served model, in its family.
        scorer: the same one.
        exam: what is asked.
        report: takes lines for whoever waits.

    Raises:
        EngineError: the engine failed for good.
    """
    judge = Judge(exam.intents, own=speech.family.name == MINI.name)
    report(f"{len(exam.phrasings)} messages in phrasings that it never saw")
    chat = await _chat(speech, judge, exam.phrasings)
    report(f"{len(exam.dialogues)} dialogues")
    dialogues = await at_once(lambda script: _dialogue(speech, judge, script), exam.dialogues)
    every = [*chat, *chain.from_iterable(dialogues)]
    scores = [
        share(
            "model_intent_accuracy",
            [one.right for one in chat],
            how="the right kind of reply to one message, in a phrasing held out of training",
        ),
        share(
            "model_dialogue_accuracy",
            [all(one.right for one in turns) for turns in dialogues],
            how="dialogues of three turns with every reply right, its own replies before it",
        ),
        share(
            "model_dialogue_turn_accuracy",
            [one.right for one in chain.from_iterable(dialogues)],
            how="replies in these dialogues that are right",
        ),
        share(
            "model_wellformed_share",
            [one.well_formed for one in every],
            how="of all these replies, ended by themselves, unlooped, no invented turn",
        ),
        *await _reading(speech, exam, report),
        *await _summaries(speech, exam.summaries, report),
        *await _perplexity(speech, scorer, exam.texts, report),
    ]
    return Examined(scores=tuple(scores), judged=tuple(every))


@asynccontextmanager
async def open_examined(
    which: str, settings: Settings, report: Report
) -> AsyncIterator[tuple[Speech, Scorer]]:
    """Open a model to examine: at the address of a vLLM server, or served from a directory.

    Its prompt family and persona are those that serving would choose.

    Raises:
        EngineWontStart: the directory can't be served.
        EngineError: nothing answers at the address.
    """
    key = settings.engine.api_key.get_secret_value()
    async with AsyncExitStack() as stack:
        url = which.rstrip("/")
        if not which.startswith(("http://", "https://")):
            log_path = settings.data_dir / "logs" / "engine-examined.log"
            url = await stack.enter_async_context(
                serve(Path(which), port=_free_port(), log_path=log_path, on_progress=report)
            )
            await wait_until_up(url)
        engine = await stack.enter_async_context(
            open_engine(url, model="", api_key=key, idle_timeout_s=IDLE_TIMEOUT_S, retries=2)
        )
        speech = await SpeechSource(settings, engine)()
        scorer = open_scorer(url, model=speech.model.name, api_key=key)
        yield speech, await stack.enter_async_context(scorer)


def greedy(speech: Speech) -> Speech:
    """Return a speech that takes the likeliest token each time."""
    sampling = replace(speech.family.sampling, temperature=0.0)
    return replace(speech, family=replace(speech.family, sampling=sampling))


async def at_once(
    ask: Callable[[Asked], Awaitable[Answer]], asked: Iterable[Asked]
) -> list[Answer]:
    """Ask many things side by side and return the answers in order."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(what: Asked) -> Answer:
        async with gate:
            return await ask(what)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(what)) for what in asked]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]


async def reply(speech: Speech, said: Sequence[tuple[str, str]], asked: str) -> Said:
    """Have the model reply as in a chat.

    Args:
        speech: the model.
        said: what a person and Jay said before, in pairs.
        asked: what the person says now.
    """
    turns = [turn for person, jay in said for turn in (_turn("person", person), _turn("jay", jay))]
    prompt, _ = await speech.chat([*turns, _turn("person", asked)], session="", salt="")
    return await speech.ask(prompt)


async def _chat(speech: Speech, judge: Judge, asked: Sequence[Exchange]) -> list[Judged]:
    async def one(exchange: Exchange) -> Judged:
        said = await reply(speech, (), exchange.person)
        return judge.judge(exchange, said.text, ended=said.cut in ENDED)

    return await at_once(one, asked)


async def _dialogue(speech: Speech, judge: Judge, script: Sequence[Exchange]) -> list[Judged]:
    """Hold a dialogue in which what Jay said before is what it really said."""
    held: list[Exchange] = []
    judged = []
    for exchange in script:
        said = await reply(speech, [(one.person, one.jay) for one in held], exchange.person)
        judged.append(judge.judge(exchange, said.text, ended=said.cut in ENDED, before=held))
        held.append(Exchange(person=exchange.person, jay=said.text, intent=exchange.intent))
    return judged


async def _task(speech: Speech, task: Task) -> str:
    """Have a task done as the skills have it done, and return what was said.

    Nothing, where it does not fit the model's window.
    """
    lines = [*task.messages, f"Question: {task.question}"] if task.question else task.messages
    prompt = await speech.task(
        instruction=ANSWER if task.question else SUMMARIZE,
        text="\n".join(lines),
        max_tokens=TASK_TOKENS,
        salt="",
    )
    try:
        return (await speech.ask(prompt)).text
    except PromptRefused:
        return ""


async def _reading(speech: Speech, exam: Exam, report: Report) -> list[Score]:
    report(f"{len(exam.readings)} questions on one or two messages, {len(exam.forties)} on forty")
    read = await at_once(lambda task: _task(speech, task), exam.readings)
    unanswered = await at_once(lambda task: _task(speech, task), exam.unanswered)
    forties = await at_once(lambda task: _task(speech, task), exam.forties)
    return [
        share(
            "model_phrase_recall",
            _found(exam.readings, read),
            baseline=_rate(_found(exam.readings, map(nearest, exam.readings))),
            how="the value stands in the answer from one or two messages with names it never "
            "saw; baseline: the best-overlapping sentence",
        ),
        share(
            "model_phrase_exact",
            [text == task.reply for task, text in zip(exam.readings, read, strict=True)],
            how="of these, word for word the answer that was expected",
        ),
        share(
            "model_phrase_abstention",
            [abstains(text) for text in unanswered],
            baseline=_rate([abstains(text) for text in read]),
            how="says so where the messages don't answer; baseline: says so where they do",
        ),
        share(
            "model_read_exact_match",
            _found(exam.forties, forties),
            baseline=_rate(_found(exam.forties, map(nearest, exam.forties))),
            how="the value stands in the answer from forty messages; baseline: the "
            "best-overlapping sentence",
        ),
    ]


async def _summaries(speech: Speech, tasks: Sequence[Task], report: Report) -> list[Score]:
    report(f"{len(tasks)} summaries")
    said = await at_once(lambda task: _task(speech, task), tasks)
    lead = [" ".join(task.messages[:LEAD]) for task in tasks]
    weightiest = [_weightiest(task) for task in tasks]
    how = "ROUGE-L F1 with the summary that was expected; baseline: the "
    found = [rouge_l(text, task.reply) for task, text in zip(tasks, said, strict=True)]
    return [
        mean(
            name,
            found,
            unit="ROUGE-L",
            baseline=_rate(rouge_l(a, b.reply) for a, b in zip(simple, tasks, strict=True)),
            how=how + what,
        )
        for name, simple, what in (
            ("model_summary_rouge", lead, "first three messages"),
            ("model_summary_rouge_extractive", weightiest, "message with most names and numbers"),
        )
    ]


async def _perplexity(
    speech: Speech, scorer: Scorer, scripts: Sequence[Sequence[Exchange]], report: Report
) -> list[Score]:
    """Measure how likely Jay's part of dialogues is that went as they should."""
    report(f"{len(scripts)} dialogues to read")
    found = await at_once(lambda script: lost(speech, scorer, script), scripts)
    nats, tokens, characters = (sum(column) for column in zip(*found, strict=True))
    per_token = [one / count for one, count, _ in found]
    per_character = [one / count / math.log(2) for one, _, count in found]
    spread = mean("", per_token, unit="", how="")
    value = math.exp(nats / tokens)
    return [
        Score(
            name="model_perplexity",
            value=value,
            low=math.exp(spread.low),
            high=math.exp(spread.high),
            n=len(found),
            unit="per token",
            how="of Jay's words in dialogues that it never saw, in its own tokens",
        ),
        mean(
            "model_bits_per_character",
            per_character,
            unit="bits",
            how=f"the same for models with other tokens; {characters:,} characters",
        ),
    ]


async def lost(
    speech: Speech, scorer: Scorer, script: Sequence[Exchange]
) -> tuple[float, int, int]:
    """Return the nats, tokens and characters of Jay's words in a dialogue."""
    opening = render_opening(speech.family, persona=speech.persona)
    pieces: list[tuple[str, bool]] = [(opening, False)]
    for one in script:
        for turn in (_turn("person", one.person), _turn("jay", one.jay)):
            rendered = render_turn(speech.family, turn)
            pieces += [(text, turn.role == "jay" and at > 0) for at, text in enumerate(rendered)]
    ids = await speech.engine.encode([text for text, _ in pieces])
    flat = tuple(chain.from_iterable(ids))
    jays = [by_jay for found, (_, by_jay) in zip(ids, pieces, strict=True) for _ in found]
    logprobs = await scorer.logprobs(flat)
    said = [one for one, by_jay in zip(logprobs, jays[1:], strict=True) if by_jay]
    return -sum(said), len(said), sum(len(text) for text, by_jay in pieces if by_jay)


def nearest(task: Task) -> str:
    """Return the sentence of a task's messages that shares most words with the question."""
    texts = [
        f"{line.partition(': ')[0].removeprefix('- ')} {one}"
        for line in task.messages
        for one in grounding.sentences(line.partition(": ")[2])
    ]
    return texts[grounding.best_source(task.question, texts)]


def _weightiest(task: Task) -> str:
    """Return the message with most names and numbers, as a summary that copies."""
    return max(
        task.messages,
        key=lambda line: len([word for word in grounding.WORD.findall(line) if _tells(word)]),
    )


def _tells(word: str) -> bool:
    return word[0].isupper() or any(character.isdigit() for character in word)


def _found(tasks: Sequence[Task], texts: Iterable[str]) -> list[bool]:
    return [stands_in(task.value, text) for task, text in zip(tasks, texts, strict=True)]


def _rate(found: Iterable[float]) -> float:
    listed = list(found)
    return sum(listed) / max(1, len(listed))


def _turn(role: str, text: str) -> Turn:
    return Turn(role="jay" if role == "jay" else "person", text=text, author="", at=0.0)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
