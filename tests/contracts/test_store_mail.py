from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from fakes.talk import ANA, BEN, CHANNEL, DIRECT, command, in_thread, message

from bot.conversations import Reply, in_place, person_turn
from bot.errors import LeaseLost, MailboxFull
from bot.messages import Attachment, Command, IncomingMessage, MessageChanged, MessageDeleted, Place
from bot.ports import Lease, Store

TALK = in_place(CHANNEL, root="1.0")
OTHER_TALK = in_place(CHANNEL, root="7.0")


async def claim(store: Store) -> Lease:
    lease = await store.claim(worker="w1", lease_s=60.0, wait_s=0.0)
    assert lease is not None
    return lease


async def accept(store: Store, *texts: str, waiting: int = 20) -> None:
    for at, text in enumerate(texts, start=1):
        sent = message(text, message_id=f"{at}.0", mentions_jay=True)
        assert await store.accept(sent, conversation=TALK, waiting=waiting)


async def test_mail_comes_back_whole(store: Store) -> None:
    sent = IncomingMessage(
        place=Place(platform="discord", workspace="G1", channel="C9", thread="77"),
        message_id="1234567890123456789",
        author=ANA,
        text="two\nlines, “quotes”, \x00 and 🦜\n",
        sent_at=1764000000.123457,
        mentions_jay=True,
        reply_to="55",
        attachments=(Attachment(name="a.png", media_type="image/png"), Attachment(name="b")),
    )
    talk = in_place(sent.place, root="77")

    await store.accept(sent, conversation=talk, waiting=20)

    assert list(await store.mail(await claim(store))) == [sent]
    assert list(await store.messages(sent.place, limit=5)) == [sent]


async def test_a_command_comes_back_whole_and_once(store: Store) -> None:
    asked = command("summarize", "last 50")
    talk = in_place(CHANNEL, root=asked.message_id)

    assert await store.accept_command(asked, conversation=talk)
    assert not await store.accept_command(asked, conversation=talk)

    assert list(await store.mail(await claim(store))) == [asked]
    assert list(await store.messages(CHANNEL, limit=5)) == []


def about(message_id: str, *, asked: str) -> Command:
    whole = command("explain", ": the code is 1234")
    return replace(whole, message_id=asked, about=message_id)


@pytest.mark.parametrize("forgotten", [False, True], ids=["deleted", "forgotten"])
async def test_a_command_that_holds_a_messages_words_goes_with_the_message(
    store: Store, forgotten: bool
) -> None:
    """Whoever takes words back takes them back from those who had them explained, too."""
    said = message("the code is 1234", message_id="1.0", author=BEN)
    answered, waits = about("1.0", asked="x1"), about("1.0", asked="x2")
    other = about("2.0", asked="x3")
    await store.accept(said, conversation=None, waiting=20)
    await store.accept_command(answered, conversation=TALK)
    await store.settle(await claim(store), answered=["x1"], turns=[person_turn(answered, 100)])
    await store.accept_command(waits, conversation=OTHER_TALK)
    await store.accept_command(other, conversation=OTHER_TALK)

    if forgotten:
        await store.forget_person("slack", BEN.id)
    else:
        await store.delete(MessageDeleted(place=CHANNEL, message_id="1.0"))

    assert list(await store.mail(await claim(store))) == [other]
    assert list(await store.turns(TALK)) == []
    assert not await store.accept_command(waits, conversation=OTHER_TALK)


async def test_a_command_about_a_message_that_is_gone_comes_without_its_words(
    store: Store,
) -> None:
    await store.delete(MessageDeleted(place=CHANNEL, message_id="1.0"))
    asked = about("1.0", asked="x1")

    assert await store.accept_command(asked, conversation=TALK)

    assert list(await store.mail(await claim(store))) == [replace(asked, text="")]


async def test_mail_is_in_the_order_in_which_it_was_sent(store: Store) -> None:
    """Events overtake one another on the way; people still expect their own order."""
    for message_id, sent_at in (("c", 3.0), ("b", 2.0), ("a", 2.0), ("d", 1.5)):
        sent = message("x", message_id=message_id, sent_at=sent_at)
        await store.accept(sent, conversation=TALK, waiting=20)

    mail = await store.mail(await claim(store))

    assert [one.message_id for one in mail] == ["d", "a", "b", "c"]


