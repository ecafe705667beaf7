"""Where a word may be cut: between what a reader sees as single characters.

An emoji of several code points, a letter with its accents or a flag stays one.
The rules are those of Unicode's extended grapheme clusters (UAX 29) as far as
chat text meets them: marks, joiners, modifiers, tags and flag pairs.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

JOINER = "\u200d"
LONGEST = 32
"""A longer cluster (letters heaped with marks) is cut all the same."""


def clusters(text: str) -> Iterator[str]:
    """Yield the characters of a text as a reader sees them; joined they are the text."""
    start, flags = 0, 0
    for at in range(1, len(text)):
        before, char = text[at - 1], text[at]
        flags = flags + 1 if _is_flag_half(before) else 0
        if at - start < LONGEST and _holds_together(before, char, odd_flags=flags % 2 == 1):
            continue
        yield text[start:at]
        start = at
    if start < len(text):
        yield text[start:]


def _holds_together(before: str, char: str, *, odd_flags: bool) -> bool:
    if before == JOINER or char == JOINER:
        return True
    if _is_flag_half(char):
        return odd_flags
    return (
        unicodedata.category(char) in ("Mn", "Me", "Mc")
        or "\U0001f3fb" <= char <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= char <= "\U000e007f"  # tags, as in the flag of Wales
    )


def _is_flag_half(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
