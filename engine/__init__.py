"""GPT-J served by vLLM: the client, the launcher, prompt families and training.

    client      vLLM's HTTP server as `bot.ports.Engine`
    load        admission in front of it: bounded, fair, honest about the wait
    families    how each kind of GPT-J writes turns (families/*.toml)
    launcher    vLLM as a process of ours: started, watched, restarted, stopped
    checks      what `jay doctor` looks at

Of `bot` only its words, ports, errors and settings may enter. vLLM itself is
never imported: it is a process that is started or reached.
"""

from __future__ import annotations

from engine.client import open_engine
from engine.families import family_for, load_families
from engine.launcher import serve
from engine.load import LimitedEngine

__all__ = ["LimitedEngine", "family_for", "load_families", "open_engine", "serve"]
