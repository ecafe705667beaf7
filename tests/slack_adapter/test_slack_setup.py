"""The manifest, the doctor's checks, names, errors, and what is asked at the start."""

from __future__ import annotations

import json

import pytest
from fakes.slack import settings_for
from pydantic import SecretStr
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.sandbox.slack.workspace import BOT_SCOPES
from adapters.slack import errors, manifest
from adapters.slack.checks import check
from adapters.slack.install import SCOPES, ask_installation, open_client
from adapters.slack.people import People
from adapters.slack.turns import Turns
from bot.catalogue import Catalogue
from bot.errors import (
    MayNotWrite,
    MessageGone,
    PlatformUnreachable,
    Rejected,
    TokenRefused,
    TooFast,
)
from bot.settings import SlackSettings
from bot.skills import SHORTCUTS

COMMANDS = Catalogue().commands


def printed(**other: str) -> dict:
    text = manifest.describe(COMMANDS, **other)
    return json.JSONDecoder().raw_decode(text)[0]


def test_the_manifest_asks_for_what_the_code_uses() -> None:
    made = printed()

    assert set(made["oauth_config"]["scopes"]["bot"]) == set(SCOPES)
    assert set(SCOPES) <= set(BOT_SCOPES)
    commands = made["features"]["slash_commands"]
    assert [one["command"] for one in commands] == [f"/{one.name}" for one in COMMANDS]
    assert made["settings"]["socket_mode_enabled"]
    assert "request_url" not in made["settings"]["event_subscriptions"]
    assert "agent_session_stopped" in made["settings"]["event_subscriptions"]["bot_events"]


def test_the_manifest_for_http_has_the_address_everywhere() -> None:
    made = printed(request_url="https://jay.example.org/")

    url = "https://jay.example.org/slack/events"
    assert made["settings"]["event_subscriptions"]["request_url"] == url
    assert {one["url"] for one in made["features"]["slash_commands"]} == {url}
    assert not made["settings"]["socket_mode_enabled"]


def test_the_manifest_keeps_slacks_limits() -> None:
    made = printed()

    assert len(made["display_information"]["name"]) <= 35
    assert len(made["display_information"]["description"]) <= 140
    assert len(made["features"]["agent_view"]["agent_description"]) <= 300
    commands = made["features"]["slash_commands"]
    assert len(commands) <= 50
    assert all(1 <= len(one["usage_hint"]) <= 1_000 for one in commands)


def test_the_steps_name_every_secret() -> None:
    by_socket, by_http = (
        manifest.describe(COMMANDS),
        manifest.describe(COMMANDS, request_url="https://e"),
    )

    assert "SLACK_BOT_TOKEN" in by_socket
    assert "SLACK_APP_TOKEN" in by_socket
    assert "SLACK_SIGNING_SECRET" in by_http


async def found(settings: SlackSettings) -> dict[str, tuple[bool, str, str]]:
    return {one.name: (one.ok, one.detail, one.hint) async for one in check(settings)}


async def test_a_healthy_app_is_found_healthy(settings) -> None:
    told = await found(settings)

    assert list(told) == ["slack token", "slack scopes", "slack events"]
    assert all(ok for ok, _, _ in told.values())


async def test_without_a_token_slack_is_off() -> None:
    told = await found(SlackSettings())

    assert told["slack"][:2] == (True, "off: SLACK_BOT_TOKEN is not set")


async def test_a_missing_scope_is_named_with_what_it_is_for(settings, faults) -> None:
    faults.turn("slack", "missing_scope:users:read")

    ok, detail, hint = (await found(settings))["slack scopes"]

    assert (ok, detail) == (False, "lacks users:read (to know people's names)")
    assert "reinstall" in hint


async def test_a_refused_token_is_found_and_never_shown(settings) -> None:
    wrong = settings.model_copy(update={"bot_token": SecretStr("xoxb-wrong-secret")})

    told = await found(wrong)

    assert not told["slack token"][0]
    assert "xoxb-wrong-secret" not in str(told)


async def test_an_app_token_without_its_scope_is_found(settings, faults) -> None:
    faults.turn("slack", "missing_scope:connections:write")

    ok, _, hint = (await found(settings))["slack events"]

    assert not ok
    assert "connections:write" in hint


