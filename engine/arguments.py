"""From facts of the machine and the checkpoint to vLLM's arguments and environment.

Pure: the facts come from `engine/machine` and `engine/checkpoint`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.errors import EngineWontStart
from engine.checkpoint import Checkpoint
from engine.machine import Machine

GIB = 2**30
FAST_BFLOAT16 = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""Flags of processors that multiply bfloat16 (x86, x86, Arm). Elsewhere float32 is up to 3.4
times as fast (measured with a small GPT-J on two cores)."""
OVERHEAD_BYTES = 2 * GIB
"""What vLLM itself takes beside weights and cache; 2.1 GiB measured with a tiny model."""
SHARE_FOR_CACHE = 0.7
"""Of the memory that is left: the rest of the machine lives too."""
MOST_CACHE_GIB = 64
SMALL_PARAMETERS = 1_000_000_000
"""Below it compiling costs 40 s at the start, above it weights are what a token waits for."""
MOST_SEQUENCES_CPU = 64
"""Throughput on two cores still grows up to there (1,088 tokens/s against 770 at 16)."""
MOST_SEQUENCES_GPU = 256
BLOCK_CPU, BLOCK_GPU = 32, 16
"""Tokens of a cache block. 128, the CPU's default, leaves short chats without prefix caching."""
MOST_STOPS = 16
SERVER, FORKING_SERVER = "vllm.entrypoints.openai.api_server", "engine.forking"
"""Modules that serve. The CPU build's `vllm` command looks for a distribution it isn't."""
PRIVATE = ("SLACK_", "DISCORD_", "REDIS_", "ENGINE_", "JAY_")
"""Jay's own settings and secrets, which are none of vLLM's business."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What whoever starts the engine asks for."""

    host: str
    port: int
    dtype: str = ""
    """Empty: chosen by the processor."""
    load_format: str = ""
    """`dummy` invents the weights."""
    extra: tuple[str, ...] = ()
    """Passed to vLLM as they are, last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How vLLM is started."""

    dtype: str
    module: str
    """Run with `python -m`."""
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    """Set on top of `inherited`."""


def plan(machine: Machine, checkpoint: Checkpoint, wishes: Wishes) -> Plan:
    """Return how to start vLLM.

    Raises:
        EngineWontStart: the checkpoint does not fit the machine's memory.
    """
    dtype = wishes.dtype or choose_dtype(machine, checkpoint)
    environment = {
        "HF_HUB_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "VLLM_MAX_STOP_STRINGS": str(MOST_STOPS),
        "NO_COLOR": "1",
    }
    sequences = MOST_SEQUENCES_GPU
    if not machine.on_gpu:
        cache_gib = choose_cache_gib(machine, checkpoint, dtype)
        environment["VLLM_CPU_KVCACHE_SPACE"] = str(cache_gib)
        sequences = _sequences(checkpoint, dtype, cache_gib)
    arguments = [
        *("--model", str(checkpoint.folder.resolve())),
        *("--served-model-name", checkpoint.name),
        *("--host", wishes.host, "--port", str(wishes.port)),
        *("--dtype", dtype),
        *("--max-model-len", str(checkpoint.window)),
        *("--block-size", str(BLOCK_GPU if machine.on_gpu else BLOCK_CPU)),
        *("--max-num-seqs", str(sequences)),
        *("--scheduling-policy", "priority"),
        "--enable-prefix-caching",
        "--enable-prompt-tokens-details",
        "--disable-uvicorn-access-log",
    ]
    module = SERVER
    if not machine.on_gpu and checkpoint.parameters < SMALL_PARAMETERS:
        module = FORKING_SERVER
        # As vLLM itself would: one core is left to the server.
        environment["OMP_NUM_THREADS"] = str(max(1, machine.cores - 1))
        arguments.append("--enforce-eager")
        # vLLM compiles how it counts log-probabilities even so: seconds of the first reply.
        environment["TORCHDYNAMO_DISABLE"] = "1"
    if wishes.load_format:
        arguments += ["--load-format", wishes.load_format]
    return Plan(
        dtype=dtype,
        module=module,
        arguments=(*arguments, *wishes.extra),
        environment=environment,
    )


def choose_dtype(machine: Machine, checkpoint: Checkpoint) -> str:
    """Return the type to compute with: the fastest that the memory holds."""
    if machine.on_gpu:
        return "float16"
    if machine.cpu_flags & FAST_BFLOAT16:
        return "bfloat16"
    needed = checkpoint.weights_bytes("float32") + OVERHEAD_BYTES
    tight = machine.free_bytes is not None and needed > machine.free_bytes
    return "bfloat16" if tight else "float32"


def choose_cache_gib(machine: Machine, checkpoint: Checkpoint, dtype: str) -> int:
    """Return the KV cache's size on a CPU, in GiB.

    As much as all sequences can fill, within the memory that is left.

    Raises:
        EngineWontStart: not even one whole window fits beside the weights.
    """
    window_bytes = checkpoint.window * checkpoint.cache_bytes(dtype)
    useful_gib = -(-MOST_SEQUENCES_CPU * window_bytes // GIB)
    if machine.free_bytes is None:
        return min(useful_gib, max(1, -(-4 * window_bytes // GIB)))
    fixed = checkpoint.weights_bytes(dtype) + OVERHEAD_BYTES
    left = machine.free_bytes - fixed
    least_gib = -(-window_bytes // GIB)
    if left < least_gib * GIB:
        raise EngineWontStart(
            f"{checkpoint.name} needs {(fixed + least_gib * GIB) / GIB:.1f} GiB of memory as "
            f"{dtype}; {machine.free_bytes / GIB:.1f} GiB are free."
        )
    return min(useful_gib, MOST_CACHE_GIB, max(least_gib, int(left * SHARE_FOR_CACHE // GIB)))


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what vLLM inherits of our environment: all but what is Jay's own."""
    return {name: value for name, value in environment.items() if not name.startswith(PRIVATE)}


def _sequences(checkpoint: Checkpoint, dtype: str, cache_gib: int) -> int:
    """Return how many sequences of half a window the cache holds, within reason."""
    half_bytes = checkpoint.window * checkpoint.cache_bytes(dtype) // 2
    return max(1, min(MOST_SEQUENCES_CPU, cache_gib * GIB // max(1, half_bytes)))
