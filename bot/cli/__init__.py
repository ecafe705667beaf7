"""The command `jay`: one file a verb, imports inside the verb.

Errors that Jay knows end a command with one line and what to do about it.
"""

from __future__ import annotations

import sys

import typer

from bot.cli import (
    chat,
    demo,
    doctor,
    engine,
    evaluate,
    finetune,
    forget,
    manifest,
    parked,
    run,
    skills,
    train,
)
from bot.errors import JayError

app = typer.Typer(
    name="jay",
    help="Chat with a GPT-J model in Slack and Discord, on your own machines.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for verb in (run, demo, chat, doctor, manifest, skills, parked, forget, finetune):
    app.command(name=verb.NAME)(verb.command)
app.add_typer(engine.app, name="engine")
app.add_typer(train.app, name="train")
app.add_typer(evaluate.app, name="evaluate")


def main() -> None:
    """Run the command line; exit 1 with a line and a hint where Jay knows what is wrong."""
    try:
        app()
    except JayError as error:
        print(f"jay: {error}", file=sys.stderr)
        if error.hint:
            print(f"     {error.hint}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
