"""Who goes when memory is full: the pool, the policies, the clocks they go by, and what keys are drawn from."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest

from redtool.engine.clock import Clock
from redtool.engine.evict import POOL, Chooser, Pool, drop, sample, sample_expiring
from redtool.engine.keyspace import Keyspace
from redtool.engine.sampling import SLACK, Roll
from redtool.engine.uses import FRESH, MINUTE, TICK, TICKS, Frequency, Recency

SECOND = TICK * TICKS
COUNT = 500


class Luck:
    """Draws what it was given, over and over."""

    def __init__(self, drawn: float) -> None:
        self.drawn = drawn

    def random(self) -> float:
        return self.drawn


def keyspaces(count: int = 1) -> list[Keyspace]:
    clock = Clock()
    clock.ns = 1_000_000 * SECOND
    return [Keyspace(number, clock) for number in range(count)]


# -- the pool


def offered(scores: list[int]) -> Pool:
    """A pool that was offered keys of these scores, each named by its turn."""
    [db] = keyspaces()
    pool = Pool()
    for turn, score in enumerate(scores):
        pool.offer(score, (db, b"%d" % turn, 0))
    return pool


def names(pool: Pool) -> list[int]:
    return [int(key) for _, key, _ in pool.places]


@pytest.mark.parametrize(
    ("scores", "kept", "left"),
    [
        ([], [], []),
        ([5], [5], [0]),
        ([5, 3, 9], [3, 5, 9], [1, 0, 2]),
        ([4, 4, 4], [4, 4, 4], [2, 1, 0]),  # of equals the later stands further from the end that goes
        (list(range(POOL)), list(range(POOL)), list(range(POOL))),
        ([*range(POOL), 99], [*range(1, POOL), 99], [*range(1, POOL), POOL]),
        ([*range(5, 5 + POOL), 4], list(range(5, 5 + POOL)), list(range(POOL))),  # full of better ones
        ([*range(5, 5 + POOL), 5], list(range(5, 5 + POOL)), list(range(POOL))),
        ([*range(0, 2 * POOL, 2), 5], [2, 4, 5, *range(6, 2 * POOL, 2)], [1, 2, POOL, *range(3, POOL)]),
    ],
)
def test_pool_keeps_the_highest_scores(scores: list[int], kept: list[int], left: list[int]) -> None:
    pool = offered(scores)
    assert pool.scores == kept
    assert names(pool) == left


def test_pool_gives_the_best_first() -> None:
    pool = offered([3, 7, 5])
    assert [place[1] for place in iter(pool.pop, None)] == [b"1", b"2", b"0"]
    assert pool.pop() is None


def model(scores: list[int]) -> list[int]:
    """The pool as evict.c keeps it, an array of fixed length whose free places are at its end."""
    pool: list[int | None] = [None] * POOL
    for score in scores:
        k = 0
        while k < POOL and pool[k] is not None and pool[k] < score:  # type: ignore[operator]
            k += 1
        if k == 0 and pool[-1] is not None:
            continue
        if k == POOL or pool[k] is not None:
            if pool[-1] is None:
                pool[k + 1 :] = pool[k:-1]
            else:
                k -= 1
                pool[:k] = pool[1 : k + 1]
        pool[k] = score
    return [score for score in pool if score is not None]


@pytest.mark.parametrize("seed", range(50))
def test_pool_is_that_of_a_server(seed: int) -> None:
    rng = Random(seed)
    scores = [rng.randrange(40) for _ in range(rng.randrange(60))]
    assert offered(scores).scores == model(scores)


# -- policies


def filled(policy: str, count: int = 40) -> tuple[Chooser, list[Keyspace]]:
    """Keys 0, 1, 2 … in two databases; the higher its number the later a key was used, and the later it ends.

    Every fourth has no deadline.
    """
    dbs = keyspaces(2)
    for db in dbs:
        db.uses = Frequency(db.clock, Luck(0.0)) if policy.endswith("lfu") else Recency(db.clock)
    for number in range(count):
        db = dbs[number % 2]
        db.clock.ns += SECOND
        db.put(b"%d" % number, b"x")
        if number % 4:
            db.expire_at(b"%d" % number, 10**16 + number)
        for _ in range(number if policy.endswith("lfu") else 0):
            db.get(b"%d" % number)
    return Chooser(dbs, policy), dbs


def victims(chooser: Chooser, most: int = 1000, samples: int = 64) -> list[int]:
    """Numbers of the keys that go, in order."""
    rng, found = Random(7), list[int]()
    while len(found) < most and (place := chooser.victim(rng, samples)) is not None:
        drop(*place)
        found.append(int(place[1]))
    return found


ALL = list(range(40))
VOLATILE = [number for number in ALL if number % 4]


@pytest.mark.parametrize(
    ("policy", "those"),
    [("allkeys-lru", ALL), ("allkeys-lfu", ALL), ("allkeys-random", ALL), ("volatile-lru", VOLATILE),
     ("volatile-lfu", VOLATILE), ("volatile-random", VOLATILE), ("volatile-ttl", VOLATILE), ("noeviction", [])],
)  # fmt: skip
def test_a_policy_drops_its_keys_and_no_others(policy: str, those: list[int]) -> None:
    chooser, dbs = filled(policy)
    assert sorted(victims(chooser)) == those
    assert sum(map(len, dbs)) == len(ALL) - len(those)


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-lfu", "volatile-lru", "volatile-lfu", "volatile-ttl"])
def test_the_best_victims_go_first(policy: str) -> None:
    """With samples enough to meet nearly every key the order is nearly exact."""
    first = victims(filled(policy)[0], 5, 200)
    assert set(first) <= set(range(10)), first


def test_few_samples_choose_less_well() -> None:
    """One sample a draw: the first victim may be any key."""
    firsts = {victims_of_seed(seed) for seed in range(40)}
    assert len(firsts) > 10


def victims_of_seed(seed: int) -> int:
    chooser, _ = filled("allkeys-lru")
    place = chooser.victim(Random(seed), 1)
    assert place is not None
    return int(place[1])


def test_random_takes_the_databases_in_turn() -> None:
    chooser, _ = filled("allkeys-random")
    assert {number % 2 for number in victims(chooser, 2)} == {0, 1}


def test_keys_that_have_gone_meanwhile_are_passed_over() -> None:
    chooser, dbs = filled("allkeys-lru")
    [first] = victims(chooser, 1)
    for _, key, _ in chooser.pool.places:
        for db in dbs:
            db.remove(key)
    [second] = victims(chooser, 1)
    assert second != first


def test_a_key_that_lost_its_deadline_is_not_volatile() -> None:
    chooser, dbs = filled("volatile-ttl")
    victims(chooser, 1)
    for db in dbs:
        for key in list(db.expires):
            db.persist(key)
    assert victims(chooser) == []


# -- clocks


def test_idle_time_is_that_of_whole_seconds() -> None:
    [db] = keyspaces()
    db.uses = uses = Recency(db.clock)
    db.clock.ns += SECOND * 9 // 10
    db.put(b"k", b"v")
    db.clock.ns += SECOND * 2 // 10  # a second begins
    assert uses.idle(b"k") == 1
    db.clock.ns += 10 * SECOND
    assert uses.idle(b"k") == 11
    assert uses.score(b"k") == 1020
    assert uses.idle(b"unknown") == 11  # since the keeping began
    db.get(b"k")
    assert uses.idle(b"k") == 0


def test_a_look_without_touch_leaves_the_time() -> None:
    [db] = keyspaces()
    db.uses = uses = Recency(db.clock)
    db.put(b"k", b"v")
    db.clock.ns += 5 * SECOND
    db.peek(b"k")
    db.still = True
    db.get(b"k")
    assert uses.idle(b"k") == 5


def test_keys_of_one_moment_share_the_number() -> None:
    [db] = keyspaces()
    db.uses = uses = Recency(db.clock)
    db.put(b"a", b"v")
    db.put(b"b", b"v")
    assert uses.at[b"a"] is uses.at[b"b"]


@pytest.mark.parametrize("uses", [Recency, lambda clock: Frequency(clock, Luck(0.0))])
def test_uses_go_where_their_key_goes(uses: Any) -> None:
    one, other = dbs = keyspaces(2)
    for db in dbs:
        db.uses = uses(db.clock)
    one.put(b"k", b"v")
    told = one.access[b"k"]
    one.clock.ns += 300 * SECOND
    one.swap(other)
    assert (one.access, other.access) == ({}, {b"k": told})
    other.swap(one)
    one.rename(b"k", b"new")
    assert one.access.keys() == {b"new"} and one.access[b"new"] > told  # a new key, as for servers
    told = one.access[b"new"]
    one.swap(other)
    assert (one.access, other.access) == ({}, {b"new": told})
    other.remove(b"new")
    assert other.access == {}
    other.put(b"k", b"v")
    other.clear()
    assert other.access == {}


@pytest.mark.parametrize(
    ("drawn", "factor", "hits", "count"),
    [
        (0.0, 10, 0, 5), (0.0, 10, 1, 6), (0.0, 10, 100, 105), (0.0, 10, 1000, 255),
        (0.999, 10, 1, 6), (0.999, 10, 100, 6),  # up to the start it always grows, above by chance
        (0.05, 10, 100, 7), (0.05, 1, 100, 24), (0.999, 0, 1000, 255),
    ],
)  # fmt: skip
def test_counter_grows_ever_more_slowly(drawn: float, factor: int, hits: int, count: int) -> None:
    [db] = keyspaces()
    db.uses = uses = Frequency(db.clock, Luck(drawn), factor)
    db.put(b"k", b"v")
    for _ in range(hits):
        db.get(b"k")
    assert uses.count(b"k") == count


def test_counter_is_as_redis_says() -> None:
    """Its table for factor 10: about 10 after a hundred hits, 18 after a thousand, 142 after a hundred thousand."""
    [db] = keyspaces()
    db.uses = uses = Frequency(db.clock, Random(1))
    db.put(b"k", b"v")
    seen = {}
    for hit in range(1, 100_001):
        uses.touch(b"k")
        if hit in (100, 1000, 100_000):
            seen[hit] = uses.count(b"k")
    assert 8 <= seen[100] <= 13 and 15 <= seen[1000] <= 25 and 120 <= seen[100_000] <= 170, seen


@pytest.mark.parametrize(
    ("decay", "minutes", "count"),
    [(1, 0, 25), (1, 1, 24), (1, 10, 15), (1, 100, 0), (5, 4, 25), (5, 26, 20), (0, 1000, 25)],
)
def test_counter_falls_with_time(decay: int, minutes: int, count: int) -> None:
    [db] = keyspaces()
    db.uses = uses = Frequency(db.clock, Luck(0.0), decay=decay)
    db.put(b"k", b"v")
    for _ in range(20):
        db.get(b"k")
    db.clock.ns += minutes * MINUTE
    assert uses.count(b"k") == count
    assert uses.score(b"k") == 255 - count
    db.get(b"k")
    assert uses.count(b"k") == count + 1


def test_a_value_put_in_place_of_another_keeps_the_counter() -> None:
    [db] = keyspaces()
    db.uses = uses = Frequency(db.clock, Luck(0.0))
    steps: list[tuple[Any, tuple[Any, ...], int]] = [
        (db.put, (b"k", b"v"), 5), (db.put, (b"k", b"v"), 6), (db.get, (b"k",), 7), (db.put, (b"k", b"v", True), 7),
        (db.remove, (b"k",), 5), (db.put, (b"k", b"v", True), 5),
    ]  # fmt: skip
    for step, words, count in steps:
        step(*words)
        assert uses.count(b"k") == count, (step, words)


@pytest.mark.parametrize("then", [False, True])
def test_what_a_file_says(then: bool) -> None:
    [db] = keyspaces()
    recency, frequency = Recency(db.clock), Frequency(db.clock, Luck(0.0))
    db.clock.ns += 120 * SECOND  # what a file says is of when it was loaded, also if the key comes in later
    recency.note(b"k", 30, None, then)
    frequency.note(b"k", None, 99, then)
    assert recency.told(b"k") == (150 if then else 30, None)
    assert frequency.told(b"k") == (None, 97 if then else 99)
    recency.note(b"k", None, 3)
    frequency.note(b"k", 7, None)
    assert recency.told(b"k") == (150 if then else 30, None)
    assert frequency.told(b"k") == (None, 97 if then else 99)
    assert frequency.count(b"new") == FRESH - 2


# -- drawing keys


def test_a_roll_gives_each_key_alike() -> None:
    members: dict[bytes, Any] = {b"%d" % number: None for number in range(20)}
    roll = Roll(members)
    drawn = Counter(key for seed in range(400) for key, _ in roll.draw(Random(seed), 10))
    assert set(drawn) == set(members)
    assert all(120 < count < 280 for count in drawn.values()), drawn


def test_a_roll_forgets_what_has_gone() -> None:
    members: dict[bytes, Any] = {b"%d" % number: None for number in range(1000)}
    roll = Roll(members)
    for number in range(999):
        del members[b"%d" % number]
    assert [key for key, _ in roll.draw(Random(1), 3)] == [b"999"] * 3
    members.clear()
    assert roll.draw(Random(1), 3) == []
    assert roll.keys == []


def test_a_roll_does_not_grow_without_end() -> None:
    members: dict[bytes, Any] = {}
    roll = Roll(members)
    for number in range(10 * SLACK):
        members.pop(b"%d" % (number - 1), None)
        roll.add(b"%d" % number)
        members[b"%d" % number] = None
        assert len(roll.keys) <= SLACK + 3
    assert [key for key, _ in roll.draw(Random(1), 2)] == [b"%d" % number] * 2


def test_a_key_that_goes_and_comes_again_is_in_a_roll_once() -> None:
    """Else what is dropped and stored again would be drawn more often than the rest, and dropped again."""
    members: dict[bytes, Any] = {b"%d" % number: None for number in range(20)}
    roll, rng = Roll(members), Random(1)
    for _ in range(1000):
        [(key, place)] = roll.draw(rng, 1)
        roll.discard(key, place)
        assert key not in roll.keys
        roll.discard(key, place)  # another stands there now
        roll.add(key)
    assert sorted(roll.keys) == sorted(members)


@pytest.mark.parametrize("scanned", [False, True])
def test_a_sample_follows_the_keys(scanned: bool) -> None:
    [db] = keyspaces()
    assert sample(db, Random(1), 5) == []
    if scanned:
        db.page(0, 10)
    for number in range(50):
        db.put(b"%d" % number, b"x")
    for number in range(40):
        db.remove(b"%d" % number)
    assert {key for seed in range(50) for key, _ in sample(db, Random(seed), 5)} == {b"%d" % n for n in range(40, 50)}
    db.clear()
    assert sample(db, Random(1), 5) == []
    db.put(b"k", b"v")
    assert [key for key, _ in sample(db, Random(1), 2)] == [b"k", b"k"]


def test_a_sample_of_keys_with_deadlines() -> None:
    [db] = keyspaces()
    assert sample_expiring(db, Random(1), 5) == []
    for number in range(COUNT):
        db.put(b"%d" % number, b"x")
        db.expire_at(b"%d" % number, 10**16)
    assert len(sample_expiring(db, Random(1), 5)) == 5
    for number in range(COUNT - 1):
        db.persist(b"%d" % number)
    assert [key for key, _ in sample_expiring(db, Random(1), 5)] == [b"%d" % (COUNT - 1)] * 5
    db.persist(b"%d" % (COUNT - 1))
    assert sample_expiring(db, Random(1), 5) == []
