"""`jay engine`: vLLM alone."""

from __future__ import annotations

import typer

app = typer.Typer(help="Serve a GPT-J with vLLM.", no_args_is_help=True)


@app.callback()
def engine() -> None:
    """Serve a GPT-J with vLLM."""
