"""Payloads → words: pure."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord import normalise
from adapters.discord.normalise import Handle, Names
from adapters.discord.payloads import ChannelPayload, InteractionPayload, MessagePayload
from bot.messages import Command, IncomingMessage, Place
from bot.skills import SHORTCUTS, MessageShortcut

JAY, MAYA, TOM = "100000000000000001", "100000000000000002", "100000000000000003"
JAYS_ROLE, GARDENERS = "200000000000000001", "200000000000000002"
GUILD, GENERAL, THREAD = "300000000000000001", "300000000000000002", "300000000000000003"
PLACE = Place(platform="discord", workspace=GUILD, channel=GENERAL)
NAMES = Names(
    me=JAY,
    my_roles=frozenset({JAYS_ROLE}),
    roles={GARDENERS: "gardeners", JAYS_ROLE: "Jay"},
    channels={GENERAL: "general"},
)
SAID_AT = "2026-07-01T12:00:00.500000+00:00"


def user(user_id: str, name: str, **more: object) -> dict[str, object]:
    return {"id": user_id, "username": name, "global_name": None, **more}


def payload(content: str = "hello", **more: object) -> MessagePayload:
    return MessagePayload.model_validate(
        {
            "id": "400000000000000001",
            "channel_id": GENERAL,
            "guild_id": GUILD,
            "type": 0,
            "author": user(MAYA, "maya"),
            "content": content,
            "timestamp": SAID_AT,
            "edited_timestamp": None,
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            **more,
        }
    )


def read(content: str = "hello", **more: object) -> IncomingMessage:
    message = normalise.message(payload(content, **more), place=PLACE, names=NAMES)
    assert message is not None
    return message


def test_times_are_unix_seconds() -> None:
    assert read().sent_at == datetime(2026, 7, 1, 12, 0, 0, 500_000, UTC).timestamp()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (f"<@{JAY}> what is rain?", "what is rain?"),
        (f"<@!{JAY}>, what is rain?", "what is rain?"),
        (f"<@{JAY}>: rain?", "rain?"),
        (f"hey <@{JAY}>, rain?", "hey, rain?"),
        (f"ask <@{JAY}> about rain", "ask about rain"),
        (f"what is rain <@{JAY}>?", "what is rain?"),
        (f"<@&{JAYS_ROLE}> rain?", "rain?"),
        (f"<@{JAY}>", ""),
        (f"code:\n<@{JAY}>\n  indented", "code:\n\n  indented"),
    ],
)
def test_jays_own_mention_is_cut_off(content: str, text: str) -> None:
    message = read(content)

    assert message.text == text
    assert message.mentions_jay
    assert not message.mentions_others


def test_what_discord_writes_in_marks_reads_as_people_see_it() -> None:
    tom = user(TOM, "tom", global_name="Tom O.", member={"nick": "Tommy"})
    message = read(
        f"<@{TOM}> and <@&{GARDENERS}> in <#{GENERAL}> <:sun:1> <a:rain:2> at <t:0:R> by </sum up:3>",
        mentions=[tom],
        mention_roles=[GARDENERS],
    )

    assert message.text == (
        "@Tommy and @gardeners in #general :sun: :rain: at 1970-01-01 00:00 UTC by /sum up"
    )
    assert message.mentions_others


def test_marks_of_unknown_things_read_as_what_they_are() -> None:
    assert read("<@1> <@&2> <#3> <t:-99999999999:F>").text == (
        "@someone @role #channel -99999999999"
    )


def test_a_name_is_the_nickname_then_the_display_name_then_the_handle() -> None:
    assert read(member={"nick": "May"}).author.name == "May"
    assert read(author=user(MAYA, "maya", global_name="Maya L.")).author.name == "Maya L."
    assert read().author.name == "maya"


def test_a_reply_rings_for_jay_without_a_word_and_counts_as_his() -> None:
    answered = {"message_id": "7", "channel_id": GENERAL, "type": 0}
    message = read("and then?", type=19, message_reference=answered, mentions=[user(JAY, "jay")])

    assert message.reply_to == "7"
    assert message.mentions_jay


def test_a_reply_that_rings_for_somebody_else_is_theirs() -> None:
    message = read("and then?", type=19, mentions=[user(TOM, "tom")])

    assert message.mentions_others
    assert not message.mentions_jay


def test_a_reply_to_jay_that_names_somebody_else_is_theirs() -> None:
    """It rings for Jay only because Discord lets every reply ring."""
    message = read(f"<@{TOM}> look", mentions=[user(JAY, "jay"), user(TOM, "tom")])

    assert message.mentions_others
    assert not message.mentions_jay


def test_everyone_is_not_jay() -> None:
    message = read("@everyone cake", mention_everyone=True)

    assert not message.mentions_jay
    assert message.text == "@everyone cake"


def test_a_forwarded_message_is_no_reply_and_shows_what_it_forwards() -> None:
    message = read(
        "",
        message_reference={"type": 1, "message_id": "7"},
        message_snapshots=[{"message": {"content": "from elsewhere"}}],
    )

    assert message.reply_to == ""
    assert message.text == "from elsewhere"


def test_webhooks_are_bots() -> None:
    assert read(webhook_id="9").author.bot
    assert read(author=user(TOM, "tom", bot=True)).author.bot
    assert not read().author.bot


def test_jay_knows_its_own_messages() -> None:
    assert read(author=user(JAY, "jay", bot=True)).author.jay
    assert not read(author=user(TOM, "tom", bot=True)).author.jay


@pytest.mark.parametrize("kind", [1, 6, 7, 8, 18, 20, 21, 24, 46])
def test_notices_of_discords_are_no_talk(kind: int) -> None:
    assert normalise.message(payload(type=kind), place=PLACE, names=NAMES) is None


def test_the_opening_of_a_thread_is_the_message_that_it_hangs_on() -> None:
    root = payload("the root", id="400000000000000009").model_dump()
    message = normalise.message(
        payload("", type=21, referenced_message=root), place=PLACE, names=NAMES
    )

    assert message is not None
    assert (message.message_id, message.text) == ("400000000000000009", "the root")


def test_an_edit_has_its_own_time() -> None:
    later = "2026-07-01T12:01:00+00:00"
    changed = normalise.changed(
        payload(f"<@{JAY}> no, snow", edited_timestamp=later), place=PLACE, names=NAMES
    )

    assert changed is not None
    assert changed.text == "no, snow"
    assert changed.changed_at == datetime(2026, 7, 1, 12, 1, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "more",
    [
        {"edited_timestamp": None},
        {"edited_timestamp": SAID_AT, "author": user(JAY, "jay", bot=True)},
        {"edited_timestamp": SAID_AT, "webhook_id": "9"},
    ],
    ids=["a preview of a link", "a bot", "a webhook"],
)
def test_what_nobody_edited_is_no_edit(more: dict[str, object]) -> None:
    assert normalise.changed(payload(**more), place=PLACE, names=NAMES) is None


@pytest.mark.parametrize(
    ("channel", "place"),
    [
        ({"id": GENERAL, "type": 0, "guild_id": GUILD}, PLACE),
        (
            {"id": THREAD, "type": 11, "guild_id": GUILD, "parent_id": GENERAL},
            Place(platform="discord", workspace=GUILD, channel=GENERAL, thread=THREAD),
        ),
        ({"id": "5", "type": 1}, Place(platform="discord", workspace="", channel="5", direct=True)),
    ],
    ids=["channel", "thread", "direct"],
)
def test_places(channel: dict[str, object], place: Place) -> None:
    assert normalise.place_of(ChannelPayload.model_validate(channel)) == place


def interaction(**more: object) -> InteractionPayload:
    return InteractionPayload.model_validate(
        {
            "id": "1354000000000000000",
            "application_id": JAY,
            "type": 2,
            "token": "a:token:with:colons",
            "channel": {"id": GENERAL, "type": 0},
            "guild_id": GUILD,
            "member": {"nick": "May", "user": user(MAYA, "maya")},
            "data": {
                "name": "answer",
                "type": 1,
                "options": [{"name": "question", "type": 3, "value": " why? <#1> "}],
            },
            **more,
        }
    )


def test_a_command_tells_who_where_and_what() -> None:
    command = normalise.command(interaction())

    assert command is not None
    assert (command.name, command.text) == ("answer", "why? #1")
    assert (command.author.id, command.author.name) == (MAYA, "May")
    assert command.place == PLACE
    assert command.sent_at == pytest.approx(1_742_893_000, abs=1_000_000)
    assert Handle.parse(command.handle).token == "a:token:with:colons"


def test_a_command_in_private_has_no_server() -> None:
    private = interaction(
        channel={"id": "5", "type": 1}, guild_id=None, member=None, user=user(MAYA, "maya")
    )
    command = normalise.command(private)

    assert command is not None
    assert command.place == Place(platform="discord", workspace="", channel="5", direct=True)


def test_buttons_and_menus_are_no_slash_commands() -> None:
    assert normalise.command(interaction(type=3)) is None
    assert normalise.command(interaction(data={"name": "Look", "type": 3})) is None
    assert normalise.command(interaction(member=None)) is None


def menu(name: str, **target: object) -> InteractionPayload:
    shown = {"id": "77", "timestamp": "2026-11-24T09:15:03.123000+00:00", "flags": 0} | target
    resolved = {"messages": {"77": shown}}
    return interaction(data={"name": name, "type": 3, "target_id": "77", "resolved": resolved})


EXPLAIN = MessageShortcut(name="Explain this", command="explain", text=": {text}")


def choose(payload: InteractionPayload) -> Command | None:
    shortcut = normalise.chosen_from(payload, (*SHORTCUTS, EXPLAIN))
    return shortcut and normalise.menu_command(payload, shortcut, names=NAMES)


def explain(content: str, **target: object) -> str:
    command = choose(menu("Explain this", content=content, **target))
    assert command is not None
    assert command.about == "77"
    return command.text


def test_summarize_from_here_is_the_command_since_that_message() -> None:
    command = choose(menu("Summarize from here"))

    assert command is not None
    assert (command.name, command.text) == ("summarize", "since @1795511703.123")
    assert command.about == ""
    assert (command.place, command.author.id) == (PLACE, MAYA)


def test_summarize_this_thread_is_about_the_thread_that_hangs_on_the_message() -> None:
    without = choose(menu("Summarize this thread"))
    with_one = choose(menu("Summarize this thread", flags=1 << 5))

    assert without is not None
    assert with_one is not None
    assert (without.text, without.place.thread) == ("this thread", "")
    assert with_one.place.thread == "77"


def test_a_menu_that_is_none_of_jays_is_no_command() -> None:
    assert choose(menu("Look closer")) is None
    assert choose(interaction(data={"name": "Summarize from here", "type": 3})) is None
    assert normalise.command(menu("Summarize from here")) is None


def test_the_text_of_a_shortcut_reads_as_people_see_the_message() -> None:
    tom = user(TOM, "tom", global_name="Tom O.")
    text = explain(
        f"<@{JAY}> ask <@{TOM}> or <@&{GARDENERS}> in <#{GENERAL}> about {{at}} <:sun:1>",
        mentions=[tom],
        mention_roles=[GARDENERS],
    )

    assert text == ": ask @Tom O. or @gardeners in #general about {at} :sun:"


def test_a_picture_alone_leaves_the_text_of_a_shortcut_empty() -> None:
    assert explain("") == ": "


def test_a_forwarded_message_and_a_threads_first_one_have_their_texts_too() -> None:
    forwarded = explain("", message_snapshots=[{"message": {"content": "from elsewhere"}}])
    first = explain("", type=21, referenced_message={"content": "the root"})
    answer = explain("mine", type=19, referenced_message={"content": "not mine"})

    assert (forwarded, first, answer) == (": from elsewhere", ": the root", ": mine")


@given(content=st.text(alphabet="<@!&#:/>{}0123456789abt \n", max_size=60))
def test_a_shortcut_reads_whatever_a_message_holds_as_a_heard_message_is_read(
    content: str,
) -> None:
    assert explain(content) == f": {read(content).text}"


@given(content=st.text(alphabet="<@!&#:/>0123456789abt \n", max_size=60))
def test_any_text_is_read_and_leaves_no_mark_of_a_person_or_place(content: str) -> None:
    text = read(content).text

    assert not normalise.needs_names(payload(text))
    assert f"<@{JAY}>" not in text


@given(
    application=st.integers(0, 2**63).map(str),
    interaction_id=st.integers(0, 2**63).map(str),
    token=st.text(min_size=1),
)
def test_a_handle_reads_back_as_it_was(application: str, interaction_id: str, token: str) -> None:
    handle = Handle(application_id=application, interaction_id=interaction_id, token=token)

    assert Handle.parse(str(handle)) == handle


@pytest.mark.parametrize("text", ["", "a", "1:2", "1:x:token"])
def test_what_is_no_handle_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Handle.parse(text)
