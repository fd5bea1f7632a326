"""A value as the commands that make it, for servers that do not take it from RESTORE.

What commands cannot say is lost, and only that: when a stream's consumers were last seen.
"""

from __future__ import annotations

from itertools import islice

from redtool.engine.streams import FIRST, UNKNOWN_READ
from redtool.errors import ReplyError, StoreError
from redtool.numeric import float_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from redtool.engine.streams import Group, Id, Stream

    Argv = tuple[bytes, ...]

WORDS = 512  # elements in one command
PLACEHOLDER = (b"x", b"x")  # fields of an entry that is deleted again


def recipe(key: bytes, value: Any, deadline: int | None) -> list[Argv]:
    """The commands that make the value under a key where nothing is. StoreError for a type that has none."""
    kind = getattr(value, "kind", b"string")
    make = RECIPES.get(kind)
    if make is None:
        raise StoreError(f"the target does not take a {kind.decode()} from RESTORE, and no commands make one")
    lines = list(make(key, value))
    return [*lines, (b"PEXPIREAT", key, b"%d" % deadline)] if deadline is not None else lines


def _chunks(command: bytes, key: bytes, words: Iterable[bytes]) -> Iterator[Argv]:
    words = iter(words)
    while some := tuple(islice(words, WORDS)):
        yield command, key, *some


def _string(key: bytes, value: bytes | bytearray) -> Iterator[Argv]:
    yield b"SET", key, bytes(value)


def _list(key: bytes, value: Any) -> Iterator[Argv]:
    return _chunks(b"RPUSH", key, value)


def _set(key: bytes, value: Any) -> Iterator[Argv]:
    return _chunks(b"SADD", key, value)


def _zset(key: bytes, value: Any) -> Iterator[Argv]:
    return _chunks(b"ZADD", key, (word for name, score in value.scores.items() for word in (float_text(score), name)))


def _hash(key: bytes, value: Any) -> Iterator[Argv]:
    yield from _chunks(b"HSET", key, (word for pair in value.items() for word in pair))
    fields: dict[int, list[bytes]] = {}
    for field, when in (value.deadlines or {}).items():
        fields.setdefault(when, []).append(field)
    for when, names in fields.items():
        for at in range(0, len(names), WORDS):
            some = names[at : at + WORDS]
            yield b"HPEXPIREAT", key, b"%d" % when, b"FIELDS", b"%d" % len(some), *some


def _stream(key: bytes, stream: Stream) -> Iterator[Argv]:
    """Entries, the history, groups. A pending entry that was deleted is there while it is claimed."""
    ghosts = {id for group in stream.groups.values() for id in group.pending if id not in stream.entries}
    entries: dict[Id, tuple[bytes, ...]] = {**stream.entries, **dict.fromkeys(ghosts, PLACEHOLDER)}
    if not entries:
        ghosts.add(stream.last_id if stream.last_id != FIRST else (0, 1))
        entries = dict.fromkeys(ghosts, PLACEHOLDER)
    for id in sorted(entries):
        yield b"XADD", key, _id(id), *entries[id]
    for name, group in stream.groups.items():
        yield from _group(key, name, group)
    yield from _chunks(b"XDEL", key, map(_id, sorted(ghosts)))
    yield (b"XSETID", key, _id(stream.last_id), b"ENTRIESADDED", b"%d" % stream.entries_added, b"MAXDELETEDID",
           _id(stream.max_deleted_id))  # fmt: skip


def _group(key: bytes, name: bytes, group: Group) -> Iterator[Argv]:
    read = () if group.entries_read == UNKNOWN_READ else (b"ENTRIESREAD", b"%d" % group.entries_read)
    yield b"XGROUP", b"CREATE", key, name, _id(group.last_id), *read
    for consumer in group.consumers:
        yield b"XGROUP", b"CREATECONSUMER", key, name, consumer
    for id in sorted(group.pending):
        consumer, when, deliveries = group.pending[id]
        yield (b"XCLAIM", key, name, consumer, b"0", _id(id), b"TIME", b"%d" % when, b"RETRYCOUNT", b"%d" % deliveries,
               b"FORCE", b"JUSTID")  # fmt: skip


def _id(id: Id) -> bytes:
    return b"%d-%d" % id


RECIPES: dict[bytes, Callable[[bytes, Any], Iterator[Argv]]] = {
    b"string": _string, b"list": _list, b"set": _set, b"zset": _zset, b"hash": _hash, b"stream": _stream,
}  # fmt: skip


def older(argv: Argv) -> Argv:
    """The command as servers before Redis 7 know it: without what they cannot note."""
    if argv[0] == b"XSETID":
        return argv[:3]
    if argv[:2] == (b"XGROUP", b"CREATE"):
        return argv[:5]
    return argv


def refused_as_new(reply: object) -> bool:
    """Whether an error may mean that the server is too old for a command's options."""
    return isinstance(reply, ReplyError) and reply.message.lower().startswith(("err syntax", "err wrong number"))
