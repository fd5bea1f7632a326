"""A store behind redtool's own listener, in a thread of the test process: spoken to like any server."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from redtool.config import Config
from redtool.server.listener import Listener
from redtool.store import Store
from tests.embedded import import_all
from tests.servers import Client, Word


class Loop:
    """One event loop in a thread for all served stores of a test process."""

    def __init__(self) -> None:
        import_all()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


class Served:
    """A fresh store in memory and its listener on a unix socket."""

    def __init__(self, loop: Loop, store: Store | None = None) -> None:
        self.loop = loop
        self.directory = Path(tempfile.mkdtemp(prefix="rt-"))
        self.socket = str(self.directory / "s")
        self.store = store or Store(Config())
        self.listener = Listener(self.store)
        loop.run(self.listener.start(path=self.socket))

    def client(self, proto: int = 2) -> Client:
        """A new raw connection; the caller closes it."""
        return Client(self.socket, proto)

    def call(self, *argv: Word) -> Any:
        """Run one command on a connection of its own; errors are values."""
        with self.client() as client:
            return client.call(*argv)

    def flush(self) -> None:
        self.call("FLUSHALL")

    def stop(self) -> None:
        self.loop.run(self.listener.close())
        shutil.rmtree(self.directory)
