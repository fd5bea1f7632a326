"""Sorted sets in RDB files: binary scores (type 5, written), text scores (3), ziplist (12), listpack (17)."""

from __future__ import annotations

from redtool.engine.zsets import ZSet
from redtool.persist import listpack, ziplist
from redtool.persist.codecs import LENGTH, Damaged, f64, length, pack_f64, pack_length, string

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.persist.codecs import Add, Buffer

    Loaded = tuple[ZSet | None, int]

SPECIAL = {253: float("nan"), 254: float("inf"), 255: float("-inf")}  # type 3: in place of the text's length


def load_binary(data: Buffer, pos: int) -> Loaded:
    count, pos = length(data, pos)
    scores: dict[bytes, float] = {}
    for _ in range(count):
        size = data[pos]
        if size < 64:
            start = pos + 1
            pos = start + size
            member = data[start:pos]
        else:
            member, pos = string(data, pos)
        scores[member] = f64(data, pos)[0]
        pos += 8
    return _of(scores, count), pos


def load_text(data: Buffer, pos: int) -> Loaded:
    count, pos = length(data, pos)
    scores: dict[bytes, float] = {}
    for _ in range(count):
        member, pos = string(data, pos)
        size = data[pos]
        pos += 1
        if size in SPECIAL:
            scores[member] = SPECIAL[size]
        else:
            scores[member] = float(data[pos : pos + size])
            pos += size
    return _of(scores, count), pos


def load_listpack(data: Buffer, pos: int) -> Loaded:
    blob, pos = string(data, pos)
    return _flat(listpack.elements(blob)), pos


def load_ziplist(data: Buffer, pos: int) -> Loaded:
    blob, pos = string(data, pos)
    return _flat(ziplist.elements(blob)), pos


def _flat(items: list[bytes]) -> ZSet | None:
    """From member, score, member, score, …"""
    return _of(dict(zip(items[::2], map(float, items[1::2]), strict=True)), len(items) // 2)


def _of(scores: dict[bytes, float], count: int) -> ZSet | None:
    if len(scores) != count:
        raise Damaged("a sorted set holds a member twice")
    if not count:
        return None
    if any(score != score for score in scores.values()):
        raise Damaged("a score is not a number")
    return ZSet.of(scores)


def save(value: ZSet, add: Add, form: int) -> int:
    add(pack_length(len(value)))
    for member, score in value.scores.items():
        size = len(member)
        add(LENGTH[size] if size < 64 else pack_length(size))
        add(member)
        add(pack_f64(score))
    return 5


LOADERS = {3: load_text, 5: load_binary, 12: load_ziplist, 17: load_listpack}
