"""The Web API, called by slack_sdk over a real socket."""

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from adapters.sandbox.faults import Faults, Trouble
from adapters.sandbox.slack import SlackSide
from adapters.sandbox.world import File, World


def ids(world: World, *names: str):
    return [world.channel_named(name).id for name in names]


async def refusal(awaited) -> str:
    with pytest.raises(SlackApiError) as caught:
        await awaited
    return caught.value.response["error"]


async def test_auth_test_tells_the_bot_who_it_is(slack, client, world):
    """Bolt would otherwise not start, nor know its own mentions."""
    said = await client.auth_test()

    assert (said["user_id"], said["team_id"]) == (world.bot_id, "T0HARBOUR")
    assert said["bot_id"].startswith("B")
    assert "chat:write" in said.headers["x-oauth-scopes"]


@pytest.mark.parametrize(
    ("switch", "code"),
    [("token_revoked", "token_revoked"), ("account_inactive", "account_inactive")],
)
async def test_a_token_that_is_refused_says_why(slack, client, faults, switch, code):
    """The operator must learn which of the tokens to renew."""
    faults.turn("slack", switch)

    assert await refusal(client.auth_test()) == code


async def test_unknown_tokens_methods_and_kinds_are_refused(slack, client):
    """A wrong token must not look like an outage."""
    client.token = "xoxb-wrong"
    assert await refusal(client.auth_test()) == "invalid_auth"
    client.token = slack.app_token
    assert await refusal(client.auth_test()) == "not_allowed_token_type"
    client.token = slack.bot_token
    assert await refusal(client.apps_connections_open(app_token=slack.bot_token)) == (
        "not_allowed_token_type"
    )
    assert await refusal(client.api_call("chat.shout")) == "unknown_method"
    client.token = None
    assert await refusal(client.api_call("auth.test")) == "not_authed"


async def test_a_missing_scope_names_what_is_needed_and_provided(slack, client, faults):
    """The operator adds the scope that is named, not another one."""
    faults.turn("slack", "missing_scope:connections:write")

    with pytest.raises(SlackApiError) as caught:
        await client.apps_connections_open(app_token=slack.app_token)

    body = caught.value.response.data
    assert (body["error"], body["needed"], body["provided"]) == (
        "missing_scope", "connections:write", "",
    )  # fmt: skip


async def test_a_post_is_in_the_history_with_its_metadata_only_when_asked(slack, client, world):
    """Recovery finds its own half-finished reply by metadata."""
    [general] = ids(world, "general")
    made = {"event_type": "reply", "event_payload": {"id": "r1"}}
    posted = await client.chat_postMessage(channel=general, text="hello", metadata=made)

    plain = await client.conversations_history(channel=general, limit=1)
    full = await client.conversations_history(channel=general, limit=1, include_all_metadata=True)

    assert posted["message"]["bot_id"]
    assert posted["ts"] == plain["messages"][0]["ts"]
    assert "metadata" not in plain["messages"][0]
    assert full["messages"][0]["metadata"] == made


@pytest.mark.parametrize(
    ("channel", "code"),
    [
        ("outside", "not_in_channel"),
        ("releases", "restricted_action_read_only_channel"),
        ("board", "channel_not_found"),
        ("nowhere", "channel_not_found"),
    ],
)
async def test_posts_go_only_where_the_bot_may_write(slack, client, world, channel, code):
    """People would take silence for an answer that got lost."""
    known = {c.name: c.id for c in world.channels.values()}

    sent = client.chat_postMessage(channel=known.get(channel, "C0NOWHERE"), text="hi")

    assert await refusal(sent) == code


async def test_what_is_posted_is_checked(slack, client, world):
    """A renderer's mistake must show here and not first in a customer's workspace."""
    [general] = ids(world, "general")
    world.channel_named("general").archived = False
    long_section = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]
    many = [{"type": "divider"}] * 51

    assert (
        await refusal(client.api_call("chat.postMessage", json={"channel": general, "text": " "}))
        == "no_text"
    )
    assert await refusal(
        client.chat_postMessage(channel=general, blocks=long_section, text="x")
    ) == ("invalid_blocks")
    assert (
        await refusal(client.chat_postMessage(channel=general, blocks=many, text="x"))
        == "invalid_blocks"
    )
    assert await refusal(client.chat_postMessage(channel=general, markdown_text="x" * 12_001)) == (
        "msg_too_long"
    )
    assert (
        await refusal(client.chat_postMessage(channel=general, markdown_text="x", text="y"))
        == "markdown_text_conflict"
    )
    assert (
        await refusal(
            client.chat_postMessage(channel=general, text="y", metadata={"event_type": "x"})
        )
        == "invalid_metadata_schema"
    )
    assert world.history(general) == []


async def test_text_above_the_limit_is_cut_in_a_post_and_refused_in_an_update(slack, client, world):
    """Half of a long answer would vanish unseen."""
    [general] = ids(world, "general")
    posted = await client.chat_postMessage(channel=general, text="a" * 40_001)

    assert len(world.get(general, posted["ts"]).text) == 40_000
    assert posted["warning"] == "message_truncated"
    long_update = client.chat_update(channel=general, ts=posted["ts"], text="a" * 4_001)
    assert await refusal(long_update) == "msg_too_long"


