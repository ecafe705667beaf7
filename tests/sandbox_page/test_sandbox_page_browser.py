"""The page as a person uses it, in Chromium. The bot is the world's bot, spoken for by the test."""

import re

import pytest
from playwright.async_api import Locator, Page, expect

from adapters.sandbox.server import Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

BOTH = pytest.mark.parametrize("platform", ["slack", "discord"])


def world_of(sandbox: Sandbox, platform: str):
    return sandbox.slack_world if platform == "slack" else sandbox.discord_world


def general(sandbox: Sandbox, platform: str) -> str:
    return world_of(sandbox, platform).channel_named("general").id


def pane(page: Page, platform: str) -> Locator:
    return page.locator(f"#pane-{platform}")


def box(page: Page, platform: str) -> Locator:
    return pane(page, platform).locator(".main > .composer textarea")


def newest(page: Page, platform: str) -> Locator:
    return pane(page, platform).locator(".messages > .message").last


async def bot_says(sandbox: Sandbox, platform: str, text: str, **more):
    world = world_of(sandbox, platform)
    return world.say(general(sandbox, platform), world.bot_id, text, **more)


@BOTH
async def test_what_i_type_is_sent_with_enter_and_shown(page: Page, seeded: Sandbox, platform: str):
    await box(page, platform).fill("Hello from the page")
    await box(page, platform).press("Enter")

    await expect(newest(page, platform)).to_contain_text("Hello from the page")
    await expect(box(page, platform)).to_have_value("")
    said = list(world_of(seeded, platform).messages(general(seeded, platform)))[-1]
    assert said.text == "Hello from the page"


@BOTH
async def test_shift_enter_begins_a_line(page: Page, seeded: Sandbox, platform: str):
    await box(page, platform).fill("one")
    await box(page, platform).press("Shift+Enter")
    await box(page, platform).press_sequentially("two")
    await box(page, platform).press("Enter")

    await expect(newest(page, platform).locator(".body")).to_have_text("onetwo")
    await expect(newest(page, platform).locator(".body br")).to_have_count(1)


@BOTH
async def test_a_mention_is_completed_by_keyboard(page: Page, seeded: Sandbox, platform: str):
    await box(page, platform).press_sequentially("@ja")
    option = pane(page, platform).get_by_role("option", name="Jay")
    await expect(option).to_have_attribute("aria-selected", "true")
    await box(page, platform).press("Tab")
    await box(page, platform).press_sequentially("are you there?")
    await box(page, platform).press("Enter")

    await expect(newest(page, platform).locator(".mention")).to_have_text("@Jay")
    world = world_of(seeded, platform)
    said = list(world.messages(general(seeded, platform)))[-1]
    assert said.text == f"<@{world.bot_id}> are you there?"


@BOTH
async def test_a_reply_grows_is_marked_as_edited_and_vanishes(
    page: Page, seeded: Sandbox, platform: str
):
    """What the demo is about: words that come one after another."""
    world, channel = world_of(seeded, platform), general(seeded, platform)
    said = await bot_says(seeded, platform, "", streaming=True)
    await expect(newest(page, platform)).to_contain_text("Jay is thinking…")

    for text in ("The", "The crane", "The crane view"):
        world.edit(channel, said.id, text, streaming=True, mark_edited=False)
        await expect(newest(page, platform).locator(".body")).to_have_text(text)
    await expect(newest(page, platform).locator(".streaming")).to_have_count(1)

    world.edit(channel, said.id, "The crane view moves to 2.5.")
    await expect(newest(page, platform).locator(".edited")).to_be_visible()
    await expect(newest(page, platform).locator(".streaming")).to_have_count(0)

    world.delete(channel, said.id)
    await expect(pane(page, platform).get_by_text("moves to 2.5.")).to_have_count(0)


@BOTH
async def test_a_finished_reply_is_read_to_those_who_cannot_see_it(
    page: Page, seeded: Sandbox, platform: str
):
    await bot_says(seeded, platform, "All quiet at the quay.")

    await expect(page.locator("#live")).to_have_text("Jay: All quiet at the quay.")


