"""Memory of a client that has nothing to do, beside real servers: ``python -m tests.bench.clients [N …]``.

Each has asked one thing and had its answer, as clients of a pool have.
"""

from __future__ import annotations

import resource
import socket
import sys
from contextlib import ExitStack

from tests.server.standin import started
from tests.servers import RealServer

SERVERS = ("redtool", "redis7", "valkey")


def resident(server: RealServer) -> int:
    """Bytes that the server holds."""
    with open(f"/proc/{server.pid}/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def bytes_each(name: str, count: int) -> float:
    """By how much the server grows with each of so many clients."""
    with started(name, "--maxclients", str(count + 10)) as server, ExitStack() as stack:
        before = resident(server)
        for _ in range(count):
            line = stack.enter_context(socket.socket(socket.AF_UNIX))
            line.connect(server.socket)
            line.sendall(b"*1\r\n$4\r\nPING\r\n")
            assert line.recv(100) == b"+PONG\r\n"
        return (resident(server) - before) / count


def main() -> None:
    for count in [int(word) for word in sys.argv[1:]] or [1000, 5000]:
        sizes = [f"{name} {bytes_each(name, count) / 1024:.1f} KB each" for name in SERVERS]
        print(f"{count} clients:", *sizes, sep="  ")


if __name__ == "__main__":
    main()
