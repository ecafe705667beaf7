"""Whose a request by HTTP is: Slack's, a stranger's, or Slack's but played again.

A recorded request stays signed for five minutes. What it holds would mostly be
known by its id, but an edit could undo a later one; so a signature counts once.
It is forgotten where the request was not taken: Slack, or a proxy, repeats it.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from slack_sdk.signature import Clock, SignatureVerifier

STAMP, SIGNATURE = "X-Slack-Request-Timestamp", "X-Slack-Signature"
GOOD_S = 300.0
"""How old, or how far ahead, a request's time stamp may be."""
KEPT_MAX = 50_000
"""Signatures remembered; about 10 MB. Slack sends a workspace far fewer in five minutes."""
_STAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)


class Signatures:
    """Checks signatures and remembers those that were used."""

    def __init__(self, secret: str, *, clock: Callable[[], float] = time.time) -> None:
        """Take the signing secret, and a clock that goes with Slack's, Unix seconds."""
        self._clock = clock
        self._verifier = SignatureVerifier(secret, _Clock(clock))
        self._used: OrderedDict[str, float] = OrderedDict()

    def good(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """Tell whether Slack signed this body within the last five minutes."""
        stamp, signature = headers.get(STAMP, ""), headers.get(SIGNATURE, "")
        # The verifier stumbles over what is no number and no ASCII.
        if not (_STAMP.fullmatch(stamp) and _SIGNATURE.fullmatch(signature)):
            return False
        try:
            return self._verifier.is_valid(body, stamp, signature)
        except UnicodeDecodeError:
            return False  # Slack sends text

    def use(self, headers: Mapping[str, str]) -> bool:
        """Use a good request's signature; False if it was used before."""
        now = self._clock()
        while self._used and next(iter(self._used.values())) < now - 2 * GOOD_S:
            self._used.popitem(last=False)
        signature = headers[SIGNATURE]
        if signature in self._used:
            return False
        self._used[signature] = now
        while len(self._used) > KEPT_MAX:
            self._used.popitem(last=False)
        return True

    def forget(self, headers: Mapping[str, str]) -> None:
        """Let a request come again: it was not taken."""
        self._used.pop(headers[SIGNATURE], None)


class _Clock(Clock):
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock()
