"""Listen on TCP ports and unix sockets, turn the loop, and keep house while nobody asks anything.

A turn takes what all clients have sent, runs it, hands the journal to the kernel once, and only then sends replies.
Whoever uses the store holds its lock: the thread that turns the loop for as long as it works on a turn.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from sys import maxsize
from threading import get_ident
from typing import TYPE_CHECKING, cast

from redtool import errors
from redtool.server.connection import Connection
from redtool.server.limits import EVERY, Limits
from redtool.server.loop import Loop
from redtool.server.place import make_room

if TYPE_CHECKING:
    from collections.abc import Callable

    from redtool.persistence import Persistence
    from redtool.server.tls import Tls
    from redtool.session import Session
    from redtool.store import Store

TICK = 0.1  # seconds between rounds of housekeeping
HAND_OVER = 0.0005  # seconds for which a slow script lets others in
BACKLOG = 511
ENDED = b"ERR Script killed: the store is being closed..."


class CutShort(BaseException):
    """Raised into a script that has written and is not waited for: what it did is never journalled."""


class Door:
    """A listening socket. Who comes through one that is ``trusted`` is the owner of the store's files."""

    def __init__(self, listener: Listener, sock: socket.socket, path: str = "", trusted: bool = False,
                 tls: Tls | None = None) -> None:  # fmt: skip
        self.listener, self.sock, self.trusted, self.tls = listener, sock, trusted, tls
        self.files = {path: os.lstat(path)} if path else {}  # what is removed with it
        sock.setblocking(False)

    def readable(self) -> None:
        """Let in those who wait outside."""
        name = "max-new-connections-per-cycle" if self.tls is None else "max-new-tls-connections-per-cycle"
        for _ in range(self.listener.store.config[name]):
            try:
                sock, _ = self.sock.accept()
            except OSError:  # nobody is left, or there are no more descriptors: they wait
                return
            self.listener.admit(sock, self)

    def writable(self) -> None:
        """Never asked for."""

    def close(self) -> None:
        self.sock.close()
        for path, made in self.files.items():
            with suppress(OSError):
                if os.path.samestat(os.lstat(path), made):  # not what somebody else has put there
                    os.unlink(path)


