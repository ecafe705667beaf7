"""Stop strings over a stream, also where one straddles two requests.

vLLM looks for stop strings in the text of one request. A reply that was taken
up again consists of several, so the client looks again, over the whole text.

Pure: `feed`, then `flush`.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class StopFilter:
    """Lets through what can't be part of a stop string, and ends before the first one."""

    stops: tuple[str, ...]
    found: bool = False
    """Whether a stop string came; nothing is let through from then on."""
    _held: str = ""
    _begun: frozenset[str] = field(init=False)
    """All that a stop string may begin with."""

    def __post_init__(self) -> None:
        self._begun = frozenset(stop[:size] for stop in self.stops for size in range(1, len(stop)))

    def feed(self, text: str) -> str:
        """Take a piece of text; return what may be shown of it and of what was held back."""
        if self.found:
            return ""
        text = self._held + text
        ends = [at for stop in self.stops if stop and (at := text.find(stop)) >= 0]
        if ends:
            self.found, self._held = True, ""
            return text[: min(ends)]
        held = self._held_back(text)
        self._held = text[len(text) - held :]
        return text[: len(text) - held]

    def flush(self) -> str:
        """Nothing more will come: return what was held back."""
        text, self._held = self._held, ""
        return text

    def _held_back(self, text: str) -> int:
        """Return how many characters at the end may yet become a stop string."""
        longest = max(map(len, self._begun), default=0)
        sizes = range(min(longest, len(text)), 0, -1)
        return next((size for size in sizes if text[-size:] in self._begun), 0)
