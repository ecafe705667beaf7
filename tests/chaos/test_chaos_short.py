"""A short script of faults on real processes; `make chaos` plays long ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from chaos import plan
from chaos.run import play
from vllm_server import RunningVllm

pytestmark = [pytest.mark.vllm, pytest.mark.valkey]


async def test_nothing_is_lost_doubled_or_left_half_while_processes_die(
    vllm: RunningVllm,
) -> None:
    script = plan.write(
        3,
        messages=60,
        conversations=12,
        faults=12,
        per_s=3,
        without=frozenset({"kill vllm"}),  # it takes half a minute to come back
    )

    told = await play(
        script,
        engine_url=vllm.url,
        workers=2,
        quiet_s=300,  # on a machine that is full
        folder=Path(__file__).parents[2] / "build" / "chaos" / "short",
        report=print,
    )

    assert told.verdict.lost == ()
    assert told.verdict.doubled == ()
    assert told.verdict.misordered == ()
    assert told.verdict.half == ()
    assert told.quiet
    assert told.died == ()
