"""RESP with no I/O: tables of wire bytes and values, and round trips of drawn ones."""

from __future__ import annotations

import math
import tracemalloc
from typing import Any

import hiredis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redtool import resp
from redtool.errors import ProtocolError, ReplyError
from redtool.requests import Requests
from redtool.resp import BigNumber, Decoder, Push, Status, Verbatim, encode, pack
from tests.servers import RealServer


def decode(data: bytes, size: int = 1 << 30) -> list[Any]:
    """Feed ``data`` in pieces of ``size`` bytes; nothing may be left."""
    decoder, values = Decoder(), []
    for at in range(0, len(data), size):
        decoder.feed(data[at : at + size])
        values += list(decoder)
    assert decoder.take() == []
    return values


def same(a: Any, b: Any) -> bool:
    """Equal, types and NaN included; errors by their text."""
    if isinstance(a, ReplyError):
        return isinstance(b, ReplyError) and a.message == b.message
    if type(a) is not type(b):
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return same(list(a.items()), list(b.items()))
    if isinstance(a, set):
        return len(a) == len(b) and all(any(same(x, y) for y in b) for x in a)
    if isinstance(a, tuple):
        return all(map(same, a, b))
    if isinstance(a, float) and math.isnan(a):
        return math.isnan(b)
    return bool(a == b) and getattr(a, "format", "") == getattr(b, "format", "")


def markdown(text: bytes) -> Verbatim:
    value = Verbatim(text)
    value.format = "mkd"
    return value


