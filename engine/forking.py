"""vLLM's server, whose processes are forks of it instead of interpreters of their own.

    python -m engine.forking VLLM_ARGUMENTS…

A server, its core and a worker make one vLLM. On a GPU vLLM forks the two; on
a processor it starts each anew, and each imports the same modules for seven
seconds, one after the other: a small GPT-J answers after 24 s, forked after 10
(two cores, `jay engine serve`). It does so to tie the worker's threads to cores,
which OpenMP heeds only while it is loaded. A small model gains nothing by that;
its caller sets OMP_NUM_THREADS. OpenMP would not survive a fork once it has
computed, and neither server nor core computes before theirs.
"""

from __future__ import annotations

import multiprocessing
import runpy
import sys
from contextlib import suppress
from importlib import import_module
from multiprocessing.context import BaseContext

from engine.arguments import SERVER

CONTEXTS = "vllm.utils.system_utils"
"""Where vLLM's other modules take `get_mp_context` from. Elsewhere in another version, it would
start its processes its own way."""


def main() -> None:
    """Serve, as vLLM's own module would."""
    # Elsewhere system libraries don't survive a fork.
    with suppress(ImportError):
        if sys.platform == "linux":
            vars(import_module(CONTEXTS))["get_mp_context"] = _forking
    runpy.run_module(SERVER, run_name="__main__", alter_sys=True)


def _forking() -> BaseContext:
    return multiprocessing.get_context("fork")


if __name__ == "__main__":
    main()
