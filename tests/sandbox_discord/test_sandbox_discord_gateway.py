"""The gateway with the real discord.py: what a bot hears, and how it comes back."""

import asyncio
import contextlib

import discord
import pytest
from sandbox_discord_client import Bare, Bot, until

from adapters.sandbox import seed


async def test_the_client_becomes_ready_and_knows_the_server(bot, side):
    """Everything else stands on this."""
    guild = bot.get_guild(int(side.guild_id))

    assert bot.user.id == int(side.bot_user_id)
    assert guild.name == "Open Orchard"
    names = {channel.name for channel in guild.text_channels}
    assert names == {"general", "rules", "outside", "keepers"}
    assert {member.name for member in guild.members} == {"jay", "olga", "maya", "tom"}


async def test_a_client_without_the_members_intent_is_ready_as_well(side):
    async with Bot.logged_in(side, discord.Intents.default()) as bot:
        assert bot.get_guild(int(side.guild_id)).member_count == 4


async def test_the_seeded_server_is_understood_whole(side, world):
    """The demo's server is bigger than a test's: weeks of talk, threads, a bot, hidden rooms."""
    world.channels.clear()
    world.members.clear()
    seed.fill_discord(world, now=world.clock())
    side.place.limits.on = False
    async with Bot.logged_in(side) as bot:
        guild = bot.get_guild(int(side.guild_id))
        read = {}
        for channel in [*guild.text_channels, *guild.threads]:
            if channel.permissions_for(guild.me).view_channel:
                read[channel.name] = [one async for one in channel.history(limit=None)]

    assert set(read) >= {"general", "releases"}
    assert {thread.name for thread in guild.threads} <= set(read)
    assert all(read.values())
    for said in read["general"]:
        assert said.author.name
        assert said.content == world.get(str(said.channel.id), str(said.id)).text


async def test_a_message_is_heard(bot, side, maya, general):
    side.say_as(maya, general, "@Jay hello, see #rules")

    message = await bot.next()

    rules = side.world.channel_named("rules").id
    assert message.content == f"<@{side.bot_user_id}> hello, see <#{rules}>"
    assert message.author.display_name == "Maya Lindqvist"
    assert bot.user in message.mentions
    assert not message.mention_everyone


async def test_a_reply_names_what_it_answers_and_rings_its_author(bot, side, maya, general, world):
    """A follow-up to the bot is recognised by this."""
    mine = world.say(general, world.bot_id, "first")
    side.say_as(maya, general, "and then?", reply_to=mine.id)

    await bot.next()
    reply = await bot.next()

    assert reply.type is discord.MessageType.reply
    assert reply.reference.message_id == int(mine.id)
    assert reply.reference.resolved.content == "first"
    assert bot.user in reply.mentions


async def test_an_edit_a_deletion_a_reaction_and_typing_are_heard(bot, side, maya, general, world):
    said = side.say_as(maya, general, "frist")
    side.edit_as(general, said.id, "first")
    world.react(general, said.id, maya, "🍎")
    world.type_in(general, maya)
    world.delete(general, said.id)

    assert (await bot.next("message_edit")).content == "first"
    assert str((await bot.next("reaction_add")).emoji) == "🍎"
    assert (await bot.next("typing")).id == int(general)
    assert (await bot.next("message_delete")).id == int(said.id)


async def test_a_direct_message_is_heard(bot, world, maya):
    direct = world.open_direct(maya, world.bot_id)
    world.say(direct.id, maya, "psst")

    message = await bot.next()

    assert message.guild is None
    assert isinstance(message.channel, discord.DMChannel)
    assert message.author.name == "maya"


async def test_nothing_is_heard_of_what_the_bot_may_not_see(bot, side, maya, general, world):
    """A private room must stay private, and an answer for one person too."""
    for name in ("outside", "keepers"):
        side.say_as(maya, world.channel_named(name).id, "@Jay psst")
    tom = world.member_named("tom").id
    world.say(world.open_direct(maya, tom).id, maya, "between us")
    world.say(general, world.bot_id, "for you", ephemeral_to=maya)
    side.say_as(maya, general, "public")

    assert (await bot.next()).content == "public"


async def test_a_thread_is_heard_with_its_empty_first_message(bot, side, maya, general, world):
    """The first message of type 21 shows the root; it is not something that was said."""
    root = side.say_as(maya, general, "apples?")
    thread = side.create_thread_as(maya, general, root.id, "About apples")
    side.say_as(maya, thread.id, "inside")

    opened = await bot.next("thread_create")
    told = await bot.next()

    assert (opened.name, opened.id, opened.parent_id) == (
        "About apples",
        int(root.id),
        int(general),
    )
    assert opened.owner_id == int(maya)
    assert told.type is discord.MessageType.thread_starter_message
    assert told.content == ""
    assert (await bot.next()).content == "inside"


async def test_without_the_content_intent_only_mentions_and_direct_messages_have_content(
    side, maya, general, world
):
    async with Bot.logged_in(side, discord.Intents.default()) as bot:
        said = side.say_as(maya, general, "among us")
        side.say_as(maya, general, "@Jay hello")
        side.edit_as(general, said.id, "still among us")
        world.say(world.open_direct(maya, world.bot_id).id, maya, "directly")

        told = [(await bot.next()).content for _ in range(3)]

        assert told == ["", f"<@{world.bot_id}> hello", "directly"]


