"""The answer set and its judge."""

from __future__ import annotations

import tomllib
from pathlib import Path

from data.make_answers import HERE, SET, draw

from bot.judging.answers import Answered, figures, unsupported
from bot.judging.summaries import SummedUp, summary_figures
from bot.judging.talks import Line, Question, Talk, load_answer_set
from bot.skills import Outcome
from engine.training.intents import HERE as INTENTS

LINES = (
    Line(id="1", author="Ana", text="The demo is on Friday.", sent_at=1.0),
    Line(id="2", author="Ben", text="The party is on Monday.", sent_at=2.0),
)
ASKED = (
    Question(question="When is the demo?", gold="Friday", messages=("1",)),
    Question(question="When is the party?", gold="Monday", messages=("2",)),
    Question(question="Who bakes?", gold="", unanswerable="near"),
)
TALK = Talk(name="t", part="held_out", messages=LINES, questions=ASKED)


def answered(at: int, text: str, sources: tuple[str, ...] = ("1",)) -> Answered:
    return Answered(
        talk=TALK,
        question=ASKED[at],
        found=("1", "2"),
        found_by_words=("2",),
        outcome=Outcome(text=f"{text}\n\n_Searched 2 messages of this channel._", sources=sources),
    )


def test_the_set_is_what_its_script_draws() -> None:
    assert SET.read_text() == draw()


def test_no_entity_of_the_set_is_one_that_training_draws_from() -> None:
    """Else memory could pass for reading."""
    pools = tomllib.loads((HERE / "answers.toml").read_text())["pools"]
    ours = {value for part in pools.values() for of in part.values() for value in of}
    trained = tomllib.loads((INTENTS / "pools.toml").read_text())

    assert ours & {value for of in trained.values() for value in of} == set()


def test_the_part_that_is_reported_shares_no_entity_and_no_template_with_the_others() -> None:
    data = load_answer_set(Path(SET))
    asked = {
        part: {
            one.question
            for talk in data.conversations
            if talk.part == part
            for one in talk.questions
        }
        for part in ("develop", "held_out")
    }

    assert len(asked["held_out"]) > 100
    assert asked["held_out"] & asked["develop"] == set()


def test_a_claim_that_joins_values_of_two_messages_counts_as_unsupported() -> None:
    words = "The demo is on Monday.\n\nFrom:\n- **Ana**, 1 Jan: The demo is on Friday."

    assert unsupported(answered(0, words))
    assert unsupported(answered(0, words.replace("on Monday", "at 9:15")))
    assert unsupported(answered(0, words.replace("demo is on Monday", "party is on Monday")))
    assert not unsupported(answered(0, words.replace("on Monday", "on Friday")))


def test_figures_tell_right_from_wrong() -> None:
    right = answered(0, "The demo is on Friday.\n\nFrom:\n- **Ana**, 1 Jan: The demo is on Friday.")
    quoted = answered(
        1, "This is what was said about it:\n- **Ana**, 1 Jan: The demo is on Friday."
    )
    honest = answered(2, "I found nothing about that here.", sources=())

    told = {
        one.name: one.value for one in figures([right, quoted, honest], part="held_out", how="")
    }

    assert told["retrieval_hit_at_3"] == 1.0
    assert told["retrieval_hit_at_3_bm25"] == 0.5
    assert told["answer_contains_gold"] == 0.5
    assert told["answer_abstention"] == 1.0
    assert told["answer_exact_match"] == 0.5
    assert told["citation_precision"] == 0.5
    assert told["unsupported_claims_shown"] == 0.0


def test_a_summary_keeps_a_fact_only_where_a_line_links_the_message_that_states_it() -> None:
    summed_up = SummedUp(
        talk=TALK,
        messages=TALK.said(),
        facts=(("1", "Friday"), ("2", "Monday")),
        lines=(
            ("1", "- The demo is on Friday ([1 Jan](#1))"),
            ("1", "- The party is on Monday ([1 Jan](#1))"),
        ),
    )

    told = {one.name: one.value for one in summary_figures([summed_up], part="held_out", how="")}

    assert told["summary_fact_recall"] == 0.5
    assert told["summary_unsupported_claims"] == 1.0
    assert told["summary_fact_recall_extractive"] == 1.0  # Two lines, and there are two messages.
    assert told["summary_in_words"] == 1.0
