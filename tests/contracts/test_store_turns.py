from __future__ import annotations

import pytest
from fakes.talk import CHANNEL, message

from bot.conversations import Made, Reply, Turn, in_place
from bot.messages import MessageChanged, MessageDeleted
from bot.ports import Lease, Store

TALK = in_place(CHANNEL, root="1.0")
MADE = Made(
    model="gpt-j-6b",
    prompt_tokens=700,
    cached_tokens=672,
    reply_tokens=30,
    finish="guard:loop",
    sources=("1.0", "2.0"),
    first_word_s=0.123,
    total_s=1.5,
)


def person(text: str, message_id: str = "1.0") -> Turn:
    return Turn(role="person", text=text, author="Ana", at=1.5, message_ids=(message_id,))


def jay(text: str, *message_ids: str) -> Turn:
    return Turn(role="jay", text=text, author="Jay", at=2.25, message_ids=message_ids, made=MADE)


@pytest.fixture
async def lease(store: Store) -> Lease:
    await store.accept(message("hello"), conversation=TALK, waiting=20)
    lease = await store.claim(worker="w1", lease_s=60.0, wait_s=0.0)
    assert lease is not None
    return lease


async def test_settled_turns_come_back_whole_and_in_order(store: Store, lease: Lease) -> None:
    turns = [person("hello\nthere 🦜"), jay("Hi.\n\nAna!", "m1", "m2")]

    await store.settle(lease, answered=["1.0"], turns=turns)

    assert list(await store.turns(TALK)) == turns
    assert list(await store.mail(lease)) == []
    assert await store.takes_part(TALK)


async def test_a_settlement_whose_answer_got_lost_can_be_repeated(
    store: Store, lease: Lease
) -> None:
    """Else a hiccup of the network doubles what Jay remembers."""
    turns = [person("hello"), jay("Hi.")]

    await store.settle(lease, answered=["1.0"], turns=turns)
    await store.settle(lease, answered=["1.0"], turns=turns)

    assert list(await store.turns(TALK)) == turns


async def test_later_turns_are_appended(store: Store, lease: Lease) -> None:
    await store.settle(lease, answered=["1.0"], turns=[person("hello"), jay("Hi.")])
    await store.settle(lease, answered=["2.0"], turns=[person("more", "2.0")])

    assert [turn.text for turn in await store.turns(TALK)] == ["hello", "Hi.", "more"]


async def test_of_many_turns_the_newest_are_kept(store: Store, lease: Lease) -> None:
    for at in range(20):
        turn = person(f"turn {at}", f"{at}.5")
        await store.settle(lease, answered=(), turns=[turn])

    assert [turn.text for turn in await store.turns(TALK)] == [f"turn {at}" for at in range(8, 20)]


async def test_a_reply_in_the_making_outlives_its_worker(store: Store, lease: Lease) -> None:
    reply = Reply(
        reply_id="r1", answers=("1.0",), message_ids=("m1",), text="Half a 🦜", began_at=7.125
    )
    assert await store.open_reply(lease) is None
    await store.save_reply(lease, Reply(reply_id="r1", answers=("1.0",)))
    await store.save_reply(lease, reply)
    await store.release(lease)

    again = await store.claim(worker="w2", lease_s=60.0, wait_s=0.0)

    assert again is not None
    assert await store.open_reply(again) == reply


async def test_a_settled_reply_is_no_longer_open(store: Store, lease: Lease) -> None:
    await store.save_reply(lease, Reply(reply_id="r1", answers=("1.0",)))
    await store.settle(lease, answered=["1.0"], turns=())

    assert await store.open_reply(lease) is None
    assert not await store.takes_part(TALK)


async def test_jay_takes_part_where_a_reply_is_in_the_making(store: Store, lease: Lease) -> None:
    await store.save_reply(lease, Reply(reply_id="r1", answers=("1.0",)))
    await store.delete(MessageDeleted(place=CHANNEL, message_id="1.0"))

    assert await store.takes_part(TALK)


async def test_jays_messages_lead_back_to_the_conversation(store: Store, lease: Lease) -> None:
    """People answer Jay by replying to what it posted, also while it still writes."""
    await store.save_reply(lease, Reply(reply_id="r1", answers=("1.0",), message_ids=("m1",)))
    assert await store.conversation_at(CHANNEL, "m1") == TALK

    await store.settle(lease, answered=["1.0"], turns=[person("hello"), jay("Hi.", "m1", "m2")])

    assert await store.conversation_at(CHANNEL, "m1") == TALK
    assert await store.conversation_at(CHANNEL, "m2") == TALK


