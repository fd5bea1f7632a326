"""--json: always parses, one line, and one shape whatever protocol the server spoke."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given

from redtool.errors import ReplyError, WrongType
from redtool.render import choose
from redtool.resp import OK, QUEUED, BigNumber, Push, Verbatim
from tests.render.replies import COMMANDS, replies
from tests.servers import RealServer

INF = float("inf")


def line(command: str, reply: object) -> str:
    return choose("json")(command.encode().split(), reply).decode()


@pytest.mark.parametrize(
    ("command", "reply", "expected"),
    [
        ("GET k", b"hello", '"hello"'),
        ("GET k", "héllo 東京".encode(), '"héllo 東京"'),
        ("GET k", b"a\nb\x1b\x7f\"\\", r'"a\nb\u001b\u007f\"\\"'),
        ("GET k", "\u2028\x9b".encode(), r'"\u2028\u009b"'),
        ("GET k", b"\xff\x00", '{"base64":"/wA="}'),
        ("GET k", bytearray(b"x"), '"x"'),
        ("GET k", None, "null"),
        ("SET k v", OK, '"OK"'),
        ("GET k", QUEUED, '"QUEUED"'),
        ("INCR k", 9007199254740993, "9007199254740993"),
        ("X", BigNumber(2**100), "1267650600228229401496703205376"),
        ("X", [True, False], "[true,false]"),
        ("X", [1.5, 3.0, -0.0, 1e300, INF, -INF, float("nan")], '[1.5,3,-0.0,1e+300,"inf","-inf","nan"]'),
        ("X", Verbatim(b"text"), '"text"'),
        ("X", Push([b"message", b"c", b"m"]), '["message","c","m"]'),
        ("SMEMBERS k", {b"b", b"a"}, '["a","b"]'),
        ("LRANGE k 0 -1", [b"1", [2, None]], '["1",[2,null]]'),
        ("GET k", WrongType(), '{"error":{"code":"WRONGTYPE","message":"' + WrongType.text + '"}}'),
        ("EXEC", [1, ReplyError.of("ERR x\udcff")], r'[1,{"error":{"code":"ERR","message":"ERR x\\xff"}}]'),
        ("HGETALL k", [b"f", b"v", b"g", b"w"], '{"f":"v","g":"w"}'),
        ("hgetall k", {b"f": b"v"}, '{"f":"v"}'),
        ("HGETALL k", [], "{}"),
        ("HGETALL k", {b"f": b"\xff"}, '{"f":{"base64":"/w=="}}'),
        ("HGETALL k", {b"\xff": b"v"}, '[[{"base64":"/w=="},"v"]]'),
        ("X", {1: b"a", b"b": 2}, '{"1":"a","b":2}'),
        ("X", {1: b"a", b"1": b"b"}, '[[1,"a"],["1","b"]]'),
        ("config GET max*", [b"maxmemory", b"0"], '{"maxmemory":"0"}'),
        ("ZRANGE k 0 -1 WITHSCORES", [b"a", b"1.5", b"b", b"inf"], '[["a",1.5],["b","inf"]]'),
        ("ZRANGE k 0 -1 withscores", [[b"a", 1.5], [b"b", INF]], '[["a",1.5],["b","inf"]]'),
        ("ZRANGE k 0 -1", [b"a", b"1"], '["a","1"]'),
        ("ZRANGE withscores 0 -1", [b"a", b"1"], '["a","1"]'),
        ("ZUNION 1 WITHSCORES", [b"a", b"1"], '["a","1"]'),
        ("ZUNION 1 k WITHSCORES", [b"a", b"1"], '[["a",1]]'),
        ("ZPOPMIN k", [b"a", b"1"], '[["a",1]]'),
        ("ZMPOP 1 k MIN", [b"k", [[b"a", b"1"]]], '["k",[["a",1]]]'),
        ("BZPOPMIN k 0", [b"k", b"a", b"1"], '["k","a",1]'),
        ("ZSCAN k 0", [b"0", [b"a", b"1"]], '["0",[["a",1]]]'),
        ("ZSCORE k a", b"2.5", "2.5"),
        ("HSCAN k 0", [b"0", [b"f", b"v"]], '["0",{"f":"v"}]'),
        ("HSCAN k 0 NOVALUES", [b"0", [b"f", b"g"]], '["0",["f","g"]]'),
        ("HRANDFIELD k 2 WITHVALUES", [b"f", b"v", b"f", b"v"], '[["f","v"],["f","v"]]'),
        ("XREAD STREAMS s 0", [[b"s", [[b"1-1", [b"f", b"v"]]]]], '{"s":[["1-1",["f","v"]]]}'),
        ("XREAD STREAMS s 0", {b"s": [[b"1-1", [b"f", b"v"]]]}, '{"s":[["1-1",["f","v"]]]}'),
        ("GEOPOS k m n", [[b"1.5", b"2"], None], "[[1.5,2],null]"),
        ("INFO", b"# Server\r\nredis_version:7.0\r\nhz:10\r\n\r\n# Keyspace\r\ndb0:keys=1,expires=0\r\n",
         '{"server":{"redis_version":"7.0","hz":10},"keyspace":{"db0":{"keys":1,"expires":0}}}'),
        ("INFO", b"# A\r\nrun_id:0123\r\nmy_run_id:12\r\nsha1:00000000\r\np:99.5%\r\nf:-1.25\r\nn:\xff\r\n",
         '{"a":{"run_id":"0123","my_run_id":"12","sha1":"00000000","p":"99.5%","f":-1.25,"n":"\\\\xff"}}'),
        ("CLUSTER INFO", b"cluster_state:ok\r\ncluster_size:0\r\n", '{"cluster_state":"ok","cluster_size":0}'),
        ("CLIENT LIST", b"id=3 addr=1.2.3.4:5 name= db=0\nid=4 name=x\n",
         '[{"id":3,"addr":"1.2.3.4:5","name":"","db":0},{"id":4,"name":"x"}]'),
        ("CLIENT INFO", b"id=3 name=\n", '{"id":3,"name":""}'),
    ],
)  # fmt: skip
def test_line(command: str, reply: object, expected: str) -> None:
    assert line(command, reply) == expected + "\n"


@given(COMMANDS, replies())
def test_always_one_line_that_parses(command: str, reply: object) -> None:
    text = line(command, reply)
    assert text.endswith("\n") and len(text.splitlines()) == 1
    json.loads(text, parse_constant=pytest.fail)


@given(replies())
def test_strings_come_back(reply: object) -> None:
    assert _read(json.loads(line("EVAL x 0", [reply]))) == _plain([reply])


def _read(value: Any) -> Any:
    if isinstance(value, dict) and list(value) == ["base64"]:
        return base64.b64decode(value["base64"])
    return [_read(item) for item in value] if isinstance(value, list) else _bytes(value)


def _bytes(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value if isinstance(value, (int, type(None))) else ...


def _plain(value: Any) -> Any:
    """What _read must give: strings, integers and lists exactly; other things are not compared."""
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (bytes, int)) or value is None:
        return value
    return _read(json.loads(line("X", value)))


@pytest.mark.parametrize(
    "command",
    ["HGETALL h", "ZRANGE z 0 -1 WITHSCORES", "ZSCAN z 0", "HSCAN h 0", "CONFIG GET max*", "XREAD STREAMS s 0",
     "XINFO STREAM s", "XINFO GROUPS s", "COMMAND DOCS get set",
     "GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 300 km WITHCOORD",
     "GEOPOS g a", "ZPOPMIN z 2", "ACL GETUSER default", "FUNCTION STATS", "LCS s1 s2 IDX",
     "HRANDFIELD h -9 WITHVALUES",
     "XINFO STREAM s FULL", "ZSCORE z a", "ZMSCORE z a x", "ZRANDMEMBER z 1 WITHSCORES"],
)  # fmt: skip
def test_both_protocols_give_the_same_line(valkey: RealServer, command: str) -> None:
    lines = []
    for proto in (2, 3):
        valkey.flush()
        valkey.call("HSET", "h", "f", "v")
        valkey.call("ZADD", "z", "1.5", "a")
        valkey.call("XADD", "s", "1-1", "f", "v")
        valkey.call("XGROUP", "CREATE", "s", "g", "0")
        valkey.call("GEOADD", "g", "13.361389", "38.115556", "a")
        valkey.call("MSET", "s1", "abc", "s2", "bc")
        with valkey.client(proto) as client:
            lines.append(line(command, client.call(*command.split())))
    assert lines[0] == lines[1]
    assert "error" not in lines[0]


def test_whole_info_of_a_real_server(valkey: RealServer) -> None:
    valkey.call("PING")
    found = json.loads(line("INFO everything", valkey.call("INFO", "everything")))
    assert found["server"]["process_id"] == valkey.pid
    assert isinstance(found["memory"]["mem_fragmentation_ratio"], float)
    assert isinstance(found["commandstats"]["cmdstat_ping"]["calls"], int)
