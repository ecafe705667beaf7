"""The store, once in memory and once in a real Valkey, for every contract test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from fakes.store import MemoryStore
from fakes.valkey import empty_valkey, valkey

from bot.ports import Store
from bot.store import open_store

__all__ = ["empty_valkey", "valkey"]

MAX_TURNS = 12
MAX_LOG = 30


@pytest.fixture(params=["memory", pytest.param("valkey", marks=pytest.mark.valkey)])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryStore(max_turns=MAX_TURNS, max_log=MAX_LOG)
        return
    server = request.getfixturevalue("empty_valkey")
    bounds = {"retention_days": 90, "max_turns": MAX_TURNS, "max_log": MAX_LOG}
    async with open_store(server.url, **bounds) as opened:
        yield opened
