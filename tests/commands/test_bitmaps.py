"""Bitmap commands: the same tables on the embedded store and on a real server, and random ones side by side."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests import embedded
from tests.commands.conftest import Runner
from tests.commands.journal import effects
from tests.servers import RealServer

SYNTAX = "-ERR syntax error"
OFFSET = "-ERR bit offset is not an integer or out of range"
BIT = "-ERR bit is not an integer or out of range"
NOT_INT = "-ERR value is not an integer or out of range"
WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value"
FIELD = "-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is."

TABLES: dict[str, list[tuple[str, Any]]] = {
    "setbit and getbit": [
        ("SETBIT k 7 1", 0),
        ("GET k", b"\x01"),
        ("SETBIT k 0 1", 0),
        ("SETBIT k 7 0", 1),
        ("GET k", b"\x80"),
        ("SETBIT k 17 1", 0),
        ("GET k", b"\x80\x00\x40"),
        ("GETBIT k 17", 1),
        ("GETBIT k 16", 0),
        ("GETBIT k 1000", 0),
        ("GETBIT nope 0", 0),
        ("SETBIT grown 20 0", 0),
        ("GET grown", b"\0\0\0"),
        ("SET text abc", b"OK"),
        ("SETBIT text 2 0", 1),
        ("SETBIT text 7 0", 1),
        ("GET text", b"@bc"),
        ("OBJECT ENCODING text", b"raw"),
        ("SET n 12", b"OK"),
        ("SETBIT n 3 1", 1),
        ("OBJECT ENCODING n", b"raw"),
        ("SETBIT k -1 1", OFFSET),
        ("SETBIT k x 1", OFFSET),
        ("SETBIT k 4294967296 1", OFFSET),
        ("GETBIT k 4294967296", OFFSET),
        ("GETBIT k #1", OFFSET),
        ("SETBIT k 1 2", BIT),
        ("SETBIT k 1 -1", BIT),
        ("SETBIT k 1 x", BIT),
        ("RPUSH l a", 1),
        ("SETBIT l 1 1", WRONG_TYPE),
        ("GETBIT l 1", WRONG_TYPE),
        ("SETBIT k 1", "-ERR wrong number of arguments for 'setbit' command"),
    ],
    "bitcount": [
        ("SET k foobar", b"OK"),
        ("BITCOUNT k", 26),
        ("BITCOUNT k 0 0", 4),
        ("BITCOUNT k 1 1", 6),
        ("BITCOUNT k 1", 22),
        ("BITCOUNT k -2", 7),
        ("BITCOUNT k 0 -5", 10),
        ("BITCOUNT k 5 30 BIT", 17),
        ("BITCOUNT k 5 30 bit", 17),
        ("BITCOUNT k -8 -1 BIT", 4),
        ("BITCOUNT k 0 100 BYTE", 26),
        ("BITCOUNT k 4 2", 0),
        ("BITCOUNT k -1 -5", 0),
        ("BITCOUNT k -10 -20", 0),
        ("BITCOUNT k 10 20", 0),
        ("BITCOUNT nope", 0),
        ("BITCOUNT nope 0 1 BIT", 0),
        ("BITCOUNT nope 0 x", NOT_INT),
        ("BITCOUNT k x", NOT_INT),
        ("BITCOUNT k 0 x BIT", NOT_INT),
        ("BITCOUNT k 0 x WORD", SYNTAX),
        ("BITCOUNT k x 0 WORD", NOT_INT),
        ("BITCOUNT k 0 1 BIT x", SYNTAX),
        ("SET e ''", b"OK"),
        ("BITCOUNT e", 0),
        ("BITCOUNT e 0 -1", 0),
        ("RPUSH l a", 1),
        ("BITCOUNT l", WRONG_TYPE),
        ("BITCOUNT l 0 1", WRONG_TYPE),
    ],
    "bitpos": [
        (r'SET k "\xff\xf0\x00"', b"OK"),
        ("BITPOS k 0", 12),
        ("BITPOS k 1", 0),
        ("BITPOS k 0 2", 16),
        ("BITPOS k 1 2", -1),
        ("BITPOS k 1 -3 -2", 0),
        ("BITPOS k 0 0 0", -1),
        ("BITPOS k 1 7 15 BIT", 7),
        ("BITPOS k 0 7 15 BIT", 12),
        ("BITPOS k 0 7 11 BIT", -1),
        ("BITPOS k 1 12 -1 BIT", -1),
        ("BITPOS k 0 -1 -1 BIT", 23),
        (r'SET full "\xff\xff"', b"OK"),
        ("BITPOS full 0", 16),
        ("BITPOS full 0 1", 16),
        ("BITPOS full 0 0 -1", -1),
        ("BITPOS full 0 5", -1),
        ("BITPOS full 1 1 0", -1),
        ("BITPOS nope 0", 0),
        ("BITPOS nope 0 5 6", 0),
        ("BITPOS nope 1", -1),
        ("SET e ''", b"OK"),
        ("BITPOS e 0", -1),
        ("BITPOS e 1", -1),
        ("BITPOS k 2", "-ERR The bit argument must be 1 or 0."),
        ("BITPOS k x", NOT_INT),
        ("BITPOS k 1 x", NOT_INT),
        ("BITPOS k 1 0 x WORD", SYNTAX),
        ("BITPOS k 1 0 0 BIT x", SYNTAX),
        ("RPUSH l a", 1),
        ("BITPOS l 1", WRONG_TYPE),
    ],
    "bitpos far away": [
        ("SETBIT k 524287 1", 0),
        ("BITPOS k 1", 524287),
        ("SETBIT k 524288 1", 0),
        ("BITPOS k 1 65536", 524288),
        ("SETBIT k 1600001 1", 0),
        ("BITPOS k 1 65537", 1600001),
        ("BITPOS k 1 524289 1600000 BIT", -1),
        ("BITPOS k 1 524289 1600001 BIT", 1600001),
        ("BITOP NOT k k", 200001),
        ("BITPOS k 0 65537", 1600001),
    ],
    "bitop": [
        (r'SET a "\x0f\xf0\xff"', b"OK"),
        (r'SET b "\x3c\x3c"', b"OK"),
        ("BITOP AND d a b", 3),
        ("GET d", b"\x0c\x30\x00"),
        ("BITOP or d a b", 3),
        ("GET d", b"\x3f\xfc\xff"),
        ("BITOP XOR d a b nope", 3),
        ("GET d", b"\x33\xcc\xff"),
        ("BITOP AND d a nope", 3),
        ("GET d", b"\0\0\0"),
        ("BITOP NOT d a", 3),
        ("GET d", b"\xf0\x0f\x00"),
        ("OBJECT ENCODING d", b"raw"),
        ("EXPIRE d 100", 1),
        ("BITOP NOT d d", 3),
        ("TTL d", -1),
        ("BITOP OR d nope", 0),
        ("EXISTS d", 0),
        ("BITOP NOT d nope", 0),
        ("BITOP NOT d a b", "-ERR BITOP NOT must be called with a single source key."),
        ("BITOP NAND d a b", SYNTAX),
        ("RPUSH l a", 1),
        ("BITOP OR d a l", WRONG_TYPE),
        ("BITOP OR l a", 3),
        ("TYPE l", b"string"),
    ],
    "bitfield": [
        ("BITFIELD k", []),
        ("BITFIELD k OVERFLOW SAT", []),
        ("EXISTS k", 0),
        ("BITFIELD k SET u8 0 255 GET u8 0 GET i8 0 GET u4 4 GET u16 0", [0, 255, -1, 15, 65280]),
        ("BITFIELD k INCRBY u8 #1 10 GET u8 8", [10, 10]),
        ("BITFIELD k SET i5 3 -3 GET i5 3 GET u5 3", [-1, -3, 29]),
        ("BITFIELD k GET u8 100 GET i64 1000", [0, 0]),
        ("STRLEN k", 2),
        ("BITFIELD m INCRBY u2 100 1 OVERFLOW SAT INCRBY u2 102 1", [1, 1]),
        ("BITFIELD m INCRBY u2 100 1 OVERFLOW SAT INCRBY u2 102 1", [2, 2]),
        ("BITFIELD m INCRBY u2 100 1 OVERFLOW SAT INCRBY u2 102 1", [3, 3]),
        ("BITFIELD m INCRBY u2 100 1 OVERFLOW SAT INCRBY u2 102 1", [0, 3]),
        ("BITFIELD m OVERFLOW FAIL INCRBY u2 102 1 GET u2 102", [None, 3]),
        ("BITFIELD m OVERFLOW FAIL SET u2 102 4 OVERFLOW WRAP SET u2 102 5", [None, 3]),
        ("BITFIELD m GET u2 102", [1]),
        ("BITFIELD w SET i64 0 9223372036854775807 INCRBY i64 0 1", [0, -9223372036854775808]),
        ("BITFIELD w OVERFLOW SAT INCRBY i64 0 -1", [-9223372036854775808]),
        ("BITFIELD w OVERFLOW SAT SET u63 0 -1 GET u63 0", [4611686018427387904, 9223372036854775807]),
        ("BITFIELD w SET u8 0 -1 SET u8 0 -257 GET u8 0", [255, 255, 255]),
        ("BITFIELD w OVERFLOW SAT INCRBY u8 0 -300 INCRBY i8 0 200 INCRBY i8 0 -400", [0, 127, -128]),
        ("BITFIELD w OVERFLOW FAIL SET i8 0 128 SET i8 0 127", [None, -128]),
        ("BITFIELD fail OVERFLOW FAIL SET u2 100 9", [None]),
        ("STRLEN fail", 13),
        ("BITFIELD_RO k GET u8 0 GET u8 #1", [253, 10]),
        ("BITFIELD_RO nope GET u8 0", [0]),
        ("BITFIELD_RO k", []),
        ("BITFIELD_RO k SET u8 0 1", "-ERR BITFIELD_RO only supports the GET subcommand"),
        ("BITFIELD k GET u64 0", FIELD),
        ("BITFIELD k GET i65 0", FIELD),
        ("BITFIELD k GET u0 0", FIELD),
        ("BITFIELD k GET 8 0", FIELD),
        ("BITFIELD k GET i 0", FIELD),
        ("BITFIELD k GET U8 0", FIELD),
        ("BITFIELD k GET u8 -1", OFFSET),
        ("BITFIELD k GET u8 #", OFFSET),
        ("BITFIELD k SET u8 0", SYNTAX),
        ("BITFIELD k SET u8 0 x", NOT_INT),
        ("BITFIELD k GET u8", SYNTAX),
        ("BITFIELD k FOO u8 0", SYNTAX),
        ("BITFIELD k OVERFLOW", SYNTAX),
        ("BITFIELD k OVERFLOW x", "-ERR Invalid OVERFLOW type specified"),
        ("BITFIELD k OVERFLOW x GET u64 0", "-ERR Invalid OVERFLOW type specified"),
        ("RPUSH l a", 1),
        ("BITFIELD l GET u8 0", WRONG_TYPE),
        ("BITFIELD l SET u8 0 1", WRONG_TYPE),
        ("BITFIELD_RO l SET u8 0 1", "-ERR BITFIELD_RO only supports the GET subcommand"),
    ],
    "a deadline stays": [
        ("SET k a EX 100", b"OK"),
        ("SETBIT k 100 1", 0),
        ("BITFIELD k SET u8 0 1", [97]),
        ("TTL k", 100),
    ],
}


@pytest.mark.parametrize("name", TABLES)
def test_table(r: Runner, name: str) -> None:
    r.table(TABLES[name])


JOURNAL = [
    ("SETBIT k 3 1", [b"SETBIT k 3 1"]),
    ("SETBIT k 3 1", []),
    ("SETBIT k 30 0", [b"SETBIT k 30 0"]),
    ("GETBIT k 3", []),
    ("BITFIELD k GET u8 0", []),
    ("BITFIELD k SET u8 0 16", []),
    ("BITFIELD k SET u8 0 17", [b"BITFIELD k SET u8 0 17"]),
    ("BITFIELD k OVERFLOW FAIL SET u8 0 300", []),
    ("BITFIELD new OVERFLOW FAIL SET u8 0 300", [b"BITFIELD new OVERFLOW FAIL SET u8 0 300"]),
    ("BITOP NOT d k", [b"BITOP NOT d k"]),
    ("BITOP NOT d nope", [b"BITOP NOT d nope"]),
    ("BITOP NOT d nope", []),
]


def test_journal() -> None:
    client = embedded.Client()
    for line, expected in JOURNAL:
        assert effects(client, line) == expected, line


def random_line(rng: Random) -> str:
    key, at, to = rng.choice("abc"), rng.randint(-40, 40), rng.randint(-40, 40)
    unit = rng.choice(("", " BYTE", " BIT"))
    width = rng.choice((f"u{rng.randint(1, 63)}", f"i{rng.randint(1, 64)}"))
    offset = rng.choice((str(rng.randint(0, 90)), f"#{rng.randint(0, 6)}"))
    number = rng.choice((rng.randint(-4, 4), rng.randint(-300, 300), rng.randint(-(2**63), 2**63 - 1)))
    overflow = rng.choice(("", "OVERFLOW WRAP ", "OVERFLOW SAT ", "OVERFLOW FAIL "))
    return rng.choice((
        f"SETBIT {key} {abs(at)} {rng.randint(0, 1)}",
        f"BITCOUNT {key} {at} {to}{unit}",
        f"BITPOS {key} {rng.randint(0, 1)} {at} {to}{unit}",
        f"BITPOS {key} {rng.randint(0, 1)} {at}",
        f"BITOP {rng.choice(('AND', 'OR', 'XOR'))} {key} a b c",
        f"BITOP NOT {key} {rng.choice('abc')}",
        f"BITFIELD {key} {overflow}INCRBY {width} {offset} {number} GET {width} {offset}",
        f"BITFIELD {key} {overflow}SET {width} {offset} {number} GET {width} {offset}",
        f"SET {key} {'abc'[: rng.randint(0, 3)]!r}",
        f"GET {key}",
    ))  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_random_lines_as_on_a_server(valkey: RealServer, seed: int) -> None:
    rng = Random(seed)
    valkey.flush()
    ours, theirs = Runner(embedded.Client()), Runner(valkey.client(), valkey)
    history: list[str] = []
    for _ in range(1000):
        history.append(random_line(rng))
        assert ours(history[-1]) == theirs(history[-1]), history[-10:]
    theirs.close()