VALUES: list[tuple[Any, bytes, bytes]] = [  # value, in RESP3, in RESP2
    (b"", b"$0\r\n\r\n", b"$0\r\n\r\n"),
    (b"a\r\nb", b"$4\r\na\r\nb\r\n", b"$4\r\na\r\nb\r\n"),
    (b"x" * 100, b"$100\r\n" + b"x" * 100 + b"\r\n", b"$100\r\n" + b"x" * 100 + b"\r\n"),
    (0, b":0\r\n", b":0\r\n"),
    (-(2**63), b":-9223372036854775808\r\n", b":-9223372036854775808\r\n"),
    (None, b"_\r\n", b"$-1\r\n"),
    (True, b"#t\r\n", b":1\r\n"),
    (False, b"#f\r\n", b":0\r\n"),
    (1.5, b",1.5\r\n", b"$3\r\n1.5\r\n"),
    (3.0, b",3\r\n", b"$1\r\n3\r\n"),
    (math.inf, b",inf\r\n", b"$3\r\ninf\r\n"),
    (-math.inf, b",-inf\r\n", b"$4\r\n-inf\r\n"),
    (math.nan, b",nan\r\n", b"$3\r\nnan\r\n"),
    (Status(b"OK"), b"+OK\r\n", b"+OK\r\n"),
    (Status(b""), b"+\r\n", b"+\r\n"),
    (ReplyError.of("WRONGTYPE no"), b"-WRONGTYPE no\r\n", b"-WRONGTYPE no\r\n"),
    (ReplyError.of("ERR \udcff"), b"-ERR \xff\r\n", b"-ERR \xff\r\n"),
    (BigNumber(2**70), b"(1180591620717411303424\r\n", b"$22\r\n1180591620717411303424\r\n"),
    (BigNumber(-(2**70)), b"(-1180591620717411303424\r\n", b"$23\r\n-1180591620717411303424\r\n"),
    (Verbatim(b"hi"), b"=6\r\ntxt:hi\r\n", b"$2\r\nhi\r\n"),
    (markdown(b"*hi*"), b"=8\r\nmkd:*hi*\r\n", b"$4\r\n*hi*\r\n"),
    ([], b"*0\r\n", b"*0\r\n"),
    ([b"a", [1, None]], b"*2\r\n$1\r\na\r\n*2\r\n:1\r\n_\r\n", b"*2\r\n$1\r\na\r\n*2\r\n:1\r\n$-1\r\n"),
    ({}, b"%0\r\n", b"*0\r\n"),
    ({b"k": [1], b"l": {}}, b"%2\r\n$1\r\nk\r\n*1\r\n:1\r\n$1\r\nl\r\n%0\r\n",
     b"*4\r\n$1\r\nk\r\n*1\r\n:1\r\n$1\r\nl\r\n*0\r\n"),
    (set(), b"~0\r\n", b"*0\r\n"),
    ({7}, b"~1\r\n:7\r\n", b"*1\r\n:7\r\n"),
    (Push([b"message", b"c", b"m"]), b">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n",
     b"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "resp3", "resp2"), VALUES, ids=lambda x: repr(x)[:30])
def test_values_and_their_wire(value: Any, resp3: bytes, resp2: bytes) -> None:
    assert encode(value, 3) == resp3
    assert encode(value, 2) == resp2
    assert same(decode(resp3), [value])
    assert same(decode(resp3 * 3, 1), [value] * 3)


READ_ONLY: list[tuple[bytes, list[Any]]] = [
    (b"$-1\r\n*-1\r\n_\r\n", [None, None, None]),
    (b"!5\r\nERR x\r\n", [ReplyError.of("ERR x")]),
    (b"!7\r\nERR\r\nxy\r\n", [ReplyError.of("ERR\r\nxy")]),
    (b",1e3\r\n,-inf\r\n,-nan\r\n", [1000.0, -math.inf, math.nan]),
    (b":+5\r\n", [5]),
    (b"|1\r\n+ttl\r\n:10\r\n$1\r\nv\r\n", [b"v"]),
    (b"|0\r\n:1\r\n", [1]),
    (b"*2\r\n:1\r\n|1\r\n$1\r\na\r\n*1\r\n:9\r\n:2\r\n:3\r\n", [[1, 2], 3]),
    (b"|1\r\n|1\r\n:0\r\n:0\r\n:1\r\n:2\r\n%1\r\n:3\r\n:4\r\n", [{3: 4}]),
    # What a dict or a set cannot hold, or could not hold apart, is a list
    (b"%1\r\n*1\r\n:1\r\n:2\r\n", [[[[1], 2]]]),
    (b"%2\r\n:1\r\n+a\r\n#t\r\n+b\r\n", [[[1, Status(b"a")], [True, Status(b"b")]]]),
    (b"~2\r\n*0\r\n:1\r\n", [[[], 1]]),
    (b"~2\r\n:1\r\n,1\r\n", [[1, 1.0]]),
    (b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n+OK\r\n", [Push([b"invalidate", [b"k"]]), resp.OK]),
]


@pytest.mark.parametrize(("data", "values"), READ_ONLY, ids=lambda x: repr(x)[:40])
def test_decoding(data: bytes, values: list[Any]) -> None:
    assert same(decode(data), values)
    assert same(decode(data, 1), values)


GARBAGE = [
    b"HTTP/1.1 400 Bad Request\r\n", b"\x15\x03\x01", b"\r\n", b".\r\n", b"$x\r\n", b"$-2\r\n", b"$ 1\r\na\r\n",
    b"$1_0\r\n", b"$1\r\nabc", b"$99999999999\r\n", b"$?\r\n", b"*?\r\n", b"*-2\r\n", b"%-5\r\n",
    b"*99999999999999\r\n", b":1.5\r\n", b":\r\n", b":1_0\r\n", b"#x\r\n", b"_x\r\n", b",\r\n", b",1_0\r\n",
    b",one\r\n", b"(1x\r\n", b"=1\r\nx\r\n", b"=5\r\ntxt,x\r\n", b":" + b"1" * 100, b"(" + b"1" * 5000 + b"\r\n",
    b"+" + b"x" * (resp.MAX_LINE + 1), b"*1\r\n" * 1000,
]  # fmt: skip


@pytest.mark.parametrize("data", GARBAGE, ids=lambda x: repr(x)[:30])
def test_garbage_is_refused_after_the_values_before_it(data: bytes) -> None:
    decoder = Decoder()
    decoder.feed(b"+OK\r\n:1\r\n" + data)
    assert decoder.take() == [b"OK", 1]
    with pytest.raises(ProtocolError):
        decoder.take()
    decoder.feed(b"+OK\r\n")
    with pytest.raises(ProtocolError):
        decoder.take()


def test_deep_nesting_costs_no_recursion() -> None:
    depth = resp.MAX_DEPTH
    wire = b"*1\r\n" * depth + b":1\r\n"
    [value] = decode(wire)
    assert encode(value) == wire
    deeper: Any = 1
    for _ in range(100_000):
        deeper = [deeper]
    assert encode(deeper, 3) == b"*1\r\n" * 100_000 + b":1\r\n"


def test_a_large_value_is_not_parsed_again_for_each_piece() -> None:
    decoder, parses = Decoder(), 0
    decoder.feed(b"$1000000\r\n")
    for _ in range(1000):
        decoder.feed(b"x" * 1000)
        assert decoder.take() == []
        parses += len(decoder._parts) == 1  # pieces were joined
    decoder.feed(b"\r\n")
    assert decoder.take() == [b"x" * 1_000_000]
    assert parses <= 1


scalars = st.one_of(
    st.binary(max_size=80), st.integers(-(2**63), 2**63 - 1), st.none(), st.booleans(), st.floats(),
    st.binary(max_size=20).map(lambda b: Status(b.replace(b"\r", b"").replace(b"\n", b""))),
    st.binary(max_size=20).map(Verbatim), st.integers(2**64, 2**80).map(BigNumber),
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=20).map(ReplyError.of),
)  # fmt: skip
replies = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(st.binary(max_size=5), inner, max_size=5),
        st.sets(st.binary(max_size=5), max_size=5),
        st.lists(inner, max_size=3).map(Push),
    ),
    max_leaves=20,
)


