"""Hash commands: the same tables on the embedded store and on a real server."""

from __future__ import annotations

from typing import Any

import pytest

from tests import embedded
from tests.commands.conftest import Runner
from tests.commands.journal import effects

WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value"
NOT_INT = "-ERR value is not an integer or out of range"
NOT_FLOAT = "-ERR value is not a valid float"
NOT_HASH_INT = "-ERR hash value is not an integer"
NOT_HASH_FLOAT = "-ERR hash value is not a float"
NOT_FINITE = "-ERR value is NaN or Infinity"
OVERFLOW = "-ERR increment or decrement would overflow"
BEYOND = "-ERR value is out of range"
INT64 = "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"
CURSOR = "-ERR invalid cursor"
SYNTAX = "-ERR syntax error"
AB = ("HSET h a 1 b 2", 2)

TABLES: dict[str, list[tuple[str, Any]]] = {
    "set": [
        AB,
        ("HSET h a 3", 0),
        ("HSET h a 4 c 5 c 6", 1),
        ("HMSET h d 7", b"OK"),
        ("HSETNX h a 9", 0),
        ("HSETNX h e 9", 1),
        ("HSETNX new a 1", 1),
        ("HMGET h a b c d e nope", [b"4", b"2", b"6", b"7", b"9", None]),
        ("HSET h a", "-ERR wrong number of arguments for 'hset' command"),
        ("HSET h a 1 b", "-ERR wrong number of arguments for 'hset' command"),
        ("HMSET h a 1 b", "-ERR wrong number of arguments for 'hmset' command"),
    ],
    "read": [
        AB,
        ("HGET h a", b"1"),
        ("HGET h nope", None),
        ("HGET nope a", None),
        ("HMGET nope a b", [None, None]),
        ("HGETALL h", [b"a", b"1", b"b", b"2"]),
        ("HGETALL nope", []),
        ("HKEYS h", [b"a", b"b"]),
        ("HVALS h", [b"1", b"2"]),
        ("HKEYS nope", []),
        ("HVALS nope", []),
        ("HLEN h", 2),
        ("HLEN nope", 0),
        ("HEXISTS h a", 1),
        ("HEXISTS h nope", 0),
        ("HEXISTS nope a", 0),
        ("HSET h c hello", 1),
        ("HSTRLEN h c", 5),
        ("HSTRLEN h nope", 0),
        ("HSTRLEN nope c", 0),
    ],
    "delete": [
        AB,
        ("HDEL h a a nope", 1),
        ("HDEL nope a", 0),
        ("HDEL h b", 1),
        ("EXISTS h", 0),
    ],
    "count up": [
        ("HINCRBY h n 5", 5),
        ("HINCRBY h n -7", -2),
        ("HSET h max 9223372036854775807 text x float 1.5 big 9223372036854775808", 4),
        ("HINCRBY h max 1", OVERFLOW),
        ("HINCRBY h max -1", 9223372036854775806),
        ("HINCRBY h n -9223372036854775808", OVERFLOW),
        ("HINCRBY h text 1", NOT_HASH_INT),
        ("HINCRBY h float 1", NOT_HASH_INT),
        ("HINCRBY h big 1", NOT_HASH_INT),
        ("HINCRBY h n x", NOT_INT),
        ("HINCRBY h text x", NOT_INT),
        ("HINCRBY new n x", NOT_INT),
        ("EXISTS new", 0),
    ],
    "count up in floats": [
        ("HINCRBYFLOAT h n 10.50", b"10.5"),
        ("HINCRBYFLOAT h n 0.1", b"10.6"),
        ("HINCRBYFLOAT h n -5.0e1", b"-39.4"),
        ("HINCRBYFLOAT h n 39.4", b"0"),
        ("HINCRBYFLOAT h hex 0x10", b"16"),
        ("HINCRBYFLOAT h third 0.3333333333333333", b"0.3333333333333333"),
        ("HSET h text x inf inf", 2),
        ("HINCRBYFLOAT h text 1", NOT_HASH_FLOAT),
        ("HINCRBYFLOAT h n x", NOT_FLOAT),
        ("HINCRBYFLOAT h n nan", NOT_FLOAT),
        ("HINCRBYFLOAT h text inf", NOT_FINITE),
        ("HINCRBYFLOAT h inf 1", "-ERR increment would produce NaN or Infinity"),
        ("HINCRBYFLOAT new n -inf", NOT_FINITE),
        ("EXISTS new", 0),
    ],
    "random fields": [
        ("HSET h a 1", 1),
        ("HRANDFIELD h", b"a"),
        ("HRANDFIELD h 5", [b"a"]),
        ("HRANDFIELD h 0", []),
        ("HRANDFIELD h -3", [b"a", b"a", b"a"]),
        ("HRANDFIELD h -2 withvalues", [b"a", b"1", b"a", b"1"]),
        ("HRANDFIELD nope", None),
        ("HRANDFIELD nope 1", []),
        ("HRANDFIELD nope 1 WITHVALUES", []),
        ("HRANDFIELD h x", NOT_INT),
        ("HRANDFIELD h 1 FOO", SYNTAX),
        ("HRANDFIELD h 1 WITHVALUES x", SYNTAX),
        ("HRANDFIELD h -9223372036854775808", INT64),
        ("HRANDFIELD h -9223372036854775807 WITHVALUES", BEYOND),
        ("HRANDFIELD h 4611686018427387904 WITHVALUES", BEYOND),
        ("HRANDFIELD h 4611686018427387903 WITHVALUES", [b"a", b"1"]),
    ],
    "scan of a small hash": [
        ("HSET h a 1 b 2 ab 3", 3),
        ("HSCAN h 0", [b"0", [b"a", b"1", b"b", b"2", b"ab", b"3"]]),
        ("HSCAN h 0 COUNT 1", [b"0", [b"a", b"1", b"b", b"2", b"ab", b"3"]]),
        ("HSCAN h 0 MATCH a*", [b"0", [b"a", b"1", b"ab", b"3"]]),
        ("HSCAN h 0 NOVALUES", [b"0", [b"a", b"b", b"ab"]]),
        ("HSCAN h 0 match a* novalues count 1", [b"0", [b"a", b"ab"]]),
        ("HSCAN h 0 MATCH x MATCH b", [b"0", [b"b", b"2"]]),
        ("HSCAN nope 0", [b"0", []]),
        ("HSCAN nope 0 FOO", [b"0", []]),
        ("HSCAN nope x", CURSOR),
        ("HSCAN h -1", CURSOR),
        ("HSCAN h 99999999999999999999", CURSOR),
        ("HSCAN h 0 COUNT 0", SYNTAX),
        ("HSCAN h 0 COUNT x", NOT_INT),
        ("HSCAN h 0 MATCH", SYNTAX),
        ("HSCAN h 0 FOO", SYNTAX),
        ("HSCAN h 0 COUNT x FOO", NOT_INT),
    ],
    "wrong type": [
        ("SET s x", b"OK"),
        *((line, WRONG_TYPE) for line in (
            "HSET s a 1", "HMSET s a 1", "HSETNX s a 1", "HGET s a", "HMGET s a", "HGETALL s", "HDEL s a", "HLEN s",
            "HEXISTS s a", "HKEYS s", "HVALS s", "HINCRBY s a 1", "HINCRBYFLOAT s a 1", "HSTRLEN s a", "HSCAN s 0",
            "HSCAN s 0 FOO", "HRANDFIELD s", "HRANDFIELD s 1",
        )),
        ("HINCRBY s a x", NOT_INT),
        ("HINCRBYFLOAT s a x", NOT_FLOAT),
        ("HSCAN s x", CURSOR),
        ("HRANDFIELD s x", NOT_INT),
    ],
}  # fmt: skip


