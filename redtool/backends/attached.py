"""A store that another process has open, used through its socket; when that process ends, this one goes on by itself.

Values keep their types on the way (``CLIENT CAPA redtool``), so that nobody sees a difference to a store of one's own.
An owner that closes says how far it has come: what it has not run is run by the next owner, this process or another.
After an owner that died, a command whose fate is unknown is reported, and never run twice.
Threads may share it as they may a store of one's own: a command that waits has a connection to itself.
"""

from __future__ import annotations

from redtool.backends.connection import Connection, ConnectionLost
from redtool.backends.embedded import Embedded, first
from redtool.backends.remote import WAITING
from redtool.backends.shared import Shared
from redtool.backends.target import Target
from redtool.errors import ConnectError, ReplyError
from redtool.resp import OK
from redtool.server.place import socket_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from redtool.backends.remote import Word
    from redtool.commands.table import Command
    from redtool.resp import Push, Reply


class Door(Connection):
    """A connection to the owner of a store. ``handed`` tells that the owner has closed it in good order."""

    __slots__ = ("handed",)

    def __init__(self, target: Target) -> None:
        self.handed = False
        super().__init__(target)

    def _greet(self, user: str | None, password: str | None) -> None:
        reply = self.call("CLIENT", "CAPA", "redtool")
        if isinstance(reply, ReplyError):
            raise ConnectionLost(reply.message)

    def _take_in(self, data: bytes) -> None:
        super()._take_in(data)
        last = self._ready[-1] if self._ready else None
        if isinstance(last, ReplyError) and last.code == "HANDOVER":
            self._ready.pop()
            self.handed = True


class TakenOver(ConnectError):
    """There is no connection to an owner any more, for this process has become it."""


