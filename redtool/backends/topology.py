"""The map of a cluster: which node serves which slot, learned from CLUSTER SLOTS and corrected by MOVED."""

from __future__ import annotations

from redtool.backends.target import written
from redtool.commands.cluster import SLOTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from redtool.resp import Reply

Address = tuple[str, int]


class Shard:
    """A master with the lowest slot it serves, by which it is found again, and its replicas."""

    __slots__ = ("low", "master", "replicas")

    def __init__(self, low: int, master: Address) -> None:
        self.low, self.master = low, master
        self.replicas: list[Address] = []

    @property
    def name(self) -> bytes:
        return written(*self.master).encode()


class Topology:
    """``owners`` gives the address of each slot's master, None where nobody serves it."""

    def __init__(self) -> None:
        self.owners: list[Address | None] = [None] * SLOTS
        self.shards: list[Shard] = []

    def read(self, reply: Reply, asked: Address) -> None:
        """Take over what CLUSTER SLOTS says: [[first, last, [host, port, …] of the master, of replicas…], …].

        A host that is empty, or null, is that of the node that was asked.
        """
        owners: list[Address | None] = [None] * SLOTS
        found: dict[Address, Shard] = {}
        entries: Any = reply
        for first, last, *nodes in sorted(entries, key=lambda entry: entry[0]):
            master, *replicas = (_address(node, asked) for node in nodes)
            owners[first : last + 1] = [master] * (last + 1 - first)
            shard = found.setdefault(master, Shard(first, master))
            shard.replicas += [each for each in replicas if each not in shard.replicas]
        self.owners, self.shards = owners, list(found.values())

    def move(self, slot: int, address: Address) -> None:
        """Take over what one MOVED says. Who holds ``owners`` from before, to compare, keeps it as it was."""
        self.owners = [*self.owners[:slot], address, *self.owners[slot + 1 :]]

    @property
    def masters(self) -> list[Address]:
        return [shard.master for shard in self.shards]

    @property
    def nodes(self) -> list[Address]:
        """Masters first."""
        return self.masters + [each for shard in self.shards for each in shard.replicas]

    def after(self, slot: int) -> Shard | None:
        """The first shard whose lowest slot is greater."""
        return next((shard for shard in self.shards if shard.low > slot), None)


def _address(node: Any, asked: Address) -> Address:
    host = node[0].decode() if isinstance(node[0], bytes) else ""
    return (host if host and host != "?" else asked[0]), node[1]


class Redirect:
    """An error reply that says where a command is to be run; it has not run where it was sent."""

    __slots__ = ("address", "ask", "slot")

    def __init__(self, slot: int, address: Address, ask: bool) -> None:
        self.slot, self.address, self.ask = slot, address, ask


def redirect(message: str, asked: Address) -> Redirect | None:
    """Read ``MOVED slot host:port`` or ``ASK slot host:port``; None for any other text."""
    words = message.split(" ")
    if words[0] not in ("MOVED", "ASK") or len(words) != 3 or not words[1].isdigit():
        return None
    host, colon, port = words[2].rpartition(":")
    if not colon or not port.isdigit():
        return None
    return Redirect(int(words[1]), (host.strip("[]") or asked[0], int(port)), words[0] == "ASK")


# Error replies that say: not now. The command has not run, and will be runnable when the cluster has settled.
UNSETTLED = frozenset((
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "CLUSTERDOWN The cluster is down",
    "CLUSTERDOWN The cluster is down and only accepts read commands",
    "CLUSTERDOWN Hash slot not served",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
    "READONLY You can't write against a read only replica.",
))  # fmt: skip


def unsettled(message: str) -> bool:
    """Whether an error reply says that a command has not run and may be sent again, a little later."""
    return message in UNSETTLED or message.startswith("LOADING ")
