"""What `jay doctor` says of the engine."""

from __future__ import annotations

from pathlib import Path

from fakes.completions import CompletionsServer, Refusal, says
from replicas import routing

from bot.findings import Finding
from bot.settings import EngineSettings
from engine.checks import check


async def found(url: str = "", **fields: object) -> dict[str, Finding]:
    findings = check(EngineSettings(url=url), **fields)  # type: ignore[arg-type]
    return {finding.name: finding async for finding in findings}


async def test_an_engine_that_answers_is_told_with_model_window_and_family() -> None:
    async with CompletionsServer([says("x")], name="dolly-v1-6b").running() as server:
        told = await found(server.url)

    assert told["engine"].ok
    assert "dolly-v1-6b" in told["engine"].detail
    assert "512" in told["engine"].detail
    assert told["prompt family"].ok
    assert "not for commercial use" in told["prompt family"].detail


async def test_an_engine_that_does_not_answer_is_told_with_what_to_do() -> None:
    told = await found("http://127.0.0.1:9/v1")

    assert not told["engine"].ok
    assert "ENGINE_URL" in told["engine"].hint


async def test_replicas_that_serve_different_models_are_told_each_with_its_own(
    tmp_path: Path,
) -> None:
    """One would finish a sentence that the other began."""
    one, other = CompletionsServer([says("x")]), CompletionsServer([says("x")], window=1024)
    async with one.running(), other.running():
        async with routing([one.url, other.url], tmp_path / "router.log") as url:
            told = await found(url)

    assert told["engine"].ok
    assert not told["engine replicas"].ok
    for server, window in ((one, "512"), (other, "1,024")):
        line = f"{server.url.removesuffix('/v1')} serves stand-in from /elsewhere, window {window}"
        assert line in told["engine replicas"].detail


async def test_replicas_that_agree_are_counted_and_one_that_is_away_is_named(
    tmp_path: Path,
) -> None:
    one, other = CompletionsServer([says("x")]), CompletionsServer([says("x")])
    async with one.running():
        async with other.running():
            async with routing([one.url, other.url], tmp_path / "router.log") as url:
                both = await found(url)
        async with routing([one.url, other.url], tmp_path / "router.log") as url:
            alone = await found(url)

    assert both["engine replicas"].ok
    assert both["engine replicas"].detail.startswith("2 behind the router")
    assert not alone["engine replicas"].ok
    assert "does not answer here" in alone["engine replicas"].detail


async def test_an_engine_alone_has_no_replicas() -> None:
    async with CompletionsServer([says("x")]).running() as server:
        assert "engine replicas" not in await found(server.url)


async def test_a_family_that_does_not_exist_is_told() -> None:
    async with CompletionsServer([Refusal(500)]).running() as server:
        told = await found(server.url, family="llama")

    assert not told["prompt family"].ok
    assert "llama" in told["prompt family"].detail


async def test_jays_own_engine_is_judged_by_vllm_checkpoint_and_port(tmp_path: Path) -> None:
    async with CompletionsServer([says("x")]).running() as server:
        port = int(server.url.removesuffix("/v1").rpartition(":")[2])
        told = await found(port=port, checkpoint=tmp_path / "absent")

    assert "vLLM" in told
    assert not told["checkpoint"].ok
    assert "absent" in told["checkpoint"].detail
    assert not told["engine"].ok
    assert "a vLLM that serves /elsewhere" in told["engine"].detail


async def test_a_free_port_is_where_jay_will_start_it(tmp_path: Path) -> None:
    told = await found(port=9, checkpoint=tmp_path)

    assert told["engine"].ok
    assert "port 9" in told["engine"].detail
