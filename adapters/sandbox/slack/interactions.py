"""What people do that asks the app for an answer: commands, buttons, shortcuts.

Each becomes the payload that Slack makes of it, goes to the app by socket or HTTP and
must be acked in time; an answer in the ack is shown at once, later ones come by
`response_url`.
"""

from __future__ import annotations

import uuid

from adapters.sandbox.records import Json
from adapters.sandbox.slack import events, markup, shapes
from adapters.sandbox.slack.delivery import Delivery
from adapters.sandbox.slack.response_urls import ResponseUrls
from adapters.sandbox.slack.sockets import EnvelopeKind
from adapters.sandbox.slack.workspace import SLACKBOT, Refused, Workspace


class Interactions:
    """Brings what people press and command to the app.

    Args:
        place: The workspace.
        delivery: The way to the app.
        response_urls: Where later answers go.
    """

    def __init__(self, place: Workspace, delivery: Delivery, response_urls: ResponseUrls) -> None:
        self._place = place
        self._delivery = delivery
        self._response_urls = response_urls

    async def run_command(
        self,
        member: str,
        channel: str,
        name: str,
        text: str = "",
        *,
        options: Json | None = None,
    ) -> Json:
        """Use a slash command (never in a thread: Slack has none there).

        Args:
            member: Who.
            channel: Where.
            name: The command, with or without its slash.
            text: What stands behind it.
            options: Options by name, written behind the text, for the twin on Discord.

        Returns:
            `{"ok": True, "response_url": …}`, or with `ok` false an `error` as Slack shows
            it: `dispatch_failed` without a connection, `operation_timeout` without an ack.
        """
        command = "/" + name.removeprefix("/")
        words = [text, *(f"{key} {value}" for key, value in (options or {}).items())]
        said = " ".join(word for word in words if word)
        self._place.world.note_command(channel, member, command, said)
        url = self._response_urls.make(channel, member)
        payload = self._who_and_where(member, channel) | {
            "command": command,
            "text": markup.from_typed(self._place.world, said),
            "is_enterprise_install": "false",
            "response_url": url,
            "trigger_id": self._trigger(),
        }
        return await self._asked("slash_commands", payload, url, command)

    async def press_button(
        self, member: str, channel: str, message: str, action_id: str, value: str = ""
    ) -> Json:
        """Press a button in a message; answers as `run_command` does."""
        found = self._place.world.get(channel, message)
        if found is None:
            raise KeyError(message)
        ephemeral = found.ephemeral_to is not None
        url = self._response_urls.make(channel, member, thread=found.thread, original=message)
        container = {
            "type": "message",
            "message_ts": message,
            "channel_id": channel,
            "is_ephemeral": ephemeral,
        }
        action = {
            "type": "button",
            "action_id": action_id,
            "block_id": "actions",
            "value": value,
            "text": {"type": "plain_text", "text": action_id},
            "action_ts": events.now_ts(self._place),
        }
        for block in found.extra.get("blocks") or []:
            for element in block.get("elements") or []:
                if element.get("action_id") == action_id:
                    action |= {k: v for k, v in element.items() if k in ("type", "text", "value")}
                    action["block_id"] = block.get("block_id", "actions")
        payload = self._interaction("block_actions", member, channel, url) | {
            "container": container,
            "message": shapes.message(self._place, found, as_root=False),
            "actions": [action],
        }
        return await self._asked("interactive", payload, url, action_id)

    async def use_shortcut(self, member: str, channel: str, message: str, callback_id: str) -> Json:
        """Use a message shortcut; answers as `run_command` does."""
        found = self._place.world.get(channel, message)
        if found is None:
            raise KeyError(message)
        url = self._response_urls.make(channel, member, thread=found.thread)
        payload = self._interaction("message_action", member, channel, url) | {
            "callback_id": callback_id,
            "action_ts": events.now_ts(self._place),
            "message_ts": message,
            "message": shapes.message(self._place, found, as_root=False),
        }
        return await self._asked("interactive", payload, url, callback_id)

    async def _asked(self, kind: EnvelopeKind, payload: Json, url: str, what: str) -> Json:
        answer = await self._delivery.ask(kind, payload)
        if answer is None:
            error = "operation_timeout"
            if not self._delivery.connected:
                error = "dispatch_failed"
            self._tell_failure(payload, f"{what} failed with the error “{error}”")
            return {"ok": False, "error": error}
        if answer:
            try:
                self._response_urls.respond(url, answer)
            except Refused as refused:
                return {"ok": False, "error": refused.code}
        return {"ok": True, "response_url": url}

    def _tell_failure(self, payload: Json, text: str) -> None:
        if "command" in payload:
            self._place.world.say(
                payload["channel_id"], SLACKBOT, text, ephemeral_to=payload["user_id"]
            )

    def _who_and_where(self, member: str, channel: str) -> Json:
        place = self._place.world.channels[channel]
        names = {"im": "directmessage", "group": "privategroup", "channel": place.name}
        return {
            "token": self._place.secret("verification"),
            "team_id": self._place.world.home_id,
            "team_domain": self._place.world.home_name.lower().replace(" ", "-"),
            "channel_id": channel,
            "channel_name": names[shapes.channel_type(place)],
            "user_id": member,
            "user_name": self._place.world.members[member].name,
            "api_app_id": self._place.app_id,
        }

    def _interaction(self, kind: str, member: str, channel: str, url: str) -> Json:
        where = self._who_and_where(member, channel)
        team = {"id": where["team_id"], "domain": where["team_domain"]}
        name = where["user_name"]
        return {
            "type": kind,
            "user": {"id": member, "username": name, "name": name, "team_id": team["id"]},
            "api_app_id": where["api_app_id"],
            "token": where["token"],
            "trigger_id": self._trigger(),
            "team": team,
            "enterprise": None,
            "is_enterprise_install": False,
            "channel": {"id": channel, "name": where["channel_name"]},
            "response_url": url,
        }

    def _trigger(self) -> str:
        return f"{int(self._place.world.clock() * 1000)}.{uuid.uuid4().int % 10**12}.{uuid.uuid4().hex}"
