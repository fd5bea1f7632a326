"""Sorted-set commands: tables of (line, reply), the same on the embedded store and on a real server."""

from __future__ import annotations

from typing import Any

import pytest

from redtool.engine.zsets import ZSet
from redtool.session import Block
from tests import embedded
from tests.commands.conftest import Runner
from tests.commands.journal import effects

WRONGTYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value"
SYNTAX = "-ERR syntax error"
NOT_FLOAT = "-ERR value is not a valid float"
NOT_INTEGER = "-ERR value is not an integer or out of range"
NOT_POSITIVE = "-ERR value is out of range, must be positive"
GT_LT_NX = "-ERR GT, LT, and/or NX options at the same time are not compatible"
NUMKEYS = "-ERR numkeys should be greater than 0"


def seed(r: Runner) -> None:
    """abc 1 2 3, even: aa ab b c d at 0, other: b 20, c 30, x inf; a set and a string."""
    r("ZADD abc 1 a 2 b 3 c")
    r("ZADD even 0 aa 0 ab 0 b 0 c 0 d")
    r("ZADD other 20 b 30 c inf x")
    r("SADD set a b zz")
    r("SET string text")


def test_zadd(r: Runner) -> None:
    r.table(
        [
            ("ZADD z 1 a", 1),
            ("ZADD z 1 a 2 b", 1),
            ("ZADD z 5 a 2 b", 0),
            ("ZADD z CH 6 a 2 b 3 c", 2),
            ("ZADD z NX 9 a 4 d", 1),
            ("ZADD z nx ch 9 a 9 e", 1),
            ("ZADD z XX 7 a 7 new", 0),
            ("ZADD z XX CH 8 a 7 new", 1),
            ("ZADD z GT CH 1 a 9 b 1 f", 2),
            ("ZADD z LT CH 1 a 10 b 1 g", 2),
            ("ZADD z XX GT CH 2 a", 1),
            ("ZADD z XX LT CH 2 a", 0),
            ("ZRANGE z 0 -1 WITHSCORES", b"f 1 g 1 a 2 c 3 d 4 b 9 e 9".split()),
            ("ZADD missing XX 1 a", 0),
            ("EXISTS missing", 0),
            ("ZADD z 1 same 2 same 3 same", 1),
            ("ZSCORE z same", b"3"),
        ]
    )


def test_zadd_incr(r: Runner) -> None:
    r.table(
        [
            ("ZADD z INCR 5 a", b"5"),
            ("ZADD z INCR -1.5 a", b"3.5"),
            ("ZADD z NX INCR 1 a", None),
            ("ZADD z XX INCR 1 b", None),
            ("ZADD missing XX INCR 1 b", None),
            ("EXISTS missing", 0),
            ("ZADD z GT INCR -1 a", None),
            ("ZADD z GT INCR 0 a", None),
            ("ZADD z GT INCR 1 a", b"4.5"),
            ("ZADD z LT INCR 1 a", None),
            ("ZADD z LT INCR 1 new", b"1"),
            ("ZADD z INCR inf a", b"inf"),
            ("ZADD z INCR -inf a", "-ERR resulting score is not a number (NaN)"),
            ("ZSCORE z a", b"inf"),
        ]
    )


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("ZADD z NX XX 1 a", "-ERR XX and NX options at the same time are not compatible"),
        ("ZADD z NX GT 1 a", GT_LT_NX),
        ("ZADD z NX LT 1 a", GT_LT_NX),
        ("ZADD z GT LT 1 a", GT_LT_NX),
        ("ZADD z INCR 1 a 2 b", "-ERR INCR option supports a single increment-element pair"),
        ("ZADD z 1", "-ERR wrong number of arguments for 'zadd' command"),
        ("ZADD z 1 a 2", SYNTAX),
        ("ZADD z NX CH", SYNTAX),
        ("ZADD z CH 1", SYNTAX),
        ("ZADD z 1 a CH", SYNTAX),
        ("ZADD z one a", NOT_FLOAT),
        ("ZADD z 1 a nan b", NOT_FLOAT),
        ("ZADD z '' a", NOT_FLOAT),
        ("ZADD z ' 1' a", NOT_FLOAT),
        ("ZADD z '1 ' a", NOT_FLOAT),
        ("ZADD z 1_0 a", NOT_FLOAT),
        ("ZADD z 1e400 a", NOT_FLOAT),
        ("ZADD z 1e-400 a", NOT_FLOAT),
        ("ZINCRBY z x a", NOT_FLOAT),
        ("ZADD string nan a", NOT_FLOAT),  # the scores are read first
        ("ZADD string 1 a", WRONGTYPE),
        ("ZADD string XX 1 a", WRONGTYPE),
        ("ZINCRBY string 1 a", WRONGTYPE),
    ],
)
def test_zadd_refuses_and_changes_nothing(r: Runner, line: str, error: str) -> None:
    r("SET string text")
    assert r(line) == error
    assert r("EXISTS z") == 0


