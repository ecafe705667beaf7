"""The REST API with the real discord.py: what may be said, and how it is refused."""

import asyncio
import io

import aiohttp
import discord
import pytest

from adapters.sandbox.discord.limits import NONCE_KEPT_S


async def refused(doing) -> discord.HTTPException:
    with pytest.raises(discord.HTTPException) as caught:
        await doing
    return caught.value


@pytest.fixture
def rules(bot, world):
    return bot.get_channel(int(world.channel_named("rules").id))


async def test_a_message_is_sent_edited_and_deleted(bot, channel, world, general):
    sent = await channel.send("hello")
    assert (await bot.next()).content == "hello"
    await sent.edit(content="hello again")
    edited = world.get(general, str(sent.id))
    await sent.delete()

    assert edited.text == "hello again"
    assert edited.edited_at is not None
    assert (await bot.next("message_edit")).content == "hello again"
    assert world.get(general, str(sent.id)).deleted
    error = await refused(sent.edit(content="too late"))
    assert (error.status, error.code) == (404, 10008)


async def test_a_reply_shows_what_it_answers(side, channel, maya, general, world):
    said = side.say_as(maya, general, "a question")
    question = await channel.fetch_message(int(said.id))

    answer = await question.reply("an answer", mention_author=True)

    assert answer.reference.message_id == question.id
    assert world.get(general, str(answer.id)).reply_to == said.id
    assert side.pings(world.get(general, str(answer.id))) == [maya]


async def test_a_reply_to_what_is_gone_is_refused_unless_told_otherwise(side, channel, maya):
    said = side.say_as(maya, str(channel.id), "a question")
    question = await channel.fetch_message(int(said.id))
    side.world.delete(str(channel.id), said.id)

    error = await refused(question.reply("an answer"))
    loose = discord.MessageReference.from_message(question, fail_if_not_exists=False)
    sent = await channel.send("an answer", reference=loose)

    assert (error.status, error.code) == (400, 50035)
    assert sent.reference is None


async def test_the_same_nonce_never_posts_twice(channel, world, general, clock):
    """A retry after a lost answer must not show the reply a second time."""
    first = await channel.send("once", nonce="abc")
    again = await channel.send("once more", nonce="abc")
    clock.ahead_s += NONCE_KEPT_S + 1
    later = await channel.send("much later", nonce="abc")

    assert first.id == again.id != later.id
    assert [one.text for one in world.messages(general)] == ["once", "much later"]


async def test_a_long_nonce_is_refused(channel):
    assert (await refused(channel.send("once", nonce="x" * 26))).code == 50035


@pytest.mark.parametrize("text", ["x" * 2_001, "🍎" * 2_001])
async def test_more_than_2000_characters_are_refused(channel, text):
    error = await refused(channel.send(text))

    assert (error.status, error.code) == (400, 50035)
    assert "In content: Must be 2000 or fewer in length." in error.text


async def test_2000_characters_are_sent(channel):
    assert len((await channel.send("🍎" * 2_000)).content) == 2_000


async def test_white_space_around_a_message_is_trimmed(channel, world, general):
    """Who compares what was sent with what is shown must know it."""
    sent = await channel.send("\n  two\n  lines \n")
    await sent.edit(content=" three ")

    assert sent.content == "two\n  lines"
    assert world.get(general, str(sent.id)).text == "three"


async def test_an_empty_message_is_refused(channel):
    assert (await refused(channel.send(" \n"))).code == 50006


async def test_a_long_embed_is_refused(channel):
    assert (await refused(channel.send(embed=discord.Embed(description="x" * 4_097)))).code == 50035
    many = [discord.Embed(description="x" * 3_001) for _ in range(2)]
    assert (await refused(channel.send(embeds=many))).code == 50035


async def test_a_file_hangs_on_the_message(channel, world, general):
    sent = await channel.send("see", file=discord.File(io.BytesIO(b"pits"), "pits.txt"))

    assert [(one.filename, one.size) for one in sent.attachments] == [("pits.txt", 4)]
    assert world.get(general, str(sent.id)).files[0].name == "pits.txt"


async def test_a_read_only_channel_takes_no_message(rules):
    error = await refused(rules.send("hello"))

    assert isinstance(error, discord.Forbidden)
    assert error.code == 50013


