"""One pattern, many ways of saying it; and how fingers slip. Pure.

A pattern holds choices, `(hi|hello)( there|)`, which may be nested, and slots,
`{name}`. Slots are filled from pools; a slot that stands twice gets one value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from random import Random

MOST_EXPANSIONS = 400
"""Ways of one pattern that are kept; the rest adds nothing that these don't teach."""
SLOT = re.compile(r"\{([a-z_]+?)(\d?)\}")
EMOJI = ("🙂", "👋", "😊", "🙏", "👍", "😅", "😂", "🎉", "🤔", "☕", ":)", "!", "!!")
GREETINGS = (
    ("Hello", "Hello"), ("Hi", "Hi"), ("Hey", "Hi"), ("Hello there", "Hello"), ("Hi there", "Hi"),
    ("Good morning", "Good morning"), ("Morning", "Good morning"),
    ("Good afternoon", "Good afternoon"), ("Good evening", "Good evening"),
)  # fmt: skip
"""What opens a message beside its request, and what Jay opens with in return."""
LEADS = (
    "ok,", "ok", "okay,", "ok and", "and", "and", "so", "so,", "cool.", "great,", "nice.", "hm,",
    "hmm", "alright,", "well,", "also,", "but", "one more question:", "by the way,", "btw", "now",
    "thanks.", "thank you.", "thanks!", "I see.", "good.", "sorry,", "please,", "um,", "oh,",
    "another question:", "tell me,", "haha,", "wow,", "right,", "yes, but", "no, I mean:",
    "I have a question:", "quick question:", "hey,", "listen,", "can you tell me:", "just curious,",
    "one thing:", "sorry to bother you, but", "I'm new here.", "me again.", "good to know.",
)  # fmt: skip
"""What people put before their next message in the middle of a talk."""
TRAILS = ("please", "pls", "thanks", "now", "then", "if you can", "for me", "ok?", "real quick")
SHORT = {
    "you": "u", "are": "r", "please": "pls", "what": "wat", "your": "ur", "thanks": "thx",
    "thank": "thx", "because": "bc", "people": "ppl", "tomorrow": "tmrw", "about": "abt",
    "this": "dis", "the": "teh", "and": "n", "okay": "k", "with": "w/", "don't": "dont",
    "can't": "cant", "what's": "whats", "i'm": "im", "how's": "hows", "you're": "ur",
}  # fmt: skip
"""How words are cut short in chats."""
KEEP_CASE = re.compile(r"\bi\b")


@lru_cache(maxsize=20_000)
def expand(pattern: str) -> tuple[str, ...]:
    """Return every way of a pattern, slots unfilled, without doubles."""
    ways, at = _sequence(pattern, 0)
    if at != len(pattern):
        raise ValueError(f"a bracket is closed that was not opened: {pattern!r}")
    clean = dict.fromkeys(" ".join(way.split(" ")).strip() for way in ways)
    return tuple(clean)


def _sequence(pattern: str, at: int) -> tuple[list[str], int]:
    """Expand from `at` to the end of this choice."""
    ways = [""]
    while at < len(pattern) and pattern[at] not in "|)":
        if pattern[at] == "(":
            inner, at = _choice(pattern, at + 1)
            ways = [way + one for way in ways for one in inner]
            if len(ways) > MOST_EXPANSIONS:
                ways = Random(len(ways)).sample(ways, MOST_EXPANSIONS)
        else:
            end = at
            while end < len(pattern) and pattern[end] not in "(|)":
                end += 1
            ways = [way + pattern[at:end] for way in ways]
            at = end
    return ways, at


def _choice(pattern: str, at: int) -> tuple[list[str], int]:
    found: list[str] = []
    while True:
        ways, at = _sequence(pattern, at)
        found += ways
        if at >= len(pattern):
            raise ValueError(f"a bracket is not closed: {pattern!r}")
        at += 1
        if pattern[at - 1] == ")":
            return found, at


def slots(text: str) -> Iterator[tuple[str, str]]:
    """Yield each slot of a text as it stands, with the name of its pool."""
    for match in SLOT.finditer(text):
        yield match.group(0), match.group(1)


