"""The prompt families, read from `families/*.toml`, and which of them fits a model.

A family is data: whoever serves another GPT-J adds a file. What is wrong with
one is said with its name and field.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bot.errors import SettingsError
from bot.family import Family
from bot.prompts import Sampling, ServedModel

FOLDER = Path(__file__).parent / "families"
FALLBACK = "base"
CHECKPOINT_FIELD = "jay_family"
"""In a checkpoint's `config.json`: the family that it was trained on."""

Text = Annotated[str, Field(strict=True)]
Texts = Annotated[tuple[Annotated[str, Field(strict=True, min_length=1)], ...], Field()]


class SamplingFile(BaseModel):
    """The table `[sampling]`."""

    model_config = ConfigDict(extra="forbid")

    temperature: float = Field(default=0.7, ge=0, le=2)
    top_p: float = Field(default=0.9, gt=0, le=1)
    top_k: int = Field(default=0, ge=0)
    repetition_penalty: float = Field(default=1.0, gt=0, le=2)


class FamilyFile(BaseModel):
    """A family as its file has it; the fields are `bot.family.Family`'s."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    models: Texts = ()
    begin: Text = ""
    preamble: Text = ""
    person: Text
    jay_open: Text
    jay_lead: Text = " "
    jay_close: Text
    instruction: Text = ""
    stop: Annotated[Texts, Field(min_length=1)]
    stop_tokens: Texts = ()
    never: Texts = ()
    quiet: bool = False
    sampling: SamplingFile = Field(default_factory=SamplingFile)
    licence: Text = ""
    about: Text = ""

    @model_validator(mode="after")
    def _has_its_places(self) -> FamilyFile:
        if "{text}" not in self.person:
            raise ValueError("person: has no {text}")
        if self.instruction and not {"{instruction}", "{input}"} <= _places(self.instruction):
            raise ValueError("instruction: needs {instruction} and {input}")
        if missing := set(self.stop_tokens) - set(self.stop):
            # Their text is shown where a tokenizer doesn't hold them as special.
            raise ValueError(f"stop: must repeat the stop tokens {', '.join(sorted(missing))}")
        return self


def load_families(folder: Path = FOLDER) -> Mapping[str, Family]:
    """Return all families by name.

    Raises:
        SettingsError: a file can't be used; names the file and the field.
    """
    families = [read_family(path) for path in sorted(folder.glob("*.toml"))]
    return {family.name: family for family in families}


def read_family(path: Path) -> Family:
    """Read one family's file.

    Raises:
        SettingsError: it can't be used; names the file and the field.
    """
    try:
        read = FamilyFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error
    except ValidationError as error:
        raise SettingsError(f"{path}: {_wrong(error)}") from error
    if read.name != path.stem:
        raise SettingsError(f"{path}: name: is {read.name!r}, not the file's own {path.stem!r}")
    fields = {name: getattr(read, name) for name in FamilyFile.model_fields if name != "sampling"}
    return Family(**fields, sampling=Sampling(**read.sampling.model_dump()))


def family_for(model: ServedModel, families: Mapping[str, Family], *, chosen: str) -> Family:
    """Return the family of a served model.

    What is chosen in the settings comes first, then what the checkpoint itself
    says, then the model's name; a model that nothing is known of is a base model.

    Args:
        model: what the engine serves.
        families: all that there are.
        chosen: `JAY_REPLIES__FAMILY`; empty for none.

    Raises:
        SettingsError: the chosen family is unknown.
    """
    if chosen:
        return _known(chosen, families, where="JAY_REPLIES__FAMILY")
    config = Path(model.revision) / "config.json"
    if model.revision and (told := _told_by(config)):
        return _known(told, families, where=f"{CHECKPOINT_FIELD} in {config}")
    names = (model.name.lower(), model.revision.rstrip("/").lower())
    fits = [
        (len(pattern), family.name)
        for family in families.values()
        for pattern in family.models
        if any(fnmatch(name, pattern) for name in names)
    ]
    return families[max(fits)[1] if fits else FALLBACK]


def _known(name: str, families: Mapping[str, Family], *, where: str) -> Family:
    if name not in families:
        known = ", ".join(sorted(families))
        raise SettingsError(f"{where} is {name!r}; the families are {known}.")
    return families[name]


def _told_by(config: Path) -> str:
    """Return the family that a checkpoint on this machine says it is of; empty: none."""
    try:
        told = json.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""  # the path is the server's, which may be another machine's
    family = told.get(CHECKPOINT_FIELD, "") if isinstance(told, dict) else ""
    return family if isinstance(family, str) else ""


def _places(text: str) -> set[str]:
    return {place for place in ("{instruction}", "{input}") if place in text}


def _wrong(error: ValidationError) -> str:
    """Return each field with what is wrong with it, in one line."""
    wrong = []
    for item in error.errors(include_url=False):
        field = ".".join(str(part) for part in item["loc"])
        told = item["msg"].removeprefix("Value error, ")
        wrong.append(f"{field}: {told}" if field else told)
    return "; ".join(wrong)