@BOTH
async def test_markup_of_a_stranger_is_only_text(page: Page, seeded: Sandbox, platform: str):
    """A page that runs what a model wrote would be the end of it."""
    evil = (
        "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
        " [click](javascript:document.title='owned') <javascript:alert(1)|click> "
        "**<b onclick=x>bold</b>** `<svg/onload=1>` > <iframe src=//evil.example>"
    )
    await bot_says(seeded, platform, evil)
    await expect(newest(page, platform)).to_contain_text("onerror=")

    inside = newest(page, platform).locator(".body")
    for tag in ("img", "script", "iframe", "b", "a[href^='javascript']"):
        assert await inside.locator(tag).count() == 0
    assert await page.title() == "Jay’s sandbox"


SLACK_MARKUP = (
    "*bold* _it_ ~gone~ `code &lt;b&gt;` <https://example.org|a label> &amp; 2*3*4\n"
    "&gt; quoted\n• one\n• two\n```\nx = *1*\n```"
)
DISCORD_MARKUP = (
    "# Title\n**bold** *it* __under__ ~~gone~~ `code <b>` [a label](https://example.org) 2*3\n"
    "> quoted\n- one\n- two\n||secret||\n-# small\n```py\nx = *1*\n```"
)


@BOTH
async def test_each_platforms_own_markup_is_drawn(page: Page, seeded: Sandbox, platform: str):
    await bot_says(seeded, platform, SLACK_MARKUP if platform == "slack" else DISCORD_MARKUP)
    body = newest(page, platform).locator(".body")

    await expect(body.locator("strong")).to_have_text("bold")
    await expect(body.locator("em")).to_have_text("it")
    await expect(body.locator("s")).to_have_text("gone")
    await expect(body.locator(":not(pre) > code")).to_have_text("code <b>")
    await expect(body.locator("a.link")).to_have_attribute("href", "https://example.org")
    await expect(body.locator("blockquote")).to_have_text("quoted")
    await expect(body.locator("li")).to_have_text([re.compile("one"), re.compile("two")])
    await expect(body.locator("pre code")).to_have_text("x = *1*")
    if platform == "discord":
        await expect(body.locator(".h1")).to_have_text("Title")
        await expect(body.locator("u")).to_have_text("under")
        await expect(body.locator(".spoiler > span")).to_have_css("visibility", "hidden")
        await body.locator(".spoiler").click()
        await expect(body.locator(".spoiler > span")).to_have_css("visibility", "visible")
    else:
        await expect(body.locator("p").first).to_contain_text("& 2*3*4")


async def test_slack_threads_open_in_place_when_the_bot_answers(page: Page, seeded: Sandbox):
    world, channel = seeded.slack_world, general(seeded, "slack")
    await box(page, "slack").fill("@Jay when do we move?")
    await box(page, "slack").press("Enter")
    await expect(newest(page, "slack")).to_contain_text("when do we move?")
    root = list(world.messages(channel))[-1]

    world.set_status(channel, world.bot_id, "is thinking…", thread=root.id)
    await expect(newest(page, "slack").locator(".working")).to_contain_text("Jay is thinking…")
    said = await bot_says(seeded, "slack", "On the ", thread=root.id, streaming=True)
    await expect(newest(page, "slack").locator(".replies")).to_contain_text("On the")
    await expect(newest(page, "slack").locator(".thread-line")).to_contain_text("1 reply")
    await newest(page, "slack").get_by_role("button", name="Stop").click()
    world.edit(channel, said.id, "On the third.", mark_edited=False)
    await expect(newest(page, "slack").locator(".working")).to_be_empty()

    answer = newest(page, "slack").get_by_role("combobox")
    await answer.fill("Thanks!")
    await answer.press("Enter")

    await expect(newest(page, "slack").locator(".replies")).to_contain_text("Thanks!")
    assert said.extra["stopped_by_user"] is True
    assert [one.text for one in world.replies(channel, root.id)] == ["On the third.", "Thanks!"]


