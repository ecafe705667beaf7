from __future__ import annotations

import pytest

from bot.skills.questions import Kind, holds, kind_of


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Who approved the budget?", "who"),
        ("Whose turn is it?", "who"),
        ("What is the new parrot called?", "who"),
        ("When is the demo?", "when"),
        ("what time does it start", "when"),
        ("And at which hour?", "when"),
        ("Where is the key?", "where"),
        ("Which room is it in?", "where"),
        ("How many people are coming?", "many"),
        ("What does the crane cost?", "many"),
        ("Why is the door locked?", "why"),
        ("What do we use for the log?", "what"),
        ("Is the rotation done?", "what"),
        ("", "what"),
    ],
)
def test_a_question_says_what_kind_of_answer_it_wants(question: str, kind: Kind) -> None:
    assert kind_of(question) == kind


@pytest.mark.parametrize(
    ("question", "yes", "no"),
    [
        ("Who checked it?", "Carla checked the rotation.", "The rotation was checked."),
        ("Who checked it?", "I checked it.", "It was checked on Monday."),
        ("Who checked it?", "yesterday ben had a look", "yesterday somebody had a look"),
        ("When is it?", "It moved to Thursday.", "It moved to the kitchen."),
        ("When is it?", "At 14:30, as ever.", "There are 14 of us."),
        ("When is it on Thursday?", "Thursday at 9:15", "On Thursday, as you say."),
        ("How many came?", "We had forty people who came.", "It came at 14:30."),
        ("How many sledges came?", "Twelve sledges came.", "Twelve people came."),
        ("How much is the crane?", "The crane is 900 euros.", "The crane is crane number 900."),
        ("How heavy is the crane?", "The crane has 40 kg.", "The crane cost 40 euros."),
        ("Where is the key?", "The key hangs behind the door.", "The key is lost."),
        ("Where is it?", "It is in room 4.", "It is at 14:30 in May."),
        ("Which building is it in?", "It's in the annex.", "We begin at 8:10 on the dot."),
        ("Why is it shut?", "Shut because the drain flooded.", "It is shut."),
    ],
)
def test_a_message_holds_what_is_asked_for_or_not(question: str, yes: str, no: str) -> None:
    kind, people = kind_of(question), {"ana", "ben"}

    assert holds(kind, yes, author="Ana", question=question, people=people)
    assert not holds(kind, no, author="Ana", question=question, people=people)
