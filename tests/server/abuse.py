"""Misuse of a server of every kind, while a well-behaved client beside it measures what it feels of that.

    python -m tests.server.abuse --count 100000 --seed 1 --server redtool --server redis7

Each server gets the same: malformed frames (``tests.server.frames``), connections that trickle, announce gigabytes,
are dropped, half closed or never read, floods with and without a password. A line for each says how much of it there
was, how long it took, the witness's latency meanwhile, and the server's memory after. Ends with 1 when a reply was
wrong or the server has gone.
"""

from __future__ import annotations

import argparse
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from random import Random
from threading import Thread

from tests.server.frames import exchange, malformed, pipeline
from tests.server.standin import started
from tests.server.witness import Witness
from tests.servers import RealServer, request

MEGABYTE = 1 << 20
PASSWORD = "only who knows it"
Line = socket.socket


class Abuse:
    """One server and whoever misuses it. ``count`` is how many frames there are; the rest is in proportion."""

    def __init__(self, server: RealServer, count: int, seed: int) -> None:
        self.server, self.count, self.rng = server, count, Random(seed)

    def share(self, part: float, least: int = 1) -> int:
        return max(int(self.count * part), least)

    def connect(self) -> Line:
        line = socket.socket(socket.AF_UNIX)
        line.connect(self.server.socket)  # waits where many do, which it would not with a limit
        line.settimeout(30)
        return line

    @contextmanager
    def lines(self, number: int) -> Iterator[list[Line]]:
        with ExitStack() as stack:
            yield [stack.enter_context(self.connect()) for _ in range(number)]

    def settle(self, seconds: float = 0.0) -> None:
        """Wait until the server has come to what was sent before, and a little longer where asked."""
        time.sleep(seconds)
        with suppress(ConnectionError), self.connect() as line:
            line.sendall(b"PING\r\n")
            line.recv(100)

    def resident(self) -> float:
        """Megabytes that the server holds."""
        with open(f"/proc/{self.server.pid}/statm") as file:
            return int(file.read().split()[1]) * 4096 / MEGABYTE


def frames(abuse: Abuse) -> int:
    """Malformed frames: a third waits for the answer and the end, the others stay for a while or go at once."""
    kept: deque[Line] = deque()
    for _ in range(abuse.count):
        data = malformed(abuse.rng)
        how = abuse.rng.randrange(6)
        if how < 2:
            exchange(abuse.server.socket, data)
            continue
        line = abuse.connect()
        with suppress(OSError):
            line.sendall(data)
            if how == 2:
                line.shutdown(socket.SHUT_RD)
        if how < 4:
            line.close()
        else:
            kept.append(line)
            if len(kept) > 200:
                kept.popleft().close()
    while kept:
        kept.pop().close()
    return abuse.count


def trickle(abuse: Abuse) -> int:
    """Good requests, a byte at a time, from many at once."""
    data = request(("SET", "trickle", "x" * 30))
    with abuse.lines(abuse.share(0.002, 5)) as lines:
        for at in range(len(data)):
            for line in lines:
                line.sendall(data[at : at + 1])
        for line in lines:
            assert line.recv(100) == b"+OK\r\n"
        return len(lines) * len(data)


def announced(abuse: Abuse) -> int:
    """Headers that promise half a gigabyte or a million words, and a little of it, or nothing."""
    heads = [b"*2\r\n$4\r\nECHO\r\n$536870912\r\n", b"*1048576\r\n", b"*2147483647\r\n$1\r\na\r\n", b"*3\r\n" * 1]
    with abuse.lines(abuse.share(0.005, 5)) as lines:
        for number, line in enumerate(lines):
            with suppress(OSError):
                line.sendall(heads[number % len(heads)] + b"x" * abuse.rng.choice((0, 10, 4000)))
        abuse.settle(min(1.0, abuse.count / 5000))
        return len(lines)


def unread(abuse: Abuse) -> int:
    """Clients that ask for 100 MB each and read none of it."""
    with abuse.connect() as line:
        line.sendall(request(("SET", "big", "x" * MEGABYTE)))
        line.recv(100)
    asked = 0
    with abuse.lines(abuse.share(0.0002, 2)) as lines:
        for line in lines:
            line.setblocking(False)
            for _ in range(100):
                with suppress(OSError):
                    line.sendall(request(("GET", "big")))
                    asked += 1
        abuse.settle(min(1.0, abuse.count / 5000))
    abuse.settle()
    return asked


def deaf(abuse: Abuse) -> int:
    """Subscribers that never read what is published: a hundred megabytes, or 40 where there are few frames."""
    message = request(("PUBLISH", "loud", "x" * 65536))
    times = 1600 if abuse.count > 10000 else 640
    with abuse.lines(3) as lines, abuse.connect() as loud:
        for line in lines:
            line.sendall(request(("SUBSCRIBE", "loud")))
            line.recv(100)
        for _ in range(times):
            loud.sendall(message)
            loud.recv(100)
        return times


