"""Setting Discord up: the steps, and what the doctor sees."""

from __future__ import annotations

import urllib.parse

import pytest
from discord_listening import ANSWER, SUMMARIZE, Offered

from adapters.discord.checks import check
from adapters.discord.commands import Registered, differ, wanted
from adapters.discord.manifest import describe, invite
from adapters.sandbox.discord import DiscordSide
from adapters.sandbox.faults import Faults
from bot.findings import Finding
from bot.settings import DiscordSettings
from bot.skills import SHORTCUTS


async def findings(settings: DiscordSettings) -> dict[str, Finding]:
    return {one.name: one async for one in check(settings)}


def test_the_steps_name_the_intent_the_commands_and_the_invitation() -> None:
    steps = describe((SUMMARIZE, ANSWER), application_id="42")

    assert "Message Content Intent" in steps
    assert "/summarize" in steps
    assert "/answer" in steps
    assert invite("42") in steps
    assert "DISCORD_BOT_TOKEN" in steps


def test_the_invitation_asks_for_no_more_than_jay_needs() -> None:
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(invite("42")).query)

    view, send, send_in_threads, read, react = 1 << 10, 1 << 11, 1 << 38, 1 << 16, 1 << 6
    assert query["client_id"] == ["42"]
    assert query["scope"] == ["bot applications.commands"]
    assert int(query["permissions"][0]) == view | send | send_in_threads | read | react


def test_commands_differ_by_what_jay_sets_and_by_nothing_else() -> None:
    should_be = wanted((SUMMARIZE, ANSWER))
    as_discord_has_them = [
        Registered.model_validate(
            one.model_dump() | {"id": "1", "version": "2", "name_localizations": None}
        )
        for one in reversed(should_be)
    ]

    assert not differ(as_discord_has_them, should_be)
    assert differ(as_discord_has_them[:1], should_be)
    assert differ(as_discord_has_them, wanted((SUMMARIZE, Offered(name="answer"))))


def test_a_long_description_is_cut_to_what_discord_takes() -> None:
    (command,) = wanted((Offered(name="long", description="x" * 200),))

    assert len(command.description) == 100


async def test_all_is_well(settings: DiscordSettings) -> None:
    found = await findings(settings)

    assert list(found) == ["discord token", "discord message content", "discord gateway"]
    assert all(one.ok for one in found.values())


async def test_a_refused_token_is_found(settings: DiscordSettings, faults: Faults) -> None:
    faults.turn("discord", "token_revoked")
    found = await findings(settings)

    assert not found["discord token"].ok
    assert found["discord token"].hint
    assert found["discord gateway"].ok


async def test_a_missing_intent_is_found(settings: DiscordSettings, faults: Faults) -> None:
    faults.turn("discord", "missing_intent:message_content")
    found = await findings(settings)

    assert not found["discord message content"].ok
    assert "Message Content Intent" in found["discord message content"].hint


@pytest.mark.parametrize("wrong", ["ws://127.0.0.1:9/", "not an address", "http"])
async def test_a_gateway_that_is_not_there_is_found(settings: DiscordSettings, wrong: str) -> None:
    found = await findings(settings.model_copy(update={"gateway_url": wrong}))

    assert not found["discord gateway"].ok


async def test_something_else_at_the_gateways_address_is_found(
    settings: DiscordSettings, side: DiscordSide
) -> None:
    found = await findings(settings.model_copy(update={"gateway_url": f"{side.api_url}/gateway"}))

    assert not found["discord gateway"].ok


async def test_discord_is_off_without_a_token() -> None:
    found = await findings(DiscordSettings())

    assert found["discord"].detail == "off: DISCORD_BOT_TOKEN is not set"


def test_menus_are_registered_beside_the_commands_without_a_description() -> None:
    """Discord refuses a menu's command that has one."""
    menus = wanted((SUMMARIZE,), SHORTCUTS)[:-1]

    assert [(one.name, one.type) for one in menus] == [(one.name, 3) for one in SHORTCUTS]
    assert {one.description for one in menus} == {""}
    assert differ(wanted((SUMMARIZE,)), wanted((SUMMARIZE,), SHORTCUTS))


def test_a_shortcut_is_offered_where_its_command_is() -> None:
    aside = Offered(name="summarize", where=("direct",))
    menus = wanted((aside,), SHORTCUTS)[:-1]

    assert {one.contexts for one in menus} == {(1,)}


def test_the_steps_name_what_stands_in_menus() -> None:
    assert "Summarize from here" in describe((SUMMARIZE,), shortcuts=SHORTCUTS)
