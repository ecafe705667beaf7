"""Nothing that Jay writes anywhere holds a secret in clear, whatever goes wrong."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest
import redis
from fakes.completions import CompletionsServer, Refusal, says
from fakes.valkey import running_valkey
from processes import answered, environment, mention
from stage import until
from vllm_server import free_port

from adapters.sandbox.server import Sandbox
from bot.settings import load_settings

pytestmark = [pytest.mark.valkey]

SECRETS = {
    "SLACK_BOT_TOKEN": "xoxb-1111111111-planted-slackbot",
    "SLACK_APP_TOKEN": "xapp-1-A111-planted-slackapp",
    "SLACK_SIGNING_SECRET": "planted0signing0secret",
    "DISCORD_BOT_TOKEN": "MTIzNDU2Nzg5MDEyMzQ1Njc4.planted.discordtoken",
    "ENGINE_API_KEY": "sk-planted-enginekey",
}
PASSWORD = "planted-redis-password"


def leaks(text: str, secrets: Mapping[str, str]) -> list[str]:
    return [name for name, secret in secrets.items() if secret and secret in text]


async def told_by(
    *arguments: str, env: dict[str, str], folder: Path, enough: str = "", within_s: float = 90
) -> str:
    """Return all that a command writes, until it ends."""
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("jay"),
        *arguments,
        cwd=folder,
        env=env,
        stdout=PIPE,
        stderr=STDOUT,
    )
    assert process.stdout is not None
    told = bytearray()
    try:
        async with asyncio.timeout(within_s):
            while piece := await process.stdout.read(65_536):
                told += piece
    except TimeoutError:
        pass
    finally:
        if process.returncode is None:
            process.kill()
        told += await process.stdout.read()
        await process.wait()
    return told.decode()


def dump(client: redis.Redis) -> str:
    """Return every key and what stands under it, as text."""
    read = {
        b"string": lambda key: client.get(key),
        b"hash": lambda key: client.hgetall(key),
        b"list": lambda key: client.lrange(key, 0, -1),
        b"set": lambda key: client.smembers(key),
        b"zset": lambda key: client.zrange(key, 0, -1, withscores=True),
        b"stream": lambda key: client.xrange(key),
    }
    return "\n".join(f"{key} {read[client.type(key)](key)}" for key in client.scan_iter())  # type: ignore[index]


@pytest.mark.parametrize("as_json", ["true", "false"], ids=["json", "console"])
async def test_a_run_that_goes_well_writes_no_secret_anywhere(tmp_path: Path, as_json: str) -> None:
    """Logs are shipped, metrics scraped, the store backed up, each to people with no need for it."""
    port = free_port()
    async with Sandbox() as sandbox, CompletionsServer([says(" Hello.")], 9_000).running() as gpu:
        with running_valkey(tmp_path / "valkey.sock") as valkey:
            valkey.client.config_set("requirepass", PASSWORD)
            valkey.client.execute_command("AUTH", PASSWORD)
            env = environment(
                sandbox, redis_url=f"{valkey.url}?password={PASSWORD}", engine_url=gpu.url
            )
            env |= {
                "ENGINE_API_KEY": SECRETS["ENGINE_API_KEY"],
                "SLACK_SIGNING_SECRET": SECRETS["SLACK_SIGNING_SECRET"],
                "JAY_STATUS_PORT": str(port),
                "JAY_LOG_LEVEL": "debug",
                "JAY_LOG_JSON": as_json,
            }
            secrets = {name: env[name] for name in SECRETS} | {"REDIS_URL": PASSWORD}
            log_path = tmp_path / "jay.log"
            with log_path.open("wb") as log:
                process = await asyncio.create_subprocess_exec(
                    Path(sys.executable).with_name("jay"),
                    "run",
                    cwd=tmp_path,
                    env=env,
                    stdout=log,
                    stderr=log,
                )
            try:
                await until(lambda: sandbox.slack.sockets.count > 0)
                await until(lambda: sandbox.discord.gateway.count > 0)
                for world in (sandbox.slack_world, sandbox.discord_world):
                    asked = mention(world)
                    await until(lambda world=world, asked=asked: answered(world, asked))
                served = ""
                async with aiohttp.ClientSession() as session:
                    for path in ("healthz", "readyz", "metrics", "nothing"):
                        async with session.get(f"http://127.0.0.1:{port}/{path}") as answer:
                            served += await answer.text()
            finally:
                process.send_signal(signal.SIGTERM)
                await asyncio.wait_for(process.wait(), 60)
            stored = dump(redis.Redis(unix_socket_path=valkey.url[7:], password=PASSWORD))
            doctor = await told_by("doctor", env=env, folder=tmp_path)

    assert "jay_messages_total" in served
    assert "hello" in stored
    logged = log_path.read_text()
    assert "replying.settled" in logged
    for text in (logged, served, stored, doctor):
        assert leaks(text, secrets) == []


WRONG: dict[str, tuple[str, dict[str, str]]] = {
    "tokens that are refused": ("run", {}),
    "an engine that refuses the key, and the tokens": ("doctor", {"JAY_LOG_JSON": "true"}),
    "a Redis that is not there": ("run", {"REDIS_URL": f"redis://jay:{PASSWORD}@127.0.0.1:9/0"}),
    "a Redis address that is none": ("run", {"REDIS_URL": f"reddis://jay:{PASSWORD}@host/0"}),
    "a Redis port that is none": ("doctor", {"REDIS_URL": f"redis://jay:{PASSWORD}@host:port/0"}),
    "a setting of the wrong kind": ("run", {"JAY_STATUS_PORT": SECRETS["ENGINE_API_KEY"]}),
    "addresses that are none": (
        "run",
        {
            "SLACK_API_URL": f"http://[{SECRETS['SLACK_BOT_TOKEN']}/",
            "DISCORD_API_URL": SECRETS["DISCORD_BOT_TOKEN"],
            "ENGINE_URL": f"http://jay:{SECRETS['ENGINE_API_KEY']}",
        },
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_what_goes_wrong_is_told_without_the_secrets(tmp_path: Path, wrong: str) -> None:
    """An error's text goes to a chat, to a ticket, to a forum."""
    command, given = WRONG[wrong]
    refuses = CompletionsServer([Refusal(401, "the key sk-planted-enginekey is not known")])
    async with Sandbox() as sandbox, refuses.running() as gpu:
        with running_valkey(tmp_path / "valkey.sock") as valkey:
            env = environment(sandbox, redis_url=valkey.url, engine_url=gpu.url)
            env |= SECRETS | {"JAY_LOG_LEVEL": "debug"} | given
            secrets = SECRETS | {"REDIS_URL": PASSWORD}
            told = await told_by(command, env=env, folder=tmp_path)

    assert told.strip()
    assert "Traceback" not in told
    assert leaks(told, secrets) == []


async def test_a_refused_redis_password_is_not_repeated(tmp_path: Path) -> None:
    with running_valkey(tmp_path / "valkey.sock") as valkey:
        valkey.client.config_set("requirepass", "another")
        env = {
            "REDIS_URL": f"{valkey.url}?password={PASSWORD}",
            "PATH": "/usr/bin",
            **SECRETS,
            "JAY_LOG_LEVEL": "debug",
        }
        told = await told_by("run", env=env, folder=tmp_path)

    assert "Redis" in told
    assert PASSWORD not in told


def test_settings_show_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """They end up in tracebacks and debuggers."""
    monkeypatch.chdir(tmp_path)
    for name, secret in SECRETS.items():
        monkeypatch.setenv(name, secret)
    monkeypatch.setenv("REDIS_URL", f"redis://:{PASSWORD}@host")
    settings = load_settings()
    assert settings.redis_url.get_secret_value().count(PASSWORD) == 1

    for text in (repr(settings), str(settings), settings.model_dump_json()):
        assert leaks(text, SECRETS | {"REDIS_URL": PASSWORD}) == []