@pytest.mark.parametrize("name", ["outside", "keepers"])
async def test_a_hidden_channel_is_not_accessible(bot, world, name):
    hidden = bot.get_channel(int(world.channel_named(name).id))

    assert (await refused(hidden.send("hello"))).code == 50001
    assert (await refused(anext(hidden.history()))).code == 50001


async def test_the_message_of_another_can_neither_be_edited_nor_deleted(side, channel, maya):
    said = side.say_as(maya, str(channel.id), "mine")
    theirs = await channel.fetch_message(int(said.id))

    assert (await refused(theirs.edit(content="ours"))).code == 50005
    assert (await refused(theirs.delete())).code == 50013


async def test_what_there_is_not_is_unknown(bot, channel):
    assert (await refused(channel.fetch_message(1))).code == 10008
    assert (await refused(bot.fetch_channel(1))).code == 10003
    assert (await refused(bot.fetch_user(1))).code == 10013
    assert (await refused(bot.fetch_guild(1))).code == 10004


async def test_mentions_ring_only_for_whom_they_may(side, bot, channel, maya, world, general):
    """Without `allowed_mentions` Discord rings for everybody that the text names."""
    text = f"@everyone <@{maya}>"
    only = discord.AllowedMentions(everyone=False, users=[discord.Object(int(maya))])

    silent = await channel.send(text)
    one = await channel.send(text, allowed_mentions=only)
    async with aiohttp.ClientSession() as session:
        url = f"{side.api_url}/channels/{general}/messages"
        headers = {"Authorization": f"Bot {side.bot_token}"}
        async with session.post(url, json={"content": text}, headers=headers) as response:
            careless = (await response.json())["id"]

    rung = [side.pings(world.get(general, str(of))) for of in (silent.id, one.id, careless)]
    assert rung == [[], [maya], ["everyone", maya]]


async def test_history_is_read_page_by_page(side, channel, maya, general):
    """Reading back after a gap must neither miss nor repeat a message."""
    ids = [int(side.say_as(maya, general, f"{number}").id) for number in range(250)]

    newest_first = [one.id async for one in channel.history(limit=None)]
    after = [one.id async for one in channel.history(limit=None, after=discord.Object(ids[99]))]
    before = [one.id async for one in channel.history(limit=7, before=discord.Object(ids[50]))]
    around = [one.id async for one in channel.history(limit=5, around=discord.Object(ids[50]))]

    assert newest_first == ids[::-1]
    assert after == ids[100:]
    assert before == ids[49:42:-1]
    assert sorted(around) == ids[48:53]


async def test_typing_is_shown(bot, channel, world):
    shown = []
    world.listen(lambda event: shown.append(event.kind))

    await channel.typing()

    assert shown == ["typing"]
    assert (await bot.next("typing")).id == channel.id


async def test_a_reaction_is_added_and_taken_back(bot, side, channel, maya, world, general):
    said = side.say_as(maya, general, "apples!")
    message = await bot.next()

    await message.add_reaction("🍎")
    added = {emoji: [*who] for emoji, who in world.get(general, said.id).reactions.items()}
    await message.remove_reaction("🍎", bot.user)

    assert added == {"🍎": [world.bot_id]}
    assert world.get(general, said.id).reactions == {}
    assert (await refused(message.add_reaction("no emoji"))).code == 10014


async def test_a_thread_is_opened_on_a_message_and_written_in(bot, side, maya, general, world):
    said = side.say_as(maya, general, "apples?")
    message = await bot.next()

    thread = await message.create_thread(name="About apples")
    sent = await thread.send("inside")
    read = [one.content async for one in thread.history(oldest_first=True)]

    assert thread.id == message.id
    assert thread.owner_id == bot.user.id
    assert world.get(said.id, str(sent.id)).text == "inside"
    assert read == ["", "inside"]
    assert (await refused(message.create_thread(name="Again"))).code == 160004


async def test_whoever_speaks_in_a_thread_is_in_it(bot, side, maya, general, world):
    thread = await bot.get_channel(int(general)).create_thread(
        name="Pears", type=discord.ChannelType.public_thread
    )

    side.say_as(maya, str(thread.id), "hello")

    assert (await bot.next("thread_member_join")).id == int(maya)
    assert maya in world.channels[str(thread.id)].members


