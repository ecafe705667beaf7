"""Runs a command whose whole process group ends when whoever started it does, however that ends.

    python leash.py PARENT_PID COMMAND…

The kernel sends this process a SIGTERM when its parent dies, also by SIGKILL,
when no code of the parent's runs any more. It passes that on, and forces what
does not end: vLLM, while it starts, hangs on a SIGTERM. A script of its own
with nothing but the standard library, so that it is small and never fails.
Elsewhere than on Linux the parent's death goes unnoticed.

The command gives way to what else runs on the machine. vLLM's processes wait
for each other by spinning; on few cores whoever reads their stream was left
waiting for a processor for up to 0.7 s, and saw a reply in bursts.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
"""From linux/prctl.h."""
GRACE_S = 8.0
NICENESS = 5
"""A third of the usual share where processors are wanted; at 3 the bursts were still there."""
WATCHED = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}


def main() -> None:
    """Run the command, end with it, and end it with the parent."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit("the parent has ended already")
    _give_way()
    # This process has no threads, so code between fork and exec is safe.
    child = subprocess.Popen(command, preexec_fn=_unblock)
    while child.poll() is None:
        if signal.sigwait(WATCHED) != signal.SIGCHLD:
            _end(child)
    if os.getppid() != parent:
        os.killpg(0, signal.SIGKILL)
    _end_as(child.returncode)


def _give_way() -> None:
    """Take a lower share of the processors than who asks the command for something."""
    os.nice(NICENESS)
    # Where the kernel shares between sessions, niceness counts only within one.
    with contextlib.suppress(OSError), Path("/proc/self/autogroup").open("w") as group:
        group.write(str(NICENESS))


def _unblock() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ask the command to end; force the whole group, this process included, if it doesn't."""
    child.terminate()
    try:
        child.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        os.killpg(0, signal.SIGKILL)


def _end_as(returncode: int) -> None:
    """End as the command did: with its status, or by its signal."""
    if returncode < 0:
        _unblock()
        os.kill(os.getpid(), -returncode)
    sys.exit(returncode)


if __name__ == "__main__":
    main()
