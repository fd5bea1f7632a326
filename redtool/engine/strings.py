"""String values: ``bytes``, or ``bytearray`` once altered in place (what Redis calls raw)."""

from __future__ import annotations

from sys import getsizeof

from redtool.numeric import is_int

EMBSTR_LIMIT = 44  # longest string Redis keeps in one allocation with its header

KIND = b"string"
HEAD = getsizeof(bytearray())  # bytes of a bytearray before those that it points to


def encoding(value: bytes | bytearray) -> bytes:
    """OBJECT ENCODING's answer: int, embstr or raw."""
    if type(value) is bytearray:
        return b"raw"
    if is_int(bytes(value)):
        return b"int"
    return b"embstr" if len(value) <= EMBSTR_LIMIT else b"raw"


def nbytes(value: bytes | bytearray) -> int:
    """Bytes of memory held."""
    from redtool.engine.memory import SIZES, block

    return SIZES[len(value)] if type(value) is bytes else block(HEAD) + block(getsizeof(value) - HEAD)


def slice_of(value: bytes | bytearray, start: int, end: int) -> bytes:
    """GETRANGE: both ends inclusive, negative from the end, out of range cut."""
    size = len(value)
    if start < 0 and end < 0 and start > end:
        return b""
    start = max(start + size, 0) if start < 0 else start
    end = max(end + size, 0) if end < 0 else end
    return bytes(value[start : min(end, size - 1) + 1])


def overlay(value: bytes | bytearray | None, offset: int, piece: bytes) -> bytearray:
    """SETRANGE: write ``piece`` at ``offset``, zero-filling the gap; alters a bytearray in place."""
    out = value if type(value) is bytearray else bytearray(value or b"")
    if len(out) < offset:
        out.extend(bytes(offset - len(out)))
    out[offset : offset + len(piece)] = piece
    return out


def longest_common_subsequence(a: bytes, b: bytes, least: int = 0) -> tuple[bytes, list[tuple[int, int, int, int]]]:
    """The subsequence, and its matching ranges (a start, a end, b start, b end) of at least ``least``, last first.

    O(len(a) * len(b)) time and memory; the walk back prefers moving in ``b`` as t_string.c lcsCommand does.
    """
    width = len(b) + 1
    rows = [[0] * width]
    for char in a:
        above, row = rows[-1], [0] * width
        left = 0
        for j, other in enumerate(b, 1):
            if char == other:
                left = above[j - 1] + 1
            else:
                up = above[j]
                if up > left:
                    left = up
            row[j] = left
        rows.append(row)
    return _walk_back(a, b, rows, least)


def _walk_back(a: bytes, b: bytes, rows: list[list[int]], least: int) -> tuple[bytes, list[tuple[int, int, int, int]]]:
    out = bytearray()
    ranges: list[tuple[int, int, int, int]] = []
    i, j = len(a), len(b)
    run: tuple[int, int, int, int] | None = None
    while i and j:
        if a[i - 1] == b[j - 1]:
            out.append(a[i - 1])
            if run is not None and run[0] == i and run[2] == j:
                run = (i - 1, run[1], j - 1, run[3])
            else:
                if run is not None:
                    ranges.append(run)
                run = (i - 1, i - 1, j - 1, j - 1)
            i -= 1
            j -= 1
        elif rows[i - 1][j] > rows[i][j - 1]:
            i -= 1
        else:
            j -= 1
    if run is not None:
        ranges.append(run)
    return bytes(out[::-1]), [r for r in ranges if r[1] - r[0] + 1 >= least]
