from __future__ import annotations

import pytest
from fakes.talk import ANA, BEN, CHANNEL, DIRECT, command, in_thread, message

from bot.conversations import Reply, Turn, in_place
from bot.messages import IncomingMessage, MessageChanged, MessageDeleted, Person, Place
from bot.ports import Store

TALK = in_place(CHANNEL, root="1.0")


async def say(store: Store, *messages: IncomingMessage) -> None:
    for one in messages:
        await store.accept(one, conversation=None, waiting=20)


async def texts(store: Store, place: Place = CHANNEL, limit: int = 50, since: float = 0) -> str:
    found = await store.messages(place, limit=limit, since=since)
    return " ".join(one.text for one in found)


async def test_the_newest_come_oldest_first_whatever_the_order_of_arrival(store: Store) -> None:
    for at in (3, 1, 5, 2, 4):
        await say(store, message(f"m{at}", message_id=f"{at}.0"))

    assert await texts(store) == "m1 m2 m3 m4 m5"
    assert await texts(store, limit=2) == "m4 m5"
    assert await texts(store, since=3.0) == "m3 m4 m5"
    assert await texts(store, limit=2, since=2.0) == "m4 m5"
    assert await texts(store, limit=0) == ""


async def test_messages_of_one_moment_come_by_their_ids(store: Store) -> None:
    for message_id in ("b", "a", "c"):
        await say(store, message(message_id, message_id=message_id, sent_at=1.0))

    assert await texts(store) == "a b c"
    assert await texts(store, limit=2) == "b c"


async def test_a_channel_includes_its_threads_and_a_thread_its_root(store: Store) -> None:
    await say(
        store,
        message("root", message_id="1.0"),
        message("other", message_id="2.0"),
        message("reply", message_id="3.0", place=in_thread("1.0")),
        message("elsewhere", message_id="4.0", place=in_thread("2.0")),
    )

    assert await texts(store) == "root other reply elsewhere"
    assert await texts(store, in_thread("1.0")) == "root reply"
    assert await texts(store, in_thread("1.0"), limit=1) == "reply"
    assert await texts(store, in_thread("1.0"), since=2.0) == "reply"
    assert await texts(store, DIRECT) == ""


async def test_history_fills_gaps_and_counts_what_was_new(store: Store) -> None:
    await say(store, message("two", message_id="2.0"))
    history = [message(word, message_id=f"{at}.0") for at, word in enumerate(("one", "2", "3"), 1)]

    assert await store.log_history(history) == 2
    assert await store.log_history(history) == 0
    assert await store.log_history([]) == 0
    assert await texts(store) == "one two 3"


async def test_history_that_does_not_fit_is_not_new(store: Store) -> None:
    """A channel's bound is full of newer messages; nothing was gained."""
    await say(store, *(message(f"m{at}", message_id=f"{at}.0") for at in range(10, 40)))

    assert await store.log_history([message("old", message_id="1.0")]) == 0
    assert (await texts(store)).startswith("m10")


async def test_of_many_messages_the_newest_are_kept(store: Store) -> None:
    await say(store, *(message(f"m{at}", message_id=f"{at}.5") for at in range(40)))

    assert await texts(store) == " ".join(f"m{at}" for at in range(10, 40))


async def test_a_dropped_message_leaves_its_thread_too(store: Store) -> None:
    await say(store, message("old", message_id="0.5", place=in_thread("0.1")))
    await say(store, *(message(f"m{at}", message_id=f"{at}.5") for at in range(1, 31)))

    assert await texts(store, in_thread("0.1")) == ""


async def test_an_edit_reaches_the_log_and_the_mail(store: Store) -> None:
    await store.accept(message("helo"), conversation=TALK, waiting=20)
    edit = MessageChanged(place=in_thread("1.0"), message_id="1.0", text="hello\nyou", changed_at=3)

    await store.change(edit)

    lease = await store.claim(worker="w", lease_s=60.0, wait_s=0.0)
    assert lease is not None
    assert [one.text for one in await store.mail(lease)] == ["hello\nyou"]
    assert await texts(store) == "hello\nyou"


async def test_an_edit_of_what_is_not_there_changes_nothing(store: Store) -> None:
    await store.change(MessageChanged(place=CHANNEL, message_id="9.0", text="x", changed_at=1))

    assert await texts(store) == ""
    assert await store.accept(message("new", message_id="9.0"), conversation=None, waiting=20)
    assert await texts(store) == "new"


