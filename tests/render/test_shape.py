"""Which shape a reply takes, from the command line alone: no terminal, no rich."""

from __future__ import annotations

import pytest

from redtool.errors import WrongType
from redtool.render.shape import Board, Columns, Empty, Group, Lines, Table, Tree, shape
from redtool.resp import OK, QUEUED, Push

FLAT = [b"a", b"1", b"b", b"2.5"]
PAIRS = [[b"a", 1.0], [b"b", 2.5]]


def words(line: str) -> list[bytes]:
    return line.encode().split()


@pytest.mark.parametrize(
    ("line", "start"),
    [
        ("ZRANGE k 0 -1 WITHSCORES", 1),
        ("zrange k 0 -1 withscores", 1),
        ("ZRANGE k 10 19 WITHSCORES", 11),
        ("ZRANGE k 10 19 REV WITHSCORES", 11),
        ("ZREVRANGE k 10 19 WITHSCORES", 11),
        ("ZRANGE k -2 -1 WITHSCORES", -2),
        ("ZRANGE k -9 -1 WITHSCORES", -2),  # clipped at the front, it still ends at the last member
        ("ZRANGE k -9 -4 WITHSCORES", -5),
        ("ZRANGE k -2 99 WITHSCORES", -2),  # not clipped: as many as asked for
        ("ZRANGE k -9 99 WITHSCORES", None),  # clipped on both sides, or on one: no rank is certain
        ("ZRANGE k 5 9 BYSCORE WITHSCORES", 1),
        ("ZRANGE k 5 9 BYSCORE LIMIT 20 2 WITHSCORES", 21),
        ("ZRANGEBYSCORE k 5 9 WITHSCORES", 1),
        ("ZREVRANGEBYSCORE k +inf -inf WITHSCORES LIMIT 3 2", 4),
        ("ZUNION 1 k WITHSCORES", 1),
        ("ZINTER 2 k l WITHSCORES", 1),
        ("ZDIFF 2 k l WITHSCORES", 1),
        ("ZPOPMIN k 2", 1),
        ("ZPOPMAX k 2", 1),
        ("ZRANDMEMBER k 2 WITHSCORES", None),
    ],
)
@pytest.mark.parametrize("reply", [FLAT, PAIRS], ids=["resp2", "resp3"])
def test_boards_have_true_ranks(line: str, start: int | None, reply: object) -> None:
    assert shape(words(line), reply) == Board([(b"a", 1.0), (b"b", 2.5)], 2, start)


@pytest.mark.parametrize(
    ("line", "indexes"),
    [
        ("LRANGE k 0 -1", [0, 1]),
        ("LRANGE k 7 8", [7, 8]),
        ("LRANGE k -5 -1", [-2, -1]),
        ("LRANGE k -5 -3", [-4, -3]),
        ("lrange k -2 100", [-2, -1]),
        ("ZRANGE k 4 5", [5, 6]),
        ("ZRANGE k -2 -1", [-2, -1]),
        ("ZRANGEBYLEX k - + LIMIT 2 2", [3, 4]),
        ("ZINTER 1 k", [1, 2]),
    ],
)
def test_elements_under_their_own_index(line: str, indexes: list[int]) -> None:
    found = shape(words(line), [b"x", b"y"])
    assert isinstance(found, Table)
    assert [row[0] for row in found.rows] == indexes
    assert [row[1] for row in found.rows] == [b"x", b"y"]


