"""How well a message answers a question: what speaks for it, in one number. Pure.

What is weighed: whether it holds the kind of thing that is asked for, how near
it is in meaning, how near what is left of both is once their common words are
out ("who handles reservations" beside "please book it through"), whether it
says what is asked, and whether the question is about another thing. The
weights were fitted by logistic regression on the `develop` part of the answer
set; `jay evaluate skills` measures them on the part that was held out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bot.messages import IncomingMessage
from bot.retrieval import Hit, is_question
from bot.retrieval.terms import terms
from bot.skills.questions import holds, kind_of

OPENERS = frozenset(
    "the a an our my your his her their this that of for with in on at about".split()
)
"""Words that what a question is about stands behind."""
STOPS = frozenset(
    """any more so far now then last first again yet still built made held kept sold bought lost
    found written taken given put sent paid left told done gone won born off""".split()
)
"""Words that end the thing before them, though no ending tells that they are verbs."""
WANTED = frozenset(
    terms(
        "many much time date day hour month week year room place building location person people "
        "number amount reason kind which turn name thing"
    )
)
"""Words of a question that only say what kind of answer it wants."""
RAREST = 5.0
"""About the rarity of a term that one message of two hundred holds."""
NO_REST = 0.2
"""Likeness under which what is left of two texts has nothing to do with one another."""
OWN_WORDS = 0.5
"""Share of a question's words that a message of the "I did it" kind must hold itself."""


BIAS = -4.98
BY_MEANING = {
    "kind": 4.48,
    "meaning": 3.45,
    "rest": 2.14,
    "elsewhere": -2.60,
    "other": -1.96,
    "said": 1.34,
    "sibling": -2.10,
    "unmet": -3.16,
}
BY_WORDS_BIAS = -4.65
"""One less than was fitted: by words alone it would take one thing for another too often."""
BY_WORDS = {"kind": 4.63, "elsewhere": -2.21, "other": -1.21, "said": 2.52, "sibling": -3.43}
"""Where there are no vectors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What speaks for one message; each from 0 to 1, or near it."""

    hit: Hit
    kind: float
    """It holds what kind of thing is asked for."""
    meaning: float
    rest: float
    elsewhere: float
    """How rare the rarest thing is that the question names, others speak of, and it does not."""
    other: float
    """Share of what the question is about that it lacks."""
    said: float
    """Share that it holds of what is asked about that."""
    by_meaning: bool

    @property
    def sibling(self) -> float:
        """It says what is asked, but of another thing."""
        return self.said * self.other

    @property
    def unmet(self) -> float:
        """What is asked of the thing stands in it neither by words nor by meaning."""
        return (1.0 - self.said) * max(0.0, 1.0 - self.rest / NO_REST)

    @property
    def score(self) -> float:
        """Log-odds that it answers the question."""
        weights, bias = (BY_MEANING, BIAS) if self.by_meaning else (BY_WORDS, BY_WORDS_BIAS)
        values = {
            "kind": self.kind,
            "meaning": self.meaning,
            "rest": self.rest,
            "elsewhere": self.elsewhere,
            "other": self.other,
            "said": self.said,
            "sibling": self.sibling,
            "unmet": self.unmet,
        }
        return bias + sum(weight * values[name] for name, weight in weights.items())


def weigh(
    question: str, hits: Sequence[Hit], *, people: Collection[str], before: str = ""
) -> list[Evidence]:
    """Return what speaks for each hit, the best first.

    Args:
        question: what was asked.
        hits: what retrieval found.
        people: names that are known here, in lower case.
        before: the question that this one follows up, if it does.
    """
    found = [_weigh_one(question, hit, people, before) for hit in hits]
    return sorted(found, key=lambda one: -one.score)


