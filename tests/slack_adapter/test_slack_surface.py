"""Writing: what people see in Slack when Jay posts, edits, whispers and reads back."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from fakes.slack import settings_for, target

from adapters.sandbox.slack.limits import RESPONSE_URL_USES
from adapters.slack import SlackSurface
from bot.errors import (
    MayNotWrite,
    MessageGone,
    PlatformUnreachable,
    Rejected,
    TokenRefused,
    TooFast,
)
from bot.messages import Place


def said(world, channel: str) -> list[str]:
    """What everyone sees of Jay in a channel, in order."""
    return [
        one.text
        for one in world.messages(channel)
        if one.author == world.bot_id and not one.deleted and one.ephemeral_to is None
    ]


def whispered(world, channel: str, person: str) -> list[str]:
    return [one.text for one in world.messages(channel) if one.ephemeral_to == person]


@pytest.fixture
async def asked(side, maya, general):
    return side.say_as(maya.id, general, "@Jay hello?")


@pytest.fixture
def to(asked, general, maya):
    return target(general, reply_to=asked.id, person=maya.id)


async def test_a_reply_in_a_channel_stands_in_the_thread_under_its_message(
    surface, world, to, asked, general
):
    ts = await surface.post(to, "hello", nonce="n.0", last=False)
    await surface.edit(to, ts, "hello you", shown="hello", last=True)

    message = world.get(general, ts)
    assert (message.thread, message.text) == (asked.id, "hello you")
    assert message.extra["unfurl"] is False


async def test_a_reply_in_a_direct_message_stays_there(surface, side, world, maya):
    channel = world.open_direct(world.bot_id, maya.id).id
    plain = side.say_as(maya.id, channel, "hi")
    threaded = side.say_as(maya.id, channel, "and here?", thread=plain.id)

    first = await surface.post(
        target(channel, reply_to=plain.id, direct=True), "hi", nonce="a", last=True
    )
    second = await surface.post(
        target(channel, reply_to=threaded.id, thread=plain.id, direct=True),
        "here",
        nonce="b",
        last=True,
    )

    assert world.get(channel, first).thread is None
    assert world.get(channel, second).thread == plain.id


async def test_model_words_ping_nobody(surface, world, to, general, maya):
    """A base model writes what it likes."""
    words = (
        f"<!channel> <@{maya.id}> <!here|here> @channel [x](https://e.org/<!everyone>) `<!here>`"
    )
    (part,) = surface.render(words, target=to)

    ts = await surface.post(to, part, nonce="n", last=True)

    assert world.get(general, ts).extra["pings"] == []


async def test_the_longest_part_can_be_posted_and_edited(surface, world, to, general):
    """`chat.update` takes a tenth of what `chat.postMessage` takes."""
    parts = surface.render("& " * 5000, target=to)

    ts = await surface.post(to, "…", nonce="n", last=False)
    await surface.edit(to, ts, parts[0], shown="…", last=True)

    assert world.get(general, ts).text == parts[0]
    assert len(parts) > 1


async def test_the_same_nonce_posts_once(surface, world, to, general):
    first = await surface.post(to, "hello", nonce="n.0", last=False)
    second = await surface.post(to, "hello", nonce="n.0", last=False)

    assert first == second
    assert said(world, general) == ["hello"]


async def test_a_post_whose_answer_was_lost_is_found_again(surface, world, to, general, faults):
    """It would stand there twice."""
    faults.fail("slack", "chat.postMessage", status=502, after=True)

    with pytest.raises(PlatformUnreachable):
        await surface.post(to, "hello", nonce="n.0", last=False)
    ts = await surface.post(to, "hello", nonce="n.0", last=False)

    assert said(world, general) == ["hello"]
    assert world.get(general, ts).text == "hello"


async def test_a_post_of_a_worker_that_died_is_found_by_another(
    surface, side, world, to, general, maya
):
    """However soon that is: a lease may be a short one."""
    first = await surface.post(to, "hello", nonce="n.0", last=False)

    async with SlackSurface(settings_for(side)) as other:
        second = await other.post(to, "hello", nonce="n.0", last=False, again=True)
        third = await other.post(to, "more", nonce="n.1", last=False, again=True)

    assert second == first
    assert third != first
    assert said(world, general) == ["hello", "more"]


async def test_a_commands_answer_whose_answer_was_lost_is_found_again(
    surface, side, world, general, maya, faults
):
    url = (await command(side, maya, general))["response_url"]
    to = target(general, person=maya.id, handle=url)
    faults.fail("slack", "chat.postMessage", status=502, after=True)

    with pytest.raises(PlatformUnreachable):
        await surface.post(to, "sum", nonce="n.0", last=True)
    await surface.post(to, "sum", nonce="n.0", last=True)

    assert said(world, general) == ["sum"]


async def test_an_edit_to_the_same_text_is_not_sent(surface, world, to, faults):
    ts = await surface.post(to, "hello", nonce="n", last=False)
    faults.fail("slack", "chat.update", status=500, times=-1)

    await surface.edit(to, ts, "hello", shown="hello", last=True)


async def test_a_deleted_message_is_gone_and_deleting_it_again_is_no_error(
    surface, world, to, general
):
    ts = await surface.post(to, "hello", nonce="n", last=False)
    await surface.delete(to, ts)
    await surface.delete(to, ts)

    with pytest.raises(MessageGone):
        await surface.edit(to, ts, "more", shown="hello", last=False)


async def test_what_slack_refuses_is_told_in_our_words(surface, world, to, faults):
    releases = target(world.channel_named("releases").id, reply_to=to.reply_to)
    outside = target(world.channel_named("outside").id, reply_to=to.reply_to)

    with pytest.raises(MayNotWrite):
        await surface.post(releases, "x", nonce="a", last=True)
    with pytest.raises(MayNotWrite):
        await surface.post(outside, "x", nonce="b", last=True)
    with pytest.raises(MessageGone):
        await surface.post(target("C0NOSUCH", reply_to=to.reply_to), "x", nonce="c", last=True)
    faults.fail("slack", "chat.postMessage", status=200, error="msg_blocks_too_long")
    with pytest.raises(Rejected, match="msg_blocks_too_long"):
        await surface.post(to, "x", nonce="d", last=True)


async def test_how_long_to_wait_is_passed_on(surface, to, faults):
    faults.rate_limit("slack", "chat.postMessage", retry_after_s=7)

    with pytest.raises(TooFast) as too_fast:
        await surface.post(to, "x", nonce="n", last=True)

    assert too_fast.value.retry_after_s == 7
    await surface.post(to, "x", nonce="n", last=True)


async def test_a_missing_scope_is_named_and_no_token(surface, to, faults, side):
    faults.turn("slack", "missing_scope:chat:write")

    with pytest.raises(TokenRefused, match=r"chat:write") as refused:
        await surface.post(to, "x", nonce="n", last=True)

    assert side.bot_token not in repr(refused.value)


async def test_slack_that_is_not_there_is_unreachable(side, to):
    settings = settings_for(side, api_url="http://127.0.0.1:9/api/")
    async with SlackSurface(settings) as surface:
        with pytest.raises(PlatformUnreachable):
            await surface.post(to, "x", nonce="n", last=True)


async def command(side, maya, channel: str) -> dict[str, object]:
    """A slash command's response_url, without an app that listens."""
    return {"response_url": side.response_urls.make(channel, maya.id)}


