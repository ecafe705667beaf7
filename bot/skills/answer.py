"""`/answer QUESTION`: from what was said in this channel, or honestly not at all.

Retrieval finds messages, and what speaks for each is weighed (`evidence`).
Where one clearly answers, the model phrases an answer from the best of them,
and its words are shown only where those messages support them and they hold
what was asked for; else the messages speak for themselves, quoted and linked:
a weak model costs style and never truth. Where none clearly answers, Jay says
so and shows the nearest. A question in the same thread that leans on the one
before ("and who approved it?") is searched for together with that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from bot import grounding
from bot.conversations import Turn
from bot.messages import IncomingMessage, Place
from bot.prompting import Said
from bot.retrieval import is_question
from bot.retrieval.terms import terms
from bot.skills.evidence import Evidence, named, weigh
from bot.skills.questions import holds, kind_of
from bot.skills.quoting import bullets, day, line, quote
from bot.skills.skill import Matches, Outcome, Progress, Request, Steps, Task, ask, cite, search
from bot.traces import Passage

FOUND = 5
"""Messages that are weighed."""
SHOWN = 3
"""Messages that are shown, and that the model reads at most: what it was trained on."""
CLEAR = 0.0
"""Evidence from which on a message is taken to answer."""
NEAR_CLEAR = 2.0
"""What is shown beside the best message may be so much weaker."""
LONGEST_QUESTION = 500
INSTRUCTION = "Answer from these messages."
USAGE = "What would you like to know? For example: `/answer when is the next release?`"
LEANS = re.compile(
    r"^(?:and|but|so|or|then|what about|how about)\b|"
    r"\b(?:it|its|that|this|they|them|their|those|these|he|she|him|her|his|there|then)\b",
    re.IGNORECASE,
)
"""What a question says that leans on the one before."""
FEW_TERMS = 2
"""A question of so few words leans on the one before as well."""
ASKS_OPENING = re.compile(
    r"^(?:and |but |so |or )?(?:who|whom|whose|when|where|why|how|what|which|is|are|was|were|do|does|"
    r"did|can|could|will|would|should|has|have)\b",
    re.IGNORECASE,
)


def answer(request: Request) -> Steps[Outcome]:
    """Yield what is needed to answer, return the answer with the messages it stands on."""
    question = " ".join(request.text.split())
    if not question:
        return Outcome(text=USAGE)
    if len(question) > LONGEST_QUESTION:
        return Outcome(
            text=f"That question has {len(question):,} characters; I can search for up to "
            f"{LONGEST_QUESTION}. Could you put it shorter?"
        )
    before = question_before(request.turns) if leans(question) else ""
    return (yield from answer_from(request.place, question, before=before))


def answer_aloud(request: Request) -> Steps[Outcome]:
    """Yield what is needed to answer; a command's question is said again above the answer.

    Platforms don't show to others what somebody asked by command: they would read an answer to
    they don't know what.
    """
    outcome = yield from answer(request)
    if not request.command or not outcome.skill:
        return outcome
    question = " ".join(request.text.split())
    return replace(outcome, text=f"> {question}\n\n{outcome.text}", kept=outcome.text)


def answer_from(place: Place, question: str, *, before: str = "", name: str = "") -> Steps[Outcome]:
    """Yield what is needed to answer from a channel, return the answer.

    Args:
        place: any place in the channel.
        question: at most `LONGEST_QUESTION` characters.
        before: the question that it leans on.
        name: the channel's, where it is another than the one where it is asked.
    """
    channel = f"#{name}" if name else "this channel"
    yield Progress(text=f"Searching {channel}")
    whole = f"{before} {question}".strip()
    found = yield from search(place, whole, most=FOUND)
    weighed = [
        one
        for one in weigh(question, found.hits, people=found.people, before=before)
        if question not in one.hit.message.text
    ]
    clear = [one for one in weighed if one.score > CLEAR][:SHOWN]
    said = None
    if clear and not differ(question, clear):
        yield Progress(text="Reading what I found")
        said = yield from _ask_model(question, clear)
    shown = chosen(weighed, clear)
    links = yield from cite(one.hit.message for one in shown)
    # What was taken back or edited meanwhile is neither quoted nor stood on.
    standing = [one for one in shown if one.hit.message.message_id in links]
    clear = [one for one in clear if one in standing]
    words = in_words(said, clear, question, found) if said else ""
    text = told(words, clear, standing, links, where=f"in {channel}" if name else "here")
    return Outcome(
        text=f"{text}\n\n{coverage(found, channel)}",
        said=said,
        sources=tuple(one.hit.message.message_id for one in standing),
        skill="answer",
        passages=passages(weighed, standing),
        withheld=said is not None and not words,
    )


def passages(weighed: Sequence[Evidence], shown: Sequence[Evidence]) -> tuple[Passage, ...]:
    """Return what was found, for whoever asks why."""
    return tuple(
        Passage(
            message_id=one.hit.message.message_id,
            before=one.hit.before.message_id if one.hit.before else "",
            score=round(one.score, 2),
            words=round(one.hit.words, 2),
            meaning=None if one.hit.meaning is None else round(one.hit.meaning, 2),
            shown=one in shown,
        )
        for one in weighed
    )


def follows_up(request: Request) -> bool:
    """Tell whether a message in a conversation asks on, after an answer."""
    *before, newest = request.turns or (None,)
    last = next((turn for turn in reversed(before) if turn and turn.role == "jay"), None)
    return (
        newest is not None
        and last is not None
        and last.made is not None
        and last.made.skill == "answer"
        and asks(request.text)
    )


def asks(text: str) -> bool:
    """Tell whether a text is a question."""
    return text.rstrip().endswith("?") or ASKS_OPENING.match(text.strip()) is not None


def leans(question: str) -> bool:
    """Tell whether a question can't be understood without the one before."""
    return LEANS.search(question) is not None or len(terms(question)) <= FEW_TERMS


