"""What clients may take of a server: places, time, and memory for requests and replies, as redis.conf says at any time.

A real server's meaning of each parameter, its way of enforcing it and its words.
"""

from __future__ import annotations

import resource
import socket
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from redtool.config import Config
    from redtool.server.connection import Connection
    from redtool.store import Store

    Sizes = tuple[int, int, int]  # bytes that end a client at once, bytes that do after a time, that time in seconds

WATCHED = ("client-output-buffer-limit", "client-query-buffer-limit", "maxclients", "maxmemory-clients", "maxmemory",
           "protected-mode", "tcp-keepalive", "timeout")  # fmt: skip
EVERY = 1.0  # seconds between looks at all clients
DESCRIPTORS = 32  # that the server needs for itself
STRANGER = 1024  # bytes that a client may owe before it has logged in
FULL = b"-ERR max number of clients reached\r\n"
PROTECTED = (b"-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for "
             b"the default user. In this mode connections are only accepted from the loopback interface. To let others "
             b"in, set a password for the default user (requirepass in the configuration, or CONFIG SET requirepass "
             b"from this machine); or switch the protection off with protected-mode no, where nobody else reaches this "
             b"port.\r\n")  # fmt: skip
IDLE_OF_MEMORY = 5 << 10  # bytes of a client that has nothing to do: its session, socket and parser


class Limits:
    """The limits of one listener, in step with the configuration; ``store.counts`` has what they cost clients."""

    def __init__(self, store: Store, warn: Callable[[str], object] | None = None) -> None:
        self.store, self.config, self.warn = store, store.config, warn
        for name in WATCHED:
            self.config.on_change(name, self._read)
        self._read()

    def _read(self, changed: object = None) -> None:
        """Take the configuration over."""
        config = self.config
        rows = config["client-output-buffer-limit"].split(" ")
        sizes = {rows[at]: tuple(map(int, rows[at + 1 : at + 4])) for at in range(0, len(rows), 4)}
        self.normal: Sizes = sizes["normal"]  # type: ignore[assignment]
        self.pubsub: Sizes = sizes["pubsub"]  # type: ignore[assignment]
        self.query: int = config["client-query-buffer-limit"]
        self.clients: int = config["maxclients"]
        self.idle_ns: int = config["timeout"] * 1_000_000_000
        self.keepalive: int = config["tcp-keepalive"]
        self.protected: bool = config["protected-mode"]
        memory: int = config["maxmemory-clients"]
        self.memory = memory if memory >= 0 else config["maxmemory"] * -memory // 100

    def count(self, name: str) -> None:
        """Count a client that was turned away or cut off, under INFO's name for that."""
        self.store.counts[name] = self.store.counts.get(name, 0) + 1

    # -- at the door

    def refusal(self, sock: socket.socket, connected: int) -> bytes:
        """What somebody who connects is told before the door is closed again; empty to let them in."""
        if connected >= self.clients:
            self.count("rejected_connections")
            return FULL
        if self.protected and sock.family != socket.AF_UNIX and self._no_password() and not local(sock):
            self.count("rejected_connections")
            return PROTECTED
        return b""

    def _no_password(self) -> bool:
        """Whether anybody may be the default user."""
        if self.store.acl is not None:
            return self.store.acl.open
        return not self.config["requirepass"]

    def prepare(self, sock: socket.socket) -> None:
        """Set the options of a TCP connection."""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.keepalive:
            every = max(self.keepalive // 3, 1)
            options = (("TCP_KEEPIDLE", self.keepalive), ("TCP_KEEPINTVL", every), ("TCP_KEEPCNT", 3))
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                for name, value in options:
                    if hasattr(socket, name):
                        sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    # -- memory

    def overrun(self, connection: Connection) -> bool:
        """Whether a client owes the server's memory more than it may, or has for too long."""
        session, owed = connection.session, connection.owed
        if not session.authenticated and owed > STRANGER:
            return True
        hard, soft, seconds = self.pubsub if session.listens else self.normal
        if hard and owed > hard:
            return True
        if not soft or owed <= soft:
            connection.crammed = 0.0
        elif not connection.crammed:
            connection.crammed = monotonic()
        else:
            return monotonic() - connection.crammed > seconds
        return False

    def grown(self, connection: Connection) -> None:
        """A client holds more: if all together may hold only so much, look at the end of the turn whether they do."""
        if self.memory:
            connection.listener.soon(connection.listener.look_at_clients)

    def look(self, connections: set[Connection]) -> None:
        """Look at all clients, once a second at least: who has been idle or in debt for too long, who holds what."""
        held: list[tuple[int, Connection]] = []
        most_in = most_out = 0
        since, monitors = self.store.time_ns() - self.idle_ns, self.store.monitors
        for connection in list(connections):
            session = connection.session
            if connection.owed and self.overrun(connection):
                self.cut_output(connection)
            elif self.idle_ns and idle(connection, since) and session not in monitors:
                connection.end()
            else:
                queued = 0 if session.queue is None else sum(len(word) for argv in session.queue for word in argv)
                asked = connection.asked + queued
                if asked > self.query:
                    self.cut_query(connection)
                most_in, most_out = max(most_in, asked), max(most_out, connection.owed)
                if self.memory:
                    held.append((asked + connection.owed + IDLE_OF_MEMORY, connection))
        self.store.counts["client_recent_max_input_buffer"] = most_in
        self.store.counts["client_recent_max_output_buffer"] = most_out
        if self.memory:
            self._make_room(held)

    def _make_room(self, held: list[tuple[int, Connection]]) -> None:
        """Drop the clients that hold most, until all of them hold no more than they may."""
        left = sum(size for size, _ in held) - self.memory
        for size, connection in sorted(held, key=lambda row: -row[0]):
            if left <= 0:
                break
            if "no-evict" not in connection.session.labels:
                left -= size
                self.count("evicted_clients")
                connection.finish()

    def cut_output(self, connection: Connection) -> None:
        """End a client that does not read what it has asked for."""
        self.count("client_output_buffer_limit_disconnections")
        connection.finish()

    def cut_query(self, connection: Connection) -> None:
        """End a client that sends more than it may before it is served."""
        self.count("client_query_buffer_limit_disconnections")
        connection.finish()


def idle(connection: Connection, since: int) -> bool:
    """Whether nothing has come from a client since then (ns), though it is free to ask."""
    return connection.session.seen < since and connection.waiter is None and not connection.session.listens


def local(sock: socket.socket) -> bool:
    """Whether somebody has connected from this machine by a loopback address."""
    try:
        host: str = sock.getpeername()[0]
    except OSError:
        return False
    return host.startswith(("127.", "::ffff:127.")) or host == "::1"


def make_descriptors(config: Config, warn: Callable[[str], object]) -> None:
    """Have the system let this process hold a descriptor a client; where it does not, lower maxclients and say so."""
    wanted = config["maxclients"] + DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    for limit in ((wanted, hard if hard == resource.RLIM_INFINITY else max(hard, wanted)), (min(wanted, hard), hard)):
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, limit)
            break
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        fewer = max(soft - DESCRIPTORS, 1)
        warn(f"maxclients is {fewer}, not {config['maxclients']}: this process may open {soft} files (ulimit -n)")
        config["maxclients"] = fewer
