from __future__ import annotations

from fakes.valkey import empty_valkey, valkey
from fakes.valkey_cluster import cluster, empty_cluster

__all__ = ["cluster", "empty_cluster", "empty_valkey", "valkey"]
