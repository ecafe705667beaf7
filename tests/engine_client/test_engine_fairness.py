"""The fair queue over any script of arrivals, and what the measured pace promises."""

from __future__ import annotations

import heapq
from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.prompts import Waiting
from bot.spans import roughly
from engine.fairness import Asker, FairQueue
from engine.throughput import Throughput

ASKERS = st.builds(
    Asker,
    workspace=st.sampled_from("ab"),
    person=st.sampled_from("mno"),
    session=st.sampled_from("xyz"),
    priority=st.integers(0, 1),
)
SCRIPTS = st.lists(st.one_of(ASKERS, st.none()), max_size=60)
"""Somebody asks, or (None) a place comes free."""


def queue_of(askers: list[Asker]) -> FairQueue[int]:
    queue: FairQueue[int] = FairQueue()
    for number, asker in enumerate(askers):
        queue.push(number, asker)
    return queue


def emptied(queue: FairQueue[int]) -> list[int]:
    return [queue.pop() for _ in range(len(queue))]


@given(st.lists(ASKERS, max_size=25))
def test_everything_that_waits_comes_out_once_and_in_order_within_a_conversation(
    askers: list[Asker],
) -> None:
    out = emptied(queue_of(askers))

    assert sorted(out) == list(range(len(askers)))
    for asker in set(askers):
        own = [number for number in out if askers[number] == asker]
        assert own == sorted(own)


@given(st.lists(ASKERS, max_size=25))
def test_what_a_person_asked_for_urgently_comes_before_the_rest_of_theirs(
    askers: list[Asker],
) -> None:
    """A summary's thirty requests must not hold up its owner's word of chat."""
    out = [askers[number] for number in emptied(queue_of(askers))]

    for person in {(one.workspace, one.person) for one in askers}:
        own = [one.priority for one in out if (one.workspace, one.person) == person]
        assert own == sorted(own)


@given(st.lists(ASKERS, min_size=1, max_size=25), st.data())
def test_nobody_is_passed_twice_by_the_same_workspace(
    askers: list[Asker], data: st.DataObject
) -> None:
    queue = queue_of(askers)
    gone = data.draw(st.sets(st.integers(0, len(askers) - 1)))
    for number in gone:
        assert queue.remove(number, askers[number])
        assert not queue.remove(number, askers[number])
    row = [askers[number].workspace for number in emptied(queue)]

    for at, (one, following) in enumerate(pairwise(row)):
        assert one != following or len(set(row[at:])) == 1


@given(SCRIPTS)
def test_while_a_workspace_waits_no_other_has_two_turns_more(script: list[Asker | None]) -> None:
    """Whatever comes, and whenever: what one workspace sends does not slow another down."""
    queue: FairQueue[Asker] = FairQueue()
    passed = dict[str, Counter[str]]()
    for asker in script:
        if asker is not None:
            queue.push(asker, asker)
            passed.setdefault(asker.workspace, Counter())
        elif queue:
            served = queue.pop().workspace
            waits = {one.workspace for _, one in queue.order()}
            for workspace in list(passed):
                if workspace not in waits:
                    del passed[workspace]
                elif workspace == served:
                    passed[workspace] = Counter()
                else:
                    passed[workspace][served] += 1
                    assert passed[workspace][served] <= 1


@given(SCRIPTS)
def test_while_a_person_waits_nobody_of_their_workspace_has_two_turns_more(
    script: list[Asker | None],
) -> None:
    queue: FairQueue[Asker] = FairQueue()
    passed = dict[tuple[str, str], Counter[str]]()
    for asker in script:
        if asker is not None:
            queue.push(asker, asker)
            passed.setdefault((asker.workspace, asker.person), Counter())
        elif queue:
            served = queue.pop()
            waits = {(one.workspace, one.person) for _, one in queue.order()}
            for workspace, person in list(passed):
                if (workspace, person) not in waits or person == served.person:
                    passed[workspace, person] = Counter()
                elif workspace == served.workspace:
                    passed[workspace, person][served.person] += 1
                    assert passed[workspace, person][served.person] <= 1