async def test_a_command_is_answered_in_the_channel_for_all(surface, side, world, general, maya):
    to = target(
        general, person=maya.id, handle=(await command(side, maya, general))["response_url"]
    )

    ts = await surface.post(to, "the sum", nonce="n.0", last=True)

    assert world.get(general, ts).thread is None
    assert said(world, general) == ["the sum"]


async def test_a_command_where_jay_is_no_member_is_answered_to_the_person_alone(
    surface, side, world, maya
):
    """Anything else would be silence."""
    outside = world.channel_named("outside").id
    to = target(
        outside, person=maya.id, handle=(await command(side, maya, outside))["response_url"]
    )

    first = await surface.post(to, "the s", nonce="n.0", last=False)
    await surface.edit(to, first, "the sum", shown="the s", last=True)
    await surface.edit(to, first, "the sum", shown="the sum", last=True)
    await surface.post(to, "and more", nonce="n.1", last=True)
    await surface.delete(to, first)

    assert whispered(world, outside, maya.id) == ["the sum", "and more"]
    assert said(world, outside) == []


async def test_a_response_url_that_is_used_up_is_told(surface, side, world, maya):
    outside = world.channel_named("outside").id
    to = target(
        outside, person=maya.id, handle=(await command(side, maya, outside))["response_url"]
    )
    for n in range(RESPONSE_URL_USES):
        await surface.post(to, f"part {n}", nonce=f"n.{n}", last=True)

    with pytest.raises(Rejected, match="used up"):
        await surface.post(to, "one more", nonce="n.5", last=True)


