"""What a test or the page lets go wrong, and how the sides ask about it.

Three kinds. A *trouble* waits for calls to a method (`chat.postMessage`, or
`POST /channels/*/messages`; `*` matches anything) and hits the next few of them. A
*switch* is on until it is turned off (`token_revoked`, `missing_scope:connections:write`,
`duplicate_events`, `deaf_sockets`). A *signal* happens once, now (`drop_sockets`,
`disconnect`).

The sides decide what a fault looks like on their platform; here is only the asking.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from adapters.sandbox.records import Json, Platform

Signal = Callable[[str, Json], None]


@dataclass(slots=True, kw_only=True)
class Trouble:
    """What the next calls to a method meet: a wait, then (with a status) a refusal."""

    platform: Platform
    method: str
    """A method's name, with `*` for anything."""
    times: int = 1
    """How many calls it still hits; -1 for all until it is cleared."""
    delay_s: float = 0.0
    status: int | None = None
    """The HTTP status that it answers, None to let the call through after the delay."""
    retry_after_s: float | None = None
    """Sent as `Retry-After` with a 429."""
    error: str = ""
    """A Slack error code or a Discord message to answer in the body."""
    after: bool = False
    """Do what was asked and then fail, as when an answer gets lost on the way."""


@dataclass(slots=True)
class Faults:
    """The troubles and switches of one sandbox."""

    troubles: list[Trouble] = field(default_factory=list)
    switches: set[tuple[Platform, str]] = field(default_factory=set)
    _signals: dict[Platform, list[Signal]] = field(default_factory=dict)

    def add(self, trouble: Trouble) -> Trouble:
        """Let a trouble wait for its calls."""
        self.troubles.append(trouble)
        return trouble

    def rate_limit(
        self, platform: Platform, method: str, *, retry_after_s: float = 1, times: int = 1
    ) -> Trouble:
        """Answer the next calls with 429 and `Retry-After`."""
        return self.add(
            Trouble(
                platform=platform,
                method=method,
                status=429,
                retry_after_s=retry_after_s,
                times=times,
            )
        )

    def fail(
        self, platform: Platform, method: str, *, status: int = 503, error: str = "",
        times: int = 1, after: bool = False,
    ) -> Trouble:  # fmt: skip
        """Answer the next calls with a status and an error."""
        return self.add(
            Trouble(
                platform=platform,
                method=method,
                status=status,
                error=error,
                times=times,
                after=after,
            )
        )

    def delay(self, platform: Platform, method: str, *, delay_s: float, times: int = 1) -> Trouble:
        """Let the next calls wait before they are served."""
        return self.add(Trouble(platform=platform, method=method, delay_s=delay_s, times=times))

    def take(self, platform: Platform, method: str) -> Trouble | None:
        """Return the trouble that this call meets, and count it. The sides ask this."""
        for trouble in self.troubles:
            if trouble.platform == platform and fnmatchcase(method, trouble.method):
                if trouble.times > 0:
                    trouble.times -= 1
                    if trouble.times == 0:
                        self.troubles.remove(trouble)
                return trouble
        return None

    def turn(self, platform: Platform, switch: str, on: bool = True) -> None:
        """Turn a switch on or off, such as `token_revoked`."""
        if on:
            self.switches.add((platform, switch))
        else:
            self.switches.discard((platform, switch))

    def is_on(self, platform: Platform, switch: str) -> bool:
        """Say whether a switch is on. The sides ask this."""
        return (platform, switch) in self.switches

    def signal(self, platform: Platform, name: str, **details: object) -> None:
        """Let something happen now, such as `drop_sockets`."""
        for receive in list(self._signals.get(platform, [])):
            receive(name, dict(details))

    def on_signal(self, platform: Platform, receive: Signal) -> Callable[[], None]:
        """Call `receive(name, details)` for each signal; returns how to stop that."""
        self._signals.setdefault(platform, []).append(receive)

        def unsubscribe() -> None:
            if receive in self._signals[platform]:
                self._signals[platform].remove(receive)

        return unsubscribe

    def clear(self) -> None:
        """Let everything go well again."""
        self.troubles.clear()
        self.switches.clear()