@pytest.mark.parametrize(
    ("given", "printed"),
    [
        ("1", b"1"),
        ("+1", b"1"),
        ("-1.50", b"-1.5"),
        (".5", b"0.5"),
        ("5.", b"5"),
        ("0.1", b"0.1"),
        ("3.0000000000000001", b"3"),
        ("1e3", b"1000"),
        ("1E-7", b"1e-7"),
        ("1e17", b"100000000000000000"),
        ("1e21", b"1e+21"),
        ("123456789012345678", b"123456789012345680"),
        ("9007199254740993", b"9007199254740992"),
        ("inf", b"inf"),
        ("-INF", b"-inf"),
        ("+Infinity", b"inf"),
        ("-0", b"0"),
        ("0.0", b"0"),
        ("0e5", b"0"),
    ],
)
def test_scores_as_read_and_printed(r: Runner, given: str, printed: bytes) -> None:
    r(f"ZADD z {given} m")
    assert r("ZSCORE z m") == printed
    assert r("ZRANGE z 0 -1 WITHSCORES") == [b"m", printed]


def test_zincrby(r: Runner) -> None:
    r.table(
        [
            ("ZINCRBY z 1.5 a", b"1.5"),
            ("ZINCRBY z 1.5 a", b"3"),
            ("ZINCRBY z -0 b", b"-0"),
            ("ZSCORE z b", b"0"),
            ("ZINCRBY z 0 b", b"0"),
            ("ZINCRBY z inf a", b"inf"),
            ("ZINCRBY z -inf a", "-ERR resulting score is not a number (NaN)"),
            ("ZINCRBY z 1e308 c", b"1e+308"),
            ("ZINCRBY z 1e308 c", b"inf"),
        ]
    )


def test_look(r: Runner) -> None:
    seed(r)
    r.table(
        [
            ("ZCARD abc", 3),
            ("ZCARD missing", 0),
            ("ZSCORE abc b", b"2"),
            ("ZSCORE abc x", None),
            ("ZSCORE missing x", None),
            ("ZMSCORE abc c x a", [b"3", None, b"1"]),
            ("ZMSCORE missing c x", [None, None]),
            ("ZRANK abc a", 0),
            ("ZRANK abc c", 2),
            ("ZREVRANK abc a", 2),
            ("ZRANK abc x", None),
            ("ZRANK missing x", None),
            ("ZRANK abc b WITHSCORE", [1, b"2"]),
            ("ZREVRANK other x withscore", [0, b"inf"]),
            ("ZRANK abc x WITHSCORE", None),
            ("ZRANK abc a WITHSCORES", SYNTAX),
            ("ZRANK abc a WITHSCORE x", "-ERR wrong number of arguments for 'zrank' command"),
            ("ZREVRANK abc a x y", "-ERR wrong number of arguments for 'zrevrank' command"),
            ("TYPE abc", b"zset"),
        ]
    )


def test_zrem(r: Runner) -> None:
    seed(r)
    r.table(
        [
            ("ZREM abc a a x", 1),
            ("ZREM abc x", 0),
            ("ZREM missing x", 0),
            ("ZREM abc b c", 2),
            ("EXISTS abc", 0),
        ]
    )


