"""Ziplists and zipmaps, the packed collections of RDB files before Redis 7.0: reading only."""

from __future__ import annotations

from redtool.persist.codecs import INT8, Damaged, i16, i32, i64


def elements(blob: bytes) -> list[bytes]:
    """All elements of a ziplist, integers as their text; Damaged or IndexError when it is damaged."""
    end = len(blob) - 1
    if end < 10 or int.from_bytes(blob[:4], "little") != len(blob) or blob[end] != 0xFF:
        raise Damaged("damaged ziplist")
    out: list[bytes] = []
    pos = 10
    while pos < end:
        pos += 5 if blob[pos] == 0xFE else 1  # the previous element's size, for walking backward
        first = blob[pos]
        if first < 0xC0:
            if first < 0x40:
                start, size = pos + 1, first
            elif first < 0x80:
                start, size = pos + 2, (first & 63) << 8 | blob[pos + 1]
            else:
                start, size = pos + 5, int.from_bytes(blob[pos + 1 : pos + 5], "big")
            pos = start + size
            out.append(blob[start:pos])
        else:
            item, pos = _integer(blob, pos, first)
            out.append(item)
    count = int.from_bytes(blob[8:10], "little")
    if pos != end or (count != len(out) and count != 0xFFFF):
        raise Damaged("damaged ziplist")
    return out


def _integer(blob: bytes, pos: int, first: int) -> tuple[bytes, int]:
    if first == 0xC0:
        return b"%d" % i16(blob, pos + 1)[0], pos + 3
    if first == 0xD0:
        return b"%d" % i32(blob, pos + 1)[0], pos + 5
    if first == 0xE0:
        return b"%d" % i64(blob, pos + 1)[0], pos + 9
    if first == 0xF0:
        return b"%d" % int.from_bytes(blob[pos + 1 : pos + 4], "little", signed=True), pos + 4
    if first == 0xFE:
        return INT8[blob[pos + 1]], pos + 2
    if 0xF1 <= first <= 0xFD:
        return INT8[(first & 15) - 1], pos + 1
    raise Damaged("damaged ziplist")


def zipmap(blob: bytes) -> list[bytes]:
    """Field, value, field, value, … of a zipmap (hashes of Redis 2.4)."""
    out: list[bytes] = []
    end = len(blob) - 1
    if end < 1 or blob[end] != 0xFF:
        raise Damaged("damaged zipmap")
    pos = 1
    while pos < end:
        size, start = _zipmap_length(blob, pos)
        pos = start + size
        out.append(blob[start:pos])
        size, start = _zipmap_length(blob, pos)
        free = blob[start]
        start += 1
        pos = start + size
        out.append(blob[start:pos])
        pos += free
    if pos != end:
        raise Damaged("damaged zipmap")
    return out


def _zipmap_length(blob: bytes, pos: int) -> tuple[int, int]:
    if blob[pos] < 254:
        return blob[pos], pos + 1
    if blob[pos] == 254:
        return int.from_bytes(blob[pos + 1 : pos + 5], "little"), pos + 5
    raise Damaged("damaged zipmap")
