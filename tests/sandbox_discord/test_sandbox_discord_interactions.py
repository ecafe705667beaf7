"""Commands and buttons with the real discord.py."""

import asyncio

import discord
import pytest
from discord import app_commands
from sandbox_discord_client import until

from adapters.sandbox.discord import Pace
from adapters.sandbox.discord.interactions import NO_RESPONSE


@pytest.fixture
async def registered(bot):
    await bot.tree.sync()
    return bot


async def test_a_command_is_registered_and_listed(registered, side):
    """The page offers what the bot has registered."""
    (command,) = side.commands

    assert (command["name"], command["description"]) == ("summarize", "Sum up what was said")
    assert command["options"][0]["name"] == "range"
    assert [one.name for one in await registered.tree.fetch_commands()] == ["summarize"]


async def test_the_guilds_own_command_wins_and_the_list_is_overwritten(bot, side, maya, general):
    guild = discord.Object(int(side.guild_id))
    bot.tree.copy_global_to(guild=guild)
    await bot.tree.sync(guild=guild)
    there = len(side.commands)
    bot.tree.clear_commands(guild=guild)
    await bot.tree.sync(guild=guild)

    assert (there, side.commands) == (1, [])
    answer = await side.run_command(maya, general, "summarize", "last 30")
    assert answer == {"ok": False, "error": "unknown_command"}


async def test_a_command_is_answered_at_once(registered, side, maya, general, world):
    async def answer(interaction, text):
        await interaction.response.send_message(f"about {text} from {interaction.user.name}")

    registered.answer = answer
    told = await side.run_command(maya, general, "summarize", "last 30")

    shown = world.get(general, told["message"])
    assert (told["ok"], told["ephemeral"]) == (True, False)
    assert shown.text == "about last 30 from maya"
    assert shown.author == world.bot_id
    assert shown.interaction["name"] == "summarize"


async def test_a_deferred_command_is_filled_in_and_followed_up(
    registered, side, maya, general, world
):
    """What takes longer than three seconds is deferred; the first words fill that in."""
    done, thinking = asyncio.Event(), []

    async def answer(interaction, text):
        await interaction.response.defer(thinking=True)
        thinking.append((await registered.next()).content)
        await interaction.edit_original_response(content="first")
        await interaction.edit_original_response(content="first, longer")
        last = await interaction.followup.send("second", wait=True)
        assert (await interaction.original_response()).content == "first, longer"
        assert last.type is discord.MessageType.reply
        done.set()

    registered.answer = answer
    told = await side.run_command(maya, general, "/summarize", "last 30")
    async with asyncio.timeout(5):
        await done.wait()

    shown = [one.text for one in world.messages(general)]
    assert told["ok"]
    assert shown == ["first, longer", "second"]
    assert thinking == [""]
    assert (await registered.next()).content == "second"


async def test_the_first_follow_up_after_a_defer_fills_it_in(
    registered, side, maya, general, world
):
    said = asyncio.Event()

    async def answer(interaction, text):
        await interaction.response.defer()
        await interaction.followup.send("the answer")
        said.set()

    registered.answer = answer
    await side.run_command(maya, general, "summarize")
    async with asyncio.timeout(5):
        await said.wait()

    assert [one.text for one in world.messages(general)] == ["the answer"]


async def test_what_is_ephemeral_only_its_person_sees(registered, side, maya, general, world):
    async def answer(interaction, text):
        await interaction.response.send_message("for you", ephemeral=True)

    registered.answer = answer
    told = await side.run_command(maya, general, "summarize")

    assert told["ephemeral"]
    assert world.get(general, told["message"]).ephemeral_to == maya
    assert world.history(general) == []
    assert [one.text for one in world.history(general, seen_by=maya)] == ["for you"]


async def test_a_second_first_answer_is_refused(registered, side, maya, general):
    codes = []

    async def answer(interaction, text):
        await interaction.response.defer()
        again = discord.webhook.async_.async_context.get()
        try:
            await again.create_interaction_response(
                interaction.id, interaction.token, session=interaction._session,
                params=discord.webhook.async_.interaction_message_response_params(type=4, content="x"),
            )  # fmt: skip
        except discord.HTTPException as error:
            codes.append(error.code)

    registered.answer = answer
    await side.run_command(maya, general, "summarize")
    await until(lambda: codes)

    assert codes == [40060]


async def test_a_token_is_good_for_fifteen_minutes(registered, side, maya, general, clock):
    """A long answer must go on as a plain message of the channel."""
    kept = []

    async def answer(interaction, text):
        await interaction.response.defer()
        kept.append(interaction)

    registered.answer = answer
    await side.run_command(maya, general, "summarize")
    await until(lambda: kept)
    clock.ahead_s += 901

    with pytest.raises(discord.HTTPException) as caught:
        await kept[0].edit_original_response(content="too late")
    assert (caught.value.status, caught.value.code) == (401, 50027)


