from __future__ import annotations

import json

import pytest
from fakes.talk import command, message
from hypothesis import given
from hypothesis import strategies as st

from bot.conversations import Reply, Turn
from bot.errors import StoreVersion
from bot.messages import Mail, Person, Place
from bot.store.records import (
    decode_mail,
    decode_message,
    decode_reply,
    decode_turn,
    encode_mail,
    encode_reply,
    encode_turn,
)

texts = st.text(st.characters(exclude_categories=("Cs",)))
places = st.builds(
    Place,
    platform=st.sampled_from(["slack", "discord"]),
    workspace=texts,
    channel=texts,
    thread=texts,
    direct=st.booleans(),
)
people = st.builds(Person, id=texts, name=texts)
times = st.floats(0, 4e9)


def framed(header: bytes, text: bytes) -> bytes:
    return header + b"\n123\n\n" + text


def stored(mail: Mail) -> bytes:
    *_, header, text = encode_mail(mail)
    return framed(header, text)


@given(text=texts, place=places, author=people, sent_at=times)
def test_any_message_survives_the_round_trip(
    text: str, place: Place, author: Person, sent_at: float
) -> None:
    sent = message(text, message_id="1.0", place=place, author=author, sent_at=sent_at)

    assert decode_message(stored(sent)) == sent
    assert decode_mail(stored(sent)) == sent


def test_a_command_survives_the_round_trip() -> None:
    asked = command("why", "is\nthat?")

    assert decode_mail(stored(asked)) == asked


@given(text=texts, author=texts, at=times)
def test_any_turn_survives_the_round_trip(text: str, author: str, at: float) -> None:
    turn = Turn(role="person", text=text, author=author, at=at, message_ids=("1", "2"))

    assert decode_turn(framed(*encode_turn(turn))) == turn


@given(text=texts, began_at=times)
def test_any_reply_survives_the_round_trip(text: str, began_at: float) -> None:
    reply = Reply(reply_id="r", answers=("1",), message_ids=("m",), text=text, began_at=began_at)

    assert decode_reply(encode_reply(reply)) == reply


def test_fields_of_a_newer_version_are_passed_over() -> None:
    """After a downgrade, people still find their conversations."""
    *_, header, text = encode_mail(message("hello"))
    newer = {**json.loads(header), "v": 9, "mood": "fine"}

    assert decode_message(framed(json.dumps(newer).encode(), text)) == message("hello")


def test_fields_that_an_older_version_did_not_write_take_their_defaults() -> None:
    *_, header, text = encode_mail(message("hello"))
    older = {
        name: value
        for name, value in json.loads(header).items()
        if name not in ("attachments", "mentions_others", "reply_to", "v")
    }

    assert decode_message(framed(json.dumps(older).encode(), text)) == message("hello")


def test_a_record_that_can_not_be_read_is_named_without_what_it_says() -> None:
    header = json.dumps({"v": 2, "kind": "message", "author": "plum"}).encode()

    with pytest.raises(StoreVersion, match="place") as caught:
        decode_message(framed(header, b"my secret"))

    assert "plum" not in str(caught.value)
    assert "secret" not in str(caught.value)
