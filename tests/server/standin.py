"""``redtool serve`` started as ``tests.servers`` starts a real server, with the same options.

For what has to be seen from outside: memory, latency, ports, files.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import RealServer, named_servers


@contextmanager
def started(name: str, *options: str) -> Iterator[RealServer]:
    """Run a server in a process and a directory of its own: "redtool", or one of ``tests.servers``."""
    directory = Path(tempfile.mkdtemp(prefix="rt-"))
    try:
        program = str(directory / "redtool-server")
        if name == "redtool":
            Path(program).write_text(f'#!/bin/sh\nexec "{sys.executable}" -m redtool serve "$@"\n')
            os.chmod(program, 0o700)
            options = ("--appendonly", "no", *options)  # as real servers begin
        server = RealServer(name, program if name == "redtool" else named_servers()[name], directory, *options)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