TABLES = [
    ("HGETALL k", [b"f", b"v", b"g", b"w"], "field value", [(b"f", b"v"), (b"g", b"w")]),
    ("hgetall k", {b"f": b"v"}, "field value", [(b"f", b"v")]),
    ("CONFIG GET m*", [b"maxmemory", b"0"], "parameter value", [(b"maxmemory", b"0")]),
    ("EVAL x 0", {b"any": 1}, "field value", [(b"any", 1)]),
    ("HMGET k f g", [b"v", None], "field value", [(b"f", b"v"), (b"g", None)]),
    ("MGET a b", [None, b"v"], "key value", [(b"a", None), (b"b", b"v")]),
    ("SMISMEMBER k a b", [1, 0], "member found", [(b"a", 1), (b"b", 0)]),
    ("ZMSCORE k a b", [b"1.5", None], "member score", [(b"a", 1.5), (b"b", None)]),
    ("HRANDFIELD k -2 WITHVALUES", [b"f", b"v", b"f", b"v"], "field value", [(b"f", b"v"), (b"f", b"v")]),
    ("HRANDFIELD k -2 withvalues", [[b"f", b"v"]], "field value", [(b"f", b"v")]),
    ("HGETEX k EX 9 FIELDS 2 f g", [b"v", None], "field value", [(b"f", b"v"), (b"g", None)]),
    ("HEXPIRE k 9 FIELDS 2 f g", [1, -2], "field result", [(b"f", 1), (b"g", -2)]),
    ("HTTL k FIELDS 3 f g h", [90, -1, -2], "field ttl ",
     [(b"f", 90, "1m 30s"), (b"g", -1, "no expiry"), (b"h", -2, "no such field")]),
    ("HSCAN k 0", [b"0", [b"f", b"v"]], "field value", [(b"f", b"v")]),
    ("VSIM k ELE a WITHSCORES", [b"a", b"1", b"b", b"0.5"], "element score", [(b"a", 1.0), (b"b", 0.5)]),
    ("VSIM k ELE a WITHATTRIBS", [b"a", b"x", b"b", None], "element attributes", [(b"a", b"x"), (b"b", None)]),
    ("VSIM k ELE a WITHATTRIBS", {b"a": b"x", b"b": None}, "element attributes", [(b"a", b"x"), (b"b", None)]),
    ("VSIM k ELE a WITHATTRIBS WITHSCORES", [b"a", b"1", b"x"], "element score attributes", [(b"a", 1.0, b"x")]),
    ("VINFO k", [b"size", 2], "field value", [(b"size", 2)]),
    ("BLPOP k 0", [b"k", b"v"], "key element", [(b"k", b"v")]),
    ("LMPOP 1 k LEFT COUNT 2", [b"k", [b"v", b"w"]], "key element", [(b"k", b"v"), (b"k", b"w")]),
    ("BZPOPMIN k 0", [b"k", b"m", b"2"], "key member score", [(b"k", b"m", 2.0)]),
    ("GEOPOS k a b", [[b"1.5", b"2"], None], "member longitude latitude", [(b"a", 1.5, 2.0), (b"b", None, None)]),
    ("GEOSEARCH k FROMMEMBER a BYRADIUS 1 km WITHDIST WITHHASH WITHCOORD", [[b"a", b"0.5", 7, [b"1", b"2"]]],
     "member distance hash longitude latitude", [(b"a", b"0.5", 7, 1.0, 2.0)]),
    ("XRANGE s - +", [[b"1-1", [b"f", b"v"]], [b"2-1", [b"f", b"w"]]], "id f", [(b"1-1", b"v"), (b"2-1", b"w")]),
    ("XRANGE s - +", [[b"1-1", [b"f", b"v", b"g", b"w"]], [b"2-1", None]], "id field value",
     [(b"1-1", b"f", b"v"), ("", b"g", b"w"), (b"2-1", "", "(deleted)")]),
    ("XPENDING s g - + 9", [[b"1-1", b"bob", 61000, 2]], "id consumer idle deliveries", [(b"1-1", b"bob", "1m 1s", 2)]),
    ("XPENDING s g", [2, b"1-1", b"2-1", [[b"bob", b"2"]]], "consumer pending", [(b"bob", b"2")]),
    ("XINFO GROUPS s", [[b"name", b"g", b"pending", 0]], "name pending", [(b"g", 0)]),
    ("ACL LIST", [b"user default on ~*"], "user rules", [(b"default", b"on ~*")]),
    ("PUBSUB NUMSUB a", [b"a", 2], "channel subscribers", [(b"a", 2)]),
    ("MEMORY STATS", [b"peak", 5, b"db.0", [b"main", 8]], "name value", [(b"peak", 5), (b"db.0.main", 8)]),
    ("COMMAND DOCS", [b"get", [b"group", b"string", b"since", b"1"], b"set", [b"summary", b"S"]],
     "command group since summary", [(b"get", b"string", b"1", ""), (b"set", "", "", b"S")]),
    ("COMMAND INFO get no", [[b"get", 2, [OK, b"fast"], 1, 1, 1, [b"@read"]], None],
     "command arity flags keys categories", [(b"get", 2, "OK fast", "1,1,1", "@read"), (b"no", None, "", "", "")]),
    ("CLUSTER SLOTS", [[0, 99, [b"h", 1, b"id"], [b"i", 2, b"id"]]], "slots primary replicas",
     [("0-99", "h:1", "i:2")]),
    ("CLUSTER NODES", b"id1 h:1@2 master - 0 0 1 connected 0-5 7\n", "address flags link slots id",
     [("h:1@2", "master", "connected", "0-5 7", "id1")]),
    ("CLIENT LIST", b"id=3 addr=h:1 name= age=90 idle=0 db=0 cmd=get user=u\n", "id addr name age idle db cmd user",
     [(b"3", b"h:1", "", "1m 30s", "0s", b"0", b"get", b"u")]),
    ("LATENCY HISTORY e", [[0, 1500]], "when latency", [("1970-01-01 00:00:00", "1.5s")]),
    ("SLOWLOG GET", [[4, 0, 2500, [b"GET", b"a b"], b"h:1", b""]], "id when took command client",
     [(4, "1970-01-01 00:00:00", "2.5ms", "GET a b", "h:1")]),
]  # fmt: skip


