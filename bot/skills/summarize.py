"""`/summarize [RANGE]`: what was said here, with what was read to say so.

The model writes a sentence or two for each stretch of messages; a sentence
that the messages don't support is dropped and the stretch's weightiest message
is quoted in its place. The last line always says what was read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bot.messages import IncomingMessage
from bot.prompting import Said
from bot.skills import grounding
from bot.skills.quoting import bullets, day, line, quote
from bot.skills.ranges import NoRange, Range, parse_range
from bot.skills.skill import Outcome, Progress, Request, Steps, Task, ask, look

STRETCH = 6
"""Messages that the model sums up at once; a small model loses the thread of more."""
MOST_STRETCHES = 8
"""Stretches of which something is shown: the ones with most to say."""
INSTRUCTION = "Summarize these messages."
MATTERS = frozenset(
    """decided decision agreed release released deploy deployed rollback rolled fixed broken
    outage incident deadline due ship shipped scheduled moved cancelled approved owner plan
    tomorrow monday tuesday wednesday thursday friday meeting""".split()
)


def summarize(request: Request) -> Steps[Outcome]:
    """Yield what is needed to sum up, return the summary with its coverage line."""
    wanted = parse_range(request.text, now=request.now)
    if isinstance(wanted, NoRange):
        return Outcome(text=wanted.told)
    yield Progress(text="Reading the messages")
    seen = yield from look(
        request.place,
        limit=wanted.limit,
        since=wanted.since,
        link=lambda messages: tuple(
            weightiest(stretch).message_id for stretch in chosen(stretches(readable(messages)))
        ),
    )
    messages = readable(seen.messages)
    if not messages:
        return Outcome(text=f"There is nothing to sum up: I found no messages for {wanted.asked}.")
    parts = chosen(stretches(messages))
    yield Progress(text=f"Summing up {len(messages)} messages in {len(parts)} parts")
    said = yield from ask(
        *(Task(instruction=INSTRUCTION, text="\n".join(map(line, part))) for part in parts)
    )
    points = [point(part, answer, seen.links) for part, answer in zip(parts, said, strict=True)]
    text = f"{bullets(points)}\n\n{coverage(wanted, seen.messages, messages, parts)}"
    sources = tuple(weightiest(part).message_id for part in parts)
    return Outcome(text=text, said=said[0], sources=sources)


def readable(messages: Sequence[IncomingMessage]) -> list[IncomingMessage]:
    """Return the messages that a summary reads: people's, with text, not said to Jay."""
    return [
        message
        for message in messages
        if message.text.strip() and not message.author.bot and not message.mentions_jay
    ]


def stretches(messages: Sequence[IncomingMessage]) -> list[list[IncomingMessage]]:
    """Cut into stretches of neighbours, oldest first."""
    return [list(messages[at : at + STRETCH]) for at in range(0, len(messages), STRETCH)]


def chosen(parts: list[list[IncomingMessage]]) -> list[list[IncomingMessage]]:
    """Return the stretches with the weightiest messages, in their order."""
    heaviest = sorted(range(len(parts)), key=lambda at: (-weight(weightiest(parts[at])), -at))
    return [parts[at] for at in sorted(heaviest[:MOST_STRETCHES])]


def weight(message: IncomingMessage) -> int:
    """Return how much a message seems to tell: facts it names, and its length."""
    said = grounding.content_words(message.text)
    numbers = sum(1 for word in said if any(character.isdigit() for character in word))
    matters = sum(1 for word in said if word in MATTERS)
    questions = message.text.count("?")
    return min(len(said), 25) + 4 * numbers + 6 * matters - 4 * questions


def weightiest(part: Sequence[IncomingMessage]) -> IncomingMessage:
    """Return the message of a stretch that tells most; the newest among equals."""
    return max(part, key=lambda message: (weight(message), message.sent_at))


def point(part: Sequence[IncomingMessage], said: Said, links: dict[str, str]) -> str:
    """Return one bullet: the model's sentences if supported, else a quote."""
    sources = [line(message) for message in part]
    kept = [one for one in grounding.sentences(said.text) if grounding.supported(one, sources)]
    told = weightiest(part)
    if not kept:
        return quote(told, links)
    source = part[grounding.best_source(kept[0], sources)]
    link = links.get(source.message_id) or links.get(told.message_id)
    return f"{' '.join(kept)} {f'([{day(source.sent_at)}]({link}))' if link else ''}".rstrip()


def coverage(
    wanted: Range,
    seen: Sequence[IncomingMessage],
    read: Sequence[IncomingMessage],
    parts: Sequence[Sequence[IncomingMessage]],
) -> str:
    """Return the line that says what was asked, read and left out."""
    people = Counter(message.author.id for message in read)
    span = f"{day(read[0].sent_at)} to {day(read[-1].sent_at)}"
    told = sum(len(part) for part in parts)
    left = [f"{len(seen) - len(read)} left out (bots, empty, or said to me)"]
    if told < len(read):
        left.append(f"{len(read) - told} read but not shown here")
    return (
        f"_Asked: {wanted.asked}. Read {len(read)} of {len(seen)} messages by "
        f"{len(people)} people, {span}; {', '.join(left)}._"
    )
