"""Asking a platform again, after as long as it wants to be left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from bot.errors import TooFast

log = structlog.get_logger(__name__)

RETRIES = 4
WAIT_MAX_S = 60.0

Answer = TypeVar("Answer")


async def patiently(ask: Callable[[], Awaitable[Answer]], *, of: str) -> Answer:
    """Ask, and ask again where that was too fast.

    Args:
        ask: asks once.
        of: whom, for the log.

    Raises:
        TooFast: it was so at every try, or is to wait for longer than `WAIT_MAX_S`.
    """
    for _ in range(RETRIES):
        try:
            return await ask()
        except TooFast as error:
            if error.retry_after_s > WAIT_MAX_S:
                raise
            log.info("adapters.slowed", of=of, retry_after_s=error.retry_after_s)
            await asyncio.sleep(error.retry_after_s)
    return await ask()