@pytest.mark.parametrize(("line", "reply", "heads", "rows"), TABLES, ids=[case[0] for case in TABLES])
def test_tables(line: str, reply: object, heads: str, rows: object, utc: None) -> None:
    found = shape(words(line), reply)
    assert isinstance(found, Table), found
    assert " ".join(column.head for column in found.columns) == heads
    assert list(found.rows) == rows


COLUMNS = [
    ("SMEMBERS k", [b"b", b"a"], [b"a", b"b"], "member", ""),
    ("SUNION k l", {b"b", b"a"}, [b"a", b"b"], "member", ""),
    ("SRANDMEMBER k 2", [b"b", b"a"], [b"a", b"b"], "member", ""),
    ("KEYS *", [b"k:10", b"k:9", b"a"], [b"a", b"k:9", b"k:10"], "key", ""),
    ("SMEMBERS k", [b"10", b"-5", b"9", b"-7"], [b"-7", b"-5", b"9", b"10"], "member", ""),
    ("HKEYS k", [b"b", b"a"], [b"b", b"a"], "field", ""),
    ("SCAN 0", [b"17", [b"b", b"a"]], [b"a", b"b"], "key", "next cursor 17"),
    ("SSCAN k 0", [b"0", [b"m"]], [b"m"], "member", "scan complete"),
    ("HSCAN k 0 NOVALUES", [b"0", [b"g", b"f"]], [b"g", b"f"], "field", "scan complete"),
    ("ZRANGE k -9 99", [b"y", b"x"], [b"y", b"x"], "member", ""),
    ("ZRANDMEMBER k 2", [b"y", b"x"], [b"y", b"x"], "member", ""),
    ("EVAL x 0", {b"b", b"a"}, [b"a", b"b"], "member", ""),
]


@pytest.mark.parametrize(("line", "reply", "items", "noun", "note"), COLUMNS, ids=[case[0] for case in COLUMNS])
def test_columns(line: str, reply: object, items: list[object], noun: str, note: str) -> None:
    assert shape(words(line), reply) == Columns(items, len(items), noun, note)


