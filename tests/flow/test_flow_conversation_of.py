from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.talk import CHANNEL, DIRECT, in_thread, message
from hypothesis import given
from hypothesis import strategies as st

from bot.conversations import Conversation, conversation_of, in_place

ID = st.text(alphabet="0123456789.ABCDUTG", max_size=20)


def test_a_mention_at_the_top_of_a_channel_begins_a_conversation() -> None:
    found = conversation_of(message("hi", message_id="7.0", mentions_jay=True), None)

    assert found == in_place(CHANNEL, root="7.0")


def test_what_follows_in_its_thread_belongs_to_it() -> None:
    """Memory would be lost with the first follow-up."""
    found = conversation_of(message("more", message_id="8.0", place=in_thread("7.0")), None)

    assert found == in_place(CHANNEL, root="7.0")


def test_a_private_conversation_is_the_whole_channel() -> None:
    first = conversation_of(message("hi", message_id="1.0", place=DIRECT), None)
    second = conversation_of(message("again", message_id="2.0", place=DIRECT), None)

    assert first == second


def test_a_reply_belongs_to_the_conversation_it_answers() -> None:
    begun = in_place(CHANNEL, root="7.0")

    assert conversation_of(message("why?", message_id="9.0", reply_to="8.0"), begun) == begun


def test_below_jays_answer_to_a_command_the_commands_conversation_goes_on() -> None:
    """In Slack a thread is all that people can answer it in; in Discord it is begun for itself."""
    command = in_place(CHANNEL, root="cmd.1")
    below = message("and why?", message_id="9.0", place=in_thread("8.0"), reply_to="8.0")
    place = replace(below.place, platform="discord")

    assert conversation_of(below, command) == command
    assert conversation_of(replace(below, place=place), command).root == "8.0"


@given(workspace=ID, channel=ID, root=ID)
def test_a_key_reads_back_as_the_same_conversation(workspace: str, channel: str, root: str) -> None:
    one = Conversation(platform="discord", workspace=workspace, channel=channel, root=root)

    assert Conversation.parse(one.key) == one


@pytest.mark.parametrize("key", ["", "slack:T", "irc:T:C:1", "a:b:c:d:e"])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match=r"platform|unpack"):
        Conversation.parse(key)
