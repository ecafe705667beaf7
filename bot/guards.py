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
from dataclasses import dataclass, field

LONGEST_LOOP_WORDS = 24
"""The longest run of words whose repetition is looked for."""
LOOP_TIMES = 4
"""So often in a row is a loop. Three may be emphasis ("no, no, no")."""
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
    _looked_at: int = field(default=0, repr=False)
    """Where in `text` the last word ended that was looked at for loops."""

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
        ends = [(at, "stop") for stop in self.stops if (at := self._raw.find(stop)) >= 0]
        ends += [(at, "invented_turn") for mark in self.never if (at := self._line_with(mark)) >= 0]
        if len(self._raw.lstrip()) > self.max_chars:
            lead = len(self._raw) - len(self._raw.lstrip())
            ends.append((lead + self.max_chars, "length"))
        if ends:
            at, self.cut = min(ends)
            self._raw = self._raw[:at].rstrip()

    def _line_with(self, mark: str) -> int:
        match = re.search(rf"^[ \t]*{re.escape(mark)}", self._raw, re.MULTILINE)
        return match.start() if match else -1

    def _held_back(self) -> int:
        """Return how many characters at the end may yet become something to cut."""
        marks = (*self.stops, *("\n" + mark for mark in self.never))
        longest = max((len(mark) - 1 for mark in marks), default=0)
        for size in range(min(longest, len(self._raw)), 0, -1):
            tail = self._raw[-size:]
            if any(mark.startswith(tail) for mark in marks):
                return size
        return len(self._raw) - len(self._raw.rstrip())

    def _find_loops(self, *, whole: bool) -> None:
        """Look at each word that ended since the last look; `whole`: the last word ended too.

        A word that still grows is no repetition yet, and each end is looked at in
        turn, so that it makes no difference how the stream was cut into pieces.
        """
        flood = FLOOD.search(self.text, max(0, self._looked_at - UNBROKEN_CHARS))
        for word in WORD.finditer(self.text, self._looked_at):
            end = word.end()
            if end == len(self.text) and not whole:
                break
            if flood and flood.end() <= end:
                break
            if repeated := _loop_at_end(self.text[:end]):
                self.cut = "loop"
                self.text = self.text[: end - repeated].rstrip()
                return
            self._looked_at = end
        if flood:
            self.cut = "flood"
            self.text = self.text[: flood.start() + 3]


def _loop_at_end(text: str) -> int:
    """Return how many characters at the end only repeat what stands before them; 0: none."""
    words = list(WORD.finditer(text[-LONGEST_LOOP_WORDS * LOOP_TIMES * 12 :]))
    spoken = [match.group() for match in words]
    for size in range(1, min(LONGEST_LOOP_WORDS, len(spoken) // LOOP_TIMES) + 1):
        last = spoken[-size:]
        times = 1
        while spoken[-size * (times + 1) : -size * times] == last:
            times += 1
        length = len(" ".join(last))
        if times >= LOOP_TIMES and length * times >= LOOP_CHARS * LOOP_TIMES / 2:
            first_end = words[-size * (times - 1) - 1].end()
            return words[-1].end() - first_end
    return 0
