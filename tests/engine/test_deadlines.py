"""Deadlines: what comes first, whatever was set, superseded and removed before."""

from __future__ import annotations

from random import Random

from redtool.engine.clock import Clock
from redtool.engine.deadlines import NEVER, SLACK, Deadlines
from redtool.engine.hashes import Hash
from redtool.engine.keyspace import Keyspace


def test_what_is_due_comes_in_order_and_is_taken_out() -> None:
    deadlines = Deadlines({b"c": 30, b"a": 10, b"b": 20})
    assert deadlines.soonest() == 10
    assert deadlines.due(9, 5) == []
    assert deadlines.due(30, 2) == [b"a", b"b"]
    assert deadlines == {b"c": 30}
    assert deadlines.due(30, 2) == [b"c"]
    assert deadlines.soonest() == NEVER


def test_what_was_superseded_or_removed_does_not_count() -> None:
    deadlines = Deadlines({b"a": 10, b"b": 10})
    assert deadlines.soonest() == 10
    deadlines.set(b"a", 50)
    del deadlines[b"b"]
    assert deadlines.due(40, 5) == []
    deadlines.set(b"b", 10)
    deadlines.set(b"b", 10)
    assert deadlines.due(60, 5) == [b"b", b"a"]
    assert deadlines.due(60, 5) == []


def test_a_heap_of_superseded_entries_stays_small() -> None:
    deadlines = Deadlines({b"a": 1})
    for when in range(1, 10_000):
        deadlines.set(b"a", when)
        assert deadlines.soonest() == when
        assert deadlines._heap is not None
        assert len(deadlines._heap) <= SLACK + 3
    kept = Deadlines({b"a": 1, b"b": 10_000})
    for when in range(5000, 1, -1):  # each before the last, so that none is met and dropped
        kept.set(b"a", when)
        kept.soonest()
        assert kept._heap is not None
        assert len(kept._heap) <= SLACK + 6


def test_a_copy_is_of_its_own() -> None:
    deadlines = Deadlines({b"a": 1})
    twin = deadlines.copy()
    twin.set(b"b", 2)
    assert deadlines.due(5, 9) == [b"a"]
    assert twin.due(5, 9) == [b"a", b"b"]


def test_random_histories_against_a_plain_dict() -> None:
    rng = Random(5)
    for _ in range(200):
        deadlines, now = Deadlines(), 0
        plain: dict[bytes, int] = {}
        for _ in range(rng.randrange(60)):
            name = b"%d" % rng.randrange(8)
            if rng.random() < 0.6:
                plain[name] = now + rng.randrange(20)
                deadlines.set(name, plain[name])
            elif rng.random() < 0.5:
                plain.pop(name, None)
                deadlines.pop(name, None)
            else:
                now += rng.randrange(10)
                gone = deadlines.due(now, 100)
                assert sorted(gone) == sorted(name for name, when in plain.items() if when <= now)
                for name in gone:
                    del plain[name]
            assert deadlines == plain
            assert deadlines.soonest() == min(plain.values(), default=NEVER)


# -- hashes, and the database that holds them


def test_a_hash_gives_up_fields_with_their_deadline() -> None:
    value = Hash({b"a": b"1", b"b": b"2", b"c": b"3"})
    for field, when in ((b"a", 10), (b"b", 20)):
        value.expire_at(field, when)
    assert value.persist(b"a")
    assert not value.persist(b"a")
    assert not value.persist(b"c")
    assert value.expire(20, 5) == [b"b"]
    assert value == {b"a": b"1", b"c": b"3"}
    assert value.expire(20, 5) == []
    assert Hash({b"a": b"1"}).expire(20, 5) == []


def keyspace() -> tuple[Keyspace, list[tuple[bytes, list[bytes]]]]:
    """A database at the time 1000 ms, and what it says expired."""
    db = Keyspace(0, Clock())
    db.clock.ns = 1000 * 1_000_000
    told: list[tuple[bytes, list[bytes]]] = []
    db.on_fields_expired = lambda db, key, fields: told.append((key, fields))
    return db, told


def put(db: Keyspace, key: bytes, **deadlines: int) -> Hash:
    value = Hash({field.encode(): b"v" for field in deadlines})
    for field, when in deadlines.items():
        value.expire_at(field.encode(), when)
    db.put(key, value)
    db.note_fields(key, value)
    return value


def test_a_look_removes_what_has_passed() -> None:
    db, told = keyspace()
    put(db, b"h", a=1000, b=1001)
    put(db, b"g", a=1000)
    assert db.get(b"h") == {b"b": b"v"}
    assert db.get(b"g") is None
    assert told == [(b"h", [b"a"]), (b"g", [b"a"])]
    assert list(db.data) == [b"h"]
    assert db.timed == {b"h": 1001}


def test_nothing_goes_while_loading() -> None:
    db, told = keyspace()
    put(db, b"h", a=1)
    db.lazy = False
    assert db.get(b"h") == {b"a": b"v"}
    assert db.field_cycle() == 0
    assert told == []


def test_a_cycle_stops_at_its_budget_and_goes_on_there() -> None:
    db, told = keyspace()
    put(db, b"h", **{f"f{n}": n for n in range(5)})
    put(db, b"g", **{f"f{n}": 10 + n for n in range(5)})
    assert db.field_cycle(3) == 3
    assert db.field_cycle(3) == 3
    assert [(key, len(fields)) for key, fields in told] == [(b"h", 3), (b"h", 2), (b"g", 1)]
    assert db.field_cycle() == 4
    assert not db.data


def test_hashes_that_have_lost_their_deadlines_are_looked_at_once() -> None:
    db, told = keyspace()
    for n in range(10):
        put(db, b"%d" % n, a=1).persist(b"a")
    assert db.field_cycle(4) == 4
    assert len(db.timed or ()) == 6
    assert db.field_cycle() == 6
    assert told == []
    assert len(db) == 10


def test_what_replaces_or_removes_a_hash_takes_its_deadlines_along() -> None:
    db, told = keyspace()
    for key in (b"put", b"removed", b"renamed"):
        put(db, key, a=2000)
    db.put(b"put", b"string")
    db.remove(b"removed")
    db.rename(b"renamed", b"new")
    assert db.timed == {b"new": 2000}
    other = Keyspace(1, db.clock)
    db.swap(other)
    assert (db.careful, other.careful) == (False, True)
    assert other.timed == {b"new": 2000}
    other.clear()
    assert not other.careful
    assert not other.timed
    assert told == []