async def test_a_message_is_accepted_once(store: Store) -> None:
    sent = message("hello")

    assert await store.accept(sent, conversation=TALK, waiting=20)
    assert not await store.accept(sent, conversation=TALK, waiting=20)
    assert not await store.accept(sent, conversation=None, waiting=20)
    assert len(await store.mail(await claim(store))) == 1
    assert len(await store.messages(CHANNEL, limit=5)) == 1


async def test_the_same_id_in_another_channel_is_another_message(store: Store) -> None:
    """Slack's ids are times: two channels can have the same."""
    assert await store.accept(message("a"), conversation=None, waiting=20)
    assert await store.accept(message("a", place=DIRECT), conversation=None, waiting=20)


async def test_what_was_only_logged_can_become_mail_once(store: Store) -> None:
    """A Slack mention comes as two events, and the first may not say that it is one."""
    sent = message("hello")
    assert await store.accept(sent, conversation=None, waiting=20)
    assert not await store.accept(sent, conversation=None, waiting=20)

    assert await store.accept(sent, conversation=TALK, waiting=20)
    assert not await store.accept(sent, conversation=TALK, waiting=20)

    assert len(await store.messages(CHANNEL, limit=5)) == 1
    assert len(await store.mail(await claim(store))) == 1


async def test_history_that_came_first_does_not_hide_a_mention(store: Store) -> None:
    sent = message("hello")
    await store.log_history([sent])

    assert not await store.accept(sent, conversation=None, waiting=20)
    assert await store.accept(sent, conversation=TALK, waiting=20)


async def test_an_edit_between_two_events_of_one_mention_is_what_waits(store: Store) -> None:
    await store.accept(message("helo"), conversation=None, waiting=20)
    await store.change(MessageChanged(place=CHANNEL, message_id="1.0", text="hello", changed_at=2))

    await store.accept(message("helo", mentions_jay=True), conversation=TALK, waiting=20)

    (mail,) = await store.mail(await claim(store))
    assert mail.text == "hello"


async def test_what_was_answered_is_not_accepted_again(store: Store) -> None:
    await accept(store, "hello")
    lease = await claim(store)
    await store.settle(lease, answered=["1.0"], turns=())

    assert not await store.accept(message("hello"), conversation=TALK, waiting=20)


async def test_a_full_mailbox_refuses_mail_and_still_logs_it(store: Store) -> None:
    await accept(store, "one", "two", waiting=2)

    with pytest.raises(MailboxFull):
        await store.accept(message("three", message_id="3.0"), conversation=TALK, waiting=2)

    assert len(await store.mail(await claim(store))) == 2
    assert [one.text for one in await store.messages(CHANNEL, limit=5)] == ["one", "two", "three"]


async def test_what_a_full_mailbox_refused_may_come_again(store: Store) -> None:
    await accept(store, "one", waiting=1)
    late = message("two", message_id="2.0")
    with pytest.raises(MailboxFull):
        await store.accept(late, conversation=TALK, waiting=1)
    await store.settle(await claim(store), answered=["1.0"], turns=())

    assert await store.accept(late, conversation=TALK, waiting=1)


async def test_a_message_sent_many_times_at_once_is_accepted_once(store: Store) -> None:
    sent = message("hello")

    accepted = await asyncio.gather(
        *(store.accept(sent, conversation=TALK, waiting=20) for _ in range(20))
    )

    assert accepted.count(True) == 1


async def test_a_message_leads_to_its_conversation(store: Store) -> None:
    await store.accept(message("hello"), conversation=TALK, waiting=20)
    await store.accept(message("lunch?", message_id="2.0"), conversation=None, waiting=20)

    assert await store.conversation_at(CHANNEL, "1.0") == TALK
    assert await store.conversation_at(in_thread("1.0"), "1.0") == TALK
    assert await store.conversation_at(CHANNEL, "2.0") is None
    assert await store.conversation_at(CHANNEL, "3.0") is None
    assert await store.conversation_at(DIRECT, "1.0") is None


async def test_a_direct_message_leads_to_the_channels_own_conversation(store: Store) -> None:
    talk = in_place(DIRECT, root="")
    await store.accept(message("hello", place=DIRECT), conversation=talk, waiting=20)

    assert await store.conversation_at(DIRECT, "1.0") == talk
    assert (await claim(store)).conversation == talk


