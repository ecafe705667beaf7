"""Drives a skill: does what it yields and sends back what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

import structlog

from bot.driving.batching import Batcher
from bot.driving.digesting import DigestKeeper
from bot.driving.reading import Reader
from bot.driving.recalling import Recaller
from bot.driving.tracing import Tracer
from bot.errors import EngineUnreachable, PlatformError
from bot.library import Library
from bot.messages import IncomingMessage, Place
from bot.ports import Lease, Store, Surface
from bot.prompting import Said, Speech
from bot.prompts import Finish, Prompt, Waiting
from bot.skills import (
    Ask,
    Batch,
    Cite,
    Cited,
    Clock,
    Done,
    DropDigest,
    Find,
    KeepDigest,
    ListDigests,
    Matches,
    Measure,
    NameOf,
    Outcome,
    Progress,
    Read,
    Recall,
    Say,
    Search,
    Sizes,
    Steps,
    Task,
)
from bot.skills.skill import Answer, Need

log = structlog.get_logger(__name__)

ENGINE_WAIT_S = 120.0
"""How long a reply waits for an engine that is starting. A 6B model on a CPU takes as long."""
ENGINE_RETRY_S = 2.0
HISTORY = 1_000
"""Messages of a channel's history that are brought into the log before it is searched."""

OpenSpeech = Callable[[], Awaitable[Speech]]


