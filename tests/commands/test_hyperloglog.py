"""HyperLogLog commands: tables on both sides, and values byte for byte those of a real server."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from tests import embedded
from tests.commands.conftest import Runner
from tests.commands.journal import effects
from tests.servers import RealServer

WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value"
NOT_HLL = "-WRONGTYPE Key is not a valid HyperLogLog string value."
CORRUPT = "-INVALIDOBJ Corrupted HLL object detected"
EMPTY = b"HYLL\1" + bytes(10) + b"\x80\x7f\xff"  # its count is stale

TABLES: dict[str, list[tuple[str, Any]]] = {
    "add and count": [
        ("PFADD k", 1),
        ("GET k", EMPTY),
        ("PFADD k", 0),
        ("PFCOUNT k", 0),
        ("GET k", b"HYLL\1" + bytes(11) + b"\x7f\xff"),
        ("PFADD k a b c", 1),
        ("PFADD k a b c", 0),
        ("PFADD k ''", 1),
        ("PFCOUNT k", 4),
        ("PFCOUNT k", 4),
        ("TYPE k", b"string"),
        ("OBJECT ENCODING k", b"raw"),
        ("PFADD other a d", 1),
        ("PFCOUNT k other", 5),
        ("PFCOUNT k nope", 4),
        ("PFCOUNT nope nope", 0),
        ("PFCOUNT nope", 0),
        ("EXPIRE k 100", 1),
        ("PFADD k z", 1),
        ("PFCOUNT k", 5),
        ("TTL k", 100),
    ],
    "merge": [
        ("PFADD a 1 2 3", 1),
        ("PFADD b 3 4", 1),
        ("PFMERGE c a b nope", b"OK"),
        ("PFCOUNT c", 4),
        ("PFMERGE a b", b"OK"),
        ("PFCOUNT a", 4),
        ("PFMERGE new", b"OK"),
        ("GET new", EMPTY),
        ("PFDEBUG TODENSE b", 1),
        ("PFMERGE c b", b"OK"),
        ("PFDEBUG ENCODING c", b"dense"),
        ("PFCOUNT c", 4),
    ],
    "debug": [
        ("PFADD k a b", 1),
        ("PFDEBUG ENCODING k", b"sparse"),
        ("PFDEBUG DECODE k", b"Z:12711 v:2,1 Z:3068 v:1,1 Z:603"),
        ("PFDEBUG TODENSE k", 1),
        ("PFDEBUG TODENSE k", 0),
        ("STRLEN k", 12304),
        ("PFDEBUG DECODE k", "-ERR HLL encoding is not sparse"),
        ("PFDEBUG FOO k", "-ERR Unknown PFDEBUG subcommand 'FOO'"),
        (r'PFDEBUG "a\x00b" k', "-ERR Unknown PFDEBUG subcommand 'a'"),
        ("PFDEBUG FOO nope", "-ERR The specified key does not exist"),
        ("PFDEBUG ENCODING", "-ERR wrong number of arguments for 'pfdebug' command"),
        ("PFSELFTEST", b"OK"),
    ],
    "not one": [
        ("SET s abc", b"OK"),
        ("PFADD s a", NOT_HLL),
        ("PFADD s", NOT_HLL),
        ("PFCOUNT s", NOT_HLL),
        ("PFCOUNT nope s", NOT_HLL),
        ("PFMERGE s k", NOT_HLL),
        ("PFMERGE k s", NOT_HLL),
        ("PFDEBUG ENCODING s", NOT_HLL),
        ("SET n 1234567890123456", b"OK"),
        ("PFADD n a", NOT_HLL),
        ("RPUSH l a", 1),
        ("PFADD l a", WRONG_TYPE),
        ("PFCOUNT l", WRONG_TYPE),
        ("PFCOUNT nope l", WRONG_TYPE),
        ("PFMERGE k l", WRONG_TYPE),
        ("PFMERGE l k", WRONG_TYPE),
        ("PFDEBUG ENCODING l", WRONG_TYPE),
    ],
    "damaged": [
        ("PFADD k a b c", 1),
        ("SETRANGE k 30 xxxxxxxx", 38),
        ("PFCOUNT k", CORRUPT),
        ("PFCOUNT k nope", CORRUPT),
        ("SET text x", b"OK"),
        ("PFCOUNT k text", CORRUPT),
        ("PFMERGE other k", CORRUPT),
        ("PFDEBUG TODENSE k", CORRUPT),
        ("SETRANGE e 0 HYLL", 4),
        ("SETRANGE e 16 ''", 4),
        ("PFADD e a", NOT_HLL),
        (r'SET short "HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80"', b"OK"),
        ("PFADD short a", CORRUPT),
        ("PFCOUNT short", CORRUPT),
        (r'SET big "HYLL\x00"', b"OK"),
        ("SETRANGE big 12303 x", 12304),
        ("PFCOUNT big", 0),
        ("SETBIT big 120 1", 0),
        ("PFCOUNT big", 1),
    ],
}


@pytest.mark.parametrize("name", TABLES)
def test_table(r: Runner, name: str) -> None:
    r.table(TABLES[name])


def test_registers(r: Runner) -> None:
    r("PFADD k a b")
    registers = r("PFDEBUG GETREG k")
    assert (len(registers), registers[12711], sum(registers)) == (16384, 2, 3)
    assert r("PFDEBUG ENCODING k") == b"dense"


JOURNAL = [
    ("PFADD k a b", [b"PFADD k a b"]),
    ("PFADD k a", []),
    ("PFCOUNT k", [b"PFCOUNT k"]),
    ("PFCOUNT k", []),
    ("PFCOUNT k nope", []),
    ("PFMERGE d k", [b"PFMERGE d k"]),
    ("PFDEBUG GETREG d", [b"PFDEBUG GETREG d"]),
    ("PFDEBUG GETREG d", []),
]


def test_journal() -> None:
    client = embedded.Client()
    for line, expected in JOURNAL:
        assert effects(client, line) == expected, line


class Pair:
    """An engine and a server that are told the same."""

    def __init__(self, server: RealServer) -> None:
        server.flush()
        self.ours, self.theirs = embedded.Client(), server.client()

    def __call__(self, *argv: bytes) -> Any:
        ours, theirs = self.ours.call(*argv), self.theirs.call(*argv)
        assert ours == theirs, argv[:3]
        return ours


@pytest.fixture
def pair(valkey: RealServer) -> Iterator[Pair]:
    made = Pair(valkey)
    yield made
    made.theirs.close()


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 100, 1000])
def test_elements_of_all_lengths(pair: Pair, size: int) -> None:
    rng = Random(size)
    for _ in range(30):
        pair(b"PFADD", b"k", rng.randbytes(size + rng.randint(0, 9)))
        pair(b"GET", b"k")


@pytest.mark.parametrize("step", [1, 40])
def test_a_growing_value_is_a_servers_byte_for_byte(pair: Pair, step: int) -> None:
    """Up to and over the border between the encodings."""
    rng = Random(step)
    dense = False
    while not dense:
        pair(b"PFADD", b"k", *(b"%d" % rng.randrange(5000) for _ in range(step)))
        if rng.random() < 0.1:
            pair(b"GET", b"k")
            pair(b"PFCOUNT", b"k")
        dense = pair(b"PFDEBUG", b"ENCODING", b"k") == b"dense"
    pair(b"GET", b"k")
    for _ in range(20):
        pair(b"PFADD", b"k", *(b"%d" % rng.randrange(500_000) for _ in range(step * 20)))
        pair(b"PFCOUNT", b"k")
        pair(b"GET", b"k")


def test_merges_are_a_servers_byte_for_byte(pair: Pair) -> None:
    rng = Random(4)
    keys = [b"a", b"b", b"c", b"d"]
    for _ in range(20):
        key = rng.choice(keys)
        pair(b"PFADD", key, *(b"%d" % rng.randrange(4000) for _ in range(rng.choice((1, 5, 60)))))
        target = rng.choice(keys)
        pair(b"PFMERGE", target, *rng.choices(keys, k=rng.randint(0, 3)))
        pair(b"GET", target)
        pair(b"PFCOUNT", *rng.choices(keys, k=rng.randint(1, 4)))
