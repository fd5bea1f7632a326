"""Subscriptions and MONITOR in a cluster: connections of their own, to one node or to several, heard as one.

A message that is published anywhere reaches all nodes, so channels and patterns need one; a shard channel is at home on
the node of its slot, and MONITOR runs on every master.
"""

from __future__ import annotations

from redtool.backends.connection import ALERT_MS
from redtool.backends.remote import SUBSCRIBING
from redtool.commands.cluster import slot_of
from redtool.resp import OK, Push, Replies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Protocol

    from redtool.backends.nodes import Nodes
    from redtool.backends.remote import Remote
    from redtool.backends.topology import Address
    from redtool.resp import Reply

    class Source(Protocol):
        """What hears messages."""

        @property
        def listening(self) -> bool: ...

        def await_news(self) -> None: ...


def stream(source: Source, arrived: Callable[[], list[Push]]) -> Iterator[Push]:
    """The messages of what listens to several connections: waits for more as long as there are subscriptions."""
    while True:
        come = arrived()
        yield from come
        if not come:
            if not source.listening:
                return
            source.await_news()


class Listeners:
    """The connections that wait for messages, by address."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._remotes: dict[Address, Remote] = {}
        self._main: Address | None = None  # where channels and patterns are subscribed to

    def run(self, name: bytes, words: list[bytes]) -> Reply:
        """Run a subscribing command, or MONITOR. Raises ReplyError as a node does."""
        if name == b"MONITOR":
            for address in self._nodes.topology.masters:
                self._at(address).execute(*words)
            return OK
        if name not in (b"SSUBSCRIBE", b"SUNSUBSCRIBE"):
            self._main = self._main or self._nodes.home
            return self._at(self._main).execute(*words)
        if len(words) == 1 and not SUBSCRIBING[name][1]:
            return _together([each.execute(*words) for each in self._remotes.values()])
        parts: dict[Address, list[bytes]] = {}
        for channel in words[1:]:
            parts.setdefault(self._nodes.owner(slot_of(channel)), []).append(channel)
        if not parts:
            return self._at(self._nodes.home).execute(*words)  # it says what is wrong
        return _together([self._subscribe(address, words[0], part) for address, part in parts.items()])

    def _subscribe(self, address: Address, word: bytes, channels: list[bytes]) -> Reply:
        """Subscribe on one node; a slot at a time, for a command is on keys of one slot."""
        by_slot: dict[int, list[bytes]] = {}
        for channel in channels:
            by_slot.setdefault(slot_of(channel), []).append(channel)
        return _together([self._at(address).execute(word, *part) for part in by_slot.values()])

    def _at(self, address: Address) -> Remote:
        found = self._remotes.get(address)
        if found is None:
            node = self._nodes.node(address)
            found = self._remotes[address] = node.sibling()
        return found

    @property
    def listening(self) -> bool:
        return any(remote.listening for remote in self._remotes.values())

    def arrived(self) -> list[Push]:
        """The messages that have come, without waiting. ConnectError when subscriptions have ended."""
        return [push for remote in (*self._nodes.opened(), *self._remotes.values()) for push in remote.arrived()]

    def await_news(self) -> None:
        """Wait until messages may have come, for a moment: Python then looks for signals."""
        from select import POLLIN, poll

        poller = poll()
        for remote in tuple(self._remotes.values()):
            if remote.listening:
                poller.register(remote.fileno(), POLLIN)
        poller.poll(ALERT_MS)

    def close(self) -> None:
        for remote in self._remotes.values():
            remote.close()
        self._remotes.clear()
        self._main = None


def _together(replies: list[Reply]) -> Reply:
    """The confirmations of several nodes."""
    return Replies([each for reply in replies for each in (reply if isinstance(reply, list) else [reply])])
