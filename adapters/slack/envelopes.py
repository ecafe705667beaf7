"""Which bodies are of Slack's making, as far as bolt reads them. Pure.

Bolt looks for team, person and channel in many places and takes it for granted
that each is text or an object; on anything else it stumbles before any listener
is asked. Such a body is refused here, without harm to the ones beside it.
"""

from __future__ import annotations

from collections.abc import Mapping

_TEXTS = frozenset(
    """
    api_app_id bot_id callback_id channel_id channel_type command context_enterprise_id
    context_team_id enterprise_id event_id event_ts parent_user_id response_url subtype tab team_id
    text thread_ts token trigger_id ts type user_id user_team
    """.split()
)
_TEXTS_OR_PARTS = frozenset("channel enterprise team user".split())
_PARTS = frozenset(
    """
    action assistant_thread container event function_data item message metadata previous_message
    view
    """.split()
)
_LISTS = frozenset("actions authorizations".split())


def is_sound(body: object) -> bool:
    """Tell whether a body, and each part of it that is read, has the kinds that Slack sends."""
    if not isinstance(body, Mapping):
        return False
    if "event" in body and not _says_type(body["event"]):
        return False
    return all(_fits(str(name), value) for name, value in body.items())


def _fits(name: str, value: object) -> bool:
    if value is None:
        return name not in _PARTS
    if name in _TEXTS:
        return isinstance(value, str)
    if name in _PARTS:
        return is_sound(value)
    if name in _TEXTS_OR_PARTS:
        return isinstance(value, str) or is_sound(value)
    if name in _LISTS:
        return isinstance(value, list) and all(is_sound(_unlabelled(one)) for one in value)
    return True


def _unlabelled(part: object) -> object:
    """Return a part of a list without its label: a button's text is an object, and never read."""
    if not isinstance(part, Mapping):
        return part
    return {name: value for name, value in part.items() if name != "text"}


def _says_type(event: object) -> bool:
    return isinstance(event, Mapping) and isinstance(event.get("type"), str)
