"""Whether what an app posts is valid: text, Markdown, blocks, metadata. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from adapters.sandbox.records import Json
from adapters.sandbox.slack import limits
from adapters.sandbox.slack.workspace import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a post shows: a text and perhaps blocks, checked."""

    text: str
    blocks: list[Json]
    markdown: bool = False
    """Whether the text is standard Markdown (`markdown_text`) and not Slack's markup."""
    truncated: bool = False


def content(args: Json, *, text_max: int | None = None) -> Content:
    """Return the checked content of a post or an update.

    Args:
        args: The call's arguments.
        text_max: Refuse a longer `text` instead of cutting it at 40,000 characters.

    Raises:
        Refused: With Slack's code for what is wrong.
    """
    written = blocks(args.get("blocks"))
    text, markdown = _text(args, "text"), _text(args, "markdown_text")
    if markdown:
        if text or written:
            raise Refused("markdown_text_conflict")
        return Content(text=markdown_text(markdown), blocks=[], markdown=True)
    if not text.strip() and not written and not args.get("attachments"):
        raise Refused("no_text")
    if text_max is not None and len(text) > text_max:
        raise Refused("msg_too_long")
    cut = text[: limits.TEXT_TRUNCATED_AT]
    return Content(text=cut, blocks=written, truncated=len(cut) < len(text))


def markdown_text(text: str) -> str:
    """Return a Markdown text of allowed length. Raises Refused `msg_too_long`."""
    if len(text) > limits.MARKDOWN_TEXT_MAX:
        raise Refused("msg_too_long")
    return text


def chunks(args: Json) -> str:
    """Return the text that a stream call adds: `markdown_text` or its text chunks."""
    added = _text(args, "markdown_text")
    listed = args.get("chunks")
    if listed is None:
        return added
    if not isinstance(listed, list) or not all(isinstance(chunk, dict) for chunk in listed):
        raise Refused("invalid_chunks")
    for chunk in listed:
        if chunk.get("type") == "markdown_text":
            added += str(chunk.get("text", ""))
        elif chunk.get("type") not in ("task_update", "plan_update", "blocks"):
            raise Refused("invalid_chunks")
    return added


def metadata(given: Any) -> Json | None:
    """Return checked message metadata, or None where there is none."""
    if given is None or given == "":
        return None
    if not isinstance(given, dict):
        raise Refused("invalid_metadata_format")
    if not isinstance(given.get("event_type"), str) or not given["event_type"]:
        raise Refused("invalid_metadata_schema")
    if not isinstance(given.get("event_payload"), dict):
        raise Refused("invalid_metadata_schema")
    if len(json.dumps(given).encode()) > limits.METADATA_MAX_BYTES:
        raise Refused("metadata_too_large")
    return {"event_type": given["event_type"], "event_payload": given["event_payload"]}


def blocks(given: Any) -> list[Json]:
    """Return checked blocks, an empty list where there are none."""
    if given is None or given == "":
        return []
    if not isinstance(given, list) or not all(isinstance(block, dict) for block in given):
        raise Refused("invalid_blocks_format")
    wrong: list[str] = []
    if len(given) > limits.BLOCKS_MAX:
        wrong.append(
            f"[ERROR] no more than {limits.BLOCKS_MAX} items allowed [json-pointer:/blocks]"
        )
    for place, block in enumerate(given):
        check = _CHECKS.get(str(block.get("type")))
        said = [f"unsupported type: {block.get('type')}"] if check is None else check(block)
        if len(str(block.get("block_id", ""))) > limits.BLOCK_ID_MAX:
            said.append(f"must be less than {limits.BLOCK_ID_MAX + 1} characters")
        wrong += [f"[ERROR] {one} [json-pointer:/blocks/{place}]" for one in said]
    markdown = sum(len(str(b.get("text", ""))) for b in given if b.get("type") == "markdown")
    if markdown > limits.MARKDOWN_TEXT_MAX:
        wrong.append(f"[ERROR] must be less than {limits.MARKDOWN_TEXT_MAX + 1} characters")
    if wrong:
        raise Refused("invalid_blocks", *wrong)
    return given


def _text(args: Json, name: str) -> str:
    given = args.get(name)
    return given if isinstance(given, str) else "" if given is None else str(given)


def _text_object(given: Any, most: int, kinds: tuple[str, ...]) -> list[str]:
    if not isinstance(given, dict) or given.get("type") not in kinds:
        return ["missing or invalid text object"]
    text = given.get("text")
    if not isinstance(text, str) or not text:
        return ["must be more than 0 characters"]
    return [f"must be less than {most + 1} characters"] if len(text) > most else []


def _section(block: Json) -> list[str]:
    both = ("mrkdwn", "plain_text")
    fields = block.get("fields") or []
    said = []
    if "text" in block:
        said += _text_object(block["text"], limits.SECTION_TEXT_MAX, both)
    elif not fields:
        said.append("missing required field: text")
    if len(fields) > limits.SECTION_FIELDS_MAX:
        said.append(f"no more than {limits.SECTION_FIELDS_MAX} items allowed")
    for one in fields:
        said += _text_object(one, limits.SECTION_FIELD_MAX, both)
    return said


def _header(block: Json) -> list[str]:
    return _text_object(block.get("text"), limits.HEADER_TEXT_MAX, ("plain_text",))


def _markdown(block: Json) -> list[str]:
    text = block.get("text")
    return [] if isinstance(text, str) and text else ["missing required field: text"]


def _elements(most: int) -> Callable[[Json], list[str]]:
    def check(block: Json) -> list[str]:
        elements = block.get("elements")
        if not isinstance(elements, list) or not elements:
            return ["missing required field: elements"]
        return [f"no more than {most} items allowed"] if len(elements) > most else []

    return check


def _anything(block: Json) -> list[str]:
    return []


_CHECKS: dict[str, Callable[[Json], list[str]]] = {
    "section": _section,
    "header": _header,
    "markdown": _markdown,
    "context": _elements(limits.CONTEXT_ELEMENTS_MAX),
    "actions": _elements(limits.ACTION_ELEMENTS_MAX),
    "context_actions": _elements(5),
    "rich_text": _elements(1_000),
    "divider": _anything,
    "image": _anything,
    "input": _anything,
    "file": _anything,
    "video": _anything,
    "table": _anything,
    "plan": _anything,
    "task_card": _anything,
}
