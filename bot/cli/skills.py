"""`jay skills`: what people can ask for, where each comes from, and what is wrong with files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bot.catalogue import Catalogue
    from bot.skills import SlashCommand

NAME = "skills"


def command(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Check this folder of skills instead of JAY_SKILLS_DIR."),
    ] = None,
) -> None:
    """List the skills with where each comes from; exit 1 if a file can't be used."""
    from bot.catalogue import Catalogue
    from bot.errors import SettingsError
    from bot.logs import set_up_logs
    from bot.settings import load_settings

    settings = load_settings()
    set_up_logs(level="critical", as_json=settings.log_json)
    folder = folder or settings.skills_dir
    if folder is not None and not folder.expanduser().is_dir():
        raise SettingsError(f"{folder} is no folder; JAY_SKILLS_DIR must name one.")
    catalogue = Catalogue(folder)
    _show(catalogue)
    refused = [one.refused for one in catalogue.own.values() if one.refused]
    for error in refused:
        typer.echo(f"FAIL {error}", err=True)
    raise typer.Exit(1 if refused else 0)


def _show(catalogue: Catalogue) -> None:
    origins = {one.command.name: "ships" for one in catalogue.shipped.values() if one.command}
    origins |= {one.command.name: str(one.path) for one in catalogue.own.values() if one.command}
    rows = [
        (
            f"/{one.name}",
            _in_menus(catalogue, one),
            "asker" if one.private else "everyone",
            origins.get(one.name, "code"),
            one.description,
        )
        for one in catalogue.commands
    ]
    titles = ("skill", "in menus", "seen by", "from", "what it does")
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    for row in (titles, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())
    for name, reason in catalogue.left_out.items():
        typer.echo(f"/{name} is not in menus, and works by command: {reason}.")


def _in_menus(catalogue: Catalogue, command: SlashCommand) -> str:
    if command.name in catalogue.left_out and command.shortcut:
        return f"({command.shortcut.name})"
    names = [one.name for one in catalogue.shortcuts if one.command == command.name]
    return ", ".join(names)
