"""A real master, its replicas and the sentinels that watch over them, on loopback.

``with sentinels("redis7") as trio`` gives one that has settled; ``fail_over`` has the sentinels choose another master.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.clusters import Node, free_ports, until
from tests.servers import Client, named_servers, start

MASTER = "mymaster"


class Watcher:
    """A sentinel. ``call`` runs a command on it."""

    def __init__(self, name: str, directory: Path, port: int, master: int) -> None:
        self.port, self.socket, self.password = port, str(directory / "s"), ""
        directory.mkdir()
        conf = directory / "sentinel.conf"
        conf.write_text(f"port {port}\nbind 127.0.0.1\ndir {directory}\nunixsocket {self.socket}\n"
                        f"logfile {directory}/log\nsentinel monitor {MASTER} 127.0.0.1 {master} 2\n"
                        f"sentinel down-after-milliseconds {MASTER} 1000\nsentinel failover-timeout {MASTER} 6000\n")
        self.process = start([named_servers()[name], str(conf), "--sentinel"])
        until(self._answers, "a sentinel does not start")

    def _answers(self) -> bool:
        with suppress(OSError):
            return bool(self.call("PING") == b"PONG")
        return False

    def call(self, *argv: str) -> object:
        with Client(self.socket) as client:
            if self.password:
                client.call("AUTH", self.password)
            return client.call(*argv)

    def knows(self, replicas: int, others: int) -> bool:
        reply = self.call("SENTINEL", "MASTER", MASTER)
        assert isinstance(reply, list)
        facts = dict(zip(reply[::2], reply[1::2], strict=True))
        counts = int(facts[b"num-slaves"]), int(facts[b"num-other-sentinels"])
        return counts == (replicas, others) and facts[b"flags"] == b"master"

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


class Trio:
    """``nodes`` are the servers, ``watchers`` the sentinels."""

    def __init__(self, nodes: list[Node], watchers: list[Watcher]) -> None:
        self.nodes, self.watchers = nodes, watchers

    @property
    def url(self) -> str:
        return f"redis+sentinel://{','.join(f'127.0.0.1:{each.port}' for each in self.watchers)}/{MASTER}"

    @property
    def master(self) -> Node:
        """The server that the sentinels call the master."""
        reply = self.watchers[0].call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER)
        assert isinstance(reply, list)
        return next(node for node in self.nodes if node.number == int(reply[1]))

    def settle(self) -> None:
        """Wait until every sentinel knows all others and all replicas, which follow the master."""
        until(lambda: all(each.knows(len(self.nodes) - 1, len(self.watchers) - 1) for each in self.watchers),
              "the sentinels do not know each other")  # fmt: skip
        until(self._follow, "the replicas do not follow")

    def _follow(self) -> bool:
        role = self.master.call("ROLE")
        return bool(role[0] == b"master" and len(role[2]) == len(self.nodes) - 1)

    def fail_over(self) -> Node:
        """Have the sentinels make another server the master, while the old one works on; gives the new one."""
        old = self.master
        until(lambda: self.watchers[0].call("SENTINEL", "FAILOVER", MASTER) == b"OK", "no failover")
        return until(lambda: self.master if self.master is not old else None, "no other master")  # type: ignore[no-any-return]


@contextmanager
def sentinels(name: str) -> Iterator[Trio]:
    """Start a master, two replicas and three sentinels."""
    directory = Path(tempfile.mkdtemp(prefix="rt-"))
    nodes: list[Node] = []
    watchers: list[Watcher] = []
    try:
        ports = free_ports(6)
        for at, port in enumerate(ports[:3]):
            follow = ["--replicaof", f"127.0.0.1 {ports[0]}"] if at else []
            nodes.append(Node(name, directory / str(at), port, *follow, "--repl-diskless-sync-delay", "0"))
        for at, port in enumerate(ports[3:]):
            watchers.append(Watcher(name, directory / f"w{at}", port, ports[0]))
        trio = Trio(nodes, watchers)
        trio.settle()
        yield trio
    finally:
        for each in (*watchers, *nodes):
            each.stop()
        shutil.rmtree(directory, ignore_errors=True)
