"""DUMP payloads exchanged with real servers, both ways, for every type and encoding; prints what passes as a table.

    python -m tests.persist.exchange

A case is made on the server and its DUMP restored here, then made here and its DUMP restored there. What is read on
both sides must be equal, element by element, with deadlines of fields, groups and pending entries of streams; on a
server that allows DEBUG its digests must be, too. A case that the server has no commands or no payload for is ``-``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

from redtool import errors
from tests import embedded
from tests.servers import RealServer, Word, named_servers, running

Argv = tuple[Word, ...]
Ask = Callable[..., Any]

NOISE = bytes((n * n * 7 + n // 3) % 251 for n in range(400))  # does not compress
WIDTHS = [b"0", b"12", b"-1", b"127", b"-128", b"128", b"4095", b"-4097", b"-32768", b"65535", b"-8388608", b"8388608",
          b"-2147483648", b"2147483648", b"9223372036854775807", b"-9223372036854775808", b"9223372036854775808",
          b"007", b"-0", b"+1", b"", b"1.5"]  # fmt: skip
LATER = 4102444800000
MANY = [b"word%d" % n for n in range(700)]


def pushed(*items: Word) -> list[Argv]:
    return [("RPUSH", "k", *items)]


def fields(values: list[bytes]) -> list[Argv]:
    return [("HSET", "k", *(word for n, value in enumerate(values) for word in (b"f%d" % n, value)))]


def scores(pairs: list[tuple[Word, Word]]) -> list[Argv]:
    return [("ZADD", "k", *(word for pair in pairs for word in pair))]


def entries(count: int) -> list[Argv]:
    lines: list[Argv] = []
    for n in range(count):
        own = ("f", n, "g", b"x" * (n % 50)) if n % 7 else ("other", b"\0\r\n", "more", -n)
        lines.append(("XADD", "k", f"{1000 + n // 3}-{n % 3 + 1}", *own))
    return lines


GROUPS: list[Argv] = [
    *entries(10),
    ("XGROUP", "CREATE", "k", "readers", "0"),
    ("XGROUP", "CREATE", "k", "idle", "1002-2"),
    ("XGROUP", "CREATECONSUMER", "k", "readers", "nobody"),
    ("XREADGROUP", "GROUP", "readers", "alice", "COUNT", 3, "STREAMS", "k", ">"),
    ("XREADGROUP", "GROUP", "readers", "bob", "COUNT", 2, "STREAMS", "k", ">"),
    ("XCLAIM", "k", "readers", "bob", 0, "1000-1", "RETRYCOUNT", 70000, "TIME", 1700000000000),
    ("XACK", "k", "readers", "1000-2"),
    ("XDEL", "k", "1000-3", "1001-1"),
]

CASES: dict[str, list[Argv]] = {
    "string: empty": [("SET", "k", "")],
    **{f"string: {text.decode()}": [("SET", "k", text)] for text in WIDTHS if text},
    "string: 44 bytes": [("SET", "k", b"x" * 10 + NOISE[:34])],
    "string: raw": [("SET", "k", NOISE)],
    "string: LZF": [("SET", "k", b"abcd" * 5000 + NOISE)],
    "string: LZF, one byte": [("SET", "k", b"\0" * 100000)],
    "string: appended": [("SET", "k", "1"), ("APPEND", "k", "2")],
    "string: stretched": [("SETRANGE", "k", 30, "x")],
    "string: counted": [("SET", "k", "10"), ("INCRBYFLOAT", "k", "0.5")],
    "HyperLogLog: sparse": [("PFADD", "k", "a", "b", "c")],
    "HyperLogLog: dense": [("PFADD", "k", *MANY), ("PFADD", "k", *(f"more{n}" for n in range(4000)))],
    "list: short": pushed("a", "", "b" * 70, b"\0\xff"),
    "list: integers": pushed(*WIDTHS),
    "list: long": pushed(*(word for word in MANY for _ in range(3))),
    "list: elements of 63 to 5000 bytes": pushed(*(b"x" * n for n in (63, 64, 127, 128, 4095, 4096, 5000))),
    "list: compressed nodes": [("CONFIG", "SET", "list-compress-depth", 1), *pushed(*MANY, *MANY, *MANY)],
    "list: an element of 20,000 bytes": pushed("a", b"x" * 20000, "b"),
    "list: plain nodes": [("DEBUG", "QUICKLIST-PACKED-THRESHOLD", "100b"), *pushed("a", b"x" * 200, NOISE, "b")],
    "list: 300,000 bytes": pushed(*(NOISE for _ in range(750))),
    "hash: small": fields([b"v", b"", b"w" * 64]),
    "hash: integers": fields(WIDTHS),
    "hash: large": fields(MANY),
    "hash: long value": fields([b"v", b"x" * 65]),
    "hash: table of two": [("CONFIG", "SET", "hash-max-ziplist-entries", 1), *fields([b"v", b"12"])],
    "hash: fields with deadlines": [*fields([b"v", b"1", b"w"]), ("HPEXPIREAT", "k", LATER, "FIELDS", 1, "f1")],
    "hash: all fields with deadlines": [*fields([b"v", b"1"]), ("HPEXPIREAT", "k", LATER, "FIELDS", 2, "f0", "f1")],
    "hash: large, with deadlines": [
        *fields(MANY),
        ("HPEXPIREAT", "k", LATER, "FIELDS", 2, "f5", "f699"),
        ("HPEXPIREAT", "k", LATER - 86400000, "FIELDS", 1, "f6"),
    ],
    "hash: deadline taken back": [
        *fields([b"v", b"1"]),
        ("HPEXPIREAT", "k", LATER, "FIELDS", 1, "f1"),
        ("HPERSIST", "k", "FIELDS", 1, "f1"),
    ],
    "set: intset 16": [("SADD", "k", 1, -2, 300)],
    "set: intset 32": [("SADD", "k", 1, -2, 70000, -2147483648)],
    "set: intset 64": [("SADD", "k", 1, -2, 2**63 - 1, -(2**63))],
    "set: listpack": [("SADD", "k", "a", "", b"\0", "b" * 64)],
    "set: listpack with integers": [("SADD", "k", "a", *WIDTHS)],
    "set: listpack of integers": [("SADD", "k", 1, 2, "a"), ("SREM", "k", "a")],
    "set: large": [("SADD", "k", *MANY)],
    "set: many integers": [("SADD", "k", *range(700))],
    "set: long member": [("SADD", "k", "a", "b" * 65)],
    "zset: integers": scores([(1, "a"), (-2, "b"), (70000, "c"), (2**53, "d"), (0, b"12")]),
    "zset: doubles": scores([(0.1, "a"), (-2.5, "b"), (1e300, "c"), (5e-324, "d"), (1 / 3, b"")]),
    "zset: infinite": scores([("inf", "a"), ("-inf", "b"), (0, "c"), (-0.0, "d")]),
    "zset: large": scores([(n / 3, word) for n, word in enumerate(MANY)]),
    "zset: long member": scores([(1, "a" * 65), (2, "b")]),
    "zset: places": [("GEOADD", "k", 13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania")],
    "stream: short": entries(5),
    "stream: long": entries(250),
    "stream: large entry": [("XADD", "k", "1-1", "f", b"x" * 10000, b"n" * 300, NOISE)],
    "stream: deleted entries": [
        *entries(120),
        ("XDEL", "k", "1000-1", "1001-1", "1039-3"),
        ("XTRIM", "k", "MAXLEN", 90),
    ],
    "stream: no entry left": [("XADD", "k", "5-5", "a", "b"), ("XDEL", "k", "5-5")],
    "stream: last id": [*entries(3), ("XSETID", "k", "9999-9")],
    "stream: groups": GROUPS,
}  # fmt: skip

DEFAULTS: list[Argv] = [
    ("CONFIG", "SET", "list-compress-depth", 0),
    ("CONFIG", "SET", "hash-max-ziplist-entries", 128),
    ("DEBUG", "QUICKLIST-PACKED-THRESHOLD", "1gb"),
]
OPTIONAL = ("CONFIG", "DEBUG")  # what a server may not know
UNTOLD = {b"radix-tree-keys", b"radix-tree-nodes", b"idle", b"inactive", b"active-time"}  # how, not what
PACKED_BOTH = ("redis74", "redis8", "valkey8", "valkey")  # servers with the encodings of Redis 7.2


def read(ask: Ask, key: str) -> Any:
    """A value with all that belongs to it, as plain data in RESP3's shapes."""
    kind = ask("TYPE", key)
    if kind == b"string":
        return ask("GET", key)
    if kind == b"list":
        return ask("LRANGE", key, 0, -1)
    if kind == b"hash":
        pairs = ask("HGETALL", key)
        times = ask("HPEXPIRETIME", key, "FIELDS", len(pairs), *pairs)
        return pairs, [-1] * len(pairs) if isinstance(times, errors.ReplyError) else times
    if kind == b"set":
        return sorted(ask("SMEMBERS", key))
    if kind == b"zset":
        return [(member, float(score)) for member, score in ask("ZRANGE", key, 0, -1, "WITHSCORES")]
    if kind == b"vectorset":
        names = sorted(ask("VRANDMEMBER", key, 10_000))
        return ask("VCARD", key), [(name, ask("VEMB", key, name, "RAW"), ask("VGETATTR", key, name)) for name in names]
    if kind == b"stream":
        return ask("XRANGE", key, "-", "+"), ask("XINFO", "STREAM", key, "FULL", "COUNT", 0)
    return kind


