"""Whoever starts a run of an hour learns at once, and in one line, that it can't be."""

from __future__ import annotations

import pytest
from chaos.options import name_of, read_options


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--store sentinel", "invalid choice: 'sentinel' (choose from 'valkey', 'cluster')"),
        ("--replicas two", "a whole number of at least 1 was expected, not 'two'"),
        ("--workers 0", "a whole number of at least 1 was expected, not '0'"),
        ("--faults -1", "a whole number of at least 0 was expected, not '-1'"),
        ("--per-s fast", "a number of at least 0.01 was expected, not 'fast'"),
        ("--per-s nan", "a number of at least 0.01 was expected, not 'nan'"),
        ("--per-s inf", "a number of at least 0.01 was expected, not 'inf'"),
        ("--engine localhost", "http://HOST:PORT/v1 was expected, not 'localhost'"),
        ("--engine http://127.0.0.1:x/v1", "http://HOST:PORT/v1 was expected"),
        ("--messages 10", "at least as many as --conversations, not 10 for 100"),
        ("--replicas 2 --engine http://127.0.0.1:8100/v1", "leave one of them out"),
        ("--stor cluster", "unrecognized arguments: --stor cluster"),
    ],
)
def test_what_cant_be_is_said_in_one_line_with_what_to_do(
    arguments: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        read_options(arguments.split())

    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert line.endswith("ARGS='--help' tells what there is")
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ("", ""),
        ("--store cluster", "cluster"),
        ("--replicas 2", "replicas"),
        ("--store cluster --replicas 2", "cluster_replicas"),
    ],
)
def test_each_set_up_has_figures_of_its_own(arguments: str, name: str) -> None:
    assert name_of(read_options(arguments.split())) == name
