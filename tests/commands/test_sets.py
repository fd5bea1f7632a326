"""Set commands: the same tables on the embedded store and on a real server."""

from __future__ import annotations

from typing import Any

import pytest

from tests import embedded
from tests.commands.conftest import Runner
from tests.commands.journal import effects

WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value"
NOT_INT = "-ERR value is not an integer or out of range"
NOT_POSITIVE = "-ERR value is out of range, must be positive"
INT64 = "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"
CURSOR = "-ERR invalid cursor"
SYNTAX = "-ERR syntax error"
NUMKEYS = "-ERR numkeys should be greater than 0"
LIMIT = "-ERR LIMIT can't be negative"
NUMBERS = [("SADD a 1 2 3 10", 4), ("SADD b 2 3 4", 3), ("SADD c 3 10 2", 3)]

TABLES: dict[str, list[tuple[str, Any]]] = {
    "add and remove": [
        ("SADD s b a a", 2),
        ("SADD s a c", 1),
        ("SADD s a", 0),
        ("SCARD s", 3),
        ("SISMEMBER s a", 1),
        ("SISMEMBER s x", 0),
        ("SMISMEMBER s a x c", [1, 0, 1]),
        ("SREM s a a x", 1),
        ("SREM s b c", 2),
        ("EXISTS s", 0),
        ("SREM nope a", 0),
        ("SCARD nope", 0),
        ("SISMEMBER nope a", 0),
        ("SMISMEMBER nope a b", [0, 0]),
        ("SMEMBERS nope", []),
    ],
    "integers come in numeric order": [
        ("SADD s 10 9 -5 100", 4),
        ("SMEMBERS s", [b"-5", b"9", b"10", b"100"]),
        ("SSCAN s 0", [b"0", [b"-5", b"9", b"10", b"100"]]),
    ],
    "move": [
        ("SADD s a b", 2),
        ("SADD t b", 1),
        ("SMOVE s t nope", 0),
        ("SMOVE s t a", 1),
        ("SMOVE s s b", 1),
        ("SMOVE s s nope", 0),
        ("SMOVE s t b", 1),
        ("EXISTS s", 0),
        ("SCARD t", 2),
        ("SMOVE nope t a", 0),
        ("SMOVE t new a", 1),
        ("SMEMBERS new", [b"a"]),
    ],
    "pop": [
        ("SADD s a", 1),
        ("SPOP s 0", []),
        ("SPOP s", b"a"),
        ("EXISTS s", 0),
        ("SADD s a", 1),
        ("SPOP s 5", [b"a"]),
        ("EXISTS s", 0),
        ("SPOP nope", None),
        ("SPOP nope 1", []),
        ("SPOP s -1", NOT_POSITIVE),
        ("SPOP s x", NOT_POSITIVE),
        ("SPOP s 1 2", SYNTAX),
    ],
    "random members": [
        ("SADD s a", 1),
        ("SRANDMEMBER s", b"a"),
        ("SRANDMEMBER s 3", [b"a"]),
        ("SRANDMEMBER s -3", [b"a", b"a", b"a"]),
        ("SRANDMEMBER s 0", []),
        ("SRANDMEMBER nope", None),
        ("SRANDMEMBER nope 2", []),
        ("SRANDMEMBER s x", NOT_INT),
        ("SRANDMEMBER s -9223372036854775808", INT64),
        ("SRANDMEMBER s 1 2", SYNTAX),
    ],
    "combine": [
        *NUMBERS,
        ("SINTER a b", [b"2", b"3"]),
        ("SINTER a b c nope", []),
        ("SINTER a", [b"1", b"2", b"3", b"10"]),
        ("SUNION a b nope", [b"1", b"2", b"3", b"4", b"10"]),
        ("SUNION nope", []),
        ("SDIFF a b", [b"1", b"10"]),
        ("SDIFF a b c", [b"1"]),
        ("SDIFF a a", []),
        ("SDIFF nope a", []),
        ("SDIFF a nope", [b"1", b"2", b"3", b"10"]),
    ],
    "combine and store": [
        *NUMBERS,
        ("SET d text EX 1000", b"OK"),
        ("SINTERSTORE d a b c", 2),
        ("TTL d", -1),
        ("SMEMBERS d", [b"2", b"3"]),
        ("SUNIONSTORE d a b", 5),
        ("SMEMBERS d", [b"1", b"2", b"3", b"4", b"10"]),
        ("SDIFFSTORE d d a", 1),
        ("SMEMBERS d", [b"4"]),
        ("SDIFFSTORE d a a", 0),
        ("EXISTS d", 0),
        ("SINTERSTORE d a nope", 0),
        ("SINTERSTORE a a b", 2),
        ("SMEMBERS a", [b"2", b"3"]),
        ("SUNIONSTORE copy a", 2),
        ("SADD copy 9", 1),
        ("SCARD a", 2),
    ],
    "count what is common": [
        *NUMBERS,
        ("SINTERCARD 2 a b", 2),
        ("SINTERCARD 2 a b LIMIT 1", 1),
        ("SINTERCARD 2 a b limit 0", 2),
        ("SINTERCARD 2 a b LIMIT 9", 2),
        ("SINTERCARD 1 a LIMIT 1 LIMIT 2", 2),
        ("SINTERCARD 2 a nope", 0),
        ("SINTERCARD 0 a", NUMKEYS),
        ("SINTERCARD x a", NUMKEYS),
        ("SINTERCARD 2 a", "-ERR Number of keys can't be greater than number of args"),
        ("SINTERCARD 1 a LIMIT", SYNTAX),
        ("SINTERCARD 1 a LIMIT -1", LIMIT),
        ("SINTERCARD 1 a LIMIT x", LIMIT),
        ("SINTERCARD 1 a LIMIT x FOO", LIMIT),
        ("SINTERCARD 1 a b", SYNTAX),
    ],
    "scan of a small set": [
        ("SADD s a", 1),
        ("SSCAN s 0", [b"0", [b"a"]]),
        ("SSCAN s 5 COUNT 1", [b"0", [b"a"]]),
        ("SSCAN s 0 MATCH x*", [b"0", []]),
        ("SSCAN s 0 match a count 5", [b"0", [b"a"]]),
        ("SSCAN nope 0", [b"0", []]),
        ("SSCAN nope 0 FOO", [b"0", []]),
        ("SSCAN nope x", CURSOR),
        ("SSCAN s 0 COUNT 0", SYNTAX),
        ("SSCAN s 0 COUNT x", NOT_INT),
        ("SSCAN s 0 FOO", SYNTAX),
        ("SSCAN s 0 NOVALUES", "-ERR NOVALUES option can only be used in HSCAN"),
        ("SSCAN s 0 MATCH NOVALUES", [b"0", []]),
    ],
    "wrong type": [
        ("SET str x", b"OK"),
        ("SADD s a", 1),
        *((line, WRONG_TYPE) for line in (
            "SADD str a", "SREM str a", "SMEMBERS str", "SISMEMBER str a", "SMISMEMBER str a", "SCARD str", "SPOP str",
            "SPOP str 1", "SRANDMEMBER str", "SRANDMEMBER str 1", "SMOVE str s a", "SMOVE s str a", "SMOVE s str nope",
            "SINTER s str", "SINTER nope str", "SUNION str nope", "SDIFF nope str", "SINTERSTORE d nope str",
            "SUNIONSTORE d s str", "SDIFFSTORE d str", "SINTERCARD 2 nope str", "SSCAN str 0", "SSCAN str 0 FOO",
        )),
        ("SMOVE nope str a", 0),
        ("SPOP str x", NOT_POSITIVE),
        ("SRANDMEMBER str x", NOT_INT),
        ("SSCAN str x", CURSOR),
        ("EXISTS d", 0),
    ],
}  # fmt: skip