async def waits(store: Store) -> list[str]:
    return [one.text for one in await store.mail(await claim(store))]


async def test_a_follow_up_that_overtook_its_mention_is_mail_as_well(store: Store) -> None:
    """After an outage events come in any order; what was Jay's when it was said stays Jay's."""
    thread = in_thread("1.0")
    for text, at in (("and you?", "2.0"), ("well?", "3.0")):
        early = message(text, message_id=at, place=thread)
        assert await store.accept(early, conversation=None, waiting=20)

    asked = message("hello", mentions_jay=True)
    await store.accept(asked, conversation=TALK, waiting=20)

    assert await store.conversation_at(CHANNEL, "2.0") == TALK
    assert await waits(store) == ["hello", "and you?", "well?"]


async def test_a_follow_up_is_mail_where_jay_takes_part_by_the_time_it_is_stored(
    store: Store,
) -> None:
    """Its mention may be stored while it is judged."""
    late = message("and you?", message_id="2.0", place=in_thread("1.0"))
    await store.accept(message("hello", mentions_jay=True), conversation=TALK, waiting=20)

    assert await store.accept(late, conversation=None, waiting=20, may_follow=True)

    assert await waits(store) == ["hello", "and you?"]


async def test_an_answer_is_mail_where_what_it_answers_is_jays_by_then(store: Store) -> None:
    place = Place(platform="discord", workspace="G1", channel="C9")
    asked = message("no. 1", message_id="1", place=place, mentions_jay=True)
    await store.accept(asked, conversation=in_place(place, root="1"), waiting=20)

    for message_id, reply_to in (("2", "1"), ("3", ""), ("4", "3")):
        late = message(f"no. {message_id}", message_id=message_id, place=place, reply_to=reply_to)
        assert await store.accept(late, conversation=None, waiting=20, may_follow=True)

    assert await waits(store) == ["no. 1", "no. 2"]


async def test_what_is_said_below_jays_answer_to_a_command_goes_on_with_the_command(
    store: Store,
) -> None:
    """Its thread hangs on Jay's message, in which nobody had a conversation before."""
    quiz = command("quiz")
    asked = in_place(CHANNEL, root=quiz.message_id)
    await store.accept_command(quiz, conversation=asked)
    lease = await claim(store)
    await store.save_reply(
        lease, Reply(reply_id="r", answers=(quiz.message_id,), message_ids=("5.0",))
    )
    await store.release(lease)

    late = message("and why?", message_id="6.0", place=in_thread("5.0"), reply_to="5.0")
    assert await store.accept(late, conversation=None, waiting=20, may_follow=True)

    assert await store.conversation_at(CHANNEL, "6.0") == asked


async def test_what_may_follow_is_only_logged_where_jay_takes_no_part(store: Store) -> None:
    late = message("and you?", message_id="2.0", place=in_thread("1.0"))

    assert await store.accept(late, conversation=None, waiting=20, may_follow=True)

    assert await store.claim(worker="w1", lease_s=60.0, wait_s=0.0) is None


async def test_a_mention_within_a_thread_takes_in_what_followed_it_there(store: Store) -> None:
    thread = in_thread("1.0")
    for text, at in (("lunch?", "2.0"), ("and you?", "4.0")):
        early = message(text, message_id=at, place=thread)
        await store.accept(early, conversation=None, waiting=20)

    asked = message("Jay?", message_id="3.0", place=thread, mentions_jay=True)
    await store.accept(asked, conversation=TALK, waiting=20)

    assert await waits(store) == ["Jay?", "and you?"]


async def test_answers_to_a_message_that_came_late_are_mail_as_well(store: Store) -> None:
    """On Discord, where people follow up by the reply function."""
    place = Place(platform="discord", workspace="G1", channel="C9")
    talk = in_place(place, root="1")
    for message_id, reply_to in (("2", "1"), ("3", "2"), ("4", "")):
        early = message(f"no. {message_id}", message_id=message_id, place=place, reply_to=reply_to)
        await store.accept(early, conversation=None, waiting=20)

    asked = message("no. 1", message_id="1", place=place, mentions_jay=True)
    await store.accept(asked, conversation=talk, waiting=20)

    assert await waits(store) == ["no. 1", "no. 2", "no. 3"]


