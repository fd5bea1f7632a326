"""The sizes that values tell of, beside the growth of the process; and the meter, beside a full walk."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from redtool.engine.clock import Clock
from redtool.engine.hashes import Hash
from redtool.engine.keyspace import Keyspace
from redtool.engine.lists import List
from redtool.engine.memory import SIZES, block, measure
from redtool.engine.meter import LARGE, Meter
from redtool.engine.sets import Set
from redtool.engine.streams import Stream
from redtool.engine.vectors import VectorSet
from redtool.engine.zsets import ZSet

GROWN = ["small strings", "small hashes", "small lists", "a large sorted set", "a stream"]


def test_what_is_told_is_what_the_process_grows_by() -> None:
    """Of all kinds, in more time: ``python -m tests.engine.growth``."""
    words = [sys.executable, "-m", "tests.engine.growth", *GROWN]
    told = subprocess.run(words, check=True, capture_output=True, text=True, env={**os.environ, "PYTHONHASHSEED": "0"})
    rows = [line.split(maxsplit=3) for line in told.stdout.splitlines()]
    assert [row[3] for row in rows] == GROWN
    assert [row for row in rows if not 0.9 < float(row[2]) < 1.1] == []


BLOCKS = [(1, 16), (16, 16), (17, 32), (512, 512), (513, 528), (520, 528), (521, 544)]


@pytest.mark.parametrize(("size", "taken"), BLOCKS)
def test_blocks(size: int, taken: int) -> None:
    assert block(size) == taken


def test_strings_of_one_byte_exist_once() -> None:
    assert (SIZES[0], SIZES[1], SIZES[2], SIZES[15], SIZES[16]) == (0, 0, 48, 48, 64)
    assert SIZES[1 << 20] == sys.getsizeof(bytes(1 << 20)) + 15 & ~15


EMPTY: list[Any] = [Hash(), List(), Set(), ZSet(), Stream(), VectorSet(3)]


@pytest.mark.parametrize("value", EMPTY, ids=lambda value: value.kind.decode())
def test_an_empty_collection_takes_little(value: Any) -> None:
    assert 0 < measure(value) < 1000


def metered() -> tuple[Keyspace, Meter]:
    db = Keyspace(0, Clock())
    db.meter = meter = Meter(db)
    return db, meter


def walked(db: Keyspace) -> int:
    return Meter(db).held


def test_putting_and_removing_leave_nothing_behind() -> None:
    db, meter = metered()
    for value in (b"x" * 100, bytearray(b"y" * 5000), List([b"z" * 50] * 500), Hash({b"f": b"v" * 70}), b""):
        db.put(b"key", value)
        assert meter.held == walked(db)
        db.put(b"other", b"value")
        db.remove(b"other")
    db.put(b"key", List([b"z" * 50] * 500))
    db.rename(b"key", b"longer name of a key")
    assert meter.held == walked(db)
    other, _ = metered()
    db.swap(other)
    assert (db.used, other.meter) == (0, meter)
    other.remove(b"longer name of a key")
    assert (meter.held, meter.weights, meter.large) == (0, {}, {})


def test_a_rename_measures_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    db, meter = metered()
    db.put(b"key", List([b"z" * 50] * 500))
    monkeypatch.setattr(List, "nbytes", None)
    db.rename(b"key", b"yek")
    assert list(meter.large) == [b"yek"]
    monkeypatch.undo()
    assert meter.held == walked(db)


def test_a_rename_after_a_write_measures_anew() -> None:
    db, meter = metered()
    value = Hash({b"f": b"v" * 70})
    db.put(b"key", value)
    value[b"g"] = b"w" * 700
    meter.altered(b"key", value, ())
    db.rename(b"key", b"yek")
    assert meter.held == walked(db)


def test_a_large_collection_is_not_measured_for_each_write() -> None:
    db, meter = metered()
    value = List([b"element-%d" % n for n in range(10_000)])
    db.put(b"key", value)
    measured = 0
    for n in range(2_000):
        value.append(b"element-%d" % n)
        meter.altered(b"key", value, (b"RPUSH", b"key", b"element-%d" % n))
        measured += bool(meter.stale)
        used = db.used
        if not n % 50:
            assert abs(used - Meter(db).total(db)) < used / 50
    assert 0 < measured < 10


@pytest.mark.parametrize("size", [100, 5_000])
def test_a_giant_element_is_seen_at_once(size: int) -> None:
    db, meter = metered()
    value = List([b"element-%d" % n for n in range(size)])
    db.put(b"key", value)
    giant = bytes(1 << 20)
    value.append(giant)
    meter.altered(b"key", value, (b"RPUSH", b"key", giant))
    assert db.used > 1 << 20
    assert meter.held == walked(db)


def test_what_a_read_builds_is_found_later() -> None:
    db, meter = metered()
    small, vast = ZSet.of({b"%d" % n: n for n in range(20)}), ZSet.of({b"member-%d" % n: n for n in range(20_000)})
    db.put(b"small", small)
    db.put(b"vast", vast)
    for value in (small, vast):
        value.pop_min(0)
        value.page(0, 1)
        assert value.rank(b"19") is not None or value is vast
    assert meter.held < walked(db) - 100_000
    for _ in range(4):
        meter.revisit(db.data)
    assert meter.held == walked(db)


def test_the_limit_between_small_and_large_is_crossed_both_ways() -> None:
    db, meter = metered()
    value = Set()
    db.put(b"key", value)
    members = [b"member-%d" % n for n in range(200)]
    for member in members:
        value.add(member)
        meter.altered(b"key", value, (b"SADD", b"key", member))
        assert abs(db.used - Meter(db).total(db)) < LARGE / 4
    assert b"key" in meter.large
    for member in members[:-1]:
        value.discard(member)
        meter.altered(b"key", value, (b"SREM", b"key", member))
    assert db.used <= Meter(db).total(db) + LARGE / 8
