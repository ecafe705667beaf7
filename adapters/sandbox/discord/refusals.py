"""What Discord answers when it refuses: a status, a code, and where a form was wrong.

Source: discord.com/developers, "Opcodes and Status Codes" and "Error messages".
"""

from __future__ import annotations

from collections.abc import Sequence

from adapters.sandbox.records import Json

CODES: dict[int, tuple[int, str]] = {
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10011: (404, "Unknown Role"),
    10013: (404, "Unknown User"),
    10014: (400, "Unknown Emoji"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    10063: (404, "Unknown application command"),
    40005: (413, "Request entity too large"),
    40060: (400, "Interaction has already been acknowledged."),
    50001: (403, "Missing Access"),
    50003: (403, "Cannot execute action on a DM channel"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50013: (403, "Missing Permissions"),
    50024: (400, "Cannot execute action on this channel type"),
    50027: (401, "Invalid Webhook Token"),
    50035: (400, "Invalid Form Body"),
    50109: (400, "The request body contains invalid JSON."),
    160004: (400, "A thread has already been created for this message"),
}
"""Discord's JSON error codes that this sandbox knows: the HTTP status and the message."""


class Refused(Exception):
    """A call that Discord answers with an error.

    Args:
        code: Discord's JSON error code; 0 for the plain HTTP ones.
        status: The HTTP status, when it isn't the code's own.
        message: The message, when it isn't the code's own.
        errors: With 50035: what was wrong, nested like the form.
    """

    def __init__(
        self,
        code: int,
        *,
        status: int | None = None,
        message: str | None = None,
        errors: Json | None = None,
    ) -> None:
        known = CODES.get(code, (400, ""))
        self.code = code
        self.status = known[0] if status is None else status
        self.message = known[1] if message is None else message
        self.errors = errors
        super().__init__(f"{self.status} {self.code} {self.message}")

    def body(self) -> Json:
        """Return what Discord answers."""
        body: Json = {"message": self.message, "code": self.code}
        if self.errors:
            body["errors"] = self.errors
        return body


def plain(status: int, reason: str) -> Refused:
    """Return the refusal that has no code of its own, such as `401: Unauthorized`."""
    return Refused(0, status=status, message=f"{status}: {reason}")


class Form:
    """Collects what is wrong with a form and refuses it once, as Discord does."""

    def __init__(self) -> None:
        self._errors: Json = {}

    def wrong(self, path: str, code: str, message: str) -> None:
        """Note an error at a place such as `embeds.0.title`."""
        at = self._errors
        for step in filter(None, path.split(".")):
            at = at.setdefault(step, {})
        at.setdefault("_errors", []).append({"code": code, "message": message})

    def text(self, path: str, value: object, least: int, most: int) -> bool:
        """Check a text's length; returns whether it is a text of allowed length."""
        if not isinstance(value, str):
            self.wrong(path, "BASE_TYPE_REQUIRED", "This field is required")
        elif len(value) < least:
            if least == 1:
                self.wrong(path, "BASE_TYPE_REQUIRED", "This field is required")
            else:
                self.wrong(path, "BASE_TYPE_MIN_LENGTH", f"Must be {least} or more in length.")
        elif len(value) > most:
            self.wrong(path, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")
        else:
            return True
        return False

    def mapping(self, path: str, value: object) -> Json:
        """Return a dictionary, an empty one for null; anything else is noted as wrong."""
        if value is None:
            return {}
        if isinstance(value, dict):
            return value
        self.wrong(path, "DICT_TYPE_CONVERT", "Only dictionaries may be used")
        return {}

    def mappings(self, path: str, value: object) -> list[Json]:
        """Return a list of dictionaries, an empty one for null; what is wrong is noted."""
        if value is None:
            return []
        if not isinstance(value, list):
            self.wrong(path, "BASE_TYPE_LIST", "Only lists may be used")
            return []
        return [self.mapping(f"{path}.{index}", one) for index, one in enumerate(value)]

    def count(self, path: str, values: Sequence[object], most: int) -> None:
        """Check how many items a list has."""
        if len(values) > most:
            self.wrong(path, "BASE_TYPE_BAD_LENGTH", f"Must be {most} or fewer in length.")

    def settle(self) -> None:
        """Refuse with 50035 if anything was wrong."""
        if self._errors:
            raise Refused(50035, errors=self._errors)
