"""From the platforms' records and the store to the history that the oracle judges."""

from __future__ import annotations

from chaos.oracle import History, Said, Seen, Settled
from chaos.playing import Play, Spoken

from adapters.discord.render import render as to_discord
from adapters.slack.render import to_mrkdwn
from bot.conversations import Conversation, Turn
from bot.errors import EngineError
from bot.guards import NOTES
from bot.messages import PLATFORMS, PlatformName
from bot.replying import STOPPED
from bot.skills.chat import NO_WORDS
from bot.store import open_store


def _kinds(kind: type[EngineError]) -> list[type[EngineError]]:
    return [kind, *(more for sub in kind.__subclasses__() for more in _kinds(sub))]


CUT_NOTES = tuple(NOTES.values())
"""What the reply says below its words where it was cut; not kept as words of Jay's."""
SORRY = tuple(sorted({kind.to_person for kind in _kinds(EngineError)} | {NO_WORDS}))


async def collect(play: Play) -> History:
    """Read everything that people saw and the store has."""
    settled: dict[str, list[Settled]] = {}
    stored_at: dict[str, float] = {}
    seen_at = {one.message_id: one for one in _seen(play)}
    async with open_store(
        play.redis.url, retention_days=90, max_turns=10_000, max_log=10_000
    ) as store:
        for _, _, key in play.redis.keys("turns"):
            turns = await store.turns(Conversation.parse(key))
            settled[key] = [_settled(key, turn, seen_at) for turn in turns]
    for client, name, _ in play.redis.keys("ages"):
        for member, at in client.zrange(name, 0, -1, withscores=True):
            stored_at[member.decode()] = at / 1e6
    left = [key for client, name, key in play.redis.keys("state") if client.hget(name, "reply")]
    owner = {
        message_id: key
        for key, turns in settled.items()
        for turn in turns
        if turn.role == "jay"
        for message_id in turn.message_ids
    }
    seen = [
        one if one.message_id not in owner else _in(one, owner[one.message_id])
        for one in seen_at.values()
    ]
    known = {one.conversation for one in play.spoken if one.message_id in stored_at}
    said = [
        Said(
            conversation=one.conversation,
            message_id=one.message_id,
            at=one.at,
            heard=one.conversation in known or not _in_nobodys_hearing(play, one),
        )
        for one in play.spoken
    ]
    return History(said=said, settled=settled, seen=seen, stored_at=stored_at, left=left)


def _in_nobodys_hearing(play: Play, one: Spoken) -> bool:
    """Whether a bot could not know of a message: Discord lists no direct messages to it.

    So it is where no edge listened, and nothing else was ever heard in that conversation.
    """
    if one.platform != "discord" or not one.direct:
        return False
    return any(since <= one.at <= until for since, until in play.breaking.deaf["discord"])


def _in(one: Seen, key: str) -> Seen:
    return Seen(
        conversation=key,
        message_id=one.message_id,
        text=one.text,
        at=one.at,
        nonce=one.nonce,
        apology=one.apology,
    )


def _seen(play: Play) -> list[Seen]:
    ours = {here.channel for here in play.open.values()}
    found = []
    for platform in PLATFORMS:
        world = play.world(platform)
        for channel in [one for one in world.channels.values() if one.id in ours]:
            for message in world.messages(channel.id):
                if message.author != world.bot_id or message.deleted:
                    continue
                here = play.find(channel, message.thread, message.reply_to)
                metadata = message.metadata or {}
                nonce = message.nonce or metadata.get("event_payload", {}).get("nonce", "")
                found.append(
                    Seen(
                        conversation=play.key(here) if here else f"{platform}:{channel.id}:?",
                        message_id=message.id,
                        text=message.text,
                        at=message.edited_at or message.at,
                        nonce=nonce,
                        apology=any(words in _unescaped(message.text) for words in SORRY),
                    )
                )
    return found


def _unescaped(text: str) -> str:
    return text.replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&").replace("\\", "")


def _settled(key: str, turn: Turn, seen: dict[str, Seen]) -> Settled:
    if turn.role == "person":
        return Settled(role="person", message_ids=turn.message_ids)
    platform: PlatformName = "slack" if key.startswith("slack") else "discord"
    render = to_mrkdwn if platform == "slack" else to_discord
    notes = ["", STOPPED, *CUT_NOTES, *(f"_{words}_" for words in SORRY)]
    texts = [f"{turn.text}\n\n{note}" if note else turn.text for note in notes]
    return Settled(
        role="jay",
        message_ids=turn.message_ids,
        texts=tuple(" ".join(render(text)) for text in texts),
        began_at=turn.made.began_at if turn.made else 0.0,
    )
