"""Builders of messages for tests: short to write, whole in content."""

from __future__ import annotations

from typing import Any

from bot.digests import Digest
from bot.messages import Command, IncomingMessage, Person, Place

CHANNEL = Place(platform="slack", workspace="T1", channel="C1")
DIRECT = Place(platform="slack", workspace="T1", channel="D1", direct=True)
ANA = Person(id="U1", name="Ana")
BEN = Person(id="U2", name="Ben")


def message(
    text: str,
    *,
    message_id: str = "1.0",
    place: Place = CHANNEL,
    author: Person = ANA,
    mentions_jay: bool = False,
    mentions_others: bool = False,
    reply_to: str = "",
    sent_at: float | None = None,
) -> IncomingMessage:
    return IncomingMessage(
        place=place,
        message_id=message_id,
        author=author,
        text=text,
        sent_at=float(message_id) if sent_at is None else sent_at,
        mentions_jay=mentions_jay,
        mentions_others=mentions_others,
        reply_to=reply_to,
    )


def command(name: str, text: str = "", *, place: Place = CHANNEL) -> Command:
    return Command(
        place=place, message_id=f"cmd-{name}", author=ANA, name=name, text=text, sent_at=99.0
    )


def digest(
    digest_id: str = "d1",
    *,
    number: int = 1,
    person: Person = ANA,
    about: Place = CHANNEL,
    to: Place = DIRECT,
    schedule: str = "every day 9:00",
    due: float = 100.0,
    **more: Any,
) -> Digest:
    return Digest(
        digest_id=digest_id,
        number=number,
        person=person,
        about=about,
        to=to,
        schedule=schedule,
        due=due,
        **more,
    )


def in_thread(root: str, place: Place = CHANNEL) -> Place:
    return Place(
        platform=place.platform, workspace=place.workspace, channel=place.channel, thread=root
    )
