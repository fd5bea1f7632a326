"""redtool's listener as a process that takes a real server's options: ``python -m tests.server.standin --port 0 …``.

For what has to be seen from outside: memory, latency. ``started`` starts it as ``tests.servers`` starts a server.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redtool.persistence import Persistence
from redtool.server.listener import Listener
from tests.embedded import import_all
from tests.servers import RealServer, named_servers

SERVER_DEFAULTS = {"appendonly": ["no"], "port": ["6379"]}  # what a real server begins with, unlike a store


@contextmanager
def started(name: str, *options: str) -> Iterator[RealServer]:
    """Run a server in a process and a directory of its own: "redtool", or one of ``tests.servers``."""
    directory = Path(tempfile.mkdtemp(prefix="rt-"))
    try:
        program = str(directory / "redtool-server")
        if name == "redtool":
            Path(program).write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tests.server.standin "$@"\n')
            os.chmod(program, 0o700)
        server = RealServer(name, program if name == "redtool" else named_servers()[name], directory, *options)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def options(words: list[str]) -> dict[str, list[str]]:
    """--name value … -> name: values."""
    found: dict[str, list[str]] = {}
    for word in words:
        if word.startswith("--"):
            rest = found.setdefault(word[2:], [])
        else:
            rest.append(word)
    return found


def main(given: dict[str, list[str]]) -> None:
    os.umask(0o077)
    directory = given.pop("dir")[0]
    socket, log = given.pop("unixsocket")[0], given.pop("logfile")[0]
    sys.stderr = open(log, "a", buffering=1)  # noqa: SIM115 - for as long as the process lives
    os.dup2(sys.stderr.fileno(), 2)
    with open(f"{directory}/redtool.conf", "w") as file:
        for name, words in (SERVER_DEFAULTS | given).items():
            print(name, *(f'"{word}"' for word in words), file=file)
    import_all()
    persistence = Persistence.open(directory, fork=True)
    listener = Listener(persistence.store, persistence)
    listener.listen_unix(socket)
    listener.run()
    listener.close()
    persistence.close()


if __name__ == "__main__":
    main(options(sys.argv[1:]))
