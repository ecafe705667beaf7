"""A queue in which nobody waits because somebody else asked for much.

Workspaces take turns, within a workspace its people do, and within what one
person asked for lower priority numbers go first and conversations take turns:
a hundred messages in fifty conversations hold another person's one up by one
turn, and so do thirty requests of a summary. Where there is no room for all,
the newest of whoever waits with most has to go.

Pure.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

Item = TypeVar("Item")
Own: TypeAlias = dict[int, dict[str, deque[tuple[int, Item]]]]
"""What one person waits for: by priority and conversation, each item with its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """On whose behalf something waits."""

    workspace: str
    person: str
    session: str
    priority: int = 0


@dataclass(slots=True)
class FairQueue(Generic[Item]):
    """Items by workspace, person, priority and conversation; whose turn is next stands first."""

    _waiting: dict[str, dict[str, Own[Item]]] = field(default_factory=dict)
    _askers: dict[int, Asker] = field(default_factory=dict)
    _pushed: int = 0

    def __len__(self) -> int:
        return len(self._askers)

    def push(self, item: Item, asker: Asker) -> None:
        """Put an item behind its conversation's others."""
        people = self._waiting.setdefault(asker.workspace, {})
        sessions = people.setdefault(asker.person, {}).setdefault(asker.priority, {})
        sessions.setdefault(asker.session, deque()).append((self._pushed, item))
        self._askers[self._pushed] = asker
        self._pushed += 1

    def pop(self) -> Item:
        """Take out whose turn it is.

        Raises:
            IndexError: nothing waits.
        """
        if not self._waiting:
            raise IndexError("pop from an empty queue")
        workspace = next(iter(self._waiting))
        people = self._waiting.pop(workspace)
        person = next(iter(people))
        own = people.pop(person)
        priority = min(own)
        sessions = own[priority]
        session = next(iter(sessions))
        items = sessions.pop(session)
        number, item = items.popleft()
        if items:
            sessions[session] = items
        if not sessions:
            del own[priority]
        if own:
            people[person] = own
        if people:
            self._waiting[workspace] = people
        del self._askers[number]
        return item

    def remove(self, item: Item, asker: Asker) -> bool:
        """Take an item out that waits no longer; False if it isn't here."""
        people = self._waiting.get(asker.workspace, {})
        own = people.get(asker.person, {})
        sessions = own.get(asker.priority, {})
        items = sessions.get(asker.session, deque())
        number = next((number for number, one in items if one == item), None)
        if number is None:
            return False
        items.remove((number, item))
        del self._askers[number]
        if not items:
            del sessions[asker.session]
        if not sessions:
            del own[asker.priority]
        if not own:
            del people[asker.person]
        if not people:
            del self._waiting[asker.workspace]
        return True

    def shed(self) -> Item:
        """Take out the newest item of the person with most, in the workspace with most.

        Among equals it is whoever came last. So whoever waits with little keeps
        their place, whatever others ask for.

        Raises:
            IndexError: nothing waits.
        """
        if not self._waiting:
            raise IndexError("shed from an empty queue")
        by_workspace, by_person = dict[str, _Share](), dict[tuple[str, str], _Share]()
        for number, asker in self._askers.items():
            by_workspace.setdefault(asker.workspace, _Share()).add(number)
            by_person.setdefault((asker.workspace, asker.person), _Share()).add(number)
        workspace = max(by_workspace, key=lambda one: by_workspace[one].rank)
        _, share = max(
            ((key, share) for key, share in by_person.items() if key[0] == workspace),
            key=lambda pair: pair[1].rank,
        )
        asker = self._askers[share.newest]
        items = self._waiting[asker.workspace][asker.person][asker.priority][asker.session]
        item = next(one for number, one in items if number == share.newest)
        self.remove(item, asker)
        return item

    def order(self) -> list[tuple[Item, Asker]]:
        """Return all that waits in the order in which it comes out, if nothing is added."""
        copy = FairQueue[tuple[Item, Asker]](
            _waiting={
                workspace: {
                    person: {
                        priority: {
                            session: deque(
                                (number, (item, self._askers[number])) for number, item in items
                            )
                            for session, items in sessions.items()
                        }
                        for priority, sessions in own.items()
                    }
                    for person, own in people.items()
                }
                for workspace, people in self._waiting.items()
            },
            _askers=dict(self._askers),
        )
        return [copy.pop() for _ in range(len(self))]


@dataclass(slots=True)
class _Share:
    """How much of a queue is somebody's."""

    count: int = 0
    newest: int = -1

    def add(self, number: int) -> None:
        self.count += 1
        self.newest = max(self.newest, number)

    @property
    def rank(self) -> tuple[int, int]:
        return self.count, self.newest
