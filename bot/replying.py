"""One reply, from mail to settled turn.

The reply is on record before anything is shown, again after every write, and
with its whole text before the last ones, so that a worker that takes over
finishes the same message. What goes wrong on the way is told to the person in
the reply itself; what was shown already stands. The store's errors and those
of a platform that can't be written to leave this room: then nothing is
settled, and the mail is answered later.

A message whose reply fails again and again without getting further is parked:
kept for an operator, with an apology in place of the reply.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import structlog

from bot.company import Company
from bot.conversations import Made, Reply, Turn, person_turn
from bot.delivery import Draft, WriteBudget
from bot.driving import Driver, OpenSpeech
from bot.driving.tracing import as_before
from bot.errors import (
    EngineError,
    JayError,
    LeaseLost,
    MayNotWrite,
    MessageGone,
    Rejected,
)
from bot.library import Library
from bot.messages import Command, Mail, PlatformName
from bot.metrics import FIRST_WORD, PARKED, REPLIES, WHOLE_REPLY
from bot.ports import Lease, Store, Surface, Target
from bot.skills import COMMANDS, Chosen, Outcome, Request, SlashCommand, choose
from bot.skills.chat import NO_WORDS, joined, with_notes
from bot.skills.sharing import SHARE
from bot.traces import Trace
from bot.tries import is_given_up, next_try, outcome_of, together, with_outcome

log = structlog.get_logger(__name__)

STOPPED = "_Stopped._"
WIND_UP_S = 15.0
"""A stopped skill that shows what it has by itself may take so long for it."""
APOLOGY_TIMEOUT_S = 30.0
"""What can't be said in so long stays unsaid; the conversation goes on."""
NOT_ALLOWED = (
    "You asked me something in a place where I may read but not write. "
    "Somebody who manages it can let me; here is my reply:\n\n{text}"
)


