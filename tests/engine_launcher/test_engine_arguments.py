"""From facts to vLLM's arguments."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.errors import EngineWontStart
from engine.arguments import GIB, OVERHEAD_BYTES, Plan, Wishes, inherited, plan
from engine.checkpoint import Checkpoint
from engine.machine import Machine

LAPTOP = Machine(
    architecture="x86_64",
    cpu_flags=frozenset({"avx2", "avx512f"}),
    cores=4,
    free_bytes=12 * GIB,
    vllm="cpu",
)
SERVER = Machine(
    architecture="x86_64",
    cpu_flags=frozenset({"avx512_bf16"}),
    cores=32,
    free_bytes=64 * GIB,
    vllm="cpu",
)
WITH_GPU = Machine(architecture="x86_64", cores=16, free_bytes=64 * GIB, gpus=1, vllm="gpu")
WISHES = Wishes(host="127.0.0.1", port=8100)


def checkpoint(*, width: int, layers: int, window: int = 2048) -> Checkpoint:
    return Checkpoint(
        folder=Path("/models/some"),
        width=width,
        layers=layers,
        heads=16,
        window=window,
        vocabulary=50_400,
        inner=4 * width,
    )


SMALL = checkpoint(width=256, layers=8)
GPT_J = checkpoint(width=4096, layers=28)


def value(made: Plan, name: str) -> str:
    return made.arguments[made.arguments.index(name) + 1]


def test_the_geometry_of_gpt_j_has_as_many_parameters_as_gpt_j() -> None:
    assert GPT_J.parameters == pytest.approx(6_053_381_344, rel=1e-3)
    assert GPT_J.cache_bytes("float16") == 448 * 1024


@pytest.mark.parametrize(
    ("flag", "dtype"),
    [
        ("avx512_bf16", "bfloat16"),
        ("amx_bf16", "bfloat16"),
        ("bf16", "bfloat16"),
        ("avx512f", "float32"),
        ("avx2", "float32"),
    ],
)
def test_the_processor_decides_the_type(flag: str, dtype: str) -> None:
    """Without the instructions bfloat16 is three times as slow."""
    machine = Machine(architecture="x86_64", cpu_flags=frozenset({flag}), vllm="cpu")

    assert value(plan(machine, SMALL, WISHES), "--dtype") == dtype


def test_a_model_that_fits_only_in_half_precision_gets_it() -> None:
    roomy = Machine(architecture="x86_64", free_bytes=40 * GIB, vllm="cpu")
    tight = Machine(architecture="x86_64", free_bytes=20 * GIB, vllm="cpu")

    assert value(plan(roomy, GPT_J, WISHES), "--dtype") == "float32"
    assert value(plan(tight, GPT_J, WISHES), "--dtype") == "bfloat16"


def test_what_does_not_fit_at_all_is_said_before_the_start() -> None:
    """vLLM would load for minutes and then be killed by the kernel."""
    with pytest.raises(EngineWontStart, match=r"needs 14\.3 GiB .* 12\.0 GiB are free"):
        plan(LAPTOP, GPT_J, WISHES)


def test_a_small_model_on_a_processor_starts_without_compiling() -> None:
    """Nor does its first reply wait for a compiler."""
    small = plan(LAPTOP, SMALL, WISHES)

    assert "--enforce-eager" in small.arguments
    assert small.environment["TORCHDYNAMO_DISABLE"] == "1"
    for others in (plan(SERVER, GPT_J, WISHES), plan(WITH_GPU, SMALL, WISHES)):
        assert "--enforce-eager" not in others.arguments
        assert "TORCHDYNAMO_DISABLE" not in others.environment


def test_a_small_model_on_a_processor_is_served_by_forks_that_leave_a_core() -> None:
    small = plan(LAPTOP, SMALL, WISHES)

    assert small.module == "engine.forking"
    assert small.environment["OMP_NUM_THREADS"] == "3"
    for others in (plan(SERVER, GPT_J, WISHES), plan(WITH_GPU, SMALL, WISHES)):
        assert others.module == "vllm.entrypoints.openai.api_server"
        assert "OMP_NUM_THREADS" not in others.environment


def test_blocks_are_small_enough_for_short_chats() -> None:
    assert value(plan(LAPTOP, SMALL, WISHES), "--block-size") == "32"
    assert value(plan(WITH_GPU, SMALL, WISHES), "--block-size") == "16"


def test_a_gpu_computes_in_half_precision_and_sizes_its_own_cache() -> None:
    made = plan(WITH_GPU, GPT_J, WISHES)

    assert made.dtype == "float16"
    assert "VLLM_CPU_KVCACHE_SPACE" not in made.environment


def test_a_gpu_without_a_build_for_it_counts_as_none() -> None:
    machine = Machine(architecture="x86_64", gpus=1, vllm="cpu")

    assert value(plan(machine, SMALL, WISHES), "--dtype") == "float32"


def test_nothing_is_sent_home_or_fetched() -> None:
    environment = plan(LAPTOP, SMALL, WISHES).environment

    assert environment["VLLM_NO_USAGE_STATS"] == environment["DO_NOT_TRACK"] == "1"
    assert environment["HF_HUB_OFFLINE"] == "1"


def test_tokens_of_other_services_stay_here() -> None:
    passed = inherited({"SLACK_BOT_TOKEN": "xoxb", "REDIS_URL": "r", "PATH": "/bin", "JAY_X": "1"})

    assert passed == {"PATH": "/bin"}


def test_what_is_asked_for_comes_last_and_wins() -> None:
    wishes = Wishes(
        host="0.0.0.0", port=1, dtype="float32", load_format="dummy", extra=("--seed", "3")
    )
    made = plan(SERVER, SMALL, wishes)

    assert made.arguments[-2:] == ("--seed", "3")
    assert value(made, "--load-format") == "dummy"
    assert value(made, "--dtype") == "float32"
    assert value(made, "--served-model-name") == "some"


@example(width=4096, layers=28, window=2048, free_gib=24, fast=True)
@given(
    st.integers(64, 8192),
    st.integers(1, 48),
    st.sampled_from([512, 1024, 2048]),
    st.integers(1, 512),
    st.booleans(),
)
def test_what_is_planned_fits_the_memory_and_holds_a_whole_window(
    width: int, layers: int, window: int, free_gib: int, fast: bool
) -> None:
    machine = Machine(
        architecture="x86_64",
        cpu_flags=frozenset({"avx512_bf16"} if fast else ()),
        free_bytes=free_gib * GIB,
        vllm="cpu",
    )
    model = checkpoint(width=width, layers=layers, window=window)
    try:
        made = plan(machine, model, WISHES)
    except EngineWontStart:
        return
    cache = int(made.environment["VLLM_CPU_KVCACHE_SPACE"]) * GIB

    assert cache + model.weights_bytes(made.dtype) + OVERHEAD_BYTES <= free_gib * GIB
    assert cache >= window * model.cache_bytes(made.dtype)
    assert 1 <= int(value(made, "--max-num-seqs")) <= 64
