"""What is right: the rules by which replies are judged. Pure.

right       the reply holds what the intent's `must` asks for (of each list one of the
            words), or, for an intent without, it is one of the intent's replies
well formed it ended by itself and is not empty, holds no border of a turn, says no four
            words in a row twice; of a checkpoint trained on the bundled corpus alone also:
            every word stands in the training texts or in the conversation
the value   stands in a reply as it was written, whatever the case, with no letter or
            digit beside it
abstains    says that it does not see, know or find it
declines    says sorry, no, or that it can't or won't
ROUGE-L     the longest common subsequence of words, F1 (Lin, 2004), no stemming
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from engine.training.corpus import MINI, Exchange
from engine.training.intents import Intent, load_pools
from engine.training.phrasing import GREETINGS, ungreeted
from engine.training.reading import load_facts

WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
LOOP = 4
"""Words that said twice in a row of words make a reply a loop."""
NOT = r"(?:do(?:es)? not|don['’]?t|doesn['’]?t|did not|didn['’]?t|can ?not|can['’]?t|could not)"
SEEN = r"(?:see|seen|know|known|find|found|say|said|tell|told|mention|mentioned|answer|stand)"
ABSTAINS = re.compile(
    rf"\b{NOT}\b[^.?!]{{0,20}}\b{SEEN}\b|\bnothing\b|\bno (?:message|clear)|\bnot sure\b"
    rf"|\bnot {SEEN}\b",
    re.IGNORECASE,
)
DECLINES = re.compile(
    r"\b(?:sorry|can['’]?t|can ?not|won['’]?t|will not|unable|not able|rather not)\b|\bno\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One reply, with what is thought of it."""

    intent: str
    asked: str
    said: str
    right: bool
    well_formed: bool


class Judge:
    """Knows every intent's replies, and every word that training has."""

    def __init__(self, intents: Sequence[Intent], *, own: bool = True) -> None:
        """Gather what is needed to judge.

        Args:
            intents: what is said and replied.
            own: the checkpoint was trained on the bundled corpus alone, and can know no other word.
        """
        self._intents = {intent.name: intent for intent in intents}
        self._own = own
        facts, chatter = load_facts()
        texts = chain(
            *(chain(one.reply, one.otherwise) for one in intents),
            *(chain(one.say, (one.tell,), (ask.answer for ask in one.asked)) for one in facts),
            *load_pools().values(),
            chatter,
            (said for _, said in GREETINGS),
        )
        self._known = words(texts)

    def judge(
        self, exchange: Exchange, text: str, *, ended: bool, before: Sequence[Exchange] = ()
    ) -> Judged:
        """Judge what was said in the place of an exchange's reply.

        Args:
            exchange: what was asked, and what would be right to say.
            text: what was said, without what ends a turn.
            ended: it came to its end by itself.
            before: what was said before in this conversation.
        """
        heard = words(chain(*((one.person, one.jay) for one in before), (exchange.person,)))
        return Judged(
            intent=exchange.intent,
            asked=exchange.person,
            said=text,
            right=self._is_right(exchange, text),
            well_formed=ended
            and bool(text)
            and not any(mark in text for mark in (*MINI.never, "###"))
            and not loops(text)
            and (not self._own or words([text]) <= self._known | heard),
        )

    def _is_right(self, exchange: Exchange, text: str) -> bool:
        intent = self._intents.get(exchange.intent)
        if intent is None:
            return text == exchange.jay
        unknown = any(exchange.jay.endswith(one) for one in intent.otherwise)
        if intent.must and not unknown:
            low = text.lower()
            values = _values(intent, exchange)
            return all(
                any(_filled(word, values).lower() in low for word in of) for of in intent.must
            )
        candidates = intent.otherwise if unknown else intent.reply
        if intent.like:
            candidates = self._intents[intent.like].reply
        return any(_fits(one, text) for one in candidates)


def words(texts: Iterable[str]) -> set[str]:
    """Return the words of texts in lower case."""
    return {word.lower() for text in texts for word in WORD.findall(text)}


def loops(text: str) -> bool:
    """Tell whether a text says the same few words twice."""
    found = WORD.findall(text.lower())
    runs = [tuple(found[at : at + LOOP]) for at in range(len(found) - LOOP + 1)]
    return len(set(runs)) < len(runs)


def stands_in(value: str, text: str) -> bool:
    """Tell whether a value stands in a text, in any case, with no letter or digit beside it."""
    plain = re.escape(" ".join(value.lower().split()))
    return bool(re.search(rf"(?<!\w){plain}(?!\w)", " ".join(text.lower().split())))


def abstains(text: str) -> bool:
    """Tell whether a reply says that it does not see, know or find what was asked."""
    return bool(ABSTAINS.search(text))


def declines(text: str) -> bool:
    """Tell whether a reply says no to what was asked for."""
    return bool(DECLINES.search(text))


def rouge_l(text: str, reference: str) -> float:
    """Return the F1 of the longest common subsequence of words."""
    mine, theirs = (WORD.findall(one.lower()) for one in (text, reference))
    if not mine or not theirs:
        return 0.0
    before = [0] * (len(theirs) + 1)
    for word in mine:
        now = [0]
        for at, other in enumerate(theirs):
            now.append(before[at] + 1 if word == other else max(now[at], before[at + 1]))
        before = now
    return 2 * before[-1] / (len(mine) + len(theirs))


def _values(intent: Intent, exchange: Exchange) -> dict[str, str]:
    """Return what the slots of a reply were filled with, read from the expected one."""
    for reply in intent.reply:
        names = re.findall(r"\{([a-z_]+\d?)\}", reply)
        if not names:
            continue
        if found := _pattern(reply).search(ungreeted(exchange.jay)):
            return {f"{{{name}}}": value for name, value in found.groupdict().items()}
    return {}


def _filled(word: str, values: dict[str, str]) -> str:
    for slot, value in values.items():
        word = word.replace(slot, value)
    return word


def _fits(reply: str, text: str) -> bool:
    return _pattern(reply).search(text) is not None


def _pattern(reply: str) -> re.Pattern[str]:
    """Return what matches a reply at the end of a text, whatever its slots hold."""
    seen = set[str]()

    def group(found: re.Match[str]) -> str:
        name = found.group(1)
        if name in seen:
            return f"(?P={name})"
        seen.add(name)
        return f"(?P<{name}>.+?)"

    plain = re.escape(reply).replace(r"\{", "{").replace(r"\}", "}")
    return re.compile(re.sub(r"\{([a-z_]+\d?)\}", group, plain) + "$", re.IGNORECASE)