@pytest.mark.parametrize(
    "command",
    [
        "ZCARD {}",
        "ZSCORE {} a",
        "ZMSCORE {} a",
        "ZRANK {} a",
        "ZREVRANK {} a",
        "ZREM {} a",
        "ZCOUNT {} 0 1",
        "ZLEXCOUNT {} - +",
        "ZRANGE {} 0 -1",
        "ZREVRANGE {} 0 -1",
        "ZRANGEBYSCORE {} 0 1",
        "ZREVRANGEBYSCORE {} 0 1",
        "ZRANGEBYLEX {} - +",
        "ZREVRANGEBYLEX {} + -",
        "ZRANGESTORE to {} 0 -1",
        "ZREMRANGEBYRANK {} 0 1",
        "ZREMRANGEBYSCORE {} 0 1",
        "ZREMRANGEBYLEX {} - +",
        "ZPOPMIN {}",
        "ZPOPMAX {} 2",
        "BZPOPMIN {} 0.01",
        "BZPOPMAX missing {} 0.01",
        "ZMPOP 1 {} MIN",
        "BZMPOP 0.01 2 missing {} MAX",
        "ZUNION 1 {}",
        "ZINTER 2 missing {}",
        "ZDIFF 1 {}",
        "ZUNIONSTORE to 1 {}",
        "ZINTERSTORE to 1 {}",
        "ZDIFFSTORE to 1 {}",
        "ZINTERCARD 1 {}",
        "ZRANDMEMBER {}",
        "ZSCAN {} 0",
    ],
)
def test_wrong_type(r: Runner, command: str) -> None:
    r("SET string text")
    assert r(command.format("string")) == WRONGTYPE
    assert r("EXISTS to") == 0


def test_pop(r: Runner) -> None:
    seed(r)
    r.table(
        [
            ("ZPOPMIN abc", [b"a", b"1"]),
            ("ZPOPMAX abc", [b"c", b"3"]),
            ("ZPOPMIN abc 5", [b"b", b"2"]),
            ("EXISTS abc", 0),
            ("ZPOPMIN abc", []),
            ("ZPOPMAX abc 2", []),
            ("ZPOPMAX even 2", [b"d", b"0", b"c", b"0"]),
            ("ZPOPMIN even 0", []),
            ("ZPOPMIN even -1", NOT_POSITIVE),
            ("ZPOPMIN even x", NOT_POSITIVE),
            ("ZPOPMIN even 1 2", SYNTAX),
            ("ZPOPMIN missing -1", NOT_POSITIVE),
            ("ZCARD even", 3),
        ]
    )


def test_pop_of_several(r: Runner) -> None:
    seed(r)
    r.table(
        [
            ("ZMPOP 2 missing abc MIN", [b"abc", [[b"a", b"1"]]]),
            ("ZMPOP 2 abc even max COUNT 9", [b"abc", [[b"c", b"3"], [b"b", b"2"]]]),
            ("ZMPOP 1 abc MIN", None),
            ("ZMPOP 0 abc MIN", NUMKEYS),
            ("ZMPOP x abc MIN", NUMKEYS),
            ("ZMPOP 2 abc MIN", SYNTAX),
            ("ZMPOP 1 abc MIDDLE", SYNTAX),
            ("ZMPOP 1 abc MIN COUNT 0", "-ERR count should be greater than 0"),
            ("ZMPOP 1 abc MIN COUNT x", "-ERR count should be greater than 0"),
            ("ZMPOP 1 abc MIN COUNT", SYNTAX),
            ("ZMPOP 1 abc MIN COUNT 1 COUNT 2", SYNTAX),
            ("ZMPOP 1 abc MIN LIMIT 1", SYNTAX),
            ("BZMPOP 0.01 2 missing other MAX", [b"other", [[b"x", b"inf"]]]),
            ("BZMPOP 0.01 1 missing MIN", None),
            ("BZMPOP x 1 other MIN", "-ERR timeout is not a float or out of range"),
            ("BZMPOP -1 1 other MIN", "-ERR timeout is negative"),
            ("BZMPOP -1 0 other MIN", NUMKEYS),
            ("BZPOPMIN missing even 0", [b"even", b"aa", b"0"]),
            ("BZPOPMAX even other 0", [b"even", b"d", b"0"]),
            ("BZPOPMAX missing 0.01", None),
            ("BZPOPMIN even -1", "-ERR timeout is negative"),
            ("BZPOPMIN even x", "-ERR timeout is not a float or out of range"),
        ]
    )


def test_a_waiting_pop_does_not_wait_in_a_transaction(r: Runner) -> None:
    r.table([("MULTI", b"OK"), ("BZPOPMIN missing 0", b"QUEUED"), ("BZMPOP 0 1 missing MIN", b"QUEUED")])
    assert r("EXEC") == [None, None]


