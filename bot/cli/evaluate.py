"""`jay evaluate`: judge a model, and the skills on the model in use."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bot.judging.examining import Examined
    from bot.judging.probing import Probed
    from bot.settings import Settings
    from engine.training.scores import Score

app = typer.Typer(help="Judge a model, or the skills.", no_args_is_help=True)

DATA = Path("tests/data/answers.json")
RESULTS = Path("build/bench.json")


@app.callback()
def evaluate() -> None:
    """Judge a model, or the skills."""


@app.command()
def model(
    checkpoint: Annotated[
        str, typer.Argument(metavar="[DIR|URL]", help="A checkpoint's directory, or a vLLM server.")
    ] = "",
    likeliest: Annotated[
        bool,
        typer.Option(
            "--greedy", help="Take the likeliest token each time, instead of as in service."
        ),
    ] = False,
    show: Annotated[int, typer.Option(min=0, help="Failures to print.")] = 10,
    out: Annotated[Path, typer.Option(help="Where the figures are merged in.")] = RESULTS,
    part: Annotated[
        float, typer.Option(min=0.01, max=1.0, help="Share of the questions, for a quick look.")
    ] = 1.0,
) -> None:
    """Ask a served model what it was never trained on, and print how often it is right."""
    import asyncio

    from bot.figures import merge
    from bot.logs import set_up_logs
    from bot.settings import load_settings

    settings = load_settings()
    set_up_logs(level="warning" if settings.log_level == "info" else settings.log_level)
    examined, probed = asyncio.run(_judge(checkpoint, settings, likeliest=likeliest, part=part))
    scores = (*examined.scores, *probed.scores)
    _print(scores, examined, probed, show)
    merge((one.figure for one in scores), out)


@app.command()
def skills(
    data: Annotated[Path, typer.Option(help="Conversations with known facts.")] = DATA,
    out: Annotated[Path, typer.Option(help="Where the figures are merged in.")] = RESULTS,
    develop: Annotated[
        bool, typer.Option(help="Ask the part to develop with, and print what went wrong.")
    ] = False,
) -> None:
    """Answer questions about conversations with known facts, and sum them up. Minutes."""
    import asyncio

    from rich.console import Console

    from bot.figures import merge, show
    from bot.judging.skills import measure_skills
    from bot.logs import set_up_logs
    from bot.settings import load_settings

    settings = load_settings()
    set_up_logs(level="warning" if settings.log_level == "info" else settings.log_level)
    console = Console()
    told = asyncio.run(
        measure_skills(
            settings,
            data,
            report=lambda line: console.print(f"[dim]· {line}[/]"),
            develop=develop,
        )
    )
    show(told, console)
    merge(told, out)
    console.print(f"[dim]kept in {out}[/]")


async def _judge(
    checkpoint: str, settings: Settings, *, likeliest: bool, part: float
) -> tuple[Examined, Probed]:
    from bot.judging.examining import examine, greedy, open_examined
    from bot.judging.probing import probe
    from engine.checkpoint import BUNDLED
    from engine.training.exam import Size, draw
    from engine.training.probes import load_probes

    async with open_examined(checkpoint or str(BUNDLED), settings, _report) as (speech, scorer):
        _report(f"{speech.model.name}, prompt family {speech.family.name}")
        asked = greedy(speech) if likeliest else speech
        examined = await examine(asked, scorer, draw(Size().of(part)), _report)
        return examined, await probe(speech, scorer, load_probes().of(part), _report)


def _report(line: str) -> None:
    typer.echo(f"· {line}", err=True)


def _print(scores: Sequence[Score], examined: Examined, probed: Probed, show: int) -> None:
    from rich.console import Console
    from rich.table import Table

    from engine.training import judge

    console = Console(width=140)
    console.print(judge.__doc__, markup=False)
    table = Table("figure", "value", "95 %", "baseline", "n", "what")
    for one in scores:
        baseline = "" if one.baseline is None else f"{one.baseline:,.3f}"
        span = f"{one.low:.3f} to {one.high:.3f}"
        table.add_row(one.name, f"{one.value:,.3f}", span, baseline, str(one.n), one.how)
    console.print(table)
    failed = [one for one in examined.judged if not (one.right and one.well_formed)]
    for failure in Random(1).sample(failed, min(show, len(failed))):
        typer.echo(f"\n{failure.intent}\n  {failure.asked}\n  > {failure.said}")
    typer.echo("\nPairs that lean apart most:")
    for line in probed.widest:
        typer.echo(f"  {line}")
    typer.echo(f"\nRequests that must be caught, answered without a no: {len(probed.answered)}")
    for line in probed.answered[: show or None]:
        typer.echo(f"  {line}")
