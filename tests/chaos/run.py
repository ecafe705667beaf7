"""`make chaos`: play scripts by their seeds, judge them, print the table and keep the figures."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import quantiles

from chaos import plan as scripts
from chaos.collecting import collect
from chaos.options import STORES, name_of, read_options
from chaos.oracle import History, Verdict, judge
from chaos.playing import Play
from chaos.store import AddStore, one_valkey
from replicas import Replicas, running_replicas
from rich.console import Console
from tiny_gptj import write_tiny_gptj
from vllm_server import free_port

from adapters.sandbox.server import Sandbox
from bot.figures import Figure, merge, show
from engine.launcher import serve, wait_until_up

BUILD = Path(__file__).parents[2] / "build"
NAMED = 8
"""How many of each kind of failure are named on the screen; the file has all."""

KILL_EVERY_S = 30.0
"""Where several vLLMs are to stand for one another."""

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of one seed."""

    seed: int
    messages: int
    faults: int
    """Those that hit something."""
    kills: Mapping[str, int]
    verdict: Verdict
    resumes_s: tuple[float, ...]
    quiet: bool
    died: tuple[str, ...]

    @property
    def clean(self) -> bool:
        return self.verdict.clean and self.quiet and not self.died


async def play(
    plan: scripts.Plan, *, engines: Replicas, workers: int, quiet_s: float, folder: Path,
    report: Report, add_store: AddStore = one_valkey,
) -> Told:  # fmt: skip
    """Play one script to its end and judge it; what explains the verdict is left in the folder."""
    _make_empty(folder)
    _keep(folder / "script.json", plan)
    async with Sandbox() as sandbox:
        playing = Play(
            plan, sandbox=sandbox, folder=folder, engines=engines, workers=workers,
            report=report, add_store=add_store,
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
                faults=len(plan.faults) - len(playing.breaking.missed),
                kills=dict(Counter(blow.kind for blow in playing.breaking.blows)),
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


def figures(told: Sequence[Told], name: str = "") -> list[Figure]:
    """Return the figures over all seeds; the name of the set-up is part of theirs."""
    chaos = f"chaos_{name}" if name else "chaos"
    how = f"over seeds {', '.join(str(one.seed) for one in told)}"
    resumes = sorted(second for one in told for second in one.resumes_s)
    cut = quantiles(resumes, n=100) if len(resumes) > 1 else [*resumes, *[0.0] * 99][:99]
    counts = {
        "messages": sum(one.messages for one in told),
        "faults": sum(one.faults for one in told),
        "kills": sum(sum(one.kills.values()) for one in told),
        "engine_kills": sum(one.kills.get(scripts.KILL_VLLM, 0) for one in told),
        "lost": sum(len(one.verdict.lost) for one in told),
        "unheard": sum(len(one.verdict.unheard) for one in told),
        "excused": sum(len(one.verdict.excused) for one in told),
        "doubled": sum(len(one.verdict.doubled) for one in told),
        "misordered": sum(len(one.verdict.misordered) for one in told),
        "half_replies": sum(len(one.verdict.half) for one in told),
    }
    waits = {"resume_s_p50": cut[49], "resume_s_p99": cut[98]}
    wait = f"kill to answer, {how}"
    return [
        *(Figure(name=f"{chaos}_{of}", value=n, unit="count", how=how) for of, n in counts.items()),
        *(
            Figure(name=f"{chaos}_{of}", value=value, unit="s", n=len(resumes), how=wait)
            for of, value in waits.items()
        ),
    ]


async def play_seeds(given: argparse.Namespace, report: Report) -> list[Told]:
    """Start what replies, and play every seed against it."""
    told = []
    name = name_of(given)
    async with _engines(given, report) as engines:
        for seed in given.seed:
            for url in tuple(engines.engines):
                await wait_until_up(url)
            plan = scripts.write(
                seed,
                messages=given.messages,
                conversations=given.conversations,
                faults=given.faults,
                per_s=given.per_s,
                without=frozenset({scripts.KILL_VLLM} if given.engine else ()),
                kill_vllm_every_s=KILL_EVERY_S if given.replicas > 1 else 0.0,
            )
            one = await play(
                plan,
                engines=engines,
                workers=given.workers,
                quiet_s=given.quiet_s,
                folder=BUILD / "chaos" / "-".join(filter(None, (name, str(seed)))),
                report=report,
                add_store=STORES[given.store],
            )
            explain(one, report)
            told.append(one)
    return told


@asynccontextmanager
async def _engines(given: argparse.Namespace, report: Report) -> AsyncIterator[Replicas]:
    """Give the engine that is named, or vLLMs of our own."""
    if given.engine:
        named = Replicas(url=given.engine, engines=[given.engine])
        if not await named.lives(given.engine):
            sys.exit(
                f"make chaos: no vLLM answers at {given.engine}: start it, or leave --engine out"
            )
        yield named
        return
    folder = BUILD / "chaos"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="jay-chaos-") as place:
        checkpoint = await asyncio.to_thread(write_tiny_gptj, Path(place) / "tiny")
        if given.replicas > 1:
            async with running_replicas(
                checkpoint, folder=folder, report=report, count=given.replicas
            ) as replicas:
                yield replicas
            return
        log_path = folder / "engine.log"
        async with serve(
            checkpoint, port=free_port(), log_path=log_path, on_progress=report
        ) as url:
            yield Replicas(url=url, engines=[url])


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


async def measure(report: Report) -> Sequence[Figure]:
    """Play the default script; the group `chaos` of `make bench`."""
    return figures(await play_seeds(read_options([]), report))


def main(arguments: Sequence[str]) -> int:
    """Run the command line. Returns 1 where a run was not clean."""
    console = Console(width=140)
    given = read_options(arguments)
    told = asyncio.run(
        play_seeds(given, lambda line: console.print(line, markup=False, style="dim"))
    )
    found = figures(told, name_of(given))
    show(found, console)
    merge(found, BUILD / "bench.json")
    return 0 if all(one.clean for one in told) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
