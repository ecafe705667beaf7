"""The whole sandbox behind one port."""

import asyncio
import json
import signal
import socket
import sys
from pathlib import Path

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from adapters.sandbox.server import Sandbox


@pytest.fixture
def port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


async def test_both_platforms_and_the_page_answer_on_one_port():
    """`make demo` opens one address and finds everything there."""
    async with Sandbox() as sandbox, aiohttp.ClientSession() as session:
        client = AsyncWebClient(token=sandbox.slack.bot_token, base_url=sandbox.slack.api_url)
        assert (await client.auth_test())["team"] == "Harbour Labs"
        bot = {"Authorization": f"Bot {sandbox.discord.bot_token}"}
        async with session.get(f"{sandbox.discord.api_url}/users/@me", headers=bot) as answer:
            assert (await answer.json())["id"] == sandbox.discord.bot_user_id
        async with session.get(sandbox.url) as answer:
            assert answer.status == 200
            assert answer.content_type == "text/html"


async def test_the_conversation_goes_on_where_it_ended(tmp_path: Path):
    """A second demo that begins from nothing would look like a loss of memory."""
    file = tmp_path / "deep" / "sandbox.json"
    async with Sandbox(state_file=file) as first:
        general = first.slack_world.channel_named("general").id
        said = first.slack_world.say(general, first.slack_world.member_named("maya").id, "again!")
    async with Sandbox(state_file=file) as second:
        assert second.slack_world.get(general, said.id).text == "again!"
        assert second.slack.bot_token == first.slack.bot_token
        assert len(second.discord_world.members) == len(first.discord_world.members)


async def test_a_broken_state_file_is_not_in_the_way(tmp_path: Path):
    """A demo that was killed while it wrote must still start."""
    file = tmp_path / "sandbox.json"
    file.write_text("{not json")

    async with Sandbox(state_file=file) as sandbox:
        assert sandbox.slack_world.home_name == "Harbour Labs"


async def test_the_command_prints_its_addresses_and_ends_when_told(tmp_path: Path):
    """The launcher reads the line and stops the child by a signal."""
    file = tmp_path / "sandbox.json"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "adapters.sandbox", "--port", "0", "--state", str(file),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(60):
            printed = json.loads(await process.stdout.readline())
            process.send_signal(signal.SIGTERM)
            status = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

    assert status == 0
    assert printed["slack"]["api_url"].endswith("/slack/api/")
    assert printed["slack"]["bot_token"].startswith("xoxb-")
    assert printed["discord"]["guild_id"].isdigit()
    assert file.exists()


async def test_a_port_that_is_taken_is_told_in_one_line(port: int):
    """Two demos at once are a common mistake."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "adapters.sandbox", "--port", str(port),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(60):
        _, said = await process.communicate()

    assert process.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in said.decode()
