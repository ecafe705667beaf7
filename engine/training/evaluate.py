"""What a checkpoint says to phrasings that it never saw.

Three things are measured, each over draws that training never makes:

    chat     one message; the phrasing was held out of training
    talks    conversations; all but the first message with Jay's own replies before them
    reading  messages with a question or to sum up, with names coined anew

A reply is *right* where it holds what the intent's `must` asks for (of each
list one of the words), or, for an intent without, where it is one of its
replies. It is *well formed* where it ended by itself, holds no border of a
turn, says no four words twice, and every word of it stands in the training
texts or in the conversation.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from random import Random

from engine.training.corpus import MINI, Corpus, Exchange, exchange_of
from engine.training.intents import Intent, load_intents, load_pools
from engine.training.phrasing import GREETINGS, called, fill
from engine.training.reading import Reader, load_facts
from engine.training.writing import Writer

SEED = 90_001
"""No run's seed: its dialogues are no run's dialogues."""
COINED_BY = 12
"""Coins names that no run coins."""
A_PHRASING = 2
"""At most so many held-out phrasings of an intent are asked."""
WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
LOOP = 4
"""Words that said twice in a row of words make a reply a loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One reply, with what is thought of it."""

    intent: str
    asked: str
    said: str
    right: bool
    well_formed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Shares over the replies of one kind."""

    name: str
    replies: int
    right: float
    well_formed: float


class Judge:
    """Knows every intent's replies, and every word that training has."""

    def __init__(self, intents: Sequence[Intent]) -> None:
        """Gather what is needed to judge."""
        self._intents = {intent.name: intent for intent in intents}
        facts, chatter = load_facts()
        texts = chain(
            *(chain(one.reply, one.otherwise) for one in intents),
            *(chain(one.say, (one.tell,), (ask.answer for ask in one.asked)) for one in facts),
            *load_pools().values(),
            chatter,
            (said for _, said in GREETINGS),
        )
        self._known = words(texts)

    def judge(self, exchange: Exchange, said: str, *, before: Sequence[Exchange] = ()) -> Judged:
        """Judge what was said in the place of an exchange's reply, closing mark included."""
        ended = said.endswith(MINI.jay_close)
        text = said.removesuffix(MINI.jay_close).strip()
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
            and words([text]) <= self._known | heard,
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


def evaluate(
    folder: Path, *, phrasings: int = 600, talks: int = 60, turns: int = 8, tasks: int = 300
) -> tuple[list[Score], list[Judged]]:
    """Measure a published checkpoint; takes a few minutes.

    Args:
        folder: what `publish` wrote.
        phrasings: at most so many held-out phrasings are asked, two of an intent.
        talks: how many conversations are held.
        turns: how long each is.
        tasks: how many reading tasks are set.

    Returns:
        The scores, and every reply they stand on.
    """
    writer, intents = Writer(folder), load_intents()
    judge = Judge(intents)
    judged = {
        "chat": _chat(writer, judge, intents, phrasings),
        "talks": _talks(writer, judge, intents, talks, turns),
        **_reading(writer, judge, tasks),
    }
    return [score(name, found) for name, found in judged.items()], [*chain(*judged.values())]


def score(name: str, judged: Sequence[Judged]) -> Score:
    """Return the shares of right and well-formed replies."""
    count = max(1, len(judged))
    return Score(
        name=name,
        replies=len(judged),
        right=sum(one.right for one in judged) / count,
        well_formed=sum(one.well_formed for one in judged) / count,
    )


def _chat(writer: Writer, judge: Judge, intents: Sequence[Intent], most: int) -> list[Judged]:
    """Ask held-out phrasings of every intent that can open a conversation."""
    pools = load_pools(coined_by=COINED_BY)
    rng = Random(SEED)
    asked = []
    for intent in intents:
        if intent.after or intent.recalls or intent.like:
            continue
        for phrasing in rng.sample(intent.held_out, min(A_PHRASING, len(intent.held_out))):
            values: dict[str, str] = {}
            person = fill(called(phrasing, rng), pools, rng, values)
            jay = fill(rng.choice(intent.reply), pools, rng, values)
            asked.append(Exchange(person=person, jay=jay, intent=intent.name))
    asked = rng.sample(asked, min(most, len(asked)))
    said = writer.write([writer.prompt((), one.person) for one in asked])
    return [judge.judge(one, text) for one, text in zip(asked, said, strict=True)]


def _talks(
    writer: Writer, judge: Judge, intents: Sequence[Intent], count: int, turns: int
) -> list[Judged]:
    """Hold conversations in which what Jay said before is what it really said."""
    pools = load_pools(coined_by=COINED_BY)
    corpus = Corpus(seed=SEED, intents=intents, pools=pools, held_out=True)
    drawn = (list(islice(corpus.dialogue(number), turns)) for number in range(4 * count))
    scripts = list(islice((one for one in drawn if not _reads(one)), count))
    histories: list[list[Exchange]] = [[] for _ in scripts]
    judged = []
    for turn in range(turns):
        prompts = [
            writer.prompt(history, script[turn].person)
            for script, history in zip(scripts, histories, strict=True)
        ]
        said = writer.write(prompts)
        for script, history, text in zip(scripts, histories, said, strict=True):
            one = judge.judge(script[turn], text, before=history)
            judged.append(one)
            history.append(Exchange(person=one.asked, jay=one.said, intent=one.intent))
    return judged


def _reads(script: Sequence[Exchange]) -> bool:
    return script[0].intent.startswith("reading.")


def _reading(writer: Writer, judge: Judge, count: int) -> dict[str, list[Judged]]:
    """Set reading tasks with names coined anew, in held-out words; right is word for word."""
    reader = Reader(load_pools(coined_by=COINED_BY), held_out=True)
    rng = Random(SEED)
    tasks = [exchange_of(reader.task(rng)) for _ in range(count)]
    said = writer.write([writer.prompt((), one.person) for one in tasks])
    judged = [judge.judge(one, text) for one, text in zip(tasks, said, strict=True)]
    return {
        name: [one for one in judged if one.intent == name]
        for name in ("reading.answer", "reading.quote", "reading.unknown", "reading.summary")
    }


def _values(intent: Intent, exchange: Exchange) -> dict[str, str]:
    """Return what the slots of a reply were filled with, read from the expected one."""
    for reply in intent.reply:
        names = re.findall(r"\{([a-z_]+\d?)\}", reply)
        if not names:
            continue
        if found := _pattern(reply).search(exchange.jay):
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


def main() -> None:
    """`python -m engine.training.evaluate FOLDER`: print the rule, the scores and some failures."""
    parser = argparse.ArgumentParser(prog="python -m engine.training.evaluate")
    parser.add_argument("folder", type=Path, help="what `jay train` published")
    parser.add_argument("--show", type=int, default=10, metavar="N", help="failures to print")
    chosen = parser.parse_args()
    scores, judged = evaluate(chosen.folder)
    print(__doc__)
    for one in scores:
        print(
            f"{one.name:16} {one.replies:4} replies   right {one.right:6.1%}"
            f"   well formed {one.well_formed:6.1%}"
        )
    failed = [one for one in judged if not (one.right and one.well_formed)]
    for failure in Random(SEED).sample(failed, min(chosen.show, len(failed))):
        print(f"\n{failure.intent}\n  {failure.asked}\n  > {failure.said}")


if __name__ == "__main__":
    main()
