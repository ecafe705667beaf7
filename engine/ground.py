"""Who answers at an engine's address, before one is started there."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass
from pathlib import Path

import aiohttp

LOOK_TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupant:
    """What was found at the address."""

    checkpoint: str = ""
    """Where the model was loaded from, if it is a vLLM; else empty."""
    listens: bool = True
    """Whether it takes connections; False: the port is only held."""

    @property
    def said(self) -> str:
        """What it is, in a few words."""
        if self.checkpoint:
            return f"a vLLM that serves {self.checkpoint}"
        return "another program" if self.listens else "a process that doesn't answer"

    def serves(self, folder: Path) -> bool:
        """Tell whether it is a vLLM with this checkpoint."""
        return bool(self.checkpoint) and Path(self.checkpoint).resolve() == folder.resolve()


async def look(host: str, port: int) -> Occupant | None:
    """Return who has an address; None if it is free."""
    timeout = aiohttp.ClientTimeout(total=LOOK_TIMEOUT_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session:
            async with session.get(f"http://{host}:{port}/v1/models") as response:
                return Occupant(checkpoint=_root(await response.json(content_type=None)))
    except aiohttp.ClientConnectorError:
        return None if _is_free(host, port) else Occupant(listens=False)
    except (aiohttp.ClientError, TimeoutError, ValueError, OSError):
        return Occupant()


async def is_healthy(host: str, port: int) -> bool:
    """Ask a vLLM whether it works; False also where nothing answers."""
    timeout = aiohttp.ClientTimeout(total=LOOK_TIMEOUT_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session:
            async with session.get(f"http://{host}:{port}/health") as response:
                return response.ok
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno != errno.EADDRINUSE
    return True


def _root(told: object) -> str:
    """Return the first model's origin from an answer to `/v1/models`; empty if it is none."""
    data = told.get("data") if isinstance(told, dict) else None
    first = data[0] if isinstance(data, list) and data else None
    return str(first.get("root") or "") if isinstance(first, dict) else ""