async def test_work_is_shown_in_a_thread(surface, world, to, general, faults):
    statuses = []
    world.listen(lambda event: event.kind == "status" and statuses.append(event.payload["text"]))

    assert await surface.show_working(to, "Thinking…")

    assert statuses == ["Thinking…"]


async def test_no_status_is_claimed_where_slack_shows_none(surface, side, world, maya, to, faults):
    """People then get a line that says so."""
    direct = target(world.open_direct(world.bot_id, maya.id).id, direct=True, handle="x")
    faults.turn("slack", "missing_scope:chat:write")

    assert not await surface.show_working(direct, "Thinking…")
    assert not await surface.show_working(to, "Thinking…")


async def test_a_whisper_is_seen_by_one_person(surface, world, to, general, maya):
    await surface.whisper(to, "**Just** for you")

    assert whispered(world, general, maya.id) == ["*Just* for you"]


async def test_a_whisper_from_a_read_only_channel_comes_as_a_direct_message(
    surface, side, world, maya
):
    releases = world.channel_named("releases").id
    asked = side.say_as(maya.id, releases, "@Jay hello?")

    await surface.whisper(target(releases, reply_to=asked.id, person=maya.id), "I may not write")

    direct = world.open_direct(world.bot_id, maya.id).id
    assert said(world, direct) == ["I may not write"]


async def test_where_nothing_can_be_said_a_sign_is_put(surface, side, world, maya, faults):
    releases = world.channel_named("releases").id
    asked = side.say_as(maya.id, releases, "@Jay hello?")
    faults.turn("slack", "missing_scope:im:write")

    await surface.whisper(target(releases, reply_to=asked.id, person=maya.id), "I may not write")

    assert list(world.get(releases, asked.id).reactions) == ["see_no_evil"]


async def test_links_lead_to_the_message(surface, side, asked, general, faults):
    place = target(general).place

    link = await surface.link(place, asked.id)

    assert link == f"{side.place.url}/archives/{general}/p{asked.id.replace('.', '')}"
    faults.fail("slack", "chat.getPermalink", times=-1)
    assert await surface.link(place, asked.id) == link


async def test_history_is_read_back_with_names_and_threads(surface, side, world, general, maya):
    root = side.say_as(maya.id, general, "root @Jay")
    tom = world.member_named("tom")
    side.say_as(tom.id, general, "reply", thread=root.id)
    side.say_as(maya.id, general, "later & <b>")
    world.say(general, world.bot_id, "Jay's own words")

    place = target(general).place
    heard = await surface.history(place, limit=50)
    thread = await surface.history(
        Place(platform="slack", workspace="T0HARBOUR", channel=general, thread=root.id), limit=50
    )

    assert [(one.author.name, one.text) for one in heard] == [
        ("Maya Lindqvist", "root @Jay"),
        ("Tom Okafor", "reply"),
        ("Maya Lindqvist", "later & <b>"),
    ]
    assert [one.place.thread for one in heard] == ["", root.id, ""]
    assert heard[0].mentions_jay
    assert [one.text for one in thread] == ["root @Jay", "reply"]
    assert [one.text for one in await surface.history(place, limit=2)] == ["later & <b>"]


