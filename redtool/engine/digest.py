"""What DEBUG DIGEST and DEBUG DIGEST-VALUE sum values and databases up to: the same 20 bytes as real servers give.

Parts are hashed with SHA-1. Where their order does not matter (members of a set, keys) the hashes are combined by
exclusive or, where it does each is mixed in and the whole hashed again.
"""

from __future__ import annotations

from hashlib import sha1

from redtool.engine.zsets import ZSet
from redtool.numeric import float_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from redtool.engine.hashes import Hash
    from redtool.engine.keyspace import Keyspace
    from redtool.engine.lists import List
    from redtool.engine.sets import Set
    from redtool.engine.streams import Stream
    from redtool.engine.vectors import VectorSet

EMPTY = bytes(20)
KINDS = {b"string": 0, b"list": 1, b"set": 2, b"zset": 3, b"hash": 4, b"vectorset": 5, b"stream": 6}


def _joined(digest: bytes, part: bytes) -> bytes:
    """Add a part whose place does not matter."""
    return (int.from_bytes(digest, "big") ^ int.from_bytes(sha1(part).digest(), "big")).to_bytes(20, "big")


def _mixed(digest: bytes, *parts: bytes) -> bytes:
    """Add parts one after the other."""
    for part in parts:
        digest = sha1(_joined(digest, part)).digest()
    return digest


def _of_string(digest: bytes, value: bytes | bytearray) -> bytes:
    return _mixed(digest, bytes(value))


def _of_list(digest: bytes, value: List) -> bytes:
    return _mixed(digest, *value)


def _of_set(digest: bytes, value: Set) -> bytes:
    for member in value:
        digest = _joined(digest, member)
    return digest


def _of_zset(digest: bytes, value: ZSet) -> bytes:
    for member, score in value.scores.items():
        digest = _joined(digest, _mixed(EMPTY, member, float_text(score)))
    return digest


def _of_hash(digest: bytes, value: Hash) -> bytes:
    deadlines: Mapping[bytes, int] = value.deadlines or {}
    for field, text in value.items():
        part = _mixed(EMPTY, field, text)
        digest = _joined(digest, _joined(part, b"!!hexpire!!") if field in deadlines else part)
    return digest


def _of_stream(digest: bytes, value: Stream) -> bytes:
    for (ms, seq), fields in value.entries.items():
        digest = _mixed(digest, b"%d.%d" % (ms, seq), *fields)
    return digest


def _of_vectors(digest: bytes, value: VectorSet) -> bytes:
    found = _joined(EMPTY, _mixed(EMPTY, b"%d" % len(value), b"%d" % value.dim))
    for node in value.nodes.values():
        part = _mixed(EMPTY, value.quant.to_bytes(node.data, value.dim), node.name)
        found = _joined(found, part if node.attribute is None else _mixed(part, node.attribute))
    return _joined(digest, found)


PARTS: dict[bytes, Callable[[bytes, Any], bytes]] = {
    b"string": _of_string, b"list": _of_list, b"set": _of_set,
    b"zset": _of_zset, b"hash": _of_hash, b"vectorset": _of_vectors, b"stream": _of_stream,
}  # fmt: skip


def of_value(value: Any, expires: bool, digest: bytes = EMPTY) -> bytes:
    """Sum up a value; that it has a deadline counts, not which."""
    if getattr(value, "unpack", None) is not None:
        value = value.unpack()
    kind = getattr(value, "kind", b"string")
    digest = PARTS[kind](_mixed(digest, KINDS[kind].to_bytes(4, "big")), value)
    return _joined(digest, b"!!expire!!") if expires else digest


def of_databases(databases: Iterable[Keyspace]) -> bytes:
    """Sum up all keys of all databases."""
    total = EMPTY
    for db in databases:
        if len(db):
            total = _mixed(total, db.index.to_bytes(4, "big"))
        for key, value, deadline in db.items():
            total = _joined(total, of_value(value, deadline is not None, _mixed(EMPTY, key)))
    return total
