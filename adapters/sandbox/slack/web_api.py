"""The Web API: `/slack/api/<method>`, form-encoded or JSON, answered as Slack does.

A call passes, in this order: the method exists, the token is good and of the right kind,
the faults that wait, the scopes, the tier's limit, the required arguments; then the
method itself. Everything but a rate limit is answered with HTTP 200 and `ok`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import structlog
from aiohttp import web

from adapters.sandbox.faults import Trouble
from adapters.sandbox.records import Json
from adapters.sandbox.slack import posting, reading, streaming
from adapters.sandbox.slack.workspace import Refused, Workspace

log = structlog.get_logger(__name__)

Call = Callable[[Workspace, Json], Json]

_READ = ("channels:read", "groups:read", "im:read")
_PARSED = ("blocks", "metadata", "attachments", "view", "chunks", "unfurl_links", "unfurl_media")
_FLAGS = (
    "delete_original",
    "exclude_archived",
    "include_all_metadata",
    "include_num_members",
    "inclusive",
    "link_names",
    "reply_broadcast",
    "return_im",
)


@dataclass(frozen=True, slots=True)
class Method:
    """A method: what it does, its tier, which one of these scopes it needs, its arguments."""

    call: Call
    tier: int
    scopes: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    token: Literal["bot", "app"] = "bot"
    json_body: bool = True
    """Some methods take no JSON body: what stands in one is then not seen."""


_WRITE = ("chat:write",)
METHODS: dict[str, Method] = {
    "agents.sessions.rename": Method(
        streaming.rename_session, 3, _WRITE, ("channel_id", "title")
    ),
    "agents.sessions.setStatus": Method(
        streaming.set_session_status, 3, _WRITE, ("channel_id", "status")
    ),
    "api.test": Method(lambda place, args: {"ok": True, "args": args}, 4),
    "assistant.threads.setStatus": Method(
        streaming.set_thread_status, 5, _WRITE, ("channel_id", "thread_ts", "status")
    ),
    "assistant.threads.setSuggestedPrompts": Method(
        streaming.set_thread_title, 4, ("assistant:write",), ("channel_id", "prompts")
    ),
    "assistant.threads.setTitle": Method(
        streaming.set_thread_title, 4, ("assistant:write",), ("channel_id", "thread_ts", "title")
    ),
    "auth.test": Method(reading.test_auth, 5),
    "bots.info": Method(reading.bot_info, 3, ("users:read",), json_body=False),
    "chat.appendStream": Method(streaming.append, 4, _WRITE, ("channel", "ts")),
    "chat.delete": Method(posting.delete, 3, _WRITE, ("channel", "ts")),
    "chat.getPermalink": Method(
        posting.get_permalink, 5, (), ("channel", "message_ts"), json_body=False
    ),
    "chat.postEphemeral": Method(posting.post_ephemeral, 4, _WRITE, ("channel", "user")),
    "chat.postMessage": Method(posting.post_message, 5, _WRITE, ("channel",)),
    "chat.startStream": Method(streaming.start, 2, _WRITE, ("channel",)),
    "chat.stopStream": Method(streaming.stop, 2, _WRITE, ("channel", "ts")),
    "chat.update": Method(posting.update, 3, _WRITE, ("channel", "ts")),
    "conversations.history": Method(
        reading.history, 3, ("channels:history", "groups:history", "im:history"), ("channel",)
    ),
    "conversations.info": Method(reading.info, 3, _READ, ("channel",), json_body=False),
    "conversations.join": Method(reading.join, 3, ("channels:join",), ("channel",)),
    "conversations.list": Method(reading.list_channels, 2, _READ, json_body=False),
    "conversations.members": Method(reading.members, 4, _READ, ("channel",), json_body=False),
    "conversations.open": Method(reading.open_direct, 3, ("im:write",)),
    "conversations.replies": Method(
        reading.replies, 3, ("channels:history", "groups:history", "im:history"),
        ("channel", "ts"), json_body=False,
    ),
    "files.info": Method(reading.file_info, 4, ("files:read",), ("file",), json_body=False),
    "reactions.add": Method(
        posting.add_reaction, 3, ("reactions:write",), ("name",)
    ),
    "reactions.remove": Method(posting.remove_reaction, 2, ("reactions:write",), ("name",)),
    "team.info": Method(reading.team_info, 3, ("team:read",)),
    "users.conversations": Method(reading.my_channels, 3, _READ, json_body=False),
    "users.info": Method(reading.user_info, 4, ("users:read",), ("user",), json_body=False),
    "users.list": Method(reading.list_users, 2, ("users:read",), json_body=False),
    "views.publish": Method(posting.publish_view, 4, (), ("user_id", "view")),
}  # fmt: skip


class WebApi:
    """Answers the calls of the Web API.

    Args:
        place: The workspace.
        open_socket: Returns the address of a new Socket Mode connection.
    """

    def __init__(self, place: Workspace, open_socket: Callable[[], str]) -> None:
        self._place = place
        self._methods = METHODS | {
            "apps.connections.open": Method(
                lambda _place, _args: {"ok": True, "url": open_socket()},
                3,
                ("connections:write",),
                token="app",
            )
        }

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the Web API."""
        return [
            web.post("/slack/api/{method}", self._answer),
            web.get("/slack/api/{method}", self._answer),
        ]

    async def _answer(self, request: web.Request) -> web.Response:
        name = request.match_info["method"]
        method = self._methods.get(name)
        if method is None:
            return self._reply({"ok": False, "error": "unknown_method", "req_method": name})
        trouble = self._place.faults.take("slack", name)
        if trouble is not None:
            await asyncio.sleep(trouble.delay_s)
            if trouble.status is not None and not trouble.after:
                return _refusal(trouble)
        try:
            body = self._perform(name, method, await _read(request, method))
        except Refused as refused:
            log.info("sandbox.slack_refused", method=name, error=refused.code)
            return self._refuse(refused)
        if trouble is not None and trouble.status is not None:
            return _refusal(trouble)
        return self._reply(body, method.token)

    def _perform(self, name: str, method: Method, args: Json) -> Json:
        self._check_token(method, args.pop("token", ""))
        provided = self._place.scopes(method.token)
        if method.scopes and not any(scope in provided for scope in method.scopes):
            needed = ",".join(method.scopes)
            raise Refused("missing_scope", needed=needed, provided=",".join(provided))
        wait = self._place.limits.call(name, method.tier)
        if wait:
            raise Refused("ratelimited", retry_after_s=wait)
        missing = [wanted for wanted in method.required if args.get(wanted) in (None, "")]
        if name == "assistant.threads.setStatus" and "status" in args:
            missing = [wanted for wanted in missing if wanted != "status"]
        if missing:
            said = (f"[ERROR] missing required field: {wanted}" for wanted in missing)
            raise Refused("invalid_arguments", *said)
        return method.call(self._place, args)

    def _check_token(self, method: Method, token: str) -> None:
        if not token:
            raise Refused("not_authed")
        known = {self._place.bot_token: "bot", self._place.app_token: "app"}
        if token not in known:
            raise Refused("invalid_auth")
        for switch in ("token_revoked", "account_inactive", "invalid_auth", "token_expired"):
            if self._place.faults.is_on("slack", switch):
                raise Refused(switch)
        if known[token] != method.token:
            raise Refused("not_allowed_token_type")

    def _reply(self, body: Json, token: str = "bot") -> web.Response:
        scopes = ",".join(self._place.scopes(token))
        return web.json_response(body, headers={"X-OAuth-Scopes": scopes})

    def _refuse(self, refused: Refused) -> web.Response:
        if refused.retry_after_s is None:
            return self._reply(refused.body())
        headers = {"Retry-After": f"{refused.retry_after_s:g}"}
        return web.json_response(refused.body(), status=429, headers=headers)