async def test_long_history_is_paged(surface, side, world, general, maya):
    for n in range(450):
        world.say(general, maya.id, f"m{n}", at=1_700_000_000 + n)

    heard = await surface.history(target(general).place, limit=420)

    assert [one.text for one in heard] == [f"m{n}" for n in range(30, 450)]


async def test_people_whose_names_slack_won_t_tell_keep_their_ids(
    surface, side, general, maya, faults
):
    side.say_as(maya.id, general, "hello")
    faults.fail("slack", "users.info", times=-1)

    (heard,) = await surface.history(target(general).place, limit=5)

    assert heard.author.name == maya.id


async def test_history_since_a_time_leaves_out_what_is_older_and_tells_of_edits(
    surface, world, general, maya
):
    now = time.time()
    world.say(general, maya.id, "old", at=now - 500)
    root = world.say(general, maya.id, "root", at=now - 60)
    world.say(general, maya.id, "reply", thread=root.id, at=now - 50)
    world.edit(general, root.id, "Root")
    place = target(general).place

    channel = await surface.history(place, limit=10, since=now - 100)
    thread = await surface.history(replace(place, thread=root.id), limit=10, since=now - 55)

    assert [one.text for one in channel] == ["Root", "reply"]
    assert channel[0].edited_at > 0
    assert channel[1].edited_at == 0
    assert [one.text for one in thread] == ["reply"]


async def test_the_places_of_jay_are_its_channels_and_direct_messages(
    surface, world, general, maya
):
    direct = world.open_direct(world.bot_id, maya.id)
    outside = world.channel_named("outside").id

    places = {one.channel: one for one in await surface.places(since=0)}

    assert places[general] == target(general).place
    assert places[direct.id].direct
    assert outside not in places


async def test_a_range_is_read_with_every_thread_that_goes_on_in_it(
    surface, side, world, general, maya
):
    """A summary would otherwise be silent about what was said in threads."""
    deploys = world.member_named("deploys").id
    ids = [world.say(general, maya.id, f"m{n}", at=1_700_000_000 + n).id for n in range(30)]
    old = world.say(general, maya.id, "old root", at=1_699_999_000)
    world.say(general, maya.id, "late reply", thread=old.id, at=1_700_000_005)
    world.say(general, maya.id, "too late", thread=old.id, at=1_700_000_090)
    for n in range(25):
        world.say(general, maya.id, f"r{n}", thread=ids[n], at=1_700_000_030 + n)
    world.say(general, deploys, "deployed", at=1_700_000_010)
    world.say(general, world.bot_id, "Jay's own", at=1_700_000_011)
    world.delete(general, ids[3])

    told = await surface.read_range(
        target(general).place, limit=50, since=1_700_000_000, until=1_700_000_060
    )

    wanted = {f"m{n}" for n in range(30)} - {"m3"} | {f"r{n}" for n in range(25)}
    assert {one.text for one in told.messages} == wanted | {"late reply", "deployed"}
    assert [one.text for one in told.messages if one.author.bot] == ["deployed"]
    assert (told.whole, told.begins) == (True, 1_700_000_000)
    assert told.threads >= {*ids[:25], old.id}
    assert told.gone(ids[3])
    assert not told.gone("1600000000.000000"), "nobody looked so far back"


async def test_a_thread_that_is_too_long_to_be_read_is_not_taken_for_gone(
    surface, world, general, maya
):
    root = world.say(general, maya.id, "root", at=1_700_000_000)
    for n in range(12):
        world.say(general, maya.id, f"r{n}", thread=root.id, at=1_700_000_001 + n)

    told = await surface.read_range(target(general).place, limit=5, since=0, until=float("inf"))

    assert root.id not in told.threads
    assert not told.gone(root.id)


async def test_a_range_over_the_limit_says_that_it_is_not_whole(surface, world, general, maya):
    for n in range(450):
        world.say(general, maya.id, f"m{n}", at=1_700_000_000 + n)

    told = await surface.read_range(target(general).place, limit=300, since=0, until=float("inf"))

    assert [one.text for one in told.messages] == [f"m{n}" for n in range(150, 450)]
    assert (told.whole, told.begins) == (False, 1_700_000_150)


