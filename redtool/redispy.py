"""A way in for programs written for redis-py: its clients on a store of this process, with no server and no socket.

``redis(path)`` makes a ``redis.Redis``, ``async_redis(path)`` a ``redis.asyncio.Redis``. Where a program makes pools of
its own, ``StoreConnection`` and ``AsyncStoreConnection`` are connection classes for them, with the ``path`` of a store.
Connections of one path share the store, which is open as long as one of them is. While another process has it open,
they go through that one's socket.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from errno import EAGAIN, EPIPE
from threading import Condition, Lock, get_ident
from time import monotonic
from typing import TYPE_CHECKING, Any

from redtool.errors import RedtoolError, UsageError
from redtool.server.line import Line

try:
    from redis import ConnectionError, ConnectionPool, Redis, ResponseError
    from redis import asyncio as redis_asyncio
    from redis.asyncio.connection import UnixDomainSocketConnection as AsyncUnix
    from redis.connection import UnixDomainSocketConnection as Unix
except ImportError:
    raise UsageError("this needs redis-py: pip install redis") from None

if TYPE_CHECKING:
    from collections.abc import Iterable

    from redtool.backends.embedded import Embedded

    Place = str | os.PathLike[str]

TICK = 0.1  # seconds between rounds of housekeeping while a connection waits


class Stores:
    """The stores that connections of this process use, by path: each is open as long as somebody uses it."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew: in a process that was forked the stores are its parent's."""
        self._lock = Lock()
        self._open: dict[str, tuple[Embedded, int]] = {}

    def borrow(self, path: Place) -> Embedded | str:
        """Give the store, opening it for the first one who asks, or the socket at which another process serves it.

        Raises what opening it raises.
        """
        from redtool.backends.attached import Attached
        from redtool.backends.embedded import open_store
        from redtool.server.place import socket_of

        name = path if path == ":memory:" else os.path.realpath(path)
        with self._lock:
            if name in self._open:
                store, users = self._open[name]
            else:
                opened, users = open_store(path), 0
                if isinstance(opened, Attached):
                    opened.close()
                    return socket_of(opened.directory)
                store = opened
            self._open[name] = (store, users + 1)
            return store

    def give_back(self, store: Embedded) -> None:
        """Close a store that nobody uses any more."""
        with self._lock:
            found = next((name for name, (one, _) in self._open.items() if one is store), None)
            if found is None:
                return
            users = self._open[found][1] - 1
            if users:
                self._open[found] = (store, users)
            else:
                del self._open[found]
                store.close()


STORES = Stores()
os.register_at_fork(after_in_child=STORES.forget)


