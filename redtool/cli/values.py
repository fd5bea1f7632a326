"""A key of an RDB file as the values that JSON is made of: the shapes that the commands' replies have.

string "…" · list ["…", …] · set ["…", …], sorted · hash {"field": "value"} · zset [["member", 1.5], …] in order ·
stream {"entries": [["1-1", ["field", "value"]], …], "last_id": …, "groups": […]} · vectorset {"dim": …,
"elements": […]}. Bytes that are not UTF-8 become {"base64": "…"} when they are printed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from redtool.persist.walk import Entry


def as_object(entry: Entry) -> dict[bytes, object]:
    """The key with everything that the file says of it."""
    found: dict[bytes, object] = {b"db": entry.db, b"key": entry.key, b"type": entry.type.encode(),
                                  b"encoding": entry.encoding.encode()}  # fmt: skip
    for name in ("deadline", "idle", "freq"):
        if (value := getattr(entry, name)) is not None:
            found[b"expires_at" if name == "deadline" else name.encode()] = value
    if deadlines := getattr(entry.value, "deadlines", None):
        found[b"fields_expire_at"] = dict(deadlines)
    if entry.problem:
        found[b"problem"] = entry.problem.encode()
    found[b"value"] = plain(entry.value)
    return found


def plain(value: Any) -> object:
    """A value; None where there is none to show: damaged, a module's, an empty collection."""
    if value is None or isinstance(value, bytes):
        return value
    make = SHAPES.get(value.kind)
    return make(value) if make else None


def _zset(value: Any) -> object:
    scores = value.scores
    return [[member, scores[member]] for member in value]


def _stream(value: Any) -> object:
    return {
        b"entries": [[_id(id), list(fields)] for id, fields in value.entries.items()],
        b"last_id": _id(value.last_id),
        b"entries_added": value.entries_added,
        b"max_deleted_id": _id(value.max_deleted_id),
        b"groups": [_group(name, group) for name, group in value.groups.items()],
    }


def _group(name: bytes, group: Any) -> object:
    read = group.entries_read if group.entries_read >= 0 else None
    consumers = [{b"name": who, b"seen": each.seen_ms, b"active": each.active_ms}
                 for who, each in group.consumers.items()]  # fmt: skip
    pending = [[_id(id), who, when, count] for id, (who, when, count) in group.pending.items()]
    return {b"name": name, b"last_id": _id(group.last_id), b"entries_read": read, b"consumers": consumers,
            b"pending": pending}  # fmt: skip


def _vectors(value: Any) -> object:
    elements = [{b"name": node.name, b"vector": list(value.vector(node)), b"attributes": node.attribute}
                for node in value.nodes.values()]  # fmt: skip
    return {b"dim": value.dim, b"quantization": value.quant.name, b"elements": elements}


def _id(id: tuple[int, int]) -> bytes:
    return b"%d-%d" % id


SHAPES: dict[bytes, Callable[[Any], object]] = {
    b"list": list, b"set": sorted, b"hash": dict, b"zset": _zset, b"stream": _stream, b"vectorset": _vectors,
}
