"""What `make chaos` can be told, read and checked. What can't be is answered in one line."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from math import inf
from typing import NoReturn
from urllib.parse import urlsplit

from chaos.store import AddStore, one_valkey, three_masters

STORES: dict[str, AddStore] = {"valkey": one_valkey, "cluster": three_masters}
HELP = "ARGS='--help' tells what there is"
ABOUT = "Kill and disturb everything while people talk, and judge what they saw."


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}. {HELP}\n")


def read_options(arguments: Sequence[str]) -> argparse.Namespace:
    """Return what is wanted; ends the program with one line where it can't be."""
    whole, some = _at_least(1, int), _at_least(0, int)
    more = _at_least(0.01, float)
    parser = _Parser(prog="make chaos", description=ABOUT, allow_abbrev=False)
    parser.add_argument("--seed", type=int, nargs="+", default=[7])
    parser.add_argument("--messages", type=whole, default=2_000)
    parser.add_argument("--conversations", type=whole, default=100)
    parser.add_argument("--faults", type=some, default=60, help="at random")
    parser.add_argument("--workers", type=whole, default=3)
    parser.add_argument("--per-s", type=more, default=5.0, help="messages a second")
    parser.add_argument("--quiet-s", type=more, default=180.0, help="the longest wait for rest")
    parser.add_argument(
        "--store",
        choices=STORES,
        default="valkey",
        help="one Valkey, or a Cluster of three masters",
    )
    parser.add_argument(
        "--replicas",
        type=whole,
        default=1,
        help="so many vLLMs behind a router, of which one is killed every half minute",
    )
    parser.add_argument("--engine", type=_engine, help="a vLLM that runs; it is then never killed")
    given = parser.parse_args(arguments)
    if given.conversations > given.messages:
        parser.error(
            f"--messages must be at least as many as --conversations, "
            f"not {given.messages} for {given.conversations}"
        )
    if given.engine and given.replicas > 1:
        parser.error(
            f"--replicas {given.replicas} starts vLLMs of its own and --engine names one that "
            "runs: leave one of them out"
        )
    return given


def name_of(given: argparse.Namespace) -> str:
    """Return the name of a set-up, which is in its figures' names; empty: the plain one."""
    parts = (
        "cluster" if given.store == "cluster" else "",
        "replicas" if given.replicas > 1 else "",
    )
    return "_".join(filter(None, parts))


def _at_least(least: float, kind: type[int] | type[float]) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            number = kind(text)
        except ValueError:
            number = least - 1
        if not least <= number < inf:
            what = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(
                f"{what} of at least {least} was expected, not {text!r}"
            )
        return number

    return read


def _engine(text: str) -> str:
    parts = urlsplit(text)
    try:
        right = parts.scheme == "http" and parts.hostname and parts.port and parts.path == "/v1"
    except ValueError:
        right = False
    if not right:
        raise argparse.ArgumentTypeError(f"http://HOST:PORT/v1 was expected, not {text!r}")
    return text
