"""Hashes in RDB files: table (type 4, written), zipmap (9), ziplist (13), listpack (16), and fields with deadlines.

Fields with deadlines: REDIS files have types 24 (table) and 25 (listpack), 22 and 23 in the 7.4 release candidates;
VALKEY files have another type 22. Deadlines are unix ms.
"""

from __future__ import annotations

from redtool.engine.hashes import Hash
from redtool.engine.packed import SHORT, Packed, pack
from redtool.errors import Unfit
from redtool.persist import listpack, ziplist
from redtool.persist.codecs import Damaged, i64, length, pack_i64, pack_length, save_strings, string, strings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.persist.codecs import Add, Buffer

    Loaded = tuple[Hash | None, int]

FIELDS_FROM = 12  # file version that brought deadlines of fields
LATEST = 1 << 63  # deadlines are below
VALKEY_FORMS = 80  # file versions from which type 22 is Valkey's


def load_table(data: Buffer, pos: int) -> Loaded:
    count, pos = length(data, pos)
    items, pos = strings(data, pos, 2 * count)
    return _of(items), pos


def load_zipmap(data: Buffer, pos: int) -> Loaded:
    blob, pos = string(data, pos)
    return _of(ziplist.zipmap(blob)), pos


def load_ziplist(data: Buffer, pos: int) -> Loaded:
    blob, pos = string(data, pos)
    return _of(ziplist.elements(blob)), pos


def load_listpack(data: Buffer, pos: int) -> Loaded:
    blob, pos = string(data, pos)
    return _of(listpack.elements(blob)), pos


def load_early_fields(data: Buffer, pos: int) -> Loaded:
    """Type 22 of REDIS files: count, (deadline or 0, field, value)."""
    return _redis_fields(data, pos, 0)


def load_early_triples(data: Buffer, pos: int) -> Loaded:
    """Type 23 of REDIS files: a listpack of field, value, deadline or 0."""
    blob, pos = string(data, pos)
    return _triples(listpack.elements(blob)), pos


def load_fields(data: Buffer, pos: int) -> Loaded:
    """Type 24: the earliest deadline, count, (0 or deadline less the earliest plus 1, field, value)."""
    return _redis_fields(data, pos + 8, i64(data, pos)[0] - 1)


def load_triples(data: Buffer, pos: int) -> Loaded:
    """Type 25: the earliest deadline, a listpack of field, value, deadline or 0."""
    return load_early_triples(data, pos + 8)


def load_valkey_fields(data: Buffer, pos: int) -> Loaded:
    """Type 22 of VALKEY files: count, (field, value, deadline or -1)."""
    count, pos = length(data, pos)
    items: list[bytes] = []
    deadlines: dict[bytes, int] = {}
    for _ in range(count):
        field, pos = string(data, pos)
        value, pos = string(data, pos)
        items += (field, value)
        when = i64(data, pos)[0]
        pos += 8
        if when != -1:
            deadlines[field] = when
    return _of(items, deadlines or None), pos


def _redis_fields(data: Buffer, pos: int, base: int) -> Loaded:
    count, pos = length(data, pos)
    items: list[bytes] = []
    deadlines: dict[bytes, int] = {}
    for _ in range(count):
        when, pos = length(data, pos)
        field, pos = string(data, pos)
        value, pos = string(data, pos)
        items += (field, value)
        if when:
            deadlines[field] = base + when
    return _of(items, deadlines or None), pos


def _triples(items: list[bytes]) -> Hash | None:
    if len(items) % 3:
        raise Damaged("a hash ends in the middle of a field")
    deadlines = {field: int(when) for field, when in zip(items[::3], items[2::3], strict=True) if when != b"0"}
    del items[2::3]
    return _of(items, deadlines)


def pack_table(data: Buffer, pos: int) -> tuple[Hash | Packed | None, int]:
    """The same as ``load_table``, but what is small stays packed."""
    start, end = pos, 0
    count = data[pos]
    if not 0 < count < SHORT:
        return load_table(data, pos)
    fields = set()
    pos += 1
    for _ in range(count):
        size = data[pos]
        end = pos + 1 + size
        more = data[end]
        if size >= SHORT or more >= SHORT:
            return load_table(data, start)
        fields.add(data[pos + 1 : end])
        pos = end + 1 + more
    if pos > len(data):
        raise IndexError
    if len(fields) != count:
        raise Damaged("a hash holds a field twice")
    return Packed(data[start:pos]), pos


def pack_ziplist(data: Buffer, pos: int) -> tuple[Hash | Packed | None, int]:
    value, pos = load_ziplist(data, pos)
    return value and (pack(value) or value), pos


def pack_listpack(data: Buffer, pos: int) -> tuple[Hash | Packed | None, int]:
    value, pos = load_listpack(data, pos)
    return value and (pack(value) or value), pos


def _of(items: list[bytes], deadlines: dict[bytes, int] | None = None) -> Hash | None:
    value = Hash(zip(items[::2], items[1::2], strict=True))
    if 2 * len(value) != len(items):
        raise Damaged("a hash holds a field twice")
    if deadlines is not None:  # none left: a server keeps the wider form all the same
        from redtool.engine.deadlines import Deadlines

        if deadlines and (min(deadlines.values()) < 0 or max(deadlines.values()) >= LATEST):
            raise Damaged("a field's deadline is no time")

        value.deadlines = Deadlines(deadlines)
    return value or None


def save(value: Hash, add: Add, form: int) -> int:
    if value.deadlines:
        return _save_fields(value, value.deadlines, add, form)
    add(pack_length(len(value)))
    for pair in value.items():
        save_strings(pair, add)
    return 4


def _save_fields(value: Hash, deadlines: dict[bytes, int], add: Add, form: int) -> int:
    if form >= VALKEY_FORMS:
        add(pack_length(len(value)))
        for pair in value.items():
            save_strings(pair, add)
            add(pack_i64(deadlines.get(pair[0], -1)))
        return 22
    if form < FIELDS_FROM:
        raise Unfit("the deadlines of its fields")
    first = min(deadlines.values())
    add(pack_i64(first))
    add(pack_length(len(value)))
    for pair in value.items():
        add(pack_length(deadlines.get(pair[0], first - 1) - first + 1))
        save_strings(pair, add)
    return 24


LOADERS = {4: load_table, 9: load_zipmap, 13: load_ziplist, 16: load_listpack,
           22: load_early_fields, 23: load_early_triples, 24: load_fields, 25: load_triples}  # fmt: skip
PACKED_LOADERS = {4: pack_table, 13: pack_ziplist, 16: pack_listpack}
VALKEY_LOADERS = {22: load_valkey_fields}
