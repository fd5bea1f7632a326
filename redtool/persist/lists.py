"""Lists in RDB files: plain (type 1, written), ziplist (10), quicklists of ziplists (14) and listpacks (18)."""

from __future__ import annotations

from redtool.engine.lists import List
from redtool.persist import listpack, ziplist
from redtool.persist.codecs import Damaged, length, pack_length, save_strings, string, strings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.persist.codecs import Add, Buffer

    Loaded = tuple[List | None, int]

PLAIN, PACKED = 1, 2  # what a node of type 18 holds: one element, or a listpack


def load_plain(data: Buffer, pos: int) -> Loaded:
    count, pos = length(data, pos)
    items, pos = strings(data, pos, count)
    return List(items) if items else None, pos


def load_ziplist(data: Buffer, pos: int) -> Loaded:
    blob, pos = string(data, pos)
    items = ziplist.elements(blob)
    return List(items) if items else None, pos


def load_ziplists(data: Buffer, pos: int) -> Loaded:
    count, pos = length(data, pos)
    value = List()
    for _ in range(count):
        blob, pos = string(data, pos)
        value.extend(ziplist.elements(blob))
    return value or None, pos


def load_listpacks(data: Buffer, pos: int) -> Loaded:
    count, pos = length(data, pos)
    value = List()
    for _ in range(count):
        container, pos = length(data, pos)
        blob, pos = string(data, pos)
        if container == PACKED:
            value.extend(listpack.elements(blob))
        elif container == PLAIN:
            value.append(blob)
        else:
            raise Damaged("unknown container in a list")
    return value or None, pos


def save(value: List, add: Add, form: int) -> int:
    add(pack_length(len(value)))
    save_strings(value, add)
    return 1


LOADERS = {1: load_plain, 10: load_ziplist, 14: load_ziplists, 18: load_listpacks}
