r"""Everything that can go wrong, as one tree.

    JayError
    ├─ SettingsError            what was configured can't work
    │  └─ SkillRefused          a skill's file can't be used; says where and why
    ├─ PlatformError            Slack or Discord said no
    │  ├─ TokenRefused          the token is wrong, revoked or lacks a scope
    │  ├─ MayNotWrite           Jay may read here but not write
    │  ├─ MessageGone           the message or channel is no longer there
    │  ├─ TooFast               the platform asks to wait; carries how long
    │  ├─ Rejected              the platform refuses this content
    │  └─ PlatformUnreachable   no answer, or a server error
    ├─ EngineError
    │  ├─ EngineUnreachable     nothing answers at the address
    │  ├─ EngineBusy            more waits there than will be served in time
    │  ├─ EngineStalled         the stream fell silent
    │  ├─ EngineBroke           the stream ended in the middle, and again after retries
    │  ├─ PromptRefused         the server refuses the request; a retry won't help
    │  └─ EngineWontStart       the launcher gave up; says why
    └─ StoreError
       ├─ StoreUnreachable      Redis does not answer
       ├─ StoreFull             Redis has no memory left or is read-only
       ├─ StoreVersion          the data were written by another version
       ├─ MailboxFull           the conversation has more mail than its bound
       └─ LeaseLost             another worker has this conversation now

A library's errors are translated once, where its room ends. Each class says
what the person reads, what the operator should do, and whether trying again
can help.
"""

from __future__ import annotations

from typing import ClassVar

from bot.spans import roughly


class JayError(Exception):
    """Base of all. `str(error)` is for the operator and never holds a secret."""

    retry: ClassVar[bool] = False
    """Whether the same call may succeed later."""
    to_person: str = "Something went wrong on my side. Please try again."
    """What the person reads. One that knows more says so, behind its kind's words."""
    hint: ClassVar[str] = ""
    """What an operator can do about it."""


class SettingsError(JayError):
    """What was configured can't work."""

    hint = "Run `jay doctor`; see docs/operations.md for every setting."


class SkillRefused(SettingsError):
    """A skill's file can't be used."""

    hint = 'docs/operations.md, "Skills", has every key; `jay skills` checks files.'

    def __init__(self, reason: str, *, file: str, line: int) -> None:
        """Say what is wrong, in which file and from which line on."""
        super().__init__(f"{file}:{line}: {reason}")
        self.reason, self.file, self.line = reason, file, line


class PlatformError(JayError):
    """Slack or Discord said no."""


class TokenRefused(PlatformError):
    """The token is wrong, revoked, or lacks a scope."""

    hint = "Make a new token, or add the scope that is named, and reinstall the app."


class MayNotWrite(PlatformError):
    """Jay may read here but not write."""

    hint = "Invite Jay to the channel, or give it the right to send messages there."


class MessageGone(PlatformError):
    """The message or channel is no longer there."""


class TooFast(PlatformError):
    """The platform asks to wait."""

    retry = True

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Rejected(PlatformError):
    """The platform refuses this content."""


class PlatformUnreachable(PlatformError):
    """The platform does not answer, or answers with a server error."""

    retry = True


class EngineError(JayError):
    """The model's server could not be used."""

    to_person = "I can't reach my language model just now. Please try again in a minute."
    hint = "Is vLLM running? `jay doctor` asks it."


class EngineUnreachable(EngineError):
    """Nothing answers at the engine's address."""

    retry = True
    hint = "Start it with `jay engine serve`, or set ENGINE_URL (with /v1)."


class EngineBusy(EngineError):
    """More requests wait there than will be served in time. Nothing was shown yet."""

    retry = True
    to_person = "I'm asked more than I can answer just now. Please send it again in a while."
    hint = "Add a replica, or raise JAY_LIMITS__MAX_WAITING."

    def __init__(self, message: str, *, waiting: int = 0, about_s: float | None = None) -> None:
        """Say how much waits there, and how long that will take, where it is known."""
        super().__init__(message)
        self.waiting, self.about_s = waiting, about_s
        if waiting and about_s is not None:
            queue = f"{waiting:,} replies" if waiting > 1 else "1 reply"
            self.to_person = f"{self.to_person} Before it: {queue}, {roughly(about_s)}."
        elif waiting:
            self.to_person = f"{self.to_person} Waiting already: {waiting:,}."


class EngineStalled(EngineError):
    """The stream fell silent for longer than the idle timeout."""

    retry = True


class EngineBroke(EngineError):
    """The stream ended in the middle, and again after every retry."""

    retry = True
    to_person = "My language model stopped in the middle. Ask me again and I'll start over."


class PromptRefused(EngineError):
    """The server refuses the request as it is."""

    to_person = "My language model would not take that. A shorter message may work."


class EngineWontStart(EngineError):
    """The launcher gave up; the text says why and what to do."""


class StoreError(JayError):
    """The conversation store could not be used."""

    to_person = "I can't reach my memory just now. Please try again in a minute."


class StoreUnreachable(StoreError):
    """Redis does not answer."""

    retry = True
    hint = "Is Redis running at REDIS_URL? Unset it to use the embedded Valkey."


class StoreFull(StoreError):
    """Redis has no memory left, or is read-only."""

    retry = True
    hint = "Raise maxmemory, lower JAY_STORE__RETENTION_DAYS, or make the primary writable."


class StoreVersion(StoreError):
    """The data were written by another version of Jay."""

    hint = "Start the version that wrote them, or move them away: see docs/operations.md."


class LeaseLost(StoreError):
    """Another worker has this conversation now; this one must not write to it."""


class MailboxFull(StoreError):
    """The conversation has more mail waiting than its bound allows."""

    to_person = (
        "I still have your earlier messages to answer and left this one out. "
        "Please send it again once I have caught up."
    )
