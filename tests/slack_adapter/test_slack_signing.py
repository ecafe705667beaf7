from __future__ import annotations

import hashlib
import hmac

from adapters.slack.signing import GOOD_S, KEPT_MAX, SIGNATURE, STAMP, Signatures

SECRET = "a signing secret"


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def signed(body: bytes, at: float) -> dict[str, str]:
    stamp = str(int(at))
    key = b"v0:" + stamp.encode() + b":" + body
    return {
        STAMP: stamp,
        SIGNATURE: f"v0={hmac.new(SECRET.encode(), key, hashlib.sha256).hexdigest()}",
    }


def test_a_signature_counts_once_for_as_long_as_it_is_good() -> None:
    """One that is forgotten while it is still good could be played again."""
    clock = Clock()
    signatures = Signatures(SECRET, clock=clock)
    headers = signed(b"x", clock.now + GOOD_S)
    assert signatures.good(b"x", headers)
    assert signatures.use(headers)

    clock.now += 2 * GOOD_S
    assert signatures.good(b"x", headers)
    assert not signatures.use(headers)

    clock.now += 1
    assert not signatures.good(b"x", headers)


def test_what_is_remembered_is_bounded_and_forgotten_in_time() -> None:
    clock = Clock()
    signatures = Signatures(SECRET, clock=clock)
    for at in range(KEPT_MAX + 10):
        assert signatures.use({SIGNATURE: str(at)})
    assert len(signatures._used) == KEPT_MAX

    clock.now += 3 * GOOD_S
    assert signatures.use({SIGNATURE: "another"})
    assert len(signatures._used) == 1
