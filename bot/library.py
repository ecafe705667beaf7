"""Keeps the indexes of channels that are asked about, and searches them.

The store is the truth. A channel's index is made from it when somebody first
asks, and before each search it is brought up to date by what changed since
(`bot/changes`): new messages, edits and deletions alike. So nothing has to be
told to it, a restart costs reading the log again (a tenth of a millisecond a
message), and the vectors, which are dear, come back from the store.

Work on an index runs in a thread of its own, one at a time a channel, so that
the event loop goes on. Vectors of history are made in the background (`run`),
the newest messages first; until they are there, a search goes by words, and
says how many of the messages it knows by meaning. Channels that nobody asks
about any more are let go, those first that were asked longest ago.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from bot.changes import ChangeLog
from bot.errors import JayError
from bot.messages import IncomingMessage, Place
from bot.retrieval import ChannelIndex, Embedder, Hit, search, searched_text
from bot.retrieval.embedding import Floats
from bot.retrieval.index import MaySee
from bot.retrieval.packing import pack, unpack
from bot.retrieval.ranking import rests
from bot.skills import Matches

log = structlog.get_logger(__name__)

PAGE = 500
"""Messages read from the store in one step; it holds up everybody while it runs."""
MOST_MESSAGES = 200_000
"""Messages in memory over all channels, about 2 kB each with their vectors."""
AT_ONCE = 48
"""New messages whose vectors a search waits for, a quarter of a second; more are for `run`."""
HISTORY_FRESH_S = 3_600.0
"""How long a channel's history is taken to be in the log once it was asked for."""

Channel = tuple[str, str, str]


@dataclass(slots=True)
class _Shelf:
    """One channel's index and how far it has read."""

    place: Place
    index: ChannelIndex = field(default_factory=ChannelIndex)
    revision: int = 0
    history_at: float = float("-inf")
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Library:
    """Searches what was said. One a process; the composition root runs `run` beside the worker."""

    def __init__(self, store: ChangeLog, embedder: Embedder | None) -> None:
        """Start with no index.

        Args:
            store: where the messages are.
            embedder: None: search by words alone.
        """
        self._store, self._embedder = store, embedder
        self._shelves: OrderedDict[Channel, _Shelf] = OrderedDict()
        self._behind: asyncio.Queue[Channel] = asyncio.Queue(maxsize=1_000)

    async def search(self, place: Place, question: str, *, most: int) -> Matches:
        """Return the messages of a channel, threads included, that bear on a question.

        Only what all may read who read the place: see `open_threads`.

        Args:
            place: any place in the channel.
            question: in plain words.
            most: at most so many.

        Raises:
            StoreError: the store can't be had.
        """
        shelf = self._shelf(place)
        async with shelf.lock:
            await self._bring_up_to_date(shelf)
            vector = await self._vector(question)
            found = await asyncio.to_thread(_search, shelf.index, place, question, vector, most)
        if self._embedder is not None and found.by_meaning < found.searched:
            self._ask_for_vectors(_channel(place))
        return found

    async def compare(self, question: str, hits: Sequence[Hit]) -> tuple[Hit, ...]:
        """Return the hits with `rest` measured; as they are where there are no vectors."""
        embedder = self._embedder
        if embedder is None or not hits:
            return tuple(hits)
        pairs = [rests(question, hit) for hit in hits]
        texts = list(dict.fromkeys(text for pair in pairs for text in pair))
        at = dict(zip(texts, await asyncio.to_thread(embedder.embed, texts), strict=True))
        return tuple(
            replace(hit, rest=float(at[asked] @ at[told]))
            for hit, (asked, told) in zip(hits, pairs, strict=True)
        )

    def wants_history(self, place: Place) -> bool:
        """Tell whether a channel's history should be brought into the log now; once an hour."""
        shelf = self._shelf(place)
        now = time.monotonic()
        wanted = now - shelf.history_at > HISTORY_FRESH_S
        if wanted:
            shelf.history_at = now
        return wanted

    async def run(self) -> None:
        """Make the vectors that searches found missing, until cancelled."""
        while True:
            channel = await self._behind.get()
            shelf = self._shelves.get(channel)
            if shelf is None:
                continue
            try:
                # Between two steps whoever waits to search comes first.
                while await self._make_vectors(shelf, AT_ONCE):
                    pass
            except JayError as error:
                log.warning("library.vectors_left", channel=shelf.place.channel, error=str(error))

    def _shelf(self, place: Place) -> _Shelf:
        """Return a channel's shelf as the one asked for last, and let others go for it."""
        channel = _channel(place)
        shelf = self._shelves.setdefault(channel, _Shelf(replace(place, thread="")))
        self._shelves.move_to_end(channel)
        held = sum(len(one.index) for one in self._shelves.values())
        while held > MOST_MESSAGES and len(self._shelves) > 1:
            _, dropped = self._shelves.popitem(last=False)
            held -= len(dropped.index)
        return shelf

    async def _bring_up_to_date(self, shelf: _Shelf) -> None:
        """Read what changed; the shelf's lock is held."""
        while True:
            told = await self._store.changes(shelf.place, since=shelf.revision, limit=PAGE)
            read = [one for one in told.messages if is_read(one)]
            left = [one.message_id for one in told.messages if not is_read(one)]
            await asyncio.to_thread(_apply, shelf.index, read, (*told.gone, *left), told.anew)
            if self._embedder is not None and read:
                await self._fetch_vectors(shelf, read)
            shelf.revision = told.revision
            if len(told.messages) < PAGE:
                break
        if self._embedder is not None:
            await self._embed(shelf, AT_ONCE)

    async def _fetch_vectors(self, shelf: _Shelf, messages: Sequence[IncomingMessage]) -> None:
        ids = [one.message_id for one in messages]
        kept = await self._store.vectors(shelf.place, ids)
        await asyncio.to_thread(_place_kept, shelf.index, messages, kept)

    async def _make_vectors(self, shelf: _Shelf, most: int) -> bool:
        """Make some of the vectors that are missing; False: none is."""
        async with shelf.lock:
            return await self._embed(shelf, most) > 0

    async def _embed(self, shelf: _Shelf, most: int) -> int:
        """Make vectors of the newest messages without one, and keep them; returns how many."""
        missing = await asyncio.to_thread(shelf.index.without_vectors, most)
        if not missing or self._embedder is None:
            return 0
        texts = [searched_text(one) for one in missing]
        vectors = await asyncio.to_thread(self._embedder.embed, texts)
        made = {one.message_id: vector for one, vector in zip(missing, vectors, strict=True)}
        shelf.index.keep_vectors(made)
        packed = {
            one.message_id: pack(vector, text)
            for one, vector, text in zip(missing, vectors, texts, strict=True)
        }
        await self._store.keep_vectors(shelf.place, packed)
        return len(missing)

    async def _vector(self, question: str) -> Floats | None:
        if self._embedder is None:
            return None
        vector: Floats = (await asyncio.to_thread(self._embedder.embed, [question]))[0]
        return vector

    def _ask_for_vectors(self, channel: Channel) -> None:
        if not self._behind.full():
            self._behind.put_nowait(channel)


