"""Guards over a streaming reply.

A base model does not stop by itself: it goes on to write the next person's
line, or the same line for ever. A guard reads the stream as it comes and says
what may be shown, what must wait and where to cut. It holds back no more than
the longest string that it looks for, so words appear at once.

Pure: no clock, no network. What a family forbids is in its profile
(engine/families). Pacing is not here: bot/delivery.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

LONGEST_LOOP_WORDS = 24
"""The longest run of words whose repetition is looked for."""
LOOP_TIMES = 4
"""So often in a row is a loop. Three may be emphasis ("no, no, no")."""
LOOKED_BACK_WORDS = LONGEST_LOOP_WORDS * LOOP_TIMES
"""What came before cannot make a loop of them."""
LOOP_CHARS = 20
"""Shorter loops ("ha ha ha ha") are taken for emphasis until they reach this length."""
UNBROKEN_CHARS = 120
"""One character repeated that often is a flood."""
FLOOD = re.compile(rf"(.)\1{{{UNBROKEN_CHARS - 1}}}", re.DOTALL)
WORD = re.compile(r"\S+")

NOTES = {
    "loop": "_I was repeating myself, so I stopped here._",
    "flood": "_I was repeating myself, so I stopped here._",
    "length": "_That is as long as my replies get. Say “go on” for more._",
}
"""What the person reads where a guard cut. An invented turn is cut without a word:
what came before it is whole."""


@dataclass(slots=True, kw_only=True)
class Guard:
    """Reads one reply. `feed` it pieces, then `flush`; `text` is what may be shown."""

    stops: tuple[str, ...]
    """End the reply; the family's own."""
    never: tuple[str, ...] = ()
    """Must not begin a line: the opening of somebody else's turn."""
    max_chars: int = 8_000
    text: str = ""
    """All that may be shown so far."""
    cut: str = ""
    """Which guard ended the reply: `stop`, `invented_turn`, `loop`, `flood` or `length`."""
    _raw: str = field(default="", repr=False)
    _searched: int = field(default=0, repr=False)
    """How much of `_raw` was searched for what ends a reply."""
    _begun: frozenset[str] = field(init=False, repr=False)
    """All that a stop or an invented turn may begin with."""
    _invented: re.Pattern[str] | None = field(init=False, repr=False)
    _looked_at: int = field(default=0, repr=False)
    """Where in `text` the last word ended that was looked at for loops."""
    _unflooded: int = field(default=0, repr=False)
    """How much of `text` holds no flood."""
    _words: list[str] = field(default_factory=list, repr=False)
    """The last words that were looked at."""
    _ends: list[int] = field(default_factory=list, repr=False)
    """Where each of them ends in `text`."""

    def __post_init__(self) -> None:
        marks = (*self.stops, *("\n" + mark for mark in self.never))
        self._begun = frozenset(mark[:size] for mark in marks for size in range(1, len(mark)))
        openings = "|".join(re.escape(mark) for mark in self.never)
        self._invented = re.compile(rf"^[ \t]*(?:{openings})", re.MULTILINE) if openings else None

    def feed(self, piece: str) -> bool:
        """Take a piece of the stream. Returns False once no more is wanted."""
        if self.cut:
            return False
        self._raw += piece
        self._find_ends()
        held = 0 if self.cut else self._held_back()
        self.text = self._raw[: len(self._raw) - held].lstrip()
        self._find_loops(whole=bool(self.cut))
        return not self.cut

    def flush(self) -> str:
        """The stream is over: show what was held back, and return the whole text."""
        if not self.cut:
            self.text = self._raw.lstrip()
            self._find_loops(whole=True)
        self.text = self.text.rstrip()
        return self.text

    @property
    def note(self) -> str:
        """What the person is told about a cut; may be empty."""
        return NOTES.get(self.cut, "")

    def _find_ends(self) -> None:
        """Look for what ends the reply, where the last look could not have seen it."""
        longest = max(map(len, self.stops), default=0)
        since = max(0, self._searched - longest)
        ends = [(at, "stop") for stop in self.stops if (at := self._raw.find(stop, since)) >= 0]
        line = self._raw.rfind("\n", 0, self._searched) + 1
        if self._invented and (found := self._invented.search(self._raw, line)):
            ends.append((found.start(), "invented_turn"))
        lead = len(self._raw) - len(self._raw.lstrip())
        if len(self._raw) - lead > self.max_chars:
            ends.append((lead + self.max_chars, "length"))
        self._searched = len(self._raw)
        if ends:
            at, self.cut = min(ends)
            self._raw = self._raw[:at].rstrip()

    def _held_back(self) -> int:
        """Return how many characters at the end may yet become something to cut."""
        longest = max(map(len, self._begun), default=0)
        for size in range(min(longest, len(self._raw)), 0, -1):
            if self._raw[-size:] in self._begun:
                return size
        return len(self._raw) - len(self._raw.rstrip())

    def _find_loops(self, *, whole: bool) -> None:
        """Look at each word that ended since the last look; `whole`: the last word ended too.

        A word that still grows is no repetition yet, and each end is looked at in
        turn, so that it makes no difference how the stream was cut into pieces.
        """
        flood = FLOOD.search(self.text, max(0, self._unflooded - UNBROKEN_CHARS))
        self._unflooded = len(self.text)
        for word in WORD.finditer(self.text, self._looked_at):
            end = word.end()
            if end == len(self.text) and not whole:
                break
            if flood and flood.end() <= end:
                break
            self._words.append(word.group())
            self._ends.append(end)
            if rounds_end := _first_round_end(self._words, self._ends):
                self.cut = "loop"
                self.text = self.text[:rounds_end].rstrip()
                return
            self._looked_at = end
            if len(self._words) > 2 * LOOKED_BACK_WORDS:
                del self._words[:-LOOKED_BACK_WORDS], self._ends[:-LOOKED_BACK_WORDS]
        if flood:
            self.cut = "flood"
            self.text = self.text[: flood.start() + 3]


def _first_round_end(words: Sequence[str], ends: Sequence[int]) -> int:
    """Return where the first round of a loop ends, if the last word ends one; 0: it doesn't."""
    for size in range(1, min(LONGEST_LOOP_WORDS, len(words) // LOOP_TIMES) + 1):
        if words[-1] != words[-1 - size]:
            continue
        last = words[-size:]
        times = 1
        while words[-size * (times + 1) : -size * times] == last:
            times += 1
        length = len(" ".join(last))
        if times >= LOOP_TIMES and length * times >= LOOP_CHARS * LOOP_TIMES / 2:
            return ends[-size * (times - 1) - 1]
    return 0
