"""The oracle must be able to fail: a history of each kind of failure, made by hand."""

from __future__ import annotations

from dataclasses import replace

from chaos.oracle import History, Said, Seen, Settled, judge
from chaos.plan import KILL_VLLM, WEIGHTS, write

TALK = "slack:T:C:1.0"


def person(*message_ids: str) -> list[Settled]:
    return [Settled(role="person", message_ids=(one,)) for one in message_ids]


def jay(message_id: str, text: str = "yes", *, began_at: float = 0.0) -> Settled:
    return Settled(role="jay", message_ids=(message_id,), texts=(text,), began_at=began_at)


def shown(message_id: str, text: str = "yes", *, nonce: str = "", apology: bool = False) -> Seen:
    return Seen(
        conversation=TALK,
        message_id=message_id,
        text=text,
        at=float(message_id),
        nonce=nonce,
        apology=apology,
    )


def said(message_id: str, *, heard: bool = True) -> Said:
    return Said(conversation=TALK, message_id=message_id, at=float(message_id), heard=heard)


GOOD = History(
    said=(said("1"), said("3"), said("4")),
    settled={TALK: [*person("1"), jay("2"), *person("3", "4"), jay("5", began_at=4.5)]},
    seen=(shown("2", nonce="a.0"), shown("5", nonce="b.0")),
    stored_at={"1": 1.1, "3": 3.1, "4": 4.1},
)


def test_messages_that_are_answered_together_are_answered() -> None:
    assert judge(GOOD).clean


def test_a_message_that_no_turn_has_is_lost() -> None:
    verdict = judge(replace(GOOD, said=(*GOOD.said, said("6"))))

    assert len(verdict.lost) == 1
    assert not verdict.clean


def test_a_message_is_lost_whose_reply_does_not_stand_there() -> None:
    verdict = judge(replace(GOOD, seen=GOOD.seen[:1]))

    assert len(verdict.lost) == 2


def test_a_message_that_only_waits_is_lost() -> None:
    settled = {TALK: [*GOOD.settled[TALK], *person("6")]}

    assert len(judge(replace(GOOD, said=(*GOOD.said, said("6")), settled=settled)).lost) == 1


def test_an_apology_answers_what_was_said_before_it_and_nothing_after() -> None:
    sorry = shown("6.5", "no engine", apology=True)
    settled = {TALK: [*GOOD.settled[TALK], *person("6", "7")]}
    told = replace(
        GOOD, said=(*GOOD.said, said("6"), said("7")), settled=settled, seen=(*GOOD.seen, sorry)
    )

    assert judge(told).lost == (f"{TALK} message 7",)
    assert judge(told).excused == (f"{TALK} reply 6.5: 'no engine'",)


def test_what_nothing_heard_is_lost_only_where_jay_is_held_to_it() -> None:
    told = replace(GOOD, said=(*GOOD.said, said("6", heard=False)))

    assert judge(told).lost == ()
    assert len(judge(told).unheard) == 1


def test_a_message_that_is_settled_twice_is_doubled() -> None:
    settled = {TALK: [*GOOD.settled[TALK], *person("1"), jay("8")]}

    assert judge(replace(GOOD, settled=settled, seen=(*GOOD.seen, shown("8")))).doubled


def test_a_reply_that_stands_twice_is_doubled() -> None:
    again = judge(replace(GOOD, seen=(*GOOD.seen, shown("2.5", nonce="a.0"))))

    assert len(again.doubled) == 2  # the nonce, and a reply that no turn has


def test_a_message_that_was_there_in_time_and_is_answered_after_a_later_one_is_misordered() -> None:
    turns = [*person("4"), jay("5", began_at=4.5), *person("3"), jay("6", began_at=5.5)]
    told = replace(
        GOOD, said=(said("3"), said("4")), settled={TALK: turns}, seen=(shown("5"), shown("6"))
    )

    assert judge(told).misordered
    late = replace(told, stored_at={"3": 4.7, "4": 4.1})
    assert not judge(late).misordered


def test_messages_in_the_wrong_order_within_one_reply_are_misordered() -> None:
    turns = [*person("1"), jay("2"), *person("4", "3"), jay("5")]

    assert judge(replace(GOOD, settled={TALK: turns})).misordered


def test_replies_that_stand_in_another_order_are_misordered() -> None:
    turns = [*person("1"), jay("5"), *person("3", "4"), jay("2")]

    assert judge(replace(GOOD, settled={TALK: turns})).misordered


def test_a_placeholder_that_stays_is_half_a_reply() -> None:
    assert len(judge(replace(GOOD, seen=(*GOOD.seen, shown("9", "_Thinking…_")))).half) == 1


def test_a_text_that_is_not_the_settled_one_is_half_a_reply() -> None:
    assert judge(replace(GOOD, seen=(shown("2", "ye"), GOOD.seen[1]))).half


def test_a_reply_that_is_still_open_is_half_a_reply() -> None:
    assert judge(replace(GOOD, left=(TALK,))).half


def test_a_seed_makes_the_same_script_again_and_another_one_another() -> None:
    def of(seed: int) -> object:
        return write(seed, messages=200, conversations=20, faults=50, per_s=5)

    assert of(7) == of(7)
    assert of(7) != of(8)


def test_a_script_has_what_was_asked_for_and_every_kind_of_fault() -> None:
    plan = write(1, messages=300, conversations=20, faults=60, per_s=5)

    assert len(plan.lines) == 300
    assert {line.talk for line in plan.lines} == set(range(20))
    assert {fault.kind for fault in plan.faults} == set(WEIGHTS)
    assert [line.at for line in plan.lines] == sorted(line.at for line in plan.lines)


def test_where_several_engines_stand_one_is_killed_every_so_often_and_none_at_random() -> None:
    plan = write(1, messages=300, conversations=20, faults=60, per_s=1, kill_vllm_every_s=30)

    assert [fault.at for fault in plan.faults if fault.kind == KILL_VLLM] == [
        30.0 * number for number in range(1, 11)
    ]
    assert len(plan.faults) == 70
    assert [fault.at for fault in plan.faults] == sorted(fault.at for fault in plan.faults)
