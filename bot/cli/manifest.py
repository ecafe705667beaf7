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
    raise NotImplementedError
