"""Draws the answer set: conversations with known facts, and questions about them.

    PYTHONPATH=tests python -m data.make_answers

Each conversation states every fact of its world and part some times over, with
other values each time, between chatter. A question is asked of a fact that was
stated, of something near it that nobody said, or of a thing that the fact was
never stated for. The same seed makes the same file.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from random import Random

HERE = Path(__file__).parent
SET = HERE / "answers.json"
SEED = 20_261
PARTS = {"bakery": "develop", "laboratory": "develop", "film": "develop", "station": "held_out"}
"""Which set of templates and entities each part of the set is drawn from."""
WORLDS = ("work", "club")
VARIANTS = 2
STATED, ASKED = 3, 2
"""How often a fact is stated in a conversation, and of how many of these one asks."""
CHATTER = 110
BEGAN_AT = 1_760_000_000
SLOT = re.compile(r"\{(\w+?)(2?)\}")

Json = dict[str, object]


class Drawing:
    """One conversation in the making."""

    def __init__(self, table: dict, part: str, world: str, variant: int) -> None:
        self.rng = Random(f"{SEED}/{part}/{world}/{variant}")
        self.name = f"{part}-{world}-{variant}"
        self.part = part
        self.pools = table["pools"][part]
        self.people = self.rng.sample(self.pools["name"], len(self.pools["name"]))
        self.facts = [one for one in table["fact"] if (one["part"], one["world"]) == (part, world)]
        self.chatter = table["chatter"]["lines"]
        self.lines: list[list[Json]] = []
        self.questions: list[Json] = []
        self.at = 0

    def draw(self) -> Json:
        self.bags = {pool: self.rng.sample(of, len(of)) for pool, of in self.pools.items()}
        for fact in self.facts:
            self._state(fact)
        self.lines += [[self._line(self.rng.choice(self.chatter))] for _ in range(CHATTER)]
        messages = self._in_time()
        return {
            "name": self.name,
            "part": PARTS[self.part],
            "messages": messages,
            "questions": self.questions,
        }

    def _state(self, fact: dict) -> None:
        """State a fact some times, of other things each time, and ask about it."""
        subject = self._subject(fact)
        things = self.rng.sample(self.pools[subject], len(self.pools[subject])) if subject else [""]
        times = 1 if fact.get("once") else STATED
        for at, thing in enumerate(things):
            values = self._values(fact, {subject: thing} if subject else {}, at)
            if at < times:
                gold = self._say(fact, values)
                if at < ASKED:
                    self._ask(fact, values, gold)
            elif at == times:
                self._ask_in_vain([self.rng.choice(fact["ask"])], values, "absent")

    def _subject(self, fact: dict) -> str:
        """Return the slot that every question of a fact names; empty: it is stated once."""
        if fact.get("once"):
            return ""
        asked = [{name for name, _ in SLOT.findall(ask.split("|")[1])} for ask in fact["ask"]]
        named = set.intersection(*asked) or {name for each in asked for name in each}
        return next(name for name, _ in SLOT.findall(fact["say"]) if name in named)

    def _values(self, fact: dict, values: dict[str, str], at: int) -> dict[str, str]:
        text = " ".join([fact["say"], fact.get("later", ""), *fact["ask"]])
        values = dict(values)
        for name, second in SLOT.findall(text):
            if name in ("who", "replier") or name + second in values:
                continue
            bag = self.bags[name]
            values[name + second] = bag[(at + (1 if second else 0)) % len(bag)]
        free = [one for one in self.people if one not in values.values()]
        values["who"], values["replier"] = self.rng.sample(free, 2)
        return values

    def _say(self, fact: dict, values: dict[str, str]) -> str:
        """Put a fact's messages among the lines; returns the id of the one that counts."""
        opening, _, reply = fill(fact["say"], values).partition(" >> ")
        first = self._line(opening, author=values["who"])
        if reply:
            told = self._line(reply, author=values["replier"], thread=str(first["id"]))
            self.lines.append([first, told])
            return str(told["id"])
        if later := fact.get("later"):
            told = self._line(fill(later, values), author=values["replier"])
            self.lines.append([first, *([None] * self.rng.randint(3, 30)), told])
            return str(told["id"])
        self.lines.append([first])
        return str(first["id"])

    def _ask(self, fact: dict, values: dict[str, str], gold: str) -> None:
        asked = [self._question(ask, fact, values, [gold]) for ask in fact["ask"]]
        if then := fact.get("then"):
            follow = self._question(then, fact, values, [gold])
            asked.append({**follow, "after": asked[0]["question"], "paraphrase": False})
        self.questions += asked
        self._ask_in_vain(fact["miss"], values, "near")

    def _ask_in_vain(self, asks: list[str], values: dict[str, str], why: str) -> None:
        for ask in asks:
            one = self._question(" | ".join(ask.split(" | ")[:2]), {"gold": ""}, values, [])
            if all(one["question"] != other["question"] for other in self.questions):
                self.questions.append({**one, "gold": "", "unanswerable": why})

    def _question(self, ask: str, fact: dict, values: dict[str, str], gold: list[str]) -> Json:
        kind, question, *own = ask.split(" | ")
        return {
            "question": fill(question, values),
            "gold": fill(own[0] if own else fact["gold"], values),
            "messages": gold,
            "paraphrase": kind.startswith("~"),
        }

    def _line(self, text: str, *, author: str = "", thread: str = "") -> Json:
        self.at += 1
        author = author or self.rng.choice(self.people)
        return {"id": f"m{self.at}", "author": author, "text": text, "thread": thread}

    def _in_time(self) -> list[Json]:
        """Shuffle what belongs together as a whole, and let replies come a little later."""
        self.rng.shuffle(self.lines)
        slots: list[tuple[float, Json]] = []
        for at, lines in enumerate(self.lines):
            slots += [(at + behind * 1.5, one) for behind, one in enumerate(lines) if one]
        slots.sort(key=lambda slot: slot[0])
        when, messages = BEGAN_AT, []
        for _, one in slots:
            when += self.rng.randint(40, 5_000)
            messages.append({**one, "sent_at": when})
        return messages


def fill(text: str, values: dict[str, str]) -> str:
    filled = SLOT.sub(lambda slot: values[slot[1] + slot[2]], text)
    return filled[:1].upper() + filled[1:] if filled[:1].islower() and " " in text else filled


def draw() -> str:
    table = tomllib.loads((HERE / "answers.toml").read_text())
    drawn = [
        Drawing(table, part, world, variant).draw()
        for part in PARTS
        for world in WORLDS
        for variant in range(VARIANTS)
    ]
    return json.dumps({"conversations": drawn}, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SET.write_text(draw())