async def test_jays_own_words_are_none_of_the_number_asked_for(surface, world, general, maya):
    for n in range(30):
        world.say(general, world.bot_id if n % 2 else maya.id, f"m{n}", at=1_700_000_000 + n)

    told = await surface.read_range(target(general).place, limit=15, since=0, until=float("inf"))

    assert [one.text for one in told.messages] == [f"m{n}" for n in range(0, 30, 2)]
    assert told.whole


async def test_a_range_waits_where_slack_wants_it_slower(surface, world, general, maya, faults):
    world.say(general, maya.id, "hello", at=1_700_000_000)
    faults.rate_limit("slack", "conversations.history", retry_after_s=0.05, times=2)

    told = await surface.read_range(target(general).place, limit=9, since=0, until=float("inf"))

    assert [one.text for one in told.messages] == ["hello"]


async def test_a_channel_that_jay_is_not_in_has_no_range(surface, world):
    outside = world.channel_named("outside").id

    with pytest.raises((MayNotWrite, MessageGone)):
        await surface.read_range(target(outside).place, limit=9, since=0, until=float("inf"))


async def test_a_persons_time_zone_is_that_of_their_profile(surface, maya):
    assert await surface.zone(maya.id) == "Europe/Lisbon"


async def test_a_stop_button_stands_below_a_reply_until_it_is_finished(surface, world, general):
    where = target(general, stop=True)
    ts = await surface.post(where, "_Reading & so on…_", nonce="r1.0", last=False)
    first = world.get(general, ts).extra["blocks"]
    await surface.edit(where, ts, "_More…_", shown="_Reading & so on…_", last=False)
    second = world.get(general, ts).extra["blocks"]
    await surface.edit(where, ts, "Done.", shown="_More…_", last=True)

    assert [one["type"] for one in first] == ["section", "actions"]
    assert second[0]["text"]["text"] == "_More…_"
    assert world.get(general, ts).text == "Done."
    assert not world.get(general, ts).extra["blocks"]


async def test_a_last_word_that_stands_there_already_still_takes_the_button_away(
    surface, world, general
):
    where = target(general, stop=True)
    ts = await surface.post(where, "Done.", nonce="r1.0", last=False)
    await surface.edit(where, ts, "Done.", shown="Done.", last=True)

    assert not world.get(general, ts).extra["blocks"]


async def test_a_long_text_stands_in_several_sections_above_its_button(surface, world, general):
    long = "\n".join(f"{at} " + "x" * 90 for at in range(37))
    ts = await surface.post(target(general, stop=True), long, nonce="r1.0", last=False)

    *sections, actions = world.get(general, ts).extra["blocks"]
    assert "".join(one["text"]["text"] for one in sections) == long
    assert actions["type"] == "actions"


async def test_a_private_answer_is_seen_by_one_person_with_stop_and_then_share(
    edge, surface, side, world, general, maya
):
    """A summary of a whole channel is nobody else's business until it is shared."""
    url = (await side.run_command(maya.id, general, "summarize"))["response_url"]
    where = target(general, stop=True, private=True, share=True, person=maya.id, handle=url)
    ts = await surface.post(where, "_Reading…_", nonce="r1.0", last=False)
    await surface.edit(where, ts, "_More…_", shown="_Reading…_", last=False)
    await surface.edit(where, ts, "Done.", shown="_More…_", last=True)

    first, last = [one for one in world.messages(general) if one.author == world.bot_id]
    assert {first.ephemeral_to, last.ephemeral_to} == {maya.id}
    buttons = [one.extra["blocks"][-1]["elements"][0] for one in (first, last)]
    assert [one["text"]["text"] for one in buttons] == ["Stop", "Share"]
    assert [one["value"] for one in buttons] == [ts, ts]
    assert last.extra["blocks"][0]["text"]["text"] == "Done."


async def test_a_channel_is_found_by_name_and_id_for_who_is_in_it(surface, world, general, maya):
    near = target(general).place
    releases = world.channel_named("releases").id

    for name in ("releases", releases):
        found = await surface.find_channel(near, name, person=maya.id)
        assert (found.channel, found.workspace) == (releases, near.workspace)


