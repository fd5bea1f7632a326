"""DUMP and RESTORE: errors as tables on both backends, values between the engine and a real server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import redtool
from redtool.engine.deadlines import Deadlines
from redtool.engine.hashes import Hash
from redtool.engine.sets import Set
from redtool.persist.crc64 import crc64
from redtool.persist.payload import pack, version_of
from redtool.persist.replay import split
from tests import embedded
from tests.commands.conftest import Runner
from tests.servers import RealServer

BAD = "-ERR DUMP payload version or checksum are wrong"


def payload(body: bytes, version: int = 10) -> str:
    """A body with its footer, as a quoted word."""
    whole = body + version.to_bytes(2, "little")
    whole += crc64(whole).to_bytes(8, "little")
    return '"' + "".join(f"\\x{byte:02x}" for byte in whole) + '"'


GOOD = payload(b"\0\1x")

TABLES: dict[str, list[tuple[str, Any]]] = {
    "restore": [
        ("DUMP nope", None),
        (f"RESTORE k 0 {GOOD}", b"OK"),
        ("GET k", b"x"),
        ("TTL k", -1),
        (f"RESTORE k 0 {GOOD}", "-BUSYKEY Target key name already exists."),
        ("RESTORE k x junk", "-BUSYKEY Target key name already exists."),
        (f"RESTORE k 5000 {GOOD} REPLACE", b"OK"),
        ("TTL k", 5),
        (f"RESTORE k 4000000000000 {GOOD} absttl replace", b"OK"),
        ("PEXPIRETIME k", 4000000000000),
        (f"RESTORE k 1 {GOOD} ABSTTL REPLACE", b"OK"),
        ("EXISTS k", 0),
        (f"RESTORE k 1 {GOOD} ABSTTL", b"OK"),
        ("EXISTS k", 0),
    ],
    "what is wrong with the words": [
        ("RESTORE k x junk", "-ERR value is not an integer or out of range"),
        ("RESTORE k -1 junk", "-ERR Invalid TTL value, must be >= 0"),
        (f"RESTORE k 0 {GOOD} IDLETIME -1", "-ERR Invalid IDLETIME value, must be >= 0"),
        (f"RESTORE k 0 {GOOD} FREQ 256", "-ERR Invalid FREQ value, must be >= 0 and <= 255"),
        (f"RESTORE k 0 {GOOD} FREQ -1", "-ERR Invalid FREQ value, must be >= 0 and <= 255"),
        (f"RESTORE k 0 {GOOD} FREQ x", "-ERR value is not an integer or out of range"),
        (f"RESTORE k 0 {GOOD} FREQ 1 IDLETIME 1", "-ERR syntax error"),
        (f"RESTORE k 0 {GOOD} NX", "-ERR syntax error"),
        (f"RESTORE k 0 {GOOD} IDLETIME 10", b"OK"),
    ],
    "what is wrong with the bytes": [
        ("RESTORE k 0 junk", BAD),
        ('RESTORE k 0 ""', BAD),
        (f"RESTORE k 0 {payload(bytes([0, 1, 120]), 13)}", BAD),
        (f"RESTORE k 0 {payload(bytes([0, 1, 120]), 79)}", BAD),
        (f"RESTORE k 0 {payload(bytes([0, 1, 120]), 81)}", BAD),
        (f"RESTORE k 0 {GOOD[:-3]}00{GOOD[-1]}", BAD),
        (f"RESTORE k 0 {payload(bytes([240, 1, 120]))}", "-ERR Bad data format"),
        (f"RESTORE k 0 {payload(bytes([2, 0]))}", "-ERR Bad data format"),
        (f"RESTORE k 0 {payload(bytes([0, 1, 120]), 6)}", b"OK"),
    ],
}

VALUES = [
    ["SET k hello"],
    ["SET k 12345"],
    ["SET k 1", "APPEND k x"],
    ["RPUSH k a b 1 -5 70000"],
    ["SADD k 1 2 3"],
    ["SADD k a b c"],
    ["HSET k f v g 2"],
    ["ZADD k 1 a 2.5 b -inf c"],
    [f"RPUSH k {' '.join(f'element{i}' for i in range(900))}"],
    [f"SADD k {' '.join(f'member{i}' for i in range(900))}"],
    [f"HSET k {' '.join(f'field{i} {i}' for i in range(900))}"],
    [f"ZADD k {' '.join(f'{i} member{i}' for i in range(900))}"],
]
READERS = {
    b"string": "GET k",
    b"list": "LRANGE k 0 -1",
    b"set": "SMEMBERS k",
    b"hash": "HGETALL k",
    b"zset": "ZRANGE k 0 -1 WITHSCORES",
}


@pytest.mark.parametrize("name", TABLES)
def test_table(r: Runner, name: str) -> None:
    r.table(TABLES[name])


@pytest.mark.parametrize("lines", VALUES, ids=lambda lines: lines[-1][:30])
@pytest.mark.parametrize("outward", [True, False], ids=["to a server", "from a server"])
def test_values_pass_between(real: RealServer, lines: list[str], outward: bool) -> None:
    real.flush()
    with real.client() as client:
        ours, theirs = Runner(embedded.Client()), Runner(client, real)
        source, target = (ours, theirs) if outward else (theirs, ours)
        for line in lines:
            source(line)
        assert target.client.call("RESTORE", "k", 0, source.client.call("DUMP", "k")) == b"OK"
        kind = source("TYPE k")
        assert target("TYPE k") == kind
        left, right = source(READERS[kind]), target(READERS[kind])
        if kind == b"set":
            left, right = sorted(left), sorted(right)
        elif kind == b"hash":
            left, right = (sorted(zip(flat[::2], flat[1::2], strict=True)) for flat in (left, right))
        assert left == right


@pytest.mark.parametrize(("form", "fields"), [("0010", 12), ("valkey080", 80)])
def test_the_journal_has_payloads_that_most_servers_read(tmp_path: Path, form: str, fields: int) -> None:
    """A payload of Valkey 9 would keep every Redis from loading the directory."""
    timed = Hash({b"f": b"v"})
    timed.deadlines = Deadlines({b"f": 4102444800000})
    came = {b"s": (pack(b"v", 80), 9), b"set": (pack(Set([b"a"]), 80), 9), b"old": (pack(b"v", 9), 9),
            b"timed": (pack(timed, 80), fields)}  # fmt: skip
    with redtool.open(tmp_path) as store:
        store.execute("CONFIG", "SET", "rdb-format", form)
        for key, (payload, _) in came.items():
            store.execute("RESTORE", key, 0, payload)
        store.execute("RESTORE", "ttl", 4102444800000, pack(b"v", 80), "ABSTTL")
    with redtool.open(tmp_path) as store:
        assert store.execute("MGET", "s", "old", "ttl") == [b"v"] * 3
        assert store.execute("HPEXPIRETIME", "timed", "FIELDS", 1, "f") == [4102444800000]
        assert store.execute("PEXPIRETIME", "ttl") == 4102444800000
    [journal] = tmp_path.glob("appendonlydir/*.incr.aof")
    commands = [argv for argv in split(journal.read_bytes())[0] if argv[0] == b"RESTORE"]
    assert {argv[1]: version_of(argv[3]) for argv in commands} == {
        **{key: version for key, (_, version) in came.items()}, b"ttl": 9}  # fmt: skip
