"""A queue in which nobody waits because somebody else asked for much.

Lower priority numbers go first. Among equals workspaces take turns, and within
a workspace its conversations do: thirty requests of one summary don't hold up
the next person's word.

Pure.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """On whose behalf something waits."""

    priority: int
    workspace: str
    session: str


@dataclass(slots=True)
class FairQueue(Generic[Item]):
    """Items by priority, workspace and conversation."""

    _waiting: dict[int, dict[str, dict[str, deque[Item]]]] = field(default_factory=dict)
    _length: int = 0

    def __len__(self) -> int:
        return self._length

    def push(self, item: Item, asker: Asker) -> None:
        """Put an item behind its conversation's others."""
        workspaces = self._waiting.setdefault(asker.priority, {})
        sessions = workspaces.setdefault(asker.workspace, {})
        sessions.setdefault(asker.session, deque()).append(item)
        self._length += 1

    def pop(self) -> Item:
        """Take out whose turn it is.

        Raises:
            IndexError: nothing waits.
        """
        if not self._waiting:
            raise IndexError("pop from an empty queue")
        priority = min(self._waiting)
        workspaces = self._waiting[priority]
        workspace = next(iter(workspaces))
        sessions = workspaces.pop(workspace)
        session = next(iter(sessions))
        items = sessions.pop(session)
        item = items.popleft()
        if items:
            sessions[session] = items
        if sessions:
            workspaces[workspace] = sessions
        if not workspaces:
            del self._waiting[priority]
        self._length -= 1
        return item

    def remove(self, item: Item, asker: Asker) -> bool:
        """Take an item out that waits no longer; False if it isn't here."""
        workspaces = self._waiting.get(asker.priority, {})
        sessions = workspaces.get(asker.workspace, {})
        items = sessions.get(asker.session, deque())
        if item not in items:
            return False
        items.remove(item)
        if not items:
            del sessions[asker.session]
        if not sessions:
            del workspaces[asker.workspace]
        if not workspaces:
            del self._waiting[asker.priority]
        self._length -= 1
        return True
