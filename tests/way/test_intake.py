from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fakes.talk import ANA, CHANNEL, DIRECT, command, in_thread, message
from structlog.testing import capture_logs

from bot.conversations import Reply
from bot.messages import IncomingMessage, MessageChanged, MessageDeleted, Person

MakeWay = Callable[..., Any]


async def test_a_mention_is_answered_in_a_conversation_of_its_own(make_way: MakeWay) -> None:
    way = make_way(" Hi Ana.\n###")

    await way.hear(message("hello", mentions_jay=True))
    await way.answer_all()

    assert way.surface.texts == ["Hi Ana."]


async def test_talk_between_people_is_logged_and_not_answered(make_way: MakeWay) -> None:
    """A bot that joins in unasked is soon removed."""
    way = make_way()

    await way.hear(message("lunch?"))
    await way.answer_all()

    assert way.surface.texts == []
    assert [one.text for one in await way.store.messages(CHANNEL, limit=10)] == ["lunch?"]


async def test_a_follow_up_in_jays_thread_needs_no_mention(make_way: MakeWay) -> None:
    way = make_way(" One.\n###", " Two.\n###")
    await way.hear(message("hello", message_id="1.0", mentions_jay=True))
    await way.answer_all()

    await way.hear(message("and then?", message_id="2.0", place=in_thread("1.0")))
    await way.answer_all()

    assert way.surface.texts == ["One.", "Two."]


async def test_a_message_to_somebody_else_in_jays_thread_is_left_alone(make_way: MakeWay) -> None:
    way = make_way(" One.\n###", " Two.\n###")
    await way.hear(message("hello", message_id="1.0", mentions_jay=True))
    await way.answer_all()

    await way.hear(
        message("@Ben look", message_id="2.0", place=in_thread("1.0"), mentions_others=True)
    )
    await way.answer_all()

    assert way.surface.texts == ["One."]


async def test_a_reply_to_jays_message_goes_on_with_its_conversation(make_way: MakeWay) -> None:
    """Discord people answer by replying, in no thread."""
    way = make_way(" One.\n###", " Two.\n###")
    await way.hear(message("hello", message_id="1.0", mentions_jay=True))
    await way.answer_all()

    await way.hear(message("why?", message_id="2.0", reply_to="m1"))
    await way.answer_all()

    assert way.surface.texts == ["One.", "Two."]
    assert "hello" in way.engine.prompts[-1]


async def test_the_same_message_twice_is_answered_once(make_way: MakeWay) -> None:
    """Slack delivers a mention as a message too, and retries both."""
    way = make_way(" One.\n###", " Two.\n###")
    for _ in range(3):
        await way.hear(message("hello", mentions_jay=True))
    await way.answer_all()
    await way.hear(message("hello", mentions_jay=True))
    await way.answer_all()

    assert way.surface.texts == ["One."]


async def test_a_message_that_was_only_logged_can_still_turn_out_to_be_a_mention(
    make_way: MakeWay,
) -> None:
    way = make_way(" One.\n###")
    await way.hear(message("hello"))
    await way.hear(message("hello", mentions_jay=True))
    await way.answer_all()

    assert way.surface.texts == ["One."]


async def test_bots_are_not_heard(make_way: MakeWay) -> None:
    """Two bots that answer each other never end."""
    way = make_way()
    bot = Person(id="B1", name="Deploybot", bot=True)

    await way.hear(message("hello", author=bot, mentions_jay=True))
    await way.answer_all()

    assert way.surface.texts == []


def own(message_id: str, **named: Any) -> IncomingMessage:
    jay = Person(id="B0", name="Jay", bot=True, jay=True)
    return message("Yes.", message_id=message_id, author=jay, reply_to="1.0", **named)


async def test_somebody_else_who_answers_with_jays_token_is_named(make_way: MakeWay) -> None:
    """On Discord both would hear everything, and people would get two answers."""
    way = make_way()
    with capture_logs() as lines:
        await way.hear(own("10.0"))
        await way.hear(own("20.0"))
        assert lines == []
        await way.hear(own("131.0"))

    (line,) = lines
    assert (line["event"], line["message"]) == ("intake.others_answer", "10.0")
    assert "REDIS_URL" in line["hint"]


async def test_jays_own_answers_are_nobody_elses(make_way: MakeWay) -> None:
    way = make_way()
    await way.hear(message("hello", mentions_jay=True))
    lease = await way.store.claim(worker="w", lease_s=9.0, wait_s=0.0)
    await way.store.save_reply(lease, Reply(reply_id="r", answers=("1.0",), message_ids=("2.0",)))
    with capture_logs() as lines:
        await way.hear(own("2.0"))
        await way.hear(own("3.0"))
        await way.hear(own("4.0"))
        way.intake.wrote("4.0")
        await way.hear(MessageDeleted(place=CHANNEL, message_id="3.0"))
        await way.hear(own("999.0"))

    assert lines == []


async def test_a_full_mailbox_is_told_to_the_person(make_way: MakeWay) -> None:
    way = make_way(max_waiting=2)

    for at in range(1, 4):
        await way.hear(message(f"message {at}", message_id=f"{at}.0", place=DIRECT))

    assert [person for person, _ in way.surface.whispers] == [ANA.id]


async def test_an_edit_before_the_answer_is_what_gets_answered(make_way: MakeWay) -> None:
    way = make_way()
    await way.hear(message("helo", mentions_jay=True))
    await way.hear(MessageChanged(place=CHANNEL, message_id="1.0", text="hello!", changed_at=2.0))
    await way.answer_all()

    assert "hello!" in way.engine.prompts[0]
    assert "helo\n" not in way.engine.prompts[0]


async def test_a_message_deleted_before_the_answer_is_not_answered(make_way: MakeWay) -> None:
    way = make_way()
    await way.hear(message("oops", mentions_jay=True))
    await way.hear(MessageDeleted(place=CHANNEL, message_id="1.0"))
    await way.answer_all()

    assert way.surface.texts == []
    assert way.engine.prompts == []


async def test_a_deleted_message_is_forgotten_in_later_prompts(make_way: MakeWay) -> None:
    """What somebody took back must not come up again."""
    way = make_way(" One.\n###", " Two.\n###")
    await way.hear(message("my secret is plum", message_id="1.0", place=DIRECT))
    await way.answer_all()
    await way.hear(MessageDeleted(place=DIRECT, message_id="1.0"))
    await way.hear(message("hello", message_id="2.0", place=DIRECT))
    await way.answer_all()

    assert "plum" not in way.engine.prompts[-1]


async def test_a_command_is_answered(make_way: MakeWay) -> None:
    way = make_way()

    await way.hear(command("summarize", "purple"))
    await way.answer_all()

    assert "`last 50`" in way.surface.texts[0]
