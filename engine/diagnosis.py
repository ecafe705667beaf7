"""What vLLM's log says, in one line for whoever operates it.

Pure: text in, a line out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

KILLED, ILLEGAL = -9, -4
"""Exit by SIGKILL and by SIGILL."""
FOREIGN_PROCESSOR = "This build of vLLM uses instructions that this processor lacks."


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why an engine died."""

    text: str
    hopeless: bool = False
    """Whether starting it again as it is would end the same."""


KNOWN: tuple[tuple[str, str, bool], ...] = (
    (
        r"No module named '?vllm",
        "vLLM is not installed in this environment. Run `make setup`, or set ENGINE_URL to a "
        "vLLM server that runs elsewhere.",
        True,
    ),
    (
        r"unrecognized arguments: (?P<what>.+)|error: argument (?P<that>.+)",
        "vLLM does not take these arguments: {what}.",
        True,
    ),
    (r"[Aa]ddress already in use", "The port is taken by another process.", False),
    (
        r"is less than requested memory for kv|Available memory on node|"
        r"larger than the available KV cache memory|No available memory for the cache blocks",
        "There is not enough memory for the KV cache. Close other programs, or choose a smaller "
        "checkpoint.",
        True,
    ),
    (
        r"can't allocate memory|Cannot allocate memory|std::bad_alloc|MemoryError|"
        r"CUDA out of memory|OutOfMemoryError",
        "There is not enough memory for this checkpoint.",
        True,
    ),
    (r"No space left on device", "The disk, or /dev/shm, is full.", False),
    (
        r"[Ii]llegal instruction|requires? AVX|AVX2 .*not supported",
        FOREIGN_PROCESSOR,
        True,
    ),
    (
        r"Can't load (?:the )?tokenizer|Tokenizer class \S+ does not exist|"
        r"data did not match any variant of untagged enum|Unable to load vocabulary|"
        r"tokenizer.*(?:not found|missing)",
        "The checkpoint's tokenizer can't be read.",
        True,
    ),
    (
        r"SafetensorError|Error while deserializing header|HeaderTooLarge|invalid load key|"
        r"UnpicklingError|PytorchStreamReader failed",
        "The checkpoint's weights are damaged: download or copy them again.",
        True,
    ),
    (
        r"size mismatch|Attempted to load weight \(|not initialized from checkpoint|"
        r"There is no module or parameter named|KeyError: 'transformer|"
        r"assert param.*\.shape|AssertionError: Attempted",
        "The checkpoint's weights don't fit its config.json.",
        True,
    ),
    (
        r"Cannot find any model weights|does not appear to have a file named",
        "The checkpoint lacks files that vLLM needs.",
        True,
    ),
    (
        r"rope_parameters|Model architectures .* (?:are|is) not supported|"
        r"Unrecognized model in",
        "vLLM can't make sense of the checkpoint's config.json.",
        True,
    ),
    (
        r"User-specified max_model_len .* is greater than",
        "The window that was asked for is longer than the model's.",
        True,
    ),
    (
        r"[Bb]float16 is only supported on GPUs",
        "This GPU has no bfloat16: start with `--dtype float16`.",
        True,
    ),
    (
        r"not divisible by tensor|must be divisible by tensor parallel",
        "The number of GPUs must divide the model's heads (16).",
        True,
    ),
)
"""Pattern in the log, what it means, whether a new start would end the same."""

HARMLESS = re.compile(r"\b(?:INFO|DEBUG)\b|Engine core initialization failed")
"""Lines that tell no cause: one lists the whole configuration, one points to others."""

STAGES: tuple[tuple[str, str], ...] = (
    (r"Resolved architecture", "reading the checkpoint"),
    (r"Initializing a V1 LLM engine", "starting the engine's core"),
    (r"Starting to load model", "loading the weights"),
    (r"Loading weights took", "the weights are loaded"),
    (r"Warming up model", "warming up"),
    (r"Compiling a graph|torch\.compile takes", "compiling"),
    (r"# (?:GPU|CPU) blocks|KV cache size", "the cache is laid out"),
    (r"Application startup complete", "the server is up"),
)
"""Pattern in a line of the log, and how far the start is then."""


def diagnose(log: str, *, returncode: int | None) -> Cause:
    """Return why an engine died.

    Args:
        log: what it wrote since it was started.
        returncode: how it ended; negative is a signal's number; None: it did not.
    """
    log = "\n".join(line for line in log.splitlines() if not HARMLESS.search(line))
    for pattern, text, hopeless in KNOWN:
        if found := re.search(pattern, log):
            what = next((part for part in found.groupdict().values() if part), "")
            return Cause(text=text.replace("{what}", what.strip()), hopeless=hopeless)
    if returncode == ILLEGAL:
        return Cause(text=FOREIGN_PROCESSOR, hopeless=True)
    if returncode == KILLED or re.search(r"exit ?code:? -9|died with .*SIGKILL", log):
        return Cause(text="It was killed (signal 9): mostly the kernel's, for want of memory.")
    last = _last_error(log)
    ended = "did not answer" if returncode is None else f"ended with status {returncode}"
    return Cause(text=f"It {ended}{': ' + last if last else ''}.")


def stage(line: str) -> str:
    """Return how far the start is after a line of the log; empty: the line doesn't tell."""
    return next((text for pattern, text in STAGES if re.search(pattern, line)), "")


def _last_error(log: str) -> str:
    """Return the last line that names an exception, without vLLM's own prefix."""
    found = re.findall(r"(?:^|\] |\) )((?:[a-z_]+\.)*[A-Z]\w*(?:Error|Exception): .+)$", log, re.M)
    return found[-1].strip()[:300].rstrip(".") if found else ""