class Listener:
    """Serves a store to clients: listen, ``run`` until somebody calls ``stop``, ``close``."""

    def __init__(self, store: Store, persistence: Persistence | None = None, alone: bool = True) -> None:
        """``alone``: the store is there to be served, so SHUTDOWN ends it; else its owner does other things, too."""
        self.store, self.persistence = store, persistence
        self.loop = Loop()
        self.lock = store.lock
        self.home = get_ident()  # the thread that turns the loop
        self.doors: list[Door] = []
        self.connections: set[Connection] = set()
        self.limits = Limits(store)
        self.made = 0  # bytes of large replies in this turn
        self.next: list[Connection] = []  # those that have more to be run than fits into a turn
        self.dirty: list[Connection] = []  # those that have something to send, or are to be closed
        self._soon: dict[Callable[[], object], None] = {}
        self._quiet = 0  # ``net_in`` at the last round of housekeeping
        self.stopped = False
        self.cut_short = False  # so that memory holds the work of half a script: nothing may be saved
        self.unsaved = False  # SHUTDOWN NOSAVE: a store without a journal is not saved when it is closed
        if alone:
            store.on_shutdown = self.shut_down
        self._before = store.breathe
        store.breathe = self.breathe
        for name in ("commandlog-request-larger-than", "commandlog-reply-larger-than"):
            store.config.on_change(name, self._watch_sizes)
        store.config.on_change("proto-max-bulk-len", self._set_bulk)
        self._watch_sizes()

    # -- doors

    def listen_tcp(self, host: str = "127.0.0.1", port: int = 0, tls: Tls | None = None) -> int:
        """Listen on a TCP port, 0 for a free one; gives the port. ConnectError when it cannot be."""
        sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if ":" in host:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind((host, port))
            sock.listen(self.store.config["tcp-backlog"])
        except (OSError, OverflowError) as error:
            sock.close()
            raise errors.ConnectError(f"cannot listen on {host}:{port}: {_reason(error)}") from None
        self.open_door(Door(self, sock, tls=tls))
        return int(sock.getsockname()[1])

    def listen_unix(self, path: str, mode: int = 0o600, trusted: bool = False) -> None:
        """Listen on a unix socket; a file of that name must not be there. ConnectError when it cannot be."""
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.bind(path)
            os.chmod(path, mode)
            sock.listen(BACKLOG)  # nobody could connect before
            door = Door(self, sock, path, trusted)
        except OSError as error:
            sock.close()
            raise errors.ConnectError(f"cannot listen on {path}: {_reason(error)}") from None
        self.open_door(door)

    def share(self, directory: str) -> str:
        """Listen on the socket of the store, whose owner this process is, for other processes that open it."""
        path, link = make_room(directory)
        self.listen_unix(path, trusted=True)
        if link:
            os.symlink(path, link)
            self.doors[-1].files[link] = os.lstat(link)
        return path

    def open_door(self, door: Door) -> None:
        """Let in who comes through a door."""
        self.doors.append(door)
        self.loop.watch(door.sock.fileno(), door)

    @property
    def ports(self) -> list[int]:
        """The TCP ports that are listened on."""
        return [door.sock.getsockname()[1] for door in self.doors if door.sock.family != socket.AF_UNIX]

    def admit(self, sock: socket.socket, door: Door) -> None:
        """Make a client of somebody who connected."""
        sock.setblocking(False)
        if not door.trusted and (words := self.limits.refusal(sock, len(self.connections))):
            with suppress(OSError):
                if door.tls is None:
                    sock.send(words)
            sock.close()
            return
        if sock.family != socket.AF_UNIX:
            self.limits.prepare(sock)
        if door.tls is not None:
            try:
                sock = cast("socket.socket", door.tls.secure(sock))  # as far as a connection uses one
            except OSError:  # it has gone already
                sock.close()
                return
        connection = Connection(self, sock, door.trusted)
        self.connections.add(connection)
        self.loop.watch(connection.fd, connection)
        if not door.trusted:
            self.welcome(connection.session)
            connection.requests.strange = not connection.session.authenticated

    def welcome(self, session: Session) -> None:
        """Decide what a new client may do before it logs in."""
        if self.store.acl is not None or self.store.config["requirepass"]:
            from redtool.acl import welcome

            welcome(self.store, session)

    # -- turning

    def run(self) -> None:
        """Serve until ``stop``. Whoever has called ``stop`` before is obeyed, too."""
        self.home = get_ident()
        self.loop.later(TICK, self._keep_house)
        self.loop.later(EVERY, self._look_around)
        with suppress(CutShort):
            while not self.stopped:
                self.turn(TICK)
            self.turn(0)

    def turn(self, most: float) -> None:
        """Wait so many seconds at most for something to do, and do it. May be called within itself."""
        loop = self.loop
        events = loop.poll(0 if self.next else most)
        with self.lock:
            self.made = 0
            loop.dispatch(events)
            if self.next:
                again, self.next = self.next, []
                for connection in again:
                    connection.go_on()
            loop.run_timers()
            self.settle()

    def settle(self) -> None:
        """End a turn: make the calls that were put off, write the journal, send what is to be sent."""
        while self._soon:
            calls, self._soon = list(self._soon), {}
            for call in calls:
                call()
        if self.dirty:
            kept = self.flush()
            dirty, self.dirty = self.dirty, []
            for connection in dirty:
                connection.write(kept)
        elif self.store.journal is not None and self.store.journal.pending:
            self.flush()

    def flush(self) -> bool:
        """Hand the journal to the kernel. False when that failed: then nothing that was written is acknowledged."""
        if self.store.unflushed():
            try:
                self.store.flush()
            except errors.StoreError:
                return False
        journal = self.store.journal
        return journal is None or not journal.pending  # it failed before, and a script that had begun wrote on

    def soon(self, call: Callable[[], object]) -> None:
        """Call once what was asked for, however often, at the end of the turn."""
        self._soon[call] = None
        if get_ident() != self.home:
            self.loop.wake()

    def touch(self, connection: Connection) -> None:
        """Send at the end of the turn what a client is to be sent; another thread may have given it something."""
        if not connection.dirty:
            connection.dirty = True
            self.dirty.append(connection)
            if get_ident() != self.home:
                self.loop.wake()

    def breathe(self, slow: bool) -> None:
        """While a script runs on: let other clients in once it is slow."""
        if get_ident() != self.home:
            if self._before is not None:
                self._before(slow)
        elif slow:
            held = self.lock._release_save()  # type: ignore[attr-defined]
            try:
                self.turn(HAND_OVER)
            finally:
                self.lock._acquire_restore(held)  # type: ignore[attr-defined]
            if self.stopped:
                self._end_script()

    def _end_script(self) -> None:
        """Wait for no script when the listener is to end, but for one that has written where that is to be kept."""
        run = self.store.scripts.running if self.store.scripts is not None else None
        if run is not None and not run.wrote:
            run.kill = ENDED
        elif run is not None and (self.unsaved or self.persistence is None):
            self.cut_short, self.store.journal = True, None
            raise CutShort

    def _keep_house(self) -> None:
        self.loop.later(TICK, self._keep_house)
        store = self.store
        if not store.busy:
            store.tick()
            if store.net_in == self._quiet:
                store.thaw()
                if self.persistence is not None:
                    self.persistence.idle()
            self._quiet = store.net_in

    def _look_around(self) -> None:
        self.loop.later(EVERY, self._look_around)
        self.look_at_clients()

    def look_at_clients(self) -> None:
        """Have the limits of all clients kept to."""
        self.limits.look(self.connections)

    def _watch_sizes(self, changed: object = None) -> None:
        """Note from how many bytes on requests and replies are large; never, for -1."""
        limits = (self.store.config[f"commandlog-{kind}-larger-than"] for kind in ("request", "reply"))
        self.large_request, self.large_reply = (limit if limit >= 0 else maxsize for limit in limits)

    def _set_bulk(self, size: int) -> None:
        for connection in self.connections:
            connection.requests.max_bulk = size

    # -- the end

    def stop(self) -> None:
        """Have ``run`` return. From any thread, or a signal's handler."""
        self.stopped = True
        self.loop.wake()

    def shut_down(self, unsaved: bool) -> None:
        """SHUTDOWN."""
        self.unsaved = unsaved
        self.stop()

    def close(self) -> None:
        """Stop listening and end every connection; what is to be sent is sent as far as it goes at once."""
        with self.lock:
            for door in self.doors:
                self.loop.forget(door.sock.fileno())
                door.close()
            self.doors.clear()
            for connection in list(self.connections):
                connection.leave()
            self.settle()
            for connection in list(self.connections):
                connection.finish()
            self.store.breathe = self._before
        self.loop.close()


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