RESP3 = [
    ("SMEMBERS one", b"~1\r\n$1\r\nx\r\n"),
    ("SMEMBERS nope", b"~0\r\n"),
    ("SINTER one two", b"~1\r\n$1\r\nx\r\n"),
    ("SUNION one nope", b"~1\r\n$1\r\nx\r\n"),
    ("SDIFF two one", b"~1\r\n$1\r\ny\r\n"),
    ("SMISMEMBER one x y", b"*2\r\n:1\r\n:0\r\n"),
    ("SRANDMEMBER one 2", b"*1\r\n$1\r\nx\r\n"),
    ("SRANDMEMBER one -2", b"*2\r\n$1\r\nx\r\n$1\r\nx\r\n"),
    ("SRANDMEMBER nope 2", b"*0\r\n"),
    ("SSCAN one 0", b"*2\r\n$1\r\n0\r\n*1\r\n$1\r\nx\r\n"),
    ("SPOP nope 1", b"~0\r\n"),
    ("SPOP nope", b"_\r\n"),
    ("SPOP one 0", b"~0\r\n"),
    ("SPOP one 1", b"~1\r\n$1\r\nx\r\n"),
]


@pytest.mark.parametrize("rows", TABLES.values(), ids=TABLES)
def test_table(r: Runner, rows: list[tuple[str, Any]]) -> None:
    r.table(rows)


