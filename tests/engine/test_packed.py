"""Small hashes in one piece: what they are made of, where they come from, and that nobody notices."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redtool.engine.clock import Clock
from redtool.engine.hashes import Hash
from redtool.engine.keyspace import Keyspace
from redtool.engine.meter import Meter
from redtool.engine.packed import Packed, pack
from redtool.persist import rdb
from redtool.persist.save import save
from tests import embedded
from tests.persist.datasets import Collected
from tests.program import CARRY, Program, drawable
from tests.sameness import dataset
from tests.servers import RealServer

short = st.binary(max_size=63)


@given(st.dictionaries(short, short, min_size=1, max_size=63))
def test_what_is_packed_comes_out_the_same(fields: dict[bytes, bytes]) -> None:
    packed = pack(Hash(fields))
    assert packed is not None
    assert list(packed.unpack().items()) == list(fields.items())
    assert packed.unpack().kind == packed.kind


def repack(db: Keyspace) -> int:
    """Pack whatever can be, as if it had just come from a file; gives how many hashes that were."""
    packed = {key: small for key, value in db.data.items() if (small := pack(value)) is not None}
    for key, small in packed.items():
        if db.meter is not None:
            db.meter.put(key, db.data[key], small)
        db.data[key] = small
    db.packed = True
    return len(packed)


def marked(name: str, value: Any) -> Hash:
    hash = Hash({b"f": b"v"})
    setattr(hash, name, value)
    return hash


@pytest.mark.parametrize(
    "value",
    [Hash(), Hash({b"f": b"v" * 64}), Hash({b"f" * 64: b"v"}), Hash({b"%d" % n: b"" for n in range(64)}),
     marked("upgraded", True), marked("deadlines", {}), marked("sampler", [])],
)  # fmt: skip
def test_what_cannot_be_packed(value: Hash) -> None:
    assert pack(value) is None


class Packing(Collected):
    """Takes a file's keys as a store does."""

    packs = True


HASHES = {b"small": Hash({b"f": b"v", b"g": b""}), b"long": Hash({b"f": b"v" * 64}),
          b"many": Hash(dict.fromkeys(map(str.encode, map(str, range(64))), b"x")),
          b"most": Hash(dict.fromkeys(map(str.encode, map(str, range(63))), b"x"))}  # fmt: skip


def test_small_hashes_stay_as_they_are_in_a_file() -> None:
    pieces: list[bytes] = []
    save(pieces.append, [(0, 4, 0, [(key, value, None) for key, value in HASHES.items()])])
    found = Packing()
    rdb.load(b"".join(pieces), found)
    data = found.databases[0][0]
    assert [type(data[key]) for key in HASHES] == [Packed, Hash, Hash, Packed]
    assert {key: value.unpack() if type(value) is Packed else value for key, value in data.items()} == HASHES
    again: list[bytes] = []
    save(again.append, [(0, 4, 0, [(key, value, None) for key, value in data.items()])])
    assert again[-20:] == pieces[-20:]
    assert b"".join(again) == b"".join(pieces)


def test_a_look_unpacks_and_the_meter_follows() -> None:
    db = Keyspace(0, Clock())
    db.meter = Meter(db)
    db.put(b"h", Hash({b"f": b"v" * 50}))
    loose = db.meter.held
    assert repack(db) == 1
    assert repack(db) == 0
    assert db.meter.held == Meter(db).held < loose
    assert db.kind(b"h") == b"hash"
    assert type(db.data[b"h"]) is Packed
    assert type(db.get(b"h")) is Hash
    assert db.meter.held == loose
    repack(db)
    db.rename(b"h", b"i")
    assert type(db.peek(b"i")) is Hash
    repack(db)
    db.remove(b"i")
    assert db.meter.held == 0


@pytest.mark.parametrize("seed", range(6))
def test_commands_do_not_notice(valkey: RealServer, seed: int) -> None:
    """The same random program in two stores, one of which packs whatever it can again and again."""
    stores = []
    for packing in (False, True):
        first = embedded.Client()
        first.ns = 1_700_000_000 * 10**9
        clients = [first, embedded.Client(first.store), embedded.Client(first.store)]
        first.store._rng = Random(1)
        replies, packed = [], 0
        for i, (client, argv) in enumerate(Program(Random(seed), drawable(valkey)).steps(500)):
            if argv[0] == CARRY:
                argv = (b"RESTORE", argv[2], argv[3], first.call("DUMP", argv[1]) or b"", *argv[4:])
            if packing:
                packed += sum(map(repack, first.store.databases))
            if argv[0].upper() not in (b"INFO", b"MEMORY", b"DEBUG", b"LATENCY", b"SLOWLOG"):
                replies.append((argv, str(clients[client].call(*argv))))
            if i % 50 == 49:
                first.advance(700_000)
        stores.append((first, replies, packed))
    (plain, expected, _), (other, given, packed) = stores
    assert packed > 10
    for left, right in zip(expected, given, strict=True):
        assert left == right
    for db in other.store.databases:
        for key in list(db.data):
            db.peek(key)
    assert dataset(other) == dataset(plain)


def test_one_that_the_limits_had_unpacked_stays_so() -> None:
    """As every other hash: on a server CONFIG SET turns none into a listpack again."""
    c = embedded.Client()
    fields = [word for n in range(5) for word in (b"field%d" % n, b"value")]
    assert c.call("CONFIG", "SET", "hash-max-listpack-entries", "3") == b"OK"
    c.call("HSET", "many", *fields)
    assert c.call("CONFIG", "SET", "hash-max-listpack-entries", "128") == b"OK"
    c.call("HSET", "few", *fields)
    assert [c.call("OBJECT", "ENCODING", key) for key in ("many", "few")] == [b"hashtable", b"listpack"]