async def test_discord_answers_quote_and_threads_open(page: Page, seeded: Sandbox):
    world, channel = seeded.discord_world, general(seeded, "discord")
    asked = world.say(channel, world.member_named("oskar").id, "Who brings the ladder?")
    await expect(newest(page, "discord")).to_contain_text(asked.text)
    await newest(page, "discord").hover()
    await newest(page, "discord").get_by_role("button", name="Reply").click()
    await box(page, "discord").fill("I do")
    await box(page, "discord").press("Enter")

    await expect(newest(page, "discord").locator(".quote")).to_contain_text("@Oskar")
    await expect(newest(page, "discord").locator(".quote")).to_contain_text(
        "Who brings the ladder?"
    )
    assert list(world.messages(channel))[-1].reply_to == asked.id

    await expect(newest(page, "discord")).to_contain_text("I do")
    await newest(page, "discord").hover()
    await newest(page, "discord").get_by_role("button", name="Create thread").click()
    await box(page, "discord").fill("Ladders")
    await box(page, "discord").press("Enter")

    await expect(pane(page, "discord").locator("h2")).to_have_text("Ladders")
    await box(page, "discord").fill("The long one?")
    await box(page, "discord").press("Enter")
    await expect(newest(page, "discord")).to_contain_text("The long one?")
    await pane(page, "discord").get_by_role("button", name="#general").click()
    await expect(newest(page, "discord").locator(".thread-card")).to_contain_text("Ladders")


@BOTH
async def test_i_talk_with_the_bot_alone(page: Page, seeded: Sandbox, platform: str):
    entry = pane(page, platform).get_by_role("navigation").get_by_role("button", name="Jay")
    await entry.click()
    await expect(pane(page, platform).locator("h2")).to_have_text("Jay")
    await box(page, platform).fill("Just us")
    await box(page, platform).press("Enter")

    await expect(newest(page, platform)).to_contain_text("Just us")
    await expect(entry).to_have_attribute("aria-current", "page")


@BOTH
async def test_i_can_be_somebody_else(page: Page, seeded: Sandbox, platform: str):
    """Permissions and private talk are seen only by being two people."""
    world = world_of(seeded, platform)
    other = world.member_named("tom" if platform == "slack" else "wren")
    secret = "leadership" if platform == "slack" else "moderators"
    here = pane(page, platform)
    await expect(here.get_by_role("button", name=secret)).to_be_visible()

    await here.get_by_role("combobox", name=re.compile("You are")).select_option(other.display)
    await expect(here.get_by_role("button", name=secret)).to_have_count(0)
    await box(page, platform).fill("It is me")
    await box(page, platform).press("Enter")

    await expect(newest(page, platform).locator(".name")).to_have_text(other.display)


@BOTH
async def test_only_the_one_who_asked_sees_an_ephemeral_answer(
    page: Page, seeded: Sandbox, platform: str
):
    world = world_of(seeded, platform)
    me, other = ("maya", "tom") if platform == "slack" else ("fern", "wren")
    await bot_says(seeded, platform, "Psst", ephemeral_to=world.member_named(me).id)
    await bot_says(seeded, platform, "For others", ephemeral_to=world.member_named(other).id)

    await expect(newest(page, platform)).to_contain_text("Only visible to you")
    await expect(pane(page, platform).get_by_text("For others")).to_have_count(0)
    await newest(page, platform).get_by_role("button", name="Dismiss message").click()
    await expect(pane(page, platform).get_by_text("Psst")).to_have_count(0)


async def test_slash_commands_are_offered_and_their_failure_is_told(page: Page, seeded: Sandbox):
    await box(page, "slack").press_sequentially("/")
    options = pane(page, "slack").locator(".offer")
    await expect(options).to_have_text([re.compile("/summarize"), re.compile("/answer")])
    await box(page, "slack").press("ArrowDown")
    await box(page, "slack").press("Enter")
    await expect(box(page, "slack")).to_have_value("/answer ")
    await expect(pane(page, "slack").locator(".main > .composer .hint")).to_contain_text(
        "[question]"
    )
    await box(page, "slack").press_sequentially("why?")
    await box(page, "slack").press("Enter")

    await expect(newest(page, "slack")).to_contain_text("/answer failed with the error")
    await expect(newest(page, "slack")).to_contain_text("Only visible to you")


async def test_discord_knows_only_registered_commands_and_says_when_none_answers(
    page: Page, seeded: Sandbox
):
    await box(page, "discord").fill("/nothing here")
    await box(page, "discord").press("Enter")
    await expect(pane(page, "discord").locator(".main > .composer .error")).to_contain_text(
        "no command"
    )
    await expect(box(page, "discord")).to_have_value("/nothing here")

    bot = {"Authorization": f"Bot {seeded.discord.bot_token}"}
    address = f"{seeded.discord.api_url}/applications/{seeded.discord.application_id}/commands"
    command = {"name": "summarize", "description": "Sum up", "type": 1}
    made = await page.context.request.post(address, headers=bot, data=command)
    assert made.status == 201
    await page.reload()
    await box(page, "discord").press_sequentially("/su")
    await expect(pane(page, "discord").locator(".offer")).to_have_text(re.compile("/summarize"))
    await box(page, "discord").press("Tab")
    await box(page, "discord").press("Enter")

    await expect(newest(page, "discord")).to_contain_text("The application did not respond")


