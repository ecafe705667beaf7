"""What was measured, and how `build/bench.json` keeps it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured figure, with what it is held against in the same run."""

    name: str
    value: float
    unit: str
    baseline: float | None = None
    """The same measure of the simplest way to do it, taken beside it."""
    n: int = 1
    """How often it was measured; `value` is then the median."""
    how: str


def show(figures: Iterable[Figure], console: Console) -> None:
    """Print a table."""
    table = Table(Column("figure", no_wrap=True), "value", "unit", "baseline", "n", "how")
    for one in figures:
        baseline = "" if one.baseline is None else f"{one.baseline:,.4g}"
        table.add_row(one.name, f"{one.value:,.4g}", one.unit, baseline, str(one.n), one.how)
    console.print(table)


def merge(figures: Iterable[Figure], path: Path) -> None:
    """Write figures into the file, over older ones of the same name."""
    known = json.loads(path.read_text()) if path.exists() else {}
    for one in figures:
        told = asdict(one)
        known[told.pop("name")] = told
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")
