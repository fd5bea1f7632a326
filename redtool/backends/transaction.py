"""MULTI in a cluster: on the node of the first key, and on keys of that slot only.

Until a key has told the node, commands wait here. WATCH binds to a node as a first key does.
"""

from __future__ import annotations

from redtool.backends.routing import ANY, CROSSED
from redtool.backends.topology import redirect
from redtool.errors import ConnectError, ReplyError
from redtool.resp import OK, QUEUED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.backends.nodes import Nodes
    from redtool.backends.remote import Remote
    from redtool.backends.topology import Address
    from redtool.resp import Reply

NAMES = frozenset((b"MULTI", b"EXEC", b"DISCARD", b"WATCH", b"UNWATCH"))
ABORTED = "EXECABORT Transaction discarded because of previous errors."
TRIES = 5  # nodes to ask, when each says that the slot has moved to another


class Transaction:
    """``open`` between MULTI and EXEC. Errors are values; ConnectError when the node is lost, and all with it."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self.reset()

    def reset(self) -> None:
        """Forget everything, as after the connection has ended."""
        self.open = self._spoiled = False
        self._slot = ANY
        self._address: Address | None = None
        self._held: list[list[bytes]] = []

    def takes(self, name: bytes) -> bool:
        return self.open or name in NAMES

    def run(self, name: bytes, words: list[bytes], slots: set[int]) -> Reply:
        try:
            if name in (b"EXEC", b"DISCARD"):
                return self._end(name, words)
            if name == b"MULTI" or (name == b"UNWATCH" and not self.open):
                return self._plain(name, words)
            return self._on_keys(name, words, slots)
        except ConnectError:
            self.reset()
            raise

    def _plain(self, name: bytes, words: list[bytes]) -> Reply:
        """MULTI and UNWATCH, which name no key: they go to the node there is, or wait for one."""
        if self._address is not None:
            reply = self._send(words)
            if name == b"UNWATCH" and reply == OK:
                self.reset()
        elif self.open:
            self._spoiled = True
            reply = ReplyError.of("ERR Command 'multi' not allowed inside a transaction")
        elif len(words) > 1:
            reply = self._ask(self._nodes.node(self._nodes.home), words)  # it says what is wrong
        else:
            reply = OK
        self.open = self.open or (name == b"MULTI" and reply == OK)
        return reply

    def _end(self, name: bytes, words: list[bytes]) -> Reply:
        if self._address is None and not self.open:
            return self._ask(self._nodes.node(self._nodes.home), words)
        if len(words) > 1:  # no end after all
            self._spoiled = True
            return ReplyError.of(f"ERR wrong number of arguments for '{name.decode().lower()}' command")
        if self._spoiled or (name == b"DISCARD" and self._address is None):
            if self._address is not None:
                self._send([b"DISCARD"])
            reply: Reply = OK if name == b"DISCARD" else ReplyError.of(ABORTED)
        else:
            if self._address is None:
                self._bind(ANY, [])
            reply = self._send(words)
            if isinstance(reply, ReplyError) and self._moved(reply):
                reply = ReplyError.of(f"EXECABORT Transaction discarded because slot {self._slot} is moving to another "
                                      "node; none of it has run")  # fmt: skip
        self.reset()
        return reply

    def _on_keys(self, name: bytes, words: list[bytes], slots: set[int]) -> Reply:
        slot = next(iter(slots), ANY)
        if len(slots) > 1 or (slots and self._slot not in (ANY, slot)):
            self._spoiled = self.open
            return ReplyError.of(f"{CROSSED}: a transaction in a cluster is on keys of one slot")
        if self._address is not None:
            self._slot = slot if self._slot == ANY else self._slot
            reply = self._send(words)
        elif slot == ANY:
            self._held.append(words)
            return QUEUED
        else:
            reply = self._bind(slot, words)
        if isinstance(reply, ReplyError) and self._moved(reply):
            self._spoiled = self.open
        return reply

    def _bind(self, slot: int, words: list[bytes]) -> Reply:
        """Go to the node of a slot with what has been said so far. Nothing has run yet: a wrong node does no harm."""
        reply: Reply = OK
        for _ in range(TRIES):
            try:
                self._address = self._nodes.owner(slot)
            except ReplyError as error:
                return error
            for line in ([[b"MULTI"]] if self.open else []) + self._held + ([words] if words else []):
                reply = self._send(line)
            if not isinstance(reply, ReplyError) or not self._moved(reply):
                break
            if self.open:
                self._send([b"DISCARD"])
        self._slot = slot
        return reply

    def _moved(self, error: ReplyError) -> bool:
        """Whether a node says that it does not serve the slot; the map is corrected then."""
        assert self._address is not None
        to = redirect(error.message, self._address)
        if to is not None:
            self._nodes.refresh(None, {} if to.ask else {to.slot: to.address})
        return to is not None

    def _send(self, words: list[bytes]) -> Reply:
        assert self._address is not None
        return self._ask(self._nodes.node(self._address), words)

    def _ask(self, node: Remote, words: list[bytes]) -> Reply:
        try:
            return node.execute(*words)
        except ReplyError as error:
            return error