async def test_a_channel_that_the_person_or_jay_is_not_in_is_none(surface, world, general, maya):
    """Its very name may be a secret."""
    near = target(general).place
    tom = world.member_named("tom").id
    jay_only = world.add_channel("board", members=(world.bot_id, tom), private=True)

    for name in ("outside", "nowhere", "board", jay_only.id):
        assert await surface.find_channel(near, name, person=maya.id) is None


async def test_a_why_button_stands_below_a_reply_from_the_start(surface, world, general):
    """So it costs no write, not even where the last words stood there before the end."""
    where = target(general, why=True)
    ts = await surface.post(where, "*One* & two", nonce="r1.0", last=False)
    await surface.edit(where, ts, "*One* & two", shown="*One* & two", last=True)

    section, actions = world.get(general, ts).extra["blocks"]
    assert (section["text"]["text"], section["expand"]) == ("*One* & two", True)
    assert [one["text"]["text"] for one in actions["elements"]] == ["Why?"]
    assert world.get(general, ts).text == "*One* & two"


async def test_the_button_moves_on_with_the_end_of_a_long_reply(surface, world, general):
    where = target(general, why=True)
    ts = await surface.post(where, "One", nonce="r1.0", last=False)
    await surface.edit(replace(where, why=False), ts, "One two", shown="One", last=True)

    assert world.get(general, ts).extra["blocks"] == []
    assert world.get(general, ts).text == "One two"


async def test_stop_comes_before_why(surface, world, general):
    where = target(general, why=True, stop=True)
    ts = await surface.post(where, "_Reading…_", nonce="r1.0", last=False)
    begun = world.get(general, ts).extra["blocks"][-1]
    await surface.edit(where, ts, "Done.", shown="_Reading…_", last=True)
    done = world.get(general, ts).extra["blocks"][-1]

    labels = [[one["text"]["text"] for one in row["elements"]] for row in (begun, done)]
    assert labels == [["Stop"], ["Why?"]]


async def test_what_only_one_person_sees_has_the_button_beside_share(
    edge, surface, side, world, general, maya
):
    url = (await side.run_command(maya.id, general, "summarize"))["response_url"]
    where = target(general, private=True, share=True, why=True, person=maya.id, handle=url)
    ts = await surface.post(where, "Done.", nonce="r1.0", last=True)

    (shown,) = [one for one in world.messages(general) if one.ephemeral_to == maya.id]
    buttons = shown.extra["blocks"][-1]["elements"]
    assert [(one["text"]["text"], one["value"]) for one in buttons] == [("Share", ts), ("Why?", ts)]


async def test_an_answer_to_a_press_in_a_thread_stands_there(surface, side, world, general, maya):
    root = world.say(general, maya.id, "hello")
    url = side.response_urls.make(general, maya.id)
    where = target(general, private=True, person=maya.id, handle=url, thread=root.id)
    await surface.post(where, "Because.", nonce="r1.0", last=True)

    (shown,) = [one for one in world.messages(general) if one.ephemeral_to == maya.id]
    assert (shown.text, shown.thread) == ("Because.", root.id)


async def test_code_that_goes_on_in_the_next_section_is_code_there_too(surface, world, general):
    code = "```\n" + "\n".join("x" * 90 for _ in range(38)) + "\n```"
    ts = await surface.post(target(general, why=True), code, nonce="r1.0", last=True)

    *sections, _ = world.get(general, ts).extra["blocks"]
    texts = [one["text"]["text"] for one in sections]
    assert len(texts) == 2
    assert all(one.startswith("```\n") and one.rstrip().endswith("\n```") for one in texts)


async def test_nobody_else_sees_that_jay_answers_one_person_alone(
    surface, side, world, general, maya
):
    """The line would stay: what is answered aside does not end it."""
    root = world.say(general, maya.id, "hello")
    url = side.response_urls.make(general, maya.id)
    where = target(general, private=True, person=maya.id, handle=url, thread=root.id)

    assert not await surface.show_working(where, "Thinking…")
    assert await surface.show_working(replace(where, private=False, handle=""), "Thinking…")