@dataclass(slots=True, kw_only=True)
class Driver:
    """Performs one skill for one reply."""

    lease: Lease
    store: Store
    surface: Surface
    library: Library
    open_speech: OpenSpeech
    show: Callable[[str], None]
    """Takes the reply's text so far, as it should be shown."""
    person: str = ""
    """Id of whoever asked; people take turns where the engine has no place."""
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a person asks to stop. A skill that has begun a `Batch` ends by itself then."""
    begun: str = ""
    """What an earlier worker had the model say of this reply already."""
    status: str = "Thinking"
    """What Jay is doing, for people who wait."""
    words: str = ""
    """What the model has said so far, as it is shown."""
    finish: Finish | None = None
    model: str = ""
    tracer: Tracer = field(default_factory=Tracer)
    """Notes what the reply is made of."""
    _batcher: Batcher | None = field(default=None, repr=False)
    _speech: Speech | None = field(default=None, repr=False)

    @property
    def waiting(self) -> Waiting | None:
        """Where the reply stands in the engine's queue; None where it doesn't wait there."""
        if self._speech is None:
            return None
        return self._speech.engine.waiting(self.lease.conversation.key)

    @property
    def ends_by_itself(self) -> bool:
        """Whether the skill will show what it has when it is stopped."""
        return self._batcher is not None

    @property
    def cut(self) -> str:
        """Why the skill ended early, as in `Made.finish`; empty: it didn't."""
        if self._batcher is None or not self._batcher.cut:
            return ""
        error = self._batcher.error
        return f"error:{type(error).__name__}" if error else "stopped"

    async def drive(self, steps: Steps[Outcome]) -> Outcome:
        """Run a skill to its end.

        Raises:
            EngineError: the model can't be had.
            StoreError: the store can't be had, or the lease is lost.
        """
        answer: Answer = None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as end:
                outcome: Outcome = end.value
                return outcome
            if isinstance(step, Progress):
                self.status, answer = step.text, None
            else:
                answer = await self._do(step)

    async def _do(self, step: Need) -> Answer:
        match step:
            case Say():
                return await self._say(step)
            case Ask():
                return await self._ask(step.tasks)
            case Batch():
                return await self._batch(step)
            case Measure():
                return await self._measure(step)
            case Search():
                return await self._search(step)
            case Read() | Cite() | Clock() | Find() | Recall():
                return await self._look_up(step)
            case ListDigests() | KeepDigest() | DropDigest() | NameOf():
                platform = self.lease.conversation.platform
                keeper = DigestKeeper(store=self.store, surface=self.surface, platform=platform)
                return await keeper.do(step)

    async def _say(self, step: Say) -> Said:
        speech = await self._open_speech()
        conversation = self.lease.conversation
        mark = await self.store.window_start(conversation)
        start = next((at for at, turn in enumerate(step.turns) if _mark(turn.at) >= mark), 0)
        prompt, window = await speech.chat(
            step.turns,
            session=conversation.key,
            salt=self._tenant,
            person=self.person,
            start=start,
            begun=self.begun,
            manner=step.manner,
        )
        if window.start != start:
            await self.store.keep_window_start(self.lease, _mark(step.turns[window.start].at))
        self.tracer.chats(speech, step.turns, window, sampling=prompt.sampling, begun=self.begun)
        said = Said(text=self.begun)
        async with aclosing(speech.speak(prompt, begun=self.begun)) as stream:
            async for said in stream:
                self.words = said.text
                self.show(said.text)
        self.finish = said.finish
        return said

    async def _ask(self, tasks: Sequence[Task]) -> tuple[Said, ...]:
        speech = await self._open_speech()
        self.tracer.asks(speech, prompts=len(tasks))

        async def one(task: Task) -> Said:
            return await speech.ask(await self._prompt_of(speech, task))

        try:
            async with asyncio.TaskGroup() as group:
                running = [group.create_task(one(task)) for task in tasks]
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        said = tuple(task.result() for task in running)
        self.finish = _sum([answer.finish for answer in said if answer.finish])
        return said

    async def _prompt_of(self, speech: Speech, task: Task) -> Prompt:
        return await speech.task(
            instruction=task.instruction,
            text=task.text,
            max_tokens=task.max_tokens,
            salt=self._tenant,
            session=self.lease.conversation.key,
            person=self.person,
        )

    @property
    def _tenant(self) -> str:
        """Whose prefix cache and whose turn it is: a workspace's, or a private talk's outside."""
        conversation = self.lease.conversation
        return conversation.workspace or conversation.channel

    async def _measure(self, step: Measure) -> Sizes:
        speech = await self._open_speech()
        sizes = tuple(await speech.count(step.texts))
        return Sizes(tokens=sizes, room=speech.budget_tokens)

    async def _search(self, step: Search) -> Matches:
        if self.library.wants_history(step.place):
            self.status = "Reading this channel's history"
            await self._fill_from_history(replace(step.place, thread=""), HISTORY)
            self.status = "Searching this channel"
        # The history was logged just now: what is found there is as it reads from here on.
        self.tracer.revision = await self.store.revision(step.place)
        found = await self.library.search(step.place, step.question, most=step.most)
        return replace(found, hits=await self.library.compare(step.question, found.hits))

    async def _look_up(self, step: Read | Cite | Clock | Find | Recall) -> Answer:
        match step:
            case Recall():
                return await Recaller(store=self.store, link=self._link).recall(step)
            case Read():
                return await self._reader.read(step)
            case Cite():
                return await self._cite(step)
            case Clock():
                return await self._zone(step)
            case Find():
                return await self._find(step)

    async def _batch(self, step: Batch) -> Done:
        if self._batcher is None:
            self._batcher = Batcher(notes=self.store, prompt_of=self._prompt_of, stop=self.stop)
        speech = await self._open_speech()

        def tell(done: int, of: int) -> None:
            self.status = step.told.format(done=done, all=of)

        done = await self._batcher.do(speech, step.tasks, tell)
        self.finish = _sum(self._batcher.costs)
        batcher = self._batcher
        self.tracer.asks(speech, prompts=len(batcher.costs), noted=batcher.noted)
        return done

    async def _cite(self, step: Cite) -> Cited:
        standing = await self._reader.standing(step.messages)
        links = await asyncio.gather(*(self._link(one.place, one.message_id) for one in standing))
        return Cited(
            links={one.message_id: link for one, link in zip(standing, links, strict=True)}
        )

    async def _find(self, step: Find) -> Place | None:
        """Find a channel; one about which the platform tells nothing is none."""
        try:
            return await self.surface.find_channel(step.near, step.name, person=step.person.id)
        except PlatformError as error:
            if error.retry:
                raise
            log.info("driving.not_found", error=str(error))
            return None

    async def _zone(self, step: Clock) -> str:
        try:
            return await self.surface.zone(step.person.id)
        except PlatformError as error:
            log.info("driving.no_zone", error=str(error))
            return ""

    @property
    def _reader(self) -> Reader:
        return Reader(store=self.store, surface=self.surface)

    async def _fill_from_history(self, place: Place, limit: int) -> None:
        """Bring what was said before Jay came into the log. Without it, the log alone serves."""
        try:
            history: Sequence[IncomingMessage] = await self.surface.history(place, limit=limit)
        except PlatformError as error:
            log.warning("driving.no_history", channel=place.channel, error=str(error))
            return
        await self.store.log_history([one for one in history if not one.author.bot])

    async def _link(self, place: Place, message_id: str) -> str:
        try:
            return await self.surface.link(place, message_id)
        except PlatformError as error:
            log.info("driving.no_link", message=message_id, error=str(error))
            return ""

    async def _open_speech(self) -> Speech:
        """Return the model's speech, waiting for an engine that is still starting."""
        if self._speech is None:
            loop = asyncio.get_running_loop()
            until = loop.time() + ENGINE_WAIT_S
            while self._speech is None:
                try:
                    async with asyncio.timeout_at(until):
                        self._speech = await self.open_speech()
                except TimeoutError as error:
                    raise EngineUnreachable(
                        "the engine took too long to say what it serves"
                    ) from error
                except EngineUnreachable:
                    if loop.time() + ENGINE_RETRY_S > until:
                        raise
                    self.status = "Waiting for my language model to start"
                    await asyncio.sleep(ENGINE_RETRY_S)
            self.status = "Thinking"
            self.model = self._speech.model.name
        return self._speech


def _mark(at: float) -> int:
    return int(at * 1000)


def _sum(finishes: Sequence[Finish]) -> Finish | None:
    if not finishes:
        return None
    return Finish(
        reason=finishes[-1].reason,
        prompt_tokens=sum(one.prompt_tokens for one in finishes),
        cached_tokens=sum(one.cached_tokens for one in finishes),
        reply_tokens=sum(one.reply_tokens for one in finishes),
    )