class Pipe:
    """A line to a store as the blocking redis-py sees it: the methods of a socket that it uses."""

    def __init__(self, store: Embedded, borrowed: bool) -> None:
        self.store, self.borrowed = store, borrowed
        self.timeout: float | None = None
        self._told = Condition(store.store.lock)
        self.line = Line(store.store, self._told.notify_all)

    def sendall(self, data: bytes | memoryview) -> None:
        if self.store.closed:
            raise BrokenPipeError(EPIPE, "the store is closed")
        self.line.send(data if type(data) is bytes else bytes(data))

    def settimeout(self, timeout: float | None) -> None:
        self.timeout = timeout

    def wait(self, timeout: float | None) -> bool:
        """Wait so many seconds, None for ever, until there is something to read or the connection has ended."""
        line = self.line
        if line.arrived or line.closed or self.store.closed:
            return True
        end = None if timeout is None else monotonic() + timeout
        with self._told:
            while True:
                line.turn()
                if line.arrived or line.closed or self.store.closed:
                    return True
                left = TICK if end is None else min(end - monotonic(), TICK)
                if left <= 0:
                    return False
                due = line.due()
                if not self._told.wait(left if due is None else min(left, due)):
                    line.keep_house()

    def recv(self, most: int) -> bytes:
        """As a socket's: TimeoutError when the time is up, BlockingIOError when there was none to wait."""
        if not self.wait(self.timeout):
            raise TimeoutError("timed out") if self.timeout else BlockingIOError(EAGAIN, "nothing has come")
        return bytes(self.line.take(most))

    def recv_into(self, buffer: bytearray) -> int:
        data = self.recv(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def shutdown(self, how: int) -> None:
        """Nothing is left to be sent."""

    def close(self) -> None:
        """Hang up. The store is closed when this was the last connection that borrowed it."""
        if not self.store.closed:
            self.line.hang_up()
        if self.borrowed:
            self.borrowed = False
            STORES.give_back(self.store)


class StoreConnection(Unix):
    """A connection of redis-py to the store at ``path``, or to one that is open: ``store``."""

    def __init__(self, path: Place | None = None, store: Embedded | None = None, **options: Any) -> None:
        above: Any = super()
        above.__init__(path="", **options)
        self.place, self.store = path, store

    def _connect(self) -> Any:
        found = self.store or borrow(self.place)
        if not isinstance(found, str):
            return Pipe(found, borrowed=self.store is None)
        self.path = found
        above: Any = super()
        return above._connect()

    def activate_maint_notifications_handling_if_enabled(self, check_health: bool = True) -> None:
        """A store does not move to another host: redis-py 7 would ask where this one is."""

    def can_read(self, timeout: float | None = 0) -> bool:
        """Tell whether there is something to read, waiting so many seconds for it. ConnectionError at the end."""
        myself: Any = self
        if not self._sock:
            myself.connect()
        pipe = myself._sock
        if not isinstance(pipe, Pipe):
            above: Any = super()
            return bool(above.can_read(timeout))
        reader = getattr(myself._parser, "_reader", None)  # hiredis's, or there is a parser in Python
        if reader.has_data() if reader is not None else myself._parser._buffer.unread_bytes():
            return True
        if not pipe.wait(timeout):
            return False
        if not pipe.line.arrived:
            myself.disconnect()
            raise ConnectionError("the store has closed the connection")
        return True

    def repr_pieces(self) -> list[tuple[str, Any]]:
        return [("store", self.place or self.store), ("db", self.db)]

    def _host_error(self) -> str:
        return f"store {self.place or (self.store.name if self.store else '')}"


def borrow(place: Place | None) -> Embedded | str:
    """Open a store for a connection; what is wrong is told as redis-py tells that a server cannot be reached."""
    if place is None:
        raise UsageError("a connection to a store needs its path")
    try:
        while True:
            found = STORES.borrow(place)
            if found != "":  # its owner has ended meanwhile
                return found
    except RedtoolError as error:
        raise ConnectionRefusedError(str(error)) from error


class Writer:
    """A line to a store as redis.asyncio sees it: a StreamWriter, and what feeds the StreamReader."""

    def __init__(self, store: Embedded, borrowed: bool, reader: asyncio.StreamReader) -> None:
        self.store, self.borrowed, self.reader = store, borrowed, reader
        self.loop, self.home = asyncio.get_running_loop(), get_ident()
        self._due = self._ended = False  # ``_turn`` will be called; the reader was told of the end
        self._alarm: asyncio.TimerHandle | None = None
        self.line = Line(store.store, self._told)

    def _told(self) -> None:
        """There may be something to do. Perhaps another thread says so, and perhaps the loop has ended meanwhile."""
        if not self._due and not self.loop.is_closed():
            self._due = True
            (self.loop.call_soon if get_ident() == self.home else self.loop.call_soon_threadsafe)(self._turn)

    def _turn(self) -> None:
        self._due = False
        self.line.turn()
        self._hand_on()

    def _hand_on(self) -> None:
        """Give the reader what has arrived, and see to it that time does not stand still for one who waits."""
        line = self.line
        while line.arrived:
            self.reader.feed_data(bytes(line.take(1 << 20)))
        if (line.closed or self.store.closed) and not self._ended:
            self._ended = True
            self.reader.feed_eof()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if line.waits and not self._ended:
            due = line.due()
            self._alarm = self.loop.call_later(TICK if due is None else min(due, TICK), self._ring)

    def _ring(self) -> None:
        self.line.keep_house()
        self._turn()

    def write(self, data: bytes) -> None:
        if self.store.closed:
            raise BrokenPipeError(EPIPE, "the store is closed")
        self.line.send(bytes(data))
        self._hand_on()

    def writelines(self, data: Iterable[bytes]) -> None:
        self.write(b"".join(data))

    async def drain(self) -> None:
        """Let other tasks run: a program that asks without end never waits for a reply."""
        await asyncio.sleep(0)

    def close(self) -> None:
        """Hang up. The store is closed when this was the last connection that borrowed it."""
        if not self.store.closed:
            self.line.hang_up()
            self._hand_on()
        if self.borrowed:
            self.borrowed = False
            STORES.give_back(self.store)

    async def wait_closed(self) -> None:
        """It is closed."""

    def is_closing(self) -> bool:
        return self.line.closed

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default


class AsyncStoreConnection(AsyncUnix):
    """The same for redis.asyncio."""

    def __init__(self, *, path: Place | None = None, store: Embedded | None = None, **options: Any) -> None:
        super().__init__(path="", **options)
        self.place, self.store = path, store

    async def activate_maint_notifications_handling_if_enabled(self, check_health: bool = True) -> None:
        """See StoreConnection."""

    async def _connect(self) -> None:
        found = self.store if self.store is not None else await asyncio.to_thread(borrow, self.place)
        if isinstance(found, str):
            self.path = found
            above: Any = super()
            await above._connect()
            return
        self._reader = asyncio.StreamReader()
        myself: Any = self
        myself._writer = Writer(found, self.store is None, self._reader)

    def repr_pieces(self) -> list[tuple[str, Any]]:
        return [("store", self.place or self.store), ("db", self.db)]

    def _host_error(self) -> str:
        return f"store {self.place or (self.store.name if self.store else '')}"


def redis(source: Place | Embedded | None = None, **options: Any) -> Redis:
    """Make a ``redis.Redis`` for a store: its path (None: the default one, ":memory:": a fresh one), or an open one.

    ``options`` are those of redis-py's connections and pools: decode_responses, protocol, db, max_connections, …
    Closing the client closes a store that it has opened. Raises redis.ConnectionError when that cannot be opened.
    """
    client = Redis.from_pool(ConnectionPool(connection_class=StoreConnection, **_place(source), **options))
    with suppress(ResponseError):  # the user may not be allowed to: a store that cannot be opened is told of at once
        client.ping()
    return client


def async_redis(source: Place | Embedded | None = None, **options: Any) -> redis_asyncio.Redis:
    """Make a ``redis.asyncio.Redis`` in the same way; the store is opened when it is first used."""
    pool = redis_asyncio.ConnectionPool(connection_class=AsyncStoreConnection, **_place(source), **options)
    return redis_asyncio.Redis.from_pool(pool)


def _place(source: Place | Embedded | None) -> dict[str, Any]:
    from redtool.backends import default_store
    from redtool.backends.embedded import open_store

    if source is None:
        return {"path": default_store()}
    if source == ":memory:":
        return {"store": open_store(":memory:")}
    return {"path": source} if isinstance(source, str | os.PathLike) else {"store": source}
