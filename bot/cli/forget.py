"""`jay forget`: delete what a person said."""

from __future__ import annotations

from typing import Annotated

import typer

NAME = "forget"


def command(
    platform: Annotated[str, typer.Argument(help="slack or discord")],
    person: Annotated[str, typer.Argument(help="The person's id there, as U0123 or 80351…")],
) -> None:
    """Delete every message, turn and piece of mail of a person from the store."""
    import asyncio

    from bot.app import open_memory
    from bot.errors import SettingsError
    from bot.messages import PLATFORMS
    from bot.settings import load_settings

    known = next((name for name in PLATFORMS if name == platform), None)
    if known is None:
        raise SettingsError(f"The platform is slack or discord, not {platform!r}.")
    settings = load_settings()

    async def forget() -> int:
        async with open_memory(settings) as store:
            return await store.forget_person(known, person)

    typer.echo(f"Deleted {asyncio.run(forget())} messages and turns of {person} on {platform}.")
