"""The longest time a command waits during BGSAVE and BGREWRITEAOF, on 1,000,000 keys: ``python -m tests.bench.bgsave``.

One client writes to random keys as fast as it can, before the job and until it is done. Ours runs in this process,
with a child and in slices; the servers' client is on a unix socket, another one asks for the job. Of a few rounds the
one with the shortest longest wait is told: what else the machine does makes others longer.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from random import Random
from threading import Thread

from redtool.backends.embedded import Embedded, open_store
from tests.servers import RealServer, real_servers, running

BEFORE = 1.0  # seconds of writing without a job
Write = Callable[[], object]


class Waits:
    """How long each write took, in seconds."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def write(self, write: Write, goes_on: Callable[[], bool]) -> float:
        """Write until that is False; gives the seconds that it took."""
        times, clock = self.times, time.perf_counter
        began = clock()
        while goes_on():
            start = clock()
            write()
            times.append(clock() - start)
        return clock() - began

    @property
    def longest(self) -> float:
        return max(self.times)

    def __str__(self) -> str:
        times = sorted(self.times)
        at = [times[int(len(times) * part)] * 1e3 for part in (0.5, 0.99, 0.999)]
        return f"longest {times[-1] * 1e3:7.2f} ms, half {at[0]:.3f}, 99% {at[1]:.3f}, 99.9% {at[2]:.3f}"


def best(rounds: int, who: str, what: str, work: Callable[[Waits], float]) -> None:
    """Print what the best of some rounds took."""
    found: list[tuple[float, int, Waits, float]] = []
    for number in range(rounds):
        waits = Waits()
        took = work(waits)
        found.append((waits.longest, number, waits, took))
    _, _, waits, took = min(found)
    print(f"{who:16} {what:13} {waits}, {len(waits.times) / took:6.0f} writes/s for {took:.2f} s", flush=True)


def until(seconds: float) -> Callable[[], bool]:
    end = time.perf_counter() + seconds
    return lambda: time.perf_counter() < end


def ours(keys: int, rounds: int, fork: bool) -> None:
    rng, who = Random(1), "redtool, child" if fork else "redtool, slices"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home, open_store(home, fork=fork) as store:
        store.execute("CONFIG", "SET", "auto-aof-rewrite-percentage", 0)
        for start in range(0, keys, 1000):
            store.pipeline([(b"SET", b"key:%d" % n, b"value:%d" % n) for n in range(start, min(start + 1000, keys))])
        assert store.store.journal is not None
        store.store.journal.start_syncing()  # as servers do

        def write() -> None:
            store.execute(b"SET", b"key:%d" % rng.randrange(keys), b"changed")

        def during(waits: Waits, command: str) -> float:
            start = time.perf_counter()
            store.execute(command)
            waits.times.append(time.perf_counter() - start)  # others would have waited for it
            return waits.write(write, lambda: working(store))

        best(rounds, who, "(no job)", lambda waits: waits.write(write, until(BEFORE)))
        for command in ("BGSAVE", "BGREWRITEAOF"):
            best(rounds, who, command, partial(during, command=command))
        print(facts_of(store.execute("INFO", "everything")))


def facts_of(text: bytes) -> str:
    wanted = ("latest_fork_usec", "rdb_last_cow_size", "aof_last_cow_size")
    return " " * 31 + ", ".join(line for line in text.decode().splitlines() if line.startswith(wanted))


def working(store: Embedded) -> bool:
    assert store.persistence is not None
    return store.persistence.job is not None


def theirs(name: str, keys: int, rounds: int) -> None:
    rng = Random(1)
    with running(name, "--appendonly", "yes", "--auto-aof-rewrite-percentage", "0", "--enable-debug-command",
                 "yes") as server:  # fmt: skip
        server.call("DEBUG", "POPULATE", keys, "key")
        client = server.client()

        def write() -> None:
            client.call("SET", b"key:%d" % rng.randrange(keys), b"changed")

        def during(waits: Waits, command: str) -> float:
            done = [False]
            asking = Thread(target=ask, args=(server, command, done))
            asking.start()
            took = waits.write(write, lambda: not done[0])
            asking.join()
            return took

        best(rounds, name, "(no job)", lambda waits: waits.write(write, until(BEFORE)))
        for command in ("BGSAVE", "BGREWRITEAOF"):
            best(rounds, name, command, partial(during, command=command))
        print(facts_of(server.call("INFO", "everything")))
        client.close()


def ask(server: RealServer, command: str, done: list[bool]) -> None:
    """Have the job begin, and look now and then whether it is done."""
    with server.client() as client:
        client.call(command)
        running = True
        while running:
            time.sleep(0.05)
            facts = client.call("INFO", "persistence")
            running = b"rdb_bgsave_in_progress:1" in facts or b"aof_rewrite_in_progress:1" in facts
    done[0] = True


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    for name in real_servers():
        theirs(name, given.keys, given.rounds)
    for fork in (True, False):
        ours(given.keys, given.rounds, fork)


if __name__ == "__main__":
    main()
