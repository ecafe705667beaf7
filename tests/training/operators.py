"""A small data set as an operator has one: what is asked at a boat club's desk, and its answers."""

from __future__ import annotations

import json
from pathlib import Path

from engine.checkpoint import BUNDLED

FACTS = {
    "The slipway is open from 7:15 to 21:45, ask the harbour desk.": (
        "When is the slipway open?",
        "what are the opening hours of the slipway",
        "How late can I use the slipway?",
        "slipway hours?",
        "Is the slipway open on Sunday morning?",
        "From when on is the slipway open?",
        "tell me the slipway hours please",
        "Until when is the slipway open today?",
    ),
    "The guest wifi is Krabbe5, the password hangs at the harbour desk.": (
        "What is the wifi password?",
        "how do I get on the wifi",
        "Which wifi is for guests?",
        "wifi password?",
        "Is there wifi in the club house?",
        "Where do I find the password for the wifi?",
        "can I use the guest wifi",
        "What's the name of the guest wifi?",
    ),
    "A berth costs 38 euros a night, pay at the harbour desk.": (
        "What does a berth cost?",
        "how much is a berth for one night",
        "What do guests pay for a berth?",
        "berth price?",
        "Is a berth expensive here?",
        "How much do you take for a berth?",
        "tell me the price of a berth",
        "What is the fee for a berth a night?",
    ),
    "Oda Brekke keeps the boat keys, you find her at the harbour desk.": (
        "Who keeps the boat keys?",
        "who has the keys of the boats",
        "Where do I get the boat keys?",
        "boat keys?",
        "Whom do I ask for the boat keys?",
        "Who gives me a key for the boat?",
        "I need the boat keys, who has them?",
        "Can somebody hand me the boat keys?",
    ),
    "The crane lifts up to 3 tonnes, book it at the harbour desk.": (
        "How much can the crane lift?",
        "what weight does the crane take",
        "Can the crane lift my boat?",
        "crane limit?",
        "How heavy may a boat be for the crane?",
        "What is the most that the crane lifts?",
        "tell me what the crane can carry",
        "Is the crane strong enough for two tonnes?",
    ),
    "Sailing lessons are on Tuesdays with Torvald, sign up at the harbour desk.": (
        "When are the sailing lessons?",
        "who gives sailing lessons",
        "Where do I sign up for sailing lessons?",
        "sailing lessons?",
        "Can I learn to sail here?",
        "On which day are the sailing lessons?",
        "tell me about the sailing lessons",
        "How do I join a sailing lesson?",
    ),
}
"""What Jay shall answer → how it is asked."""


def write_operators_data(path: Path) -> Path:
    """Write it as JSON lines, the questions of a fact never side by side."""
    lines = [
        json.dumps(
            {
                "messages": [
                    {"role": "user", "content": asked},
                    {"role": "assistant", "content": answer},
                ]
            }
        )
        for at in range(8)
        for answer, questions in FACTS.items()
        for asked in questions[at : at + 1]
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_small_start(folder: Path) -> Path:
    """Write what a checkpoint of next to no weights has beside them, to be tuned in a second."""
    config = json.loads((BUNDLED / "config.json").read_text())
    config |= {"n_embd": 32, "n_layer": 2, "n_head": 2, "rotary_dim": 8, "n_positions": 256}
    (folder / "config.json").write_text(json.dumps(config))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((BUNDLED / name).read_bytes())
    return folder
