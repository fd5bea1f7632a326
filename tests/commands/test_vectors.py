"""Vector sets: tables on the store, and on Redis 8 where the environment names it (REDTOOL_TEST_SERVERS)."""

from __future__ import annotations

import random
from array import array
from math import inf, nan
from typing import Any

import pytest

from redtool.engine.vectors import VectorSet
from tests import embedded
from tests.commands.conftest import Runner
from tests.commands.journal import effects

WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value"

Table = list[tuple[str, Any]]


def arity(name: str) -> str:
    return f"-ERR wrong number of arguments for '{name}' command"


# Written down from Redis 8.2.3.
TABLES: dict[str, Table] = {
    "add": [
        ("VADD k VALUES 2 1 2 a", 1), ("VADD k VALUES 2 1 2 a", 0), ("vadd k values 2 2 1 b cas setattr ''", 1),
        ("VGETATTR k b", b""), ("VADD k VALUES 2 2 1 b SETATTR x", 0), ("VGETATTR k b", b"x"),
        ("VADD k VALUES 2 2 1 b", 0), ("VGETATTR k b", b"x"), ("VADD k VALUES 2 2 1 b SETATTR ''", 0),
        ("VGETATTR k b", None), ("VADD k FP32 abcdabcd c EF 9 EF 10 M 5 M 16 BIN Q8 SETATTR xx SETATTR yy", 1),
        ("VGETATTR k c", b"yy"), ("VADD h VALUES 1 0x10 a NOQUANT", 1), ("VEMB h a", [b"16"]), ("VCARD k", 3),
        ("VDIM k", 2), ("TYPE k", b"vectorset"), ("OBJECT ENCODING k", b"raw"),
    ],
    "mistakes in VADD": [
        ("VADD", arity("VADD")), ("VADD k VALUES 2", arity("VADD")),
        ("VADD k VALUES 2 1", "-ERR invalid vector specification"), ("VADD k VALUES 2 1 2", arity("VADD")),
        ("VADD k VALUES 0 b c", "-ERR invalid vector specification"),
        ("VADD k VALUES -5 a b", "-ERR invalid vector specification"),
        ("VADD k VALUES x 1 b", "-ERR invalid vector specification"),
        ("VADD k VALUES 2 nan 1 b", "-ERR invalid vector specification"),
        ("VADD k VALUES 2 1e400 1 b", "-ERR invalid vector specification"),
        ("VADD k VALUES 2 1e-400 1 b", "-ERR invalid vector specification"),
        ("VADD k VALUES 2 ' 1' 2 a", "-ERR invalid vector specification"),
        ("VADD k VALUES 2 1_0 2 a", "-ERR invalid vector specification"),
        ("VADD k FOO 2 1 1 b", "-ERR invalid vector specification"),
        ("VADD k FP32 abc b c", "-ERR invalid vector specification"),
        ("VADD k FP32 '' b c", "-ERR invalid vector specification"), ("VADD k FP32 abcd", arity("VADD")),
        ("VADD k REDUCE 0 VALUES 2 2 2 b", "-ERR invalid vector specification"),
        ("VADD k REDUCE x VALUES 2 2 2 b", "-ERR invalid vector specification"), ("VADD k REDUCE 2", arity("VADD")),
        ("VADD k REDUCE 2 VALUES 2", "-ERR invalid vector specification"),
        ("VADD k VALUES 2 2 2 b FOO", "-ERR invalid option after element"),
        ("VADD k VALUES 2 2 2 b EF 0", "-ERR invalid EF"), ("VADD k VALUES 2 2 2 b EF 1000001", "-ERR invalid EF"),
        ("VADD k VALUES 2 2 2 b EF x", "-ERR invalid EF"),
        ("VADD k VALUES 2 2 2 b EF", "-ERR invalid option after element"),
        ("VADD k VALUES 2 2 2 b M 3", "-ERR invalid M"), ("VADD k VALUES 2 2 2 b M 4097", "-ERR invalid M"),
        ("EXISTS k", 0), ("VADD k VALUES 2 1 2 a", 1),
        ("VADD k VALUES 3 2 2 2 b", "-ERR Vector dimension mismatch - got 3 but set has 2"),
        ("VADD k VALUES 2 2 2 b M 4", "-ERR asked M value mismatch with existing vector set"),
        ("VADD k VALUES 2 2 2 b NOQUANT", "-ERR asked quantization mismatch with existing vector set"),
        ("VADD k VALUES 3 2 2 2 b BIN M 4", "-ERR asked quantization mismatch with existing vector set"),
        ("VADD k REDUCE 2 VALUES 3 2 2 2 b", "-ERR Vector dimension mismatch - got 3 but set has 2"),
        ("VADD k REDUCE 2 VALUES 2 2 2 b", "-ERR cannot add projection to existing set without projection"),
        ("VADD r REDUCE 2 VALUES 3 1 2 3 a", 1),
        ("VADD r VALUES 3 1 2 3 a", "-ERR Vector dimension mismatch - got 3 but set has 2"),
        ("VADD r VALUES 2 1 2 a", "-ERR Vector dimension mismatch - got 2 but set has 2"),
        ("VADD r REDUCE 3 VALUES 3 3 2 1 b", "-ERR Vector dimension mismatch - got 3 but set has 2"),
        ("VADD r REDUCE 3 VALUES 4 3 2 1 0 b", "-ERR Vector dimension mismatch - got 4 but set has 2"),
        ("VADD r REDUCE 2 VALUES 4 1 2 3 4 a",
         "-ERR Input dimension mismatch for projection - got 4 but projection expects 3"),
        ("VADD r REDUCE 2 VALUES 2 1 2 a",
         "-ERR Input dimension mismatch for projection - got 2 but projection expects 3"),
    ],
    "remove": [
        ("VADD k VALUES 2 1 2 a", 1), ("VADD k VALUES 2 3 2 b", 1), ("VREM k a", 1), ("VREM k a", 0),
        ("VREM none a", 0), ("VCARD k", 1), ("VREM k", arity("VREM")), ("VREM k a b", arity("VREM")), ("VREM k b", 1),
        ("EXISTS k", 0),
    ],
    "attributes": [
        ("VADD k VALUES 2 1 2 a", 1), ("VGETATTR k a", None), ("VSETATTR k a notjson", 1),
        ("VGETATTR k a", b"notjson"), ("VSETATTR k a ''", 1), ("VGETATTR k a", None), ("VSETATTR k nope {}", 0),
        ("VSETATTR none a {}", 0), ("VGETATTR k nope", None), ("VGETATTR none a", None),
        ("VSETATTR k a", arity("VSETATTR")), ("VGETATTR k", arity("VGETATTR")),
    ],
    "vectors": [
        ("VADD k VALUES 3 1 2 3 a NOQUANT", 1), ("VADD k VALUES 3 0 0 0 z NOQUANT", 1),
        ("VEMB k a", [b"1", b"2", b"3"]),
        ("VEMB k a RAW", [b"f32", b"w\xd6\x88>w\xd6\x08?\xb2AM?", b"3.7416574954986572"]),
        ("VEMB k a raw", [b"f32", b"w\xd6\x88>w\xd6\x08?\xb2AM?", b"3.7416574954986572"]),
        ("VEMB k z RAW", [b"f32", b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", b"1"]),
        ("VADD q VALUES 3 1 2 3 a", 1), ("VADD q VALUES 3 -1 2 0.5 b", 1), ("VADD q VALUES 3 0 0 0 z", 1),
        ("VEMB q a", [b"0.992125928401947", b"2.007874011993408", b"3"]),
        ("VEMB q b", [b"-0.992125928401947", b"2", b"0.5039370059967041"]),
        ("VEMB q a RAW", [b"int8", b"*U\x7f", b"3.7416574954986572", b"0.8017836809158325"]),
        ("VEMB q z RAW", [b"int8", b"\x00\x00\x00", b"1", b"0"]), ("VADD b VALUES 3 1 -2 3 a BIN", 1),
        ("VADD b VALUES 3 0 0 0 z BIN", 1), ("VEMB b a", [b"1", b"-1", b"1"]),
        ("VEMB b a RAW", [b"bin", b"\x05\x00\x00\x00\x00\x00\x00\x00", b"3.7416574954986572"]),
        ("VEMB b z", [b"-1", b"-1", b"-1"]), ("VADD r REDUCE 2 VALUES 3 1 2 3 a NOQUANT", 1),
        ("VADD r REDUCE 2 VALUES 3 3 2 1 b NOQUANT", 1), ("VEMB r a", [b"3.464101552963257", b"1.154700517654419"]),
        ("VEMB r a RAW", [b"f32", b"\xe8\xdcr?\x9b\xe8\xa1>", b"3.6514837741851807"]), ("VDIM r", 2),
        ("VADD e REDUCE 5 VALUES 3 1 2 3 a NOQUANT", 1),
        ("VEMB e a",
         [b"3.464101552963257", b"1.154700517654419", b"0", b"-2.309401035308838", b"3.464101552963257"]),
        ("VEMB k none", None), ("VEMB none a", None), ("VEMB none a FOO", "-ERR invalid option"),
        ("VEMB k a FOO", "-ERR invalid option"), ("VEMB k a RAW x", "-ERR invalid option"), ("VEMB k", arity("VEMB")),
    ],
    "facts": [
        ("VCARD none", 0), ("VDIM none", "-ERR key does not exist"), ("VINFO none", None),
        ("VADD k VALUES 2 1 2 a", 1), ("VISMEMBER k a", 1), ("VISMEMBER k none", 0), ("VISMEMBER none a", 0),
        ("VRANDMEMBER k", b"a"), ("VRANDMEMBER k 5", [b"a"]), ("VRANDMEMBER k -3", [b"a", b"a", b"a"]),
        ("VRANDMEMBER k 0", []), ("VRANDMEMBER k x", "-ERR COUNT value is not an integer"),
        ("VRANDMEMBER k 9999999999999999999", "-ERR COUNT value is not an integer"), ("VRANDMEMBER none", None),
        ("VRANDMEMBER none 3", []), ("VCARD", arity("VCARD")), ("VCARD a b", arity("VCARD")), ("VDIM", arity("VDIM")),
        ("VDIM a b", arity("VDIM")), ("VINFO", arity("VINFO")), ("VINFO k x", arity("VINFO")),
        ("VISMEMBER k", arity("VISMEMBER")), ("VRANDMEMBER", arity("VRANDMEMBER")),
        ("VRANDMEMBER k 1 2", arity("VRANDMEMBER")), ("VLINKS k none", None),
        ("VLINKS none a", None), ("VLINKS k", arity("VLINKS")), ("VLINKS k a SCORES", arity("VLINKS")),
        ("VLINKS k a WITHSCORES x", arity("VLINKS")),
    ],
    "search": [
        ('VADD k VALUES 3 1 2 3 a NOQUANT SETATTR \'{"year":1984,"name":"Ada"}\'', 1),
        ("VADD k VALUES 3 -1 2 0.5 b NOQUANT", 1), ('VADD k VALUES 3 3 3 3 c NOQUANT SETATTR \'{"year":1999}\'', 1),
        ("VSIM k ELE a", [b"a", b"c", b"b"]),
        ("VSIM k ele a withscores",
         [b"a", b"0.9999999403953552", b"c", b"0.9629100561141968", b"b", b"0.762445330619812"]),
        ("VSIM k ELE a WITHSCORES WITHATTRIBS",
         [b"a", b"0.9999999403953552", b'{"year":1984,"name":"Ada"}', b"c", b"0.9629100561141968", b'{"year":1999}',
          b"b", b"0.762445330619812", None]),
        ("VSIM k ELE a WITHATTRIBS", [b"a", b'{"year":1984,"name":"Ada"}', b"c", b'{"year":1999}', b"b", None]),
        ("VSIM k VALUES 3 1 0 0 WITHSCORES COUNT 2", [b"c", b"0.7886751592159271", b"a", b"0.633630633354187"]),
        ('VSIM k FP32 "\\x00\\x00\\x80?\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00" WITHSCORES',
         [b"c", b"0.7886751592159271", b"a", b"0.633630633354187", b"b", b"0.2817821502685547"]),
        ("VSIM k ELE a TRUTH NOTHREAD EF 1000001 FILTER-EF 1", [b"a", b"c", b"b"]),
        ("VSIM k ELE a EPSILON 0.1", [b"a", b"c"]), ("VSIM k ELE a EPSILON 0.01", [b"a"]),
        ("VSIM k ELE a EPSILON 3", [b"a", b"c", b"b"]),
        ("VSIM k ELE a EPSILON inf WITHSCORES",
         [b"a", b"0.9999999403953552", b"c", b"0.9629100561141968", b"b", b"0.762445330619812"]),
        ("VSIM k ELE a FILTER .year==1984", [b"a"]), ("VSIM k ELE a FILTER '.year > 1900' COUNT 1", [b"a"]),
        ('VSIM k ELE a FILTER \'.year > 1900 and .name == "Ada"\'', [b"a"]),
        ("VSIM k ELE a FILTER .year==1984 FILTER .year==1985", []), ("VSIM k ELE a FILTER 1", [b"a", b"c"]),
        ("VSIM none ELE a", []), ("VSIM none ELE a FOO", []), ("VADD q VALUES 3 1 2 3 a", 1),
        ("VADD q VALUES 3 -1 2 0.5 b", 1), ("VADD q VALUES 3 3 3 3.1 c", 1),
        ("VSIM q ELE b WITHSCORES",
         [b"b", b"0.9994409680366516", b"a", b"0.7652640342712402", b"c", b"0.6907594501972198"]),
        ("VSIM q VALUES 3 1 0 0.5 WITHSCORES",
         [b"c", b"0.8864138424396515", b"a", b"0.7964543104171753", b"b", b"0.3551487922668457"]),
        ("VADD b VALUES 3 1 2 3 a BIN", 1), ("VADD b VALUES 3 -1 2 0.5 b BIN", 1),
        ("VSIM b ELE a WITHSCORES", [b"a", b"1", b"b", b"0.6666666567325592"]),
        ("VADD r REDUCE 2 VALUES 3 1 2 3 a NOQUANT", 1), ("VADD r REDUCE 2 VALUES 3 3 2 -1 b NOQUANT", 1),
        ("VSIM r VALUES 3 1 2 3 WITHSCORES", [b"a", b"0.9999999701976776", b"b", b"0.974341630935669"]),
        ("VSIM r VALUES 2 1 2 WITHSCORES", [b"a", b"0.8535533547401428", b"b", b"0.7236067950725555"]),
    ],
    "mistakes in VSIM": [
        ("VSIM k", arity("VSIM")), ("VSIM k ELE", arity("VSIM")), ("VADD k VALUES 3 1 2 3 a NOQUANT", 1),
        ("VSIM k ELE nope", "-ERR element not found in set"),
        ("VSIM k FOO nope", "-ERR invalid vector specification"),
        ("VSIM k VALUES 3 1 0", "-ERR invalid vector specification"),
        ("VSIM k VALUES 2 1 0", "-ERR Vector dimension mismatch - got 2 but set has 3"),
        ("VSIM k FP32 abc", "-ERR invalid vector specification"),
        ("VSIM k REDUCE 2 VALUES 3 1 0 1", "-ERR invalid vector specification"),
        ("VSIM k ELE a FOO", "-ERR syntax error in VSIM command"),
        ("VSIM k ELE a COUNT", "-ERR syntax error in VSIM command"), ("VSIM k ELE a COUNT 0", "-ERR invalid COUNT"),
        ("VSIM k ELE a COUNT x", "-ERR invalid COUNT"), ("VSIM k ELE a EPSILON 0", "-ERR invalid EPSILON"),
        ("VSIM k ELE a EPSILON -1", "-ERR invalid EPSILON"), ("VSIM k ELE a EPSILON nan", "-ERR invalid EPSILON"),
        ("VSIM k ELE a EF 0", "-ERR invalid EF"), ("VSIM k ELE a EF x", "-ERR invalid EF"),
        ("VSIM k ELE a FILTER-EF 0", "-ERR invalid FILTER-EF"),
        ("VSIM k ELE a FILTER", "-ERR syntax error in VSIM command"),
        ("VSIM k ELE a FILTER '.year == 1984 foo bar'", "-ERR syntax error in FILTER expression near:  bar"),
        ("VSIM k ELE a FILTER '(.year'", "-ERR syntax error in FILTER expression near: (.year"),
        ("VADD r REDUCE 2 VALUES 3 1 2 3 a NOQUANT", 1),
        ("VSIM r VALUES 4 1 2 3 4",
         "-ERR Input dimension mismatch for projection - got 4 but projection expects 3"),
    ],
    "other types": [
        ("SET s x", b"OK"), ("VADD s VALUES 2 1 1 a", WRONG_TYPE), ("VCARD s", WRONG_TYPE), ("VDIM s", WRONG_TYPE),
        ("VEMB s a", WRONG_TYPE), ("VGETATTR s a", WRONG_TYPE), ("VINFO s", WRONG_TYPE),
        ("VISMEMBER s a", WRONG_TYPE), ("VLINKS s a", WRONG_TYPE), ("VRANDMEMBER s", WRONG_TYPE),
        ("VREM s a", WRONG_TYPE), ("VSETATTR s a x", WRONG_TYPE), ("VSIM s ELE a", WRONG_TYPE),
        ("VADD k VALUES 2 1 1 a", 1), ("GET k", WRONG_TYPE), ("SADD k a", WRONG_TYPE),
        ("SCAN 0 TYPE vectorset", [b"0", [b"k"]]),
    ],
    "any key": [
        ("VADD k VALUES 2 1 2 a SETATTR x", 1), ("VADD k VALUES 2 5 2 b", 1),
        ("DEBUG DIGEST-VALUE k", [b"e95b71872e5c5023489691e28fdcb0417e4e72cf"]), ("EXPIRE k 100", 1),
        ("VADD k VALUES 2 5 2.5 b", 0), ("TTL k", 100), ("RENAME k l", b"OK"),
        ("COPY l m", "-ERR not supported for this module key"), ("VSIM l ELE a", [b"a", b"b"]),
        ("OBJECT REFCOUNT l", 1), ("DEL l", 1), ("EXISTS k l m", 0), ("VADD n VALUES 2 1 2 a NOQUANT", 1),
        ("DEBUG DIGEST-VALUE n", [b"5dca47d3756f8a36c1d4036c8aadfe2874ea4ca8"]),
        ("VADD n VALUES 2 1 2 a NOQUANT SETATTR y", 0),
        ("DEBUG DIGEST-VALUE n", [b"7572b987be688d9d877fa48755e159fb662f6ed5"]), ("VADD b VALUES 2 1 2 a BIN", 1),
        ("DEBUG DIGEST-VALUE b", [b"17a3c6cb38bb61956fdf73cd30f7daf1e4577ae5"]),
        ("COMMAND GETKEYS VADD k VALUES 2 1 1 a", [b"k"]),
    ],
    "transactions and scripts": [
        ("MULTI", b"OK"), ("VADD k VALUES 3 7 7 7 z CAS NOQUANT", b"QUEUED"), ("VSIM k ELE z", b"QUEUED"),
        ("EXEC", [1, [b"z"]]),
        ('EVAL "return redis.call(\'VADD\',\'k\',\'VALUES\',\'3\',\'1\',\'1\',\'2\',\'lua\',\'NOQUANT\')" 0', 1),
        ('EVAL_RO "return redis.call(\'VSIM\',\'k\',\'ELE\',\'z\',\'WITHSCORES\')" 0',
         [b"z", b"1", b"lua", b"0.9714045524597168"]),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_tables(newest: Runner, name: str) -> None:
    newest.table(TABLES[name])


THREE = [
    ("VADD k VALUES 2 1 2 a NOQUANT SETATTR x", b"#t\r\n"), ("VADD k VALUES 2 1 2 a NOQUANT", b"#f\r\n"),
    ("VADD k VALUES 2 2 1 b NOQUANT", b"#t\r\n"),
    ("VEMB k a", b"*2\r\n,1\r\n,2\r\n"), ("VISMEMBER k a", b"#t\r\n"), ("VSETATTR k nope x", b"#f\r\n"),
    ("VEMB k b RAW", b"*3\r\n+f32\r\n$8\r\n.\xf9d?.\xf9\xe4>\r\n,2.2360680103302\r\n"),
    ("VSIM k ELE b", b"*2\r\n$1\r\nb\r\n$1\r\na\r\n"),
    ("VSIM k ELE b WITHSCORES", b"%2\r\n$1\r\nb\r\n,0.9999999701976776\r\n$1\r\na\r\n,0.8999999761581421\r\n"),
    ("VSIM k ELE b WITHATTRIBS", b"%2\r\n$1\r\nb\r\n_\r\n$1\r\na\r\n$1\r\nx\r\n"),
    ("VSIM k ELE b WITHATTRIBS WITHSCORES COUNT 1", b"%1\r\n$1\r\nb\r\n*2\r\n,0.9999999701976776\r\n_\r\n"),
    ("VSIM none ELE b WITHSCORES", b"*0\r\n"), ("VEMB none a", b"_\r\n"), ("VREM k a", b"#t\r\n"),
]  # fmt: skip


def test_resp3(newest: Runner) -> None:
    newest("HELLO 3")
    for line, wire in THREE:
        assert newest.client.wire(*line.split(" ")) == wire, line


NAMES = ["VADD", "VCARD", "VDIM", "VEMB", "VGETATTR", "VINFO", "VISMEMBER", "VLINKS", "VRANDMEMBER", "VREM",
         "VSETATTR", "VSIM"]  # fmt: skip


def test_declarations(newest: Runner) -> None:
    """Name, arity, flags, places of keys and ACL categories; the rest is key specifications."""
    for name in NAMES:
        (told,) = newest(f"COMMAND INFO {name}")
        write = name in ("VADD", "VREM", "VSETATTR")
        slow = name in ("VADD", "VREM", "VISMEMBER", "VRANDMEMBER", "VSIM")
        flags = {b"module", b"write" if write else b"readonly", *([] if slow else [b"fast"])}
        flags |= {b"denyoom"} if name == "VADD" else set()
        assert (told[0].lower(), told[1], set(told[2]), told[3:7]) == (name.lower().encode(), -1, flags, [1, 1, 1, []])
        assert set(told[8][0][1]) == {b"RW", b"access", b"update"}


def test_info(newest: Runner) -> None:
    newest("VADD k REDUCE 2 VALUES 3 1 2 3 a NOQUANT M 5 SETATTR x")
    newest("VADD k REDUCE 2 VALUES 3 1 2 3 b NOQUANT M 5")
    newest("VADD k REDUCE 2 VALUES 3 3 2 1 b NOQUANT M 5")
    reply = newest("VINFO k")
    facts = dict(zip(reply[::2], reply[1::2], strict=True))
    varying = {b"max-level", b"vset-uid"}
    assert {name: fact for name, fact in facts.items() if name not in varying} == {
        b"quant-type": b"f32", b"hnsw-m": 5, b"vector-dim": 2, b"projection-input-dim": 3, b"size": 2,
        b"attributes-count": 1, b"hnsw-max-node-uid": 3,
    }  # fmt: skip
    assert facts.keys() >= varying


def test_links_are_there_from_both_ends(newest: Runner) -> None:
    names = [f"e{n}" for n in range(60)]
    for n, name in enumerate(names):
        newest(f"VADD k VALUES 3 {n % 7 - 3} {n % 5 - 2} {n % 11 - 5.5} {name} NOQUANT M 4")
    lowest = {name.encode(): set(newest(f"VLINKS k {name}")[-1]) for name in names}
    assert all(name in lowest[other] for name, others in lowest.items() for other in others)
    assert all(0 < len(others) <= 8 for others in lowest.values())
    levels = newest("VLINKS k e7 WITHSCORES")
    scores = dict(zip(levels[-1][::2], levels[-1][1::2], strict=True))
    assert scores.keys() == lowest[b"e7"]
    assert all(0 <= float(score) <= 1 for score in scores.values())
    for name in names[::2]:
        newest(f"VREM k {name}")
    left = {name.encode(): set(newest(f"VLINKS k {name}")[-1]) for name in names[1::2]}
    assert all(name in left[other] for name, others in left.items() for other in others)


def test_no_events(newest: Runner) -> None:
    """Only what the keyspace itself tells: servers say nothing of what these commands change."""
    newest("CONFIG SET notify-keyspace-events AKEn")
    other = newest.other()
    other("PSUBSCRIBE __keyevent*")
    for line in ("VADD k VALUES 1 1 a", "VADD k VALUES 1 2 a", "VSETATTR k a x", "VREM k a", "SET end 1"):
        newest(line)
    if isinstance(other.client, embedded.Client):
        told = [message[2:] for message in other.client.session.inbox]  # type: ignore[index]
    else:
        import hiredis

        reader = hiredis.Reader()
        told = []
        while len(told) < 3:
            reader.feed(other.client.receive_wire())
            while message := reader.gets():
                told.append(message[2:])
    assert told[:2] == [[b"__keyevent@0__:new", b"k"], [b"__keyevent@0__:new", b"end"]]
    newest("CONFIG SET notify-keyspace-events ''")


# -- the store alone


@pytest.mark.parametrize(("before", "line", "journal"), [
    ([], "VADD k VALUES 2 1 2 a CAS", ["VADD k VALUES 2 1 2 a CAS"]),
    (["VADD k VALUES 2 1 2 a"], "VADD k VALUES 2 1 3 a", ["VADD k VALUES 2 1 3 a"]),
    (["VADD k VALUES 2 1 2 a"], "VSETATTR k a x", ["VSETATTR k a x"]),
    (["VADD k VALUES 2 1 2 a"], "VREM k a", ["VREM k a"]),
    (["VADD k VALUES 2 1 2 a"], "VREM k b", []), (["VADD k VALUES 2 1 2 a"], "VSETATTR k b x", []),
    (["VADD k VALUES 2 1 2 a"], "VSIM k ELE a", []), (["VADD k VALUES 2 1 2 a"], "VLINKS k a", []),
])  # fmt: skip
def test_journal(before: list[str], line: str, journal: list[str]) -> None:
    client = embedded.Client()
    for each in before:
        Runner(client)(each)
    assert effects(client, line) == [each.encode() for each in journal]


ODD = {
    "NOQUANT": b"4b8c340fccbbd49f7cf2f1735f0c0be6681ac1db",
    "Q8": b"0dda4241fab77caae3b3bd6d5a59e14675b285a3",
    "BIN": b"cac31cefa77e2a49ba2eb548be7d32e8c79e7c21",
}


@pytest.mark.parametrize("quant", ODD)
def test_odd_parts(newest: Runner, quant: str) -> None:
    """What is no number, endless, or too great or small to square: digests agree with a server's."""
    parts = [(nan, 1), (1, nan), (inf, 1), (1, -inf), (1e30, 1), (1e-30, 1), (1e-45, 0), (3e38, 3e38), (-0.0, 1)]
    for n, pair in enumerate(parts):
        newest.client.call("VADD", "k", "FP32", array("f", pair).tobytes(), n, quant)
        assert len(newest(f"VSIM k ELE {n} COUNT 20 TRUTH")) == n + 1
    assert newest("DEBUG DIGEST-VALUE k") == [ODD[quant]]
    payload = newest("DUMP k")
    assert newest.client.call("RESTORE", "l", 0, payload) == b"OK"


def test_nearest_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the graph as among all: the same elements, nearly always."""
    monkeypatch.setattr("redtool.engine.vectors.LARGE", 100)
    rng = random.Random(4)
    value = VectorSet(8)
    for n in range(400):
        value.put(b"%d" % n, array("f", [rng.gauss(0, 1) for _ in range(8)]))
    for n in range(0, 400, 3):
        value.remove(b"%d" % n)
    value.with_graph()
    hits = 0
    for _ in range(20):
        query = value.query(array("f", [rng.gauss(0, 1) for _ in range(8)]))
        exact = [node.name for _, node in value.search(query, 10, 100, exact=True)]
        assert len(set(exact)) == 10
        hits += len({node.name for _, node in value.search(query, 10, 100)} & set(exact))
    assert hits >= 195
