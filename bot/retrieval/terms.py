"""A text's search terms. Pure."""

from __future__ import annotations

import re

TERM = re.compile(r"[^\W_]+")
STOP_TERMS = frozenset(
    """a an and are as at be been by can could did do does for from had has have he her his how i
    if in into is it its me my of on or our she should so than that the their them then there
    these they this those to us was we were what when where which who whom whose why will with
    would you your about any please jay tell know anyone anybody somebody someone ok hi hello
    thanks also just now here get got""".split()
)
ENDINGS = (
    ("ies", "y"),
    ("sses", "ss"),
    ("ing", ""),
    ("ed", ""),
    ("es", ""),
    ("s", ""),
    ("e", ""),
)
"""What is cut off a word, and what takes its place; the first that fits."""
LEAST_STEM = 3


def terms(text: str) -> list[str]:
    """Return a text's search terms: lower case, without stop words, endings folded."""
    found = (term for term in TERM.findall(text.lower()) if term not in STOP_TERMS)
    return [fold(term) for term in found]


def fold(term: str) -> str:
    """Return a lower-case word without its ending: `moved`, `moves` and `move` are one term."""
    for ending, instead in ENDINGS:
        if term.endswith(ending) and not term.endswith("ss"):
            stem = term[: -len(ending)] + instead
            if len(stem) < LEAST_STEM:
                continue
            doubled = ending in ("ing", "ed") and stem[-1] == stem[-2] and stem[-1] not in "lsz"
            return stem[:-1] if doubled else stem
    return term
