"""A real master, its replica and a Sentinel that watches them, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from fakes.valkey_cluster import Node, role_of, wait_until

SERVICE = "jay"
DOWN_AFTER_MS = 2_000


class Watcher(Node):
    """A Sentinel. It keeps what it knows in its own configuration file."""

    @property
    def command(self) -> list[str]:
        server = super().command[0]
        return [server, str(self.folder / "sentinel.conf"), "--sentinel"]

    def watch(self, master: Node) -> None:
        self.folder.mkdir(exist_ok=True)
        lines = [
            f"port {self.port}",
            f"dir {self.folder}",
            f"sentinel monitor {SERVICE} 127.0.0.1 {master.port} 1",
            f"sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER_MS}",
            f"sentinel failover-timeout {SERVICE} 3000",
        ]
        (self.folder / "sentinel.conf").write_text("\n".join(lines) + "\n")
        self.start()


@dataclass
class Watched:
    """A service with one replica, and who watches it."""

    master: Node
    replica: Node
    watcher: Watcher

    @property
    def url(self) -> str:
        """A first Sentinel that is not there, as in life, and the one that is."""
        return f"redis+sentinel://127.0.0.1:1,127.0.0.1:{self.watcher.port}/{SERVICE}/0"

    def wait_promoted(self) -> None:
        wait_until(lambda: role_of(self.replica) == "master", "the replica is promoted")

    def return_as_replica(self) -> None:
        """Start the killed master as the promoted one's replica; a Sentinel would take its time."""
        self.master.options["replicaof"] = f"127.0.0.1 {self.replica.port}"
        self.master.start()


@contextmanager
def running_sentinel(folder: Path) -> Iterator[Watched]:
    """Run the three during the body."""
    given = {"repl-diskless-sync-delay": "0", "repl-ping-replica-period": "1"}
    with ExitStack() as stack:
        master = Node(folder=folder / "master", options=given)
        replica = Node(
            folder=folder / "replica", options={**given, "replicaof": f"127.0.0.1 {master.port}"}
        )
        watcher = Watcher(folder=folder / "sentinel", options={})
        for node in (master, replica, watcher):
            stack.callback(node.end)
        master.start()
        replica.start()
        wait_until(
            lambda: replica.client.info("replication").get("master_link_status") == "up",
            "the replica follows its master",
        )
        watcher.watch(master)
        wait_until(lambda: _replicas(watcher) == 1, "the Sentinel knows the replica")
        yield Watched(master=master, replica=replica, watcher=watcher)


def _replicas(watcher: Watcher) -> int:
    return len(watcher.client.sentinel_slaves(SERVICE))
