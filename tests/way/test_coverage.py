"""Whatever state a channel is in, the coverage line tells the truth."""

from __future__ import annotations

from random import Random

import pytest
from fakes.channels import errors_of
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@example(seed=6_275_927, messages=6, threads=2)
@example(seed=2_787, messages=37, threads=4)
@given(seed=st.integers(0, 1 << 32), messages=st.integers(5, 60), threads=st.integers(0, 6))
async def test_the_line_tells_the_truth_about_any_channel(
    seed: int, messages: int, threads: int
) -> None:
    """People act on what a summary tells and trust that nothing is silently missing."""
    assert await errors_of(Random(seed), messages=messages, threads=threads) == []


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_line_tells_the_truth_about_a_thousand_messages(seed: int) -> None:
    assert await errors_of(Random(seed), messages=1_000, threads=40) == []