@given(st.lists(replies, max_size=4), st.integers(1, 40))
def test_round_trip_in_any_pieces(values: list[Any], size: int) -> None:
    wire = b"".join(encode(value, 3) for value in values)
    assert same(decode(wire), values)
    assert same(decode(wire, size), values)


@given(replies)
def test_resp2_is_understood_by_hiredis(value: Any) -> None:
    def plain(value: Any) -> Any:
        """What a RESP2 client sees, Status and bulk alike."""
        if isinstance(value, dict):
            value = [x for pair in value.items() for x in pair]
        if isinstance(value, list | set):
            return [plain(x) for x in value]
        if value is None or (isinstance(value, int | ReplyError) and not isinstance(value, BigNumber)):
            return value
        return bytes(value) if isinstance(value, bytes) else encode(value).split(b"\r\n")[1]

    reader = hiredis.Reader(replyError=ReplyError.of, errors="surrogateescape")
    reader.feed(encode(value, 2))
    assert same(unbool(reader.gets()), unbool(plain(value)))


def unbool(value: Any) -> Any:
    if isinstance(value, list):
        return [unbool(x) for x in value]
    return int(value) if isinstance(value, bool) else value


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=12))
def test_pack_is_what_hiredis_packs(argv: list[bytes]) -> None:
    assert pack(argv) == hiredis.pack_command(tuple(argv))  # type: ignore[arg-type]
    assert pack(tuple(argv)) == pack(argv)


@given(st.lists(st.lists(st.binary(max_size=100), min_size=1, max_size=12), max_size=6), st.integers(1, 300))
def test_requests_in_any_pieces(lines: list[list[bytes]], size: int) -> None:
    wire = b"".join(map(pack, lines))
    requests, got = Requests(), []
    for at in range(0, len(wire), size):
        requests.feed(wire[at : at + size])
        got += list(requests)
    assert got == lines
    assert requests.pending == 0


ENDS = [f":{n}\r\n".encode() for n in (0, 4611686018427387903)]
REQUESTS: list[tuple[bytes, list[list[bytes]], int | str]] = [  # wire, requests, bytes pending or the error
    (b"PING\r\n", [[b"PING"]], 0),
    (b"PING\nSET a 'b c'\r\n", [[b"PING"], [b"SET", b"a", b"b c"]], 0),
    (b"\r\n\n", [], 0),
    (b"*1\r\n$4\r\nPING\r\nPING\r\n*1\r\n$4\r\nECHO\r\n", [[b"PING"], [b"PING"], [b"ECHO"]], 0),
    (b"*1\r\n$4\r\nPING\r\n#TS:1700000000\r\n*1\r\n$1\r\nx\r\n", [[b"PING"], [b"#TS:1700000000"], [b"x"]], 0),
    (b"*0\r\n*-1\r\n*1\r\n$1\r\na\r\n", [[b"a"]], 0),
    (b"*1\r\n$1\r\na\r\n*2\r\n$1\r\nb\r\n$3\r\nab", [[b"a"]], 17),
    (b"*1\r\n$1\r\na\r\n*2\r\n", [[b"a"]], 4),
    (b"*1\r\n$1\r\na\r\n*", [[b"a"]], 1),
    (b"*1\r\n$1\r\na\r\n*1\r\n$2\r\n", [[b"a"]], 8),
    (b"*1\r\n$1\r\na\r\n*1\r\n$2\r\nab", [[b"a"]], 10),
    (b"*1\r\n$1\r\na\r\n*1\r\n$2\r\nab\r", [[b"a"]], 11),
    (b"*1\r\n$1\r\na\r\n*1\r\n$24\r\nx", [[b"a"]], 10),
    (b"*1\r\n$1\r\na\r\nPI", [[b"a"]], 2),
    (b"*1\r\n$1\r\na\r\n*2\r\n:5\r\n$1\r\nx\r\n", [[b"a"]], "Protocol error: expected '$', got ':'"),
    (b"*1\r\n$1\r\na\r\n*1\r\n*1\r\n$1\r\nx\r\n", [[b"a"]], "Protocol error: expected '$', got '*'"),
    (b"*1\r\n$-1\r\n", [], "Protocol error: invalid bulk length"),
    (b"*1\r\n$x\r\n", [], "Protocol error: invalid bulk length"),
    (b"*1\r\n$536870913\r\n", [], "Protocol error: invalid bulk length"),
    (b"*x\r\n", [], "Protocol error: invalid multibulk length"),
    (b"*4294967295\r\n$3\r\n", [], "Protocol error: invalid multibulk length"),
    (b"*2147483648\r\n$3\r\n", [], "Protocol error: invalid multibulk length"),
    (b"*2147483647\r\n$3\r\n", [], 17),
    (b"*1\r\n$1\r\na\r\n*1\r\n>2147483647\r\n", [[b"a"]], "Protocol error: expected '$', got '>'"),
    (b"*1\r\n$12\r\n\r\n*12345678\r\r\n*1\r\n$1\r\nx\r\n", [[b"\r\n*12345678\r"], [b"x"]], 0),
    (b"SET a 'b\r\n", [], "Protocol error: unbalanced quotes in request"),
    *[(b"*1\r\n$1\r\na\r\n*1\r\n" + end, [[b"a"]], "Protocol error: expected '$', got ':'") for end in ENDS],
    *[(b"*1\r\n$1\r\na\r\n" + end + b"*1\r\n$1\r\nb\r\n", [[b"a"], [end[:-2]], [b"b"]], 0) for end in ENDS],
]


