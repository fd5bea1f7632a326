"""Listen on a TCP port, a unix socket or both, and keep house while nobody asks anything."""

from __future__ import annotations

import asyncio
import os
import socket
from sys import maxsize
from typing import TYPE_CHECKING

from redtool import errors
from redtool.server.apart import Apart

if TYPE_CHECKING:
    from collections.abc import Callable

    from redtool.persistence import Persistence
    from redtool.server.connection import Connection
    from redtool.session import Session
    from redtool.store import Store

TICK = 0.1  # seconds between rounds of housekeeping
BACKLOG = 511


class Listener:
    """Serves a store to clients until ``close``. One event loop, the one that runs ``start``."""

    def __init__(self, store: Store, persistence: Persistence | None = None) -> None:
        self.store, self.persistence = store, persistence
        self.connections: set[Connection] = set()
        self._servers: list[asyncio.Server] = []
        self._ticking: asyncio.Task[None] | None = None
        self._paths: list[str] = []
        self._soon: dict[Callable[[], None], None] = {}
        self.stopped = asyncio.Event()
        self.unsaved = False  # SHUTDOWN NOSAVE: a store without a journal is not saved when it is closed
        store.on_shutdown = self._shut_down
        for name in ("commandlog-request-larger-than", "commandlog-reply-larger-than"):
            store.config.on_change(name, self._watch_sizes)
        self._watch_sizes()

    async def start(self, *, host: str = "127.0.0.1", port: int | None = None, path: str | None = None) -> None:
        """Begin to listen; ``port`` 0 takes a free one. Raises ConnectError when the address is taken."""
        self.loop = asyncio.get_running_loop()
        self.scripts = Apart(self.store, self.loop.call_soon_threadsafe)
        self.lock = self.scripts.lock  # held by whoever uses the store: the loop, or a script's thread
        try:
            if port is not None:
                self._servers.append(await self.loop.create_server(self.connect, host, port, backlog=BACKLOG))
            if path is not None:
                self._servers.append(await self.loop.create_unix_server(self.connect, path, backlog=BACKLOG))
                os.chmod(path, 0o600)
                self._paths.append(path)
        except OSError as error:
            await self.close()
            raise errors.ConnectError(f"cannot listen on {path or f'{host}:{port}'}: {error.strerror}") from None
        self._ticking = self.loop.create_task(self._keep_house())

    @property
    def ports(self) -> list[int]:
        """The TCP ports that are listened on."""
        sockets = [one for server in self._servers for one in server.sockets]
        return [one.getsockname()[1] for one in sockets if one.family != socket.AF_UNIX]

    def _watch_sizes(self, changed: object = None) -> None:
        """Note from how many bytes on requests and replies are large; never, for -1."""
        limits = (self.store.config[f"commandlog-{kind}-larger-than"] for kind in ("request", "reply"))
        self.large_request, self.large_reply = (limit if limit >= 0 else maxsize for limit in limits)

    def connect(self) -> Connection:
        from redtool.server.connection import Connection

        return Connection(self)

    def welcome(self, session: Session) -> None:
        """Decide what a new client may do before it logs in."""
        if self.store.acl is not None or self.store.config["requirepass"]:
            from redtool.acl import welcome

            welcome(self.store, session)

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            with self.lock:
                if not self.store.busy:
                    self.store.tick()

    def soon(self, call: Callable[[], None]) -> None:
        """Call once what was asked for, however often, after the command that is running."""
        if not self._soon:
            later = self.loop.call_soon if self.scripts.wanted() else self.loop.call_soon_threadsafe
            later(self._call)
        self._soon[call] = None

    def _call(self) -> None:
        calls = list(self._soon)
        self._soon.clear()
        for call in calls:
            call()

    def flush(self) -> bool:
        """Hand the journal to the kernel. False when that failed: then nothing may be acknowledged."""
        if self.store.unflushed():
            try:
                self.store.flush()
            except errors.StoreError:
                return False
        return True

    def _shut_down(self, unsaved: bool) -> None:
        self.unsaved = unsaved
        self.stopped.set()

    async def close(self) -> None:
        """Stop listening and end every connection."""
        self.scripts.close()
        if self._ticking is not None:
            self._ticking.cancel()
        for server in self._servers:
            server.close()
        for connection in list(self.connections):
            connection.write()
            connection.transport.close()
        for path in self._paths:
            os.unlink(path)
        self._servers.clear()
        self._paths.clear()
