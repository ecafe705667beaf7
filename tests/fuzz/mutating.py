"""What comes off the wire, damaged: fields gone, of other types, endless, nested, not Unicode.

Hypothesis draws the damage, so that a failure shrinks to the edit that does it.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from typing import TypeAlias

from hypothesis import strategies as st

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Path: TypeAlias = tuple[str | int, ...]
Edit: TypeAlias = tuple[int, str, Json]

NASTY: tuple[Json, ...] = (
    None, True, False, 0, -1, 2**63, 2**64, 10**30, -(10**30), 0.5, float("inf"), float("nan"),
    "", " ", "\n", "\0", "0", "-1", "1e999", "9" * 40, "9" * 5_000, "٣", "1.0.0", "T:1:C:1",
    "a\nb", "\ud800", "é\ud83d", "<@", "<@U1|>", "<!date^99999999999999^{date}|x>", "<t:99999999999>",
    "<@&1><#2></x:1>", "{", "2024-13-99T99:99:99Z", "0001-01-01T00:00:00+00:00", "x" * 20_000,
    [], {}, [[]], [None], [1, "a", {}], {"": ""}, {"id": None}, {"text": 5}, {"type": []},
)  # fmt: skip
"""Values that programs stumble over."""
KINDS = ("replace", "replace", "drop", "add", "wrap", "double", "cut", "text")

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
_JUNK = st.sampled_from(NASTY) | st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=5,
)
EDITS = st.lists(
    st.tuples(st.integers(0, 10_000), st.sampled_from(KINDS), _JUNK), min_size=1, max_size=4
)


def drawn(dice: random.Random) -> list[Edit]:
    """Draw edits much faster than Hypothesis does, for long runs."""
    return [
        (dice.randrange(10_000), dice.choice(KINDS), dice.choice(NASTY))
        for _ in range(dice.randint(1, 4))
    ]


def damaged(body: Json, edits: Sequence[Edit]) -> Json:
    """Return a copy of a body with the edits made, one after another. Pure."""
    whole: Json = copy.deepcopy(body)
    for at, kind, junk in edits:
        paths = list(_paths(whole, ()))
        whole = _edited(whole, paths[at % len(paths)], kind, junk)
    return whole


def _paths(body: Json, here: Path) -> list[Path]:
    found = [here]
    if isinstance(body, dict):
        for name, inner in body.items():
            found += _paths(inner, (*here, name))
    elif isinstance(body, list):
        for at, inner in enumerate(body):
            found += _paths(inner, (*here, at))
    return found


def _edited(body: Json, path: Path, kind: str, junk: Json) -> Json:
    if path:
        head, rest = path[0], path[1:]
        held: dict[str, Json] | list[Json] = body  # type: ignore[assignment]
        if not rest and kind == "drop":
            del held[head]  # type: ignore[arg-type]
        else:
            held[head] = _edited(held[head], rest, kind, junk)  # type: ignore[index,call-overload]
        return body
    match kind:
        case "add" if isinstance(body, dict):
            return {**body, "extra": junk}
        case "add" if isinstance(body, list):
            return [*body, junk]
        case "wrap":
            return [body]
        case "double":
            return body * 2 if isinstance(body, str | list) else {"again": body}
        case "cut":
            return body[: len(body) // 2] if isinstance(body, str | list) else str(body)[:3]
        case "text":
            return str(body)[:5_000]
    return copy.deepcopy(junk)