@pytest.mark.parametrize("size", [1, 5, 1 << 20])
@pytest.mark.parametrize(("wire", "lines", "end"), REQUESTS, ids=lambda x: repr(x)[:30])
def test_requests(wire: bytes, lines: list[list[bytes]], end: int | str, size: int) -> None:
    requests, got = Requests(), []
    try:
        for at in range(0, len(wire), size):
            requests.feed(wire[at : at + size])
            got += requests.take()
        got += requests.take()
        assert requests.pending == end
    except ProtocolError as error:
        assert str(error) == end
    assert got == lines


@pytest.mark.parametrize(("head", "what"), [(b"", "inline request"), (b"*", "mbulk count string"),
                                            (b"*1\r\n$", "bulk count string")], ids=repr)  # fmt: skip
def test_a_request_line_has_a_bound(head: bytes, what: str) -> None:
    requests = Requests()
    requests.feed(head)
    for _ in range(70):
        requests.feed(b"1" * 1000)
    with pytest.raises(ProtocolError, match=f"too big {what}"):
        requests.take()


@pytest.mark.parametrize("before", [b"", b"*1\r\n$1\r\na\r\n", b"*2\r\n$1\r\na\r\n"], ids=repr)
@pytest.mark.parametrize("mark", [b"*", b">", b"~"])
def test_a_header_reserves_no_memory(before: bytes, mark: bytes) -> None:
    """Nothing is made for the 100,000,000 words that a dozen bytes announce."""
    requests = Requests()
    requests.feed(b"*1\r\n$4\r\nPING\r\n")  # hiredis is imported, and has a reader
    tracemalloc.start()
    try:
        requests.feed(before + mark + b"99999999\r\n")
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_pending_at_an_error_counts_from_the_bad_request() -> None:
    requests = Requests()
    requests.feed(pack([b"SET", b"a", b"b"]) + b"*1\r\n:1\r\n")
    assert requests.take() == [[b"SET", b"a", b"b"]]
    assert requests.pending == 8


LINES = """PING|SET k v|GET k|GET none|INCR k|LRANGE l 0 -1|HGETALL h|SMEMBERS s|ZSCORE z m|ZRANGE z 0 -1 WITHSCORES
COMMAND DOCS GET|MEMORY DOCTOR|EVAL 'return {1,{2,{3.5}},false}' 0""".replace("\n", "|")


@pytest.mark.parametrize("line", LINES.split("|"))
def test_a_real_servers_replies_go_back_as_they_came(real: RealServer, line: str) -> None:
    """Decoding and encoding again gives the server's own bytes in both protocols, but for the order within sets."""
    from redtool.words import split

    real.flush()
    for setup in ("RPUSH l a b", "HSET h f v g w", "SADD s x", "ZADD z 1.5 m 3 n"):
        real.call(*setup.split())
    for proto in (2, 3):
        with real.client(proto) as client:
            wire = client.wire(*split(line.encode()))
        [value] = decode(wire)
        again = encode(value, proto)
        assert again == wire or (b"~" in wire and sorted(again.split(b"\r\n")) == sorted(wire.split(b"\r\n")))