def test_zrandmember(r: Runner) -> None:
    seed(r)
    r.table(
        [
            ("ZRANDMEMBER missing", None),
            ("ZRANDMEMBER missing 3", []),
            ("ZRANDMEMBER missing 3 WITHSCORES", []),
            ("ZRANDMEMBER abc 0", []),
            ("ZRANDMEMBER abc x", NOT_INTEGER),
            ("ZRANDMEMBER abc 1 SCORES", SYNTAX),
            ("ZRANDMEMBER abc 1 WITHSCORES x", SYNTAX),
            (f"ZRANDMEMBER abc {-(2**63)}", "-ERR value is out of range, value must between -9223372036854775807 and"
                                            " 9223372036854775807"),
            (f"ZRANDMEMBER abc {2**63 - 1} WITHSCORES", "-ERR value is out of range"),
        ]
    )  # fmt: skip
    assert r("ZRANDMEMBER abc") in (b"a", b"b", b"c")
    assert sorted(r("ZRANDMEMBER abc 99")) == [b"a", b"b", b"c"]
    assert len(set(r("ZRANDMEMBER abc 2"))) == 2
    assert len(r("ZRANDMEMBER abc -20")) == 20
    pairs = r("ZRANDMEMBER abc -20 WITHSCORES")
    assert len(pairs) == 40
    assert set(zip(pairs[::2], pairs[1::2], strict=True)) <= {(b"a", b"1"), (b"b", b"2"), (b"c", b"3")}


def test_zscan_gives_a_small_set_whole_and_in_order(r: Runner) -> None:
    seed(r)
    r.table(
        [
            ("ZSCAN abc 0", [b"0", [b"a", b"1", b"b", b"2", b"c", b"3"]]),
            ("ZSCAN abc 0 COUNT 1", [b"0", [b"a", b"1", b"b", b"2", b"c", b"3"]]),
            ("ZSCAN even 0 MATCH a*", [b"0", [b"aa", b"0", b"ab", b"0"]]),
            ("ZSCAN abc 0 NOSCORES MATCH [bc]", [b"0", [b"b", b"c"]]),
            ("ZSCAN other 0 MATCH x", [b"0", [b"x", b"inf"]]),
            ("ZSCAN missing 0", [b"0", []]),
            ("ZSCAN abc x", "-ERR invalid cursor"),
            ("ZSCAN abc 0 COUNT 0", SYNTAX),
            ("ZSCAN abc 0 COUNT x", NOT_INTEGER),
            ("ZSCAN abc 0 FOO", SYNTAX),
        ]
    )


def test_zscan_pages_through_a_large_set(r: Runner) -> None:
    wanted = {b"m%d" % i: b"%d" % (i % 7) for i in range(300)}
    r(b"ZADD z " + b" ".join(score + b" " + member for member, score in wanted.items()))
    found: dict[bytes, bytes] = {}
    cursor, pages = b"0", 0
    while pages == 0 or cursor != b"0":
        cursor, items = r(f"ZSCAN z {cursor.decode()} COUNT 40")
        found.update(zip(items[::2], items[1::2], strict=True))
        pages += 1
    assert found == wanted
    assert pages > 1


RESP3: list[tuple[str, Any]] = [
    ("ZADD abc INCR 1 a", 2.0),
    ("ZINCRBY abc -1 a", 1.0),
    ("ZSCORE abc a", 1.0),
    ("ZSCORE abc x", None),
    ("ZMSCORE abc a x", [1.0, None]),
    ("ZRANK abc a WITHSCORE", [0, 1.0]),
    ("ZRANGE abc 0 1", [b"a", b"b"]),
    ("ZRANGE abc 0 1 WITHSCORES", [[b"a", 1.0], [b"b", 2.0]]),
    ("ZREVRANGEBYSCORE other inf 30 WITHSCORES", [[b"x", float("inf")], [b"c", 30.0]]),
    ("ZUNION 1 abc WITHSCORES", [[b"a", 1.0], [b"b", 2.0], [b"c", 3.0]]),
    ("ZDIFF 1 abc", [b"a", b"b", b"c"]),
    ("ZSCAN abc 0", [b"0", [b"a", b"1", b"b", b"2", b"c", b"3"]]),
    ("ZPOPMIN abc", [b"a", 1.0]),
    ("ZPOPMIN abc 1", [[b"b", 2.0]]),
    ("ZMPOP 1 abc MIN", [b"abc", [[b"c", 3.0]]]),
    ("ZPOPMIN abc", []),
    ("BZPOPMAX other 0", [b"other", b"x", float("inf")]),
    ("BZMPOP 0 1 other MIN COUNT 2", [b"other", [[b"b", 20.0], [b"c", 30.0]]]),
    ("BZPOPMAX other 0.01", None),
]


