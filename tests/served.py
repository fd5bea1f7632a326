"""A store behind redtool's own listener, in a thread of the test process: spoken to like any server."""

from __future__ import annotations

import shutil
import tempfile
import threading
from pathlib import Path
from typing import Any

from redtool.config import Config
from redtool.server.listener import Listener
from redtool.store import Store
from tests.embedded import import_all
from tests.servers import Client, Word


class Served:
    """A fresh store in memory and its listener on a unix socket."""

    def __init__(self, store: Store | None = None) -> None:
        import_all()
        self.directory = Path(tempfile.mkdtemp(prefix="rt-"))
        self.socket = str(self.directory / "s")
        self.store = store or Store(Config())
        self.listener = Listener(self.store)
        self.listener.listen_unix(self.socket)
        self.thread = threading.Thread(target=self.listener.run, daemon=True)
        self.thread.start()

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
        self.listener.stop()
        self.thread.join(30)
        self.listener.close()
        shutil.rmtree(self.directory)
