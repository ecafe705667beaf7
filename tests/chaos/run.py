"""`make chaos`: play scripts by their seeds, judge them, print the table and keep the figures."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import quantiles

from chaos import plan as scripts
from chaos.collecting import collect
from chaos.oracle import History, Verdict, judge
from chaos.playing import Play
from chaos.store import AddStore, one_valkey
from rich.console import Console
from tiny_gptj import write_tiny_gptj
from vllm_server import free_port

from adapters.sandbox.server import Sandbox
from bot.figures import Figure, merge, show
from engine.launcher import serve, wait_until_up

BUILD = Path(__file__).parents[2] / "build"
NAMED = 8
"""How many of each kind of failure are named on the screen; the file has all."""

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of one seed."""

    seed: int
    messages: int
    faults: int
    verdict: Verdict
    resumes_s: tuple[float, ...]
    quiet: bool
    died: tuple[str, ...]

    @property
    def clean(self) -> bool:
        return self.verdict.clean and self.quiet and not self.died


async def play(
    plan: scripts.Plan, *, engine_url: str, workers: int, quiet_s: float, folder: Path,
    report: Report, engines: tuple[str, ...] = (), add_store: AddStore = one_valkey,
) -> Told:  # fmt: skip
    """Play one script to its end and judge it; what explains the verdict is left in the folder.

    `engines` are the vLLM servers behind `engine_url`, where that is a router's.
    """
    _make_empty(folder)
    _keep(folder / "script.json", plan)
    async with Sandbox() as sandbox:
        playing = Play(
            plan, sandbox=sandbox, folder=folder, engine_url=engine_url,
            engines=engines or (engine_url,), workers=workers, report=report, add_store=add_store,
        )  # fmt: skip
        async with playing.on_stage():
            began = time.time() + 0.5
            await asyncio.gather(playing.speak(began), playing.trouble(began))
            report("all is said")
            quiet = await playing.settle_down(quiet_s)
            history = await collect(playing)
            verdict = judge(history)
            told = Told(
                seed=plan.seed,
                messages=len(playing.spoken),
                faults=len(plan.faults),
                verdict=verdict,
                resumes_s=tuple(playing.resumes()),
                quiet=quiet,
                died=tuple(playing.troupe.died),
            )
            _keep(folder / "verdict.json", told)
            _keep(folder / "history.json", history)
    return told


def _make_empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _keep(path: Path, what: scripts.Plan | Told | History) -> None:
    path.write_text(json.dumps(asdict(what), indent=1))


def figures(told: Sequence[Told]) -> list[Figure]:
    """Return the figures over all seeds."""
    how = f"over seeds {', '.join(str(one.seed) for one in told)}"
    resumes = sorted(second for one in told for second in one.resumes_s)
    cut = quantiles(resumes, n=100) if len(resumes) > 1 else [*resumes, *[0.0] * 99][:99]
    counts = {
        "chaos_messages": sum(one.messages for one in told),
        "chaos_faults": sum(one.faults for one in told),
        "chaos_lost": sum(len(one.verdict.lost) for one in told),
        "chaos_unheard": sum(len(one.verdict.unheard) for one in told),
        "chaos_doubled": sum(len(one.verdict.doubled) for one in told),
        "chaos_misordered": sum(len(one.verdict.misordered) for one in told),
        "chaos_half_replies": sum(len(one.verdict.half) for one in told),
    }
    waits = {"chaos_resume_s_p50": cut[49], "chaos_resume_s_p99": cut[98]}
    return [
        *(Figure(name=name, value=n, unit="count", how=how) for name, n in counts.items()),
        *(
            Figure(name=name, value=value, unit="s", n=len(resumes), how=f"kill to answer, {how}")
            for name, value in waits.items()
        ),
    ]


async def play_seeds(given: argparse.Namespace, report: Report) -> list[Told]:
    """Start an engine and play every seed against it."""
    told = []
    async with _engine(given.engine, report) as url:
        for seed in given.seed:
            await wait_until_up(url)
            plan = scripts.write(
                seed,
                messages=given.messages,
                conversations=given.conversations,
                faults=given.faults,
                per_s=given.per_s,
                without=frozenset({"kill vllm"} if given.engine else ()),
            )
            one = await play(
                plan,
                engine_url=url,
                workers=given.workers,
                quiet_s=given.quiet_s,
                folder=BUILD / "chaos" / str(seed),
                report=report,
            )
            explain(one, report)
            told.append(one)
    return told


@asynccontextmanager
async def _engine(url: str, report: Report) -> AsyncIterator[str]:
    """Give an engine's address: the one that is set, or that of a vLLM of our own."""
    if url:
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="jay-chaos-") as place:
        checkpoint = await asyncio.to_thread(write_tiny_gptj, Path(place) / "tiny")
        async with serve(
            checkpoint,
            port=free_port(),
            log_path=BUILD / "chaos" / "engine.log",
            on_progress=report,
        ) as served:
            yield served


def explain(told: Told, report: Report) -> None:
    """Say what went wrong in a run."""
    for name, found in asdict(told.verdict).items():
        report(f"seed {told.seed}: {name} {len(found)}")
        for line in found[:NAMED]:
            report(f"    {line}")
    if not told.quiet:
        report(f"seed {told.seed}: Jay did not come to rest")
    if told.died:
        report(f"seed {told.seed}: ended by themselves: {', '.join(told.died)}")


def options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, nargs="+", default=[7])
    parser.add_argument("--messages", type=int, default=2_000)
    parser.add_argument("--conversations", type=int, default=100)
    parser.add_argument("--faults", type=int, default=60)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--per-s", type=float, default=5.0, help="messages a second")
    parser.add_argument("--quiet-s", type=float, default=180.0, help="the longest wait for rest")
    parser.add_argument("--engine", default="", help="a vLLM that runs; it is then never killed")
    return parser.parse_args(arguments)


async def measure(report: Report) -> Sequence[Figure]:
    """Play the default script; the group `chaos` of `make bench`."""
    return figures(await play_seeds(options([]), report))


def main(arguments: Sequence[str]) -> int:
    """Run the command line. Returns 1 where a run was not clean."""
    console = Console(width=140)
    told = asyncio.run(
        play_seeds(options(arguments), lambda line: console.print(line, markup=False, style="dim"))
    )
    found = figures(told)
    show(found, console)
    merge(found, BUILD / "bench.json")
    return 0 if all(one.clean for one in told) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
