"""Unions, intersections, differences: tables of (line, reply). What ``seed`` stores is in test_zsets."""

from __future__ import annotations

import pytest

from tests.commands.conftest import Runner
from tests.commands.test_zsets import seed

WRONGTYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value"
SYNTAX = "-ERR syntax error"
NOT_INTEGER = "-ERR value is not an integer or out of range"


def test_combine(r: Runner) -> None:
    seed(r)
    r.table(
        [
            ("ZUNION 2 abc other", [b"a", b"b", b"c", b"x"]),
            ("ZUNION 2 abc other WITHSCORES", b"a 1 b 22 c 33 x inf".split()),
            ("ZUNION 2 abc other WEIGHTS 2 -1 WITHSCORES", b"x -inf c -24 b -16 a 2".split()),
            ("ZUNION 2 abc other AGGREGATE MIN WITHSCORES", b"a 1 b 2 c 3 x inf".split()),
            ("ZUNION 2 abc other aggregate max withscores", b"a 1 b 20 c 30 x inf".split()),
            ("ZUNION 2 abc set WITHSCORES", b"zz 1 a 2 b 3 c 3".split()),
            ("ZUNION 2 missing set WEIGHTS 1 5 WITHSCORES", b"a 5 b 5 zz 5".split()),
            ("ZUNION 1 other WEIGHTS 0 WITHSCORES", b"b 0 c 0 x 0".split()),
            ("ZUNION 2 other other WEIGHTS 1 -1 WITHSCORES", b"b 0 c 0 x 0".split()),
            ("ZUNION 1 missing", []),
            ("ZINTER 2 abc other WITHSCORES", b"b 22 c 33".split()),
            ("ZINTER 3 abc other set WITHSCORES", b"b 23".split()),
            ("ZINTER 2 abc missing", []),
            ("ZINTER 2 abc abc WITHSCORES", b"a 2 b 4 c 6".split()),
            ("ZINTER 2 other other WEIGHTS 1 0 WITHSCORES", b"x 0 b 20 c 30".split()),
            ("ZDIFF 2 abc other WITHSCORES", b"a 1".split()),
            ("ZDIFF 3 abc other set", []),
            ("ZDIFF 2 set abc WITHSCORES", b"zz 1".split()),
            ("ZDIFF 2 missing abc", []),
            ("ZINTERCARD 2 abc other", 2),
            ("ZINTERCARD 2 abc other LIMIT 1", 1),
            ("ZINTERCARD 2 abc set LIMIT 0", 2),
            ("ZINTERCARD 2 abc missing", 0),
        ]
    )


def test_combine_and_store(r: Runner) -> None:
    seed(r)
    r.table(
        [
            ("ZUNIONSTORE to 2 abc other WEIGHTS 1 10 AGGREGATE MAX", 4),
            ("ZRANGE to 0 -1 WITHSCORES", b"a 1 b 200 c 300 x inf".split()),
            ("EXPIRE to 100", 1),
            ("ZINTERSTORE to 2 abc set", 2),
            ("ZRANGE to 0 -1 WITHSCORES", b"a 2 b 3".split()),
            ("TTL to", -1),
            ("ZDIFFSTORE string 2 abc set", 1),
            ("ZRANGE string 0 -1 WITHSCORES", b"c 3".split()),
            ("ZUNIONSTORE abc 2 abc abc", 3),
            ("ZRANGE abc 0 -1 WITHSCORES", b"a 2 b 4 c 6".split()),
            ("ZINTERSTORE to 2 abc missing", 0),
            ("EXISTS to", 0),
            ("ZUNIONSTORE to 1 even WEIGHTS -1", 5),
            ("ZSCORE to b", b"0"),
        ]
    )


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("ZUNION 0 abc", "-ERR at least 1 input key is needed for 'zunion' command"),
        ("ZINTER -1 abc", "-ERR at least 1 input key is needed for 'zinter' command"),
        ("ZDIFF 0 abc", "-ERR at least 1 input key is needed for 'zdiff' command"),
        ("ZINTERCARD 0 abc", "-ERR at least 1 input key is needed for 'zintercard' command"),
        ("ZUNIONSTORE to 0 abc", "-ERR at least 1 input key is needed for 'zunionstore' command"),
        ("ZINTERSTORE to 0 abc", "-ERR at least 1 input key is needed for 'zinterstore' command"),
        ("ZDIFFSTORE to 0 abc", "-ERR at least 1 input key is needed for 'zdiffstore' command"),
        ("ZUNION x abc", NOT_INTEGER),
        ("ZUNION 2 abc", SYNTAX),
        ("ZUNION 1 abc other", SYNTAX),
        ("ZUNION 1 string FOO", WRONGTYPE),  # the keys are looked at before the options
        ("ZUNION 1 abc WEIGHTS", SYNTAX),
        ("ZUNION 2 abc other WEIGHTS 1", SYNTAX),
        ("ZUNION 1 abc WEIGHTS 1 2", SYNTAX),
        ("ZUNION 1 abc WEIGHTS x", "-ERR weight value is not a float"),
        ("ZUNION 1 abc WEIGHTS nan", "-ERR weight value is not a float"),
        ("ZUNION 1 abc AGGREGATE", SYNTAX),
        ("ZUNION 1 abc AGGREGATE AVG", SYNTAX),
        ("ZUNIONSTORE to 1 abc WITHSCORES", SYNTAX),
        ("ZDIFF 1 abc WEIGHTS 1", SYNTAX),
        ("ZDIFFSTORE to 1 abc AGGREGATE MIN", SYNTAX),
        ("ZINTERCARD 1 abc WITHSCORES", SYNTAX),
        ("ZINTERCARD 1 abc LIMIT", SYNTAX),
        ("ZINTERCARD 1 abc LIMIT -1", "-ERR LIMIT can't be negative"),
        ("ZINTERCARD 1 abc LIMIT x", "-ERR LIMIT can't be negative"),
    ],
)
def test_combine_errors(r: Runner, line: str, error: str) -> None:
    seed(r)
    assert r(line) == error
    assert r("EXISTS to") == 0