def same(a: Any, b: Any) -> bool:
    """Equal, in maps as far as both know the names: older servers tell less of a stream."""
    if isinstance(a, dict) and isinstance(b, dict):
        if not a.keys() & b.keys() and (a or b):
            return False
        return all(same(a[name], b[name]) for name in a.keys() & b.keys() - UNTOLD)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


def same_hash(a: Any, b: Any) -> bool:
    """Fields in any order, their deadlines too."""
    if not (isinstance(a, tuple) and isinstance(a[0], dict)):
        return same(a, b)
    return bool(a[0] == b[0] and dict(zip(a[0], a[1], strict=True)) == dict(zip(b[0], b[1], strict=True)))


def made(ask: Ask, lines: list[Argv]) -> bool:
    """Make the value; False when a command is not known."""
    for line in lines:
        reply = ask(*line)
        if isinstance(reply, errors.ReplyError) and line[0] not in OPTIONAL:
            return False
    return True


def received(server: str, theirs: Ask, ours: Ask, lines: list[Argv]) -> str:
    """Take the server's payload: what is wrong, "" for nothing, "-" when the server has no such value."""
    if not made(theirs, lines):
        return "-"
    payload = theirs("DUMP", "k")
    reply = ours("RESTORE", "k", 0, payload)
    if reply != b"OK":
        return f"RESTORE here: {reply}"
    if not same_hash(read(theirs, "k"), read(ours, "k")):
        return "another value here"
    for line in DEFAULTS:
        theirs(*line)
    theirs("RESTORE", "again", 0, payload)
    kinds = theirs("OBJECT", "ENCODING", "again"), ours("OBJECT", "ENCODING", "k")
    # Newer servers count the key, too, when they decide whether a string is embedded. Valkey has no listpackex.
    apart = {*kinds} == {b"embstr", b"raw"} or (server == "valkey" and kinds[1] == b"listpackex")
    if server in PACKED_BOTH and kinds[0] != kinds[1] and not apart:
        return f"encoding {kinds[1]} here, {kinds[0]} there"
    return ""


