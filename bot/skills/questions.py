"""What kind of thing a question asks for, and whether a text holds one. Pure.

"Who" wants a person, "when" a time, "how many" a number. A message that shares
every word with a question and holds nothing of the kind that it asks for is no
answer to it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal, TypeAlias

from bot.retrieval.terms import terms

Kind: TypeAlias = Literal["who", "when", "where", "many", "why", "what"]

ASKS: tuple[tuple[Kind, str], ...] = (
    (
        "when",
        r"\b(when|(what|which) (time|date|day|hour|month|week|year|weekday)|how soon|"
        r"what is the (deadline|date|time)|what(?:'s| is) the deadline)\b",
    ),
    (
        "many",
        r"\b(how (many|much|large|big|heavy|tall|long|far|old|high|often|expensive)|"
        r"(what|which) (number|amount|price|percentage|share|size|headcount|budget)|"
        r"what(?:'s| is| was| are| were) (the|our|my|their|its) (\w+ )?"
        r"(number|amount|price|cost|budget|headcount|size|total|fee|rent)|"
        r"what (do|does|did|will|would|can|should) .*\b(cost|pay|paid|spend|weigh|charged?|earn)\b)",
    ),
    (
        "who",
        r"\b(who|whom|whose|which (person|people|one of (us|you))|"
        r"what (is|was|are|were) .* (called|named)|what(?:'s| is) the name)\b",
    ),
    (
        "where",
        r"\b(where|(what|which) (room|place|building|location|city|town|country|floor|channel|"
        r"folder|hospital|office|venue|address))\b",
    ),
    ("why", r"\b(why|how come|what (caused|broke|ruined)|(what|which) (is |was )?(the )?reason)\b"),
)
"""How each kind is asked for; where several fit, the one that stands first in the question."""

MONTHS = (
    "january february march april may june july august september october november december"
).split()
WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
DAYS = "today tonight tomorrow yesterday morning afternoon evening midnight noon weekend".split()
CALENDAR = frozenset((*MONTHS, *WEEKDAYS, *DAYS))
NUMBERS = frozenset(
    """two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety
    hundred thousand million dozen half twice""".split()
)
WHEN = re.compile(
    rf"\b(?:{'|'.join((*MONTHS, *WEEKDAYS, *DAYS))})s?\b|\b\d{{1,2}}[:.h]\d{{2}}\b|"
    r"\b\d{1,2} ?(?:am|pm|o'clock)\b|\b\d{1,2}(?:st|nd|rd|th)\b|\b\d{4}-\d{2}-\d{2}\b|"
    r"\b\d{1,2}[/.]\d{1,2}(?:[/.]\d{2,4})?\b|\b(?:next|last|this) (?:week|month|year|spring|summer|"
    r"autumn|fall|winter)\b|\bin (?:a|an|\d+|\w+) (?:minute|hour|day|week|month|year)s?\b|"
    r"\b(?:20|19)\d{2}\b|\b(?:half|quarter) past\b",
    re.IGNORECASE,
)
WHERE = re.compile(
    r"(?<![\w-])(?:in|at|on|under|behind|inside|near|next to|into|beside|opposite|above|below|through|"
    r"via|outside|booked|chose|picked|went for|going for|moved? to|moves to)\s+"
    r"(?:(?:the|a|an|our|your|his|her|their)\s+)?"
    r"(?!(?:i|it|you|that|the|them|us|this|time|dot|track|way|fact|general|order|case|total|person|"
    r"charge|touch|advance|least|most|all|once|sale|holiday|leave|hold|average|purpose|top)\b)"
    r"[a-z'’][\w'’]+|"
    r"https?://\S+|(?:^|\s)[~/][\w./-]+|#\w+",
    re.IGNORECASE,
)
COUNTED = re.compile(r"\bhow many ([\w'’ -]+)", re.IGNORECASE)
VERBS = frozenset("are is were was do does did have has had can could will would should".split())
MEASURES: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (re.compile(asked, re.IGNORECASE), re.compile(unit, re.IGNORECASE))
    for asked, unit in (
        (
            r"\bhow heavy\b|\bweigh(s|ed)?\b",
            r"\d ?(?:kg|g|kilos?|grams?|tons?|tonnes?|lbs?|stones?)\b",
        ),
        (
            r"\bhow (tall|high|wide|deep|far)\b",
            r"\d ?(?:cm|mm|m|km|met(?:re|er)s?|feet|ft|inch(?:es)?|miles?|kilomet(?:re|er)s?|yards?)\b",
        ),
        (r"\bhow long\b", r"\b(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|min|h)\b"),
        (r"\bhow old\b", r"\b(?:days?|weeks?|months?|years?)\b"),
        (
            r"\b(costs?|price|pay|paid|spen[dt]|budget|charged?|fee|rent)\b|"
            r"\bhow much (is|was|are|were|does|did|do|will)\b",
            r"[$€£¥]|\b(?:euros?|pounds?|dollars?|crowns?|kroner|kronor|francs?|yen|bucks|quid|"
            r"cents?|eur|usd|gbp|chf)\b",
        ),
    )
)
"""What some questions measure, and a unit that their answer has."""
WHY = re.compile(
    r"\b(?:because|since|due to|as|so that|thanks to|after|caused|reason|in order|otherwise|"
    r"to avoid|cause|for)\b|[,:;–—] ",
    re.IGNORECASE,
)
NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
NAME_DOES = re.compile(r"\s*([A-Z][a-z]+) (?:[a-z]+ed|will|has|can|took|did|wrote|said|found)\b")
"""A name at the beginning, where a capital tells nothing: somebody does something."""
DID = frozenset(
    "found put left took made saw got gave brought bought sold sent wrote told kept built".split()
)
FIRST_PERSON = frozenset("i i'm i'll i've i'd i’m i’ll i’ve i’d".split())


def kind_of(question: str) -> Kind:
    """Return what kind of thing a question asks for; `what` where that says little."""
    text = question.lower()
    found = [
        (match.start(), at, kind)
        for at, (kind, pattern) in enumerate(ASKS)
        if (match := re.search(pattern, text))
    ]
    return min(found)[2] if found else "what"


def holds(kind: Kind, text: str, *, author: str, question: str, people: Collection[str]) -> bool:
    """Tell whether a message holds something of a kind that the question did not name itself.

    Args:
        kind: what is asked for.
        text: what the message says.
        author: who wrote it: an answer to "who" where it speaks of itself.
        question: what was asked.
        people: names that are known here, in lower case.
    """
    asked = set(_words(question))
    match kind:
        case "who":
            return bool(_people(text, author, people) - asked)
        case "when":
            return any(_is_new(found, asked) for found in WHEN.findall(text))
        case "many":
            return _holds_amount(text, question, asked)
        case "where":
            return any(_is_new(found, asked) for found in WHERE.findall(WHEN.sub(",", text)))
        case "why":
            return WHY.search(text) is not None
        case "what":
            return True


def _speaks_of_itself(sentence: str) -> bool:
    """Tell whether a sentence leaves its "I" out: "Found them, they were upstairs"."""
    first = sentence.strip().split(" ", 1)[0].lower()
    return first in DID or (first.endswith("ed") and len(first) > 4)


def _people(text: str, author: str, people: Collection[str]) -> set[str]:
    """Return the names in a message, in lower case; its author's where it says "I"."""
    found: set[str] = set()
    for sentence in re.split(r"[.!?:;]\s+|\n", text):
        if _speaks_of_itself(sentence):
            found.update(_words(author))
        for at, word in enumerate(WORD.findall(sentence)):
            plain = re.sub(r"['’]s$", "", word.lower())
            if plain in FIRST_PERSON:
                found.update(_words(author))
            elif plain in people or (at and word[0].isupper() and plain not in CALENDAR):
                found.add(plain)
        if (opening := NAME_DOES.match(sentence)) and terms(opening[1]):
            found.add(opening[1].lower())
    return found


def _holds_amount(text: str, question: str, asked: set[str]) -> bool:
    """Tell whether a message holds a number of what is counted or measured."""
    if not any(_is_new(found, asked) for found in _amounts(text)):
        return False
    if counted := COUNTED.search(question):
        return _is_counted(counted[1].split(), set(terms(text)))
    return all(unit.search(text) for measured, unit in MEASURES if measured.search(question))


def _is_counted(words: list[str], held: set[str]) -> bool:
    """Tell whether a message holds what is counted: the noun before the verb, if that is plain."""
    for at, word in enumerate(words[:5]):
        if word.lower() in VERBS and at:
            return bool(set(terms(words[at - 1])) & held)
    return bool(set(terms(words[0])) & held)


def _amounts(text: str) -> list[str]:
    """Return the numbers of a text that are no times, in digits or words."""
    plain = WHEN.sub(" ", text)
    return NUMBER.findall(plain) + [one for one in _words(plain) if one in NUMBERS]


def _is_new(found: str, asked: set[str]) -> bool:
    return not set(_words(found)) <= asked


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())
