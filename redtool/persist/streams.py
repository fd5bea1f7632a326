"""Streams in RDB files: types 15 (Redis 5), 19 (7.0, written) and 21 (7.2).

A stream is a row of nodes. A node is a listpack that begins with a master entry (count, deleted, field names, 0);
each entry has flags, its id less the node's, its values, names too unless they are the master's, and how many
elements that were.
"""

from __future__ import annotations

from redtool.engine.streams import FIRST, UNKNOWN_READ, Consumer, Group, Stream
from redtool.errors import Unfit
from redtool.persist import listpack
from redtool.persist.codecs import Damaged, i64, length, pack_i64, pack_length, quoted, string, u64be

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from redtool.engine.streams import Id
    from redtool.persist.codecs import Add, Buffer

DELETED, SAME_FIELDS = 1, 2  # flags of an entry
NODE_ENTRIES, NODE_BYTES = 100, 4096  # a node is closed at either, as the servers' defaults do
WRAP = 1 << 64
MOST = WRAP // 2  # counts are below
ACTIVE_FROM = 11  # file version that keeps a consumer's last success


def load_1(data: Buffer, pos: int) -> tuple[Stream, int]:
    return _load(data, pos, 1)


def load_2(data: Buffer, pos: int) -> tuple[Stream, int]:
    return _load(data, pos, 2)


def load_3(data: Buffer, pos: int) -> tuple[Stream, int]:
    return _load(data, pos, 3)


def _load(data: Buffer, pos: int, version: int) -> tuple[Stream, int]:
    stream = Stream()
    nodes, pos = length(data, pos)
    for _ in range(nodes):
        master, pos = string(data, pos)
        if len(master) != 16:
            raise Damaged("a stream node has no id")
        blob, pos = string(data, pos)
        _load_node(stream, _id(master, 0), listpack.elements(blob))
    count, pos = length(data, pos)
    if count != len(stream):
        raise Damaged("a stream's length does not match its entries")
    stream.last_id, pos = _lengths(data, pos)
    stream.entries_added = count
    if version >= 2:
        _, pos = _lengths(data, pos)  # the first id follows from the entries
        stream.max_deleted_id, pos = _lengths(data, pos)
        stream.entries_added, pos = length(data, pos)
        if stream.entries_added >= MOST:
            raise Damaged("a stream's count of entries is out of range")
    if stream.entries and next(reversed(stream.entries)) > stream.last_id:
        raise Damaged("a stream's last id is below an entry's")
    groups, pos = length(data, pos)
    for _ in range(groups):
        pos = _load_group(stream, data, pos, version)
    return stream, pos


def _load_node(stream: Stream, master: Id, items: list[bytes]) -> None:
    size = int(items[2])
    if size < 0 or items[3 + size] != b"0":
        raise Damaged("damaged stream node")
    names = items[3 : 3 + size]
    pos, end = 4 + size, len(items)
    last = next(reversed(stream.entries), (-1, -1))
    live = deleted = 0
    while pos < end:
        flags = int(items[pos])
        id = ((master[0] + int(items[pos + 1])) % WRAP, (master[1] + int(items[pos + 2])) % WRAP)
        start = pos + 3
        if flags & SAME_FIELDS:
            pos = start + size
            fields = tuple(word for pair in zip(names, items[start:pos], strict=True) for word in pair)
        else:
            own = int(items[start])
            pos = start + 1 + 2 * own
            if own < 0 or pos > end:
                raise Damaged("damaged stream entry")
            fields = tuple(items[start + 1 : pos])
        if int(items[pos]) != pos - start + 3:
            raise Damaged("damaged stream entry")
        pos += 1
        if flags & DELETED:
            deleted += 1
            continue
        if id <= last:
            raise Damaged("stream entries are out of order")
        live += 1
        last = id
        stream.entries[id] = fields
    if live != int(items[0]) or deleted != int(items[1]):
        raise Damaged("damaged stream node")


def _load_group(stream: Stream, data: Buffer, pos: int, version: int) -> int:
    name, pos = string(data, pos)
    if name in stream.groups:
        raise Damaged("a stream holds a group twice")
    last_id, pos = _lengths(data, pos)
    read = stream.number_of(last_id)  # what servers assume, too
    if version >= 2:
        read, pos = length(data, pos)
        read -= WRAP if read >= MOST else 0
        if read < UNKNOWN_READ:
            raise Damaged("a group's count of entries read is out of range")
    group = stream.groups[name] = Group(last_id, read)
    count, pos = length(data, pos)
    for _ in range(count):
        id = _id(data, pos)
        when = i64(data, pos + 16)[0]
        deliveries, pos = length(data, pos + 24)
        if when < 0 or deliveries >= MOST:
            raise Damaged("a pending entry's time or count is out of range")
        group.pending[id] = [None, when, deliveries]
    if len(group.pending) != count:
        raise Damaged("a group holds a pending entry twice")
    owned = 0
    count, pos = length(data, pos)
    for _ in range(count):
        consumer, pos = string(data, pos)
        if consumer in group.consumers:
            raise Damaged("a group holds a consumer twice")
        seen = active = i64(data, pos)[0]
        pos += 8
        if version >= 3:
            active = i64(data, pos)[0]
            pos += 8
        if seen < 0 or active < -1:
            raise Damaged("a consumer's time is out of range")
        group.consumers[consumer] = Consumer(seen, active)
        size, pos = length(data, pos)
        end = pos + 16 * size
        if end > len(data):
            raise IndexError
        for at in range(pos, end, 16):
            delivery = group.pending.get(_id(data, at))
            if delivery is None or delivery[0] is not None:
                raise Damaged("a consumer owns an entry that is not pending, or another's")
            delivery[0] = consumer
            owned += 1
        pos = end
    if owned != len(group.pending):
        raise Damaged("a pending entry has no consumer")
    return pos


