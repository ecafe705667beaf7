"""`jay manifest`: what a new Slack or Discord app needs."""

from __future__ import annotations

from typing import Annotated

import typer

NAME = "manifest"


def command(
    platform: Annotated[str, typer.Argument(help="slack or discord")],
    request_url: Annotated[
        str, typer.Option(help="Slack: the public address for events by HTTP; none: Socket Mode.")
    ] = "",
    application_id: Annotated[
        str, typer.Option(help="Discord: the application's id, for the invite link.")
    ] = "",
) -> None:
    """Print the app manifest and the steps to install it."""
    from adapters.discord import manifest as discord
    from adapters.slack import manifest as slack
    from bot.catalogue import Catalogue
    from bot.errors import SettingsError
    from bot.logs import set_up_logs
    from bot.settings import load_settings

    settings = load_settings()
    set_up_logs(level="warning", as_json=settings.log_json)
    catalogue = Catalogue(settings.skills_dir)
    commands, shortcuts = catalogue.commands, catalogue.shortcuts
    match platform:
        case "slack":
            typer.echo(slack.describe(commands, shortcuts=shortcuts, request_url=request_url))
        case "discord":
            typer.echo(
                discord.describe(commands, shortcuts=shortcuts, application_id=application_id)
            )
        case _:
            raise SettingsError(f"The platform is slack or discord, not {platform!r}.")