@pytest.mark.parametrize(
    ("line", "reply", "expected"),
    [
        ("GET k", b"v", Tree(b"v")),
        ("GET k", None, Tree(None)),
        ("HGETALL k", QUEUED, Tree(QUEUED)),
        ("ZSCORE k m", b"1.5", Tree(1.5)),
        ("EXPIRE k 9", 1, Tree(1)),
        ("TTL k", 3600, Tree(3600, "1h")),
        ("TTL k", -1, Tree(-1, "no expiry")),
        ("pttl k", -2, Tree(-2, "no such key")),
        ("PTTL k", 1500, Tree(1500, "1.5s")),
        ("EXPIRETIME k", 86400, Tree(86400, "1970-01-02 00:00:00")),
        ("LASTSAVE", 0, Tree(0, "1970-01-01 00:00:00")),
        ("TIME", [b"60", b"5"], Tree([b"60", b"5"], "1970-01-01 00:01:00")),
        ("MEMORY USAGE k", 1536, Tree(1536, "1.50K")),
        ("MEMORY USAGE k", 72, Tree(72)),
        ("SRANDMEMBER k", b"m", Tree(b"m")),
        ("HGETALL k", [], Empty("(empty hash)")),
        ("HGETALL k", {}, Empty("(empty hash)")),
        ("SMEMBERS k", [], Empty("(empty set)")),
        ("LRANGE k 0 -1", [], Empty("(empty array)")),
        ("KEYS *", [], Empty("(empty array)")),
        ("ZRANGE k 0 -1 WITHSCORES", [], Empty("(empty array)")),
        ("SCAN 0", [b"5", []], Empty("(empty array)", "next cursor 5")),
        ("ZSCAN k 0", [b"5", [b"m", b"1"]], Board([(b"m", 1.0)], 1, None, note="next cursor 5")),
        ("ZMPOP 1 k MIN", [b"k", [[b"m", b"1"]]], Board([(b"m", 1.0)], 1, 1, title="k")),
        ("LOLWUT", b"art\n", Lines(b"art\n")),
        ("OBJECT HELP", [OK, b"line"], Lines(b"OK\nline")),
        ("EVAL x 0", [1, [2]], Tree([1, [2]])),
        ("LPOP k 2", [b"a"], Tree([b"a"])),
        ("", [b"a"], Tree([b"a"])),
        ("EXEC", None, Tree(None)),
        ("EXEC", [], Empty("(empty array)")),
    ],
)
def test_other_shapes(line: str, reply: object, expected: object, utc: None) -> None:
    assert shape(words(line), reply) == expected


def test_errors_stay_errors() -> None:
    error = WrongType()
    assert shape([b"HGETALL", b"k"], error) == Tree(error)


def test_transaction_shapes_each_result_by_its_command() -> None:
    reply = [OK, [b"f", b"v"], [b"a"]]
    queued = [words("SET k v"), words("HGETALL h"), words("SMEMBERS s")]
    found = shape([b"EXEC"], reply, queued=queued)
    assert isinstance(found, Group)
    assert [label for label, _ in found.parts] == ["1)", "2)", "3)"]
    assert [type(part) for _, part in found.parts] == [Tree, Table, Columns]
    bare = shape([b"exec"], reply)
    assert isinstance(bare, Group)
    assert [type(part) for _, part in bare.parts] == [Tree, Tree, Tree]


def test_streams_of_both_protocols() -> None:
    entries = [[b"1-1", [b"f", b"v"]]]
    resp2 = shape(words("XREAD STREAMS s 0"), [[b"s", entries]])
    assert resp2 == shape(words("XREAD STREAMS s 0"), {b"s": entries})
    assert isinstance(resp2, Group) and resp2.parts[0][0] == "s"


def test_info_by_section() -> None:
    found = shape([b"INFO"], b"# Server\r\nhz:10\r\n\r\n# Empty\r\n\r\n# Keyspace\r\ndb0:keys=1,x=2\r\n")
    assert isinstance(found, Group)
    assert [label for label, _ in found.parts] == ["Server", "Empty", "Keyspace"]
    assert found.parts[2][1].rows == [(b"db0", b"keys=1,x=2")]  # type: ignore[union-attr]


def test_pushed_message() -> None:
    found = shape([b"SUBSCRIBE", b"c"], Push([b"message", b"c", b"hi"]))
    assert isinstance(found, Table) and found.rows == [(b"message", b"c", b"hi")]


@pytest.mark.parametrize(("line", "reply"), [
    ("LRANGE k 0 -1", [b"x"] * 5000), ("SMEMBERS k", [b"%d" % n for n in range(5000)]),
    ("HGETALL k", {b"%d" % n: b"v" for n in range(5000)}), ("ZRANGE k 0 -1", [b"%d" % n for n in range(5000)]),
    ("ZPOPMIN k 5000", [b"1"] * 10000), ("MGET " + "k " * 5000, [b"v"] * 5000),
    ("XRANGE s - +", [[b"1", [b"f", b"v"]]] * 5000),
])  # fmt: skip
def test_cap(line: str, reply: object) -> None:
    capped, whole = shape(words(line), reply, 10), shape(words(line), reply, 0)
    assert capped.total == whole.total == 5000  # type: ignore[union-attr]
    assert len(getattr(capped, "rows", ()) or getattr(capped, "items", ())) == 10
    assert len(getattr(whole, "rows", ()) or getattr(whole, "items", ())) == 5000
