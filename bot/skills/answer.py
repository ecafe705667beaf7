"""`/answer QUESTION`: from what was said in this channel, or honestly not at all.

Retrieval finds the messages, the model phrases an answer from the best of
them, and the words are shown only where those messages support them. Else the
messages speak for themselves, quoted and linked: a weak model costs style and
never truth.
"""

from __future__ import annotations

from bot.messages import IncomingMessage
from bot.retrieval import Ranked, rank
from bot.skills import grounding
from bot.skills.quoting import bullets, line, quote
from bot.skills.skill import Outcome, Progress, Request, Steps, Task, ask, look

READ = 500
"""Newest messages of the channel that are searched."""
GIVEN = 3
"""Messages that the model phrases the answer from. Small models read two or three well."""
LEAST_SCORE = 0.5
"""Share of the best message's score that another must reach to be shown beside it."""
LONGEST_QUESTION = 500
LEAST_SHARED = 0.5
"""Share of the question's terms that its best message must hold to count as found."""
INSTRUCTION = "Answer from these messages."
USAGE = "What would you like to know? For example: `/answer when is the next release?`"


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
    yield Progress(text="Searching this channel")

    def wanted(messages: tuple[IncomingMessage, ...]) -> tuple[str, ...]:
        found = _find(question, _candidates(messages, question))
        return tuple(hit.message.message_id for hit in found)

    seen = yield from look(request.place, limit=READ, link=wanted)
    candidates = _candidates(seen.messages, question)
    hits = _find(question, candidates)
    searched = f"_Searched {len(candidates)} messages of this channel._"
    if not hits:
        return Outcome(text=f"I found nothing about that here.\n\n{searched}")
    quotes = bullets(quote(hit.message, seen.links) for hit in hits)
    sources = tuple(hit.message.message_id for hit in hits)
    if not _is_found(question, hits[0]):
        nearest = f"I found no clear answer here. The nearest that was said:\n{quotes}"
        return Outcome(text=f"{nearest}\n\n{searched}", sources=sources)
    lines = [line(hit.message) for hit in hits]
    (said,) = yield from ask(
        Task(instruction=INSTRUCTION, text="\n".join([*lines, f"Question: {question}"]))
    )
    claims = grounding.sentences(said.text)
    grounded = [claim for claim in claims if grounding.supported(claim, lines, asked=question)]
    if grounded and len(grounded) == len(claims) and _says_more(grounded, question):
        text = f"{' '.join(grounded)}\n\nFrom:\n{quotes}\n\n{searched}"
    else:
        text = f"This is what was said about it:\n{quotes}\n\n{searched}"
    return Outcome(text=text, said=said, sources=sources)


def _candidates(
    messages: tuple[IncomingMessage, ...], question: str
) -> tuple[IncomingMessage, ...]:
    """Leave out bots, requests to Jay, and the question itself."""
    return tuple(
        message
        for message in messages
        if message.text.strip()
        and not message.author.bot
        and not message.mentions_jay
        and question not in message.text
    )


def _find(question: str, candidates: tuple[IncomingMessage, ...]) -> list[Ranked]:
    hits = rank(question, candidates, most=GIVEN)
    return [hit for hit in hits if hit.score >= LEAST_SCORE * hits[0].score]


def _is_found(question: str, best: Ranked) -> bool:
    asked = set(grounding.content_words(question))
    held = set(grounding.content_words(f"{best.message.author.name} {best.message.text}"))
    return not asked or len(asked & held) >= LEAST_SHARED * len(asked)


def _says_more(claims: list[str], question: str) -> bool:
    """Tell whether the claims hold a word that the question did not."""
    asked = set(grounding.words(question))
    return any(set(grounding.content_words(claim)) - asked for claim in claims)