RESP3 = [
    ("HGETALL h", {b"a": b"1", b"b": b"2"}),
    ("HGETALL nope", {}),
    ("HMGET h a b", [b"1", b"2"]),
    ("HKEYS h", [b"a", b"b"]),
    ("HRANDFIELD one 1 WITHVALUES", [[b"a", b"1"]]),
    ("HRANDFIELD one -2 WITHVALUES", [[b"a", b"1"], [b"a", b"1"]]),
    ("HRANDFIELD one 1", [b"a"]),
    ("HINCRBYFLOAT one a 1.5", b"2.5"),
    ("HSCAN one 0", [b"0", [b"a", b"2.5"]]),
]


@pytest.mark.parametrize("rows", TABLES.values(), ids=TABLES)
def test_table(r: Runner, rows: list[tuple[str, Any]]) -> None:
    r.table(rows)


def test_shapes_in_resp3(r: Runner) -> None:
    r.table(
        [
            AB,
            ("HSET one a 1", 1),
        ]
    )
    r("HELLO 3")
    r.table(RESP3)


def test_a_reply_does_not_change_with_the_hash(r: Runner) -> None:
    r("HSET h a 1")
    r.table([("MULTI", b"OK"), ("HGETALL h", b"QUEUED"), ("HSET h a 2", b"QUEUED"), ("EXEC", [[b"a", b"1"], 0])])


def test_scan_of_a_large_hash_gives_every_field_that_stays(r: Runner) -> None:
    r("HSET h " + " ".join(f"stay:{i} {i} go:{i} 1" for i in range(400)))
    seen: dict[bytes, bytes] = {}
    cursor, step = b"0", 0
    while step == 0 or cursor != b"0":
        cursor, page = r(f"HSCAN h {cursor.decode()} COUNT 20")
        seen.update(zip(page[::2], page[1::2], strict=True))
        r("HDEL h " + " ".join(f"go:{i}" for i in range(step * 9, step * 9 + 9)))
        r(f"HSET h new:{step} 1")
        step += 1
    assert {b"stay:%d" % i: b"%d" % i for i in range(400)}.items() <= seen.items()
    assert step > 5


def test_random_fields_of_a_large_hash(r: Runner) -> None:
    r("HSET h " + " ".join(f"f{i} {i}" for i in range(600)))
    for count in (5, 400, 600, 1000):
        fields = r(f"HRANDFIELD h {count}")
        assert len(set(fields)) == len(fields) == min(count, 600)
    pairs = r("HRANDFIELD h -1000 WITHVALUES")
    assert len(pairs) == 2000
    assert all(pairs[i] == b"f" + pairs[i + 1] for i in range(0, 2000, 2))


JOURNALLED = [
    ("HINCRBYFLOAT h f 1.50", [b"HSET h f 1.5"]),
    ("HINCRBY h f 2", [b"HINCRBY h f 2"]),
    ("HSET h a 1", [b"HSET h a 1"]),
    ("HSETNX h old 2", []),
    ("HDEL h nope", []),
    ("HDEL h old", [b"HDEL h old"]),
    ("HSET h a", []),
    ("HINCRBY h old x", []),
]


@pytest.mark.parametrize(("line", "expected"), JOURNALLED, ids=[line for line, _ in JOURNALLED])
def test_journal(line: str, expected: list[bytes]) -> None:
    client = embedded.Client()
    client.call(*b"HSET h old 1".split())
    assert effects(client, line) == expected
