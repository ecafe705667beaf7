"""What vLLM's logs come to. The snippets are from real ones (0.32)."""

from __future__ import annotations

import pytest

from engine.diagnosis import KNOWN, diagnose, stage

SNIPPETS = [
    ("/venv/bin/python: No module named vllm", "ENGINE_URL", True),
    (
        "ModuleNotFoundError: No module named 'vllm.entrypoints'",
        "vLLM is not installed",
        True,
    ),
    ("api_server.py: error: unrecognized arguments: --fast", "--fast", True),
    ("OSError: [Errno 98] Address already in use", "port is taken", False),
    (
        "(EngineCore pid=9) ERROR ValueError: Available memory on node 0 (3.1/23.0 GiB) on kv "
        "cache allocation is less than requested memory for kv (9.0 GiB).",
        "KV cache",
        True,
    ),
    (
        "RuntimeError: [enforce fail at alloc_cpu.cpp:130] . DefaultCPUAllocator: can't allocate "
        "memory: you tried to allocate 824633720832 bytes.",
        "not enough memory",
        True,
    ),
    ("torch.OutOfMemoryError: CUDA out of memory.", "not enough memory", True),
    ("OSError: [Errno 28] No space left on device", "full", False),
    (
        "safetensors_rust.SafetensorError: Error while deserializing header: header too large",
        "weights are damaged",
        True,
    ),
    (
        "OSError: Can't load tokenizer for '/m'. If you were trying to load it from",
        "tokenizer can't be read",
        True,
    ),
    (
        "Exception: data did not match any variant of untagged enum ModelWrapper at line 9",
        "tokenizer can't be read",
        True,
    ),
    (
        "RuntimeError: Cannot find any model weights with `/m`",
        "lacks files",
        True,
    ),
    (
        "pydantic ValidationError: Model architectures ['X'] are not supported for now.",
        "config.json",
        True,
    ),
    (
        "ValueError: User-specified max_model_len (9000) is greater than the derived max_model_len",
        "window",
        True,
    ),
    (
        "ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0.",
        "--dtype float16",
        True,
    ),
]


@pytest.mark.parametrize(("log", "told", "hopeless"), SNIPPETS)
def test_a_known_cause_is_told_in_a_line(log: str, told: str, hopeless: bool) -> None:
    around = f"INFO 11-24 api_server up\n{log}\nTraceback (most recent call last):\n"
    cause = diagnose(around, returncode=1)

    assert told in cause.text
    assert cause.hopeless is hopeless
    assert "\n" not in cause.text


def test_a_weight_of_another_type_is_no_cause() -> None:
    """vLLM warns of each weight that it converts, at every good start."""
    log = (
        "(Worker pid=9) WARNING [utils.py:333] Attempted to load weight lm_head.bias with dtype "
        "torch.float32 into parameter with dtype torch.bfloat16"
    )

    assert "killed (signal 9)" in diagnose(log, returncode=-9).text


def test_the_configuration_that_vllm_prints_is_no_cause() -> None:
    """It is one line with every word in it."""
    log = (
        "(EngineCore pid=9) INFO 11-24 core.py: Initializing with config: rope_parameters=None, "
        "MemoryError, tokenizer missing\n"
        "(EngineCore pid=9) ERROR 11-24 08:07:41 [core.py:99] boom.BoomError: it went boom.\n"
        "(APIServer pid=7) RuntimeError: Engine core initialization failed. See root cause above.\n"
    )

    assert diagnose(log, returncode=1).text == (
        "It ended with status 1: boom.BoomError: it went boom."
    )


@pytest.mark.parametrize(
    ("returncode", "told"),
    [
        (-9, "signal 9"),
        (-4, "processor lacks"),
        (3, "status 3"),
        (None, "did not answer"),
    ],
)
def test_without_words_the_way_it_ended_is_told(returncode: int | None, told: str) -> None:
    assert told in diagnose("", returncode=returncode).text


def test_every_known_cause_is_told_whole() -> None:
    for _pattern, text, _hopeless in KNOWN:
        assert text.endswith(".")
        assert len(text) < 160


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("INFO model.py:733] Resolved architecture: GPTJForCausalLM", "reading the checkpoint"),
        ("INFO core.py:133] Initializing a V1 LLM engine (v0.32.0)", "starting the engine's core"),
        ("INFO:     Application startup complete.", "the server is up"),
        ("INFO something else", ""),
    ],
)
def test_how_far_a_start_is_is_told(line: str, told: str) -> None:
    assert stage(line) == told
