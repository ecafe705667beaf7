"""Which engines stand behind a router, and what each serves.

The router answers for its replicas, and for one of them at a time: that two
serve different models shows only where each is asked itself.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import aiohttp

LOOK_TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """One engine behind a router."""

    url: str
    model: str = ""
    """The served model's name; empty: it does not answer here, or is no vLLM."""
    origin: str = ""
    """Where the model was loaded from."""
    window: int = 0


async def behind_router(url: str) -> tuple[Replica, ...]:
    """Return the replicas of the router at an address with `/v1`; none: it is no router."""
    timeout = aiohttp.ClientTimeout(total=LOOK_TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        told = await _get(session, f"{url.rstrip('/').removesuffix('/v1')}/list_workers")
        urls = told.get("urls") if isinstance(told, dict) else None
        if not isinstance(urls, list):
            return ()
        replicas = await asyncio.gather(*(_look(session, str(one)) for one in urls))
    return tuple(replicas)


async def _look(session: aiohttp.ClientSession, url: str) -> Replica:
    told = await _get(session, f"{url}/v1/models")
    data = told.get("data") if isinstance(told, dict) else None
    first = data[0] if isinstance(data, list) and data else None
    if not isinstance(first, dict):
        return Replica(url=url)
    window = first.get("max_model_len")
    return Replica(
        url=url,
        model=str(first.get("id") or ""),
        origin=str(first.get("root") or ""),
        window=window if isinstance(window, int) else 0,
    )


async def _get(session: aiohttp.ClientSession, url: str) -> object:
    """Return what an address answers as JSON; None where it does not."""
    try:
        async with session.get(url) as response:
            return await response.json(content_type=None) if response.ok else None
    except (aiohttp.ClientError, TimeoutError, ValueError, OSError):
        return None
