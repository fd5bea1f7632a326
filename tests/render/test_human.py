"""What a person sees, without colour: golden pictures, and properties that every picture has."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from redtool.errors import WrongType
from redtool.render import choose
from redtool.render.human import render
from redtool.render.shape import Group, Lines, Tree, shape
from redtool.render.terminal import to_text
from redtool.resp import OK, Push, Verbatim
from tests.render.replies import COMMANDS, replies
from tests.servers import RealServer

SGR = re.compile(r"\x1b\[[0-9;]*m")


def draw(line: str, reply: object, **options: object) -> str:
    return render(line.encode().split(), reply, **options)  # type: ignore[arg-type]


PICTURES: list[tuple[str, object, dict[str, object], str]] = [
    ("SET k v", OK, {}, "OK"),
    ("GET k", b'say "hi"\n', {}, r'"say \"hi\"\n"'),
    ("GET k", "héllo 東京 🗼\u202e\x1b".encode(), {}, '"héllo 東京 🗼\\xe2\\x80\\xae\\x1b"'),
    ("GET k", b"\xff\x00", {}, r'"\xff\x00"'),
    ("GET k", None, {}, "(nil)"),
    ("GET k", b"x" * 300, {}, '"' + "x" * 300 + '"'),  # the terminal wraps a single value
    ("EXPIRE k 9", 1, {}, "(integer) 1"),
    ("TTL k", 3600, {}, "(integer) 3600  1h"),
    ("ZSCORE k m", b"1.5", {}, "(double) 1.5"),
    ("X", True, {}, "(true)"),
    ("INCR k", WrongType(), {}, "(error) " + WrongType.text),
    ("X", Verbatim(b"a\r\nb\x1b"), {}, "a\nb\\x1b"),
    ("GET k", b'{"a": 1.10, "b": [1, {}], "c": "x\\u001b[y]"}', {"json_pretty": True}, r"""
{
  "a": 1.10,
  "b": [
    1,
    {}
  ],
  "c": "x\u001b[y]"
}"""),
    ("GET k", b"{not json", {"json_pretty": True}, '"{not json"'),
    ("HGETALL k", {}, {}, "(empty hash)"),
    ("HGETALL user:1", [b"name", b"Ada", b"city", "東京 🗼".encode(), b" pad", b"x ", b"none", b"", b"bin", b"\xff\\n",
                        b"path", b"C:\\new", b"say", b'"hi" now'], {}, r"""
field   value
────────────────
name    Ada
city    東京 🗼
" pad"  "x "
none    ""
bin     \xff\\n
path    C:\new
say     "hi" now"""),
    ("HMGET k f g", [b"v", None], {}, """
field  value
────────────
f      v
g      (nil)"""),
    ("HGETALL k", {b"bio": b"Wrote the first program. " * 20}, {"width": 50}, """
field  value
──────────────────────────────────────────────────
bio    "Wrote the first program. Wrote the first
       program. Wrote the first program. Wrote the
       first program. Wrote the first program.
       Wrote the first program. … 500 bytes"""),
    ("SMEMBERS k", [b"tag:%d" % n for n in range(12)], {"width": 40}, """
tag:0  tag:3  tag:6  tag:9
tag:1  tag:4  tag:7  tag:10
tag:2  tag:5  tag:8  tag:11
12 members"""),
    ("SMEMBERS k", ["東京".encode(), b"a"], {}, """
a  東京
2 members"""),
    ("SCAN 0", [b"17", [b"one"]], {}, """
one
1 key · next cursor 17"""),
    ("KEYS *", [b"k%d" % n for n in range(50)], {"cap": 3}, """
k0  k1  k2
… 47 more keys; use --raw for all"""),
    ("ZRANGE k 9 11 WITHSCORES", [b"ann", b"40", b"bob", b"22.5", b"cid", b"10"], {"width": 60}, """
