"""Values of a backend read with the commands of their types, for servers that do not give them by DUMP."""

from __future__ import annotations

from redtool.errors import ReplyError, StoreError
from redtool.transfer.asking import ask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from redtool.backends import Backend
    from redtool.engine.streams import Group, Id, Stream

# Type -> the words of the query around the key
QUERIES: dict[bytes, tuple[tuple[bytes, ...], tuple[bytes, ...]]] = {
    b"string": ((b"GET",), ()),
    b"list": ((b"LRANGE",), (b"0", b"-1")),
    b"set": ((b"SMEMBERS",), ()),
    b"zset": ((b"ZRANGE",), (b"0", b"-1", b"WITHSCORES")),
    b"hash": ((b"HGETALL",), ()),
    b"stream": ((b"XINFO", b"STREAM"), (b"FULL", b"COUNT", b"0")),
}


def read_values(backend: Backend, keys: Sequence[bytes]) -> list[Any]:
    """The values of these keys, None for each that is not there. Raises ReplyError, StoreError."""
    kinds = ask(backend, [(b"TYPE", key) for key in keys])
    there = [(key, bytes(kind)) for key, kind in zip(keys, kinds, strict=True) if _checked(kind) != b"none"]
    replies = ask(backend, [_query(*each) for each in there])
    found: dict[bytes, Any] = {}
    for (key, kind), reply in zip(there, replies, strict=True):
        if isinstance(reply, ReplyError) and reply.code == "WRONGTYPE":
            found[key] = read_values(backend, [key])[0]  # another one has come meanwhile
        elif isinstance(reply, ReplyError):
            if "no such key" not in reply.message:
                raise reply
        elif reply or (kind == b"string" and reply is not None):
            found[key] = MAKERS[kind](reply)
    _read_deadlines(backend, {key: found[key] for key, kind in there if kind == b"hash" and found.get(key)})
    return [found.get(key) for key in keys]


def _checked(reply: Any) -> Any:
    if isinstance(reply, ReplyError):
        raise reply
    return reply


def _query(key: bytes, kind: bytes) -> tuple[bytes, ...]:
    if kind not in QUERIES:
        raise StoreError(f"a {kind.decode('utf-8', 'replace')} can only be copied with DUMP")
    before, after = QUERIES[kind]
    return (*before, key, *after)


def _read_deadlines(backend: Backend, hashes: Mapping[bytes, Any]) -> None:
    """Add the deadlines of fields, where the server has such a thing."""
    batch = [(b"HPEXPIRETIME", key, b"FIELDS", b"%d" % len(value), *value) for key, value in hashes.items()]
    for value, reply in zip(hashes.values(), ask(backend, batch) if batch else (), strict=False):
        for field, when in zip(value, reply if isinstance(reply, list) else (), strict=False):
            if when >= 0:
                value.expire_at(field, when)


def _list(reply: Any) -> Any:
    from redtool.engine.lists import List

    return List(reply)


def _set(reply: Any) -> Any:
    from redtool.engine.sets import Set

    return Set(reply)


def _zset(reply: Any) -> Any:
    """Pairs in RESP3; in RESP2 one flat list with scores as text."""
    from redtool.engine.zsets import ZSet

    pairs = reply if isinstance(reply[0], list) else zip(reply[::2], reply[1::2], strict=True)
    return ZSet.of([(member, float(score)) for member, score in pairs])


def _hash(reply: Any) -> Any:
    from redtool.engine.hashes import Hash

    return Hash(_mapping(reply))


def _mapping(reply: Any) -> dict[Any, Any]:
    """A map, or the flat list that RESP2 has for one."""
    return reply if isinstance(reply, dict) else dict(zip(reply[::2], reply[1::2], strict=True))


def _stream(reply: Any) -> Stream:
    from redtool.engine.streams import FIRST, Stream

    facts, stream = _mapping(reply), Stream()
    stream.entries = {_id(id): tuple(fields) for id, fields in facts[b"entries"]}
    stream.last_id = _id(facts[b"last-generated-id"])
    stream.max_deleted_id = _id(facts[b"max-deleted-entry-id"]) if b"max-deleted-entry-id" in facts else FIRST
    stream.entries_added = facts.get(b"entries-added", len(stream.entries))
    for row in map(_mapping, facts[b"groups"]):
        stream.groups[row[b"name"]] = _group(row, stream)
    return stream


def _group(row: Mapping[Any, Any], stream: Stream) -> Group:
    from redtool.engine.streams import UNKNOWN_READ, Consumer, Group

    last = _id(row[b"last-delivered-id"])
    read = row.get(b"entries-read", stream.number_of(last))
    group = Group(last, UNKNOWN_READ if read is None else read)
    for one in map(_mapping, row[b"consumers"]):
        group.consumers[one[b"name"]] = Consumer(one[b"seen-time"], one.get(b"active-time", -1))
    group.pending = {_id(id): [consumer, when, count] for id, consumer, when, count in row[b"pending"]}
    return group


def _id(text: bytes) -> Id:
    ms, _, seq = text.partition(b"-")
    return int(ms), int(seq)


MAKERS: dict[bytes, Callable[[Any], Any]] = {
    b"string": bytes, b"list": _list, b"set": _set, b"zset": _zset, b"hash": _hash, b"stream": _stream,
}  # fmt: skip