@given(
    others=st.lists(st.sampled_from("mnop"), max_size=4, unique=True),
    before=st.integers(0, 100),
    conversations=st.integers(1, 50),
)
def test_a_flood_delays_a_single_message_by_no_more_than_a_turn_a_person(
    others: list[str], before: int, conversations: int
) -> None:
    queue: FairQueue[str] = FairQueue()
    for at in range(before):
        for person in ("flood", *others):
            asker = Asker(workspace="w", person=person, session=f"{person}{at % conversations}")
            queue.push(person, asker)
    queue.push("single", Asker(workspace="w", person="single", session="s"))
    out = [queue.pop() for _ in range(len(queue))]

    assert out.index("single") <= 1 + len(others)


@given(st.lists(ASKERS, max_size=25))
def test_the_order_that_is_told_is_the_order_that_comes(askers: list[Asker]) -> None:
    queue = queue_of(askers)
    told = queue.order()

    assert [askers[number] for number, _ in told] == [asker for _, asker in told]
    assert [number for number, _ in told] == emptied(queue)


@given(st.lists(ASKERS, min_size=1, max_size=40), st.integers(1, 6))
def test_no_one_is_shed_who_has_less_than_others(askers: list[Asker], room: int) -> None:
    """A flood must not use up the room of those who come after it."""
    queue: FairQueue[int] = FairQueue()
    held = Counter[str]()
    for number, asker in enumerate(askers):
        queue.push(number, asker)
        held[asker.workspace] += 1
        if len(queue) > room:
            most = max(held.values())
            shed = askers[queue.shed()]
            assert held[shed.workspace] == most
            held[shed.workspace] -= 1
    left = emptied(queue)

    assert len(left) == min(room, len(askers))
    assert all(left.count(number) == 1 for number in left)


@given(
    places=st.integers(1, 64),
    held_s=st.lists(st.floats(0.1, 300.0), min_size=1, max_size=100),
    ahead=st.integers(0, 300),
)
def test_a_wait_grows_with_the_queue_and_shrinks_with_places(
    places: int, held_s: list[float], ahead: int
) -> None:
    one, more_places = Throughput(places=places), Throughput(places=places + 1)
    for throughput in (one, more_places):
        assert throughput.wait_s(ahead) is None
        for each in held_s:
            throughput.note(each)
    wait_s, longer, shorter = one.wait_s(ahead), one.wait_s(ahead + 1), more_places.wait_s(ahead)

    assert wait_s is not None
    assert longer is not None
    assert shorter is not None
    assert 0 < shorter < wait_s < longer


@given(
    places=st.integers(1, 16),
    ahead=st.integers(0, 100),
    held_s=st.floats(1.0, 60.0),
)
def test_an_even_pace_keeps_the_promise_to_one_reply(
    places: int, ahead: int, held_s: float
) -> None:
    """Told half a minute, nobody waits for ten."""
    throughput = Throughput(places=places)
    throughput.note(held_s)
    free_at = [held_s] * places
    for _ in range(ahead):
        heapq.heappush(free_at, heapq.heappop(free_at) + held_s)
    promised = throughput.wait_s(ahead)

    assert promised is not None
    assert abs(promised - free_at[0]) <= held_s * 1.001


@given(st.floats(0.0, 10_000.0))
def test_a_span_in_words_is_never_shorter_than_it_is(span_s: float) -> None:
    words = roughly(span_s)
    number = next((int(word) for word in words.split() if word.isdigit()), 1)
    said_s = 5 if words == "a few seconds" else number * (60 if "minute" in words else 1)

    assert said_s >= span_s
    assert said_s <= max(60.0 + span_s, 5.0)


def test_a_place_in_the_queue_is_said_in_words() -> None:
    assert Waiting(ahead=0).said == "Yours is the next reply"
    assert Waiting(ahead=1, about_s=3.0).said == "1 reply before yours, a few seconds"
    assert Waiting(ahead=12, about_s=31.0).said == "12 replies before yours, about 40 seconds"
    assert Waiting(ahead=99, about_s=61.0).said == "99 replies before yours, about 2 minutes"
