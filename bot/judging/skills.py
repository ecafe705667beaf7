"""Opens the model in use and measures the skills with it: `jay evaluate skills`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from bot.app import SpeechSource, managed_engine, open_embedder, open_model
from bot.chatting import wait_for_speech
from bot.figures import Figure
from bot.judging.answers import Answered, evaluate_answers, figures
from bot.judging.summaries import evaluate_summaries, summary_figures
from bot.judging.talks import Report, load_answer_set
from bot.settings import Settings

ENGINE_WAIT_S = 900.0
"""Nobody waits for a measurement; on a busy machine vLLM takes minutes to start."""


async def measure_skills(
    settings: Settings, data: Path, *, report: Report, develop: bool = False
) -> Sequence[Figure]:
    """Ask the questions of an answer set, sum its conversations up, and return the figures.

    Args:
        settings: they name the engine; without one it is started.
        data: the answer set.
        report: takes a line on how far it is.
        develop: ask the part to develop with, and report each failure. Those of the part that
            is held out are told nobody: it would not be held out any more.

    Raises:
        SettingsError: there is no answer set there.
        EngineError: the model can't be had.
    """
    answers, part = load_answer_set(data), "develop" if develop else "held_out"
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(managed_engine(settings, report))
        engine = await stack.enter_async_context(open_model(settings))
        speech = await wait_for_speech(SpeechSource(settings, engine), wait_s=ENGINE_WAIT_S)
        embedder = open_embedder()
        answered = await evaluate_answers(answers, speech, embedder, part=part, report=report)
        summed_up = await evaluate_summaries(answers, speech, part=part, report=report)
    for one in answered:
        if develop and not _is_right(one):
            report(f"{one.question.question} [{one.question.gold}]\n  {one.shown}")
    how = f"{speech.model.name}, {'MiniLM and BM25' if embedder else 'BM25 alone'}"
    of_answers = figures(answered, part=part, how=how)
    return [*of_answers, *summary_figures(summed_up, part=part, how=speech.model.name)]


def _is_right(one: Answered) -> bool:
    gold = one.question.gold
    return one.abstained != bool(gold) and gold.lower() in one.shown.lower()
