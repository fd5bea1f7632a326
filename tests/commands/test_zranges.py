"""Ranges of sorted sets: tables of (line, reply). What ``seed`` stores is in test_zsets."""

from __future__ import annotations

import pytest

from tests.commands.conftest import Runner
from tests.commands.test_zsets import seed

SYNTAX = "-ERR syntax error"
NOT_INTEGER = "-ERR value is not an integer or out of range"
BOUND = "-ERR min or max is not a float"
LEX_BOUND = "-ERR min or max not valid string range item"


def test_range_by_rank(r: Runner) -> None:
    seed(r)
    r.table(
        [
            ("ZRANGE abc 0 -1", [b"a", b"b", b"c"]),
            ("ZRANGE abc 1 1", [b"b"]),
            ("ZRANGE abc -2 -1", [b"b", b"c"]),
            ("ZRANGE abc -99 99", [b"a", b"b", b"c"]),
            ("ZRANGE abc 3 9", []),
            ("ZRANGE abc 2 1", []),
            ("ZRANGE abc 0 0 REV", [b"c"]),
            ("ZRANGE abc 0 1 rev withscores", [b"c", b"3", b"b", b"2"]),
            ("ZRANGE missing 0 -1", []),
            ("ZRANGE abc 0 -1 LIMIT 0 -1", [b"a", b"b", b"c"]),
            ("ZREVRANGE abc 0 1", [b"c", b"b"]),
            ("ZREVRANGE abc -1 -1 WITHSCORES", [b"a", b"1"]),
        ]
    )


def test_range_by_score(r: Runner) -> None:
    seed(r)
    r.table(
        [
            ("ZRANGE abc 1 2 BYSCORE", [b"a", b"b"]),
            ("ZRANGE abc (1 +inf BYSCORE WITHSCORES", [b"b", b"2", b"c", b"3"]),
            ("ZRANGE abc -inf (3 BYSCORE LIMIT 1 5", [b"b"]),
            ("ZRANGE abc 3 1 BYSCORE REV LIMIT 1 1", [b"b"]),
            ("ZRANGE abc 1 3 BYSCORE REV", []),
            ("ZRANGEBYSCORE abc 2 2", [b"b"]),
            ("ZRANGEBYSCORE abc (2 (3", []),
            ("ZRANGEBYSCORE abc 1 3 WITHSCORES LIMIT 0 1", [b"a", b"1"]),
            ("ZRANGEBYSCORE abc 1 3 LIMIT 1 -1 WITHSCORES", [b"b", b"2", b"c", b"3"]),
            ("ZRANGEBYSCORE abc 1 3 LIMIT 3 1", []),
            ("ZRANGEBYSCORE abc 1 3 LIMIT -1 1", []),
            ("ZRANGEBYSCORE abc 1 3 LIMIT 0 0", []),
            ("ZRANGEBYSCORE other (30 +inf", [b"x"]),
            ("ZRANGEBYSCORE other (inf +inf", []),
            ("ZRANGEBYSCORE other inf inf", [b"x"]),
            ("ZRANGEBYSCORE other 30 (inf", [b"c"]),
            ("ZRANGEBYSCORE abc '' 1e400", [b"a", b"b", b"c"]),  # nothing reads as 0, overflow as infinity
            ("ZREVRANGEBYSCORE abc +inf -inf", [b"c", b"b", b"a"]),
            ("ZREVRANGEBYSCORE abc (3 1 LIMIT 0 1", [b"b"]),
            ("ZCOUNT abc 2 +inf", 2),
            ("ZCOUNT abc (2 +inf", 1),
            ("ZCOUNT abc 5 1", 0),
            ("ZCOUNT missing 0 1", 0),
        ]
    )


