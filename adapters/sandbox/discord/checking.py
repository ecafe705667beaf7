"""Whether what a bot posts is valid: content, embeds, components, nonce, files. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from adapters.sandbox.discord import limits, markup
from adapters.sandbox.discord.refusals import Form, Refused
from adapters.sandbox.records import Json

SUPPRESS_EMBEDS, SILENT, COMPONENTS_V2 = 1 << 2, 1 << 12, 1 << 15
_ROW, _BUTTON = 1, 2
_LINK_STYLE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that came with a call; only its description is kept."""

    field: str
    name: str
    mimetype: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a post or an edit says, checked. None for what an edit leaves as it is."""

    text: str | None
    embeds: list[Json] | None
    components: list[Json] | None
    flags: int = 0
    tts: bool = False
    nonce: str | None = None
    enforce_nonce: bool = False
    allowed: markup.Allowed = field(default_factory=markup.Allowed)
    uploads: tuple[Upload, ...] = ()
    kept_files: list[str] | None = None
    """On an edit: the ids of the attachments that stay; None keeps all."""

    def is_empty(self) -> bool:
        """Say whether a post would show nothing."""
        stickers = self.embeds or self.components or self.uploads
        return not (self.text or "").strip() and not stickers


def content(body: Json, uploads: tuple[Upload, ...] = (), *, silent_flags: int = 0) -> Content:
    """Return the checked content of a post or an edit.

    Args:
        body: The call's JSON.
        uploads: The files that came with it.
        silent_flags: Further flags that are allowed here (64 in interactions).

    Raises:
        Refused: 50035 with what is wrong where, 40005 for files that are too large.
    """
    form = Form()
    text = body.get("content")
    if text is not None:
        is_number = isinstance(text, int | float) and not isinstance(text, bool)
        text = str(text) if is_number else text
        form.text("content", text, 0, limits.CONTENT_MAX)
    embeds = _listed(form, body, "embeds")
    _check_embeds(form, embeds or [])
    components = _listed(form, body, "components")
    attachments = form.mappings("attachments", body.get("attachments"))
    flags = _flags(form, body) & (SUPPRESS_EMBEDS | SILENT | COMPONENTS_V2 | silent_flags)
    _check_components(form, components or [], v2=bool(flags & COMPONENTS_V2))
    if flags & COMPONENTS_V2 and (text or embeds):
        form.wrong(
            "content",
            "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
            "The 'content' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
        )
    _check_files(form, uploads)
    nonce = _nonce(form, body)
    form.settle()
    return Content(
        # Discord trims what it keeps.
        text=text if text is None else text.strip(),
        embeds=embeds,
        components=components,
        flags=flags,
        tts=bool(body.get("tts", False)),
        nonce=nonce,
        enforce_nonce=bool(body.get("enforce_nonce", False)),
        allowed=markup.allowed_mentions(body.get("allowed_mentions")),
        uploads=_named(attachments, uploads),
        kept_files=None
        if body.get("attachments") is None
        else [str(one.get("id")) for one in attachments],
    )


def _listed(form: Form, body: Json, name: str) -> list[Json] | None:
    return form.mappings(name, body[name]) if name in body else None


def _flags(form: Form, body: Json) -> int:
    given = body.get("flags") or 0
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    form.wrong("flags", "NUMBER_TYPE_COERCE", f'Value "{given}" is not int.')
    return 0


def _nonce(form: Form, body: Json) -> str | None:
    given = body.get("nonce")
    if given is None:
        return None
    if len(str(given)) > limits.NONCE_MAX:
        most = limits.NONCE_MAX
        form.wrong("nonce", "NONCE_TYPE_TOO_LONG", f"Nonce can be no longer than {most} characters")
    return str(given)


def _check_embeds(form: Form, embeds: list[Json]) -> None:
    form.count("embeds", embeds, limits.EMBEDS_MAX)
    total = 0
    for index, embed in enumerate(embeds):
        at = f"embeds.{index}"
        fields = form.mappings(f"{at}.fields", embed.get("fields"))
        footer = form.mapping(f"{at}.footer", embed.get("footer"))
        author = form.mapping(f"{at}.author", embed.get("author"))
        form.count(f"{at}.fields", fields, limits.EMBED_FIELDS_MAX)
        texts: list[tuple[str, Any, int]] = [
            ("title", embed.get("title"), limits.EMBED_TITLE_MAX),
            ("description", embed.get("description"), limits.EMBED_DESCRIPTION_MAX),
            ("footer.text", footer.get("text"), limits.EMBED_FOOTER_MAX),
            ("author.name", author.get("name"), limits.EMBED_AUTHOR_MAX),
        ]
        for number, one in enumerate(fields):
            name, value = str(one.get("name") or ""), str(one.get("value") or "")
            form.text(f"{at}.fields.{number}.name", name, 1, limits.EMBED_FIELD_NAME_MAX)
            form.text(f"{at}.fields.{number}.value", value, 1, limits.EMBED_FIELD_VALUE_MAX)
            total += len(name) + len(value)
        for where, text, most in texts:
            if text is not None:
                form.text(f"{at}.{where}", text, 0, most)
                total += len(str(text))
    if total > limits.EMBEDS_TOTAL_MAX:
        form.wrong(
            "embeds",
            "MAX_EMBED_SIZE_EXCEEDED",
            f"Embed size exceeds maximum size of {limits.EMBEDS_TOTAL_MAX}",
        )


def _check_components(form: Form, components: list[Json], *, v2: bool) -> None:
    if v2:
        _check_nested(form, "components", components)
        return
    form.count("components", components, limits.ACTION_ROWS_MAX)
    for index, row in enumerate(components):
        at = f"components.{index}"
        if row.get("type") != _ROW:
            form.wrong(f"{at}.type", "BASE_TYPE_CHOICES", "Value must be one of (1,).")
            continue
        inner = form.mappings(f"{at}.components", row.get("components"))
        if not 1 <= len(inner) <= limits.BUTTONS_MAX:
            most = limits.BUTTONS_MAX
            form.wrong(f"{at}.components", "BASE_TYPE_BAD_LENGTH",
                       f"Must be between 1 and {most} in length.")  # fmt: skip
        for number, one in enumerate(inner):
            _check_component(form, f"{at}.components.{number}", one)


def _check_nested(form: Form, at: str, components: list[Json]) -> None:
    for index, one in enumerate(components):
        inner = f"{at}.{index}.components"
        _check_nested(form, inner, form.mappings(inner, one.get("components")))


def _check_component(form: Form, at: str, one: Json) -> None:
    is_link = one.get("type") == _BUTTON and one.get("style") == _LINK_STYLE
    if not is_link:
        form.text(f"{at}.custom_id", one.get("custom_id"), 1, limits.CUSTOM_ID_MAX)
    if one.get("type") == _BUTTON and one.get("label") is not None:
        form.text(f"{at}.label", one["label"], 0, limits.BUTTON_LABEL_MAX)


def _check_files(form: Form, uploads: tuple[Upload, ...]) -> None:
    form.count("attachments", uploads, limits.FILES_MAX)
    if any(upload.size > limits.FILE_BYTES_MAX for upload in uploads):
        raise Refused(40005)


def _named(attachments: list[Json], uploads: tuple[Upload, ...]) -> tuple[Upload, ...]:
    listed = {f"files[{one.get('id')}]": one for one in attachments}
    return tuple(
        Upload(
            field=upload.field,
            name=str(listed.get(upload.field, {}).get("filename") or upload.name),
            mimetype=upload.mimetype,
            size=upload.size,
        )
        for upload in uploads
    )
