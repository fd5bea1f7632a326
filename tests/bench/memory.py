"""Bytes a key takes, of small strings and of hashes with ten fields, against a real server's ``used_memory``.

``python -m tests.bench.memory [--strings N] [--hashes N]``: what the process grows by when it loads a dump of them, and
when it runs the commands; what ``used_memory`` says; what the first question about it takes.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from itertools import chain, islice

from tests import servers
from tests.embedded import Client, import_all
from tests.engine.growth import resident

Argvs = Iterator[tuple[bytes, ...]]
BATCH = 5000


def strings(count: int) -> Argvs:
    for n in range(count):
        yield b"SET", b"key:%07d" % n, b"value-%d" % n


def hashes(count: int) -> Argvs:
    for n in range(count):
        pairs = [(b"field%d" % i, b"value-%d-%d" % (n, i)) for i in range(10)]
        yield b"HSET", b"user:%07d" % n, *chain.from_iterable(pairs)


def apart(work: Callable[[], None]) -> None:
    """Run something in a process of its own."""
    sys.stdout.flush()
    if not os.fork():
        work()
        sys.stdout.flush()
        os._exit(0)
    os.wait()


def theirs(argvs: Argvs, dump: str) -> int:
    """Bytes that a server takes for the data; it leaves them in ``dump``."""
    home, name = os.path.split(dump)
    with servers.running("redis7", "--dir", home, "--dbfilename", name) as server:
        before = used(server)
        client = server.client()
        while batch := list(islice(argvs, BATCH)):
            client.send_all(batch)
            client.receive_all(len(batch))
        taken = used(server) - before
        server.call("SAVE")
        return taken


def used(server: servers.RealServer) -> int:
    text = server.call("INFO", "memory").decode()
    return int(dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)["used_memory"])


def told(label: str, client: Client, before: int, count: int, other: int) -> None:
    grown = resident() - before
    started = time.perf_counter()
    told = client.store.used_memory()
    took = time.perf_counter() - started
    print(f"  {label}: {grown / count:.0f} bytes a key, {grown / other:.2f}x; used_memory {told / count:.0f}, "
          f"asked for in {took:.2f} s; afterwards {(resident() - before) / count:.0f}")  # fmt: skip


def compare(name: str, make: Callable[[int], Argvs], count: int, goal: str) -> None:
    from redtool import loading
    from redtool.loading import Sink
    from redtool.persist.rdb import load_file

    with tempfile.TemporaryDirectory() as home:
        dump = os.path.join(home, "dump.rdb")
        other = theirs(make(count), dump)
        print(f"{count} {name}: redis-server {other / count:.0f} bytes a key, goal {goal}")

        def commands() -> None:
            client = Client(frozen=False)
            before = resident()
            replies: list[object] = []
            for argv in make(count):
                client.store.run(client.session, (argv,), replies)
                replies.clear()
            told("by commands", client, before, count, other)

        def loaded() -> None:
            client = Client(frozen=False)
            before = resident()
            load_file(dump, Sink(client.store))
            loading.end(client.store)
            told("from a file", client, before, count, other)

        apart(commands)
        apart(loaded)


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--strings", type=int, default=1_000_000)
    parser.add_argument("--hashes", type=int, default=200_000)
    options = parser.parse_args()
    import_all()
    compare("small strings", strings, options.strings, "<= 2.0x")
    compare("hashes of ten fields", hashes, options.hashes, "<= 2.5x")


if __name__ == "__main__":
    main()