async def register_menus(page: Page, sandbox: Sandbox, *names: str) -> None:
    """Have the bot register message commands, as Jay does at Discord."""
    bot = {"Authorization": f"Bot {sandbox.discord.bot_token}"}
    address = f"{sandbox.discord.api_url}/applications/{sandbox.discord.application_id}/commands"
    for name in names:
        made = await page.context.request.post(address, headers=bot, data={"name": name, "type": 3})
        assert made.status == 201


@BOTH
async def test_a_messages_menu_offers_the_apps_shortcuts_and_uses_one(
    page: Page, seeded: Sandbox, platform: str
):
    """Nobody could try "Summarize from here" in the demo otherwise."""
    await register_menus(page, seeded, "Summarize from here", "Explain this")
    said = await bot_says(seeded, platform, "The quay is closed.")
    message = newest(page, platform)
    await expect(message).to_contain_text("The quay is closed.")
    await message.hover()
    await message.get_by_role("button", name="More actions").click()
    entries = message.get_by_role("menu", name="Shortcuts").get_by_role("menuitem")
    await expect(entries).to_have_text(["Summarize from here", "Explain this"])
    await entries.last.click()

    await expect(message.get_by_role("menu")).to_have_count(0)
    if platform == "slack":
        await expect(pane(page, "slack").locator(".toast")).to_have_text(
            "Explain this failed with the error “dispatch_failed”"
        )
        return
    answer = newest(page, "discord")
    await expect(answer).to_contain_text("The application did not respond")
    await expect(answer.locator(".quote")).to_contain_text("used Explain this")
    told = list(seeded.discord_world.messages(said.channel))[-1]
    assert told.interaction["target_message_id"] == said.id


async def test_a_messages_menu_is_used_by_keyboard(page: Page, seeded: Sandbox):
    said = await bot_says(seeded, "slack", "The quay is closed.")
    message = newest(page, "slack")
    await expect(message).to_contain_text("The quay is closed.")
    await message.focus()
    opener = message.get_by_role("button", name="More actions")
    await opener.focus()
    await page.keyboard.press("Enter")
    entries = message.get_by_role("menuitem")
    await expect(entries.first).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await expect(entries.last).to_be_focused()

    seeded.slack_world.edit(said.channel, said.id, "The quay is open.")
    await expect(message).to_contain_text("The quay is open.")
    await page.keyboard.press("Escape")
    await expect(message.get_by_role("menu")).to_have_count(0)
    await expect(opener).to_be_focused()

    await page.keyboard.press("Enter")
    await expect(entries.first).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(pane(page, "slack").locator(".toast")).to_contain_text(
        "Summarize from here failed"
    )


async def test_an_app_without_shortcuts_says_so_in_the_menu(page: Page, seeded: Sandbox):
    await bot_says(seeded, "discord", "The quay is closed.")
    message = newest(page, "discord")
    await expect(message).to_contain_text("The quay is closed.")
    await message.hover()
    await message.get_by_role("button", name="More actions").click()

    await expect(message.get_by_role("menu")).to_have_text("The app offers no shortcuts here.")


@BOTH
async def test_i_edit_and_delete_what_i_wrote(page: Page, seeded: Sandbox, platform: str):
    await box(page, platform).fill("@Jay helo")
    await box(page, platform).press("Enter")
    await expect(newest(page, platform)).to_contain_text("helo")
    await box(page, platform).press("ArrowUp")
    await expect(box(page, platform)).to_have_value("@Jay helo")
    await box(page, platform).fill("@Jay hello")
    await box(page, platform).press("Enter")
    await expect(newest(page, platform)).to_contain_text("@Jay hello (edited)")

    await newest(page, platform).hover()
    await newest(page, platform).get_by_role("button", name="Delete").click()

    messages = pane(page, platform).locator(".message", has_text="@Jay hello")
    await expect(messages).to_have_count(0)


