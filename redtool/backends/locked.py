"""A cluster, or a master under sentinels, that the threads of a program share.

A command that waits has a client of its own, so that others go on; all else is done one after the other.
"""

from __future__ import annotations

from _thread import RLock

from redtool.backends import to_bytes
from redtool.backends.remote import WAITING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from redtool.backends.cluster import Cluster
    from redtool.backends.remote import Word
    from redtool.backends.sentinel import Sentinel
    from redtool.commands.table import Command
    from redtool.resp import Push, Reply


class Locked:
    """Cluster or Sentinel, safe for several threads. A transaction, WATCH and subscriptions belong to it as a whole."""

    remote = True

    def __init__(self, inner: Cluster | Sentinel) -> None:
        self._inner, self._lock = inner, RLock()
        self._idle: list[Cluster | Sentinel] = []  # clients for commands that wait

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def db(self) -> int:
        return self._inner.db

    @property
    def in_multi(self) -> bool:
        return self._inner.in_multi

    def execute(self, *argv: Word) -> Reply:
        """Run one command; see Backend."""
        if argv and to_bytes(argv[0]).upper() in WAITING and not self.in_multi:
            return self._wait_apart(argv)
        with self._lock:
            return self._inner.execute(*argv)

    def _wait_apart(self, argv: Sequence[Word]) -> Reply:
        with self._lock:
            helper = self._idle.pop() if self._idle else self._inner.sibling()
        try:
            if helper.db != self.db:
                helper.execute("SELECT", self.db)
            return helper.execute(*argv)
        finally:
            with self._lock:
                self._idle.append(helper)

    def pipeline(self, batch: Sequence[Sequence[Word]], stop: bool = False) -> list[Reply]:
        """Run commands in order; see Backend."""
        with self._lock:
            return self._inner.pipeline(batch, stop)

    def messages(self) -> Iterator[Push]:
        """Messages of subscriptions and MONITOR; see Backend."""
        from redtool.backends.listeners import stream

        return stream(self._inner, self._arrived)

    def _arrived(self) -> list[Push]:
        with self._lock:
            return self._inner.arrived()

    def commands(self) -> Mapping[bytes, Command]:
        """The commands that a node knows."""
        with self._lock:
            return self._inner.commands()

    def client(self) -> Locked:
        """Another client with transactions and subscriptions of its own."""
        with self._lock:
            return Locked(self._inner.sibling())

    def close(self) -> None:
        """Close all connections. Safe to call twice; a command would open them again."""
        with self._lock:
            for each in (*self._idle, self._inner):
                each.close()
            self._idle.clear()

    def __enter__(self) -> Locked:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
