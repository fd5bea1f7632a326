"""Estimate the memory that a key of an RDB file takes in a 64-bit redis-server with its usual configuration.

The sizes are those of the server's structures (sds.h, dict.h, server.h, quicklist.h), each rounded up to the size
classes of its allocator, jemalloc.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from redtool.config import Config
from redtool.engine import strings

OBJECT, ENTRY, BUCKET = 16, 24, 8  # robj, dictEntry, its place in the table
DICT, SKIPLIST, QUICKLIST, NODE, STREAM, GROUP = 56, 48, 40, 32, 350, 150
EMBEDDED = 44  # longest string that shares its object's block
RAX_ENTRY = 48  # a node of a radix tree with what hangs on it, about
FILL = 8192  # bytes of a quicklist's node
LIMITS = Config()


def block(size: int) -> int:
    """Bytes that the allocator gives for a request."""
    if size <= 64:
        return max(-(-size // 8) * 8, 8)
    step = 1 << ((size - 1).bit_length() - 3)
    return -(-size // step) * step


def sds(size: int) -> int:
    """A string on its own: header, bytes, NUL."""
    head = 1 if 0 < size < 32 else 3 if size < 256 else 5 if size < 65536 else 9
    return block(head + size + 1)


def packed(items: Iterable[bytes]) -> int:
    """Bytes of a listpack."""
    total = 7
    for item in items:
        size = len(item)
        if size < 12 and (item.isdigit() or item[:1] == b"-"):
            total += 2 + max(size - 2, 0) // 2  # most likely an integer
        else:
            total += size + (2 if size < 64 else 4 if size < 4096 else 8)
    return total


def memory(key: bytes, value: Any, expires: bool) -> int:
    """Bytes of a key with its value."""
    size = sds(len(key)) + ENTRY + BUCKET + (ENTRY + BUCKET if expires else 0)
    if value is None:
        return size
    if isinstance(value, (bytes, bytearray)):
        return size + _string(value)
    measure = MEASURES.get(value.kind)
    return size + OBJECT + (measure(value, value.encoding(LIMITS)) if measure else 0)


def _string(value: bytes | bytearray) -> int:
    if strings.encoding(value) == b"int":
        return OBJECT
    size = len(value)
    return block(OBJECT + 3 + size + 1) if size <= EMBEDDED else OBJECT + sds(size)


def _table(count: int) -> int:
    """A hash table: its head, an entry a name, and the next power of two of places."""
    return DICT + ENTRY * count + BUCKET * (1 << max(count - 1, 3).bit_length())


def _list(value: Any, encoding: bytes) -> int:
    size = packed(value)
    return block(size) if encoding == b"listpack" else QUICKLIST + size + NODE * (size // FILL + 1)


def _set(value: Any, encoding: bytes) -> int:
    if encoding == b"intset":
        widest = max((abs(int(member)) for member in value), default=0)
        return block(8 + len(value) * (2 if widest < 1 << 15 else 4 if widest < 1 << 31 else 8))
    if encoding == b"listpack":
        return block(packed(value))
    return _table(len(value)) + sum(sds(len(member)) for member in value)


def _zset(value: Any, encoding: bytes) -> int:
    if encoding == b"listpack":
        return block(packed(value.scores) + 5 * len(value))
    nodes = 48 * len(value)  # one level, and a third of another on average
    return SKIPLIST + _table(len(value)) + nodes + sum(sds(len(member)) for member in value.scores)


def _hash(value: Any, encoding: bytes) -> int:
    deadlines = len(value.deadlines or ())
    if encoding != b"hashtable":
        return block(packed([*value, *value.values()]) + 10 * deadlines)
    words = sum(sds(len(field)) + sds(len(text)) for field, text in value.items())
    return _table(len(value)) + words + 24 * deadlines


def _stream(value: Any, encoding: bytes) -> int:
    per_entry = 12  # flags, id and count of an entry
    size, before = STREAM, None
    for fields in value.entries.values():
        names = fields[::2]
        size += per_entry + packed(fields[1::2] if names == before else fields) - 7
        before = names
    size += RAX_ENTRY * (len(value) // 100 + 1)
    for group in value.groups.values():
        size += GROUP + 2 * RAX_ENTRY * len(group.pending) + (GROUP * len(group.consumers))
    return size


def _vectors(value: Any, encoding: bytes) -> int:
    links = 2 * value.m * 8 * 4 // 3
    size = 0
    for node in value.nodes.values():
        vector = len(value.quant.to_bytes(node.data, value.dim))
        size += 200 + block(vector) + links + sds(len(node.name)) + ENTRY + len(node.attribute or b"")
    return size


MEASURES = {b"list": _list, b"set": _set, b"zset": _zset, b"hash": _hash, b"stream": _stream, b"vectorset": _vectors}


def elements(value: Any) -> int | None:
    """How many elements a value has; None for a string, and for what was not read."""
    return len(value) if hasattr(value, "kind") and hasattr(value, "__len__") else None


def largest(value: Any) -> int | None:
    """Bytes of the longest element, field or string."""
    if isinstance(value, (bytes, bytearray)):
        return len(value)
    kind = getattr(value, "kind", b"")
    if kind == b"hash":
        return max((max(len(field), len(text)) for field, text in value.items()), default=0)
    if kind == b"stream":
        return max((len(word) for fields in value.entries.values() for word in fields), default=0)
    if kind in (b"list", b"set", b"vectorset"):
        return max(map(len, value), default=0)
    return max(map(len, value.scores), default=0) if kind == b"zset" else None
