"""Commands on keys: the same tables on the embedded store and on a real server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.commands.conftest import Runner

OUT_OF_RANGE = "-ERR value is out of range, value must between -2147483648 and 2147483647"
SAME = "-ERR source and destination objects are the same"
NOT_INT = "-ERR value is not an integer or out of range"
NO_DB = "-ERR DB index is out of range"
SYNTAX = "-ERR syntax error"

ONE_OF_EACH = [
    ("SET s 1", b"OK"),
    ("RPUSH l a b", 2),
    ("HSET h f 1", 1),
    ("SADD set a", 1),
    ("ZADD z 1 a", 1),
]

TABLES: dict[str, list[tuple[str, Any]]] = {
    "exists counts a key as often as it is named": [
        ("SET a 1", b"OK"),
        ("EXISTS a", 1),
        ("EXISTS a a nope a", 3),
        ("EXISTS", "-ERR wrong number of arguments for 'exists' command"),
    ],
    "type": [
        *ONE_OF_EACH,
        ("TYPE s", b"string"),
        ("TYPE l", b"list"),
        ("TYPE h", b"hash"),
        ("TYPE set", b"set"),
        ("TYPE z", b"zset"),
        ("TYPE nope", b"none"),
        ("APPEND s x", 2),
        ("TYPE s", b"string"),
    ],
    "del and unlink take any type": [
        *ONE_OF_EACH,
        ("DEL s s nope", 1),
        ("UNLINK l h nope", 2),
        ("EXISTS s l h", 0),
        ("DBSIZE", 2),
    ],
    "touch": [("SET a 1", b"OK"), ("TOUCH a nope a", 2)],
    "keys": [
        ("MSET one 1 two 2 three 3 four 4", b"OK"),
        ("KEYS one", [b"one"]),
        ("KEYS t?o", [b"two"]),
        ("KEYS f[n-p]ur", [b"four"]),
        ("KEYS f[^a]ur", [b"four"]),
        ("KEYS f[^o]ur", []),
        ("KEYS f[p-n]ur", [b"four"]),
        ("KEYS [f", []),
        ("KEYS fou[r", [b"four"]),
        ("KEYS fo\\ur", [b"four"]),
        ("KEYS four\\", []),
        ('KEYS ""', []),
        ("KEYS ***w*", [b"two"]),
        ("KEYS FOUR", []),
        ("KEYS fo[\\]u]r", [b"four"]),
        ("KEYS fo[]u]r", []),
    ],
    "keys reads patterns as bytes": [
        ('SET "\\xff\\n" 1', b"OK"),
        ('SET "a*b" 1', b"OK"),
        ("KEYS ??", [b"\xff\n"]),
        ("KEYS a\\*b", [b"a*b"]),
        ('KEYS "[\\xfe-\\xff]*"', [b"\xff\n"]),
        ("SELECT 1", b"OK"),
        ("KEYS *", []),
    ],
    "keys and the empty name": [
        ('SET "" 1', b"OK"),
        ("KEYS *", [b""]),
        ("KEYS **", []),
        ('KEYS ""', [b""]),
        ("KEYS ?", []),
    ],
    "no pattern takes for ever": [
        ("SETRANGE " + "a" * 5000 + " 0 1", 1),
        ("KEYS " + "*a" * 30 + "*b", []),
        ("KEYS " + "*a" * 30 + "*", [b"a" * 5000]),
    ],
    "randomkey": [("RANDOMKEY", None), ("SET only 1", b"OK"), ("RANDOMKEY", b"only")],
    "rename": [
        ("SET a 1 EX 100", b"OK"),
        ("RPUSH b x", 1),
        ("RENAME a b", b"OK"),
        ("GET b", b"1"),
        ("TTL b", 100),
        ("EXISTS a", 0),
        ("RENAME b b", b"OK"),
        ("RENAME nope nope", "-ERR no such key"),
        ("RENAME nope b", "-ERR no such key"),
        ("SET c 2", b"OK"),
        ("RENAME c b", b"OK"),
        ("TTL b", -1),
    ],
    "renamenx": [
        ("MSET a 1 b 2", b"OK"),
        ("RENAMENX a b", 0),
        ("RENAMENX a a", 0),
        ("RENAMENX a c", 1),
        ("MGET a b c", [None, b"2", b"1"]),
        ("RENAMENX nope a", "-ERR no such key"),
    ],
    "copy": [
        ("RPUSH a x y", 2),
        ("EXPIRE a 100", 1),
        ("COPY a b", 1),
        ("RPUSH a z", 3),
        ("LRANGE b 0 -1", [b"x", b"y"]),
        ("TTL b", 100),
        ("COPY a b", 0),
        ("COPY a b REPLACE", 1),
        ("LLEN b", 3),
        ("COPY a a DB 2", 1),
        ("COPY a a db 2 replace", 1),
        ("COPY nope c", 0),
        ("SELECT 2", b"OK"),
        ("LLEN a", 3),
        ("TTL a", 100),
        ("COPY a a", SAME),
        ("COPY a a DB 2", SAME),
        ("COPY nope nope", SAME),
        ("COPY a b DB 16", NO_DB),
        ("COPY a b DB -1", NO_DB),
        ("COPY a b DB x", NOT_INT),
        ("COPY a b DB 2147483648", OUT_OF_RANGE),
        ("COPY a b DB", SYNTAX),
        ("COPY a b NX", SYNTAX),
        ("COPY a", "-ERR wrong number of arguments for 'copy' command"),
    ],
    "a copy is a value of its own": [
        *ONE_OF_EACH,
        ("APPEND s x", 2),
        ("COPY s s2", 1),
        ("COPY h h2", 1),
        ("COPY set set2", 1),
        ("COPY z z2", 1),
        ("APPEND s y", 3),
        ("HSET h g 2", 1),
        ("SADD set b", 1),
        ("ZADD z 5 a", 0),
        ("GET s2", b"1x"),
        ("HGETALL h2", [b"f", b"1"]),
        ("SMEMBERS set2", [b"a"]),
        ("ZSCORE z2 a", b"1"),
    ],
    "move": [
        ("SET a 1 EX 100", b"OK"),
        ("SET b 1", b"OK"),
        ("MOVE a 3", 1),
        ("EXISTS a", 0),
        ("SELECT 3", b"OK"),
        ("TTL a", 100),
        ("SET b 2", b"OK"),
        ("MOVE b 0", 0),
        ("MOVE nope 0", 0),
        ("MOVE b 3", SAME),
        ("MOVE nope 3", SAME),
        ("MOVE b 16", NO_DB),
        ("MOVE b -1", NO_DB),
        ("MOVE b x", NOT_INT),
        ("MOVE b -2147483649", OUT_OF_RANGE),
    ],
    "scan's arguments": [
        *ONE_OF_EACH,
        ("SCAN 0 TYPE hash", [b"0", [b"h"]]),
        ("SCAN 0 TYPE ZSET COUNT 100", [b"0", [b"z"]]),
        ("SCAN 0 MATCH s* TYPE set", [b"0", [b"set"]]),
        ("SCAN 0 MATCH nope", [b"0", []]),
        ("SCAN 0 TYPE stream", [b"0", []]),
        ("SCAN 0 COUNT x", NOT_INT),
        ("SCAN 0 COUNT 1 COUNT 100 MATCH s MATCH h", [b"0", [b"h"]]),
        ("SCAN 0 TYPE foo", "-ERR unknown type name 'foo'"),
        ("SCAN 0 COUNT 0", SYNTAX),
        ("SCAN 0 COUNT -1", SYNTAX),
        ("SCAN 0 COUNT", SYNTAX),
        ("SCAN 0 KEYS", SYNTAX),
        ("SCAN x", "-ERR invalid cursor"),
        ('SCAN ""', "-ERR invalid cursor"),
        ("SCAN -1", "-ERR invalid cursor"),
        ('SCAN "0 "', "-ERR invalid cursor"),
        ("SCAN 0x1", "-ERR invalid cursor"),
        ("SCAN 18446744073709551616", "-ERR invalid cursor"),
        ("SCAN +0 MATCH h", [b"0", [b"h"]]),
        ('SCAN " 00" MATCH h', [b"0", [b"h"]]),
    ],
}


@pytest.mark.parametrize("name", TABLES)
def test_table(r: Runner, name: str) -> None:
    r.table(TABLES[name])


def test_keys_lists_all_of_this_database(r: Runner) -> None:
    r("MSET a 1 b 2 c 3")
    assert sorted(r("KEYS *")) == [b"a", b"b", b"c"]
    assert r("RANDOMKEY") in (b"a", b"b", b"c")


def test_scan_gives_every_key_that_stays(r: Runner) -> None:
    """Keys come and go during the scan; those present all along must all be given."""
    for i in range(300):
        r(f"SET stay:{i} 1")
        r(f"SET go:{i} 1")
    seen, cursor, step = set(), b"0", 0
    while True:
        cursor, page = r(f"SCAN {cursor.decode()} COUNT 7")
        seen.update(page)
        for i in range(step * 9, step * 9 + 9):
            r(f"DEL go:{i % 300}")
            r(f"SET new:{i} 1")
        step += 1
        if cursor == b"0" or step > 5000:
            break
    assert step <= 5000
    assert {b"stay:%d" % i for i in range(300)} <= seen


def test_scan_with_a_type_goes_on_to_the_end(r: Runner) -> None:
    for i in range(50):
        r(f"SET s:{i} 1")
    r("RPUSH l x")
    seen, cursor = [], b"0"
    while True:
        cursor, page = r(f"SCAN {cursor.decode()} COUNT 5 TYPE list")
        seen += page
        if cursor == b"0":
            break
    assert seen == [b"l"]


@pytest.mark.parametrize("replace", ["RENAME other {}", "COPY other {} REPLACE", "RESTORE {} 0 {} REPLACE"])
def test_a_scan_comes_to_a_name_that_gets_another_key_meanwhile(r: Runner, replace: str) -> None:
    for i in range(30):
        r(f"SET k:{i} 1")
    payload = "".join(f"\\x{byte:02x}" for byte in r("DUMP k:1"))
    cursor, page = r("SCAN 0 COUNT 1")
    seen = set(page)
    while cursor != b"0":
        for i in range(0, 30, 7):
            r("SET other 2")
            r(replace.format(f"k:{i}", f'"{payload}"'))
        cursor, page = r(f"SCAN {cursor.decode()} COUNT 1")
        seen.update(page)
    assert {b"k:%d" % i for i in range(30)} <= seen
