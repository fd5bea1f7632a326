"""A sink that collects, values as plain data for comparing, and the same data read from a real server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from redtool import errors
from redtool.engine.hashes import Hash
from redtool.engine.lists import List
from redtool.engine.packed import Packed
from redtool.engine.sets import Set
from redtool.engine.streams import Consumer, Group, Stream
from redtool.engine.zsets import ZSet
from redtool.errors import ReplyError
from redtool.persist.save import save
from tests.servers import Client, RealServer, named_servers

if TYPE_CHECKING:
    from redtool.persist.save import Databases

Content = Mapping[int, Mapping[bytes, Any]]  # database -> key -> (value, deadline or None)
LATER = 4_102_444_800_000  # a deadline that no test reaches: the year 2100


class Collected:
    """What a load or a replay hands over."""

    def __init__(self) -> None:
        self.databases: dict[int, tuple[dict[bytes, Any], dict[bytes, int]]] = {}
        self.facts: dict[bytes, bytes] = {}
        self.functions: list[bytes] = []
        self.commands: list[list[bytes]] = []
        self.accesses: dict[bytes, tuple[int | None, int | None]] = {}
        self.announced: list[tuple[int, int]] = []

    def select(self, db: int) -> tuple[dict[bytes, Any], dict[bytes, int]]:
        return self.databases.setdefault(db, ({}, {}))

    def sizes(self, keys: int, expires: int) -> None:
        self.announced.append((keys, expires))

    def aux(self, name: bytes, value: bytes) -> None:
        self.facts[name] = value

    def function(self, code: bytes) -> None:
        self.functions.append(code)

    def access(self, key: bytes, idle: int | None, freq: int | None) -> None:
        self.accesses[key] = idle, freq

    def indexed(self, path: str) -> bool:
        return False

    def run(self, batch: list[list[bytes]]) -> tuple[int, errors.ReplyError | None]:
        self.commands += batch
        return len(batch), None

    def use(self, db: int) -> None:
        self.commands.append([b"SELECT", b"%d" % db])

    def plain(self) -> dict[int, dict[bytes, Any]]:
        return {
            db: {key: (plain(value), expires.get(key)) for key, value in data.items()}
            for db, (data, expires) in self.databases.items()
            if data
        }


def plain(value: Any) -> Any:
    """A value as builtin data with its kind."""
    if isinstance(value, Packed):
        value = value.unpack()
    if isinstance(value, ZSet):
        return "zset", dict(value.scores)
    if isinstance(value, Hash):
        return "hash", dict(value), value.deadlines or {}
    if isinstance(value, List):
        return "list", list(value)
    if isinstance(value, Set):
        return "set", set(value)
    if isinstance(value, Stream):
        return plain_stream(value)
    assert isinstance(value, bytes | bytearray)
    return bytes(value)


def plain_stream(stream: Stream) -> Any:
    groups = {}
    for name, group in stream.groups.items():
        pending = {id: tuple(delivery) for id, delivery in group.pending.items()}
        consumers = {who: one.seen_ms for who, one in group.consumers.items()}
        groups[name] = group.last_id, group.entries_read, pending, consumers
    history = stream.last_id, stream.max_deleted_id, stream.entries_added
    return "stream", dict(stream.entries), history, groups


def databases(content: Content) -> Databases:
    """Content as ``save`` takes it."""
    for db, entries in content.items():
        rows = [(key, value, deadline) for key, (value, deadline) in entries.items()]
        yield db, len(rows), sum(deadline is not None for _, _, deadline in rows), rows


def saved(content: Content, **options: Any) -> bytes:
    """Content as the bytes of an RDB file."""
    pieces: list[bytes] = []
    save(pieces.append, databases(content), **options)
    return b"".join(pieces)


def as_plain(content: Content) -> dict[int, dict[bytes, Any]]:
    return {
        db: {key: (plain(value), deadline) for key, (value, deadline) in entries.items()}
        for db, entries in content.items()
        if entries
    }


def sample() -> dict[int, dict[bytes, Any]]:
    """A dataset with every type, sizes on both sides of what servers pack, two databases, deadlines."""
    strings = [
        b"",
        b"0",
        b"-1",
        b"127",
        b"-129",
        b"32768",
        b"-2147483648",
        b"2147483647",
        b"2147483648",
        b"007",
        b"+1",
        b"-0",
        b"1.5",
        b" 1",
        b"9223372036854775807",
        b"x" * 63,
        b"y" * 64,
        b"z" * 20_000,
        bytes(range(256)),
    ]
    first: dict[bytes, Any] = {b"s%d" % n: (text, None) for n, text in enumerate(strings)}
    first[b"changed in place"] = bytearray(b"bytes"), None
    first[b"k" * 300] = b"long key", LATER
    first[b""] = b"empty key", LATER + 1
    numbers = [b"%d" % n for n in range(1000)]
    first |= {
        b"list": (List([b"a", b"", b"12", b"b" * 100]), None),
        b"long list": (List(numbers * 3 + [b"v" * 9000]), LATER),
        b"set": (Set([b"a", b"b", b"\0"]), None),
        b"numbers": (Set([b"1", b"-70000", b"9223372036854775807"]), None),
        b"many": (Set(b"m%d" % n for n in range(600)), None),
        b"hash": (Hash({b"f": b"v", b"": b"", b"n": b"5"}), None),
        b"large hash": (Hash({b"f%d" % n: b"%d" % n for n in range(600)}), None),
        b"zset": (
            ZSet.of([(b"a", 1.5), (b"b", -2.0), (b"c", float("inf")), (b"d", float("-inf")), (b"e", 1e300)]),
            None,
        ),
        b"large zset": (ZSet.of([(b"m%d" % n, n / 3) for n in range(300)]), None),
        b"stream": (stream(), None),
        b"no entries": (empty_stream(), None),
    }
    return {0: first, 3: {b"other": (b"database", None)}}


def stream() -> Stream:
    """Entries with equal and other fields, a group with pending entries of two consumers, one of them deleted."""
    out = Stream()
    for n in range(250):
        out.entries[1000 + n // 3, n % 3] = (b"f", b"%d" % n, b"g", b"x" * (n % 50)) if n % 7 else (b"other", b"\0\r\n")
    out.last_id, out.max_deleted_id, out.entries_added = (2000, 5), (999, 1), 260
    group = out.groups[b"readers"] = Group((1001, 0), 4)
    group.consumers = {b"alice": Consumer(1700000000000, 1700000000001), b"bob": Consumer(1700000000002, 1700000000003)}
    group.pending = {
        (900, 0): [b"alice", 1700000000000, 3],
        (1000, 1): [b"bob", 1700000000001, 1],
        (1001, 0): [b"alice", 1700000000002, 70000],
    }
    out.groups[b"idle"] = Group((0, 0), -1)
    return out


def empty_stream() -> Stream:
    out = Stream()
    out.last_id, out.max_deleted_id, out.entries_added = (2**64 - 1, 2**64 - 1), (5, 5), 7
    return out


@contextmanager
def serving(name: str, directory: Path, *options: str) -> Iterator[RealServer]:
    """A real server on a directory of ours. Its socket's path must be short."""
    server = RealServer(name, named_servers()[name], directory, *options)
    try:
        while isinstance(server.call("PING"), ReplyError):  # still loading
            pass
        yield server
    finally:
        server.stop()