async def test_only_its_own_messages_can_be_changed_or_deleted(slack, client, world):
    """A bot that edits people's words would be thrown out."""
    [general] = ids(world, "general")
    theirs = slack.say_as(world.member_named("maya").id, general, "mine")
    ours = await client.chat_postMessage(channel=general, text="ours")

    await client.chat_update(channel=general, ts=ours["ts"], text="ours, better")
    assert world.get(general, ours["ts"]).text == "ours, better"
    assert await refusal(client.chat_update(channel=general, ts=theirs.id, text="no")) == (
        "cant_update_message"
    )
    assert await refusal(client.chat_delete(channel=general, ts=theirs.id)) == (
        "cant_delete_message"
    )
    await client.chat_delete(channel=general, ts=ours["ts"])
    assert await refusal(client.chat_update(channel=general, ts=ours["ts"], text="x")) == (
        "message_not_found"
    )


@pytest.mark.parametrize(
    ("text", "rung"),
    [
        ("all hands <!channel> <!here|here>", ["channel", "here"]),
        ("hi <@U0ABC> and <!subteam^S0X|team>", ["U0ABC", "subteam^S0X"]),
        ("hi &lt;!channel&gt; @channel &lt;@U0ABC&gt;", []),
    ],
)
async def test_it_is_kept_whom_a_post_rings_for(slack, client, world, text, rung):
    """A model that writes <!channel> must ring for nobody; only so can a test see it."""
    [general] = ids(world, "general")

    posted = await client.chat_postMessage(channel=general, text=text)

    assert world.get(general, posted["ts"]).extra["pings"] == rung


async def test_pings_hide_in_blocks_and_linked_names_too(slack, client, world):
    """The same harm by another door."""
    [general] = ids(world, "general")
    block = {"type": "section", "text": {"type": "mrkdwn", "text": "<!everyone>"}}

    by_block = await client.chat_postMessage(channel=general, text="x", blocks=[block])
    by_name = await client.chat_postMessage(channel=general, text="@channel", link_names=True)

    assert world.get(general, by_block["ts"]).extra["pings"] == ["everyone"]
    assert world.get(general, by_name["ts"]).extra["pings"] == ["channel"]


async def test_threads_read_root_first_and_page_on(slack, client, world):
    """A summary of a thread must miss nothing and double nothing."""
    [general] = ids(world, "general")
    maya = world.member_named("maya").id
    root = slack.say_as(maya, general, "which day?")
    said = [slack.say_as(maya, general, f"answer {n}", thread=root.id).id for n in range(5)]

    first = await client.conversations_replies(channel=general, ts=root.id, limit=4)
    rest = await client.conversations_replies(
        channel=general, ts=root.id, limit=4, cursor=first["response_metadata"]["next_cursor"]
    )

    assert [m["ts"] for m in first["messages"]] == [root.id, *said[:3]]
    assert [m["ts"] for m in rest["messages"]] == [root.id, *said[3:]]
    assert first["messages"][0]["reply_count"] == 5
    assert not rest["has_more"]
    assert await refusal(client.conversations_replies(channel=general, ts="1.000001")) == (
        "thread_not_found"
    )


async def test_history_pages_from_the_newest_back_to_the_oldest(slack, client, world):
    """Catching up after a gap walks these pages."""
    [general] = ids(world, "general")
    said = [slack.say_as(world.member_named("tom").id, general, str(n)).id for n in range(7)]
    seen, cursor = [], None
    while cursor != "":
        page = await client.conversations_history(channel=general, limit=3, cursor=cursor)
        seen += [m["ts"] for m in page["messages"]]
        cursor = page.get("response_metadata", {}).get("next_cursor", "")

    assert seen == said[::-1]
    between = await client.conversations_history(channel=general, oldest=said[2], latest=said[5])
    assert [m["ts"] for m in between["messages"]] == [said[4], said[3]]
    including = await client.conversations_history(
        channel=general, oldest=said[2], latest=said[5], inclusive=True
    )
    assert len(including["messages"]) == 4


async def test_only_channels_the_bot_sits_in_can_be_read(slack, client, world):
    """Who hears it may read it: nothing leaks from other rooms."""
    outside, board = ids(world, "outside", "board")

    assert await refusal(client.conversations_history(channel=outside)) == "not_in_channel"
    assert await refusal(client.conversations_history(channel=board)) == "channel_not_found"
    await client.conversations_join(channel=outside)
    assert (await client.conversations_history(channel=outside))["ok"]
    mine = await client.users_conversations(types="public_channel,private_channel")
    assert {c["name"] for c in mine["channels"]} == {"general", "releases", "outside"}


