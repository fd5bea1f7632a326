"""Commands and options newer than Redis 7.4: tables on the store, and on those real servers that have them."""

from __future__ import annotations

from typing import Any

import pytest

from redtool import words
from redtool.commands.conditions import digest_of
from redtool.resp import NULL_ARRAY, Pairs, encode
from tests import embedded
from tests.commands.conftest import Runner
from tests.commands.journal import Recorder, effects

SYNTAX = "-ERR syntax error"
NOT_INT = "-ERR value is not an integer or out of range"
WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value"
BAD_EXPIRE = "-ERR invalid expire time in '{}' command"
BAD_COUNT = "-ERR invalid numkeys value or out of range"
BAD_ID = "-ERR Invalid stream ID specified as stream command argument"
ID_COUNT = "-ERR Number of IDs must be a positive integer"
ID_COUNT_DIFFERS = "-ERR The `numids` parameter must match the number of arguments"
BAD_DIGEST = "-ERR must be exactly 16 hexadecimal characters"

Table = list[tuple[str, Any]]

# Valkey 9.1 has these.
STRINGS: dict[str, Table] = {
    "SET when equal": [
        ("SET k v IFEQ x", None), ("EXISTS k", 0),
        ("SET k v", b"OK"),
        ("SET k w IFEQ v", b"OK"), ("SET k w IFEQ nope", None), ("GET k", b"w"),
        ("SET k w IFEQ nope GET", b"w"), ("SET k z GET IFEQ w", b"w"), ("GET k", b"z"),
        ("SET k z ifeq z EX 100", b"OK"), ("TTL k", 100),
        ("SET k y IFEQ z KEEPTTL", b"OK"), ("TTL k", 100),
        ("SET k IFEQ IFEQ y", b"OK"), ("SET k IFEQ IFEQ IFEQ", b"OK"), ("GET k", b"IFEQ"),
        ("SET none x IFEQ a GET", None),
    ],
    "mistakes in SET when equal": [
        ("SET k v", b"OK"),
        ("SET k z IFEQ v NX", SYNTAX), ("SET k z XX IFEQ v", SYNTAX), ("SET k z IFEQ", SYNTAX),
        ("SET k z IFEQ v IFEQ v", SYNTAX),
        ("SET none x IFEQ a EX 0", BAD_EXPIRE.format("set")),
        ("RPUSH l a", 1), ("SET l x IFEQ a", WRONG_TYPE), ("SET l x IFEQ a GET", WRONG_TYPE),
        ("GET k", b"v"),
    ],
    "DELIFEQ": [
        ("SET k y", b"OK"), ("DELIFEQ k nope", 0), ("EXISTS k", 1), ("DELIFEQ k y", 1), ("DELIFEQ k y", 0),
        ("APPEND k ab", 2), ("APPEND k cd", 4), ("DELIFEQ k abcd", 1),
        ("RPUSH l a", 1), ("DELIFEQ l a", WRONG_TYPE),
    ],
    "MSETEX": [
        ("MSETEX 2 a 1 b 2", 1), ("MGET a b", [b"1", b"2"]), ("TTL a", -1),
        ("MSETEX 2 a 3 b 4 NX", 0), ("MSETEX 2 a 3 b 4 XX", 1), ("MSETEX 2 a 5 c 6 XX", 0), ("MSETEX 2 c 5 a 6 NX", 0),
        ("MGET a b c", [b"3", b"4", None]),
        ("MSETEX 2 c 1 d 2 NX EX 100", 1), ("TTL d", 100),
        ("MSETEX 2 c 1 d 3 KEEPTTL", 1), ("TTL d", 100), ("GET d", b"3"),
        ("MSETEX 2 c 1 d 3", 1), ("TTL d", -1),
        ("MSETEX 2 c 1 c 3", 1), ("GET c", b"3"),
        ("MSETEX 2 c 1 d 3 EX 10 EX 200", 1), ("TTL c", 200),
        ("MSETEX 2 c 1 x 1 EXAT 1", 1), ("EXISTS c x", 0),
        ("RPUSH l a", 1), ("MSETEX 2 l 1 a 2 XX", 1), ("GET l", b"1"),
    ],
    "mistakes in MSETEX": [
        ("MSETEX 2 c 1 d 3 EX 10 KEEPTTL", SYNTAX), ("MSETEX 2 c 1 d 3 NX XX", SYNTAX),
        ("MSETEX 2 c 1 d 3 EX 0", BAD_EXPIRE.format("msetex")),
        ("MSETEX 2 c 1 d 3 EX 9223372036854775807", BAD_EXPIRE.format("msetex")),
        ("MSETEX 2 c 1 d 3 EX x", NOT_INT), ("MSETEX 2 c 1 d 3 EX", SYNTAX), ("MSETEX 2 c 1 d", SYNTAX),
        ("MSETEX 3 c 1 d 3", SYNTAX), ("MSETEX 1 c 1 d 3", SYNTAX), ("MSETEX 2147483647 a b", SYNTAX),
        *((f"MSETEX {count} c 1", BAD_COUNT) for count in ("0", "-1", "x", "2147483648", "9223372036854775807")),
        ("MSETEX 1 c 1 GET", SYNTAX), ("EXISTS c d", 0),
        ("COMMAND GETKEYS MSETEX 2 a 1 b 2 NX", [b"a", b"b"]),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", STRINGS)
def test_strings(r: Runner, name: str) -> None:
    r.table(STRINGS[name])


HELLO = digest_of(b"hello").decode()
# No server at hand has these: Redis 8.4's documents.
UNCHECKED: dict[str, Table] = {
    "SET when it differs": [
        ("SET k hello IFNE x", b"OK"), ("SET k hello IFNE hello", None), ("SET k bye IFNE x GET", b"hello"),
        ("GET k", b"bye"),
    ],
    "SET by digest": [
        (f"SET k hello IFDEQ {HELLO}", None), (f"SET k hello IFDNE {HELLO}", b"OK"),
        (f"SET k hello IFDNE {HELLO}", None), (f"SET k bye IFDEQ {HELLO.upper()}", b"OK"), ("GET k", b"bye"),
        ("SET k x IFDEQ abc", BAD_DIGEST), ("SET k x IFDNE 000000000000000g", BAD_DIGEST),
        (f"SET k x IFDEQ {HELLO} IFEQ bye", SYNTAX),
    ],
    "DELEX": [
        ("SET k hello", b"OK"), ("DELEX k IFEQ x", 0), ("DELEX k IFNE hello", 0), (f"DELEX k ifdne {HELLO}", 0),
        (f"DELEX k IFDEQ {HELLO}", 1), ("EXISTS k", 0),
        ("DELEX k", 0), ("DELEX k IFNE x", 0), ("RPUSH l a", 1),
        ("DELEX l IFEQ a", "-ERR Key should be of string type if conditions are specified"), ("DELEX l", 1),
        ("DELEX k FOO x", "-ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE"),
        ("DELEX k IFEQ", "-ERR wrong number of arguments for 'delex' command"),
    ],
    "DIGEST": [
        ('SET k "Hello world"', b"OK"), ("DIGEST k", b"b6acb9d84a38ff74"),
        ("SET k ''", b"OK"), ("DIGEST k", b"2d06800538d394c2"), ("DIGEST none", None),
        ("RPUSH l a", 1), ("DIGEST l", WRONG_TYPE),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", UNCHECKED)
def test_strings_of_redis_8_4(name: str) -> None:
    runner = Runner(embedded.Client())
    runner.table(UNCHECKED[name])
    runner.close()


# -- streams


def made(read: int, *groups: str) -> Table:
    """Six entries, 1-1 to 6-1, and groups that have read some of them."""
    rows: Table = [(f"XADD t {n}-1 f 1", b"%d-1" % n) for n in range(1, 7)]
    for group in groups:
        entries = [[b"%d-1" % n, [b"f", b"1"]] for n in range(1, read + 1)]
        rows.append((f"XGROUP CREATE t {group} 0", b"OK"))
        rows.append((f"XREADGROUP GROUP {group} c COUNT {read} STREAMS t >", [[b"t", entries]]))
    return rows


def left(*numbers: int) -> tuple[str, Any]:
    return "XRANGE t - +", [[b"%d-1" % n, [b"f", b"1"]] for n in numbers]


def pending(group: str, *numbers: int) -> tuple[str, Any]:
    ids = [b"%d-1" % n for n in numbers]
    shares = [[b"c", b"%d" % len(ids)]] if ids else None
    return f"XPENDING t {group}", [len(ids), ids[0] if ids else None, ids[-1] if ids else None, shares]


STREAMS: dict[str, Table] = {
    "XDELEX leaves what is pending": [
        *made(4, "g"),
        ("XDELEX t IDS 2 1-1 9-9", [1, -1]), ("XDELEX t KEEPREF IDS 2 2-1 2-1", [1, -1]),
        left(3, 4, 5, 6), pending("g", 1, 2, 3, 4),
        ("XDELEX none IDS 2 1-1 foo", [-1, -1]),
    ],
    "XDELEX DELREF": [
        *made(4, "g", "h"),
        ("XDEL t 1-1", 1),
        ("XDELEX t DELREF IDS 2 1-1 2-1", [-1, 1]), pending("g", 3, 4), pending("h", 3, 4), left(3, 4, 5, 6),
    ],
    "XDELEX ACKED": [
        *made(4, "g", "h"),
        ("XACK t g 1-1 2-1", 2), ("XACK t h 1-1", 1),
        ("XDELEX t acked ids 4 1-1 2-1 5-1 9-9", [1, 2, 2, 2]), left(2, 3, 4, 5, 6),
        ("XGROUP DESTROY t g", 1), ("XGROUP DESTROY t h", 1), ("XDELEX t ACKED IDS 2 2-1 9-9", [1, -1]),
    ],
    "XACKDEL": [
        *made(4, "g", "h"),
        ("XACKDEL t g IDS 3 1-1 1-1 5-1", [1, -1, -1]), pending("g", 2, 3, 4), pending("h", 1, 2, 3, 4),
        ("XACKDEL t g ACKED IDS 1 2-1", [2]), pending("g", 3, 4), ("XACKDEL t h ACKED IDS 2 2-1 1-1", [1, 1]),
        ("XACKDEL t g DELREF IDS 1 3-1", [1]), pending("h", 4), left(4, 5, 6),
        ("XACKDEL t none IDS 1 foo", [-1]), ("XACKDEL none g IDS 1 4-1", [-1]),
    ],
    "mistakes": [
        *made(4, "g"), ("SET s x", b"OK"),
        *((f"{command} IDS 1 foo", BAD_ID) for command in ("XDELEX t", "XACKDEL t g")),
        *((f"{command} FOO IDS 1 1-1", WRONG_TYPE) for command in ("XDELEX s", "XACKDEL s g")),
        *((f"{command} IDS {count} 1-1", ID_COUNT) for count in (0, -1, "x")
          for command in ("XDELEX t", "XACKDEL t g")),
        *((f"{command} IDS 2 1-1", ID_COUNT_DIFFERS) for command in ("XDELEX t", "XACKDEL t none")),
        *((f"{command} {rest}", SYNTAX) for command in ("XDELEX t", "XACKDEL t g") for rest in
          ("IDS 1 1-1 2-1", "KEEPREF DELREF IDS 1 1-1", "FOO IDS 1 1-1", "KEEPREF 1-1 2-1", "IDS 1 1-1 ACKED ACKED")),
        ("XDELEX t IDS 1 1-1 IDS 1 9-9 KEEPREF", [-1]),
        ("XDELEX t IDS 0", "-ERR wrong number of arguments for 'xdelex' command"),
        left(1, 2, 3, 4, 5, 6),
    ],
    "trimming": [
        *made(5, "g"), ("XACK t g 1-1 3-1 4-1", 3),
        ("XTRIM t MAXLEN 4 ACKED", 2), left(2, 4, 5, 6),
        ("XTRIM t ACKED MAXLEN 0", 1), left(2, 5, 6),
        ("XTRIM t MAXLEN ~ 0 ACKED", 0), ("XTRIM t MAXLEN ~ 0 DELREF LIMIT 0", 0),
        ("XTRIM t MINID 6 DELREF", 2), left(6), pending("g"),
        ("XADD t ACKED MAXLEN = 1 7-1 f 1", b"7-1"), left(6, 7),
        ("XADD t KEEPREF NOMKSTREAM MAXLEN 1 8-1 f 1", b"8-1"), left(8),
        ("XADD t DELREF 9-1 f 1", b"9-1"), ("XADD none NOMKSTREAM ACKED 9-1 f 1", None),
        ("XADD t KEEPREF DELREF 10-1 f 1", BAD_ID), ("XTRIM t ACKED KEEPREF MAXLEN 1", SYNTAX),
        ("XTRIM t MAXLEN 0 ACKED LIMIT 1", "-ERR syntax error, LIMIT cannot be used without the special ~ option"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", STREAMS)
def test_streams(newest: Runner, name: str) -> None:
    newest.table(STREAMS[name])


# -- the journal: commands that Redis 7.0 knows

SIX = [line for line, _ in made(4, "g", "h")]
JOURNAL: list[tuple[list[str], str, list[str]]] = [
    (["SET k v"], "SET k w IFEQ v", ["SET k w"]),
    (["SET k v"], "SET k w IFEQ v KEEPTTL", ["SET k w KEEPTTL"]),
    (["SET k v"], "SET k w IFEQ v PXAT 99999999999999", ["SET k w PXAT 99999999999999"]),
    (["SET k v"], "SET k w IFEQ x", []),
    (["SET k v"], "DELIFEQ k v", ["DEL k"]),
    (["SET k v"], "DELIFEQ k w", []),
    (["SET k v"], "DELEX k IFNE w", ["DEL k"]),
    ([], "MSETEX 2 a 1 b 2", ["MSET a 1 b 2"]),
    ([], "MSETEX 2 a 1 b 2 XX", []),
    ([], "MSETEX 2 a 1 b 2 KEEPTTL", ["MULTI", "SET a 1 KEEPTTL", "SET b 2 KEEPTTL", "EXEC"]),
    ([], "MSETEX 2 a 1 b 2 PXAT 99999999999999",
     ["MULTI", "SET a 1 PXAT 99999999999999", "SET b 2 PXAT 99999999999999", "EXEC"]),
    (["SET a 1"], "MSETEX 2 a 1 b 2 EXAT 1", ["MULTI", "SET a 1 PXAT 1000", "SET b 2 PXAT 1000", "EXEC"]),
    (SIX, "XDELEX t IDS 3 1-1 9-9 2-1", ["XDEL t 1-1 2-1"]),
    (SIX, "XDELEX t DELREF IDS 1 1-1", ["MULTI", "XDEL t 1-1", "XACK t g 1-1", "XACK t h 1-1", "EXEC"]),
    ([*SIX, "XDEL t 1-1"], "XDELEX t DELREF IDS 1 1-1", ["MULTI", "XACK t g 1-1", "XACK t h 1-1", "EXEC"]),
    (SIX, "XDELEX t ACKED IDS 1 1-1", []),
    (SIX, "XACKDEL t g ACKED IDS 1 1-1", ["XACK t g 1-1"]),
    (SIX, "XACKDEL t g IDS 2 1-1 9-9", ["MULTI", "XACK t g 1-1", "XDEL t 1-1", "EXEC"]),
    (SIX, "XACKDEL t g DELREF IDS 1 1-1", ["MULTI", "XACK t g 1-1", "XDEL t 1-1", "XACK t h 1-1", "EXEC"]),
    (SIX, "XTRIM t MAXLEN 5 KEEPREF", ["XTRIM t MAXLEN = 5"]),
    (SIX, "XTRIM t MAXLEN 5 DELREF", ["MULTI", "XTRIM t MAXLEN = 5", "XACK t g 1-1", "XACK t h 1-1", "EXEC"]),
    (SIX, "XTRIM t MAXLEN 0 ACKED", []),
    ([*SIX, "XACK t g 2-1", "XACK t h 2-1"], "XTRIM t MAXLEN 0 ACKED", ["XDEL t 2-1"]),
    ([*SIX, "XDEL t 1-1", "XACK t g 3-1", "XACK t h 3-1"], "XTRIM t MAXLEN 0 ACKED",
     ["MULTI", "XDEL t 3-1", "XSETID t 6-1 MAXDELETEDID 1-1", "EXEC"]),
    (SIX, "XADD t KEEPREF 7-* f 1", ["XADD t 7-0 f 1"]),
    (SIX, "XADD t DELREF MAXLEN 6 7-1 f 1",
     ["MULTI", "XADD t 7-1 f 1", "XTRIM t MAXLEN = 6", "XACK t g 1-1", "XACK t h 1-1", "EXEC"]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "line", "expected"), JOURNAL, ids=lambda value: str(value)[:40])
def test_journal(before: list[str], line: str, expected: list[str]) -> None:
    client = embedded.Client()
    for each in before:
        client.call(*words.split(each.encode()))
    assert effects(client, line) == [each.encode() for each in expected]


def test_replayed_trims_give_the_same_stream() -> None:
    """With a deletion before, so that the greatest id deleted is known and stays."""
    client, replayed = embedded.Client(), embedded.Client()
    recorder: Any = Recorder()
    client.store.journal = recorder
    trims = ["XTRIM t MAXLEN 0 ACKED", "XTRIM t MINID 5 DELREF"]
    for line in [*SIX, "XDEL t 1-1", "XACK t g 3-1", "XACK t h 3-1", *trims]:
        client.call(*words.split(line.encode()))
    for argv in recorder.pending:
        replayed.call(*argv)
    for line in (b"XRANGE t - +", b"XPENDING t g", b"XPENDING t h", b"XINFO STREAM t"):
        assert replayed.call(*line.split()) == client.call(*line.split())


# -- nulls and maps on the wire

NULLS: Table = [
    ("GEOPOS none a", b"*1\r\n*-1\r\n"), ("ZMPOP 1 none MIN", b"*-1\r\n"), ("LMPOP 1 none LEFT", b"*-1\r\n"),
    ("BLPOP none 0.001", b"*-1\r\n"), ("BLMOVE none b LEFT LEFT 0.001", b"*-1\r\n"),
    ("BZPOPMIN none 0.001", b"*-1\r\n"), ("XREAD STREAMS none 0", b"*-1\r\n"),
    ("ZRANK none a", b"$-1\r\n"), ("ZRANK none a WITHSCORE", b"*-1\r\n"),
    ("LPOP none", b"$-1\r\n"), ("LPOP none 2", b"*-1\r\n"), ("GET none", b"$-1\r\n"),
    ("XADD t 1-1 f 1", b"$3\r\n1-1\r\n"), ("XRANGE t - + COUNT 0", b"*-1\r\n"),
    ("XGROUP CREATE t g $", b"+OK\r\n"), ("XPENDING t g", b"*4\r\n:0\r\n$-1\r\n$-1\r\n*-1\r\n"),
    ("WATCH k", b"+OK\r\n"), ("SET k 1", b"+OK\r\n"), ("MULTI", b"+OK\r\n"), ("EXEC", b"*-1\r\n"),
    ("MULTI", b"+OK\r\n"), ("BLPOP none 0", b"+QUEUED\r\n"), ("BLMOVE none b LEFT LEFT 0", b"+QUEUED\r\n"),
    ("GEOPOS none a", b"+QUEUED\r\n"), ("EXEC", b"*3\r\n*-1\r\n$-1\r\n*1\r\n*-1\r\n"),
]  # fmt: skip


def test_null_arrays(r: Runner) -> None:
    """*-1 is not $-1: a client library tells them apart."""
    for line, expected in NULLS:
        assert r.client.wire(*line.split()) == expected, line


def test_a_null_array_is_nothing_in_resp3() -> None:
    assert encode(NULL_ARRAY, 3) == b"_\r\n"
    assert encode([NULL_ARRAY, None], 2) == b"*2\r\n*-1\r\n$-1\r\n"
    assert not NULL_ARRAY


def test_a_map_with_a_key_twice(r: Runner) -> None:
    r("XADD t 1-1 f 1")
    r("HELLO 3")
    part = b"$1\r\nt\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\nf\r\n$1\r\n1\r\n"
    assert r.client.wire("XREAD", "STREAMS", "t", "t", "0", "0") == b"%2\r\n" + part + part
    assert encode(Pairs([[b"a", 1], [b"a", 2]]), 2) == encode([[b"a", 1], [b"a", 2]])
