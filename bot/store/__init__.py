"""The conversation store: Redis or Valkey, the only state that outlives a process.

`keys` names every key, `records` what stands under it; each step is one
script (`*.lua`). The store's class is put together from six nouns: `log`,
`gaps`, `notes`, `mailboxes`, `leases`, `turns`. `embedded` runs a Valkey server where none is
given. Only this room knows redis-py; what it raises is translated in `errors`.
"""

from bot.store.checks import check
from bot.store.embedded import embedded_valkey
from bot.store.opening import open_store

__all__ = ["check", "embedded_valkey", "open_store"]
