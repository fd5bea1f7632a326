"""Sets in RDB files: table (type 2, written), intset (11), listpack (20)."""

from __future__ import annotations

from redtool.engine.sets import LISTPACK, Set, by_number
from redtool.persist import listpack
from redtool.persist.codecs import Damaged, length, pack_length, save_strings, string, strings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.persist.codecs import Add, Buffer

    Loaded = tuple[Set | None, int]

INTSET_CODES = {2: "h", 4: "i", 8: "q"}


def load_table(data: Buffer, pos: int) -> Loaded:
    count, pos = length(data, pos)
    members, pos = strings(data, pos, count)
    return _of(members), pos


def load_listpack(data: Buffer, pos: int) -> Loaded:
    blob, pos = string(data, pos)
    value = _of(listpack.elements(blob))
    if value is not None and by_number(value) is not None:
        value.floor = LISTPACK  # integers that shared the set with something else once
    return value, pos


def load_intset(data: Buffer, pos: int) -> Loaded:
    from struct import iter_unpack

    blob, pos = string(data, pos)
    width, count = int.from_bytes(blob[:4], "little"), int.from_bytes(blob[4:8], "little")
    code = INTSET_CODES.get(width)
    if code is None or len(blob) != 8 + width * count:
        raise Damaged("damaged intset")
    return _of([b"%d" % value for (value,) in iter_unpack("<" + code, blob[8:])]), pos


def _of(members: list[bytes]) -> Set | None:
    value = Set(members)
    if len(value) != len(members):
        raise Damaged("a set holds a member twice")
    return value or None


def save(value: Set, add: Add, form: int) -> int:
    add(pack_length(len(value)))
    save_strings(value, add)
    return 2


LOADERS = {2: load_table, 11: load_intset, 20: load_listpack}
