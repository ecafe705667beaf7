"""One table from the library's errors to Jay's, and the limits."""

from __future__ import annotations

import json
from types import SimpleNamespace

import aiohttp
import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord import limits
from adapters.discord.errors import LIBRARY_ERRORS, IntentMissing, InteractionOver, translate
from bot import errors


def refusal(status: int, code: int = 0, **headers: str) -> discord.HTTPException:
    kinds = {403: discord.Forbidden, 404: discord.NotFound}
    kind = kinds.get(status, discord.DiscordServerError if status >= 500 else discord.HTTPException)
    answer = SimpleNamespace(status=status, reason="so", headers=headers)
    return kind(answer, {"code": code, "message": "Discord's own words"})


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, 10003, errors.MessageGone),
        (404, 10008, errors.MessageGone),
        (404, 0, errors.MessageGone),
        (404, 10015, InteractionOver),
        (404, 10062, InteractionOver),
        (401, 50027, InteractionOver),
        (401, 0, errors.TokenRefused),
        (403, 50001, errors.MayNotWrite),
        (403, 50013, errors.MayNotWrite),
        (403, 50007, errors.MayNotWrite),
        (400, 50083, errors.MayNotWrite),
        (403, 0, errors.MayNotWrite),
        (400, 50035, errors.Rejected),
        (400, 50006, errors.Rejected),
        (413, 40005, errors.Rejected),
        (429, 0, errors.TooFast),
        (500, 0, errors.PlatformUnreachable),
        (503, 0, errors.PlatformUnreachable),
    ],
)
def test_a_refusal_by_its_code(status: int, code: int, kind: type[errors.PlatformError]) -> None:
    error = translate(refusal(status, code))

    assert type(error) is kind
    assert "Discord's own words" in str(error)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TimeoutError(), errors.PlatformUnreachable),
        (ConnectionResetError(104, "reset"), errors.PlatformUnreachable),
        (aiohttp.ServerDisconnectedError(), errors.PlatformUnreachable),
        (json.JSONDecodeError("no", "<html>", 0), errors.PlatformUnreachable),
        (discord.GatewayNotFound(), errors.PlatformUnreachable),
        (discord.LoginFailure("Improper token has been passed."), errors.TokenRefused),
        (discord.PrivilegedIntentsRequired(None), IntentMissing),
        (discord.RateLimited(3.5), errors.TooFast),
    ],
)
def test_what_else_the_library_raises(error: Exception, kind: type[errors.PlatformError]) -> None:
    assert isinstance(error, LIBRARY_ERRORS)
    assert type(translate(error)) is kind


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (4004, errors.TokenRefused),
        (4014, IntentMissing),
        (4000, errors.PlatformUnreachable),
        (4009, errors.PlatformUnreachable),
    ],
)
def test_the_gateways_close_codes(code: int, kind: type[errors.PlatformError]) -> None:
    closed = discord.ConnectionClosed(SimpleNamespace(close_code=code), shard_id=None, code=code)

    assert type(translate(closed)) is kind


def test_a_wait_is_carried_over() -> None:
    error = translate(refusal(429, **{"Retry-After": "12"}))
    asked = translate(discord.RateLimited(3.5))
    banned = translate(refusal(429))
    nonsense = translate(refusal(429, **{"Retry-After": "soon"}))

    waits = [one.retry_after_s for one in (error, asked, banned, nonsense)]  # type: ignore[attr-defined]
    assert waits == [12.0, 3.5, 60.0, 60.0]


def test_an_address_with_a_token_never_stands_in_an_error() -> None:
    url = "https://discord.com/api/v10/webhooks/1/secret-token"
    error = aiohttp.ClientResponseError(
        SimpleNamespace(real_url=url, url=url, method="GET", headers={}),
        (),  # type: ignore[arg-type]
    )

    assert "secret-token" not in str(translate(error))
    assert "secret-token" not in str(translate(aiohttp.InvalidURL(url)))


def test_the_pace_stays_within_five_writes_in_five_seconds() -> None:
    """Whenever the five seconds begin: a full bucket, and what flows into it meanwhile."""
    pace = limits.PACE
    assert pace.writes + 5.0 * pace.writes / pace.per_s <= 5


@given(st.integers(0, 2**63 - 1), st.floats(0, 1e6))
def test_an_earlier_id_is_so_much_earlier(snowflake: int, by_s: float) -> None:
    before = limits.earlier(str(snowflake), by_s=by_s)

    assert int(before) >= 0
    gone = limits.said_at(str(snowflake)) - limits.said_at(before)
    assert gone <= by_s + 0.001
    assert gone == pytest.approx(by_s, abs=0.002) or before == "0"


@given(st.text(), st.integers(1, 50))
def test_a_cut_text_fits_its_field(text: str, most: int) -> None:
    cut = limits.cut(text, most)

    assert len(cut) <= most
    assert cut == text or cut.endswith("…")
