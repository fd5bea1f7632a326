"""Hit ratios of a cache that is full: redtool and a real server run the same trace side by side, under each policy.

    python -m tests.bench.eviction [--count 100000] [--keys 10000] [--share 0.5] [--server redis7] [--seed 1]
                                   [--skew 0.8 0.99 1.1] [--policy allkeys-lru …]

Keys are drawn from a Zipf distribution of the given skew. A key that is not there is stored, as cache-aside does. Both
get the same share of the memory that all keys would take in them. The figures are hits in the second half of the
trace, in percent. Both see the same times: each key is asked of one, then of the other.
"""

from __future__ import annotations

import argparse
from bisect import bisect
from itertools import accumulate
from random import Random
from typing import Any, Protocol

from redtool.config import Config
from redtool.parameters import POLICIES
from redtool.session import Session
from redtool.store import Store
from tests import servers

SKEWS = (0.8, 0.99, 1.1)
SIZE = 120  # bytes of a value
TOLERANCE = 2.0  # percent


class Cache(Protocol):
    """Something that commands can be given to."""

    def call(self, *argv: bytes) -> Any: ...

    def close(self) -> None: ...


class Embedded:
    """A store in memory."""

    def __init__(self) -> None:
        self.store = Store(Config())
        self.session = Session(self.store)

    def call(self, *argv: bytes) -> Any:
        return self.store.execute(self.session, argv)

    def close(self) -> None: ...


class Remote:
    """A real server."""

    def __init__(self, server: servers.RealServer) -> None:
        self.client = server.client()

    def call(self, *argv: bytes) -> Any:
        return self.client.call(*argv)

    def close(self) -> None:
        self.client.close()


def zipf(rng: Random, keys: int, skew: float, count: int) -> list[int]:
    """Numbers below ``keys``; the probability of each falls with its rank, ranks are in random order."""
    sums = list(accumulate(1 / rank**skew for rank in range(1, keys + 1)))
    names = list(range(keys))
    rng.shuffle(names)
    return [names[bisect(sums, rng.random() * sums[-1])] for _ in range(count)]


def used(cache: Cache) -> int:
    text = cache.call(b"INFO", b"memory")
    text = getattr(text, "data", text)
    return int(bytes(text).partition(b"used_memory:")[2].split()[0])


def store(cache: Cache, number: int, lifetime: int) -> None:
    words = (b"EX", b"%d" % lifetime) if lifetime else ()
    cache.call(b"SET", b"key:%010d" % number, b"%0*d" % (SIZE, number), *words)


def prepare(cache: Cache, policy: str, keys: int, share: float, lifetimes: list[int]) -> None:
    """Find what all keys take, and allow a share of that."""
    cache.call(b"CONFIG", b"SET", b"maxmemory", b"0", b"maxmemory-policy", policy.encode())
    cache.call(b"FLUSHALL", b"SYNC")
    before = used(cache)
    for number in range(keys):
        store(cache, number, lifetimes[number])
    limit = before + int((used(cache) - before) * share)
    cache.call(b"FLUSHALL", b"SYNC")
    cache.call(b"CONFIG", b"SET", b"maxmemory", b"%d" % limit)


def run(caches: list[Cache], policy: str, trace: list[int], keys: int, share: float, seed: int) -> list[float]:
    """Hit ratio of each in the second half of the trace, in percent. Closes them."""
    rng = Random(seed)
    lifetimes = [rng.randrange(10_000, 20_000) if policy.startswith("volatile-") else 0 for _ in range(keys)]
    for cache in caches:
        prepare(cache, policy, keys, share, lifetimes)
    hits = [0] * len(caches)
    half = len(trace) // 2
    for turn, number in enumerate(trace):
        for place, cache in enumerate(caches):
            if cache.call(b"GET", b"key:%010d" % number) is None:
                store(cache, number, lifetimes[number])
            elif turn >= half:
                hits[place] += 1
    for cache in caches:
        cache.close()
    return [count * 100 / (len(trace) - half) for count in hits]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--keys", type=int, default=10_000)
    parser.add_argument("--share", type=float, default=0.5)
    parser.add_argument("--server", default="valkey")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--skew", type=float, nargs="*", default=SKEWS)
    parser.add_argument("--policy", nargs="*", default=[policy for policy in POLICIES if policy != "noeviction"])
    given = parser.parse_args()
    worst = 0.0
    print(f"{'policy':16} {'skew':>5} {'redtool':>8} {given.server:>8}  difference")
    with servers.running(given.server) as server:
        for policy in given.policy:
            for skew in given.skew:
                trace = zipf(Random(given.seed), given.keys, skew, given.count)
                ours, theirs = run([Embedded(), Remote(server)], policy, trace, given.keys, given.share, given.seed)
                print(f"{policy:16} {skew:5} {ours:8.2f} {theirs:8.2f}  {ours - theirs:+.2f}", flush=True)
                worst = min(worst, ours - theirs)
    print(f"worst {worst:+.2f}, tolerated {-TOLERANCE}")
    return int(worst < -TOLERANCE)


if __name__ == "__main__":
    raise SystemExit(main())