@dataclass(slots=True, kw_only=True)
class _Work:
    """One reply in the making."""

    lease: Lease
    mail: tuple[Mail, ...]
    chosen: Chosen
    record: Reply
    target: Target
    driver: Driver
    draft: Draft
    stop: asyncio.Event
    began: float = field(default_factory=time.monotonic)
    first_word_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Replier:
    """Makes replies. It owns nothing; everything comes from the composition root."""

    store: Store
    surfaces: Mapping[PlatformName, Surface]
    library: Library
    open_speech: OpenSpeech
    budget: WriteBudget
    max_message_chars: int
    """Longer messages are cut, and the person is told."""
    max_tries: int = 5
    """Mail that so many tries failed at is parked."""
    commands: Sequence[SlashCommand] = COMMANDS
    """What people can ask for; looked into anew for each reply."""
    why_button: bool = True
    """Below each finished reply stands a button for `/why`."""

    async def reply(
        self, lease: Lease, *, stop: asyncio.Event, holds: Callable[[], bool] = lambda: True
    ) -> None:
        """Answer the oldest mail of a leased conversation, and settle it.

        Args:
            lease: the right to write there; the caller keeps it alive.
            stop: set when a person asks to stop.
            holds: whether the lease is known to hold; asked before each write that people see.

        Raises:
            StoreError: the store can't be had or the lease is lost.
            PlatformError: the platform can't be reached or lets Jay not in; the mail stays.
            EngineError: the model can't be had now, and nobody waits; the mail stays.
        """
        began, began_at = time.monotonic(), time.time()
        revision = await self.store.revision(lease.conversation.place)
        waiting = await self.store.mail(lease)
        begun = await self.store.open_reply(lease)
        mail = together(waiting, begun, self.commands)
        if not mail:
            answered = begun.answers if begun else ()
            await self.store.settle(lease, answered=answered, turns=())
            return
        if begun is not None and is_given_up(begun, self.max_tries):
            await self._park(lease, mail, begun, stop, holds)
            return
        record = next_try(mail, begun, began_at=began_at)
        await self.store.save_reply(lease, record)
        mail = together(mail, record, self.commands)
        again = begun is not None
        work = self._begin(lease, mail, record, stop, holds, taken_over=again)
        work.began, work.driver.tracer.revision = began, revision
        async with work.draft:
            if record.whole:
                outcome, finish = outcome_of(record), record.finish
            else:
                outcome, finish = await self._perform(work)
                outcome = self._in_words(work, outcome)
                outcome = with_notes(outcome, work.mail, max_chars=self.max_message_chars)
                await self._put_whole_on_record(work, outcome, finish)
            if outcome.whispered:
                await self._whisper(work, outcome.text)
            elif not work.draft.gone and outcome.text:
                await self._deliver(work, outcome.text)
        await self._settle(work, outcome, finish)

    async def excuse(self, lease: Lease) -> None:
        """Take the last try of a lease's reply back: an outage ended it, and no fault of the mail.

        Raises:
            StoreError: the store can't be had or the lease is lost.
        """
        begun = await self.store.open_reply(lease)
        if begun is not None and begun.tries:
            await self.store.save_reply(lease, replace(begun, tries=begun.tries - 1))

    async def blame(self, lease: Lease) -> None:
        """Count the last try of a lease's reply as failed by an error.

        Raises:
            StoreError: the store can't be had or the lease is lost.
        """
        begun = await self.store.open_reply(lease)
        if begun is not None:
            await self.store.save_reply(lease, replace(begun, failures=begun.failures + 1))

    async def _park(
        self,
        lease: Lease,
        mail: tuple[Mail, ...],
        begun: Reply,
        stop: asyncio.Event,
        holds: Callable[[], bool],
    ) -> None:
        """Apologise where the reply would stand, and put its mail aside."""
        try:
            async with asyncio.timeout(APOLOGY_TIMEOUT_S):
                work = self._begin(lease, mail, begun, stop, holds, taken_over=True)
                async with work.draft:
                    await work.draft.finish(joined(begun.text, f"_{JayError.to_person}_"))
        except LeaseLost:
            raise
        except Exception:
            # Whatever brought the reply down may bring this down too; parking must not fail.
            log.exception("replying.no_apology", conversation=lease.conversation.key)
        await self.store.park(lease, message_ids=[one.message_id for one in mail])
        for one in mail:
            PARKED.labels(one.place.platform).inc()
            log.error(
                "replying.parked",
                conversation=lease.conversation.key,
                message=one.message_id,
                tries=begun.tries,
                hint="`jay parked` lists it; `jay parked --again ID` has it answered.",
            )

    def _begin(
        self,
        lease: Lease,
        mail: tuple[Mail, ...],
        record: Reply,
        stop: asyncio.Event,
        holds: Callable[[], bool],
        *,
        taken_over: bool,
    ) -> _Work:
        newest = mail[-1]
        surface = self.surfaces[newest.place.platform]
        chosen = choose(newest, self.commands)
        stops, kept = chosen.name == "summarize", chosen.private
        why = self.why_button and not (chosen.aside or is_given_up(record, self.max_tries))
        target = replace(Target.of(newest), stop=stops, private=kept, share=chosen.share, why=why)
        draft = Draft(
            surface=surface,
            target=target,
            budget=self.budget,
            nonce=record.reply_id,
            record=lambda ids: self._put_on_record(work, ids),
            message_ids=record.message_ids,
            taken_over=taken_over,
            holds=holds,
        )
        text = record.text if chosen.speaks else ""
        driver = Driver(
            lease=lease,
            store=self.store,
            surface=surface,
            library=self.library,
            open_speech=self.open_speech,
            show=lambda text: self._show(work, text),
            person=newest.author.id,
            stop=stop,
            begun=text,
            words=text,
        )
        work = _Work(
            lease=lease,
            mail=mail,
            chosen=chosen,
            record=record,
            target=target,
            driver=driver,
            draft=draft,
            stop=stop,
        )
        return work

    async def _perform(self, work: _Work) -> tuple[Outcome, str]:
        """Run the skill until it ends, fails, is stopped, or its reply is taken away."""
        skill = asyncio.create_task(work.driver.drive(work.chosen.skill(await self._ask_of(work))))
        stopped = asyncio.create_task(work.stop.wait())
        company = asyncio.create_task(
            self._company(work).keep(
                spoken=lambda: bool(work.first_word_s) or not work.chosen.awaited
            )
        )
        try:
            await asyncio.wait({skill, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if work.driver.ends_by_itself and not work.draft.gone:
                await asyncio.wait({skill}, timeout=WIND_UP_S if work.stop.is_set() else None)
            if not skill.done():
                return Outcome(text=joined(work.driver.words, STOPPED)), "stopped"
            outcome = skill.result()
            if work.driver.cut:
                return outcome, work.driver.cut
            cut = outcome.said.cut if outcome.said else ""
            return outcome, f"guard:{cut}" if cut not in ("", "stop", "length") else cut or "stop"
        except EngineError as error:
            log.warning("replying.engine_failed", error=str(error), kind=type(error).__name__)
            if error.retry and not work.chosen.awaited:
                raise  # nobody is there to ask again
            text = joined(work.driver.words, f"_{error.to_person}_")
            return Outcome(text=text), f"error:{type(error).__name__}"
        finally:
            for task in (skill, stopped, company):
                task.cancel()
            await asyncio.gather(skill, stopped, company, return_exceptions=True)

    def _company(self, work: _Work) -> Company:
        return Company(
            surface=self.surfaces[work.target.place.platform],
            target=work.target,
            driver=work.driver,
            draft=work.draft,
            budget=self.budget,
            may_write=not work.record.text,
            progress=not work.chosen.speaks,
        )

    async def _ask_of(self, work: _Work) -> Request:
        newest = work.mail[-1]
        before = await self.store.turns(work.lease.conversation)
        said = tuple(person_turn(one, self.max_message_chars) for one in work.mail)
        return Request(
            text=work.chosen.text[: self.max_message_chars],
            place=newest.place,
            person=newest.author,
            turns=(*before, *(turn for turn in said if turn.text)),
            now=time.time(),
            command=isinstance(newest, Command),
            run=newest.run if isinstance(newest, Command) else None,
        )

    def _in_words(self, work: _Work, outcome: Outcome) -> Outcome:
        """Return what is said, or that there are no words where it would show nothing."""
        if not outcome.text or work.draft.shows(outcome.text):
            return outcome
        # A base model may say no more than `###`, a heading of nothing.
        work.driver.words = ""
        return replace(outcome, text=NO_WORDS)

    async def _deliver(self, work: _Work, text: str) -> None:
        work.first_word_s = work.first_word_s or time.monotonic() - work.began
        try:
            await work.draft.finish(text)
        except (MayNotWrite, MessageGone, Rejected) as error:
            log.warning("replying.not_shown", channel=work.target.place.channel, error=str(error))
            if isinstance(error, Rejected):
                raise
            if isinstance(error, MayNotWrite):
                await self._whisper(work, NOT_ALLOWED.format(text=text))

    async def _whisper(self, work: _Work, text: str) -> None:
        surface = self.surfaces[work.target.place.platform]
        with suppress(MayNotWrite, MessageGone, Rejected):
            await surface.whisper(work.target, text)

    async def _settle(self, work: _Work, outcome: Outcome, finish: str) -> None:
        total_s, cost = time.monotonic() - work.began, work.driver.finish
        name = outcome.skill or work.chosen.name
        made = Made(
            model=work.driver.model,
            skill=name,
            prompt_tokens=cost.prompt_tokens if cost else 0,
            cached_tokens=cost.cached_tokens if cost else 0,
            reply_tokens=cost.reply_tokens if cost else 0,
            finish=finish,
            sources=outcome.sources,
            began_at=work.record.began_at,
            first_word_s=round(work.first_word_s, 3),
            total_s=round(total_s, 3),
        )
        said = (person_turn(one, self.max_message_chars) for one in work.mail)
        turns = [turn for turn in said if turn.text and not work.chosen.aside]
        only_words = work.chosen.speaks and not outcome.skill
        remembered = work.driver.words if only_words else outcome.kept or outcome.text
        if remembered and not work.chosen.aside:
            turns.append(
                Turn(
                    role="jay",
                    text=remembered,
                    author="Jay",
                    at=time.time(),
                    message_ids=work.draft.message_ids,
                    made=made,
                )
            )
        answered = [one.message_id for one in work.mail]
        if (trace := work.record.trace) is not None:
            await self.store.keep_trace(replace(trace, message_ids=work.draft.message_ids))
        await self.store.settle(work.lease, answered=answered, turns=turns)
        REPLIES.labels(work.target.place.platform, name, finish).inc()
        WHOLE_REPLY.observe(total_s)
        log.info(
            "replying.settled",
            conversation=work.lease.conversation.key,
            skill=name,
            finish=finish,
            answered=len(answered),
            first_word_s=made.first_word_s,
            total_s=made.total_s,
        )

    def _show(self, work: _Work, text: str) -> None:
        if not work.first_word_s:
            work.first_word_s = time.monotonic() - work.began
            FIRST_WORD.observe(work.first_word_s)
        work.draft.show(text)
        failure = work.draft.failure
        if work.draft.gone or (failure is not None and not isinstance(failure, MayNotWrite)):
            work.stop.set()

    async def _put_on_record(self, work: _Work, message_ids: tuple[str, ...]) -> None:
        record = work.record.showing(message_ids, work.driver.words)
        if len(record.text) > len(work.record.text):
            record = replace(record, tries=1, failures=0)
        work.record = record
        await self.store.save_reply(work.lease, record)

    async def _put_whole_on_record(self, work: _Work, outcome: Outcome, finish: str) -> None:
        """Put on record what the reply reads for good: who takes over says nothing else.

        Raises:
            PlatformError: the platform was lost on the way; the words so far are no whole reply.
        """
        failure = work.draft.failure
        if failure is not None and not isinstance(failure, MayNotWrite | MessageGone):
            raise failure
        work.record = replace(
            with_outcome(work.record, outcome),
            text=work.driver.words,
            finish=finish,
            trace=await self._trace(work, outcome, finish),
        )
        await self.store.save_reply(work.lease, work.record)

    async def _trace(self, work: _Work, outcome: Outcome, finish: str) -> Trace | None:
        """Return how a reply came about; what is shared came about as it did before."""
        if work.chosen.aside or not outcome.text:
            return None
        trace = work.driver.tracer.trace(
            outcome,
            reply=work.record,
            conversation=work.lease.conversation,
            target=work.target,
            at=time.time(),
            skill=outcome.skill or work.chosen.name,
            finish=finish,
            cost=work.driver.finish,
        )
        if work.chosen.name == SHARE:
            return await as_before(self.store, work.lease.conversation, trace)
        return trace
