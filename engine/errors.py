"""One table from what the OpenAI SDK raises to Jay's own errors.

Nothing of the SDK, of httpx or of the server's stream leaves this room.
"""

from __future__ import annotations

from json import JSONDecodeError

from openai import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    OpenAIError,
    PermissionDeniedError,
    RateLimitError,
)

from bot.errors import (
    EngineBroke,
    EngineBusy,
    EngineError,
    EngineStalled,
    EngineUnreachable,
    PromptRefused,
)

LIBRARY_ERRORS = (OpenAIError, JSONDecodeError, UnicodeDecodeError)
"""All that a request to the engine may raise: the SDK lets a garbled stream's own errors out."""

FULL = ("currently busy", "backlog limit", "queue")
"""What tells vLLM's refusal of more requests from a router's 503 while a replica dies.

From vllm/exceptions.py: QueueOverflowError and MaxQueuedTokensError, 0.32.
"""
NOT_CONNECTED = ("ConnectError", "ConnectTimeout")
NOBODY_BEHIND = ("error sending request", "no available workers", "no workers are currently")
"""What vllm-router 0.1.17 says, with 500 or 503, of a replica that is gone and of all of them."""
TIMED_OUT = 408
SERVER_ERROR = 500
AWAY = (502, 503, 504)
"""Of whatever stands before an engine: nothing behind it answers."""


def translate(error: Exception, *, url: str) -> EngineError:
    """Return what an error of the SDK means for Jay.

    Args:
        error: one of `LIBRARY_ERRORS`.
        url: the engine's address, for the operator.
    """
    match error:
        case APIConnectionError() if type(error.__cause__).__name__ in NOT_CONNECTED:
            return EngineUnreachable(f"nothing answers at {url}")
        case APITimeoutError():
            return EngineStalled(f"the engine at {url} fell silent")
        case APIConnectionError():
            return EngineBroke(f"the connection to {url} broke: {error.__cause__ or error}")
        case AuthenticationError() | PermissionDeniedError():
            return EngineError(f"the engine at {url} refuses ENGINE_API_KEY")
        case RateLimitError():
            return EngineBusy(f"the engine at {url} takes no more: {_said(error)}")
        case APIError():
            return _by_status(error, _status(error), url=url)
        case _:
            return EngineBroke(f"the engine at {url} sent what is no stream of completions")


def _by_status(error: APIError, status: int, *, url: str) -> EngineError:
    said = _said(error)
    if status == TIMED_OUT or (status in AWAY and any(mark in said for mark in FULL)):
        return EngineBusy(f"the engine takes no more: {said}")
    if status in AWAY or any(mark in said.lower() for mark in NOBODY_BEHIND):
        return EngineUnreachable(f"no engine answers behind {url}: {said}")
    if status >= SERVER_ERROR or not status:
        return EngineBroke(f"the engine failed: {said}")
    return PromptRefused(f"the engine refuses the request: {said}")


def _status(error: APIError) -> int:
    """Return the HTTP status, or the one that an error inside a stream tells; 0: none."""
    if isinstance(error, APIStatusError):
        return error.status_code
    return int(error.code) if error.code and error.code.isdecimal() else 0


def _said(error: APIError) -> str:
    """Return the server's own words, in a line."""
    body = error.body
    told = body.get("message") if isinstance(body, dict) else body
    return " ".join(str(told or error.message).split())[:300]
