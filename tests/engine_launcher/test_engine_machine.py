"""What is read of the machine, from made-up /proc and /sys."""

from __future__ import annotations

from pathlib import Path

from engine.machine import read_machine


def put(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_flags_and_memory_are_read(tmp_path: Path) -> None:
    put(tmp_path, "proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu avx2 avx512_bf16\n")
    put(tmp_path, "proc/meminfo", "MemTotal: 99 kB\nMemAvailable:   2048 kB\n")

    machine = read_machine(tmp_path)

    assert {"avx2", "avx512_bf16"} <= machine.cpu_flags
    assert machine.free_bytes == 2048 * 1024
    assert machine.gpus == 0


def test_a_containers_limit_counts_where_it_is_lower(tmp_path: Path) -> None:
    """The machine has 64 GiB, the container may use one."""
    put(tmp_path, "proc/meminfo", "MemAvailable: 67108864 kB\n")
    put(tmp_path, "sys/fs/cgroup/memory.max", "1073741824\n")
    put(tmp_path, "sys/fs/cgroup/memory.current", "73741824\n")

    assert read_machine(tmp_path).free_bytes == 1_000_000_000


def test_no_limit_is_no_limit(tmp_path: Path) -> None:
    put(tmp_path, "proc/meminfo", "MemAvailable: 1024 kB\n")
    put(tmp_path, "sys/fs/cgroup/memory.max", "max\n")
    put(tmp_path, "sys/fs/cgroup/memory.current", "5\n")

    assert read_machine(tmp_path).free_bytes == 1024 * 1024


def test_gpus_are_counted(tmp_path: Path) -> None:
    for name in ("0000:01:00.0", "0000:02:00.0"):
        put(tmp_path, f"proc/driver/nvidia/gpus/{name}/information", "Model: H100\n")

    assert read_machine(tmp_path).gpus == 2


def test_elsewhere_than_on_linux_much_is_unknown(tmp_path: Path) -> None:
    machine = read_machine(tmp_path)

    assert (machine.free_bytes, machine.cpu_flags) == (None, frozenset())
    assert machine.cores >= 1
