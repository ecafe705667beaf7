"""Where Jay has heard anybody, and where something may have been said that it did not hear.

Every accepted message moves its place's mark in `heard`. A gap copies the
marks into `gaps`, where they stay until the place has been read back, whatever
is heard there meanwhile and however often the process dies.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.messages import Place, PlatformName
from bot.ports import Gap
from bot.store.records import parse_place_id, place_id
from bot.store.server import Server, records_in

STEP = 500
"""Places noted in one step; a script holds up everybody while it runs."""


class Gaps(Server):
    """The marks of what was heard, and the open gaps."""

    async def note_gap(self, platform: PlatformName, *, heard_until: float) -> None:
        """Put on record that something may have been missed wherever Jay has heard anybody."""
        await self._run("note_gap", platform, repr(float(heard_until)))

    async def note_places(
        self, platform: PlatformName, places: Sequence[Place], *, since: float
    ) -> None:
        """Put gaps on record for places where nobody was heard yet; others keep theirs."""
        for at in range(0, len(places), STEP):
            members = [place_id(place) for place in places[at : at + STEP]]
            await self._run("note_places", platform, repr(float(since)), *members)

    async def gaps(self, platform: PlatformName, *, limit: int) -> Sequence[Gap]:
        """Return the open gaps, those first that begin last."""
        if limit <= 0:
            return []
        answer = records_in(await self._run("gaps", platform, limit))
        return [
            Gap(place=parse_place_id(place.decode()), since=float(since))
            for place, since in zip(answer[::2], answer[1::2], strict=True)
        ]

    async def close_gap(self, gap: Gap) -> None:
        """Take a gap off the record, unless it begins earlier by now."""
        await self._run(
            "close_gap", gap.place.platform, place_id(gap.place), repr(float(gap.since))
        )