def read_server(client: Client, database: int) -> dict[bytes, Any]:
    """Everything in one database of a server, as ``Collected.plain`` has it."""
    client.call("SELECT", database)
    out: dict[bytes, Any] = {}
    for key in client.call("KEYS", "*"):
        deadline = client.call("PEXPIRETIME", key)
        out[key] = READERS[client.call("TYPE", key)](client, key), None if deadline < 0 else deadline
    return out


def _read_hash(client: Client, key: bytes) -> Any:
    words = client.call("HGETALL", key)
    fields = dict(zip(words[::2], words[1::2], strict=True))
    deadlines = client.call("HPEXPIRETIME", key, "FIELDS", len(fields), *fields)
    found = dict(zip(fields, deadlines, strict=True)) if isinstance(deadlines, list) else {}
    return "hash", fields, {field: when for field, when in found.items() if when >= 0}


def _read_zset(client: Client, key: bytes) -> Any:
    words = client.call("ZRANGE", key, 0, -1, "WITHSCORES")
    return "zset", {member: float(score) for member, score in zip(words[::2], words[1::2], strict=True)}


def _read_stream(client: Client, key: bytes) -> Any:
    facts = _mapping(client.call("XINFO", "STREAM", key, "FULL", "COUNT", 0))
    entries = {_id(id): tuple(fields) for id, fields in facts[b"entries"]}
    groups = {}
    for row in map(_mapping, facts[b"groups"]):
        pending = {_id(id): (who, when, count) for id, who, when, count in row[b"pending"]}
        consumers = {one[b"name"]: one[b"seen-time"] for one in map(_mapping, row[b"consumers"])}
        read = -1 if row[b"entries-read"] is None else row[b"entries-read"]
        groups[row[b"name"]] = _id(row[b"last-delivered-id"]), read, pending, consumers
    history = _id(facts[b"last-generated-id"]), _id(facts[b"max-deleted-entry-id"]), facts[b"entries-added"]
    return "stream", entries, history, groups


def _mapping(words: list[Any]) -> dict[bytes, Any]:
    return dict(zip(words[::2], words[1::2], strict=True))


def _id(text: bytes) -> tuple[int, int]:
    ms, seq = text.split(b"-")
    return int(ms), int(seq)


READERS: dict[bytes, Any] = {
    b"string": lambda client, key: client.call("GET", key),
    b"list": lambda client, key: ("list", client.call("LRANGE", key, 0, -1)),
    b"set": lambda client, key: ("set", set(client.call("SMEMBERS", key))),
    b"hash": _read_hash,
    b"zset": _read_zset,
    b"stream": _read_stream,
}