async def test_a_person_is_written_to_directly(bot, world, maya):
    user = await bot.fetch_user(int(maya))

    sent = await user.send("psst")

    direct = world.open_direct(maya, world.bot_id)
    assert sent.channel.id == int(direct.id)
    assert world.get(direct.id, str(sent.id)).text == "psst"


async def test_a_person_may_take_no_direct_messages(bot, faults, maya):
    faults.turn("discord", "closed_dms")
    user = await bot.fetch_user(int(maya))

    assert (await refused(user.send("psst"))).code == 50007


async def test_a_429_is_waited_for(channel, faults, world, general):
    faults.rate_limit("discord", "POST /channels/*/messages", retry_after_s=0.05)
    loop = asyncio.get_running_loop()
    began = loop.time()

    await channel.send("patience")

    assert loop.time() - began >= 0.05
    assert [one.text for one in world.messages(general)] == ["patience"]


async def test_a_lost_answer_is_tried_again_and_the_nonce_keeps_it_single(
    channel, faults, world, general, monkeypatch
):
    """The post was done, but its answer said 502: discord.py posts again by itself."""
    faults.fail("discord", "POST /channels/*/messages", status=502, after=True)
    monkeypatch.setattr(discord.http.asyncio, "sleep", _at_once(asyncio.sleep))

    sent = await channel.send("only once", nonce="n1")

    assert [one.id for one in world.messages(general)] == [str(sent.id)]


def _at_once(sleep):
    async def brief(delay: float, result: object = None) -> object:
        return await sleep(0, result)

    return brief


@pytest.fixture
async def bare(side):
    headers = {"Authorization": f"Bot {side.bot_token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        yield session


async def test_the_sixth_message_in_five_seconds_gets_a_429(side, bare, general, world, clock):
    """The headers tell how long; `Via` tells that it is Discord and no wall before it."""
    url = f"{side.api_url}/channels/{general}/messages"
    for left in (4, 3, 2, 1, 0):
        async with bare.post(url, json={"content": "x"}) as response:
            assert response.status == 200
            assert response.headers["X-RateLimit-Remaining"] == str(left)
    async with bare.post(url, json={"content": "x"}) as response:
        body = await response.json()
        assert response.status == 429
        assert "Via" in response.headers
        assert response.headers["Content-Type"] == "application/json"
    assert 0 < body["retry_after"] <= 5
    assert body["global"] is False
    assert len(list(world.messages(general))) == 5
    clock.ahead_s += body["retry_after"] + 0.001
    async with bare.post(url, json={"content": "x"}) as response:
        assert response.status == 200


async def test_51_calls_in_a_second_hit_the_global_limit(side, bare, clock):
    clock.frozen = clock()
    statuses, user = [], side.world.member_named("maya").id
    for number in range(51):
        # Another bucket each time, so that only the limit over all of them is met.
        path = f"/guilds/{number}" if number % 2 else f"/users/{user}"
        async with bare.get(side.api_url + path) as response:
            statuses.append(response.status)
            told = await response.json()

    assert 429 not in statuses[:50]
    assert statuses[50] == 429
    assert told["global"] is True
    assert response.headers["X-RateLimit-Scope"] == "global"


async def test_an_unknown_path_is_404_and_a_wrong_method_405(side, bare, general):
    for method, path, status in (("GET", "/nothing", 404), ("PUT", f"/channels/{general}", 405)):
        async with bare.request(method, side.api_url + path) as response:
            assert response.status == status
            assert (await response.json())["code"] == 0


async def test_without_a_token_everything_is_401(side, general):
    async with aiohttp.ClientSession() as session:
        for path in ("/users/@me", f"/channels/{general}/messages", "/nothing"):
            async with session.get(side.api_url + path) as response:
                assert response.status == 401
                assert (await response.json()) == {"message": "401: Unauthorized", "code": 0}


async def test_the_gateway_is_told(side, bare):
    async with bare.get(f"{side.api_url}/gateway/bot") as response:
        told = await response.json()

    assert told["url"] == side.gateway_url
    assert told["session_start_limit"]["max_concurrency"] == 1
    assert side.api_url.endswith("/api/v10")
