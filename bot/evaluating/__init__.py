"""Runs the skills on conversations with known facts, and counts how they did."""

from __future__ import annotations

from bot.evaluating.answers import Answered, evaluate_answers, figures, unsupported
from bot.evaluating.summaries import SummedUp, evaluate_summaries, summary_figures
from bot.evaluating.talks import Line, Question, Report, Talk, load_answer_set

__all__ = [
    "Answered",
    "Line",
    "Question",
    "Report",
    "SummedUp",
    "Talk",
    "evaluate_answers",
    "evaluate_summaries",
    "figures",
    "load_answer_set",
    "summary_figures",
    "unsupported",
]