def _weigh_one(question: str, hit: Hit, people: Collection[str], before: str) -> Evidence:
    message, whole = hit.message, f"{before} {question}".strip()
    kind = kind_of(question)
    context = _context(hit, {kind, kind_of(before)} if before else {kind})
    asked = {term: hit.rarity.get(term, 0.0) for term in terms(whole)}
    weight = sum(asked.values()) or 1.0
    own = set(terms(message.text))
    if kind != "who":
        own |= set(terms(message.author.name))
    held = own | (set(terms(context.text)) if context else set())
    held_own = sum(rarity for term, rarity in asked.items() if term in own) / weight
    has_kind = holds(kind, message.text, author=message.author.name, question=whole, people=people)
    if kind == "who" and has_kind and _only_i(message, people, whole):
        has_kind = bool(before) or held_own >= OWN_WORDS
    return Evidence(
        hit=hit,
        kind=float(has_kind),
        meaning=hit.meaning or 0.0,
        rest=hit.rest or 0.0,
        elsewhere=_elsewhere(whole, hit, held),
        other=_other(before or question, hit, held),
        said=_said(question, hit, held),
        by_meaning=hit.meaning is not None,
    )


def _context(hit: Hit, kinds: Collection[str]) -> IncomingMessage | None:
    """Return the message before, if it counts: of a question only one of the same kind."""
    if hit.before is None or not is_question(hit.before.text):
        return hit.before
    asked = kind_of(hit.before.text)
    return hit.before if "what" in (*kinds, asked) or asked in kinds else None


def _only_i(message: IncomingMessage, people: Collection[str], question: str) -> bool:
    """Tell whether its author is the only person that a message speaks of."""
    without_i = re.sub(r"\b[Ii](?:['’]\w+)?\b", "we", message.text)
    return not holds("who", without_i, author=message.author.name, question=question, people=people)


def named(question: str) -> list[list[str]]:
    """Return the things that a question names, as terms: behind an article, or with a capital."""
    things: list[list[str]] = []
    goes_on = ""
    for at, word in enumerate(re.findall(r"[^\s?.,;!]+", question)):
        found, is_name = terms(word), bool(at) and word[0].isupper()
        if word.lower() in OPENERS:
            things.append([])
            goes_on = "thing"
        elif is_name and found:
            things.append(found) if goes_on == "" else things[-1].extend(found)
            goes_on = goes_on or "name"
        elif goes_on == "thing" and found and not _ends(word.lower(), things[-1]):
            things[-1] += found
        else:
            goes_on = ""
    return [thing for thing in things if thing]


def _ends(word: str, thing: Sequence[str]) -> bool:
    """Tell whether a word no longer belongs to the thing before it: "the hood last serviced"."""
    return bool(thing) and (word in STOPS or word.endswith(("ed", "ing")))


def names(question: str) -> set[str]:
    """Return the terms that a question writes as names."""
    words = re.findall(r"[^\s?.,;!]+", question)[1:]
    return {term for word in words if word[0].isupper() for term in terms(word)}


def _elsewhere(question: str, hit: Hit, held: Collection[str]) -> float:
    """Return how rare the rarest thing is that the question names and others speak of."""
    missing = [
        hit.rarity[term]
        for thing in named(question)
        for term in thing
        if term not in held and term in hit.known
    ]
    return max(missing, default=0.0) / RAREST


def _other(question: str, hit: Hit, held: Collection[str]) -> float:
    """Return the share of what the question is about that the message lacks.

    English tends to name that last: "Who books the room for the poster evening?"
    """
    if names(question) - set(held):
        return 1.0
    things = named(question)
    if not things:
        return 0.0
    weight = sum(hit.rarity.get(term, 0.0) for term in things[-1]) or 1.0
    return sum(hit.rarity.get(term, 0.0) for term in things[-1] if term not in held) / weight


def _said(question: str, hit: Hit, held: Collection[str]) -> float:
    """Return the share that the message holds of what is asked about the thing.

    That is what the question's terms are besides the thing itself, which it names last, and
    what only says what kind of answer is wanted. Nothing besides: 1.
    """
    things = named(question)
    about = set(things[-1]) if things else set()
    asked = [term for term in dict.fromkeys(terms(question)) if term not in about | WANTED]
    weight = sum(hit.rarity.get(term, 0.0) for term in asked)
    if not weight:
        return 1.0
    return sum(hit.rarity.get(term, 0.0) for term in asked if term in held) / weight
