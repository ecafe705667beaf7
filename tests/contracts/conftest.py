"""The store in memory, in a real Valkey and in a real Cluster of three, for every contract test.

On the servers it is a user that may do what the manual lists, and no more.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from fakes.store import MemoryStore
from fakes.valkey import empty_valkey, valkey
from fakes.valkey_cluster import cluster, empty_cluster
from fakes.valkey_user import allow, as_user

from bot.ports import Store
from bot.store import open_store

__all__ = ["cluster", "empty_cluster", "empty_valkey", "valkey"]

MAX_TURNS = 12
MAX_LOG = 30
SERVERS = [pytest.param(name, marks=pytest.mark.valkey) for name in ("valkey", "cluster")]


@pytest.fixture(params=["memory", *SERVERS])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryStore(max_turns=MAX_TURNS, max_log=MAX_LOG)
        return
    server = request.getfixturevalue(f"empty_{request.param}")
    if request.param == "cluster":
        allow(*(node.client for node in server.nodes), also=("+cluster|slots",))
    else:
        allow(server.client)
    bounds = {"retention_days": 90, "max_turns": MAX_TURNS, "max_log": MAX_LOG}
    async with open_store(as_user(server.url), **bounds) as opened:
        yield opened