def test_shapes_in_resp3(r: Runner) -> None:
    r.table([("SADD one x", 1), ("SADD two x y", 2)])
    r("HELLO 3")
    for line, expected in RESP3:
        assert r.client.wire(*line.split()) == expected, line


def test_scan_of_a_large_set_gives_every_member_that_stays(r: Runner) -> None:
    r("SADD s " + " ".join(f"stay:{i} go:{i}" for i in range(300)))
    seen: set[bytes] = set()
    cursor, step = b"0", 0
    while step == 0 or cursor != b"0":
        cursor, page = r(f"SSCAN s {cursor.decode()} COUNT 20 MATCH stay:*")
        seen.update(page)
        r("SREM s " + " ".join(f"go:{i}" for i in range(step * 9, step * 9 + 9)))
        r(f"SADD s new:{step}")
        step += 1
    assert seen == {b"stay:%d" % i for i in range(300)}
    assert step > 5


@pytest.mark.parametrize("size", [10, 300])
def test_random_members_and_pops(r: Runner, size: int) -> None:
    everything = {b"m%d" % i for i in range(size)}
    r("SADD s " + " ".join(f"m{i}" for i in range(size)))
    for count in (1, size // 2, size, size + 5):
        members = r(f"SRANDMEMBER s {count}")
        assert len(set(members)) == len(members) == min(count, size)
        assert set(members) <= everything
    assert set(r(f"SRANDMEMBER s -{2 * size}")) <= everything
    gone = [r("SPOP s"), *r(f"SPOP s {size // 2}")]
    assert r("SCARD s") == size - len(gone)
    gone += r(f"SPOP s {size}")
    assert len(gone) == size
    assert set(gone) == everything
    assert r("EXISTS s") == 0


JOURNALLED = [
    ("SPOP s 9", [b"DEL s"]),
    ("SPOP s 0", []),
    ("SPOP one", [b"SREM one x"]),
    ("SPOP nope", []),
    ("SADD s a", []),
    ("SADD s z", [b"SADD s z"]),
    ("SREM s nope", []),
    ("SMOVE s s a", []),
    ("SMOVE s one nope", []),
    ("SMOVE s one a", [b"SMOVE s one a"]),
    ("SINTERSTORE d s one", []),
    ("SUNIONSTORE d s one", [b"SUNIONSTORE d s one"]),
]


@pytest.mark.parametrize(("line", "expected"), JOURNALLED, ids=[line for line, _ in JOURNALLED])
def test_journal(line: str, expected: list[bytes]) -> None:
    client = embedded.Client()
    client.call(*b"SADD s a b c d".split())
    client.call(*b"SADD one x".split())
    assert effects(client, line) == expected


def test_pops_are_journalled_by_name() -> None:
    client = embedded.Client()
    client.call(*b"SADD s a b c d".split())
    (line,) = effects(client, "SPOP s 2")
    words = line.split()
    left = client.call("SMEMBERS", "s")
    assert words[:2] == [b"SREM", b"s"]
    assert sorted(words[2:] + left) == [b"a", b"b", b"c", b"d"]
