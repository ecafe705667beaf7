"""The conversation store: Redis or Valkey, the only state that outlives a process.

`keys` names every key and the shard it lies in, `records` what stands under
it; each step is one script (`*.lua`) in one shard. The store's class is put
together from six nouns: `log`, `gaps`, `notes`, `mailboxes`, `leases`, `turns`;
below them `server` runs the steps, `topology` knows which server has a shard, `bell`
which shard has mail. `embedded` runs a Valkey server where none is given,
`checks` looks at how one is set up, `migrating` moves older data over. Only
this room knows redis-py; what it raises is translated in `errors`.
"""

from bot.store.checks import check
from bot.store.embedded import embedded_valkey
from bot.store.opening import open_store

__all__ = ["check", "embedded_valkey", "open_store"]
