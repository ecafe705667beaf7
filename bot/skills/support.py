"""Replies to a customer from a channel of knowledge: words where messages support them. Pure.

It goes the way of `/answer` for each question of the customer's, over another
channel. Who asks must be allowed to read that, and sees the reply alone: it is
a draft, and others might not be allowed to read what it stands on.
"""

from __future__ import annotations

import re

from bot import grounding
from bot.messages import Place
from bot.skills.answer import LONGEST_QUESTION, answer_from
from bot.skills.skill import Find, Outcome, Request, Steps, find
from bot.skills.template import Template, not_here, usage

MOST_QUESTIONS = 3
CHANNEL = re.compile(r"#([\w-]{1,100})\s*")
OPENED = re.compile(r":(?:\s|$)")
"""What stands behind this is the customer's, also where it begins with a channel."""
NO_CHANNEL = (
    "There is no channel #{name} that you and I can read. Name another one: "
    "`/{skill} #CHANNEL QUESTION`."
)
IN_PRIVATE = (
    "Others here might not be allowed to read #{name}. Ask me by the command `/{skill}`, or in a "
    "direct message: then only you see the reply."
)


def reply(template: Template, request: Request) -> Steps[Outcome]:
    """Yield what is needed to answer a customer's questions, return the reply."""
    if refusal := not_here(template, request.place):
        return Outcome(text=refusal)
    text, name = request.text.strip(), template.knowledge
    if OPENED.match(text):
        text = text[1:]
    elif named := CHANNEL.match(text):
        text, name = text[named.end() :], named[1]
    questions = questions_of(text)
    if not questions:
        return Outcome(text=usage(template))
    place = yield from find(Find(near=request.place, name=name, person=request.person))
    if not (request.command or request.place.direct or _is_here(place, request.place)):
        return Outcome(text=IN_PRIVATE.format(name=name, skill=template.name))
    if place is None:
        return Outcome(text=NO_CHANNEL.format(name=name, skill=template.name))
    told: dict[str, Outcome] = {}
    for question in questions:
        told[question] = yield from answer_from(place, question, name=name)
    texts = [f"**{question}**\n{one.text}" for question, one in told.items()]
    if len(told) == 1:
        texts = [one.text for one in told.values()]
    return Outcome(
        text="\n\n".join(texts),
        said=told[questions[-1]].said,
        sources=tuple(dict.fromkeys(source for one in told.values() for source in one.sources)),
    )


def questions_of(text: str) -> list[str]:
    """Return the questions of a customer's message, the first few; without any, all of it."""
    whole = " ".join(text.split())
    asked = [one for one in grounding.sentences(text) if one.endswith("?")]
    found = asked[:MOST_QUESTIONS] or [whole] * bool(whole)
    return [" ".join(one.split())[:LONGEST_QUESTION] for one in found]


def _is_here(place: Place | None, here: Place) -> bool:
    return place is not None and place.channel == here.channel
