"""`jay engine`: vLLM alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Serve a GPT-J with vLLM.", no_args_is_help=True)


@app.callback()
def engine() -> None:
    """Serve a GPT-J with vLLM."""


@app.command()
def serve(
    model: Annotated[
        Path | None, typer.Option(help="A checkpoint's directory; none: the bundled one.")
    ] = None,
    port: Annotated[int, typer.Option(help="Where it listens.")] = 8100,
    host: Annotated[str, typer.Option(help="The address it listens on.")] = "127.0.0.1",
    dtype: Annotated[
        str, typer.Option(help="float32, bfloat16 or float16; none: what this machine does best.")
    ] = "",
    load_format: Annotated[
        str, typer.Option(help="`dummy` invents the weights, to try a machine out.")
    ] = "",
    more: Annotated[
        list[str] | None, typer.Argument(metavar="-- VLLM_ARGUMENTS", help="Passed on to vLLM.")
    ] = None,
) -> None:
    """Start vLLM with a GPT-J and keep it running, until Ctrl-C or SIGTERM."""
    import asyncio
    import signal

    from bot.logs import set_up_logs
    from bot.settings import load_settings
    from engine.checkpoint import BUNDLED
    from engine.launcher import serve, wait_until_up

    settings = load_settings()
    set_up_logs(level="warning" if settings.log_level == "info" else settings.log_level)
    log_path = settings.data_dir / "logs" / f"engine-{port}.log"

    async def announce(url: str) -> None:
        await wait_until_up(url)
        typer.echo(f"ENGINE_URL={url}")

    async def keep() -> None:
        stop = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        async with serve(
            model or BUNDLED,
            port=port,
            log_path=log_path,
            on_progress=lambda line: typer.echo(f"· {line}", err=True),
            host=host,
            dtype=dtype,
            load_format=load_format,
            extra=more or (),
        ) as url:
            announcing = asyncio.create_task(announce(url))
            await stop.wait()
            announcing.cancel()
            typer.echo("· engine: stopping", err=True)

    asyncio.run(keep())


@app.command()
def route(
    replicas: Annotated[
        list[str], typer.Argument(metavar="URL…", help="Engines with the same model.")
    ],
    port: Annotated[int, typer.Option(help="Where the router listens.")] = 8000,
    host: Annotated[str, typer.Option(help="The address it listens on.")] = "127.0.0.1",
    metrics_port: Annotated[
        int, typer.Option(help="Where it tells Prometheus about itself, on this machine.")
    ] = 29000,
) -> None:
    """Run vllm-router before several engines, set for people who wait."""
    import os
    import sys
    from pathlib import Path

    from engine.router import NOT_INSTALLED, router_command

    command, *options = router_command(replicas, host=host, port=port, metrics_port=metrics_port)
    beside = Path(sys.executable).with_name(command)
    if not beside.exists():
        typer.echo(NOT_INSTALLED, err=True)
        raise typer.Exit(1)
    typer.echo(f"ENGINE_URL=http://{host}:{port}/v1")
    sys.stdout.flush()
    os.execv(beside, [command, *options])
