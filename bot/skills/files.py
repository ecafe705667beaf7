"""A skill's file (TOML), from text to `Template`; what is wrong is said with its line. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ValidationInfo

from bot.commands import TEXT, Where
from bot.errors import SkillRefused
from bot.prompts import Manner
from bot.skills.shortcuts import LONGEST_NAME
from bot.skills.template import (
    MESSAGES,
    PERSON,
    PLACES,
    Choice,
    Template,
    placeholders,
)

MOST_CHARS = 20_000
"""A file this long holds no prompt that GPT-J's window takes."""
MOST_PROMPT_CHARS = 4_000
"""About 1,000 tokens, half of GPT-J's window; the other half is for text and reply."""
NAME = r"^[a-z][a-z0-9-]*$"

Name: TypeAlias = Annotated[str, Field(pattern=NAME, max_length=32)]
"""What Slack and Discord both take for a command: Discord 32 characters of lower case."""
Told: TypeAlias = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\n]*$")]
"""A line that platforms show; Discord's take 100 characters."""
Word: TypeAlias = Annotated[str, Field(pattern=NAME, max_length=32)]
Menu: TypeAlias = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Stop: TypeAlias = Annotated[str, Field(min_length=1, max_length=40)]
Number: TypeAlias = Annotated[float, Field(strict=True)]
Loc: TypeAlias = Sequence[int | str]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Argument(_Table):
    """A table `[[arguments]]`: a choice between words, or the free text."""

    name: Name
    description: Told
    values: Annotated[tuple[Word, ...], Field(max_length=25)] = ()
    default: str = ""
    required: Annotated[bool, Field(strict=True)] = False

    @field_validator("values")
    @classmethod
    def _are_two_or_more(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(values)) < max(2, len(values)):
            raise ValueError("a choice needs two different words or more")
        return values

    @field_validator("default")
    @classmethod
    def _is_a_value(cls, default: str, given: ValidationInfo) -> str:
        values = given.data.get("values", ())
        if values and default not in values:
            raise ValueError(f"{default!r} is none of {', '.join(values)}")
        if "values" in given.data and not values:
            raise ValueError("only an argument with `values` has one")
        return default

    @field_validator("required")
    @classmethod
    def _can_be_required(cls, required: bool, given: ValidationInfo) -> bool:
        if required and given.data.get("values"):
            raise ValueError("a choice has a default instead")
        return required


class _Sampling(_Table):
    """The table `[sampling]`; the names are vLLM's."""

    temperature: Annotated[Number, Field(ge=0, le=2)] | None = None
    top_p: Annotated[Number, Field(gt=0, le=1)] | None = None
    top_k: Annotated[int, Field(strict=True, ge=0)] | None = None
    repetition_penalty: Annotated[Number, Field(gt=0, le=2)] | None = None