rank  member  score
─────────────────────────────────────────────────────
  10  ann      40    ████████████████████████████████
  11  bob      22.5  ██████████████████
  12  cid      10    ████████"""),
    ("ZRANGE k 0 -1 WITHSCORES", [[b"a", -5.0], [b"b", -2.5], [b"c", 0.0], [b"d", 10.0], [b"e", float("inf")]],
     {"width": 44}, """
rank  member  score
────────────────────────────────────────────
   1  a        -5    ████████
   2  b        -2.5      ████
   3  c         0
   4  d        10            ███████████████
   5  e       inf            ███████████████"""),
    ("ZSCAN k 0", [b"0", [b"m", b"1"]], {"width": 30}, """
member  score
──────────────────────────────
m           1  ███████████████
1 member · scan complete"""),
    ("ZRANGE k -2 -1", [b"y", b"z"], {}, """
rank  member
────────────
  -2  y
  -1  z"""),
    ("LRANGE k 9 10", [b"x", b"y"], {}, """
 #  element
───────────
 9  x
10  y"""),
    ("LRANGE k 0 -1", [b"x"] * 1200, {"cap": 2}, """
#  element
──────────
0  x
1  x
… 1,198 more elements; use --raw for all"""),
    ("XRANGE s - +", [[b"1-1", [b"temp", b"20", b"hum", b"50"]], [b"2-1", [b"temp", b"21", b"hum", b"49"]]], {}, """
id   temp  hum
──────────────
1-1  20    50
2-1  21    49"""),
    ("XREAD STREAMS s t 0 0", [[b"s", [[b"1-1", [b"f", b"v"]]]], [b"t", [[b"1-1", [b"a", b"1", b"b", b"2"]],
                                                                      [b"2-1", [b"c", b"3"]]]]], {}, """
s
id   f
──────
1-1  v

t
id   field  value
─────────────────
1-1  a      1
     b      2
2-1  c      3"""),
    ("INFO", b"# Server\r\nredis_version:7.4.0\r\nhz:10\r\n\r\n# Keyspace\r\n", {}, """
Server
redis_version  7.4.0
hz             10

Keyspace
(empty)"""),
    ("EXEC", [OK, [b"f", b"v"], [b"a", b"b"], WrongType(), None, [1, [2]]], {}, """
1) OK
2) 1) "f"
   2) "v"
3) 1) "a"
   2) "b"
4) (error) WRONGTYPE Operation against a key holding the wrong kind of value
5) (nil)
6) 1) (integer) 1
   2) 1) (integer) 2"""),
    ("EXEC", [OK, [b"f", b"v"], [b"a", b"b"]],
     {"queued": [[b"SET", b"k", b"v"], [b"HGETALL", b"h"], [b"SMEMBERS", b"s"]]},
     """
1) OK
2) field  value
   ────────────
   f      v
3) a  b
   2 members"""),
    ("EVAL x 0", [1, [b"a", {b"k": b"v", b"l": [1, 2]}], set()], {}, """
1) (integer) 1
2) 1) "a"
   2) 1# "k" => "v"
      2# "l" =>\x20
         1) (integer) 1
         2) (integer) 2
3) (empty set)"""),
    ("EVAL x 0", [[b"word " * 12, "東京".encode() * 12, 5]], {"width": 40}, """
1) 1) "word word word word word word wor
      d word word word word word "
   2) "東京東京東京東京東京東京東京東京
      東京東京東京東京"
   3) (integer) 5"""),
    ("ACL LOG", [[b"count", 1, b"reason", b"auth", b"context", b"toplevel", b"object", b"AUTH", b"age-seconds", b"4.5",
                  b"client-info", b"id=7 addr=127.0.0.1:48946 laddr=127.0.0.1:6379"]], {"width": 50}, """
