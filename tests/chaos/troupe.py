"""The processes of a run: started, killed, frozen, started again, and ended whatever happens."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.store.embedded import find_binary

JAY = "from bot.cli import main; main()"
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    """A run that is killed leaves nobody behind."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@dataclass(slots=True)
class Player:
    """One process that is started again after it was killed."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        if self.alive:
            return
        self.starts += 1
        with (self.folder / f"{self.name}.log").open("ab") as log:
            log.write(f"--- start {self.starts}\n".encode())
            log.flush()
            self.process = subprocess.Popen(
                self.command,
                env=dict(self.environment),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    def signal(self, number: int) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    async def ended(self, within_s: float) -> bool:
        for _ in range(round(within_s / 0.05) + 1):
            if not self.alive:
                return True
            await asyncio.sleep(0.05)
        return False

    def end(self) -> None:
        if self.process is not None:
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait(10)


@dataclass(slots=True)
class Troupe:
    """All processes of a run."""

    folder: Path
    players: dict[str, Player] = field(default_factory=dict)

    def add(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Player:
        player = Player(name, command, environment, self.folder)
        self.players[name] = player
        return player

    def add_valkey(self, socket: Path) -> Player:
        options = {
            "port": "0",
            "unixsocket": str(socket),
            "dir": str(self.folder),
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
            "maxmemory-policy": "noeviction",
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        return self.add("valkey", [str(find_binary()), *arguments], os.environ)

    def add_jay(self, name: str, role: str, environment: Mapping[str, str]) -> Player:
        command = [sys.executable, "-c", JAY, "run", "--only", role]
        return self.add(name, command, environment)

    def end(self) -> None:
        for player in self.players.values():
            player.end()