class _File(_Table):
    """A file as it is written."""

    name: Name
    description: Told
    arguments: Annotated[tuple[_Argument, ...], Field(max_length=5)] = ()
    knowledge: Annotated[str, Field(pattern=r"^[\w-]{1,80}$")] = ""
    prompt: Annotated[str, Field(max_length=MOST_PROMPT_CHARS, validate_default=True)] = ""
    example: Told | None = None
    stops: Annotated[tuple[Stop, ...], Field(max_length=4)] = ()
    max_tokens: Annotated[int, Field(strict=True, ge=16)] = 0
    where: Annotated[tuple[Where, ...], Field(min_length=1)] = tuple(PLACES)
    shortcut: Menu | None = None
    seen_by: Literal["everyone", "asker"] = "everyone"
    sampling: _Sampling = _Sampling()

    @field_validator("arguments")
    @classmethod
    def _are_told_apart(cls, arguments: tuple[_Argument, ...]) -> tuple[_Argument, ...]:
        names: set[str] = set()
        words: dict[str, str] = {}
        for one in arguments:
            if one.name in names or one.name in (PERSON, MESSAGES):
                raise ValueError(f"`{one.name}` is taken")
            names.add(one.name)
            if (one.name == TEXT) == bool(one.values):
                raise ValueError(f"what has no `values`, and only that, is named `{TEXT}`")
            for word in one.values:
                if word in words:
                    raise ValueError(f"`{word}` is a value of `{words[word]}` as well")
                words[word] = one.name
        return arguments

    @field_validator("knowledge")
    @classmethod
    def _is_asked_by_text(cls, knowledge: str, given: ValidationInfo) -> str:
        if "arguments" in given.data and [one.name for one in given.data["arguments"]] != [TEXT]:
            raise ValueError(f"is asked by `{TEXT}`, which must be the one argument")
        return knowledge

    @field_validator("shortcut")
    @classmethod
    def _takes_a_message(cls, shortcut: str, given: ValidationInfo) -> str:
        if not shortcut.isprintable() or shortcut != shortcut.strip():
            raise ValueError("one line, with no blanks around it")
        if not any(one.isalnum() for one in shortcut):
            raise ValueError("a name has letters")
        texts = [one for one in given.data.get("arguments", ()) if one.name == TEXT]
        if "arguments" in given.data and not texts:
            raise ValueError(f"the message is its `{TEXT}`, and there is no such argument")
        if texts and not texts[0].required:
            raise ValueError(f"a message may have no words, so `{TEXT}` must be `required`")
        return shortcut

    @field_validator("seen_by")
    @classmethod
    def _may_read_it(cls, seen_by: str, given: ValidationInfo) -> str:
        if given.data.get("knowledge") and seen_by == "everyone":
            raise ValueError("not everyone may read the channel `knowledge`; leave this out")
        return seen_by

    @field_validator("prompt")
    @classmethod
    def _is_filled_by_arguments(cls, prompt: str, given: ValidationInfo) -> str:
        if given.data.get("knowledge"):
            if prompt:
                raise ValueError("a skill with `knowledge` has none")
            return ""
        if not prompt.strip() and "knowledge" in given.data:
            raise ValueError("is missing")
        try:
            used = placeholders(prompt)
        except ValueError as error:
            raise ValueError(f"{error}; for a brace itself write {{{{ or }}}}") from error
        if "arguments" in given.data:
            names = [one.name for one in given.data["arguments"]]
            for one in used:
                if one not in (*names, PERSON, MESSAGES):
                    known = ", ".join(f"{{{name}}}" for name in (*names, PERSON, MESSAGES))
                    raise ValueError(f"{{{one}}} is unknown; there are {known}")
            for name in names:
                if name not in used:
                    raise ValueError(f"never uses the argument {{{name}}}")
        return prompt

    @field_validator("stops")
    @classmethod
    def _end_something(cls, stops: tuple[str, ...]) -> tuple[str, ...]:
        if any(not one.strip() and "\n" not in one for one in stops):
            raise ValueError("blanks alone would end a reply after its first word")
        return stops


def read_skill(source: str, *, file: str, stem: str, taken: Collection[str] = ()) -> Template:
    """Read a skill's file.

    Args:
        source: its text.
        file: its path, to tell where something is wrong.
        stem: the file's name without its ending, which is the skill's as well.
        taken: names that no file can have.

    Raises:
        SkillRefused: it can't be used; with the line and the reason.
    """
    if len(source) > MOST_CHARS:
        raise SkillRefused(
            f"{len(source):,} characters; a skill has at most {MOST_CHARS:,}", file=file, line=1
        )
    try:
        read = _File.model_validate(tomllib.loads(source))
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"at line (\d+)", str(error))
        line = int(at[1]) if at else source.count("\n") + 1
        raise SkillRefused(f"no TOML: {error}", file=file, line=line) from error
    except RecursionError as error:
        raise SkillRefused("no TOML: nested too deeply", file=file, line=1) from error
    except ValidationError as error:
        wrong = sorted(_wrong(source, error.errors(include_url=False, include_input=False)))
        first = wrong[0][0]
        told = (one if line == first else f"{one} (line {line})" for line, one in wrong)
        raise SkillRefused("; ".join(told), file=file, line=first) from error
    line = line_of(source, ("name",))
    if read.name in taken:
        raise SkillRefused(f"name: /{read.name} is a command of Jay's own", file=file, line=line)
    if read.name != stem:
        reason = f"name: is `{read.name}`, the file's own is `{stem}`; they must be the same"
        raise SkillRefused(reason, file=file, line=line)
    return _template(read)


