"""`make bench`: measure, print a table, merge it into `build/bench.json`.

`ONLY=speed` runs one group. Every figure that others can drift under is a ratio
or stands beside a baseline of the same run, for machines differ by the hour.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from bench import accept, answers, crowd, fuzz, memory, model, replicas, speed, summaries
from chaos.run import measure as measure_chaos
from rich.console import Console

from bot.figures import Figure, merge, show
from bot.logs import set_up_logs

RESULTS = Path(__file__).parents[2] / "build" / "bench.json"
GROUPS: dict[str, Callable[[Callable[[str], None]], Awaitable[Sequence[Figure]]]] = {
    "speed": speed.measure,
    "model": model.measure,
    "accept": accept.measure,
    "memory": memory.measure,
    "fuzz": fuzz.measure,
    "crowd": crowd.measure,
    "replicas": replicas.measure,
    "answers": answers.measure,
    "summaries": summaries.measure,
    "chaos": measure_chaos,
}


def main(only: Sequence[str]) -> int:
    """Run the groups that are named, or all. Returns the exit status."""
    unknown = set(only) - GROUPS.keys()
    if unknown:
        print(f"no group {', '.join(unknown)}; there is {', '.join(GROUPS)}", file=sys.stderr)
        return 2
    set_up_logs(level="warning")
    console = Console(width=140)
    for name in only or GROUPS:
        console.print(f"[bold]{name}[/]")
        figures = asyncio.run(GROUPS[name](lambda line: console.print(f"[dim]· {line}[/]")))
        show(figures, console)
        merge(figures, RESULTS)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