async def test_2000_characters_are_the_most_for_an_answer_too(registered, side, maya, general):
    codes = []

    async def answer(interaction, text):
        await interaction.response.defer()
        try:
            await interaction.edit_original_response(content="x" * 2_001)
        except discord.HTTPException as error:
            codes.append(error.code)

    registered.answer = answer
    await side.run_command(maya, general, "summarize")
    await until(lambda: codes)

    assert codes == [50035]


@pytest.mark.parametrize("where", ["direct", "thread"])
async def test_a_command_works_in_direct_messages_and_threads(
    registered, side, maya, general, world, where
):
    seen = []

    async def answer(interaction, text):
        seen.append((interaction.guild is None, isinstance(interaction.channel, discord.Thread)))
        await interaction.response.send_message("here")

    registered.answer = answer
    root = side.say_as(maya, general, "apples?")
    thread = side.create_thread_as(maya, general, root.id, "Apples")
    place = world.open_direct(maya, world.bot_id) if where == "direct" else thread
    told = await side.run_command(maya, place.id, "summarize", "last 5")

    assert told["ok"]
    assert world.get(place.id, told["message"]).text == "here"
    assert seen == [(where == "direct", where == "thread")]


async def test_options_by_name_are_checked_as_the_client_checks_them(
    registered, side, maya, general
):
    asked = []

    async def answer(interaction, text):
        asked.append(text)
        await interaction.response.send_message("ok")

    registered.answer = answer
    wrong = await side.run_command(maya, general, "summarize", options={"scope": "x"})
    await side.run_command(maya, general, "summarize", options={"range": "last 7"})

    assert (wrong["ok"], wrong["error"]) == (False, "invalid_options")
    assert asked == ["last 7"]


async def test_a_message_command_carries_its_message(bot, side, maya, general, world):
    async def answer(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"about “{message.content}” of {message.author}")

    bot.tree.add_command(app_commands.ContextMenu(name="Explain this", callback=answer))
    await bot.tree.sync()
    said = side.say_as(maya, general, "grafting")

    told = await side.use_menu(maya, general, said.id, "Explain this")

    answered = await bot.get_channel(int(general)).fetch_message(int(told["message"]))
    assert answered.content == "about “grafting” of maya"
    assert answered.reference.message_id == int(said.id)


async def test_what_a_person_types_is_completed(registered, side, maya, general):
    @registered.tree.get_command("summarize").autocomplete("range")
    async def ranges(
        interaction: discord.Interaction, typed: str
    ) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=f"{typed} 30", value="30")]

    found = await side.suggest(maya, general, "summarize", "range", "last")

    assert [(one["name"], one["value"]) for one in found] == [("last 30", "30")]


async def test_a_button_is_pressed_and_its_message_updated(
    bot, side, channel, maya, world, general
):
    class Row(discord.ui.View):
        @discord.ui.button(label="Stop", custom_id="stop")
        async def stop(self, interaction: discord.Interaction, _: discord.ui.Button) -> None:
            await interaction.response.edit_message(content=f"stopped by {interaction.user.name}")

    sent = await channel.send("working", view=Row())

    told = await side.press_button(maya, general, str(sent.id), "stop")

    assert told["ok"]
    assert world.get(general, str(sent.id)).text == "stopped by maya"


class TestWithoutPatience:
    """Three seconds are hundredths here."""

    @pytest.fixture
    def pace(self) -> Pace:
        return Pace(callback_s=0.02, identifies=50)

    async def test_a_command_that_nobody_answers_did_not_respond(
        self, registered, side, maya, general, world
    ):
        """The person is told after three seconds, and a later answer is refused."""
        late = []

        async def answer(interaction, text):
            await asyncio.sleep(0.05)
            try:
                await interaction.response.send_message("too late")
            except discord.NotFound as error:
                late.append(error.code)

        registered.answer = answer
        told = await side.run_command(maya, general, "summarize")
        await until(lambda: late)

        assert (told["ok"], told["error"]) == (False, "no_response")
        assert late == [10062]
        assert [one.text for one in world.history(general, seen_by=maya)] == [NO_RESPONSE]

    async def test_a_command_while_nobody_listens_did_not_respond(
        self, bot, side, maya, general, world
    ):
        await bot.tree.sync()
        await bot.leave()

        told = await side.run_command(maya, general, "summarize")

        assert told["error"] == "no_response"
        assert [one.text for one in world.history(general, seen_by=maya)] == [NO_RESPONSE]