async def test_people_are_found_and_written_to_directly(slack, client, world):
    """A channel that is read-only is answered by direct message."""
    maya = world.member_named("maya").id
    opened = await client.conversations_open(users=maya)
    posted = await client.chat_postMessage(channel=maya, text="psst")

    assert posted["channel"] == opened["channel"]["id"]
    assert posted["channel"].startswith("D")
    assert (await client.users_info(user=maya))["user"]["real_name"] == "Maya Lindqvist"
    gone = world.member_named("gone").id
    assert await refusal(client.conversations_open(users=gone)) == "user_disabled"
    assert await refusal(client.users_info(user="U0NOBODY")) == "user_not_found"


async def test_reactions_files_and_links(slack, client, world):
    """An acknowledging reaction is the only word in a channel that is read-only."""
    [releases] = ids(world, "releases")
    file = File(id="F0PLAN", name="plan.pdf", mimetype="application/pdf", size=10)
    said = slack.say_as(world.member_named("tom").id, releases, "", files=[file])

    await client.reactions_add(channel=releases, timestamp=said.id, name="eyes")
    assert said.reactions == {"eyes": [world.bot_id]}
    again = client.reactions_add(channel=releases, timestamp=said.id, name="eyes")
    assert await refusal(again) == "already_reacted"
    await client.reactions_remove(channel=releases, timestamp=said.id, name="eyes")
    assert said.reactions == {}
    assert (await client.files_info(file="F0PLAN"))["file"]["name"] == "plan.pdf"
    link = await client.chat_getPermalink(channel=releases, message_ts=said.id)
    assert link["permalink"].endswith(f"/archives/{releases}/p{said.id.replace('.', '')}")


async def test_a_deleted_root_with_replies_leaves_a_tombstone(slack, client, world):
    """Its words must be gone while its thread stays readable."""
    [general] = ids(world, "general")
    maya = world.member_named("maya").id
    root = slack.say_as(maya, general, "a secret")
    slack.say_as(maya, general, "oh", thread=root.id)
    world.delete(general, root.id)

    page = await client.conversations_replies(channel=general, ts=root.id)

    assert [m.get("subtype") for m in page["messages"]] == ["tombstone", None]
    assert "secret" not in str(page.data)


async def test_posting_too_fast_is_answered_429_with_the_seconds_to_wait(
    slack, client, world, clock
):
    """Without Retry-After a sender would hammer on."""
    [general] = ids(world, "general")
    for n in range(4):
        await client.chat_postMessage(channel=general, text=str(n))

    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=general, text="one too many")

    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "1"
    clock.now += 1
    assert (await client.chat_postMessage(channel=general, text="now"))["ok"]


async def test_a_tier_counts_calls_by_method_in_a_minute(slack, client, world, clock):
    """Edits of a streaming reply are what hits this limit first."""
    [general] = ids(world, "general")
    posted = await client.chat_postMessage(channel=general, text="0")
    for n in range(50):
        await client.chat_update(channel=general, ts=posted["ts"], text=f"{n + 1}")

    with pytest.raises(SlackApiError) as caught:
        await client.chat_update(channel=general, ts=posted["ts"], text="51")

    assert caught.value.response["error"] == "ratelimited"
    assert caught.value.response.headers["Retry-After"] == "60"
    assert (await client.chat_getPermalink(channel=general, message_ts=posted["ts"]))["ok"]
    clock.now += 60
    assert (await client.chat_update(channel=general, ts=posted["ts"], text="51"))["ok"]


async def test_faults_hit_the_next_calls_and_then_are_over(slack, client, world, faults: Faults):
    """A test of recovery needs an outage that ends."""
    [general] = ids(world, "general")
    faults.rate_limit("slack", "chat.*", retry_after_s=7)
    faults.add(Trouble(platform="slack", method="chat.postMessage", status=503, after=True))

    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=general, text="limited")
    assert caught.value.response.headers["Retry-After"] == "7"
    async with aiohttp.ClientSession() as session:
        answer = await session.post(
            slack.api_url + "chat.postMessage",
            headers={"Authorization": f"Bearer {slack.bot_token}"},
            data={"channel": general, "text": "arrived, but who knows"},
        )
    assert answer.status == 503
    assert [m.text for m in world.history(general)] == ["arrived, but who knows"]
    assert (await client.chat_postMessage(channel=general, text="fine"))["ok"]


async def test_methods_without_json_do_not_see_a_json_body(slack, world):
    """Slack ignores it silently, which has cost many an afternoon."""
    [general] = ids(world, "general")
    async with aiohttp.ClientSession() as session:
        answer = await session.post(
            slack.api_url + "conversations.info",
            headers={"Authorization": f"Bearer {slack.bot_token}"},
            json={"channel": general},
        )
        body = await answer.json()

    assert body["error"] == "invalid_arguments"
    assert "channel" in body["response_metadata"]["messages"][0]


async def test_an_ephemeral_message_is_seen_by_one_person_and_by_no_history(
    slack: SlackSide, client, world
):
    """A private hint must not end up in a summary."""
    [general] = ids(world, "general")
    maya, tom = world.member_named("maya").id, world.member_named("tom").id

    await client.chat_postEphemeral(channel=general, user=maya, text="only you")

    assert (await client.conversations_history(channel=general))["messages"] == []
    assert [m.text for m in world.history(general, seen_by=maya)] == ["only you"]
    assert world.history(general, seen_by=tom) == []
