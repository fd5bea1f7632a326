"""``redtool serve`` started as ``tests.servers`` starts a real server, with the same options.

For what has to be seen from outside: memory, latency, ports, files.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import RealServer, running


@contextmanager
def started(name: str, *options: str) -> Iterator[RealServer]:
    """Run a server in a process and a directory of its own: "redtool", or one of ``tests.servers``."""
    if name != "redtool":
        with running(name, *options) as server:
            yield server
        return
    with tempfile.TemporaryDirectory(prefix="rt-") as directory:
        program = Path(directory, "redtool-server")
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m redtool serve "$@"\n')
        program.chmod(0o700)
        with running(name, "--appendonly", "no", *options, binary=str(program)) as server:  # as real servers begin
            yield server