async def test_a_deletion_reaches_log_thread_and_mail_and_can_be_repeated(store: Store) -> None:
    thread = in_thread("1.0")
    await store.accept(message("oops", place=thread), conversation=TALK, waiting=20)
    await store.accept(
        message("fine", message_id="2.0", place=thread), conversation=TALK, waiting=9
    )

    for _ in range(2):
        await store.delete(MessageDeleted(place=CHANNEL, message_id="1.0"))

    lease = await store.claim(worker="w", lease_s=60.0, wait_s=0.0)
    assert lease is not None
    assert [one.text for one in await store.mail(lease)] == ["fine"]
    assert await texts(store) == await texts(store, thread) == "fine"


async def test_a_deleted_message_does_not_come_back_by_history(store: Store) -> None:
    await say(store, message("oops"))
    await store.delete(MessageDeleted(place=CHANNEL, message_id="1.0"))

    assert await store.log_history([message("oops")]) == 0
    assert not await store.accept(message("oops"), conversation=TALK, waiting=20)
    assert await texts(store) == ""


async def test_forgetting_a_person_reaches_log_mail_and_turns(store: Store) -> None:
    await store.accept(message("settled", message_id="1.0"), conversation=TALK, waiting=20)
    lease = await store.claim(worker="w", lease_s=60.0, wait_s=0.0)
    assert lease is not None
    said = Turn(role="person", text="settled", author="Ana", at=1.0, message_ids=("1.0",))
    answer = Turn(role="jay", text="Hi.", author="Jay", at=2.0, message_ids=("m1",))
    await store.settle(lease, answered=["1.0"], turns=[said, answer])
    await store.accept(message("waits", message_id="2.0"), conversation=TALK, waiting=20)
    await store.accept(
        message("Ben's", message_id="3.0", author=BEN), conversation=TALK, waiting=20
    )
    await store.log_history([message("history", message_id="0.5", place=DIRECT)])
    await store.accept_command(command("why"), conversation=in_place(CHANNEL, root="cmd-why"))

    count = await store.forget_person("slack", ANA.id)

    assert count == 6  # three logged, one settled, two in mailboxes
    assert await texts(store) == "Ben's"
    assert await texts(store, DIRECT) == ""
    assert list(await store.turns(TALK)) == [answer]
    assert [one.text for one in await store.mail(lease)] == ["Ben's"]
    assert await store.forget_person("slack", ANA.id) == 0


async def test_forgetting_is_not_undone_by_history(store: Store) -> None:
    await say(store, message("mine"))
    await store.forget_person("slack", ANA.id)

    assert await store.log_history([message("mine")]) == 0


async def test_the_same_id_on_the_other_platform_is_another_person(store: Store) -> None:
    there = Place(platform="discord", workspace="G1", channel="C1")
    await say(store, message("here"), message("there", place=there))

    assert await store.forget_person("discord", ANA.id) == 1
    assert await texts(store) == "here"


async def test_who_was_forgotten_can_speak_again(store: Store) -> None:
    await say(store, message("before"))
    await store.forget_person("slack", ANA.id)

    await say(store, message("after", message_id="2.0"))

    assert await texts(store) == "after"


async def test_forgetting_who_asked_stops_the_reply(store: Store) -> None:
    await store.accept(message("hello"), conversation=TALK, waiting=20)
    lease = await store.claim(worker="w", lease_s=60.0, wait_s=0.0)
    assert lease is not None
    await store.save_reply(lease, Reply(reply_id="r1", answers=("1.0",)))

    await store.forget_person("slack", ANA.id)

    assert await store.renew(lease, lease_s=60.0)


@pytest.mark.parametrize("name", ["", "Ana “A” \n\\ 🦜"])
async def test_a_strange_name_is_kept(store: Store, name: str) -> None:
    await say(store, message("hello", author=Person(id="U7", name=name)))

    (found,) = await store.messages(CHANNEL, limit=1)
    assert found.author.name == name


async def test_what_the_bound_dropped_and_history_brought_again_is_not_new(store: Store) -> None:
    """`/summarize` would tell of more messages than it found."""
    for at in range(31):
        sent = message("x", message_id=f"{at}.0", sent_at=0.1)
        await store.accept(sent, conversation=None, waiting=5)
    last = message("x", message_id="99.0", sent_at=0.2)
    again = message("x", message_id="1.0", sent_at=0.3)

    new = await store.log_history([last, again])

    assert new == 1
