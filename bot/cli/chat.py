"""`jay chat`: talk to the engine from a terminal."""

from __future__ import annotations

NAME = "chat"


def command() -> None:
    """Talk with the model here, without any platform. Ctrl-C stops a reply, Ctrl-D ends."""
    import asyncio

    from bot.chatting import chat_in_terminal
    from bot.logs import set_up_logs
    from bot.settings import load_settings

    settings = load_settings()
    set_up_logs(level="warning" if settings.log_level == "info" else settings.log_level)
    asyncio.run(chat_in_terminal(settings))