def half_closed(abuse: Abuse) -> int:
    """Clients that send all they have, close that side, and read on."""
    data = b"".join(pipeline(abuse.rng) for _ in range(5))
    for _ in range(abuse.share(0.02, 20)):
        exchange(abuse.server.socket, data)
    return abuse.share(0.02, 20)


def dropped(abuse: Abuse) -> int:
    """Connections that are made and closed, some with a request or a half on the way."""
    for number in range(abuse.share(0.1, 50)):
        with abuse.connect() as line, suppress(OSError):
            if number % 3:
                line.sendall(pipeline(abuse.rng)[: None if number % 2 else -3])
    return abuse.share(0.1, 50)


def crowd(abuse: Abuse) -> int:
    """A thousand at once that ask, wait for nothing more and stay; then all go."""
    with abuse.lines(abuse.share(0.01, 20)) as lines:
        for line in lines:
            line.sendall(b"PING\r\n")
        for line in lines:
            assert line.recv(100) == b"+PONG\r\n"
        abuse.settle(min(1.0, abuse.count / 5000))
        return len(lines)


def flood(abuse: Abuse) -> int:
    """One client pipelines a million commands and reads the replies as they come."""
    count = abuse.share(10)
    block = request(("GET", "k")) * 10000
    with abuse.connect() as line:
        line.sendall(request(("SET", "k", "v")))
        line.recv(100)

        def send() -> None:
            for _ in range(max(count // 10000, 1)):
                line.sendall(block)

        sender = Thread(target=send)
        sender.start()
        left = max(count // 10000, 1) * 10000 * len(b"$1\r\nv\r\n")
        while left:
            part = line.recv(MEGABYTE)
            assert part, "the server closed the connection"
            left -= len(part)
        sender.join()
    return count


def strangers(abuse: Abuse) -> int:
    """Clients without the password: commands, wrong passwords, big words, numbers of words."""
    pieces = [b"GET k\r\n" * 1000, request(("AUTH", "wrong")) * 1000, request(("ECHO", "x" * 20000)),
              request(("MGET", *"abcdefghijklmnop")), b"*1048576\r\n", b"*2\r\n$4\r\nECHO\r\n$536870912\r\n",
              request(("HELLO", 3, "AUTH", "default", "wrong")) * 100]  # fmt: skip
    sent = 0
    for _ in range(abuse.share(0.0005, 3)):
        with abuse.lines(10) as lines:
            for line in lines:
                line.setblocking(False)
                for piece in abuse.rng.choices(pieces, k=5):
                    with suppress(OSError):
                        sent += line.send(piece)
    return sent


def quiet(abuse: Abuse) -> int:
    """Nothing, to compare with."""
    abuse.settle(min(3.0, abuse.count / 1000))
    return 0


OPEN = (quiet, frames, trickle, announced, unread, deaf, half_closed, dropped, crowd, flood)
CLOSED = (quiet, strangers)


def misuse(name: str, count: int, seed: int, options: list[str], tell: Callable[[str], object] = print) -> list[str]:
    """Do all of it to one server; gives what went wrong."""
    trouble: list[str] = []
    tell(f"{name:10} {'':12} {'number':>9} {'s':>6}   p50 ms      p99    p99.9      max    MB")
    for phases, password in ((OPEN, ""), (CLOSED, PASSWORD)):
        extra = ["--requirepass", password] if password else []
        with started(name, *options, *extra) as server:
            witness = Witness(server.socket, password)
            try:
                for phase in phases:
                    trouble += under(phase, Abuse(server, count, seed), witness, name, tell)
            finally:
                witness.close()
            if server.process.poll() is not None:
                trouble.append(f"{name} has ended with {server.process.returncode}")
    return trouble


def under(phase: Callable[[Abuse], int], abuse: Abuse, witness: Witness, name: str,
          tell: Callable[[str], object]) -> list[str]:  # fmt: skip
    """One kind of misuse, and what the witness says of it."""
    witness.report()
    start = time.perf_counter()
    done = phase(abuse)
    took = time.perf_counter() - start
    seen = witness.report()
    figures = " ".join(f"{seen.get(figure, 0):8.3f}" for figure in ("p50", "p99", "p999", "max"))
    tell(f"{name:10} {phase.__name__:12} {done:9} {took:6.1f} {figures} {abuse.resident():6.0f}")
    return [f"{name}, {phase.__name__}: {seen['wrong']}"] if seen["wrong"] or not seen["count"] else []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--server", action="append", help="redtool, redis7, valkey")
    parser.add_argument("options", nargs="*", help="of the servers, behind --")
    given = parser.parse_args()
    trouble = [line for name in given.server or ["redtool", "redis7"]
               for line in misuse(name, given.count, given.seed, given.options)]  # fmt: skip
    print(*trouble, sep="\n", end="\n" if trouble else "")
    return bool(trouble)


if __name__ == "__main__":
    sys.exit(main())