@BOTH
async def test_reactions_are_counted_and_mine_can_be_taken_back(
    page: Page, seeded: Sandbox, platform: str
):
    await bot_says(seeded, platform, "Shall we?")
    await expect(newest(page, platform)).to_contain_text("Shall we?")
    await newest(page, platform).hover()
    await newest(page, platform).get_by_role("button", name="React with heart").click()
    mine = newest(page, platform).locator(".reaction")
    await expect(mine).to_have_attribute("aria-pressed", "true")

    await mine.click()

    await expect(mine).to_have_count(0)


@BOTH
async def test_a_link_leads_to_its_message_and_lights_it_up(
    page: Page, seeded: Sandbox, platform: str
):
    """Summaries and answers cite by link: it must lead there, however old the message is."""
    world, channel = world_of(seeded, platform), general(seeded, platform)
    old = next(one for one in world.messages(channel) if one.thread is None and not one.reply_to)
    for number in range(300):
        world.say(channel, world.bot_id, f"filler {number}")
    link = f"https://discord.com/channels/{world.home_id}/{channel}/{old.id}"
    if platform == "slack":
        link = f"<{seeded.url}/archives/{channel}/p{old.id.replace('.', '')}|the message>"
    await bot_says(seeded, platform, f"See {link}")
    await expect(newest(page, platform)).to_contain_text("See")

    await newest(page, platform).locator("a.own").click()

    lit = pane(page, platform).locator(".message.lit")
    await expect(lit).to_have_attribute("data-id", old.id)
    await expect(lit).to_be_in_viewport()
    assert page.url.endswith(f"#{platform}/{channel}/{old.id}")
    await pane(page, platform).get_by_role("button", name="Newest messages").click()
    await expect(newest(page, platform)).to_contain_text("See")


async def test_a_permalink_in_the_address_bar_opens_the_thread_of_a_reply(
    page: Page, seeded: Sandbox
):
    world, channel = seeded.slack_world, general(seeded, "slack")
    reply = next(one for one in world.messages(channel) if one.thread)

    await page.goto(f"{seeded.url}/archives/{channel}/p{reply.id.replace('.', '')}")

    lit = pane(page, "slack").locator(".message.lit")
    await expect(lit).to_have_attribute("data-id", reply.id)
    await expect(lit).to_be_in_viewport()


@BOTH
async def test_unread_channels_are_marked_until_they_are_opened(
    page: Page, seeded: Sandbox, platform: str
):
    world = world_of(seeded, platform)
    me = world.member_named("maya" if platform == "slack" else "fern").id
    world.say(world.channel_named("releases").id, world.bot_id, f"<@{me}> look")
    entry = pane(page, platform).get_by_role("navigation").get_by_role("button", name="releases")
    await expect(entry).to_have_class(re.compile("unread"))
    await expect(entry.locator(".badge")).to_have_text("1")

    await entry.click()

    await expect(entry).not_to_have_class(re.compile("unread"))
    await expect(newest(page, platform)).to_have_class(re.compile("mentions-me"))


async def test_of_five_thousand_messages_the_newest_are_there_and_the_rest_loads_as_one_scrolls(
    page: Page, seeded: Sandbox
):
    world = seeded.slack_world
    long = world.add_channel("long", members=list(world.members))
    for number in range(5_000):
        world.say(long.id, world.bot_id, f"line {number}", at=1_700_000_000.0 + 60 * number)
    entry = pane(page, "slack").get_by_role("navigation").get_by_role("button", name="long")
    await entry.wait_for()

    await entry.click()
    messages = pane(page, "slack").locator(".messages > .message")
    await expect(messages.last).to_contain_text("line 4999")
    assert await messages.count() == 100
    scroll = pane(page, "slack").locator(".scroll")
    top = messages.first
    await expect(top).to_contain_text("line 4900")
    anchor = pane(page, "slack").locator(".message", has_text="line 4900")
    await scroll.evaluate("(node) => { node.scrollTop = 0; }")

    await expect(messages).to_have_count(200)
    await expect(anchor).to_be_in_viewport()


async def test_the_first_look_says_what_to_try(page: Page, seeded: Sandbox):
    hint = pane(page, "slack").get_by_role("group", name="Things to try")
    await hint.get_by_role("button", name="/summarize today").click()
    await expect(box(page, "slack")).to_have_value("/summarize today")
    await expect(box(page, "slack")).to_be_focused()

    await hint.get_by_role("button", name="Hide these hints").click()
    await page.reload()

    await expect(pane(page, "slack").locator(".message").first).to_be_visible()
    await expect(hint).to_have_count(0)