1)
count        1
reason       auth
context      toplevel
object       AUTH
age-seconds  4.5
client-info  id=7 addr=127.0.0.1:48946
             laddr=127.0.0.1:6379"""),
    ("SUBSCRIBE news", Push([b"message", b"news", b"hello there"]), {}, "message  news  hello there"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "reply", "options", "picture"), PICTURES, ids=[case[0] for case in PICTURES])
def test_picture(line: str, reply: object, options: dict[str, object], picture: str) -> None:
    assert draw(line, reply, **options) == picture.removeprefix("\n") + "\n"


@given(COMMANDS, replies(), st.integers(0, 150), st.sampled_from([0, 3, 1000]), st.booleans())
@settings(deadline=None)
@example("EVAL x 0", [{b"k" * 90: {b"a": 1, b"b": 2}}, {b"m" * 30: b"v" * 30}], 40, 1000, False)
@example("EXEC", [[b"", [b"# Server\r\nhz:10\r\n:\r\nx\r\n", b""]]], 0, 0, False)
def test_every_reply_is_drawn_within_the_width(line: str, reply: object, width: int, cap: int, pretty: bool) -> None:
    text = draw(line, reply, width=width, cap=cap, json_pretty=pretty)
    assert text.endswith("\n")
    assert all(part.isprintable() or set(part) - {"\u200c", "\u200d", "\u3000"} for part in text.split("\n"))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
    if not _left_to_the_terminal(line, reply, cap):
        wide = [part for part in text.split("\n") if cell_len(part) > max(width, 20)]
        assert wide == []


def _left_to_the_terminal(line: str, reply: object, cap: int) -> bool:
    """Single values and texts with their own layout, alone or among others."""
    parts = [shape(line.encode().split(), reply, cap)]
    for part in parts:
        if isinstance(part, Group):
            parts += [below for _, below in part.parts]
    single = [part for part in parts if isinstance(part, Tree) and not isinstance(part.reply, (list, dict, set))]
    return bool(single) or any(isinstance(part, Lines) for part in parts)


@given(COMMANDS, replies(), st.integers(20, 150))
@example("EXEC", [[{b"": [], b"\x00": [], b"\x00\x00": [], b" ": [b""]}]], 20)
@settings(deadline=None)
def test_colour_changes_nothing_but_colour(line: str, reply: object, width: int) -> None:
    assert SGR.sub("", draw(line, reply, width=width, color=True)) == draw(line, reply, width=width)


@given(COMMANDS, replies())
@example("", Verbatim(b"# Server\r\nhz:10\r\n:\r\nx\r\n"))
@settings(deadline=None)
def test_the_short_way_of_single_values_gives_the_same(line: str, reply: object) -> None:
    argv = line.encode().split()
    for color in (False, True):
        assert to_text(argv, reply, width=80, color=color) == render(argv, reply, color=color)


def test_colours_are_safe_on_light_and_dark() -> None:
    replies = [
        draw("HGETALL k", {b"f": b"\x00", b"g": None}, color=True),
        draw("ZRANGE k 0 -1 WITHSCORES", [[b"a", 1.0], [b"b", -1.0]], color=True),
        draw("EVAL x 0", [OK, 1, 1.5, None, WrongType(), {b"k": b"v"}], color=True),
        draw("SCAN 0", [b"1", [b"k"]], color=True),
    ]
    codes = {code for text in replies for found in SGR.findall(text) for code in found[2:-1].split(";")}
    assert codes <= {"0", "1", "2", "31", "32", "35", "36"}
    assert {"2", "31", "32", "35", "36"} <= codes


@pytest.mark.parametrize(("line", "reply"), [
    ("INFO", b"# A\x1b[2J\r\n\x1b[2J:\xff\x1b\r\n"), ("CLIENT LIST", b"id=\x1b age=\x1b[1m cmd=\x9b\n"),
    ("CLUSTER NODES", b"a\x1b b\x1b c d e f g h\x1b i\x1b\n"), ("SCAN 0", [b"\x1b[2J", []]), ("LOLWUT", b"\x1b[2J\n"),
    ("XPENDING s g", [1, b"\x1b", b"\x1b", [[b"\x1b", b"1"]]]),
    ("XREAD STREAMS s 0", {b"\x1b": [[b"\x1b", [b"\x1b", b""]]]}),
    ("XINFO GROUPS s", [{b"\x1b[2J": b"\x1b"}]), ("ZMPOP 1 k MIN", [b"\x1b", [[b"\x1b", b"1"]]]),
    ("SLOWLOG GET", [[1, 2, 3, [b"\x1b"], b"\x1b", b"\x1b"]]), ("COMMAND DOCS x", {b"\x1b": {b"\x1b": b"\x1b"}}),
    ("OBJECT HELP", [OK, b"\x1b"]), ("GET k", WrongType.of("ERR \x1b[2J")), ("EVAL x 0", [Verbatim(b"\x1b")]),
    ("CLUSTER SLOTS", [[b"\x1b", b"\x1b", [b"\x1b", 1]]]),
    ("COMMAND INFO x", [[b"\x1b", 1, [b"\x1b"], 1, 1, 1, [b"\x1b"]]]),
])  # fmt: skip
def test_no_reply_steers_the_terminal(line: str, reply: object) -> None:
    text = draw(line, reply)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\udc80-\udcff]", text)
    assert "\\x1b" in text or "\\x9b" in text


def test_deep_replies() -> None:
    reply: object = b"in"
    for _ in range(200):
        reply = [reply, {b"k": 1}]
    assert "in" in draw("EVAL x 0", reply)
    for name in ("raw", "text", "json", "csv"):
        assert b"in" in choose(name)([b"EVAL"], reply)


def test_huge_replies_are_cut_and_say_so() -> None:
    value = b"\xff" * 20_000_000
    replies = {"GET k": value, "HGETALL k": {b"f": value}, "SMEMBERS k": [value], "EVAL x 0": [[value]]}
    for line, reply in replies.items():
        text = draw(line, reply)
        assert "… 20,000,000 bytes" in text.replace("\n", "").replace("       ", "") and len(text) < 50_000
    text = draw("HGETALL k", {b"%d" % n: value for n in range(1000)})
    assert len(text) < 300_000
    assert draw("GET k", b"x" * 100_000, cap=0) == '"' + "x" * 100_000 + '"\n'
    assert draw("LRANGE k 0 -1", [b"x"] * 1500, cap=0).count("\n") == 1503


@pytest.mark.parametrize("command", [
    "HGETALL h", "hgetall none", "SMEMBERS s", "SINTER s s", "ZRANGE z 0 -1 WITHSCORES", "ZREVRANGE z 0 0 WITHSCORES",
    "ZSCAN z 0", "HSCAN h 0", "CONFIG GET maxmemory", "XREAD STREAMS x 0", "XINFO STREAM x", "XINFO GROUPS x",
    "XRANGE x - +", "ZSCORE z a", "ZMSCORE z a q", "GEOPOS g m", "GEOSEARCH g FROMMEMBER m BYRADIUS 1 km WITHCOORD",
    "COMMAND DOCS get set", "COMMAND DOCS get", "COMMAND INFO get", "ACL GETUSER default", "ZRANDMEMBER z 1 WITHSCORES",
    "ZPOPMIN z", "BZPOPMIN z 1", "ZMPOP 1 z MIN", "HRANDFIELD h 2 WITHVALUES", "FUNCTION STATS", "LCS a b IDX",
])  # fmt: skip
def test_both_protocols_give_the_same_picture(valkey: RealServer, command: str) -> None:
    pictures = []
    for proto in (2, 3):
        valkey.flush()
        valkey.call("HSET", "h", "f", "v", "g", "")
        valkey.call("SADD", "s", "b", "a", "c")
        valkey.call("ZADD", "z", "1.5", "a")
        valkey.call("XADD", "x", "1-1", "f", "v")
        valkey.call("XGROUP", "CREATE", "x", "grp", "0")
        valkey.call("GEOADD", "g", "13.361389", "38.115556", "m")
        valkey.call("MSET", "a", "abc", "b", "bc")
        with valkey.client(proto) as client:
            text = draw(command, client.call(*command.split()))
        pictures.append(sorted(text.splitlines()) if "HRANDFIELD" in command else text)
    assert pictures[0] == pictures[1]
    assert "(error)" not in pictures[0]
