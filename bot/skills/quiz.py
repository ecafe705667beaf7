"""`/quiz`: questions about what was said, or about a text; the answers come when they are asked for.

Each answer is a name, a number or a date that stands in a sentence of the
text, so none is made up. The model words the question, and its words count only
if they ask for that kind of thing, say nothing that the sentence doesn't, and
don't give the answer away; else the sentence itself is the question, with a gap.
What is remembered of a quiz holds the answers, what is shown doesn't. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot import grounding
from bot.conversations import Turn
from bot.messages import IncomingMessage
from bot.prompting import Said
from bot.retrieval.terms import terms
from bot.skills.questions import holds, kind_of
from bot.skills.quoting import quote
from bot.skills.skill import Outcome, Progress, Read, Request, Steps, Task, batch, cite, read

QUESTIONS, MOST_QUESTIONS = 5, 10
READ_MESSAGES = 200
READ_BACK_S = 30 * 86_400.0
LEAST_WORDS, MOST_WORDS = 5, 40
"""A sentence of fewer says too little to be asked about, one of more is no sentence."""
LONGEST_QUESTION = 200
MOST_ADDED = 1
"""Words with a meaning that the model's question may add ("who *paid* …" of a sentence on costs)."""
INSTRUCTION = "Write one question about this sentence. The answer must be: {answer}"
GAP = "(…)"
ANSWERS = "\n\nAnswers:\n"
"""Parts what is shown of a quiz from what isn't."""
COUNT = re.compile(r"^(\d{1,3})(?:\s+questions?)?\b[\s:,]*", re.IGNORECASE)
HERE = re.compile(
    r"^(?:(?:please|me|us|everybody|questions?|on|from|about|of|in|with|this|here|the|what|was|said|"
    r"thread|channel|conversation)\b[\s,.!?]*)*$",
    re.IGNORECASE,
)
ASKS = re.compile(
    r"^(?:(?:please|ok|okay|now|show|tell|give|reveal|solve|what(?: are|'s| is)?|me|us|the|your|all|i|we|"
    r"give up|want|see|let|let's)[\s,]+)*(?:answers?|solutions?|solve it|give up)(?:,? please)?[.!?]*$",
    re.IGNORECASE,
)
USAGE = (
    "I found no sentence with a name, a number or a date that I could ask about. Give me a text of a "
    "few sentences (`/quiz 3 The ferry to Oslo leaves at 9:15. …`), or ask where people talked."
)
HOW_ON = "_Write “answers” in reply to this, and I show them._"
LOST = "I no longer have the answers to that quiz. Ask me for a new one?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A sentence to ask about."""

    sentence: str
    answer: str
    """Stands in it."""
    message: IncomingMessage | None = None
    """Who said it; None: it is from a text that was given."""


def quiz(request: Request) -> Steps[Outcome]:
    """Yield what is needed to make a quiz, return it without its answers."""
    count, text = read_request(request.text)
    if text:
        items = items_of(text, None)
    else:
        yield Progress(text="Reading what was said here")
        since = request.now - READ_BACK_S
        found = yield from read(
            Read(
                place=request.place,
                limit=READ_MESSAGES,
                since=since,
                until=request.now,
                count=READ_MESSAGES,
            )
        )
        people = [one for one in found.messages if not (one.author.bot or one.mentions_jay)]
        items = [item for one in people for item in items_of(one.text, one)]
    items = spread(items, count)
    if not items:
        return Outcome(text=USAGE)
    done = yield from batch(*map(_task, items), told="Wrote {done} of {all} questions")
    said = dict(zip(items, done.said, strict=True))
    # What was taken back or edited meanwhile is not asked about.
    links = yield from cite(one.message for one in items if one.message)
    items = [one for one in items if one.message is None or one.message.message_id in links]
    if not items:
        return Outcome(text=USAGE)
    asked = [f"{at}. {question_of(one, said[one])}" for at, one in enumerate(items, start=1)]
    solved = [f"{at}. {_solution(one, links)}" for at, one in enumerate(items, start=1)]
    shown = "\n".join([_title(items, text=text), *asked, "", HOW_ON])
    sources = dict.fromkeys(one.message.message_id for one in items if one.message)
    return Outcome(text=shown, kept=shown + ANSWERS + "\n".join(solved), sources=tuple(sources))


