"""What a store says that it takes, while commands of every kind run; MEMORY DOCTOR."""

from __future__ import annotations

from random import Random

import pytest

from redtool.engine.meter import Meter
from tests import embedded
from tests.commands.conftest import Runner
from tests.program import CARRY, Program, drawable
from tests.servers import RealServer


def settled(client: embedded.Client) -> tuple[list[int], list[int]]:
    """Bytes of each database as its meter has them, and as a full walk finds them."""
    databases = client.store.databases
    for db in databases:
        assert db.meter is not None
        assert db.used >= db.meter.held
        for _ in range(len(db.meter.weights) + 2):
            db.meter.revisit(db.data)
    return [db.meter.held if db.meter else -1 for db in databases], [Meter(db).held for db in databases]


@pytest.mark.parametrize("seed", range(6))
def test_what_is_told_never_drifts(valkey: RealServer, seed: int) -> None:
    """Random commands of every kind, keys and fields that expire, transactions, scripts."""
    first = embedded.Client()
    clients = [first, embedded.Client(first.store), embedded.Client(first.store)]
    first.store.used_memory()
    for i, (client, argv) in enumerate(Program(Random(seed), drawable(valkey)).steps(400)):
        if argv[0] == CARRY:
            argv = (b"RESTORE", argv[2], argv[3], first.call("DUMP", argv[1]) or b"", *argv[4:])
        clients[client].call(*argv)
        if i % 40 == 39:
            first.advance(700_000)
            told, found = settled(first)
            assert told == found, argv
    first.call("FLUSHALL")
    assert first.store.used_memory(exact=True) == 0


def test_nothing_is_counted_until_somebody_asks() -> None:
    r = Runner(embedded.Client())
    r("SET key value")
    store = r.client.store  # type: ignore[union-attr]
    db = store.databases[0]
    assert (db.meter, db.noting, store.observed) == (None, False, False)
    r("INFO memory")
    assert db.noting
    assert store.observed
    assert db.meter is not None


READS = ["GET key", "PING"]
WRITES = ["HSET h field value", "LPUSH l element", "SADD s member", "ZADD z 1 member", "XADD x 1-1 field value",
          "APPEND key value", "SETRANGE key 100 x", "SETBIT key 100000 1", "PFADD p element", "HINCRBY h n 1",
          "EVAL \"return redis.call('RPUSH', KEYS[1], ARGV[1])\" 1 l element", "XGROUP CREATE x g 0 MKSTREAM",
          "GEOADD g 13 38 place", "SORT l ALPHA STORE sorted", "COPY l copy", "MOVE key 1"]  # fmt: skip


def test_each_write_counts_at_once_where_there_is_a_limit() -> None:
    r = Runner(embedded.Client())
    r("CONFIG SET maxmemory 1gb")
    r("SET key value")
    store = r.client.store  # type: ignore[union-attr]
    for line in WRITES:
        before = store.used_memory(exact=True)
        r(line)
        assert store.used_memory(exact=True) >= before
        for db in store.databases:
            assert db.meter is not None
            assert db.meter.held == Meter(db).held, line
    for line in READS:
        before = store.used_memory()
        r(line)
        assert store.used_memory() == before


def test_pending_entries_count() -> None:
    r = Runner(embedded.Client())
    r("XGROUP CREATE x g 0 MKSTREAM")
    for n in range(1, 600):
        r(f"XADD x {n}-1 field value")
    store = r.client.store  # type: ignore[union-attr]
    before = store.used_memory()
    r("XREADGROUP GROUP g me COUNT 500 STREAMS x >")
    assert store.used_memory() > before + 500 * 100
    r("XACK x g " + " ".join(f"{n}-1" for n in range(1, 600)))
    left = store.used_memory()
    assert left < before + 500 * 200
    meter = store.databases[0].meter
    assert meter is not None
    assert meter.held == Meter(store.databases[0]).held


def test_replacing_the_data_measures_them_anew() -> None:
    r = Runner(embedded.Client())
    r("HSET h field value")
    r("SET key value EX 100")
    store = r.client.store  # type: ignore[union-attr]
    before = store.used_memory(exact=True)
    r("DEBUG RELOAD")
    assert abs(store.used_memory(exact=True) - before) < 100
    r("SWAPDB 0 1")
    r("SELECT 1")
    r("DEL h key")
    assert store.used_memory(exact=True) == 0


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (["SET key value"], b"nothing to say"),
        (["SETRANGE key 6000000 x"], b"No problem found."),
        (["SETRANGE key 6000000 x", "SETRANGE more 6000000 x", "INFO memory", "DEL more"], b"Peak:"),
        (["CONFIG SET maxmemory-policy allkeys-lru maxmemory 7000000", "SETRANGE key 6000000 x"], b"Limit:"),
        (["SETRANGE key 6000000 x", "CONFIG SET maxmemory 7000000"], b"Policy:"),
    ],
)  # fmt: skip
def test_doctor(lines: list[str], wanted: bytes) -> None:
    r = Runner(embedded.Client())
    for line in lines:
        assert not str(r(line)).startswith("-"), line
    assert wanted in r("MEMORY DOCTOR")


def test_doctor_sees_many_scripts() -> None:
    r = Runner(embedded.Client())
    r("SETRANGE key 6000000 x")
    for n in range(1001):
        r(f"SCRIPT LOAD 'return {n}'")
    assert b"Scripts: 1001" in r("MEMORY DOCTOR")
    assert r("MEMORY STATS")[r("MEMORY STATS").index(b"lua.caches") + 1] > 9000


def test_doctor_sees_memory_that_is_not_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    r = Runner(embedded.Client())
    resident = 50 << 20
    monkeypatch.setattr("redtool.commands.memory.resident", lambda: resident)
    monkeypatch.setattr("redtool.commands.memory.Measure.others", 1 << 62)
    r("INFO memory")
    r("SETRANGE key 6000000 x")
    assert b"No problem" in r("MEMORY DOCTOR")
    resident = 80 << 20
    assert b"Fragmentation: the process has 30 MB" in r("MEMORY DOCTOR")
