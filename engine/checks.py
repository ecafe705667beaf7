"""What `jay doctor` looks at in the engine: the one that is set, or the one that Jay would start."""

from __future__ import annotations

from collections.abc import AsyncIterator
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

LOOPBACK = "127.0.0.1"
PROBE = "Hello"
ANSWER_TIMEOUT_S = 10.0


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
        retries=0,
    ) as engine:
        try:
            model = await engine.model()
            await engine.encode([PROBE])
        except EngineError as error:
            yield Finding(name="engine", ok=False, detail=str(error), hint=error.hint)
            return
    yield Finding(
        name="engine", ok=True, detail=f"{model.name} at {url}, window {model.window:,} tokens"
    )
    try:
        fits = family_for(model, load_families(), chosen=family)
    except SettingsError as error:
        yield Finding(name="prompt family", ok=False, detail=str(error), hint=error.hint)
        return
    licence = f" ({fits.licence})" if fits.licence else ""
    yield Finding(name="prompt family", ok=True, detail=f"{fits.name}{licence}")


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
