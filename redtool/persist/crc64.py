"""CRC-64 of RDB files and DUMP payloads (Jones polynomial, reflected, no initial value).

Little data is summed here, four bits a step; importing anycrc costs as much as 300 KB of that.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

POLYNOMIAL = 0x95AC9329AC4BC9B5  # 0xad93d23594c935a9 with its bits reversed
IMPORT_FROM = 1 << 17  # bytes from which anycrc is worth its import
STEP = 1 << 20

_table: list[int] = []
_fast: Callable[[bytes | memoryview, int], int] | None = None
_patience = IMPORT_FROM  # bytes that are still summed here, as many short pieces


def crc64(data: bytes | memoryview, crc: int = 0) -> int:
    """Continue ``crc`` over ``data``."""
    global _patience
    if _fast is None and len(data) < _patience:
        _patience -= len(data)
        return _slow(data, crc)
    return fast()(data, crc)


def fast() -> Callable[[bytes | memoryview, int], int]:
    """The compiled sum, for those who stream: (data, crc so far) -> crc."""
    global _fast
    if _fast is None:
        _fast = _model().calc
    return _fast


def join(first: int, second: int, size: int) -> int:
    """The sum of two spans from their sums; ``size`` is the length of the second."""
    crc: int = _model().combine(first, second, size)
    return crc


def _model() -> Any:
    from anycrc import Model  # type: ignore[import-untyped]

    return Model("CRC64-REDIS")


def crc64_of(data: object, start: int, end: int) -> int:
    """Sum a span of a large buffer (an mmap too) without copying it."""
    if end - start < IMPORT_FROM:
        return crc64(data[start:end])  # type: ignore[index]
    crc, add = 0, fast()
    with memoryview(data) as view:  # type: ignore[arg-type]
        for at in range(start, end, STEP):
            with view[at : min(at + STEP, end)] as part:
                crc = add(part, crc)
    return crc


def _slow(data: bytes | memoryview, crc: int) -> int:
    table = _table or _build()
    for byte in data:
        crc ^= byte
        crc = table[crc & 15] ^ crc >> 4
        crc = table[crc & 15] ^ crc >> 4
    return crc


def _build() -> list[int]:
    for crc in range(16):
        for _ in range(4):
            crc = crc >> 1 ^ POLYNOMIAL if crc & 1 else crc >> 1
        _table.append(crc)
    return _table