async def test_a_late_mention_takes_in_nothing_that_was_not_jays(store: Store) -> None:
    thread = in_thread("1.0")
    other = in_thread("0.5")
    await store.accept(message("hi", message_id="2.0"), conversation=None, waiting=20)
    await store.accept(message("hi", message_id="3.0", place=other), conversation=None, waiting=20)
    to_ben = message("Ben?", message_id="4.0", place=thread, mentions_others=True)
    await store.accept(to_ben, conversation=None, waiting=20)
    gone = message("oops", message_id="5.0", place=thread)
    await store.accept(gone, conversation=None, waiting=20)
    await store.delete(MessageDeleted(place=thread, message_id="5.0"))

    await store.accept(message("hello", mentions_jay=True), conversation=TALK, waiting=20)

    assert await waits(store) == ["hello"]


async def test_a_late_mention_takes_in_no_more_than_the_mailbox_holds(store: Store) -> None:
    thread = in_thread("1.0")
    for at in ("2.0", "3.0", "4.0"):
        await store.accept(message(at, message_id=at, place=thread), conversation=None, waiting=20)

    await store.accept(message("hello", mentions_jay=True), conversation=TALK, waiting=2)

    assert await waits(store) == ["hello", "2.0"]


async def test_jay_takes_part_where_it_has_mail(store: Store) -> None:
    assert not await store.takes_part(TALK)

    await accept(store, "hello")

    assert await store.takes_part(TALK)
    assert not await store.takes_part(OTHER_TALK)


async def test_a_message_that_was_deleted_before_it_came_is_not_accepted(store: Store) -> None:
    """A retry can overtake the deletion; what was taken back stays so."""
    await store.delete(MessageDeleted(place=CHANNEL, message_id="1.0"))

    assert not await store.accept(message("oops"), conversation=TALK, waiting=20)
    assert await store.log_history([message("oops")]) == 0


async def test_half_an_emoji_loses_no_message(store: Store) -> None:
    """Slack and Discord pass on broken surrogates that no encoder takes."""
    broken = message("look \ud83d here")

    assert await store.accept(broken, conversation=TALK, waiting=20)

    (mail,) = await store.mail(await claim(store))
    assert mail.text.startswith("look ")
    assert mail.text.endswith(" here")


async def test_mail_that_is_put_aside_leaves_the_rest_waiting(store: Store) -> None:
    await accept(store, "poison", "hello")
    lease = await claim(store)
    await store.save_reply(lease, Reply(reply_id="r", answers=("1.0",)))

    await store.park(lease, message_ids=["1.0"])

    assert [one.text for one in await store.mail(lease)] == ["hello"]
    assert await store.open_reply(lease) is None
    (parked,) = await store.parked()
    assert (parked.id, parked.mail.text) == (f"{TALK.key}/1.0", "poison")
    assert parked.at > 1e9


async def test_mail_that_was_put_aside_is_not_accepted_again(store: Store) -> None:
    await accept(store, "poison")
    await store.park(await claim(store), message_ids=["1.0"])

    assert not await store.accept(message("poison"), conversation=TALK, waiting=20)


async def test_what_is_taken_up_again_wakes_a_worker_once(store: Store) -> None:
    await accept(store, "poison")
    lease = await claim(store)
    await store.park(lease, message_ids=["1.0"])
    await store.release(lease)
    (parked,) = await store.parked()

    assert await store.take_up(parked)
    assert not await store.take_up(parked)

    assert [one.text for one in await store.mail(await claim(store))] == ["poison"]
    assert await store.parked() == []


async def test_what_is_put_aside_can_be_edited_deleted_and_forgotten(store: Store) -> None:
    await accept(store, "one", "two", "three")
    await store.park(await claim(store), message_ids=["1.0", "2.0", "3.0"])

    await store.change(MessageChanged(place=CHANNEL, message_id="1.0", text="uno", changed_at=2))
    await store.delete(MessageDeleted(place=CHANNEL, message_id="2.0"))
    assert [one.mail.text for one in await store.parked()] == ["uno", "three"]

    await store.forget_person("slack", ANA.id)
    assert await store.parked() == []


async def test_who_lost_the_lease_puts_nothing_aside(store: Store) -> None:
    await accept(store, "hello")
    lease = await claim(store)
    await store.release(lease)
    await claim(store)

    with pytest.raises(LeaseLost):
        await store.park(lease, message_ids=["1.0"])
