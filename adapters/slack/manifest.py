"""The app manifest: what a new Slack app needs, made from what the code uses."""

from __future__ import annotations

import json
from collections.abc import Sequence

from adapters.slack.install import SCOPES
from adapters.slack.webhooks import PATH
from bot.commands import MessageShortcut, SlashCommand

EVENTS = (
    "agent_session_stopped",
    "app_mention",
    "member_joined_channel",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
)
HINT_MAX = 1_000
"""Characters of a usage hint, by Slack's manifest reference."""
DESCRIPTION = "Chat with a GPT-J model that runs on our own machines"
AGENT_DESCRIPTION = (
    "Jay answers in threads and direct messages, sums up channels and answers questions from "
    "what was said in them. It runs on GPT-J on our own machines."
)
PROMPTS = (
    {"title": "What can you do?", "message": "What can you do?"},
    {"title": "Tell me a joke", "message": "Tell me a joke"},
)
STEPS = """\
To make the Slack app:

1. Open https://api.slack.com/apps, choose "Create New App", then "From a manifest", and paste
   the manifest above as JSON.
2. Install it to your workspace. Copy the "Bot User OAuth Token" (xoxb-…) to SLACK_BOT_TOKEN.
3. {way_in}
4. Run `jay doctor`, then `jay run`. In each channel where Jay shall be: /invite @Jay

An app that only your own workspace uses is an internal app: Slack's limit of one history call
a minute does not apply to it. Native streams (SLACK_NATIVE_STREAMS=true) need a plan that has
agents; without them Jay posts and edits.
"""
SOCKET_MODE = """\
Under "Basic Information", "App-Level Tokens", make a token with the scope connections:write.
   Copy it (xapp-…) to SLACK_APP_TOKEN."""
HTTP_MODE = """\
Under "Basic Information", copy the "Signing Secret" to SLACK_SIGNING_SECRET. Let {url}
   lead to this machine's SLACK_EVENTS_PORT (3000), and leave SLACK_APP_TOKEN unset."""


def describe(
    commands: Sequence[SlashCommand],
    *,
    shortcuts: Sequence[MessageShortcut] = (),
    request_url: str = "",
) -> str:
    """Return the manifest as JSON with the steps to install it, for printing.

    Args:
        commands: the slash commands to register.
        shortcuts: what messages' menus shall hold.
        request_url: the public address for events by HTTP; empty for Socket Mode.
    """
    url = events_url(request_url)
    made = manifest(commands, shortcuts=shortcuts, request_url=request_url)
    shown = json.dumps(made, indent=2)
    way_in = HTTP_MODE.format(url=url) if url else SOCKET_MODE
    return f"{shown}\n\n{STEPS.format(way_in=way_in)}"


def manifest(
    commands: Sequence[SlashCommand],
    *,
    shortcuts: Sequence[MessageShortcut] = (),
    request_url: str = "",
) -> dict[str, object]:
    """Return the manifest (schema version 1, which is Slack's default)."""
    url = events_url(request_url)
    events: dict[str, object] = {"bot_events": list(EVENTS)}
    if url:
        events["request_url"] = url
    return {
        "display_information": {
            "name": "Jay",
            "description": DESCRIPTION,
            "background_color": "#2c3e50",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "agent_view": {
                "agent_description": AGENT_DESCRIPTION,
                "suggested_prompts": list(PROMPTS),
            },
            "bot_user": {"display_name": "Jay", "always_online": True},
            "slash_commands": [_command(one, url) for one in commands],
            "shortcuts": [_shortcut(one) for one in shortcuts],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": events,
            "interactivity": {"is_enabled": True} | ({"request_url": url} if url else {}),
            "org_deploy_enabled": False,
            "socket_mode_enabled": not url,
            "token_rotation_enabled": False,
        },
    }


def events_url(request_url: str) -> str:
    """Return the full events address for a public address; empty for none."""
    if not request_url:
        return ""
    return request_url if request_url.endswith(PATH) else request_url.rstrip("/") + PATH


def _command(command: SlashCommand, url: str) -> dict[str, object]:
    shown: dict[str, object] = {
        "command": f"/{command.name}",
        "description": command.description,
        "should_escape": True,
    }
    if hint := _hint(command):
        shown["usage_hint"] = hint
    return shown | {"url": url} if url else shown


def _shortcut(shortcut: MessageShortcut) -> dict[str, str]:
    return {
        "name": shortcut.name,
        "type": "message",
        "callback_id": shortcut.id,
        "description": f"Uses /{shortcut.command} on this message",
    }


def _hint(command: SlashCommand) -> str:
    words = [f"[{'|'.join(one.values)}]" for one in command.choices]
    if text := command.argument_description:
        words.append(text if command.required else f"[{text}]")
    return " ".join(words)[:HINT_MAX]
