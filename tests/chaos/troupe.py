"""The processes of a run: started, killed, frozen, started again, and ended whatever happens."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.errors import StoreUnreachable

JAY = "from bot.cli import main; main()"
ROOT = Path(__file__).parents[2]
"""Jay is run from this tree, wherever another one may be installed."""
AGAIN_AFTER_S = 0.5
"""What ended by itself is started again, as systemd or a container's host does."""
AWAY = StoreUnreachable.hint
"""Jay ends with this line where it finds no store when it starts, or not all of it."""
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
    wanted: bool = False
    """Whether it should run now; false after it was killed, until it is started again."""

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def log_path(self) -> Path:
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        self.wanted = True
        if self.alive:
            return
        self.starts += 1
        with self.log_path.open("ab") as log:
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
        self.wanted = False
        if self.process is not None:
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait(10)

    def last_lines(self) -> str:
        """Return what it wrote last."""
        return self.log_path.read_bytes()[-400:].decode(errors="replace")


@dataclass(slots=True)
class Troupe:
    """All processes of a run."""

    folder: Path
    players: dict[str, Player] = field(default_factory=dict)
    died: list[str] = field(default_factory=list)
    """Those that ended by themselves, though nothing was wrong with the store."""

    def add(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> Player:
        player = Player(name, command, environment or os.environ, self.folder)
        self.players[name] = player
        return player

    def add_jay(self, name: str, role: str, environment: Mapping[str, str]) -> Player:
        command = [sys.executable, "-c", JAY, "run", "--only", role]
        return self.add(name, command, {**environment, "PYTHONPATH": str(ROOT)})

    async def keep_up(self, note: Callable[..., None]) -> None:
        """Start again whatever ends by itself, until cancelled."""
        while True:
            await asyncio.sleep(AGAIN_AFTER_S)
            for player in self.players.values():
                if player.process is None or not player.wanted or player.alive:
                    continue
                last = player.last_lines()
                note("ended", name=player.name, status=player.process.returncode, last=last)
                if AWAY not in last:
                    self.died.append(player.name)
                player.start()

    def end(self) -> None:
        for player in self.players.values():
            player.end()
