"""Whatever is edited or deleted: `/why` shows no text that nobody can read any more."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import pytest
from fakes.engine import WORD, ScriptedEngine
from fakes.talk import ANA, BEN, CHANNEL, in_thread, message

from bot.messages import Command, MessageChanged, MessageDeleted
from bot.paces import Pace
from bot.prompts import Drawn, Finish, Piece, Prompt
from bot.skills.why import NOT_ALL_STANDS

MakeWay = Callable[..., Any]
pytestmark = [pytest.mark.looptime]
SIGN = re.compile(r"zq\d+")
"""A word that stands in one text alone."""


@dataclass
class Parrot(ScriptedEngine):
    """Says words of its prompt, some of which it is not sure of."""

    dice: Random = field(default_factory=Random)

    async def _say(self, prompt: Prompt, reply: str) -> AsyncGenerator[Piece, None]:
        signs = SIGN.findall("".join(self._vocabulary[one] for one in prompt.ids)) or ["well"]
        said = "".join(f" {self.dice.choice(signs)}" for _ in range(self.dice.randint(1, 4)))
        for word in WORD.findall(f"{said}."):
            drawn = Drawn(chars=len(word), logprobs=(self.dice.choice([-0.1, -4.0]),))
            yield Piece(text=word, ids=self._encode(word), drawn=(drawn,))
        yield Piece(
            text="",
            finish=Finish(reason="stop", prompt_tokens=9, cached_tokens=0, reply_tokens=2),
        )


@dataclass
class Talk:
    """People who talk, ask, edit and delete, as the dice fall."""

    way: Any
    dice: Random
    texts: dict[str, str] = field(default_factory=dict)
    dead: set[str] = field(default_factory=set)
    """Words of texts that were edited or deleted."""
    roots: list[str] = field(default_factory=list)
    signs: int = 0
    at: int = 0
    seen: Counter[str] = field(default_factory=Counter)

    def text(self) -> str:
        self.signs += 1
        return f"zq{self.signs} is the berth of the ferry"

    async def say(self, *, to_jay: bool, thread: str = "") -> None:
        self.at += 1
        one = f"{self.at}.0"
        self.texts[one] = self.text()
        place = in_thread(thread) if thread else CHANNEL
        if to_jay and not thread:
            self.roots.append(one)
        await self.way.hear(
            message(
                self.texts[one], message_id=one, place=place, mentions_jay=to_jay,
                author=self.dice.choice([ANA, BEN]),
            )
        )  # fmt: skip
        await self.way.answer_all()

    async def use(self, name: str, text: str) -> str:
        self.at += 1
        used = Command(
            place=CHANNEL, message_id=f"c{self.at}", author=ANA, name=name, text=text,
            sent_at=float(self.at), handle="h",
        )  # fmt: skip
        await self.way.hear(used)
        await self.way.answer_all()
        return str(self.way.surface.texts[-1])

    async def end(self, one: str, *, by_edit: bool) -> None:
        self.at += 1
        self.dead |= set(SIGN.findall(self.texts.pop(one)))
        if by_edit:
            self.texts[one] = self.text()
            await self.way.hear(
                MessageChanged(
                    place=CHANNEL, message_id=one, text=self.texts[one], changed_at=float(self.at)
                )
            )
        else:
            await self.way.hear(MessageDeleted(place=CHANNEL, message_id=one))

    async def go_on(self) -> None:
        known = list(self.texts)
        match self.dice.randrange(8):
            case 0 | 1:
                await self.say(to_jay=False)
            case 2 | 3:
                roots = ["", *self.roots]
                await self.say(to_jay=True, thread=self.dice.choice(roots))
            case 4 if known:
                asked = SIGN.findall(self.texts[self.dice.choice(known)])[0]
                await self.use("answer", f"where is {asked}?")
            case 5 | 6 if known:
                await self.end(self.dice.choice(known), by_edit=self.dice.random() < 0.4)
            case _:
                await self.ask_why("")
                for one in await self.way.store.traced(CHANNEL):
                    await self.ask_why(one.message_id)

    async def ask_why(self, of: str) -> None:
        told = await self.use("why", of)
        assert not self.dead & set(SIGN.findall(told)), told
        self.seen["words"] += "%)" in told
        self.seen["hidden"] += NOT_ALL_STANDS in told
        self.seen["passages"] += ", shown: Ana" in told
        self.seen["gone"] += "is gone" in told


async def test_no_text_is_shown_that_was_edited_or_deleted(make_way: MakeWay) -> None:
    """Also no words of Jay's that repeat it, from however far back."""
    seen = Counter[str]()
    for seed in range(40):
        dice = Random(seed)
        way = make_way()
        way.engine = Parrot([""], dice=dice)
        way.surface.pace = Pace(writes=10_000, per_s=1.0)
        way.replier = replace(way.replier, budget=type(way.replier.budget)())
        talk = Talk(way=way, dice=dice)
        for _ in range(30):
            await talk.go_on()
        seen += talk.seen

    assert min(seen[one] for one in ("words", "hidden", "passages", "gone")) > 20