def test_resp3(r: Runner) -> None:
    seed(r)
    if isinstance(r.client, embedded.Client):
        r.client.session.proto = 3
    else:
        r("HELLO 3")
    r.table(RESP3)
    [[member, score]] = r("ZRANDMEMBER even -1 WITHSCORES")
    assert member in (b"aa", b"ab", b"b", b"c", b"d")
    assert score == 0.0


@pytest.mark.parametrize(
    ("line", "journalled"),
    [
        ("ZADD abc 1 a", []),
        ("ZADD abc 9 a", [b"ZADD abc 9 a"]),
        ("ZADD abc NX 9 a", []),
        ("ZINCRBY abc 0 a", []),
        ("ZINCRBY abc 1 a", [b"ZINCRBY abc 1 a"]),
        ("ZREM abc x", []),
        ("ZPOPMIN abc", [b"ZPOPMIN abc"]),
        ("ZPOPMIN missing", []),
        ("BZPOPMIN missing abc 0", [b"ZPOPMIN abc 1"]),
        ("BZPOPMAX abc 0", [b"ZPOPMAX abc 1"]),
        ("BZPOPMAX missing 0.01", []),
        ("ZMPOP 2 missing abc MAX COUNT 9", [b"ZPOPMAX abc 3"]),
        ("BZMPOP 0 1 abc MIN COUNT 2", [b"ZPOPMIN abc 2"]),
        ("ZUNIONSTORE missing 1 nothing", []),
        ("ZUNIONSTORE to 1 abc", [b"ZUNIONSTORE to 1 abc"]),
        ("ZREMRANGEBYRANK abc 0 0", [b"ZREMRANGEBYRANK abc 0 0"]),
        ("ZREMRANGEBYRANK abc 9 9", []),
        ("ZRANGESTORE to abc 0 0", [b"ZRANGESTORE to abc 0 0"]),
    ],
)
def test_journal(clocked: Runner, line: str, journalled: list[bytes]) -> None:
    seed(clocked)
    assert isinstance(clocked.client, embedded.Client)
    assert effects(clocked.client, line) == journalled


@pytest.mark.parametrize(
    ("waiting", "add", "reply"),
    [
        ("BZPOPMIN z y 0", "ZADD y 1 a 2 b", [b"y", b"a", 1.0]),
        ("BZPOPMAX z y 0", "ZADD y 1 a 2 b", [b"y", b"b", 2.0]),
        ("BZMPOP 0 2 z y MAX COUNT 2", "ZUNIONSTORE y 1 abc", [b"y", [[b"c", 3.0], [b"b", 2.0]]]),
        ("BZMPOP 0 1 z MIN", "ZRANGESTORE z abc 1 2", [b"z", [[b"b", 2.0]]]),
    ],
)
def test_a_waiting_pop_names_its_keys_and_is_served_when_run_again(
    clocked: Runner, waiting: str, add: str, reply: Any
) -> None:
    seed(clocked)
    assert isinstance(clocked.client, embedded.Client)
    store, session = clocked.client.store, clocked.client.session
    with pytest.raises(Block) as caught:
        store.execute(session, tuple(waiting.encode().split()))
    assert caught.value.deadline is None
    assert add.encode().split()[1] in caught.value.keys
    clocked.other()(add)
    assert store.execute(session, tuple(waiting.encode().split())) == reply


def test_change_reaches_those_who_watch(r: Runner) -> None:
    seed(r)
    other = r.other()
    for line, changes in [
        ("ZADD abc 1 a", False),
        ("ZADD abc 9 a", True),
        ("ZREM abc x", False),
        ("ZPOPMIN abc", True),
    ]:
        r.table([("WATCH abc", b"OK")])
        other(line)
        r.table([("MULTI", b"OK"), ("PING", b"QUEUED")])
        assert r("EXEC") == (None if changes else [b"PONG"]), line


def test_object_encoding_follows_the_limits() -> None:
    client = embedded.Client()
    client.call("ZADD", "z", *(word for i in range(128) for word in (i, f"m{i}")))
    zset = client.session.db.get(b"z")
    assert isinstance(zset, ZSet)
    assert zset.encoding(client.store.config) == b"listpack"
    client.call("ZADD", "z", 1, "one more")
    assert zset.encoding(client.store.config) == b"skiplist"
