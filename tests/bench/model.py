"""Group `model`: what the bundled checkpoint says to what it was never trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.figures import Figure
from bot.judging.examining import examine, open_examined
from bot.judging.probing import probe
from bot.settings import Settings
from engine.checkpoint import BUNDLED
from engine.training.exam import Size, draw
from engine.training.probes import load_probes


async def measure(report: Callable[[str], None]) -> Sequence[Figure]:
    """Serve it with vLLM and ask it everything, as `jay evaluate model` does."""
    async with open_examined(str(BUNDLED), Settings(), report) as (speech, scorer):
        examined = await examine(speech, scorer, draw(Size()), report)
        probed = await probe(speech, scorer, load_probes(), report)
    return [one.figure for one in (*examined.scores, *probed.scores)]
