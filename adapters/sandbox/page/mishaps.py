"""What goes wrong: the faults that a person switches on and off on the page.

Each mishap is one of three kinds. A *switch* stays on until it is switched off. A *spell*
hits every call for some seconds and ends by itself. A *moment* happens once, now. What
they mean on each platform is in faults.py and in the sides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from adapters.sandbox.faults import Faults, Trouble
from adapters.sandbox.records import Json, Platform
from adapters.sandbox.world import World

BOTH: tuple[Platform, ...] = ("slack", "discord")
_WRITES = {"slack": "chat.*", "discord": "[!G]* /channels/*/messages*"}
_POSTS = {"slack": "chat.postMessage", "discord": "POST /channels/*/messages"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mishap:
    """Something that can go wrong, as the page offers it."""

    name: str
    kind: Literal["switch", "spell", "moment"]
    label: str
    hint: str
    platforms: tuple[Platform, ...] = BOTH
    lasts_s: float = 0.0


OFFERED = (
    Mishap(
        name="drop_sockets", kind="moment", label="Cut the connection",
        hint="Every live connection ends without a word.",
    ),
    Mishap(
        name="reconnect", kind="moment", label="Ask to reconnect",
        hint="The platform moves the connection, as it does every few hours.",
    ),
    Mishap(
        name="lost_answer", kind="moment", label="Lose an answer",
        hint="The next post is done, but its answer says 503. A retry must not post twice.",
    ),
    Mishap(
        name="rate_limited", kind="spell", lasts_s=15.0, label="Too many requests",
        hint="Every write is answered with 429, “retry after 2 s”, for 15 seconds.",
    ),
    Mishap(
        name="server_errors", kind="spell", lasts_s=15.0, label="Server errors",
        hint="Every write is answered with 503 for 15 seconds.",
    ),
    Mishap(
        name="slow", kind="spell", lasts_s=30.0, label="A slow network",
        hint="Every call takes two seconds longer for half a minute.",
    ),
    Mishap(
        name="duplicate_events", kind="switch", platforms=("slack",),
        label="Events come twice", hint="Each is delivered two times. It is still one question.",
    ),
    Mishap(
        name="deaf_sockets", kind="switch", platforms=("slack",),
        label="Deaf sockets", hint="Connections look alive but carry nothing.",
    ),
    Mishap(
        name="closed_dms", kind="switch", platforms=("discord",),
        label="Closed direct messages", hint="Nobody takes direct messages from the bot.",
    ),
    Mishap(
        name="missing_intent:message_content", kind="switch", platforms=("discord",),
        label="No message content", hint="The privileged intent is missing when it connects next.",
    ),
    Mishap(
        name="token_revoked", kind="switch", label="Token revoked",
        hint="An admin takes the bot's token back.",
    ),
    Mishap(
        name="read_only", kind="switch", label="Read-only channel",
        hint="The bot may not write in the channel that is open here.",
    ),
)  # fmt: skip


class Mishaps:
    """Lets things go wrong and knows what does so at the moment.

    Args:
        faults: What the sides ask.
        worlds: Both worlds by platform.
        changed: Told whenever something begins or ends.
    """

    def __init__(
        self, faults: Faults, worlds: dict[Platform, World], changed: Callable[[], None]
    ) -> None:
        self._faults = faults
        self._worlds = worlds
        self._changed = changed
        self._spells: dict[tuple[Platform, str], tuple[Trouble, asyncio.TimerHandle]] = {}

    def shown(self) -> Json:
        """Return what is offered and what is on, for the page."""
        offered = [
            {
                "name": one.name,
                "kind": one.kind,
                "label": one.label,
                "hint": one.hint,
                "platforms": one.platforms,
            }
            for one in OFFERED
        ]
        switched = [f"{platform} {switch}" for platform, switch in self._faults.switches]
        spells = [f"{platform} {name}" for platform, name in self._spells]
        return {"offered": offered, "on": sorted([*switched, *spells])}

    def let(self, platform: Platform, name: str, *, on: bool, channel: str | None = None) -> bool:
        """Let a mishap begin, or end; False where there is none of that name."""
        mishap = next((one for one in OFFERED if one.name == name), None)
        if mishap is None or platform not in mishap.platforms:
            return False
        if name == "read_only":
            place = self._worlds[platform].channels.get(channel or "")
            if place is None:
                return False
            place.writable_by_bot = not on
        elif mishap.kind == "switch":
            self._faults.turn(platform, name, on)
        elif mishap.kind == "spell":
            self._end(platform, name)
            if on:
                self._begin(platform, mishap)
        elif on:
            self._happen(platform, name)
        self._changed()
        return True

    def close(self) -> None:
        """Let everything that was begun here end."""
        for platform, name in list(self._spells):
            self._end(platform, name)

    def _happen(self, platform: Platform, name: str) -> None:
        if name == "drop_sockets":
            self._faults.signal(platform, "drop_sockets")
        elif name == "reconnect":
            self._faults.signal(platform, "disconnect")
        else:
            self._faults.fail(platform, _POSTS[platform], after=True)

    def _begin(self, platform: Platform, mishap: Mishap) -> None:
        trouble = Trouble(platform=platform, method=_WRITES[platform], times=-1)
        if mishap.name == "rate_limited":
            trouble.status, trouble.retry_after_s = 429, 2.0
        elif mishap.name == "server_errors":
            trouble.status = 503
        else:
            trouble.method, trouble.delay_s = "*", 2.0
        self._faults.add(trouble)
        timer = asyncio.get_running_loop().call_later(
            mishap.lasts_s, self._run_out, platform, mishap.name
        )
        self._spells[platform, mishap.name] = (trouble, timer)

    def _run_out(self, platform: Platform, name: str) -> None:
        self._end(platform, name)
        self._changed()

    def _end(self, platform: Platform, name: str) -> None:
        trouble, timer = self._spells.pop((platform, name), (None, None))
        if timer is not None:
            timer.cancel()
        if trouble in self._faults.troubles:
            self._faults.troubles.remove(trouble)
