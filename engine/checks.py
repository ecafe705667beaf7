"""What `jay doctor` looks at in the engine: the one that is set, or the one that Jay would start."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from bot.errors import EngineError, SettingsError
from bot.findings import Finding
from bot.settings import EngineLimits, EngineSettings
from engine.arguments import Wishes, plan
from engine.checkpoint import BUNDLED, read_checkpoint
from engine.client import open_engine
from engine.families import family_for, load_families
from engine.ground import look
from engine.launcher import NO_VLLM
from engine.machine import Machine, read_machine
from engine.replicas import Replica, behind_router

LOOPBACK = "127.0.0.1"
PROBE = "Hello"
ANSWER_TIMEOUT_S = 10.0
RETRIES = 3
"""Behind a router the first may reach a replica that is gone."""


async def check(
    settings: EngineSettings,
    *,
    port: int = EngineLimits().port,
    family: str = "",
    checkpoint: Path = BUNDLED,
) -> AsyncIterator[Finding]:
    """Yield what was found about the engine.

    Args:
        settings: which engine.
        port: where Jay's own listens if none is set.
        family: the prompt family that is chosen in the settings; empty for none.
        checkpoint: what Jay's own serves.
    """
    if settings.url:
        async for finding in _check_served(settings, settings.url, family):
            yield finding
        return
    machine = read_machine()
    yield _check_vllm(machine)
    yield _check_checkpoint(machine, checkpoint, port=port)
    occupant = await look(LOOPBACK, port)
    if occupant is None:
        detail = f"Jay will start vLLM at port {port}, which is free"
        yield Finding(name="engine", ok=True, detail=detail)
    elif occupant.serves(checkpoint):
        async for finding in _check_served(settings, f"http://{LOOPBACK}:{port}/v1", family):
            yield finding
    else:
        yield Finding(
            name="engine",
            ok=False,
            detail=f"port {port} is taken by {occupant.said}",
            hint="Stop it, or choose another port with JAY_LIMITS__PORT.",
        )


async def _check_served(settings: EngineSettings, url: str, family: str) -> AsyncIterator[Finding]:
    """Ask an engine which model it serves, and for token ids."""
    async with open_engine(
        url,
        model=settings.model,
        api_key=settings.api_key.get_secret_value(),
        idle_timeout_s=ANSWER_TIMEOUT_S,
        retries=RETRIES,
        restart_wait_s=0.0,
    ) as engine:
        try:
            model = await engine.model()
            await engine.encode([PROBE])
        except EngineError as error:
            yield Finding(name="engine", ok=False, detail=str(error), hint=error.hint)
            model = None
    if model is not None:
        detail = f"{model.name} at {url}, window {model.window:,} tokens"
        yield Finding(name="engine", ok=True, detail=detail)
    replicas = await behind_router(url)
    if replicas:
        yield _check_replicas(replicas)
    if model is None:
        return
    try:
        fits = family_for(model, load_families(), chosen=family)
    except SettingsError as error:
        yield Finding(name="prompt family", ok=False, detail=str(error), hint=error.hint)
        return
    licence = f" ({fits.licence})" if fits.licence else ""
    yield Finding(name="prompt family", ok=True, detail=f"{fits.name}{licence}")


def _check_replicas(replicas: Sequence[Replica]) -> Finding:
    """Judge the engines behind a router: a reply may go on at any of them."""
    away = [one.url for one in replicas if not one.model]
    models = {(one.model, one.origin, one.window) for one in replicas if one.model}
    said = "; ".join(
        f"{one.url} serves {one.model} from {one.origin}, window {one.window:,}"
        if one.model
        else f"{one.url} does not answer here"
        for one in replicas
    )
    if len(models) > 1:
        hint = "Serve the same checkpoint at all: half a reply may be finished by any of them."
        return Finding(name="engine replicas", ok=False, detail=said, hint=hint)
    if away:
        hint = "Is it down, or reached only from the router's machine?"
        return Finding(name="engine replicas", ok=False, detail=said, hint=hint)
    return Finding(
        name="engine replicas",
        ok=True,
        detail=f"{len(replicas)} behind the router, all with the same model",
    )


def _check_vllm(machine: Machine) -> Finding:
    where = f"{machine.gpus} GPUs" if machine.on_gpu else f"{machine.cores} processor cores"
    return Finding(
        name="vLLM",
        ok=bool(machine.vllm),
        detail=f"{machine.vllm_version or 'unknown version'} on {where}"
        if machine.vllm
        else "not installed",
        hint=NO_VLLM,
    )


def _check_checkpoint(machine: Machine, checkpoint: Path, *, port: int) -> Finding:
    try:
        read = read_checkpoint(checkpoint)
        how = plan(machine, read, Wishes(host=LOOPBACK, port=port))
    except EngineError as error:
        return Finding(name="checkpoint", ok=False, detail=str(error), hint=error.hint)
    return Finding(
        name="checkpoint",
        ok=True,
        detail=f"{read.name}: {read.parameters / 1e6:,.0f} M parameters as {how.dtype}, "
        f"window {read.window:,} tokens",
    )
