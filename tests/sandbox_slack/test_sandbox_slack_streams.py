"""Streamed messages and agent sessions."""

import pytest
from slack_sdk.errors import SlackApiError


async def refusal(awaited) -> str:
    with pytest.raises(SlackApiError) as caught:
        await awaited
    return caught.value.response["error"]


@pytest.fixture
async def asked(slack, world):
    return slack.say_as(world.member_named("maya").id, world.channel_named("general").id, "why?")


@pytest.fixture
async def stream(client, world, asked):
    return await client.chat_startStream(
        channel=asked.channel,
        thread_ts=asked.id,
        markdown_text="It",
        recipient_team_id=world.home_id,
        recipient_user_id=asked.author,
    )


async def test_a_stream_grows_and_ends(client, world, asked, stream):
    """Words that appear as they are made are the point of it all."""
    where = {"channel": asked.channel, "ts": stream["ts"]}
    await client.chat_appendStream(**where, markdown_text=" **is**")
    message = world.get(asked.channel, stream["ts"])
    assert message.streaming
    assert message.edited_at is None
    ended = await client.chat_stopStream(**where, markdown_text=" so.")

    assert ended["message"]["text"] == "It **is** so."
    assert not message.streaming
    assert await refusal(client.chat_appendStream(**where, markdown_text="!")) == (
        "message_not_in_streaming_state"
    )
    assert (await client.chat_update(**where, text="It is so, really."))["ok"]


async def test_a_stream_in_a_channel_needs_its_recipient(client, world, asked):
    """Slack refuses it there and not in direct messages; easily missed."""
    start = {"channel": asked.channel, "thread_ts": asked.id}

    assert await refusal(client.chat_startStream(**start)) == "missing_recipient_team_id"
    assert (
        await refusal(client.chat_startStream(**start, recipient_team_id=world.home_id))
        == "missing_recipient_user_id"
    )
    direct = world.open_direct(world.bot_id, asked.author)
    root = world.say(direct.id, asked.author, "hi")
    assert (await client.chat_startStream(channel=direct.id, thread_ts=root.id))["ok"]
    assert (
        await refusal(client.chat_startStream(channel=direct.id, thread_ts=""))
        == "invalid_arguments"
    )


async def test_a_stream_cannot_be_edited_while_it_grows(client, asked, stream):
    """Two writers of one message would overwrite each other."""
    edit = client.chat_update(channel=asked.channel, ts=stream["ts"], text="x")

    assert await refusal(edit) == "streaming_state_conflict"


async def test_a_stream_ends_by_its_age_and_by_its_length(client, clock, asked, stream):
    """A long healthy answer meets both limits and must go on elsewhere."""
    where = {"channel": asked.channel, "ts": stream["ts"]}

    too_long = client.chat_appendStream(**where, markdown_text="x" * 12_000)
    assert await refusal(too_long) == "msg_too_long"
    clock.now += 301
    assert await refusal(client.chat_stopStream(**where)) == "message_not_in_streaming_state"


async def test_the_stop_button_refuses_further_appends(slack, client, asked, stream):
    """A Stop that does not stop is among the oldest complaints."""
    where = {"channel": asked.channel, "ts": stream["ts"]}

    assert slack.press_stop(asked.author, asked.channel, asked.id) == [stream["ts"]]

    assert await refusal(client.chat_appendStream(**where, markdown_text="x")) == "stopped_by_user"
    assert (await client.chat_stopStream(**where))["ok"]


async def test_a_session_has_a_status_only_for_agents(slack, client, asked):
    """An app that is no agent falls back to posts and edits."""
    session = {"channel_id": asked.channel, "thread_ts": asked.id}

    said = await client.agents_sessions_setStatus(**session, status="processing", title="Why")
    assert (said["agent_status"], said["title"]) == ("processing", "Why")
    assert await refusal(client.agents_sessions_setStatus(**session, status="busy")) == (
        "invalid_status"
    )
    slack.place.agent = False
    assert await refusal(client.agents_sessions_setStatus(**session, status="active")) == (
        "not_authorized"
    )


async def test_a_status_line_is_shown_in_its_thread(client, world, asked):
    """Whoever waits sees that somebody is at it."""
    seen = []
    world.listen(lambda event: seen.append((event.kind, event.payload)))

    await client.assistant_threads_setStatus(
        channel_id=asked.channel, thread_ts=asked.id, status="is thinking…"
    )

    assert seen == [("status", {"text": "is thinking…", "thread": asked.id})]