def question_before(turns: Sequence[Turn]) -> str:
    """Return the question that was asked before the newest turn; empty: there is none.

    One that leaned on another itself brings that one along.
    """
    asked = [_plain(turn.text) for turn in turns if turn.role == "person"][:-1]
    for at in range(len(asked) - 1, -1, -1):
        if asks(asked[at]):
            if leans(asked[at]) and at and asks(asked[at - 1]):
                return f"{asked[at - 1]} {asked[at]}"[:LONGEST_QUESTION]
            return asked[at][:LONGEST_QUESTION]
    return ""


def _plain(text: str) -> str:
    """Take the skill's name off a turn."""
    return re.sub(r"^/?answer[:,]?\s+", "", text.strip(), flags=re.IGNORECASE)


def _ask_model(question: str, clear: Sequence[Evidence]) -> Steps[Said]:
    lines = [line(message) for message in read_messages(clear)]
    text = "\n".join([*lines, f"Question: {question}"])
    (said,) = yield from ask(Task(instruction=INSTRUCTION, text=text))
    return said


def read_messages(clear: Sequence[Evidence]) -> list[IncomingMessage]:
    """Return the messages that the model reads, oldest first: the best, and what they answer."""
    read = {one.hit.message.message_id: one.hit.message for one in clear}
    for one in clear:
        before = one.hit.before
        if before is not None and is_question(before.text) and len(read) < SHOWN:
            read.setdefault(before.message_id, before)
    return sorted(read.values(), key=lambda one: one.sent_at)


def differ(question: str, clear: Sequence[Evidence]) -> bool:
    """Tell whether several messages answer: then what holds is for people to judge."""
    return len(clear) > 1 and kind_of(question) != "what"


def chosen(weighed: Sequence[Evidence], clear: Sequence[Evidence]) -> list[Evidence]:
    """Return the messages to show: those that answer, the newest first, or else the nearest."""
    if not clear:
        return list(weighed[:SHOWN])
    best = clear[0].score
    shown = [one for one in weighed[:SHOWN] if one.score > best - NEAR_CLEAR]
    return sorted(shown, key=lambda one: (one not in clear, -one.hit.message.sent_at))


def in_words(said: Said, clear: Sequence[Evidence], question: str, found: Matches) -> str:
    """Return the model's words, if the messages support all of them and they answer."""
    lines = [line(one.hit.message) for one in clear]
    claims = grounding.sentences(said.text)
    if not claims or any(mark in said.text for mark in ("@", "://", "<", "`")):
        return ""
    if not all(grounding.supported(claim, lines) for claim in claims):
        return ""
    kind, words = kind_of(question), " ".join(claims)
    about = {term for thing in named(question)[-1:] for term in thing}
    own = {term for one in clear for term in terms(one.hit.message.text)}
    if about & own and not about & set(terms(words)):
        return ""
    new = set(grounding.content_words(words)) - set(grounding.words(question))
    answers = holds(kind, words, author="", question=question, people=found.people)
    return words if new and answers else ""


def told(
    words: str,
    clear: Sequence[Evidence],
    standing: Sequence[Evidence],
    links: dict[str, str],
    *,
    where: str = "here",
) -> str:
    """Return what is said: words with what they stand on, quotes, or that nothing was found."""
    quotes = bullets(quote(one.hit.message, links) for one in standing)
    if not standing:
        return f"I found nothing about that {where}."
    if not clear:
        return f"I found no clear answer {where}. The nearest that was said:\n{quotes}"
    if words:
        return f"{words}\n\nFrom:\n{quotes}"
    if len(clear) > 1:
        return f"This is what was said about it, the newest first:\n{quotes}"
    return f"This is what was said about it:\n{quotes}"


def coverage(found: Matches, channel: str = "this channel") -> str:
    """Return the line that says what was searched."""
    since = f" since {day(found.oldest_at)}" if found.oldest_at else ""
    messages = "1 message" if found.searched == 1 else f"{found.searched:,} messages"
    text = f"Searched {messages} of {channel}{since}"
    if 0 < found.by_meaning < found.searched:
        text += f"; {found.searched - found.by_meaning:,} of them by their words alone so far"
    return f"_{text}._"
