"""`jay parked`: messages that Jay gave up on, and having them answered after all."""

from __future__ import annotations

from typing import Annotated

import typer

NAME = "parked"


def command(
    again: Annotated[
        str, typer.Option(help="Have this one answered now: an id of the list, or `all`.")
    ] = "",
) -> None:
    """List the messages that were put aside because every try to answer them failed."""
    import asyncio
    from datetime import UTC, datetime

    from bot.app import open_memory
    from bot.errors import SettingsError
    from bot.logs import set_up_logs
    from bot.settings import load_settings

    settings = load_settings()
    set_up_logs(level="warning", as_json=settings.log_json)

    async def show() -> None:
        async with open_memory(settings) as store:
            parked = await store.parked()
            wanted = [one for one in parked if again in (one.id, "all")]
            if again and not wanted and again != "all":
                raise SettingsError(f"Nothing is parked under {again!r}; `jay parked` lists it.")
            for one in wanted:
                if await store.take_up(one):
                    typer.echo(f"{one.id} waits to be answered again")
            for one in parked if not again else ():
                at = datetime.fromtimestamp(one.at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
                chars = len(one.mail.text)
                typer.echo(f"{one.id}  {at}  from {one.mail.author.id}, {chars} characters")
            if not parked and not again:
                typer.echo("Nothing is parked.")

    asyncio.run(show())