async def test_a_posted_message_that_was_deleted_leads_nowhere(store: Store, lease: Lease) -> None:
    reply = Reply(reply_id="r1", answers=("1.0",), message_ids=("m1",))
    await store.save_reply(lease, reply)
    await store.delete(MessageDeleted(place=CHANNEL, message_id="m1"))
    await store.save_reply(lease, reply)

    assert await store.conversation_at(CHANNEL, "m1") is None


async def test_the_windows_mark_is_kept(store: Store, lease: Lease) -> None:
    assert await store.window_start(TALK) == 0

    await store.keep_window_start(lease, 1_764_000_000_123)
    await store.release(lease)

    assert await store.window_start(TALK) == 1_764_000_000_123


async def test_an_edit_reaches_the_turn_of_who_wrote_it(store: Store, lease: Lease) -> None:
    await store.settle(lease, answered=["1.0"], turns=[person("helo"), jay("Hi.", "m1")])

    await store.change(MessageChanged(place=CHANNEL, message_id="1.0", text="hello", changed_at=9))
    await store.change(MessageChanged(place=CHANNEL, message_id="m1", text="Hi!", changed_at=9))

    assert list(await store.turns(TALK)) == [person("hello"), jay("Hi.", "m1")]


async def test_an_older_edit_does_not_undo_a_newer_one(store: Store, lease: Lease) -> None:
    await store.settle(lease, answered=["1.0"], turns=[person("one")])

    await store.change(MessageChanged(place=CHANNEL, message_id="1.0", text="three", changed_at=9))
    await store.change(MessageChanged(place=CHANNEL, message_id="1.0", text="two", changed_at=8.5))

    assert [turn.text for turn in await store.turns(TALK)] == ["three"]
    assert [one.text for one in await store.messages(CHANNEL, limit=1)] == ["three"]


async def test_an_edit_while_the_reply_is_made_is_remembered(store: Store, lease: Lease) -> None:
    await store.change(MessageChanged(place=CHANNEL, message_id="1.0", text="plum", changed_at=9))

    await store.settle(lease, answered=["1.0"], turns=[person("hello"), jay("Hi.")])

    assert [turn.text for turn in await store.turns(TALK)] == ["plum", "Hi."]


@pytest.mark.parametrize("message_id", ["1.0", "m2"])
async def test_a_deletion_takes_the_turn_of_that_message(
    store: Store, lease: Lease, message_id: str
) -> None:
    turns = [person("hello"), jay("Hi.", "m1", "m2"), person("more", "2.0")]
    await store.settle(lease, answered=["1.0"], turns=turns)

    await store.delete(MessageDeleted(place=CHANNEL, message_id=message_id))

    left = [turn for turn in turns if message_id not in turn.message_ids]
    assert list(await store.turns(TALK)) == left
    assert await store.conversation_at(CHANNEL, message_id) is None


async def test_what_was_deleted_while_the_reply_was_made_is_not_remembered(
    store: Store, lease: Lease
) -> None:
    """The worker still holds the text; it must not bring it back."""
    await store.delete(MessageDeleted(place=CHANNEL, message_id="1.0"))

    await store.settle(lease, answered=["1.0"], turns=[person("secret"), jay("Hi.")])

    assert [turn.text for turn in await store.turns(TALK)] == ["Hi."]


async def test_deleting_the_question_stops_its_reply(store: Store, lease: Lease) -> None:
    await store.save_reply(lease, Reply(reply_id="r1", answers=("1.0",)))

    await store.delete(MessageDeleted(place=CHANNEL, message_id="1.0"))

    assert await store.renew(lease, lease_s=60.0)


async def test_deleting_one_of_two_questions_stops_nothing(store: Store, lease: Lease) -> None:
    await store.save_reply(lease, Reply(reply_id="r1", answers=("1.0", "2.0")))

    await store.delete(MessageDeleted(place=CHANNEL, message_id="1.0"))

    assert not await store.renew(lease, lease_s=60.0)


async def test_turns_of_one_conversation_are_not_anothers(store: Store, lease: Lease) -> None:
    await store.settle(lease, answered=["1.0"], turns=[person("hello")])

    assert list(await store.turns(in_place(CHANNEL, root="2.0"))) == []
