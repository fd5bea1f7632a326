"""Sorted sets against sortedcontainers: microseconds an operation, both in one run.

    python tests/bench/zsets.py [members ...]        default 1000 100000 1000000

The peer is what one would write with the library: a dict of scores and a ``SortedList`` of (score, member). Each
operation runs in rounds, ours and the peer's in turn, and the best round of each counts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from random import Random
from time import perf_counter

from sortedcontainers import SortedList  # type: ignore[import-untyped]

from redtool.engine.zsets import ZSet, above

ROUNDS = 5


class Peer:
    """The same operations over a SortedList."""

    def __init__(self, scores: dict[bytes, float]) -> None:
        self.scores = dict(scores)
        self.order = SortedList((score, member) for member, score in scores.items())

    def put(self, member: bytes, score: float) -> None:
        old = self.scores.get(member)
        if old == score:
            return
        if old is not None:
            self.order.remove((old, member))
        self.order.add((score, member))
        self.scores[member] = score

    def remove(self, member: bytes) -> None:
        self.order.remove((self.scores.pop(member), member))

    def rank(self, member: bytes) -> int:
        return int(self.order.index((self.scores[member], member)))

    def top(self, start: int, stop: int) -> list[tuple[float, bytes]]:
        return list(self.order.islice(start, stop))

    def by_score(self, low: float, high: float) -> list[tuple[float, bytes]]:
        return list(self.order.irange((low,), (high,)))

    def pop_min(self) -> None:
        del self.scores[self.order.pop(0)[1]]


def ours(scores: dict[bytes, float]) -> ZSet:
    zset = ZSet.of(scores)
    assert zset.order
    return zset


def rounds(members: list[bytes], rng: Random, count: int) -> dict[str, tuple[Callable[..., None], Callable[..., None]]]:
    """Operations by name, for ours and for the peer; each runs ``count`` times."""
    some = [rng.choice(members) for _ in range(count)]
    places = [rng.random() for _ in range(count)]
    fresh = [b"new:%d" % i for i in range(count)]
    n = len(members)
    width = 10 / n

    def add(z: ZSet | Peer) -> None:
        for member, score in zip(fresh, places, strict=True):
            z.put(member, score)

    def remove(z: ZSet | Peer) -> None:
        for member in fresh:
            z.remove(member)

    def rank(z: ZSet | Peer) -> None:
        for member in some:
            z.rank(member)

    def slice_ours(z: ZSet) -> None:
        for place in places:
            start = int(place * (n - 10))
            z.slice(z.rank_span(start, start + 9))

    def slice_peer(z: Peer) -> None:
        for place in places:
            start = int(place * (n - 10))
            z.top(start, start + 10)

    def score_ours(z: ZSet) -> None:
        for place in places:
            z.slice(z.score_span(place, above(place + width)))

    def score_peer(z: Peer) -> None:
        for place in places:
            z.by_score(place, place + width)

    def leaderboard(z: ZSet | Peer) -> None:
        for member in some:
            z.put(member, z.scores[member] + 0.001)
            z.rank(member)

    def pop(z: ZSet | Peer) -> None:
        for _ in range(min(count // 2, n // 8)):
            z.pop_min()

    return {
        "add": (add, add),
        "remove": (remove, remove),
        "rank": (rank, rank),
        "range of 10": (slice_ours, slice_peer),
        "score range of 10": (score_ours, score_peer),
        "put + rank": (leaderboard, leaderboard),
        "pop_min": (pop, pop),
    }


def timed(run: Callable[..., None], value: ZSet | Peer) -> float:
    start = perf_counter()
    run(value)
    return perf_counter() - start


def measure(n: int) -> None:
    rng = Random(n)
    scores = {b"member:%d" % i: rng.random() for i in range(n)}
    count = min(10_000, n)
    start = perf_counter()
    mine = ours(scores)
    built = perf_counter()
    peer = Peer(scores)
    print(f"{n:>9,} {'build, ms':<18} {(built - start) * 1e3:8.2f} {(perf_counter() - built) * 1e3:8.2f}")
    best: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, (run_mine, run_peer) in rounds(list(mine.scores), rng, count).items():
            calls = min(count // 2, n // 8) if name == "pop_min" else count
            pair = [timed(run_mine, mine) / calls, timed(run_peer, peer) / calls]
            best[name] = [min(old, new) for old, new in zip(best.get(name, pair), pair, strict=True)]
    for name, (a, b) in best.items():
        print(f"{n:>9,} {name:<18} {a * 1e6:8.2f} {b * 1e6:8.2f} {b / a:6.2f}x")


if __name__ == "__main__":
    print(f"{'members':>9} {'operation':<18} {'redtool':>8} {'peer':>8}   us; times quicker")
    for size in map(int, sys.argv[1:] or ("1000", "100000", "1000000")):
        measure(size)