def is_read(message: IncomingMessage) -> bool:
    """Tell whether a message is one that answers stand on: a person's, not said to Jay."""
    return bool(message.text.strip()) and not message.author.bot and not message.mentions_jay


def open_threads(index: ChannelIndex, place: Place) -> MaySee:
    """Return which threads of a channel all may read who read a place in it. Pure.

    In Slack these are all. A Discord thread may be private, with people in it that are only
    some of the channel's; one that hangs on a message of the channel never is. The thread in
    which is asked is read by those who will see the reply.
    """

    def may_see(thread: str) -> bool:
        if place.threads_are_open or thread in ("", place.thread):
            return True
        root = index.get(thread)
        return root is not None and not root.place.thread

    return may_see


def _search(
    index: ChannelIndex, place: Place, question: str, vector: Floats | None, most: int
) -> Matches:
    may_see = open_threads(index, place)
    searched, oldest_at = index.extent(may_see)
    return Matches(
        hits=tuple(search(question, [index], vector=vector, most=most, may_see=may_see)),
        searched=searched,
        by_meaning=min(index.with_vectors, searched),
        oldest_at=oldest_at,
        people=index.people,
    )


def _apply(
    index: ChannelIndex, messages: Sequence[IncomingMessage], gone: Sequence[str], anew: bool
) -> None:
    if anew:
        index.clear()
    for message_id in gone:
        index.drop(message_id)
    for message in messages:
        index.put(message)


def _place_kept(
    index: ChannelIndex, messages: Sequence[IncomingMessage], kept: Mapping[str, bytes]
) -> None:
    vectors = {}
    for message in messages:
        packed = kept.get(message.message_id)
        vector = unpack(packed, searched_text(message)) if packed else None
        if vector is not None:
            vectors[message.message_id] = vector
    index.keep_vectors(vectors)


def _channel(place: Place) -> Channel:
    return (place.platform, place.workspace, place.channel)
