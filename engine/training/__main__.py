"""`python -m engine.training --recipe mini --out build/training/mini`: train, with progress."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from engine.training.pretrain import Progress, train
from engine.training.recipe import load_recipe


def main() -> None:
    """Train by a recipe, taking up the run that the folder holds."""
    parser = argparse.ArgumentParser(prog="python -m engine.training")
    parser.add_argument("--recipe", required=True, help="name or path")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--anew", action="store_true", help="forget the run found there")
    chosen = parser.parse_args()
    train(load_recipe(chosen.recipe), out=chosen.out, resume=not chosen.anew, progress=_show)


def _show(progress: Progress) -> None:
    if progress.step % 10 and progress.step != progress.steps:
        return
    sys.stdout.write(
        f"step {progress.step}/{progress.steps} · loss {progress.loss:.3f} · "
        f"{progress.tokens_per_s:,.0f} tokens/s · {progress.left_s / 60:.0f} min left\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
