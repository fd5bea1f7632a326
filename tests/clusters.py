"""Real clusters and sentinels on loopback for the tests: nodes wired by hand, which is quicker than redis-cli's way.

``with cluster("valkey", 3, replicas=1) as nodes`` gives running nodes, masters first, their slots in order.
"""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from tests.servers import RealServer, Word, named_servers

SLOTS = 16384
LIMIT = 60.0  # seconds that any state of a cluster is waited for, on a machine with other work to do
TIMEOUT = 1000  # cluster-node-timeout in ms: so long is a fallen master waited for


def until(true: Callable[[], Any], what: str) -> Any:
    """Wait until something holds, and give it."""
    end = monotonic() + LIMIT
    while not (found := true()):
        if monotonic() > end:
            raise TimeoutError(what)
        sleep(0.02)
    return found


def bus(port: int) -> int:
    """Where a node with this port talks to the others."""
    return port + 10000 if port < 55536 else port - 10000


def free_ports(count: int) -> list[int]:
    """Ports that are free, and so are those where the nodes will talk."""
    ports: list[int] = []
    with ExitStack() as held:
        while len(ports) < count:
            probe, second = held.enter_context(socket.socket()), held.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
            try:
                second.bind(("127.0.0.1", bus(port)))
            except OSError:
                continue
            ports.append(port)
    return ports


class Node(RealServer):
    """A server with a TCP port of its own, known before it starts; ``restart`` after ``stop``."""

    def __init__(self, name: str, directory: Path, port: int, *options: str) -> None:
        self._options, self.number = options, port
        directory.mkdir()
        super().__init__(name, named_servers()[name], directory, "--port", str(port), "--bind", "127.0.0.1", *options)

    @property
    def port(self) -> int:
        return self.number

    def call(self, *argv: Word) -> Any:
        """As ever, on a new connection where the old one has been closed: sentinels do that when roles change."""
        try:
            return super().call(*argv)
        except OSError:
            if self._client is None:
                raise
            self._client.close()
            self._client = None
            return super().call(*argv)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.number}"

    @property
    def id(self) -> str:
        return str(self.call("CLUSTER", "MYID").decode())

    def restart(self) -> None:
        """Start it again on its files."""
        super().__init__(self.name, self.binary, self.directory, "--port", str(self.number), "--bind", "127.0.0.1",
                         *self._options)  # fmt: skip

    def facts(self, *words: str) -> dict[str, str]:
        """INFO's or CLUSTER INFO's fields."""
        text = self.call(*words)
        return dict(line.split(":", 1) for line in text.decode().splitlines() if ":" in line)