async def _read(request: web.Request, method: Method) -> Json:
    """Return the arguments of a call with its token, wherever they stand."""
    args: Json = dict(request.query)
    if request.content_type == "application/json":
        given = await _json(request)
        if method.json_body:
            args |= {name: value for name, value in given.items() if name != "token"}
    elif request.method == "POST":
        args |= dict(await request.post())
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer" and token:
        args["token"] = token.strip()
    return {name: _value(name, value) for name, value in args.items() if value is not None}


async def _json(request: web.Request) -> Json:
    try:
        given = json.loads(await request.text() or "{}")
    except ValueError as error:
        raise Refused("invalid_json") from error
    if not isinstance(given, dict):
        raise Refused("json_not_object")
    return given


def _value(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if name in _FLAGS:
        return value.lower() in ("1", "true")
    if name in _PARSED and value[:1] in ("{", "[", "t", "f", "T", "F", "0", "1"):
        if value.lower() in ("true", "false", "0", "1"):
            return value.lower() in ("true", "1")
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _refusal(trouble: Trouble) -> web.Response:
    status = trouble.status or 500
    headers = {}
    if trouble.retry_after_s is not None:
        headers["Retry-After"] = f"{trouble.retry_after_s:g}"
    if status >= 500:
        return web.Response(status=status, text="upstream error", headers=headers)
    error = trouble.error or ("ratelimited" if status == 429 else "internal_error")
    return web.json_response({"ok": False, "error": error}, status=status, headers=headers)