async def test_events_without_a_way_in_are_found(side) -> None:
    ok, _, hint = (await found(settings_for(side, app_token=SecretStr(""))))["slack events"]

    assert not ok
    assert "SLACK_APP_TOKEN" in hint


async def test_slack_that_is_not_there_is_found(side) -> None:
    told = await found(settings_for(side, api_url="http://127.0.0.1:9/api/"))

    assert [ok for ok, _, _ in told.values()] == [False, False]
    assert "127.0.0.1:9" in told["slack token"][2]


async def test_whose_token_it_is_is_known(settings, side) -> None:
    async with open_client(settings) as client:
        jay = await ask_installation(client)

    assert (jay.team_id, jay.bot_user_id) == (side.team_id, side.bot_user_id)
    assert jay.lacks(tuple(SCOPES)) == ()


async def test_names_are_asked_for_once(settings, maya, faults) -> None:
    """users.info is counted; a busy channel would use it up."""
    async with open_client(settings) as client:
        people = People(client)
        assert await people.names([maya.id, maya.id]) == {maya.id: "Maya Lindqvist"}
        faults.fail("slack", "users.info", times=-1)

        assert await people.names([maya.id]) == {maya.id: "Maya Lindqvist"}


async def test_a_name_that_could_not_be_had_is_asked_for_later(settings, maya, faults) -> None:
    now = [0.0]
    async with open_client(settings) as client:
        people = People(client, clock=lambda: now[0])
        faults.fail("slack", "users.info")
        assert await people.names([maya.id]) == {maya.id: maya.id}
        assert await people.names([maya.id]) == {maya.id: maya.id}

        now[0] = 61.0

        assert await people.names([maya.id]) == {maya.id: "Maya Lindqvist"}


async def test_turns_leave_nothing_behind() -> None:
    turns = Turns()
    async with turns.of({"channel": "C1", "ts": "1.0"}):
        pass

    assert turns._locks == {}


def answer(status: int, body: object, **headers: str) -> SlackApiError:
    response = AsyncSlackResponse(
        client=None,
        http_verb="POST",
        api_url="https://slack.com/api/x",
        req_args={"headers": {"Authorization": "Bearer xoxb-secret"}},
        data=body,
        headers=headers,
        status_code=status,
    )
    return SlackApiError("failed", response)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (200, "invalid_auth", TokenRefused),
        (200, "missing_scope", TokenRefused),
        (200, "not_in_channel", MayNotWrite),
        (200, "restricted_action_some_new_kind", MayNotWrite),
        (200, "message_not_found", MessageGone),
        (200, "channel_not_found", MessageGone),
        (200, "msg_too_long", Rejected),
        (200, "some_new_code", Rejected),
        (200, "internal_error", PlatformUnreachable),
        (503, "service_unavailable", PlatformUnreachable),
        (429, "ratelimited", TooFast),
        (200, "ratelimited", TooFast),
    ],
)
def test_each_code_is_one_of_our_errors(status: int, code: str, kind: type) -> None:
    made = errors.from_answer("chat.update", answer(status, {"ok": False, "error": code}))

    assert type(made) is kind
    assert "secret" not in str(made)


def test_an_answer_that_is_no_json_is_unreachable() -> None:
    made = errors.from_answer("chat.update", answer(502, "<html>Bad gateway</html>"))

    assert isinstance(made, PlatformUnreachable)


@pytest.mark.parametrize(
    ("given", "waited"), [("7", 7.0), ("0.5", 0.5), ("soon", errors.RETRY_AFTER_S)]
)
def test_retry_after_is_read_with_care(given: str, waited: float) -> None:
    made = errors.from_answer("x", answer(429, {"error": "ratelimited"}, **{"Retry-After": given}))

    assert isinstance(made, TooFast)
    assert made.retry_after_s == waited


def test_the_manifest_offers_the_shortcuts_that_the_edge_takes() -> None:
    """Slack takes names of at most 24 characters."""
    made = manifest.manifest(COMMANDS, shortcuts=SHORTCUTS)

    assert [(one["name"], one["callback_id"]) for one in made["features"]["shortcuts"]] == [
        ("Summarize from here", "summarize_from_here"),
        ("Summarize this thread", "summarize_this_thread"),
    ]
    assert all(len(one.name) <= 24 for one in SHORTCUTS)
