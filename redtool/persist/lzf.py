"""LZF, the compression of long strings in RDB files: reading only, writing it is never required."""

from __future__ import annotations

from redtool.persist.codecs import Damaged


def decompress(packed: bytes, size: int) -> bytes:
    """Unpack ``packed`` into exactly ``size`` bytes; Damaged when it is damaged.

    A control byte below 32 starts a literal run; any other a copy of earlier output (length in its
    high three bits, distance in the rest and one more byte), which may overlap what it writes.
    """
    if size > len(packed) * 132 + 264:  # three bytes give at most 264
        raise Damaged("compressed string claims an impossible size")
    out = bytearray()
    pos, end = 0, len(packed)
    while pos < end:
        control = packed[pos]
        pos += 1
        if control < 32:
            out += packed[pos : pos + control + 1]
            pos += control + 1
            continue
        count = (control >> 5) + 2
        if count == 9:
            count += packed[pos]
            pos += 1
        start = len(out) - ((control & 31) << 8 | packed[pos]) - 1
        pos += 1
        if start < 0:
            raise Damaged("compressed string refers to before its start")
        piece = out[start : start + count]
        if len(piece) < count:  # overlapping: the piece repeats
            piece = (piece * (count // len(piece) + 1))[:count]
        out += piece
    if pos != end or len(out) != size:
        raise Damaged("compressed string has the wrong size")
    return bytes(out)
