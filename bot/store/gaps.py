"""Where Jay has heard anybody, and where something may have been said that it did not hear.

Every accepted message moves its place's mark in `heard`. A gap copies the
marks into `gaps`, where they stay until the place has been read back, whatever
is heard there meanwhile and however often the process dies.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from bot.messages import Place, PlatformName
from bot.ports import Gap
from bot.store.keys import SHARDS, key, shard_of
from bot.store.records import parse_place_id, place_id
from bot.store.server import Server, in_order, records_in

STEP = 500
"""Places noted in one step; a script holds up everybody while it runs."""


class Gaps(Server):
    """The marks of what was heard, and the open gaps."""

    async def note_gap(self, platform: PlatformName, *, heard_until: float) -> None:
        """Put on record that something may have been missed wherever Jay has heard anybody."""
        until = repr(float(heard_until))
        await self._run_everywhere("note_gap", platform, until)

    async def note_places(
        self, platform: PlatformName, places: Sequence[Place], *, since: float
    ) -> None:
        """Put gaps on record for places where nobody was heard yet; others keep theirs."""
        first = await self._first_heard(platform)
        if first is None:
            return
        begins = repr(max(first, float(since)))
        by_shard = defaultdict[int, list[str]](list)
        for place in places:
            by_shard[shard_of(place_id(place))].append(place_id(place))
        for shard, members in by_shard.items():
            for at in range(0, len(members), STEP):
                await self._run(shard, "note_places", platform, begins, *members[at : at + STEP])

    async def gaps(self, platform: PlatformName, *, limit: int) -> Sequence[Gap]:
        """Return the open gaps, those first that begin last."""
        if limit <= 0:
            return []
        answers = await self._run_everywhere("gaps", platform, limit)
        found = [
            Gap(place=parse_place_id(place.decode()), since=float(since))
            for answer in map(records_in, answers)
            for place, since in zip(answer[::2], answer[1::2], strict=True)
        ]
        return sorted(found, key=lambda gap: gap.since, reverse=True)[:limit]

    async def close_gap(self, gap: Gap) -> None:
        """Take a gap off the record, unless it begins earlier by now."""
        of = place_id(gap.place)
        since = repr(float(gap.since))
        await self._run(shard_of(of), "close_gap", gap.place.platform, of, since)

    async def _first_heard(self, platform: PlatformName) -> float | None:
        answers = await in_order(
            self._ask(shard, "GET", key("first", platform, shard=shard)) for shard in range(SHARDS)
        )
        times = [float(one) for one in answers if isinstance(one, bytes)]
        return min(times, default=None)
