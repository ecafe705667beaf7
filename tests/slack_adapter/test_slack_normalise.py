"""Slack's events as records: the rules of bot/messages.py, and that nothing breaks them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack import markup, normalise
from adapters.slack.install import Installation
from bot.messages import Command, IncomingMessage, MessageChanged, MessageDeleted, StopAsked
from bot.skills import SHORTCUTS, MessageShortcut

JAY = Installation(
    team_id="T1", team="Team", bot_user_id="UJAY", bot_id="BJAY", name="jay", url="https://t/"
)
NAMES = {"U1": "Ana", "U2": "Ben", "UJAY": "Jay"}
MESSAGE = {
    "type": "message",
    "channel": "C1",
    "channel_type": "channel",
    "user": "U1",
    "text": "hello",
    "ts": "1700000000.000100",
}


def read(**fields: object) -> tuple[object, ...]:
    return normalise.read_event(MESSAGE | fields, jay=JAY, names=NAMES)


def message(**fields: object) -> IncomingMessage:
    (found,) = read(**fields)
    assert isinstance(found, IncomingMessage)
    return found


@pytest.mark.parametrize(
    ("text", "shown", "jay", "others"),
    [
        ("<@UJAY> hi", "hi", True, False),
        ("<@UJAY>: hi", "hi", True, False),
        ("<@UJAY>", "", True, False),
        ("hey <@UJAY|jay>, hi", "hey @jay, hi", True, False),
        ("<@UJAY> ask <@U2>", "ask @Ben", True, False),
        ("<@U2> look", "@Ben look", False, True),
        ("<@U9> look", "@U9 look", False, True),
        ("<!subteam^S1|@team> look", "@team look", False, True),
        ("<!here> look", "@here look", False, True),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2", False, False),
        ("&lt;@UJAY&gt;", "<@UJAY>", False, False),
        ("&amp;lt;", "&lt;", False, False),
        ("see <https://e.org/?a=1&amp;b=2>", "see https://e.org/?a=1&b=2", False, False),
        ("see <https://e.org|the docs>", "see the docs (https://e.org)", False, False),
        ("see <http://e.org|e.org>", "see e.org", False, False),
        ("<mailto:a@e.org|a@e.org>", "a@e.org", False, False),
        ("in <#C2|general>", "in #general", False, False),
        ("at <!date^1700000000^{date}|noon>", "at noon", False, False),
    ],
)
def test_text_reads_as_people_see_it(text: str, shown: str, jay: bool, others: bool) -> None:
    found = message(text=text)

    assert (found.text, found.mentions_jay, found.mentions_others) == (shown, jay, others)


def test_an_app_mention_mentions_jay_whatever_its_text() -> None:
    """A mention may stand in a block alone."""
    assert message(type="app_mention", text="look").mentions_jay


def test_a_root_that_has_replies_is_not_in_its_own_thread() -> None:
    assert message(thread_ts=MESSAGE["ts"]).place.thread == ""
    assert message(thread_ts="1.000001").place.thread == "1.000001"


def test_what_stands_below_jays_own_message_answers_it() -> None:
    """Below a command's answer people go on with the command's conversation."""
    below = {"thread_ts": "1.000001", "parent_user_id": "UJAY"}

    assert message(**below).reply_to == "1.000001"
    assert message(**below | {"parent_user_id": "U2"}).reply_to == ""
    assert message(**below | {"thread_ts": MESSAGE["ts"]}).reply_to == ""
    assert message(thread_ts="1.000001").reply_to == ""


def test_only_a_direct_message_is_direct() -> None:
    """In a group message Jay answers when it is named."""
    assert message(channel_type="im", channel="D1").place.direct
    assert not message(channel_type="mpim", channel="G1").place.direct


@pytest.mark.parametrize("subtype", ["channel_join", "channel_topic", "bot_add", "reminder_add"])
def test_what_nobody_said_is_nothing(subtype: str) -> None:
    assert read(subtype=subtype) == ()


@pytest.mark.parametrize("subtype", ["me_message", "file_share", "thread_broadcast"])
def test_what_somebody_said_is_a_message(subtype: str) -> None:
    assert message(subtype=subtype).text == "hello"


def test_an_app_without_a_user_is_a_bot() -> None:
    found = message(subtype="bot_message", user=None, bot_id="B2", username="Deploys")

    assert (found.author.id, found.author.name, found.author.bot) == ("B2", "Deploys", True)


@pytest.mark.parametrize("own", [{"user": "UJAY"}, {"user": None, "bot_id": "BJAY"}])
def test_jays_own_words_are_nothing(own: dict[str, object]) -> None:
    assert read(**own) == ()
    changed = MESSAGE | own | {"text": "new"}
    assert read(subtype="message_changed", message=changed, previous_message=MESSAGE) == ()


def test_a_preview_that_comes_later_is_no_edit() -> None:
    changed = MESSAGE | {"attachments": [{}]}

    assert read(subtype="message_changed", message=changed, previous_message=MESSAGE) == ()


def test_an_edit_tells_when_and_in_which_thread() -> None:
    changed = MESSAGE | {"text": "<@UJAY> new", "thread_ts": "1.000001"}

    (found,) = read(
        subtype="message_changed",
        message=changed,
        previous_message=MESSAGE,
        event_ts="1700000009.000000",
    )

    assert isinstance(found, MessageChanged)
    assert (found.message_id, found.text, found.changed_at) == (MESSAGE["ts"], "new", 1700000009.0)
    assert found.place.thread == "1.000001"


def test_a_deletion_tells_its_thread() -> None:
    (found,) = read(
        subtype="message_deleted",
        deleted_ts="2.000000",
        previous_message={"ts": "2.000000", "thread_ts": "1.000001"},
    )

    assert isinstance(found, MessageDeleted)
    assert (found.message_id, found.place.thread) == ("2.000000", "1.000001")


def test_a_stop_without_a_stream_means_its_thread() -> None:
    found = read(type="agent_session_stopped", thread_ts="1.000001", streaming_message_ts=[])

    assert [one.message_id for one in found if isinstance(one, StopAsked)] == ["1.000001"]


FIELDS = st.sampled_from(
    [
        "type", "subtype", "channel", "channel_type", "user", "bot_id", "text", "ts", "thread_ts",
        "message", "previous_message", "deleted_ts", "event_ts", "files", "streaming_message_ts",
    ]
)  # fmt: skip
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.integers(),
        st.text(max_size=8),
        st.sampled_from(["message", "1.5", "U1", "<@U1>"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(FIELDS, inner, max_size=5)
    ),
    max_leaves=6,
)


@given(st.dictionaries(FIELDS, VALUES))
def test_no_event_raises_whatever_it_lacks(fields: dict[str, object]) -> None:
    """Slack adds kinds of events and leaves out fields; none may stop the edge."""
    for event in (fields, MESSAGE | fields):
        normalise.people_of(event)
        normalise.read_event(event, jay=JAY, names={})


@given(st.dictionaries(st.sampled_from(["command", "text", "channel_id", "user_id"]), VALUES))
def test_no_command_raises_whatever_it_lacks(fields: dict[str, object]) -> None:
    normalise.people_of_command(fields)
    normalise.read_command(fields, jay=JAY, names={}, now=0.0)


@given(st.text())
def test_what_a_person_types_is_read_back(text: str) -> None:
    typed = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    assert markup.read(typed, jay="UJAY", names={}).text == text.strip()


def shortcut(**changes: object) -> dict[str, object]:
    return {
        "type": "message_action",
        "callback_id": "summarize_from_here",
        "trigger_id": "13345224609.738474920.8088930838d8",
        "response_url": "https://hooks.slack.com/app/T1/2/3",
        "user": {"id": "U1", "name": "ana"},
        "channel": {"id": "C1", "name": "general"},
        "message_ts": "1700000005.000200",
        "message": {"type": "message", "user": "U2", "ts": "1700000005.000200", "text": "Hi"},
    } | changes


EXPLAIN = MessageShortcut(name="Explain this", command="explain", text=": {text}")


def read_shortcut(body: dict[str, object]) -> Command | None:
    names = {"U1": "Ana", "U3": "Ben"}
    shortcuts = (*SHORTCUTS, EXPLAIN)
    return normalise.read_shortcut(body, jay=JAY, names=names, now=1.0, shortcuts=shortcuts)


def explain(text: str) -> Command:
    said = {"type": "message", "user": "U2", "ts": "1700000005.000200", "text": text}
    body = shortcut(callback_id="explain_this", message=said)
    command = read_shortcut(body)
    assert command is not None
    return command


def test_summarize_from_here_is_the_command_since_that_message() -> None:
    command = read_shortcut(shortcut())

    assert command is not None
    assert (command.name, command.text) == ("summarize", "since @1700000005.000200")
    assert command.about == ""
    assert (command.place.channel, command.place.thread) == ("C1", "")
    assert command.author.name == "Ana"
    assert command.handle == "https://hooks.slack.com/app/T1/2/3"


@pytest.mark.parametrize(
    ("more", "thread"),
    [({}, "1700000005.000200"), ({"thread_ts": "1700000001.000100"}, "1700000001.000100")],
)
def test_summarize_this_thread_is_about_the_thread_of_that_message(
    more: dict[str, str], thread: str
) -> None:
    said = {"type": "message", "user": "U2", "ts": "1700000005.000200", "text": "Hi", **more}
    command = read_shortcut(shortcut(callback_id="summarize_this_thread", message=said))

    assert command is not None
    assert (command.text, command.place.thread) == ("this thread", thread)


def test_the_text_of_a_shortcut_reads_as_people_see_the_message() -> None:
    text = "ask <@U3> in <#C2|faq>: is {at} &lt; {0} on <https://x.org|the site>?"
    body = shortcut(message={"ts": "1700000005.000200", "text": text})

    assert explain(text).about == "1700000005.000200"
    assert explain(text).text == (": ask @Ben in #faq: is {at} < {0} on the site (https://x.org)?")
    assert normalise.people_of_shortcut(body) == ("U1", "U3")


def test_a_picture_alone_leaves_the_text_of_a_shortcut_empty() -> None:
    assert explain("").text == ": "


@given(st.text(alphabet="<>@#!|&;{}:U13JAYaltgmp \n", max_size=60))
def test_a_shortcut_reads_whatever_a_message_holds_as_a_heard_message_is_read(text: str) -> None:
    said = {"type": "message", "user": "U2", "ts": "1700000005.000200", "text": text}
    heard = normalise.read_message(
        said, place=explain(text).place, jay=JAY, names={"U1": "Ana", "U3": "Ben"}
    )

    assert heard is not None
    assert explain(text).text == f": {heard.text}"


@given(st.dictionaries(st.sampled_from(list(shortcut())), VALUES))
def test_no_shortcut_raises_whatever_it_lacks(fields: dict[str, object]) -> None:
    normalise.people_of_shortcut(fields)
    read_shortcut(fields)
    assert read_shortcut(shortcut() | {"callback_id": fields.get("callback_id")}) is None