class Attached(Shared):
    """A store directory that somebody else has open. ``owned`` is the store once this process has taken it over."""

    remote = False

    def __init__(self, directory: str, name: str, own: Callable[[], Embedded], wait: float) -> None:
        self.owned: Embedded | None = None
        target = Target("remote")
        target.name = name
        super().__init__(target)
        self.name, self.directory = name, directory
        self.stop_asked: Callable[[], bool] | None = None
        self._own, self._wait = own, wait
        self._handed = False  # the last connection ended in good order
        self._heard: list[tuple[str, list[bytes]]] = []  # subscriptions that were lost with it

    @property
    def db(self) -> int:
        """The selected database."""
        return self._db if self.owned is None else self.owned.db

    @db.setter
    def db(self, db: int) -> None:
        self._db = db

    @property
    def in_multi(self) -> bool:
        """Whether commands are being queued."""
        return self._in_multi if self.owned is None else self.owned.in_multi

    @in_multi.setter
    def in_multi(self, in_multi: bool) -> None:
        self._in_multi = in_multi

    # -- who has the store

    def connect(self) -> Connection:
        """Connect to the owner if that is not done. TakenOver when this process has become the owner instead."""
        if self._connection is None:
            self.find()
            if self._connection is None:
                raise TakenOver("the store is open in this process")
        return self._connection

    def find(self) -> None:
        """Attach to the owner, or become it: whichever is possible first. StoreLocked when neither is for too long."""
        found = first(self._own, lambda: self if self.attach() else None, self._wait)
        if isinstance(found, Embedded):
            self._take_over(found)

    def attach(self) -> bool:
        """Connect to the owner. False when there is none that serves others."""
        path = socket_of(self.directory)
        if not path:
            return False
        self.target.socket = path
        self.target.timeout = max(self._wait, 0.1)
        try:
            door = Door(self.target)
            for command in self._habits():
                if isinstance(reply := door.call(*command), ReplyError):
                    door.close()
                    raise reply  # a user who is no more must not become another
            if self._home:
                self._reselect(door)
        except ConnectError:
            return False
        self._connection = door
        return True

    def _look(self) -> None:
        """See to it that there is an owner to speak to, or be it. ConnectError when more was lost than a connection."""
        if self.owned is None and (self._connection is None or not self._connection.poll()):
            gone = self._forget()
            self.find()
            if self._heard:
                self._listen_again()
            elif gone:
                raise ConnectError(f"the store's owner has ended: {gone}")

    def _take_over(self, store: Embedded) -> None:
        """Be the owner from now on, in the database and with the protocol of before."""
        if self.stop_asked is not None:
            store.stop_asked = self.stop_asked
        try:
            for command in self._habits():
                store.execute(*command)
            if self._home:
                store.execute(b"SELECT", b"%d" % self._home)
        except ReplyError:
            store.close()
            raise
        self.owned = store

    def _habits(self) -> Iterator[tuple[str, ...]]:
        """What makes another session one like this: the user, the protocol."""
        user, password = self._credentials or (None, None)
        if password is not None:
            yield ("AUTH", *((user,) if user else ()), password)
        if self.target.resp:
            yield ("HELLO", str(self.target.resp))

    def _forget(self) -> str:
        door = self._connection
        if isinstance(door, Door):
            self._handed = door.handed
        heard: list[tuple[str, list[bytes]]] = [
            (f"{kind.decode().upper()}SUBSCRIBE", sorted(names)) for kind, names in self._channels.items() if names
        ]
        if self._monitoring:
            heard.append(("MONITOR", []))
        self._heard = heard or self._heard
        return super()._forget()

    # -- commands

    def execute(self, *argv: Word) -> Reply:
        """Run one command, here or at the owner's; see Backend."""
        return super().execute(*argv) if self.owned is None else self.owned.execute(*argv)

    def helper(self) -> Attached:
        """A connection for commands that wait."""
        helper = super().helper()
        assert isinstance(helper, Attached)
        helper.stop_asked = self.stop_asked
        return helper

    def _attempt(self, name: bytes, words: list[bytes]) -> Reply:
        self._look()
        if self.owned is None:
            return super()._attempt(name, words)
        try:
            return self.owned.execute(*words)
        except ReplyError as error:
            return error

    def _after_loss(self, name: bytes, words: list[bytes], lost: ConnectionLost) -> Reply:
        """The owner has ended before it answered: go on elsewhere if that can do no harm."""
        from redtool.backends.routing import only_reads

        sent = self._connection.sent if self._connection else 0
        gone = self._forget()
        if name == b"SHUTDOWN" and sent:
            return OK  # an owner that obeys does not answer
        if gone and not self._heard:
            raise ConnectError(f"the store's owner has ended: {gone}") from None
        if sent and not self._handed and name not in WAITING and not only_reads(words):
            shown = name.decode("utf-8", "replace")
            raise ConnectError(f"the store's owner died while it ran {shown}: it may or may not have run") from None
        try:
            return self._attempt(name, words)
        except ConnectionLost as again:
            return self._after_loss(name, words, again)

    def pipeline(self, batch: Sequence[Sequence[Word]], stop: bool = False) -> list[Reply]:
        """Run commands in order; see Backend. What an owner that closed has not run is run elsewhere."""
        replies: list[Reply] = []
        while True:
            rest = batch[len(replies) :]
            self._look()
            if self.owned is not None:
                return replies + self.owned.pipeline(rest, stop)
            in_multi, self._handed = self.in_multi, False
            try:
                return replies + super().pipeline(rest, stop)
            except ConnectError as error:
                replies += getattr(error, "replies", ())
                if in_multi or not (self._handed or self.owned is not None):  # else the rest has not run
                    lost = ConnectionLost(*error.args)
                    lost.replies = tuple(replies)
                    raise lost from None

    @property
    def listening(self) -> bool:
        """Whether messages come: there are subscriptions, or MONITOR runs."""
        return super().listening if self.owned is None else self.owned.listening

    def messages(self) -> Iterator[Push]:
        """Messages of subscriptions and MONITOR, on from the next owner when one has ended."""
        while self.owned is None:
            if not (yield from self.come()):
                if not self.listening:
                    return
                self.await_news()
        yield from self.owned.messages()

    def arrived(self) -> list[Push]:
        """The messages that have come, without waiting."""
        with self._lock:
            if self.owned is None:
                try:
                    return super().arrived()
                except ConnectError:
                    if not self._heard:
                        raise
                self.find()
                self._listen_again()
            return [] if self.owned is None else list(self.owned.arrived())

    def fileno(self) -> int:
        """The descriptor that messages come on; -1 when they come from this process, or there is none just now."""
        return -1 if self.owned is not None or self._connection is None else self._connection.fileno()

    def _listen_again(self) -> None:
        """Subscribe to what was subscribed to before."""
        heard, self._heard = self._heard, []
        for command, names in heard:
            self.execute(command, *names)

    # -- what else a backend has

    def sibling(self, target: Target | None = None) -> Attached:
        """Another client of the same store; through its socket, even when this process is the owner."""
        return Attached(self.directory, self.name, self._own, self._wait)

    def client(self) -> Embedded | Shared:
        """Another client of the same store: with a database, transactions and subscriptions of its own."""
        return super().client() if self.owned is None else self.owned.client()

    @property
    def socket(self) -> str:
        """The path of the socket on which the store is served to clients of any kind."""
        return socket_of(self.directory) if self.owned is None else self.owned.socket

    def commands(self) -> Mapping[bytes, Command]:
        """The whole command table: the owner is redtool, too."""
        from redtool.commands.table import load_all

        return load_all()

    def speak(self, proto: int) -> None:
        """Have replies in the shapes of RESP2 or RESP3."""
        self.execute("HELLO", str(proto))

    def tick(self) -> None:
        """Housekeeping of an owner."""
        if self.owned is not None:
            self.owned.tick()

    def close(self) -> None:
        """Close the connection, or the store. Safe to call twice."""
        if self.owned is not None:
            self.owned.close()
        super().close()
        self._heard = []