class LocalCluster:
    """``nodes`` are, at the beginning, masters and then their replicas in the same order. ``url`` names all of them."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes

    @property
    def masters(self) -> list[Node]:
        return [node for node in self.nodes if node.call("ROLE")[0] == b"master"]

    @property
    def replicas(self) -> list[Node]:
        return [node for node in self.nodes if node.call("ROLE")[0] != b"master"]

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(node.address for node in self.nodes)

    def settled(self) -> bool:
        return all(node.facts("CLUSTER", "INFO").get("cluster_state") == "ok" for node in self.nodes)

    def flush(self) -> None:
        for node in self.masters:
            for words in (("FLUSHALL",), ("SCRIPT", "FLUSH"), ("FUNCTION", "FLUSH")):
                node.call(*words)

    def owner(self, slot: int) -> Node:
        """The master of a slot, as the nodes say."""
        for first, last, (_, port, *_), *_ in self.nodes[0].call("CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return next(node for node in self.nodes if node.number == port)
        raise LookupError(slot)

    def other(self, node: Node) -> Node:
        """A master that is not this one."""
        return next(each for each in self.masters if each is not node)

    def heal(self, fallen: Node) -> None:
        """Start a node that was stopped, and wait until all agree who is a master, it or its successor."""
        fallen.restart()
        until(self._agree, "the nodes do not agree")
        until(self.settled, "the cluster does not settle")

    def _agree(self) -> bool:
        slots = [node.call("CLUSTER", "SLOTS") for node in self.nodes]
        views = [{(low, high, master[1]) for low, high, master, *_ in entries} for entries in slots]
        ports = {port for _, _, port in views[0]}
        roles = [node.facts("INFO", "replication") for node in self.nodes]
        following = [role for role in roles if role.get("master_link_status") == "up"]
        return views.count(views[0]) == len(views) and len(following) == len(self.nodes) - len(ports)

    def begin_move(self, slot: int, source: Node, goal: Node) -> None:
        """Open a slot for migration: its keys may be on either node from now on."""
        goal.call("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
        source.call("CLUSTER", "SETSLOT", slot, "MIGRATING", goal.id)

    def move_keys(self, slot: int, source: Node, goal: Node, count: int = 10000) -> int:
        """Move some keys of a slot; gives how many."""
        keys = source.call("CLUSTER", "GETKEYSINSLOT", slot, count)
        if keys:
            reply = source.call("MIGRATE", "127.0.0.1", goal.port, "", 0, 30000, "REPLACE", "KEYS", *keys)
            assert reply == b"OK", reply
        return len(keys)

    def end_move(self, slot: int, source: Node, goal: Node) -> None:
        for node in (goal, source, *(each for each in self.masters if each not in (source, goal))):
            node.call("CLUSTER", "SETSLOT", slot, "NODE", goal.id)

    def move(self, slot: int, source: Node, goal: Node) -> None:
        """Move a slot and its keys."""
        self.begin_move(slot, source, goal)
        while self.move_keys(slot, source, goal):
            pass
        self.end_move(slot, source, goal)


@contextmanager
def cluster(name: str, masters: int = 3, replicas: int = 0, *options: str) -> Iterator[LocalCluster]:
    """Start a cluster whose masters share the slots evenly, with so many replicas each."""
    directory = Path(tempfile.mkdtemp(prefix="rt-"))
    nodes: list[Node] = []
    words = ["--cluster-enabled", "yes", "--cluster-node-timeout", str(TIMEOUT), "--repl-diskless-sync-delay", "0",
             "--repl-ping-replica-period", "1", "--appendonly", "no", "--cluster-replica-validity-factor", "0",
             *options]  # fmt: skip
    try:
        for at, port in enumerate(free_ports(masters * (1 + replicas))):
            nodes.append(Node(name, directory / str(at), port, *words, "--cluster-port", str(bus(port))))
        found = LocalCluster(nodes)
        _wire(nodes, masters)
        until(found.settled, "the cluster does not settle")
        yield found
    finally:
        for node in nodes:
            node.stop()
        shutil.rmtree(directory, ignore_errors=True)


def _wire(nodes: list[Node], count: int) -> None:
    """Give out the slots, have the nodes meet and the replicas follow."""
    masters, replicas = nodes[:count], nodes[count:]
    for at, node in enumerate(nodes):
        node.call("CLUSTER", "SET-CONFIG-EPOCH", at + 1)
        if at < count:
            node.call("CLUSTER", "ADDSLOTSRANGE", at * SLOTS // count, (at + 1) * SLOTS // count - 1)
        if at:
            node.call("CLUSTER", "MEET", "127.0.0.1", nodes[0].port, bus(nodes[0].port))
    until(lambda: all(node.call("CLUSTER", "NODES").count(b"\n") == len(nodes) for node in nodes), "nodes do not meet")
    for at, node in enumerate(replicas):
        words = ("CLUSTER", "REPLICATE", masters[at % count].id)
        until(partial(_accepted, node, *words), "a node does not become a replica")
    until(lambda: all(each.facts("INFO", "replication").get("master_link_status") == "up" for each in replicas),
          "the replicas do not follow")  # fmt: skip
    until(lambda: all(_replicas_known(node) == len(replicas) for node in nodes), "replicas are not known")


def _replicas_known(node: Node) -> int:
    return sum(len(entry) - 3 for entry in node.call("CLUSTER", "SLOTS"))


def _accepted(node: Node, *words: str) -> bool:
    return bool(node.call(*words) == b"OK")
