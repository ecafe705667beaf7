"""A short script of faults on real processes; `make chaos` plays long ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from chaos import plan
from chaos.options import STORES
from chaos.run import play
from replicas import Replicas
from vllm_server import RunningVllm

pytestmark = [pytest.mark.vllm, pytest.mark.valkey]


@pytest.mark.parametrize(
    ("seed", "store"), [(3, "valkey"), (4, "cluster")], ids=["valkey", "cluster"]
)
async def test_nothing_is_lost_doubled_or_left_half_while_processes_die(
    seed: int, store: str, vllm: RunningVllm
) -> None:
    script = plan.write(
        seed,
        messages=60,
        conversations=12,
        faults=12,
        per_s=3,
        without=frozenset({plan.KILL_VLLM}),  # it takes half a minute to come back
    )

    told = await play(
        script,
        engines=Replicas(url=vllm.url, engines=[vllm.url]),
        workers=2,
        quiet_s=300,  # on a machine that is full
        folder=Path(__file__).parents[2] / "build" / "chaos" / f"short-{store}",
        report=print,
        add_store=STORES[store],
    )

    assert told.verdict.lost == ()
    assert told.verdict.doubled == ()
    assert told.verdict.misordered == ()
    assert told.verdict.half == ()
    assert told.quiet
    assert told.died == ()