def line_of(source: str, loc: Loc) -> int:
    """Return the line, from 1, on which the value at a path of keys and indexes is written.

    Where a part of the path is not there, the line of what is.
    """
    lines = list(_lines(source))
    at, first, last = 0, 0, len(lines)
    for depth, key in enumerate(loc):
        if isinstance(key, int):
            continue
        nth = loc[depth + 1] if depth + 1 < len(loc) else 0
        nth = nth if isinstance(nth, int) else 0
        header = re.compile(rf"\s*\[\[?\s*{re.escape(key)}\s*\]")
        found = [number for number in range(first, last) if header.match(lines[number])]
        if found:
            at = first = found[min(nth, len(found) - 1)]
            tables = (n for n in range(at + 1, last) if lines[n].lstrip().startswith("["))
            last, first = next(tables, last), at + 1
            continue
        assigned = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*[=.]""")
        at = next((n for n in range(first, last) if assigned.match(lines[n])), at)
    return at + 1


def _lines(source: str) -> Iterator[str]:
    """Yield a file's lines; those within a long string are empty."""
    inside = ""
    for text in source.split("\n"):
        yield "" if inside else text
        for mark in re.findall(r'"""|\'\'\'', text):
            if not inside:
                inside = mark
            elif inside == mark:
                inside = ""


def _wrong(source: str, errors: Sequence[ErrorDetails]) -> Iterator[tuple[int, str]]:
    for item in errors:
        loc = item["loc"]
        name = ".".join(str(part + 1 if isinstance(part, int) else part) for part in loc)
        line = line_of(source, loc)
        match item["type"]:
            case "extra_forbidden":
                yield line, f"{name}: unknown key{_meant(str(loc[-1]))}"
            case "missing":
                yield line, f"{name}: is missing"
            case _:
                told = item["msg"].removeprefix("Value error, ")
                place = re.match(r"\{[^{}]*\}", told)
                if loc[-1] == "prompt" and place and place[0] in source:
                    line = source[: source.index(place[0])].count("\n") + 1
                yield line, f"{name}: {told}"


def _meant(key: str) -> str:
    """Return which key may have been meant; empty: who knows."""
    known = (*_File.model_fields, *_Argument.model_fields, *_Sampling.model_fields)
    close = get_close_matches(key, known, n=1)
    return f"; do you mean `{close[0]}`?" if close else ""


def _template(read: _File) -> Template:
    text = next((one for one in read.arguments if one.name == TEXT), None)
    choices = tuple(
        Choice(
            name=one.name,
            description=one.description,
            values=one.values,
            default=one.default or one.values[0],
        )
        for one in read.arguments
        if one.values
    )
    example = read.example or f"{' '.join(one.values[0] for one in choices)} …".strip()
    return Template(
        name=read.name,
        description=read.description,
        prompt=read.prompt,
        knowledge=read.knowledge,
        text_description=text.description if text else "",
        required=text.required if text else False,
        choices=choices,
        example=example,
        manner=Manner(stops=read.stops, max_tokens=read.max_tokens, **read.sampling.model_dump()),
        where=frozenset(read.where),
        private=read.seen_by == "asker" or bool(read.knowledge),
        shortcut=read.shortcut or "",
    )