def fill(text: str, pools: Mapping[str, Sequence[str]], rng: Random, values: dict[str, str]) -> str:
    """Fill the slots; `values` carries what was drawn from one text of a turn to the next."""
    for slot, pool in slots(text):
        if slot not in values:
            values[slot] = rng.choice(pools[pool])
        text = text.replace(slot, values[slot])
    return text


def as_typed(text: str, rng: Random, haste: float = 1.0) -> str:
    """Return a text as somebody in a hurry types it; most stay as they are or nearly so.

    Args:
        text: what is meant.
        rng: the dice.
        haste: slips and shouting come so many times as often as people let them.
    """
    text = _ended(_cased(text, rng), rng)
    if rng.random() < 0.12:
        text = text.replace("'", "" if rng.random() < 0.7 else "’")
    if rng.random() < 0.06:
        text = " ".join(SHORT.get(word.lower(), word) for word in text.split(" "))
    for chance in (0.14, 0.03):
        if rng.random() < chance * haste:
            text = _slip(text, rng)
    if rng.random() < 0.06:
        text = f"{text} {rng.choice(EMOJI)}"
    if rng.random() < 0.02 * haste and "{" not in text:
        text = text.upper()
    return text


def _cased(text: str, rng: Random) -> str:
    if rng.random() < 0.45:
        text = text[:1].lower() + text[1:] if rng.random() < 0.5 else KEEP_CASE.sub("i", text)
        return text.lower() if rng.random() < 0.6 else text
    return text[:1].upper() + text[1:] if rng.random() < 0.7 else text


def _ended(text: str, rng: Random) -> str:
    if rng.random() < 0.35:
        return text.rstrip("?.!")
    if text[-1:].isalnum() and rng.random() < 0.15:
        return text + rng.choice((".", "!", "?", "..."))
    return text


def greeted(text: str, reply: str, rng: Random) -> tuple[str, str]:
    """Return what is said and replied with a greeting before both."""
    said, replied = rng.choice(GREETINGS)
    said = said.lower() if rng.random() < 0.3 else said
    name = rng.choice(("", "", " Jay", ", Jay", " jay"))
    mark = rng.choice(("!", "!", ",", ".", ""))
    asked = text if mark in ("!", ".") else text[:1].lower() + text[1:]
    if reply.startswith(("Hello", "Hi")):
        return f"{said}{name}{mark} {asked}", reply
    return f"{said}{name}{mark} {asked}", f"{replied}! {reply}"


def ungreeted(reply: str) -> str:
    """Return a reply without the greeting that `greeted` put before it."""
    for _, replied in GREETINGS:
        reply = reply.removeprefix(f"{replied}! ")
    return reply


def led(text: str, rng: Random) -> str:
    """Return a text with a lead-in, or now and then with something trailing after it."""
    if rng.random() < 0.25:
        return f"{text.rstrip('.!')} {rng.choice(TRAILS)}" if not text.endswith("?") else text
    lead = rng.choice(LEADS)
    lead = lead[:1].upper() + lead[1:] if rng.random() < 0.4 else lead
    return f"{lead} {text if lead[-1] in '.!' else text[:1].lower() + text[1:]}"


def called(text: str, rng: Random) -> str:
    """Return a text that addresses Jay by name now and then, as people do in channels."""
    if "jay" in text.lower() or rng.random() > 0.16:
        return text
    jay = rng.choice(("Jay", "jay", "@Jay", "@jay"))
    low = text[:1].lower() + text[1:] if not text.startswith("I ") else text
    return rng.choice((f"{jay}, {low}", f"{jay} {low}", f"hey {jay}, {low}", f"{low} {jay}"))


def _slip(text: str, rng: Random) -> str:
    """Drop, double or swap a letter inside a longer word."""
    words = text.split(" ")
    long = [at for at, word in enumerate(words) if len(word) > 3 and word.isalpha()]
    if not long:
        return text
    at = rng.choice(long)
    word = words[at]
    spot = rng.randrange(1, len(word) - 1)
    kind = rng.randrange(3)
    if kind == 0:
        word = word[:spot] + word[spot + 1 :]
    elif kind == 1:
        word = word[:spot] + word[spot] + word[spot:]
    else:
        word = word[:spot] + word[spot + 1] + word[spot] + word[spot + 2 :]
    words[at] = word
    return " ".join(words)
