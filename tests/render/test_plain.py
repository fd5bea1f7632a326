"""plain.py against redis-cli itself, byte for byte, on replies of a real server."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redtool.errors import ReplyError, WrongType
from redtool.render import plain
from redtool.resp import OK, BigNumber, Push, Verbatim
from tests.servers import RealServer

# (Lua that makes the reply, the same reply as redtool holds it)
RESP3 = [
    ("return 1", 1),
    ("return -9007199254740992", -9007199254740992),
    ("return 'hello'", b"hello"),
    ("return ''", b""),
    ("return {ok='fine'}", type(OK)(b"fine")),
    ("return {double=1.5}", 1.5),
    ("return {double=3}", 3.0),
    ("return {double=1/0}", float("inf")),
    ("return {double=-1/0}", float("-inf")),
    ("return {double=1e300}", 1e300),
    ("return true", True),
    ("return {map={}}", {}),
    ("return {set={}}", set()),
    ("return {}", []),
    ("return {set={q=true}}", {b"q"}),
    ("return {map={a=1}}", {b"a": 1}),
    ("return {map={a={1,2,{3,4}}}}", {b"a": [1, 2, [3, 4]]}),
    ("return {map={a={1}}}", {b"a": [1]}),
    ("return {map={a={{1,2}}}}", {b"a": [[1, 2]]}),
    ("return {map={a={map={x='y'}}}}", {b"a": {b"x": b"y"}}),
    ("return {map={a={map={x={1,2}}}}}", {b"a": {b"x": [1, 2]}}),
    ("return {map={a={}}}", {b"a": []}),
    ("return {{map={a={1,2}}},{{{set={q=true}},false},true}}", [{b"a": [1, 2]}, [[{b"q"}, False], True]]),
]
RESP2 = [
    ("return false", None),
    ("return {1,'two',{3,{4,'five'},6},{},false}", [1, b"two", [3, [4, b"five"], 6], [], None]),
    ("return {'a',{'b',redis.error_reply('ERR x')},'c'}", [b"a", [b"b", ReplyError.of("ERR x")], b"c"]),
    ("return {redis.error_reply('ERR x')}", [ReplyError.of("ERR x")]),
    ("return {{{}}}", [[[]]]),
    ("return {{1},{2}}", [[1], [2]]),
    (
        "local t={} for i=1,12 do t[i]={i,{ok='st'}} end return t",
        [[i, type(OK)(b"st")] for i in range(1, 13)],
    ),
    ("local t={} for i=1,105 do t[i]=i end return t", list(range(1, 106))),
    ('return "a\\"b\\\\c\\n\\r\\t\\a\\b\\0\\127\\200\\255é\'"', b"a\"b\\c\n\r\t\a\b\0\x7f\xc8\xff\xc3\xa9'"),
]


@pytest.mark.needs("redis-cli")
@pytest.mark.parametrize(("lua", "reply"), RESP2 + RESP3)
def test_text_is_redis_cli_s(valkey: RealServer, lua: str, reply: object) -> None:
    resp3 = (lua, reply) in RESP3
    lua = "redis.setresp(3) " + lua if resp3 else lua
    options = ["-3"] if resp3 else []
    assert plain.text(reply) == valkey.cli("--no-raw", *options, "eval", lua, "0")


@pytest.mark.needs("redis-cli")
@pytest.mark.parametrize(("lua", "reply"), RESP2 + RESP3)
def test_raw_is_redis_cli_s(valkey: RealServer, lua: str, reply: object) -> None:
    lua = "redis.setresp(3) " + lua if (lua, reply) in RESP3 else lua
    assert plain.raw(reply) == valkey.cli("--raw", "eval", lua, "0")


@pytest.mark.needs("redis-cli")
@pytest.mark.parametrize("command", ["hgetall h", "zrange z 0 -1 withscores", "exec", "get bin", "nosuch"])
def test_whole_commands(valkey: RealServer, command: str) -> None:
    valkey.flush()
    valkey.call("HSET", "h", "f1", "v1", "f2", b"\xff\n")
    valkey.call("ZADD", "z", "1.5", "a", "inf", "b", "3", "c")
    valkey.call("SET", "bin", bytes(range(256)))
    words = command.split()
    reply = valkey.call(*words)
    assert plain.text(reply) == valkey.cli("--no-raw", *words)
    assert plain.raw(reply) == valkey.cli("--raw", *words)


@pytest.mark.needs("redis-cli")
def test_map_and_double_of_resp3_in_raw_are_resp2_s(valkey: RealServer) -> None:
    valkey.flush()
    valkey.call("HSET", "h", "f1", "v1", "f2", "v2")
    assert plain.raw({b"f1": b"v1", b"f2": b"v2"}) == valkey.cli("--raw", "hgetall", "h") == b"f1\nv1\nf2\nv2\n"
    valkey.call("ZADD", "z", "1.5", "a", "inf", "b")
    assert plain.raw([[b"a", 1.5], [b"b", float("inf")]]) == valkey.cli("--raw", "zrange", "z", "0", "-1", "withscores")


@pytest.mark.parametrize(
    ("reply", "raw", "text"),
    [
        (OK, b"OK\n", b"OK\n"),
        (Verbatim(b"a\nb"), b"a\nb\n", b"a\nb\n"),
        (bytearray(b"x y"), b"x y\n", b'"x y"\n'),
        (BigNumber(2**70), b"%d\n" % 2**70, b"(integer) %d\n" % 2**70),
        (Push([b"message", b"ch", b"hi"]), b"message\nch\nhi\n", b'1) "message"\n2) "ch"\n3) "hi"\n'),
        (Push([]), b"\n", b"(empty push)\n"),
        (True, b"1\n", b"(true)\n"),
        (float("nan"), b"nan\n", b"(double) nan\n"),
        (WrongType(), WrongType.text.encode() + b"\n\n", b"(error) " + WrongType.text.encode() + b"\n"),
        (ReplyError.of("ERR \udcff"), b"ERR \xff\n\n", b"(error) ERR \xff\n"),
    ],
)
def test_values_a_script_cannot_make(reply: object, raw: bytes, text: bytes) -> None:
    assert plain.raw(reply) == raw
    assert plain.text(reply) == text


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("INFO", True), ("info server", True), ("lolwut version 5", True), ("client list", True),
        ("Client INFO", True), ("CLIENT ID", False), ("client", False), ("memory doctor", True),
        ("memory usage k", False), ("cluster nodes", True), ("latency graph command", True), ("get info", False),
        ("", False),
    ],
)  # fmt: skip
def test_verbatim_commands(line: str, expected: bool) -> None:
    assert plain.is_verbatim(line.encode().split()) is expected


def test_verbatim_text_is_whole_and_ends_its_line() -> None:
    assert plain.verbatim(b"# Server\r\n") == b"# Server\r\n"
    assert plain.verbatim(b"Hi Sam") == b"Hi Sam\n"


@given(st.binary(max_size=40))
def test_quoted_reads_back(value: bytes) -> None:
    quoted = plain.quoted(value)
    assert quoted.isascii() and quoted.decode().isprintable()
    assert ast.literal_eval("b" + quoted.decode()) == value


def test_nothing_is_imported() -> None:
    source = Path(plain.__file__).read_text()
    top = [line for line in source.splitlines() if line.startswith(("import ", "from "))]
    assert top == ["from __future__ import annotations"]
