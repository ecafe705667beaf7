"""`/answer` on conversations with known facts, and how it did.

The model in use, the store, the index and the skill are the real ones; the
conversations come from a file (`tests/data/answers.json`). How an answer is
judged shares no code with the checks that the skill makes itself: the judge
knows every value that was put into the conversations, and looks which of them
an answer names.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.conversations import Turn
from bot.figures import Figure
from bot.judging.talks import ASKER, AnswerSet, Question, Report, Talk
from bot.library import Library
from bot.ports import Store
from bot.prompting import Said, Speech
from bot.retrieval import Embedder
from bot.skills import Ask, Cite, Cited, Outcome, Progress, Request, Search, Step, Task
from bot.skills.answer import answer
from bot.skills.skill import Answer
from bot.store import embedded_valkey, open_store
from engine.training.scores import mean, share

STEP = 20
"""Questions asked side by side: the engine batches them."""
HITS = 3
FOUND_NOTHING = "I found no"
"""How an answer begins that says that nothing was found."""
FROM = "\n\nFrom:\n"
"""What stands between the model's words and the messages they stand on."""
WORD = re.compile(r"\d+(?:[.,:]\d+)*|[^\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of one question."""

    talk: Talk
    question: Question
    found: tuple[str, ...]
    """Ids of the messages that retrieval found, best first."""
    found_by_words: tuple[str, ...]
    outcome: Outcome

    @property
    def shown(self) -> str:
        """What is shown, without the line that says what was searched."""
        return self.outcome.text.rsplit("\n\n_Searched", 1)[0]

    @property
    def words(self) -> str:
        """The model's words, where they are shown."""
        words, mark, _ = self.shown.partition(FROM)
        return words if mark else ""

    @property
    def abstained(self) -> bool:
        """Whether it says that nothing clear was found."""
        return self.shown.startswith(FOUND_NOTHING)


async def evaluate_answers(
    data: AnswerSet, speech: Speech, embedder: Embedder | None, *, part: str, report: Report
) -> list[Answered]:
    """Ask every question of one part of the set; takes a minute or two on a CPU."""
    answered: list[Answered] = []
    async with _empty_store() as store:
        library, by_words = Library(store, embedder), Library(store, None)
        for talk in data.conversations:
            if talk.part != part:
                continue
            await store.log_history(talk.said())
            while embedder and (await library.search(talk.place, "", most=1)).by_meaning < len(
                talk.messages
            ):
                # Each search makes some of the vectors that are missing.
                report(f"{talk.name}: reading")
            for at in range(0, len(talk.questions), STEP):
                some = talk.questions[at : at + STEP]
                answered += await asyncio.gather(
                    *(_Trial(talk, one, library, by_words, speech).run() for one in some)
                )
            report(f"{talk.name}: {len(talk.questions)} questions")
    return answered


class _Trial:
    """One question, asked as `bot.driving` would, without a platform."""

    def __init__(
        self, talk: Talk, question: Question, library: Library, by_words: Library, speech: Speech
    ) -> None:
        self._talk, self._question = talk, question
        self._library, self._by_words, self._speech = library, by_words, speech
        self._found: tuple[str, ...] = ()
        self._found_by_words: tuple[str, ...] = ()

    async def run(self) -> Answered:
        """Ask it."""
        one = self._question
        turns = [
            Turn(role="person", text=text, author=ASKER.name, at=0.0)
            for text in (one.after, one.question)
            if text
        ]
        steps = answer(
            Request(
                text=one.question,
                place=self._talk.place,
                person=ASKER,
                turns=tuple(turns),
                command=True,
            )
        )
        result: Answer = None
        while True:
            try:
                step = steps.send(result)
            except StopIteration as end:
                return Answered(
                    talk=self._talk,
                    question=one,
                    found=self._found,
                    found_by_words=self._found_by_words,
                    outcome=end.value,
                )
            result = await self._do(step)

    async def _do(self, step: Step) -> Answer:
        match step:
            case Search():
                plain = await self._by_words.search(step.place, step.question, most=HITS)
                found = await self._library.search(step.place, step.question, most=step.most)
                self._found_by_words = tuple(hit.message.message_id for hit in plain.hits)
                self._found = tuple(hit.message.message_id for hit in found.hits[:HITS])
                hits = await self._library.compare(step.question, found.hits)
                return replace(found, hits=hits)
            case Ask():
                return tuple([await self._say(task) for task in step.tasks])
            case Cite():
                return Cited(links={one.message_id: f"#{one.message_id}" for one in step.messages})
            case Progress():
                return None
            case _:
                raise TypeError(f"an answer does not ask for {type(step).__name__}")

    async def _say(self, task: Task) -> Said:
        prompt = await self._speech.task(
            instruction=task.instruction, text=task.text, max_tokens=task.max_tokens, salt=""
        )
        return await self._speech.ask(prompt)


def figures(answered: Sequence[Answered], *, part: str, how: str) -> list[Figure]:
    """Return the figures; their names end in the part's, but for `held_out`."""
    end = "" if part == "held_out" else f"_{part}"
    told = [*_of_retrieval(answered), *_of_answers(answered), *_of_words(answered)]
    return [replace(one, name=one.name + end, how=f"{one.how}; {how}") for one in told]


def _share(name: str, hits: Iterable[bool], told: str, baseline: float | None = None) -> Figure:
    return share(name, list(hits), how=told, baseline=baseline).figure


def _of_retrieval(answered: Sequence[Answered]) -> list[Figure]:
    held = [one for one in answered if one.question.gold]
    by_words = _share("retrieval_hit_at_3_bm25", map(_hit_by_words, held), "by BM25 alone")
    hybrid = _share("retrieval_hit_at_3", map(_hit, held), "gold message among the first three")
    paraphrased = [one for one in held if one.question.paraphrase]
    told = "of questions that share few words with their message; baseline: BM25 alone"
    return [
        replace(hybrid, baseline=by_words.value),
        by_words,
        replace(
            _share("retrieval_hit_at_3_paraphrased", map(_hit, paraphrased), told),
            baseline=_share("", map(_hit_by_words, paraphrased), "").value,
        ),
    ]


def _of_answers(answered: Sequence[Answered]) -> list[Figure]:
    held = [one for one in answered if one.question.gold]
    missing = [one for one in answered if not one.question.gold]
    clear = [one for one in held if not one.abstained]
    cited = (each in one.question.messages for one in clear for each in one.outcome.sources)
    return [
        _share("answer_contains_gold", map(_holds_gold, held), "what is shown holds the value"),
        _share("answer_found", (not one.abstained for one in held), "not only as the nearest"),
        _share("answer_abstention", (one.abstained for one in missing), "says it found none"),
        _share("citation_precision", cited, "messages cited by answers that are the gold one"),
    ]


def _of_words(answered: Sequence[Answered]) -> list[Figure]:
    held = [one for one in answered if one.question.gold]
    worded = [one for one in answered if one.words]
    exact = (_left(one) == _tokens(one.question.gold) for one in held)
    return [
        Figure(
            name="unsupported_claims_shown",
            value=float(sum(map(unsupported, worded))),
            unit="claims",
            n=len(worded),
            how="answers in words that name a value their sources don't hold together",
        ),
        _share("answer_in_words", (bool(one.words) for one in held), "the model's words are shown"),
        _share("answer_words_right", map(_words_right, worded), "of these, hold the right value"),
        _share("answer_exact_match", exact, "the words besides the question's are the value alone"),
        mean(
            "answer_f1",
            [_f1(one) for one in held],
            unit="share",
            how="of these words and the value; not in words: 0",
        ).figure,
    ]


def _hit(one: Answered) -> bool:
    return bool(set(one.found) & set(one.question.messages))


def _hit_by_words(one: Answered) -> bool:
    return bool(set(one.found_by_words) & set(one.question.messages))


def _holds_gold(one: Answered) -> bool:
    return one.question.gold.lower() in one.shown.lower()


def _words_right(one: Answered) -> bool:
    return bool(one.question.gold) and one.question.gold.lower() in one.words.lower()


def unsupported(one: Answered) -> bool:
    """Tell whether the model's words name a value that no single source of theirs holds."""
    named = one.talk.named(one.words)
    sources = [
        f"{line.author}: {line.text}".lower()
        for line in one.talk.messages
        if line.id in one.outcome.sources
    ]
    return not any(all(value in source for value in named) for source in sources)


def _tokens(text: str) -> list[str]:
    small = {"the", "a", "an", "is", "are", "was", "were", "it", "at", "on", "in", "of", "to"}
    return [word for word in WORD.findall(text.lower()) if word not in small]


def _left(one: Answered) -> list[str]:
    """Return the words of an answer that the question did not hold."""
    asked = set(_tokens(one.question.question)) - set(_tokens(one.question.gold))
    return [word for word in _tokens(one.words) if word not in asked]


def _f1(one: Answered) -> float:
    said, gold = Counter(_left(one)), Counter(_tokens(one.question.gold))
    shared = sum((said & gold).values())
    return 2 * shared / (sum(said.values()) + sum(gold.values())) if shared else 0.0


@asynccontextmanager
async def _empty_store() -> AsyncIterator[Store]:
    with TemporaryDirectory(prefix="jay-evaluate-") as folder:
        async with (
            embedded_valkey(Path(folder)) as url,
            open_store(url, retention_days=3_650, max_turns=10, max_log=10_000) as store,
        ):
            yield store
