"""The nodes of a cluster: a client each, opened when it is first needed, and the map of who serves what."""

from __future__ import annotations

from redtool.backends.remote import Remote
from redtool.backends.target import written
from redtool.backends.topology import Topology
from redtool.errors import ConnectError, ReplyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from redtool.backends.target import Target
    from redtool.backends.topology import Address

NOT_SERVED = "CLUSTERDOWN Hash slot not served"
ALONE = "ERR This instance has cluster support disabled"


class NoCluster(Exception):
    """The server is one by itself."""


class Lost(ConnectError):
    """A node is out of reach; ``address`` says which."""

    def __init__(self, address: Address, text: str) -> None:
        super().__init__(text)
        self.address = address


class Nodes:
    """``topology`` is what is known of the cluster; ``node`` gives the client of an address."""

    def __init__(self, target: Target, warn: Callable[[str], None] | None = None) -> None:
        self.target, self.warn = target, warn
        self.topology = Topology()
        self._open: dict[Address, Remote] = {}
        self._first = Remote(target)  # a way in: holds the credentials that the others share

    def join(self) -> None:
        """Ask the first address that answers for the map. NoCluster when it knows of none."""
        self._first.know_credentials()  # a password is asked for once, not for each node
        trouble: ConnectError | None = None
        for address in self.target.seeds or ((self.target.host, self.target.port),):
            try:
                # A unix socket is a way in like an address, but says nothing of the others
                way_in = self._first if self.target.socket else self.node(address)
                self._ask(way_in, address)
                return
            except ConnectError as error:
                trouble = trouble or error
        raise trouble or ConnectError(f"{self.target}: no address")

    def _ask(self, node: Remote, address: Address) -> None:
        try:
            reply = node.execute(b"CLUSTER", b"SLOTS")
        except ReplyError as error:
            if error.message == ALONE:
                raise NoCluster from None
            raise ConnectError(f"{written(*address)}: {error.message}") from None
        self.topology.read(reply, address)

    def refresh(self, failed: Address | None = None, moved: dict[int, Address] | None = None) -> None:
        """Ask for the map anew, the node that failed last; what nodes said of single slots goes before it."""
        known = [*self.topology.nodes, *self.target.seeds]
        for address in sorted(dict.fromkeys(known), key=lambda address: address == failed):
            try:
                self._ask(self.node(address), address)
                break
            except ConnectError:
                self.node(address).close()
        for slot, to in (moved or {}).items():
            self.topology.move(slot, to)

    def node(self, address: Address) -> Remote:
        """The client of a node; it connects when it is first used."""
        found = self._open.get(address)
        if found is None:
            found = self._open[address] = self._first.sibling(self.target.at(*address))
        return found

    def owner(self, slot: int) -> Address:
        """Who serves a slot; without one, any master. Raises ReplyError as a node does when nobody serves it."""
        if slot < 0:
            return self.home
        address = self.topology.owners[slot]
        if address is None:
            raise ReplyError.of(NOT_SERVED)
        return address

    @property
    def home(self) -> Address:
        """The node for what concerns none in particular: the address that was given, if it is a master."""
        masters = self.topology.masters
        if not masters:
            return self.target.seeds[0] if self.target.seeds else (self.target.host, self.target.port)
        return next((seed for seed in self.target.seeds if seed in masters), masters[0])

    def adopt(self, node: Remote) -> None:
        """Take over the user and the protocol that were chosen on one node; the others are opened anew with them."""
        for remote in self._open.values():
            if remote is not node:
                remote.close()
        self._open = {address: remote for address, remote in self._open.items() if remote is node}
        self.target.resp = node.target.resp
        self._first.adopt(node)

    def opened(self) -> Iterator[Remote]:
        yield from tuple(self._open.values())

    def sibling(self) -> Nodes:
        """Other clients of the same nodes, with the same credentials and map."""
        other = Nodes(self.target)
        other._first = self._first.sibling()
        other.topology = self.topology
        return other

    def close(self) -> None:
        for remote in (*self._open.values(), self._first):
            remote.close()
