"""A client in the process that has the store open: bytes in, bytes out, commands run in the caller's thread, no socket.

The server's ``Connection`` does the work: a line is what it has for a listener, and gives it something for a socket.
"""

from __future__ import annotations

from collections import deque
from errno import EPIPE
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from redtool import errors
from redtool.server.connection import Connection
from redtool.server.loop import Timer

if TYPE_CHECKING:
    from collections.abc import Callable

    from redtool.store import Store

NEVER = 1 << 62


class NoLimits:
    """What a client in the process may take: it is a part of it."""

    query = NEVER

    def grown(self, connection: Connection) -> None:
        """Nobody counts."""

    def overrun(self, connection: Connection) -> bool:
        return False


class Socket:
    """What a Connection reads and writes: what the client has given, and what it is to take."""

    def __init__(self, told: Callable[[], object]) -> None:
        self.told = told
        self.given = b""
        self.arrived: deque[bytes | memoryview] = deque()
        self.closed = False

    def recv(self, most: int) -> bytes:
        data, self.given = self.given, b""
        return data

    def send(self, data: bytes) -> int:
        self.arrived.append(data)
        return len(data)

    def fileno(self) -> int:
        return -1

    def getsockname(self) -> str:
        return "embedded"

    def shutdown(self, how: int) -> None:
        self.close()

    def close(self) -> None:
        self.closed = True
        self.told()


class Line:
    """One client of a store.

    ``send`` runs what it is given; ``take`` gives what the client is to read. ``told`` is called whenever there may be
    something to do: then ``turn``. It is called with the store's lock held, perhaps in another thread.
    """

    def __init__(self, store: Store, told: Callable[[], object]) -> None:
        self.store, self.lock, self.told = store, store.lock, told
        self.loop, self.limits = self, NoLimits()
        self.made = 0
        self.next: list[Connection] = []  # there is more to be run than fits into a turn
        self.large_request = self.large_reply = NEVER  # what passes between two parts of a process is no traffic
        self.connections: set[Connection] = set()
        self.dirty: list[Connection] = []
        self._soon: dict[Callable[[], object], None] = {}
        self._timer: Timer | None = None
        self._socket = Socket(told)
        self.arrived = self._socket.arrived  # what the client has not taken yet
        with self.lock:
            self.connection = Connection(cast("Any", self), cast("Any", self._socket))
            self.connections.add(self.connection)

    # -- for the client

    def send(self, data: bytes) -> None:
        """Run the commands that are complete with this, up to one that waits."""
        with self.lock:
            if self._socket.closed:
                raise BrokenPipeError(EPIPE, "the store has closed the connection")
            if data:
                self._socket.given = data
                self.connection.readable()
                self.settle()

    def turn(self) -> None:
        """Do what has become due: commands behind one that waited, its time that is up, messages."""
        with self.lock:
            timer = self._timer
            if timer is not None and timer.when <= monotonic():
                self._timer = None
                if timer.call is not None:
                    timer.call()
            self.settle()

    def due(self) -> float | None:
        """Seconds until ``turn`` is to be called even if nothing happens; None when it is not."""
        timer = self._timer
        if timer is None or timer.call is None:
            return None
        return max(timer.when - monotonic(), 0.0)

    def take(self, most: int) -> bytes | memoryview:
        """Give some of what is to be read; nothing when there is nothing yet."""
        arrived = self.arrived
        if not arrived:
            return b""
        piece = arrived.popleft()
        if len(piece) > most:
            rest = memoryview(piece)
            arrived.appendleft(rest[most:])
            return rest[:most]
        return piece

    @property
    def waits(self) -> bool:
        """Whether a command of this client waits, or it listens to something: then ``keep_house`` from time to time."""
        connection = self.connection
        return connection.waiter is not None or connection.session.listens or bool(self.store.monitors)

    def keep_house(self) -> None:
        """Let deadlines pass and pauses end while nobody runs a command."""
        with self.lock:
            if not self.store.busy:
                self.store.tick()
            self.settle()

    @property
    def closed(self) -> bool:
        """Whether the connection has ended; there may be something left to take."""
        return self._socket.closed

    def hang_up(self) -> None:
        """The client goes: what it waited for stays for others. Safe to call twice."""
        with self.lock:
            self.connection.lost()
            self.settle()

    # -- as the connection's listener

    def settle(self) -> None:
        """Make the calls that were put off, write the journal, hand out replies."""
        while self._soon or self.next:
            calls, self._soon = list(self._soon), {}
            for call in calls:
                call()
            self.made = 0
            again, self.next = self.next, []
            for connection in again:
                connection.go_on()
        kept = True
        if self.store.unflushed():
            try:
                self.store.flush()
            except errors.StoreError:
                kept = False  # then nothing that was written is acknowledged
        dirty, self.dirty = self.dirty, []
        for connection in dirty:
            connection.write(kept)

    def soon(self, call: Callable[[], object]) -> None:
        self._soon[call] = None
        self.told()

    def touch(self, connection: Connection) -> None:
        if not connection.dirty:
            connection.dirty = True
            self.dirty.append(connection)
            self.told()

    def later(self, seconds: float, call: Callable[[], object]) -> Timer:
        self._timer = Timer(monotonic() + seconds, 0, call)
        self.told()
        return self._timer

    def forget(self, fd: int) -> None:
        """There is no descriptor."""
