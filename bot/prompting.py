"""From turns and tasks to prompts, and from the engine's stream to guarded text.

The one place where family, window, guards and engine meet. Skills say what to
ask in words; this says it in tokens.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import chain

from bot.conversations import Turn
from bot.family import Family, render_cue, render_opening, render_task, render_turn
from bot.guards import Guard
from bot.ports import Engine
from bot.prompts import Finish, Manner, Prompt, ServedModel
from bot.sureness import Listener
from bot.traces import Sureness
from bot.window import Ids, Window, fit

AS_EVER = Manner()
LEAST_REPLY_TOKENS = 16
"""A reply gets at least so many, however long the prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the model said, guarded."""

    text: str
    cut: str = ""
    """Which guard ended it, as `Guard.cut`; empty: it ended by itself."""
    note: str = ""
    """What the person is told about a cut."""
    finish: Finish | None = None
    sureness: Sureness | None = None
    """How sure the model was of it; None before the end, and where the engine doesn't tell."""


async def open_speech(
    engine: Engine, *, model: ServedModel, family: Family, persona: str, max_tokens: int
) -> Speech:
    """Return the speech of a served model; asks the engine for the ids of its stop tokens."""
    encoded = await engine.encode(family.stop_tokens) if family.stop_tokens else []
    return Speech(
        engine=engine,
        model=model,
        family=family,
        persona=persona,
        max_tokens=max_tokens,
        stop_ids=tuple(ids[0] for ids in encoded if len(ids) == 1),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """One model and its way of writing turns."""

    engine: Engine
    model: ServedModel
    family: Family
    persona: str
    max_tokens: int
    """The longest reply."""
    stop_ids: tuple[int, ...] = ()
    """Ids of the family's stop tokens, where the model has them as single tokens."""

    @property
    def budget_tokens(self) -> int:
        """Tokens that a prompt may take, so that the longest reply fits behind it."""
        longest_reply = min(self.max_tokens, self.model.window // 2)
        return self.model.window - longest_reply

    async def chat(
        self,
        turns: Sequence[Turn],
        *,
        session: str,
        salt: str,
        person: str = "",
        start: int = 0,
        begun: str = "",
        manner: Manner = AS_EVER,
    ) -> tuple[Prompt, Window]:
        """Return the prompt that has the model speak next, and the window it holds.

        Args:
            turns: oldest first, at least one.
            session: the conversation's key.
            salt: the workspace, which shares a prefix cache with no other.
            person: who asks.
            start: index where the last prompt's window began.
            begun: what Jay has said of this reply already; the model goes on from there.
            manner: how its words are drawn.
        """
        opening = render_opening(self.family, persona=self.persona)
        cue: tuple[str, ...] = render_cue(self.family)
        if begun:
            cue = (*cue, self.family.jay_lead + begun)
        segments = [render_turn(self.family, turn) for turn in turns]
        flat = await self.engine.encode([opening, *cue, *chain.from_iterable(segments)])
        head = 1 + len(cue)
        bodies, at = list[Ids](), head
        for segment in segments:
            bodies.append(tuple(chain.from_iterable(flat[at : at + len(segment)])))
            at += len(segment)
        window = fit(
            bodies,
            opening=flat[0],
            cue=tuple(chain.from_iterable(flat[1:head])),
            budget_tokens=self.budget_tokens,
            start=start,
        )
        prompt = self._prompt(window.ids, session=session, salt=salt, person=person)
        return self._in_manner(prompt, manner), window

    async def task(
        self,
        *,
        instruction: str,
        text: str,
        max_tokens: int,
        salt: str,
        session: str = "",
        person: str = "",
    ) -> Prompt:
        """Return the prompt of one task outside a chat; it stands behind chat in priority."""
        segments = render_task(self.family, instruction=instruction, text=text)
        ids = tuple(chain.from_iterable(await self.engine.encode(segments)))
        prompt = self._prompt(ids, session=session, salt=salt, person=person)
        return replace(prompt, max_tokens=min(max_tokens, prompt.max_tokens), priority=1)

    async def count(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each text takes."""
        return [len(ids) for ids in await self.engine.encode(texts)]

    async def speak(self, prompt: Prompt, *, begun: str = "") -> AsyncGenerator[Said, None]:
        """Stream a reply through the guards; each yield holds the whole text so far.

        The last one carries how it ended. Closing this closes the stream.
        """
        guard = Guard(stops=prompt.stop, never=self.family.never)
        guard.feed(begun)
        listener = Listener(begun=begun)
        finish = None
        async with aclosing(self.engine.stream(prompt)) as pieces:
            async for piece in pieces:
                finish = piece.finish or finish
                listener.feed(piece)
                if not guard.feed(piece.text):
                    break
                if guard.text:
                    yield Said(text=guard.text)
        text = guard.flush()
        by_length = not guard.cut and finish is not None and finish.reason == "length"
        if by_length:
            guard.cut = "length"
        yield Said(
            text=text,
            cut=guard.cut,
            note=guard.note,
            finish=finish,
            sureness=listener.sureness(text),
        )

    async def ask(self, prompt: Prompt) -> Said:
        """Have the model answer unseen, and return the whole."""
        said = Said(text="")
        async with aclosing(self.speak(prompt)) as stream:
            async for so_far in stream:
                said = so_far
        return said

    def _in_manner(self, prompt: Prompt, manner: Manner) -> Prompt:
        return replace(
            prompt,
            max_tokens=min(prompt.max_tokens, manner.max_tokens or prompt.max_tokens),
            stop=(*prompt.stop, *manner.stops),
            sampling=manner.of(prompt.sampling),
        )

    def _prompt(self, ids: Ids, *, session: str, salt: str, person: str) -> Prompt:
        room = max(LEAST_REPLY_TOKENS, self.model.window - len(ids))
        return Prompt(
            ids=ids,
            max_tokens=min(self.max_tokens, room),
            stop=self.family.stop,
            stop_ids=self.stop_ids,
            sampling=self.family.sampling,
            session=session,
            salt=salt,
            person=person,
        )
