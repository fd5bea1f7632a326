"""XINFO: what there is to know of a stream, its groups and their consumers."""

from __future__ import annotations

from redtool import errors
from redtool.commands.streams import NODE, id_text, listed
from redtool.commands.table import declare_help, group
from redtool.commands.xgroups import text_of
from redtool.engine.streams import FIRST, LAST, UNKNOWN_READ, Stream, radix_size
from redtool.numeric import to_int

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from redtool.engine.streams import Group, Id
    from redtool.resp import Reply
    from redtool.session import Session

command = group("stream")

SHOWN = 10  # entries that FULL gives where COUNT does not say


def known(c: Session, key: bytes) -> Stream:
    stream = c.readable(key, Stream)
    if stream is None:
        raise errors.NoSuchKey
    assert isinstance(stream, Stream)
    return stream


@command("XINFO STREAM key [FULL [COUNT count]]", "readonly", since="5.0.0", arity=-3)
def xinfo_stream(c: Session, key: bytes, *args: bytes) -> Reply:
    """Give length, counters and edges of a stream, or with FULL its contents too.

    > XADD orders 1-1 item book
    "1-1"
    > XINFO STREAM orders
     1) "length"
     2) (integer) 1
    …
    """
    stream = known(c, key)
    if not args:
        first, last = listed(stream.range(FIRST, count=1)), listed(stream.range(FIRST, count=1, reverse=True))
        edges = {b"first-entry": first[0] if first else None, b"last-entry": last[0] if last else None}
        return {**common(c, stream), b"groups": len(stream.groups), **edges}
    if args[0].upper() != b"FULL" or len(args) not in (1, 3) or (len(args) == 3 and args[1].upper() != b"COUNT"):
        raise errors.SubcommandSyntax("STREAM", "XINFO")
    count = to_int(args[2]) if len(args) == 3 else SHOWN
    count = SHOWN if count < 0 else count
    groups: list[Reply] = [in_full(stream, name, count) for name in sorted(stream.groups)]
    return {**common(c, stream), b"entries": listed(stream.range(FIRST, LAST, count)), b"groups": groups}


def common(c: Session, stream: Stream) -> dict[Any, Any]:
    nodes = stream.nodes(c.config["stream-node-max-entries"] or NODE)
    return {
        b"length": len(stream),
        b"radix-tree-keys": len(nodes),
        b"radix-tree-nodes": radix_size([packed(id) for id in nodes]),
        b"last-generated-id": id_text(stream.last_id),
        b"max-deleted-entry-id": id_text(stream.max_deleted_id),
        b"entries-added": stream.entries_added,
        b"recorded-first-entry-id": id_text(stream.first_id),
    }


def packed(id: Id) -> bytes:
    return id[0].to_bytes(8, "big") + id[1].to_bytes(8, "big")


def progress(stream: Stream, found: Group) -> dict[Any, Any]:
    return {
        b"last-delivered-id": id_text(found.last_id),
        b"entries-read": None if found.entries_read == UNKNOWN_READ else found.entries_read,
        b"lag": stream.lag(found),
    }


def in_full(stream: Stream, name: bytes, count: int) -> Reply:
    """A group with its consumers and at most ``count`` pending entries of each (0: all)."""
    found = stream.groups[name]
    consumers: list[Reply] = []
    for owner in sorted(found.consumers):
        consumer, owned = found.consumers[owner], found.owned(owner)
        pending = [[id_text(id), *found.pending[id][1:]] for id in owned.between(FIRST, LAST, count)]
        times = {b"seen-time": consumer.seen_ms, b"active-time": consumer.active_ms}
        consumers.append({b"name": owner, **times, b"pel-count": len(owned), b"pending": pending})
    return {
        b"name": name,
        **progress(stream, found),
        b"pel-count": len(found.pending),
        b"pending": [[id_text(id), *found.pending[id]] for id in found.order.between(FIRST, LAST, count)],
        b"consumers": consumers,
    }


@command("XINFO GROUPS key", "readonly", since="5.0.0", complexity="O(N) groups")
def xinfo_groups(c: Session, key: bytes) -> Reply:
    """Give the groups of a stream, and how far each has come.

    > XGROUP CREATE orders packers $ MKSTREAM
    OK
    > XADD orders 1-1 item book
    "1-1"
    > XINFO GROUPS orders
    1)  1) "name"
        2) "packers"
        3) "consumers"
        4) (integer) 0
        5) "pending"
        6) (integer) 0
        7) "last-delivered-id"
        8) "0-0"
        9) "entries-read"
       10) (nil)
       11) "lag"
       12) (integer) 1
    """
    stream = known(c, key)
    out: list[Reply] = []
    for name, found in sorted(stream.groups.items()):
        sizes = {b"consumers": len(found.consumers), b"pending": len(found.pending)}
        out.append({b"name": name, **sizes, **progress(stream, found)})
    return out


@command("XINFO CONSUMERS key group", "readonly", since="5.0.0", complexity="O(N) consumers")
def xinfo_consumers(c: Session, key: bytes, name: bytes) -> Reply:
    """Give the consumers of a group: what is pending, and since when idle.

    > XGROUP CREATE orders packers $ MKSTREAM
    OK
    > XGROUP CREATECONSUMER orders packers ada
    (integer) 1
    > XINFO CONSUMERS orders packers
    1) 1) "name"
       2) "ada"
       3) "pending"
       4) (integer) 0
       5) "idle"
       6) (integer) …
       7) "inactive"
       8) (integer) -1
    """
    found = known(c, key).groups.get(name)
    if found is None:
        raise errors.NoGroup(text_of(name), text_of(key))
    out: list[Reply] = []
    for owner, consumer in sorted(found.consumers.items()):
        idle = max(0, c.now - consumer.seen_ms)
        inactive = max(0, c.now - consumer.active_ms) if consumer.active_ms >= 0 else -1
        pending = len(found.owned(owner))
        out.append({b"name": owner, b"pending": pending, b"idle": idle, b"inactive": inactive})
    return out


declare_help(command, "XINFO", since="5.0.0")