def read_request(text: str) -> tuple[int, str]:
    """Return how many questions are wanted, and about which text; empty: what was said here."""
    left, count = text.strip(), QUESTIONS
    if wanted := COUNT.match(left):
        count, left = int(wanted[1]), left[wanted.end() :]
    return max(1, min(count, MOST_QUESTIONS)), "" if HERE.match(left) else left


def is_quiz(rest: str) -> bool:
    """Tell "quiz us on this thread" from talk that merely begins with the word."""
    _, text = read_request(rest)
    return not text or bool(items_of(text, None))


def items_of(text: str, message: IncomingMessage | None) -> list[Item]:
    """Return what can be asked about in a text, in its order."""
    items = []
    for sentence in grounding.sentences(text):
        plain = " ".join(sentence.split())
        things = grounding.vital(plain)
        if not things or plain.endswith("?") or "://" in plain or "```" in plain:
            continue
        if LEAST_WORDS <= len(plain.split()) <= MOST_WORDS:
            items.append(Item(sentence=plain, answer=max(things, key=_weight), message=message))
    return items


def _weight(thing: str) -> tuple[bool, int]:
    """Return how good an answer something is: numbers before names, long ones before short."""
    return any(one.isdigit() for one in thing), len(thing)


def spread(items: Sequence[Item], count: int) -> list[Item]:
    """Return so many of them, from all over, each sentence once."""
    different = list({one.sentence: one for one in items}.values())
    if len(different) <= count:
        return different
    return [different[at * len(different) // count] for at in range(count)]


def question_of(item: Item, said: Said | None) -> str:
    """Return the model's question if it can be asked about the sentence, else one with a gap."""
    asked = " ".join(said.text.split()) if said else ""
    if _asks_about(item, asked):
        return asked
    gap = re.sub(rf"(?<!\w){re.escape(item.answer)}(?!\w)", GAP, item.sentence)
    if item.message is None:
        return gap
    return f"{item.message.author.name} said: {gap}"


def _asks_about(item: Item, asked: str) -> bool:
    if not asked.endswith("?") or asked.count("?") > 1 or len(asked) > LONGEST_QUESTION:
        return False
    if any(mark in asked for mark in ("@", "://", "<", "`", "#")):
        return False
    held, told = set(terms(item.sentence)), set(terms(asked))
    things = set(grounding.words(" ".join(grounding.vital(asked))))
    if not things <= set(grounding.words(item.sentence)) or len(told - held) > MOST_ADDED:
        return False
    if told & set(terms(item.answer)):
        return False
    rest = item.sentence.replace(item.answer, "…")
    return _answers(asked, item.sentence) and not _answers(asked, rest)


def _answers(asked: str, text: str) -> bool:
    """Tell whether a text holds the kind of thing that is asked for."""
    kind = kind_of(asked)
    return kind != "what" and holds(kind, text, author="", question=asked, people=frozenset())


def _task(item: Item) -> Task:
    return Task(
        instruction=INSTRUCTION.format(answer=item.answer),
        text=item.sentence,
        max_tokens=40,
        stands_on=(item.message,) if item.message else (),
    )


def _title(items: Sequence[Item], *, text: str) -> str:
    number = "1 question" if len(items) == 1 else f"{len(items)} questions"
    return f"**Quiz: {number} about {'your text' if text else 'what was said here'}**"


def _solution(item: Item, links: dict[str, str]) -> str:
    source = quote(item.message, links) if item.message else f"“{item.sentence}”"
    return f"**{item.answer}**: {source}"


def asks_for_answers(request: Request) -> bool:
    """Tell whether somebody who was given a quiz here wants its answers."""
    return ASKS.match(request.text.strip()) is not None and _last_quiz(request.turns) is not None


def solve(request: Request) -> Outcome:
    """Return the answers of the last quiz of a conversation."""
    turn = _last_quiz(request.turns)
    _, _, answers = turn.text.partition(ANSWERS) if turn else ("", "", "")
    return Outcome(text=answers or LOST, skill="quiz answers")


def unsolved(turn: Turn) -> Turn:
    """Return a turn without the answers that nobody asked for yet."""
    return replace(turn, text=turn.text.partition(ANSWERS)[0]) if _is_quiz(turn) else turn


def _last_quiz(turns: Sequence[Turn]) -> Turn | None:
    return next((turn for turn in reversed(turns) if _is_quiz(turn)), None)


def _is_quiz(turn: Turn) -> bool:
    return turn.role == "jay" and turn.made is not None and turn.made.skill == "quiz"
