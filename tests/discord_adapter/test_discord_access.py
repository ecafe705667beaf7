"""Who may read a channel, by Discord's order: roles, then everyone, roles together, the person."""

from __future__ import annotations

import pytest

from adapters.discord.access import ADMINISTRATOR, READ_HISTORY, READS, VIEW_CHANNEL, permissions
from adapters.discord.payloads import GuildPayload, GuildRolePayload, OverwritePayload

EVERYONE, CREW, CHIEFS, MAYA, OWNER = "1", "2", "3", "10", "99"
HIDE = {"deny": VIEW_CHANNEL}
SHOW = {"allow": VIEW_CHANNEL}


def reads(roles: tuple[str, ...], person: str = MAYA, **overwrites: dict[str, int]) -> bool:
    guild = GuildPayload(
        id=EVERYONE,
        owner_id=OWNER,
        roles=(
            GuildRolePayload(id=EVERYONE, permissions=READS),
            GuildRolePayload(id=CREW, permissions=0),
            GuildRolePayload(id=CHIEFS, permissions=ADMINISTRATOR),
        ),
    )
    given = tuple(OverwritePayload(id=one[1:], **bits) for one, bits in overwrites.items())
    return permissions(guild, roles, given, person=person) & READS == READS


@pytest.mark.parametrize(
    ("roles", "overwrites", "may"),
    [
        ((), {}, True),
        ((), {"_1": HIDE}, False),
        ((), {"_1": {"deny": READ_HISTORY}}, False),
        ((), {"_1": HIDE, "_10": SHOW}, True),
        ((CREW,), {"_1": HIDE, "_2": SHOW}, True),
        ((), {"_1": HIDE, "_2": SHOW}, False),
        ((CREW,), {"_2": HIDE}, False),
        ((CREW,), {"_2": HIDE, "_10": SHOW}, True),
        ((CREW,), {"_1": HIDE, "_2": SHOW, "_10": HIDE}, False),
        ((CREW, "4"), {"_2": HIDE, "_4": SHOW}, True),
        ((CHIEFS,), {"_1": HIDE, "_10": HIDE}, True),
    ],
)
def test_overwrites_count_in_discords_order(
    roles: tuple[str, ...], overwrites: dict[str, dict[str, int]], may: bool
) -> None:
    assert reads(roles, **overwrites) == may


def test_the_owner_reads_everything() -> None:
    assert reads((), OWNER, _1=HIDE)


def test_without_a_right_of_the_server_nothing_is_read() -> None:
    guild = GuildPayload(id=EVERYONE, owner_id=OWNER, roles=(GuildRolePayload(id=EVERYONE),))

    assert permissions(guild, (), (), person=MAYA) & READS == 0
