"""A server that the threads of a program share: a command that waits has a connection to itself, and others go on."""

from __future__ import annotations

from _thread import RLock

from redtool.backends import to_bytes
from redtool.backends.remote import WAITING, Remote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from redtool.backends.embedded import Embedded
    from redtool.backends.remote import Word
    from redtool.backends.target import Target
    from redtool.resp import Push, Reply

LOOK = 0.1  # seconds after which a wait for messages looks around


class Shared(Remote):
    """Remote, safe for several threads. A transaction, WATCH and subscriptions belong to it as a whole."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._lock = RLock()
        self._idle: list[Shared] = []  # connections for commands that wait
        self.helps = False  # it is one of them

    def execute(self, *argv: Word) -> Reply:
        """Run one command; see Backend."""
        if not self.helps and argv and to_bytes(argv[0]).upper() in WAITING and not self.in_multi:
            return self._wait_apart(argv)
        with self._lock:
            return super().execute(*argv)

    def _wait_apart(self, argv: Sequence[Word]) -> Reply:
        """Run a command that may wait on another connection: other threads go on."""
        with self._lock:
            helper = self._idle.pop() if self._idle else self.helper()
        try:
            helper.follow(self)
            return helper.execute(*argv)
        finally:
            with self._lock:
                self._idle.append(helper)

    def helper(self) -> Shared:
        """A connection for commands that wait."""
        helper = self.sibling()
        helper.helps = True
        return helper

    def follow(self, other: Shared) -> None:
        """Be in the database and speak the protocol of another client, whose command is to be run here."""
        if other.target.resp and other.target.resp != self.target.resp:
            self.execute("HELLO", str(other.target.resp))
        if self.db != other.db:
            self.execute("SELECT", other.db)

    def pipeline(self, batch: Sequence[Sequence[Word]], stop: bool = False) -> list[Reply]:
        """Run commands in order; see Backend."""
        with self._lock:
            return super().pipeline(batch, stop)

    def messages(self) -> Iterator[Push]:
        """Messages of subscriptions and MONITOR; see Backend."""
        while True:
            if not (yield from self.come()):
                if not self.listening:
                    return
                self.await_news()

    def come(self) -> Generator[Push, None, bool]:
        """What has come, one by one: who stops in the middle leaves the rest to the next. True: it was any."""
        come = self.arrived()
        found = bool(come)
        try:
            while come:
                yield come.pop(0)
        finally:
            self.put_back(come)
        return found

    def put_back(self, messages: list[Push]) -> None:
        """Have messages come again, first of all."""
        self._messages[:0] = messages

    def arrived(self) -> list[Push]:
        """The messages that have come, without waiting."""
        with self._lock:
            return super().arrived()

    def await_news(self) -> None:
        """Wait until messages may have come, for a while: nobody else is held up. Ctrl-C closes the connection."""
        from select import select

        try:
            if (fd := self.fileno()) >= 0:
                select([fd], [], [], LOOK)
        except BaseException:
            with self._lock:
                self._forget()
            raise

    def client(self) -> Embedded | Shared:
        """Another client of the same server, with a database, transactions and subscriptions of its own."""
        from redtool.backends.forked import note

        other = self.sibling()
        note(other)
        return other

    def sibling(self, target: Target | None = None) -> Shared:
        """Another client of the same server with the same credentials; it connects when it is first used."""
        other = Shared(target or self.target)
        other.adopt(self)
        return other

    def disown(self) -> None:
        """Leave the connections to the parent, in a process that was forked: what is used again is opened anew."""
        self._lock = RLock()
        self._idle.clear()
        self._forget()

    def close(self) -> None:
        """Close the connections. Safe to call twice; a command would open one again."""
        for helper in self._idle:
            helper.close()
        super().close()