async def test_things_go_wrong_at_the_push_of_a_switch(page: Page, seeded: Sandbox):
    await page.get_by_role("button", name="What goes wrong").click()
    switch = page.get_by_role("switch", name="Token revoked, Slack")
    await switch.click()
    await expect(switch).to_have_attribute("aria-checked", "true")
    assert seeded.faults.is_on("slack", "token_revoked")
    await expect(page.locator("#wrong .badge")).to_have_text("1")

    await switch.press("Space")
    await expect(switch).to_have_attribute("aria-checked", "false")
    await switch.press("Escape")

    await expect(page.get_by_role("complementary", name="What goes wrong")).to_be_hidden()
    assert not seeded.faults.is_on("slack", "token_revoked")


async def test_everything_can_be_done_by_keyboard(page: Page, seeded: Sandbox):
    await page.keyboard.press("F6")
    await expect(box(page, "slack")).to_be_focused()
    await page.keyboard.type("by hand")
    await page.keyboard.press("Enter")
    await expect(newest(page, "slack")).to_contain_text("by hand")

    await pane(page, "slack").locator(".scroll").focus()
    await page.keyboard.press("ArrowUp")
    await expect(newest(page, "slack")).to_be_focused()
    tools = newest(page, "slack").get_by_role("toolbar")
    await expect(tools).to_be_visible()
    for _ in range(4):
        await page.keyboard.press("Tab")
    await expect(tools.get_by_role("button", name="Reply in thread")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.type("and in the thread")
    await page.keyboard.press("Enter")
    await expect(newest(page, "slack").locator(".replies")).to_contain_text("and in the thread")

    await page.keyboard.press("F6")
    await expect(box(page, "discord")).to_be_focused()


async def test_a_lost_line_comes_back_with_what_was_missed(page: Page, seeded: Sandbox):
    for client in list(seeded.page._feed._pages):
        await client.socket.close()
    await bot_says(seeded, "slack", "You were away")

    await expect(newest(page, "slack")).to_contain_text("You were away")
    await expect(page.locator("#line")).to_have_text("live")


async def test_a_narrow_window_shows_one_platform_with_a_switch(page: Page, seeded: Sandbox):
    await page.set_viewport_size({"width": 480, "height": 800})
    await expect(pane(page, "slack")).to_be_visible()
    await expect(pane(page, "discord")).to_be_hidden()

    await page.get_by_role("button", name="Discord", exact=True).click()
    await expect(pane(page, "discord")).to_be_visible()
    await pane(page, "discord").get_by_role("button", name="Channels").click()
    await pane(page, "discord").get_by_role("button", name="help", exact=True).click()

    await expect(pane(page, "discord").locator("h2")).to_have_text("help")
    overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_is_readable_by_day_and_by_night(page: Page, seeded: Sandbox, scheme: str):
    """4.5 to 1 is what WCAG asks for text."""
    await page.emulate_media(color_scheme=scheme)
    measured = await page.evaluate(CONTRASTS)

    assert len(measured) > 12
    assert {one["what"]: one["ratio"] for one in measured if one["ratio"] < 4.5} == {}


CONTRASTS = """() => {
  const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgb = (color) => {
    paint.clearRect(0, 0, 1, 1); paint.fillStyle = color; paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((one) => one / 255)
    .map((one) => one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
    .reduce((sum, one, place) => sum + one * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = rgb(getComputedStyle(at).backgroundColor);
      if (color[3] > 250) return color;
    }
    return [255, 255, 255, 255];
  };
  const wanted = ['.place:not([aria-current]) .label', '[aria-current] .label', '.home-name b',
    '.message .name', '.message .head time', '.body p', '.topic', '.mention', '.side h3'];
  return ['slack', 'discord'].flatMap((platform) => wanted.flatMap((what) => {
    const node = document.querySelector(`#pane-${platform} ${what}`);
    if (!node) return [];
    const [a, b] = [light(rgb(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x);
    return [{ what: `${platform} ${what}`, ratio: Math.round((a + 0.05) / (b + 0.05) * 10) / 10 }];
  }));
}"""