async def test_an_intent_that_was_not_asked_for_brings_nothing(side, maya, general, world):
    intents = discord.Intents.all()
    intents.guild_messages = False
    async with Bot.logged_in(side, intents) as bot:
        side.say_as(maya, general, "in the server")
        world.say(world.open_direct(maya, world.bot_id).id, maya, "directly")

        assert (await bot.next()).content == "directly"


async def test_a_dropped_socket_misses_nothing(bot, side, faults, maya, general):
    """RESUME replays what happened in the gap; whoever asked then must be heard."""
    side.say_as(maya, general, "before")
    assert (await bot.next()).content == "before"

    faults.signal("discord", "drop_sockets")
    side.say_as(maya, general, "in the gap 1")
    side.say_as(maya, general, "in the gap 2")

    assert [(await bot.next()).content for _ in range(2)] == ["in the gap 1", "in the gap 2"]
    await until(lambda: "resumed" in bot.names)
    assert bot.names.count("ready") == 1
    side.say_as(maya, general, "after")
    assert (await bot.next()).content == "after"


async def test_a_client_that_is_asked_to_reconnect_resumes(bot, side, faults, maya, general):
    faults.signal("discord", "disconnect")

    await until(lambda: "resumed" in bot.names)
    side.say_as(maya, general, "after")

    assert (await bot.next()).content == "after"
    assert bot.names.count("ready") == 1


@pytest.mark.parametrize(
    ("signal", "details"), [("invalid_session", {"resumable": True}), ("close", {"code": 4000})]
)
async def test_a_session_that_is_still_good_is_resumed(
    bot, side, faults, maya, general, signal, details
):
    faults.signal("discord", signal, **details)
    side.say_as(maya, general, "meanwhile")

    assert (await bot.next()).content == "meanwhile"
    await until(lambda: "resumed" in bot.names)
    assert bot.names.count("ready") == 1


async def test_a_client_that_ignores_the_request_to_reconnect_is_closed(side, faults):
    async with Bare.connected(side) as client:
        await client.identify(side)
        await client.until_event("GUILD_CREATE")
        faults.signal("discord", "disconnect", after_s=0.01)

        assert (await client.next())["op"] == 7
        assert await client.closed() == 4000


async def test_an_invalid_session_is_begun_anew(bot, side, faults, maya, general):
    """What was said in such a gap is not replayed: it must be read back."""
    faults.signal("discord", "invalid_session")

    await until(lambda: bot.names.count("ready") == 2)
    side.say_as(maya, general, "after")

    assert (await bot.next()).content == "after"
    assert "resumed" not in bot.names


async def test_events_can_come_twice(bot, side, faults, maya, general):
    """Discord promises no exactly-once; a bot that trusts in it answers twice."""
    faults.turn("discord", "duplicate_events")
    said = side.say_as(maya, general, "hello")

    assert [(await bot.next()).id for _ in range(2)] == [int(said.id)] * 2


async def test_a_wrong_token_is_refused_at_login(side):
    bot = Bot(side, None)
    bot.token = "wrong"

    with pytest.raises(discord.LoginFailure):
        await bot.log_in()
    await bot.leave()


@pytest.mark.parametrize("privilege", ["message_content", "guild_members", "presences"])
async def test_an_intent_that_was_not_granted_is_refused(side, faults, privilege):
    faults.turn("discord", f"missing_intent:{privilege}")
    bot = Bot(side, None)

    with pytest.raises(discord.PrivilegedIntentsRequired):
        await bot.log_in()
    await bot.leave()


async def test_a_token_that_is_revoked_ends_the_connection(bot, side, faults, maya, general):
    faults.turn("discord", "token_revoked")
    side.say_as(maya, general, "still there?")

    await asyncio.wait([bot.running], timeout=5)

    assert isinstance(bot.running.exception(), discord.ConnectionClosed)
    assert bot.running.exception().code == 4004


async def test_a_deaf_socket_is_noticed_and_resumed(side, faults, maya, general):
    """A connection that looks alive but carries nothing is given up by the client."""
    async with Bot.logged_in(side, heartbeat_timeout=0.3) as bot:
        faults.turn("discord", "deaf_sockets")
        side.say_as(maya, general, "into the void")
        await until(lambda: "disconnect" in bot.names)
        faults.turn("discord", "deaf_sockets", on=False)

        assert (await bot.next()).content == "into the void"


async def test_two_clients_hear_the_same(side, maya, general):
    """Two processes may be up for a moment while one takes over from the other."""
    async with Bot.logged_in(side) as one, Bot.logged_in(side) as two:
        side.say_as(maya, general, "hello")

        assert (await one.next()).content == (await two.next()).content == "hello"


async def test_closing_the_side_ends_every_connection(bot, side):
    await side.close()

    await until(lambda: side.gateway.count == 0)
    with contextlib.suppress(TimeoutError):
        await bot.leave()
