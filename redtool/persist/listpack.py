"""Listpacks, the packed lists of RDB files since Redis 7.0: read any, write those that streams need."""

from __future__ import annotations

from redtool.persist.codecs import INT8, Damaged, i16, i32, i64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

HEADER = 6  # u32 bytes, u16 elements (65535: count them)


def elements(blob: bytes) -> list[bytes]:
    """All elements, integers as their text; Damaged or IndexError when the blob is damaged."""
    end = len(blob) - 1
    if end < HEADER or int.from_bytes(blob[:4], "little") != len(blob) or blob[end] != 0xFF:
        raise Damaged("damaged listpack")
    out: list[bytes] = []
    add = out.append
    pos = HEADER
    while pos < end:
        first = blob[pos]
        if first < 0x80:
            add(INT8[first])
            size = 1
        elif first < 0xC0:
            size = 1 + (first & 63)
            add(blob[pos + 1 : pos + size])
        elif first < 0xE0:
            value = (first & 31) << 8 | blob[pos + 1]
            add(b"%d" % (value - 8192 if value > 4095 else value))
            size = 2
        elif first < 0xF0:
            size = 2 + ((first & 15) << 8 | blob[pos + 1])
            add(blob[pos + 2 : pos + size])
        else:
            item, size = _long(blob, pos, first)
            add(item)
        # Each element ends with its own size, for walking backward: 7 bits a byte.
        pos += size + (1 if size < 128 else 2 if size < 16384 else 3 if size < 2097152 else 4 if size < 1 << 28 else 5)
    count = int.from_bytes(blob[4:6], "little")
    if pos != end or (count != len(out) and count != 0xFFFF):
        raise Damaged("damaged listpack")
    return out


def _long(blob: bytes, pos: int, first: int) -> tuple[bytes, int]:
    """An element whose first byte is 0xF0 or above: (element, size without the trailing length)."""
    if first == 0xF0:
        size = 5 + int.from_bytes(blob[pos + 1 : pos + 5], "little")
        return blob[pos + 5 : pos + size], size
    if first == 0xF1:
        return b"%d" % i16(blob, pos + 1)[0], 3
    if first == 0xF2:
        return b"%d" % int.from_bytes(blob[pos + 1 : pos + 4], "little", signed=True), 4
    if first == 0xF3:
        return b"%d" % i32(blob, pos + 1)[0], 5
    if first == 0xF4:
        return b"%d" % i64(blob, pos + 1)[0], 9
    raise Damaged("damaged listpack")


def pack(items: Iterable[int | bytes]) -> bytes:
    """Build a listpack; integers must fit 64 bits, bytes stay strings."""
    out, count = bytearray(HEADER), 0
    for item in items:
        count += 1
        entry = _string(item) if isinstance(item, bytes) else _integer(item)
        out += entry
        out += _backlen(len(entry))
    out.append(0xFF)
    out[:4] = len(out).to_bytes(4, "little")
    out[4:6] = min(count, 0xFFFF).to_bytes(2, "little")
    return bytes(out)


def _string(item: bytes) -> bytes:
    size = len(item)
    if size < 64:
        return bytes([0x80 | size]) + item
    if size < 4096:
        return (0xE000 | size).to_bytes(2, "big") + item
    return b"\xf0" + size.to_bytes(4, "little") + item


def _integer(value: int) -> bytes:
    if 0 <= value < 128:
        return bytes([value])
    if -4096 <= value < 4096:
        return (0xC000 | value & 0x1FFF).to_bytes(2, "big")
    for first, size in ((b"\xf1", 2), (b"\xf2", 3), (b"\xf3", 4)):
        if -(1 << size * 8 - 1) <= value < 1 << size * 8 - 1:
            return first + value.to_bytes(size, "little", signed=True)
    return b"\xf4" + value.to_bytes(8, "little", signed=True)


def _backlen(size: int) -> bytes:
    """The entry's size in groups of 7 bits, the highest first; all but the first byte have the top bit set."""
    out = [size & 127]
    while size := size >> 7:
        out[-1] |= 128
        out.append(size & 127)
    return bytes(reversed(out))