def test_range_by_member(r: Runner) -> None:
    seed(r)
    r.table(
        [
            ("ZRANGE even - + BYLEX", [b"aa", b"ab", b"b", b"c", b"d"]),
            ("ZRANGE even [ab (c BYLEX", [b"ab", b"b"]),
            ("ZRANGE even (ab [c BYLEX LIMIT 1 1", [b"c"]),
            ("ZRANGE even + [b BYLEX REV", [b"d", b"c", b"b"]),
            ("ZRANGEBYLEX even [a [b", [b"aa", b"ab", b"b"]),
            ("ZRANGEBYLEX even + -", []),
            ("ZRANGEBYLEX even - -", []),
            ("ZRANGEBYLEX even + +", []),
            ("ZRANGEBYLEX even (b (b", []),
            ("ZRANGEBYLEX even [ [c LIMIT 2 -1", [b"b", b"c"]),
            ("ZREVRANGEBYLEX even + - LIMIT 1 2", [b"c", b"b"]),
            ("ZREVRANGEBYLEX even (b [aa", [b"ab", b"aa"]),
            ("ZLEXCOUNT even - +", 5),
            ("ZLEXCOUNT even (aa [c", 3),
            ("ZLEXCOUNT missing - +", 0),
            ("ZRANGEBYLEX missing - +", []),
        ]
    )


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("ZRANGE abc 0 1.5", NOT_INTEGER),
        ("ZRANGE missing x 1", NOT_INTEGER),
        ("ZRANGE abc 0 1 LIMIT 0 1", SYNTAX + ", LIMIT is only supported in combination with either BYSCORE or BYLEX"),
        (
            "ZREVRANGE abc 0 1 LIMIT 0 1",
            SYNTAX + ", LIMIT is only supported in combination with either BYSCORE or BYLEX",
        ),
        ("ZRANGE abc - + BYLEX WITHSCORES", SYNTAX + ", WITHSCORES not supported in combination with BYLEX"),
        ("ZRANGEBYLEX abc - + WITHSCORES", SYNTAX + ", WITHSCORES not supported in combination with BYLEX"),
        ("ZRANGE abc 0 1 BYSCORE BYLEX", SYNTAX),
        ("ZRANGE abc 0 1 REV REV", SYNTAX),
        ("ZREVRANGE abc 0 1 REV", SYNTAX),
        ("ZRANGEBYSCORE abc 0 1 BYSCORE", SYNTAX),
        ("ZRANGEBYSCORE abc 0 1 LIMIT 1", SYNTAX),
        ("ZRANGEBYSCORE abc 0 1 LIMIT 1 x", NOT_INTEGER),
        ("ZRANGEBYSCORE abc 0 1 LIMIT x 1 FOO", NOT_INTEGER),
        ("ZRANGEBYSCORE abc 0 1 FOO", SYNTAX),
        ("ZRANGESTORE to abc 0 1 WITHSCORES", SYNTAX),
        ("ZRANGEBYSCORE abc one 1", BOUND),
        ("ZRANGEBYSCORE abc 1 nan", BOUND),
        ("ZCOUNT abc ((1 2", BOUND),
        ("ZREMRANGEBYSCORE missing x 2", BOUND),
        ("ZRANGE abc 1 [2 BYSCORE", BOUND),
        ("ZRANGEBYLEX abc a +", LEX_BOUND),
        ("ZRANGEBYLEX abc -x +", LEX_BOUND),
        ("ZLEXCOUNT abc '' +", LEX_BOUND),
        ("ZREMRANGEBYLEX missing - x", LEX_BOUND),
        ("ZREMRANGEBYRANK abc a 1", NOT_INTEGER),
    ],
)
def test_range_errors(r: Runner, line: str, error: str) -> None:
    seed(r)
    assert r(line) == error


def test_zrangestore(r: Runner) -> None:
    seed(r)
    r.table(
        [
            ("ZRANGESTORE to abc 0 1", 2),
            ("ZRANGE to 0 -1 WITHSCORES", [b"a", b"1", b"b", b"2"]),
            ("ZRANGESTORE to other +inf (20 BYSCORE REV LIMIT 0 1", 1),
            ("ZRANGE to 0 -1 WITHSCORES", [b"x", b"inf"]),
            ("ZRANGESTORE string even [b (d BYLEX", 2),
            ("ZRANGE string 0 -1", [b"b", b"c"]),
            ("ZRANGESTORE abc abc 1 -1", 2),
            ("ZRANGE abc 0 -1", [b"b", b"c"]),
            ("ZRANGESTORE to abc 9 9", 0),
            ("EXISTS to", 0),
            ("ZRANGESTORE string missing 0 -1", 0),
            ("EXISTS string", 0),
        ]
    )


def test_remove_ranges(r: Runner) -> None:
    seed(r)
    r.table(
        [
            ("ZREMRANGEBYRANK abc 1 1", 1),
            ("ZRANGE abc 0 -1", [b"a", b"c"]),
            ("ZREMRANGEBYRANK abc 5 9", 0),
            ("ZREMRANGEBYRANK abc 0 -1", 2),
            ("EXISTS abc", 0),
            ("ZREMRANGEBYSCORE other (20 30", 1),
            ("ZREMRANGEBYSCORE other inf inf", 1),
            ("ZRANGE other 0 -1", [b"b"]),
            ("ZREMRANGEBYLEX even [ab (c", 2),
            ("ZRANGE even 0 -1", [b"aa", b"c", b"d"]),
            ("ZREMRANGEBYLEX even - +", 3),
            ("EXISTS even", 0),
            ("ZREMRANGEBYLEX even - +", 0),
        ]
    )