def _id(data: Buffer, pos: int) -> Id:
    return u64be(data, pos)[0], u64be(data, pos + 8)[0]


def _lengths(data: Buffer, pos: int) -> tuple[Id, int]:
    ms, pos = length(data, pos)
    seq, pos = length(data, pos)
    return (ms, seq), pos


def save(stream: Stream, add: Add, form: int) -> int:
    """Write the form that ``form`` knows: 15 up to file version 9, 19 for 10, 21 from 11 on.

    Raises Unfit for what the first cannot say. (That 19 lacks a consumer's last success is known: see the design.)
    """
    kind = 15 if form < 10 else 19 if form < ACTIVE_FROM else 21
    if kind == 15:
        _check_fits(stream)
    nodes = list(_nodes(stream))
    add(pack_length(len(nodes)))
    for id, blob in nodes:
        _add_string(_pack_id(id), add)
        _add_string(blob, add)
    add(pack_length(len(stream)))
    _add_id(stream.last_id, add)
    if kind > 15:
        _add_id(stream.first_id, add)
        _add_id(stream.max_deleted_id, add)
        add(pack_length(stream.entries_added))
    add(pack_length(len(stream.groups)))
    for name, group in stream.groups.items():
        _add_string(name, add)
        _save_group(group, add, kind)
    return kind


def _check_fits(stream: Stream) -> None:
    """See that a reader of type 15 will count as this stream has counted."""
    if stream.entries_added != len(stream) or stream.max_deleted_id != FIRST:
        raise Unfit("the history of a stream (ENTRIESADDED and MAXDELETEDID of XSETID)")
    for name, group in stream.groups.items():
        if group.entries_read != stream.number_of(group.last_id):
            raise Unfit(f"how many entries group {quoted(name)} has read (ENTRIESREAD of XGROUP SETID)")


def _nodes(stream: Stream) -> Iterator[tuple[Id, bytes]]:
    """Entries in listpacks of limited size, each with the id its entries count from."""
    batch: list[tuple[Id, tuple[bytes, ...]]] = []
    held = 0
    for item in stream.entries.items():
        size = sum(map(len, item[1])) + 16
        if batch and (len(batch) >= NODE_ENTRIES or held + size > NODE_BYTES):
            yield batch[0][0], _node(batch)
            batch, held = [], 0
        batch.append(item)
        held += size
    if batch:
        yield batch[0][0], _node(batch)


def _node(batch: list[tuple[Id, tuple[bytes, ...]]]) -> bytes:
    (ms, seq), fields = batch[0]
    names = fields[::2]
    items: list[Any] = [len(batch), 0, len(names), *names, 0]
    for id, fields in batch:
        start = len(items)
        same = fields[::2] == names
        items += (SAME_FIELDS if same else 0, _signed(id[0] - ms), _signed(id[1] - seq))
        if same:
            items += fields[1::2]
        else:
            items.append(len(fields) // 2)
            items += fields
        items.append(len(items) - start)
    return listpack.pack(items)


def _signed(value: int) -> int:
    """A difference of unsigned 64-bit numbers as the signed number that restores it."""
    value %= WRAP
    return value - WRAP if value >= WRAP // 2 else value


def _save_group(group: Group, add: Add, kind: int) -> None:
    _add_id(group.last_id, add)
    if kind > 15:
        add(pack_length(group.entries_read % WRAP))
    owned: dict[bytes, list[bytes]] = {name: [] for name in group.consumers}
    add(pack_length(len(group.pending)))
    for id in sorted(group.pending):
        consumer, when, deliveries = group.pending[id]
        packed = _pack_id(id)
        owned[consumer].append(packed)
        add(packed + pack_i64(when) + pack_length(deliveries))
    add(pack_length(len(group.consumers)))
    for name, consumer in group.consumers.items():
        _add_string(name, add)
        add(pack_i64(consumer.seen_ms))
        if kind == 21:
            add(pack_i64(consumer.active_ms))
        add(pack_length(len(owned[name])))
        add(b"".join(owned[name]))


def _pack_id(id: Id) -> bytes:
    return id[0].to_bytes(8, "big") + id[1].to_bytes(8, "big")


def _add_string(item: bytes, add: Add) -> None:
    add(pack_length(len(item)))
    add(item)


def _add_id(id: Id, add: Add) -> None:
    add(pack_length(id[0]))
    add(pack_length(id[1]))


LOADERS = {15: load_1, 19: load_2, 21: load_3}
