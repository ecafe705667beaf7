from __future__ import annotations

from fakes.valkey import empty_valkey, valkey

__all__ = ["empty_valkey", "valkey"]
