"""No damaged file or payload gives anything but an error line or a store that works, within bounds of memory and time.

A run of some hundred inputs of each kind; ``python -m tests.persist.hostile`` makes as many as one likes. Below are
the cases that such runs have found.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from struct import pack

import pytest

from redtool import errors
from redtool.persist.aof import encode
from redtool.persist.codecs import DAMAGE, REDIS, VALKEY, Damaged
from redtool.persist.crc64 import crc64
from redtool.persist.indexing import index_of
from redtool.persist.manifest import parse
from redtool.persist.rdb import load
from redtool.persistence import Persistence
from redtool.session import Session
from tests.persist import payloads
from tests.persist.datasets import Collected, sample, saved
from tests.persist.hostile import KINDS, Attack
from tests.persist.payloads import id_of, node, pairs, text

FAMILIES = {payloads.REDIS: REDIS, payloads.VALKEY: VALKEY}
COUNTS = {"rdb": 200, "rdb walk": 100, "restore": 200, "functions": 40, "journal": 60, "index": 60}


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_inputs(kind: str) -> None:
    attack = Attack(5)
    attack.run(COUNTS[kind], [kind])
    assert not [found for _, _, found in attack.findings.values()]
    figures = attack.figures[kind]
    assert figures.loaded + figures.refused.total() == COUNTS[kind]
    assert figures.loaded and figures.refused.total() > COUNTS[kind] / 10


def test_whole_values_of_every_type_load() -> None:
    for family, kind, body in payloads.values():
        value, pos = FAMILIES[family][kind](body, 0)
        assert value is not None
        assert pos == len(body), (family, kind)
    assert {kind for _, kind, _ in payloads.values()} == {*range(6), 7, *range(9, 26)}


def test_every_cut_of_a_value_is_refused() -> None:
    for family, kind, body in payloads.made():
        for size in range(len(body)):
            try:
                _, pos = FAMILIES[family][kind](body[:size], 0)
            except DAMAGE:
                continue
            assert pos > size, (family, kind, size)  # which the loader of the file notices


def test_every_cut_of_a_dump_is_refused() -> None:
    stream, _ = REDIS[19](payloads.stream(19), 0)
    data = saved({0: {b"a": (b"1", None), b"h": (sample()[0][b"hash"][0], 5), b"x": (stream, None)}})
    for size in range(len(data)):
        with pytest.raises(errors.CorruptFile):
            load(data[:size], Collected())


def test_every_flipped_bit_of_a_dump_is_refused() -> None:
    data = saved({0: {b"a": (b"1", None), b"z": (sample()[0][b"zset"][0], 5)}})
    for bit in range(len(data) * 8):
        bad = bytearray(data)
        bad[bit // 8] ^= 1 << bit % 8
        with pytest.raises(errors.CorruptFile):
            load(bytes(bad), Collected())


# -- found cases: values that load, and then cannot be saved or shown

HUGE = b"\x81" + b"\xff" * 8
SOON = pack("<q", 4102444800000)
EMPTY = bytes(9)  # a stream without nodes and entries, its ids 0-0, up to the number of groups
ONE_PENDING = b"\x01" + text(b"g") + b"\x00\x00\x00\x01" + id_of(1, 1)
OWNER = b"\x01" + text(b"c") + SOON + SOON + b"\x01" + id_of(1, 1)
OUT_OF_RANGE = {
    "a deadline beyond 63 bits": (REDIS, 22, b"\x01" + HUGE + pairs([b"f", b"v"])),
    "a deadline of twenty digits": (REDIS, 23, node(b"f", b"v", b"9" * 20)),
    "a deadline below zero": (VALKEY, 22, b"\x01" + pairs([b"f", b"v"]) + pack("<q", -2)),
    "an earliest deadline below zero": (REDIS, 24, pack("<q", -5) + b"\x01\x01" + pairs([b"f", b"v"])),
    "entries added": (REDIS, 19, b"\x00\x00\x00\x00" + b"\x00\x00\x00\x00" + HUGE + b"\x00"),
    "entries read": (REDIS, 19, EMPTY + b"\x01" + text(b"g") + b"\x00\x00\x81" + b"\x80" + bytes(7) + b"\x00\x00"),
    "a delivery's time": (REDIS, 21, EMPTY + ONE_PENDING + pack("<q", -1) + b"\x01" + OWNER),
    "a delivery's count": (REDIS, 21, EMPTY + ONE_PENDING + SOON + HUGE + OWNER),
    "a consumer's time": (REDIS, 21, EMPTY + b"\x01" + text(b"g") + bytes(4) + b"\x01" + text(b"c") + pack("<q", -1)
                          + SOON + b"\x00"),
}  # fmt: skip


@pytest.mark.parametrize("case", OUT_OF_RANGE)
def test_numbers_out_of_range_are_refused(case: str) -> None:
    loaders, kind, body = OUT_OF_RANGE[case]
    with pytest.raises(Damaged, match=r"range|no time"):
        loaders[kind](body, 0)


def test_a_pending_entry_in_range_loads() -> None:
    stream, _ = REDIS[21](EMPTY + ONE_PENDING + SOON + b"\x01" + OWNER, 0)
    assert stream.groups[b"g"].pending == {(1, 1): [b"c", 4102444800000, 1]}


def test_a_key_past_its_deadline_is_not_waited_for_because_of_its_fields(tmp_path: Path) -> None:
    body = b"".join(b"\xfc" + pack("<q", when) + b"\x16" + text(key) + b"\x01" + pairs([b"f", b"v"]) + pack("<q", 2)
                    for key, when in ((b"a", -1), (b"b", 1)))  # fmt: skip
    data = b"VALKEY080" + body + b"\xff"
    (tmp_path / "dump.rdb").write_bytes(data + crc64(data).to_bytes(8, "little"))
    (tmp_path / "redtool.conf").write_text("appendonly no\n")
    owner = Persistence.open(str(tmp_path))
    owner.store.tick()
    assert owner.store.databases[0].data == {} and owner.store.expired_fields == 1
    owner.close()


# -- found cases: manifests

BASE = b"file a.1.base.rdb seq 1 type b\n"


@pytest.mark.parametrize(
    ("line", "reason"),
    [(b'file "a\\x00b" seq 1 type i\n', "no file can have"), (b"file a.1.base.rdb seq 1 type h\n", "to be deleted")],
)
def test_manifests_that_would_hurt(line: bytes, reason: str) -> None:
    with pytest.raises(errors.CorruptFile, match=reason):
        parse(BASE + line)


def test_an_empty_base_is_no_snapshot(tmp_path: Path) -> None:
    (tmp_path / "appendonlydir").mkdir()
    (tmp_path / "appendonlydir" / "a.1.base.rdb").touch()
    (tmp_path / "appendonlydir" / "appendonly.aof.manifest").write_bytes(BASE)
    with pytest.raises(errors.CorruptFile, match=r"a.1.base.rdb: the file is empty at byte 0"):
        Persistence.open(str(tmp_path))


# -- found cases: commands in a journal


def opened(home: Path, *commands: tuple[bytes, ...], config: str = "") -> tuple[dict[bytes, object], list[str]]:
    """The keys of a store whose journal says this, and what is warned of."""
    (home / "appendonlydir").mkdir()
    (home / "appendonlydir" / "appendonly.aof.manifest").write_bytes(b"file appendonly.aof.1.incr.aof seq 1 type i\n")
    (home / "appendonlydir" / "appendonly.aof.1.incr.aof").write_bytes(encode(commands))
    if config:
        (home / "redtool.conf").write_text(config)
    warnings: list[str] = []
    owner = Persistence.open(str(home), warn=warnings.append)
    data = dict(owner.store.databases[0].data)
    assert not owner.store.sessions and not owner.store.monitors and owner.store.pause is None
    owner.close()
    return data, warnings


@pytest.mark.parametrize(
    "line",
    ["QUIT", "RESET", "SHUTDOWN", "SHUTDOWN NOSAVE", "SAVE", "BGSAVE", "BGREWRITEAOF", "CONFIG REWRITE", "MONITOR",
     "CONFIG SET appendonly no", "CONFIG SET databases 1", "ACL SETUSER eve on nopass ~* +@all", "DEBUG SLEEP 1000",
     "DEBUG POPULATE 1000000000", "DEBUG SEGFAULT", "CLIENT PAUSE 100000000", "SUBSCRIBE c", "HELLO 3", "AUTH x",
     "MIGRATE 127.0.0.1 1 k 0 1000", "CLIENT REPLY OFF", "CLIENT TRACKING ON", "WATCH k", "PSYNC ? -1",
     "REPLICAOF 127.0.0.1 1"],
)  # fmt: skip
def test_what_is_no_change_of_data_is_left_out(line: str, tmp_path: Path) -> None:
    data, warnings = opened(tmp_path, (b"SET", b"k", b"v"), tuple(line.encode().split()), (b"SET", b"after", b"1"))
    assert data == {b"k": b"v", b"after": b"1"}
    assert len(warnings) == 1 and "at byte" in warnings[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["appendonlydir", "lock"]


@pytest.mark.parametrize("line", ["BLPOP l 0", "BZPOPMIN z 0", "XREADGROUP GROUP g c BLOCK 0 STREAMS s >"])
def test_nothing_in_a_journal_waits(line: str, tmp_path: Path) -> None:
    data, _ = opened(tmp_path, tuple(line.encode().split()), (b"SET", b"after", b"1"))
    assert data == {b"after": b"1"}


def test_scripts_of_old_journals_run_and_may_read(tmp_path: Path) -> None:
    body = b"redis.call('SET', KEYS[1], redis.call('GET', KEYS[2]) .. redis.call('ECHO', '!'))"
    data, warnings = opened(tmp_path, (b"SET", b"a", b"v"), (b"EVAL", body, b"2", b"b", b"a"))
    assert (data, warnings) == ({b"a": b"v", b"b": b"v!"}, [])


@pytest.mark.parametrize("body", [b"while true do end", b"while true do pcall(function() while true do end end) end"])
def test_an_endless_script_ends_the_opening(body: bytes, tmp_path: Path) -> None:
    with pytest.raises(errors.CorruptFile, match=r"runs for longer than busy-reply-threshold \(1 ms\) at byte 27;"):
        opened(tmp_path, (b"SET", b"a", b"v"), (b"EVAL", body, b"0"), config="busy-reply-threshold 1\n")


# -- found cases: snapshots with an index

ENTRY = b"\x00" + text(b"a") + text(b"1")
LATE = b"\xfc" + pack("<q", 1)  # a deadline that has passed


def indexed(home: Path, body: bytes, damage: bytes = b"") -> Persistence:
    """A store that opens by the index of a snapshot with these entries; ``damage`` is what overwrites the last ones."""
    data = b"REDIS0010" + body + b"\xff"
    data += crc64(data).to_bytes(8, "little")
    (home / "dump.rdb.idx").write_bytes(index_of(data, "dump.rdb"))
    (home / "dump.rdb").write_bytes(data[: -9 - len(damage)] + damage + data[-9:])
    (home / "redtool.conf").write_text("appendonly no\n")
    owner = Persistence.open(str(home))
    assert owner.store.databases[0].cold is not None
    return owner


@pytest.mark.parametrize("before", [b"\xf8\x05", b"\xf9\x05", LATE[:1] + SOON + b"\xf8\x40\x99"])
def test_keys_with_a_last_use_are_found(before: bytes, tmp_path: Path) -> None:
    owner = indexed(tmp_path, before + ENTRY)
    assert owner.store.databases[0].get(b"a") == b"1"
    owner.close()


def test_what_cannot_be_read_stays_and_says_why(tmp_path: Path) -> None:
    filler = b"".join(b"\x00" + text(b"k%d" % n) + text(b"v" * 50) for n in range(200))  # more than a page
    owner = indexed(tmp_path, ENTRY + filler, b"\xc4" * 60)
    store = owner.store
    db, session = store.databases[0], Session(store)
    store._rng = Random(1)  # RANDOMKEY is to meet a neighbour of the last key, whose name is no name any more
    assert len(db) == 201
    while store.thaw():
        continue
    assert len(db) == 201
    assert store.execute(session, (b"GET", b"a")) == b"1"
    for line in ("GET k199", "RANDOMKEY", "SAVE", "DEBUG DIGEST", "KEYS k1*"):
        with pytest.raises(errors.Unreadable, match=r"dump.rdb: the checksum of the entry at byte"):
            for _ in range(1000):
                store.execute(session, tuple(line.encode().split()))
    owner.saved_changes = store.changes
    owner.close()


def test_housekeeping_goes_on_where_an_expired_key_cannot_be_read(tmp_path: Path) -> None:
    owner = indexed(tmp_path, ENTRY + LATE + b"\x00" + text(b"late") + text(b"v" * 20), b"\xc4" * 10)
    owner.store.tick()
    with pytest.raises(errors.Unreadable):
        owner.store.execute(Session(owner.store), (b"GET", b"late"))
    owner.saved_changes = owner.store.changes
    owner.close()