def sent(server: str, theirs: Ask, ours: Ask, lines: list[Argv]) -> str:
    """Give the server a payload of ours: what is wrong, "" for nothing, "-" for a value that only others know."""
    if not made(ours, lines):
        return "cannot be made here"
    reply = theirs("RESTORE", "k", 0, ours("DUMP", "k"))
    if reply != b"OK":
        foreign = ours("TYPE", "k") == b"hash" and server not in ("redis74", "redis8")
        old = ours("TYPE", "k") == b"stream" and server == "redis6"
        return "-" if foreign or old else f"RESTORE there: {reply}"
    if not same_hash(read(theirs, "k"), read(ours, "k")):
        return "another value there"
    digests = theirs("DEBUG", "DIGEST-VALUE", "k"), ours("DEBUG", "DIGEST-VALUE", "k")
    if digests[0] != digests[1] and not digests_apart(server, ours("TYPE", "k")):
        return f"digest {digests[1]} here, {digests[0]} there"
    return ""


def digests_apart(server: str, kind: Any, fields: bool = False) -> bool:
    """Whether a server's digest of an equal value is another, given whether the value has fields with deadlines."""
    # Before 7.2 the digest has scores in seventeen digits. Valkey's leaves out which fields have deadlines.
    return (kind == b"zset" and server in ("redis6", "redis7")) or (fields and server == "valkey")


def exchange(server: RealServer, name: str) -> tuple[str, str]:
    """Both ways for one case."""
    client = server.client(proto=3)
    try:
        found = []
        for way in (received, sent):
            client.call("FLUSHALL")
            for line in DEFAULTS:
                client.call(*line)
            found.append(way(server.name, client.call, embedded.Client(proto=3, frozen=False).call, CASES[name]))
        return found[0], found[1]
    finally:
        client.close()


def options(name: str) -> tuple[str, ...]:
    return () if name == "redis6" else ("--enable-debug-command", "yes")


def table() -> Iterator[str]:
    """Rows of a Markdown table: a case, and for each server whether it passes to redtool / from redtool."""
    names = sorted(named_servers())
    results: dict[str, list[str]] = {case: [] for case in CASES}
    for name in names:
        with running(name, *options(name)) as server:
            for case in CASES:
                ways = exchange(server, case)
                results[case].append(" / ".join(way if way else "ok" for way in ways))
    yield f"| value | {' | '.join(names)} |"
    yield "|---" * (len(names) + 1) + "|"
    for case, cells in results.items():
        yield f"| {case} | {' | '.join(cells)} |"


if __name__ == "__main__":
    rows = list(table())
    print("\n".join(rows))
    sys.exit(any(word in row for row in rows for word in ("here", "there")))
