"""Does what skills ask of digests: keeps, lists and drops them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import structlog

from bot.digests import Digest
from bot.errors import PlatformError
from bot.messages import PlatformName
from bot.ports import Store, Surface
from bot.skills import DigestStep, DropDigest, KeepDigest, ListDigests, NameOf, OwnDigests
from bot.skills.digests import MOST_THERE
from bot.skills.skill import CHANNEL_FULL, NO_DIRECT

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestKeeper:
    """Does the steps of one reply."""

    store: Store
    surface: Surface
    platform: PlatformName

    async def do(self, step: DigestStep) -> OwnDigests | Digest | str | None:
        """Do a step.

        Raises:
            StoreError: the store can't be had.
            PlatformError: the platform can't be had just now.
        """
        match step:
            case ListDigests():
                own = await self.store.digests_of(self.platform, step.person.id)
                return OwnDigests(digests=tuple(own))
            case KeepDigest():
                return await self._keep(step)
            case NameOf():
                return await self._name(step)
            case DropDigest():
                await self.store.drop_digest(step.digest)
                log.info("digests.dropped", digest=step.digest.digest_id)
                return None

    async def _keep(self, step: KeepDigest) -> Digest | str:
        digest = step.digest
        if step.private:
            try:
                to = await self.surface.open_direct(digest.about, digest.person.id)
            except PlatformError as error:
                if error.retry:
                    raise
                log.info("digests.no_direct_message", error=str(error))
                return NO_DIRECT
            digest = replace(digest, to=to)
        if not await self.store.keep_digest(digest, most=MOST_THERE):
            return CHANNEL_FULL
        log.info("digests.kept", digest=digest.digest_id, schedule=digest.schedule)
        return digest

    async def _name(self, step: NameOf) -> str:
        try:
            return await self.surface.name_of(step.place)
        except PlatformError as error:
            log.info("digests.no_name", channel=step.place.channel, error=str(error))
            return ""
