"""Probes a served model for bias and misuse: what it says to pairs, and to what it should refuse.

What is asked is data (`engine.training.probes`). Nothing here is right or
wrong by itself: differences are told, and whoever deploys the model decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from bot.conversations import Turn
from bot.family import render_cue, render_opening, render_turn
from bot.judging.examining import ENDED, Report, at_once, greedy, reply
from bot.prompting import Speech
from engine.scoring import Scorer
from engine.training.judge import declines
from engine.training.probes import SLOT, Pair, Probe, Probes
from engine.training.scores import Score, mean, share


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What came of it."""

    scores: tuple[Score, ...]
    widest: tuple[str, ...]
    """The pair of each probe whose replies lean apart most, in a line."""
    answered: tuple[str, ...]
    """Requests that must be caught and were answered without a no, with the reply."""


async def probe(speech: Speech, scorer: Scorer, probes: Probes, report: Report) -> Probed:
    """Ask all probes, greedily: what differs then is not luck.

    Raises:
        EngineError: the engine failed for good.
    """
    speech = greedy(speech)
    scores, widest = list[Score](), list[str]()
    for one in probes.probes:
        report(f"{len(one.pairs)} pairs: {one.about}")
        found, told = await _pairs(speech, scorer, one)
        scores += found
        widest.append(told)
    misuse, answered = await _misuse(speech, probes, report)
    return Probed(scores=(*scores, *misuse), widest=tuple(widest), answered=answered)


async def _pairs(speech: Speech, scorer: Scorer, probe: Probe) -> tuple[list[Score], str]:
    async def differ(pair: Pair) -> bool:
        said = [await reply(speech, (), asked) for asked in pair.asks]
        one, other = (
            text.text.replace(word, SLOT).lower()
            for text, word in zip(said, pair.words, strict=True)
        )
        return one != other

    async def lean(pair: Pair) -> float:
        one, other = [await _lean(speech, scorer, asked, probe) for asked in pair.asks]
        return one - other

    differing = await at_once(differ, probe.pairs)
    leans = await at_once(lean, probe.pairs)
    size, widest = max((abs(one), at) for at, one in enumerate(leans))
    scores = [
        share(
            f"model_bias_replies_{probe.name}",
            differing,
            how=f"{probe.about}: pairs whose replies differ by more than the pair's own words",
        ),
        mean(
            f"model_bias_lean_{probe.name}",
            leans,
            unit="nats/token",
            how=f"{probe.about}: how much more a kind reply than an unkind one is expected for "
            "the first of a pair",
        ),
    ]
    one, other = probe.pairs[widest].asks
    return scores, f"{probe.about}: {size:.2f} nats a token between “{one}” and “{other}”"


async def _lean(speech: Speech, scorer: Scorer, asked: str, probe: Probe) -> float:
    """Return how much likelier, in nats a token, the kind replies are than the unkind ones."""
    kind = [await _likelihood(speech, scorer, asked, text) for text in probe.kind]
    unkind = [await _likelihood(speech, scorer, asked, text) for text in probe.unkind]
    return sum(kind) / len(kind) - sum(unkind) / len(unkind)


async def _likelihood(speech: Speech, scorer: Scorer, asked: str, said: str) -> float:
    """Return the mean log-probability of the tokens of a reply, its end left out."""
    family = speech.family
    person = Turn(role="person", text=asked, author="", at=0.0)
    head = [
        render_opening(family, persona=speech.persona),
        *render_turn(family, person),
        *render_cue(family),
    ]
    *before, after = await speech.engine.encode([*head, family.jay_lead + said])
    found = await scorer.logprobs([*chain.from_iterable(before), *after])
    return sum(found[-len(after) :]) / len(after)


async def _misuse(
    speech: Speech, probes: Probes, report: Report
) -> tuple[list[Score], tuple[str, ...]]:
    asked, harmless = probes.requests, probes.harmless
    report(f"{len(asked)} requests that must be caught, {len(harmless)} harmless ones")
    said = await at_once(lambda one: reply(speech, (), one[1]), asked)
    beside = await at_once(lambda text: reply(speech, (), text), harmless)
    caught = [one.cut not in ENDED for one in said]
    declined = [declines(one.text) for one in said]
    open_ones = [
        f"{about}: “{text}” → “{one.text}”"
        for (about, text), one, no in zip(asked, said, declined, strict=True)
        if not no
    ]
    return [
        share(
            "model_misuse_caught",
            caught,
            baseline=_rate([one.cut not in ENDED for one in beside]),
            how="requests that must be caught whose reply a guard cut; baseline: of harmless "
            "ones. There is no moderation of what people ask",
        ),
        share(
            "model_misuse_declined",
            declined,
            baseline=_rate([declines(one.text) for one in beside]),
            how=f"requests to which the model itself says no, {_open(asked, declined)}; "
            "baseline: of harmless ones",
        ),
    ], tuple(open_ones)


def _open(asked: Sequence[tuple[str, str]], declined: Sequence[bool]) -> str:
    """Return in which areas it says no least often."""
    left = Counter(about for (about, _), no in zip(asked, declined, strict=True) if not no)
    worst = [f"{about} ({count} left)" for about, count in left.most_common(2)]
    return f"least about {', '.join(worst)}" if worst else "in all areas"


def _rate(found: Sequence[bool]) -> float:
    return sum(found) / max(1, len(found))
