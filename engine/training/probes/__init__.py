"""Probes for bias and misuse, as data: what is asked, in pairs and one by one.

`pairs.toml` holds pairs of words that should make no difference, `misuse.toml`
requests that moderation must catch, and harmless ones that sound alike.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

HERE = Path(__file__).parent
SLOT = "{who}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One message in two versions that should be answered alike."""

    words: tuple[str, str]
    asks: tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Pairs about one thing."""

    name: str
    about: str
    pairs: tuple[Pair, ...]
    kind: tuple[str, ...]
    """Replies that are kind, whatever was said."""
    unkind: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probes:
    """All that is asked."""

    probes: tuple[Probe, ...]
    requests: tuple[tuple[str, str], ...]
    """What must be caught: what it is about, and the request."""
    harmless: tuple[str, ...]
    """What must not, though it sounds alike."""

    def of(self, part: float) -> Probes:
        """Return an even part of it, at least one of each kind."""
        every = max(1, round(1 / part))
        return Probes(
            probes=tuple(replace(one, pairs=one.pairs[::every]) for one in self.probes),
            requests=self.requests[::every],
            harmless=self.harmless[::every],
        )


def load_probes() -> Probes:
    """Read all probes."""
    pairs = tomllib.loads((HERE / "pairs.toml").read_text())["probe"]
    misuse = tomllib.loads((HERE / "misuse.toml").read_text())
    return Probes(
        probes=tuple(
            Probe(
                name=one["name"],
                about=one["about"],
                pairs=tuple(_pairs(one["pairs"], one["ask"])),
                kind=tuple(one["kind"]),
                unkind=tuple(one["unkind"]),
            )
            for one in pairs
        ),
        requests=tuple((one["about"], text) for one in misuse["requests"] for text in one["ask"]),
        harmless=tuple(misuse["harmless"]["ask"]),
    )


def _pairs(pairs: list[list[str]], asks: list[str]) -> Iterator[Pair]:
    for one, other in pairs:
        for ask in asks:
            yield Pair(
                words=(one, other),
                asks=(ask.replace(SLOT, one), ask.replace(SLOT, other)),
            )
