"""What `jay doctor` looks at of Discord: the token, the intent, the way to the gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import yarl
from pydantic import TypeAdapter

from adapters.discord.errors import LIBRARY_ERRORS, IntentMissing, translate
from adapters.discord.payloads import SelfPayload
from adapters.discord.rest import Rest
from bot.errors import PlatformError
from bot.findings import Finding
from bot.settings import DiscordSettings

GATEWAY_S = 10.0
HELLO = 10
"""The operation that a gateway opens with."""
MESSAGE_CONTENT = 1 << 18 | 1 << 19
"""Application flags: the intent is granted, to a verified app or to a small one."""

_SELF = TypeAdapter(SelfPayload)


async def check(settings: DiscordSettings) -> AsyncIterator[Finding]:
    """Yield what was found: is the token good, is the intent granted, does the gateway answer."""
    if not settings.bot_token.get_secret_value():
        yield Finding(name="discord", ok=True, detail="off: DISCORD_BOT_TOKEN is not set")
        return
    async with Rest(settings) as rest:
        try:
            me = await rest.ask(_SELF, "GET", "/applications/@me")
        except PlatformError as error:
            yield Finding(name="discord token", ok=False, detail=str(error), hint=error.hint)
        else:
            yield Finding(name="discord token", ok=True, detail=f"{me.name} ({me.id})")
            granted = bool(me.flags & MESSAGE_CONTENT)
            yield Finding(
                name="discord message content",
                ok=granted,
                detail="granted" if granted else "the intent is switched off",
                hint="" if granted else IntentMissing.hint,
            )
    yield await _gateway(settings.gateway_url)


async def _gateway(url: str) -> Finding:
    address = yarl.URL(url).with_query(v=10, encoding="json")
    try:
        async with asyncio.timeout(GATEWAY_S), aiohttp.ClientSession() as session:
            async with session.ws_connect(address) as socket:
                hello = await socket.receive_json()
    except (*LIBRARY_ERRORS, TypeError) as error:
        why = translate(error)
        hint = "Is DISCORD_GATEWAY_URL right, and may this machine open WebSockets to it?"
        return Finding(name="discord gateway", ok=False, detail=str(why), hint=hint)
    greeted = isinstance(hello, dict) and hello.get("op") == HELLO
    detail = "answers" if greeted else "something answers there that is no Discord gateway"
    return Finding(name="discord gateway", ok=greeted, detail=f"{address.host}: {detail}")
