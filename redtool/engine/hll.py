"""HyperLogLog in Redis's own bytes: a header and 16,384 registers of 6 bits, dense or run-length coded.

Header, 16 bytes: ``HYLL``, the encoding (0 dense, 1 sparse), 3 unused bytes, and the last cardinality found, little
endian, stale when its highest bit is set. Dense: the registers, 6 bits each, lowest bit first. Sparse opcodes:
``00llllll`` l + 1 zeros, ``01llllll llllllll`` the same up to 16,384, ``1vvvvvll`` l + 1 registers of value v + 1.
The estimator is Otmar Ertl's (arXiv 1702.01284, "New cardinality estimation algorithms for HyperLogLog sketches").
Everything follows hyperloglog.c step by step: which opcodes result depends on the order of the steps.
"""

from __future__ import annotations

from math import floor, inf, sqrt
from struct import iter_unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    Run = tuple[int, int]  # the value of some registers in a row, and their number

BITS = 14
REGISTERS = 1 << BITS
HIGHEST = 64 - BITS + 1  # a register counts the zeros of 50 bits, and one more
HEADER = 16
DENSE_SIZE = HEADER + REGISTERS * 6 // 8
DENSE, SPARSE = 0, 1
LONGEST_ZERO = 64  # registers a ZERO opcode covers
LONGEST_VALUE = 4  # registers a VAL opcode covers
GREATEST_VALUE = 32  # value a VAL opcode holds
ALPHA = 0.721347520444481703680
MASK = 2**64 - 1
SEED = 0xADC83B19
FACTOR = 0xC6A4A7935BD1E995

# Registers that a one-byte opcode covers; 0 for the first byte of an XZERO.
SPANS = [n + 1 for n in range(64)] + [0] * 64 + [(n & 3) + 1 for n in range(128)]
EMPTY = b"HYLL\1" + bytes(11) + b"\x7f\xff"


class Corrupt(Exception):
    """The registers are not 16,384."""


def murmur64a(data: bytes) -> int:
    """Hash by MurmurHash64A with the seed of hyperloglog.c."""
    size = len(data)
    hashed = SEED ^ (size * FACTOR & MASK)
    whole = size & ~7
    for (word,) in iter_unpack("<Q", data[:whole]):
        word = word * FACTOR & MASK
        hashed = (hashed ^ ((word ^ word >> 47) * FACTOR & MASK)) * FACTOR & MASK
    if whole != size:
        hashed = (hashed ^ int.from_bytes(data[whole:], "little")) * FACTOR & MASK
    hashed = (hashed ^ hashed >> 47) * FACTOR & MASK
    return hashed ^ hashed >> 47


def slot(element: bytes) -> Run:
    """The register of an element, and the value that the element asks for."""
    hashed = murmur64a(element)
    rest = hashed >> BITS | 1 << (HIGHEST - 1)
    return hashed & (REGISTERS - 1), (rest & -rest).bit_length()


def is_hll(value: bytes | bytearray) -> bool:
    """Tell whether the header is one, as far as a server looks."""
    if len(value) < HEADER or value[:4] != b"HYLL" or value[4] > SPARSE:
        return False
    return value[4] == SPARSE or len(value) == DENSE_SIZE


def cached(value: bytes | bytearray) -> int | None:
    """The cardinality in the header, None when it is stale."""
    return None if value[15] & 128 else int.from_bytes(value[8:16], "little")


def keep(value: bytearray, cardinality: int) -> None:
    """Write a cardinality into the header."""
    value[8:16] = (cardinality & MASK).to_bytes(8, "little")


def invalidate(value: bytearray) -> None:
    """Mark the cardinality in the header as stale."""
    value[15] |= 128


def add(value: bytearray, element: bytes, limit: int) -> bool:
    """Add an element; tell whether a register changed. A sparse value longer than ``limit`` turns dense."""
    index, count = slot(element)
    return put(value, index, count, limit)


def put(value: bytearray, index: int, count: int, limit: int) -> bool:
    """Raise a register to ``count``; tell whether it was lower."""
    return _put_dense(value, index, count) if value[4] == DENSE else _put_sparse(value, index, count, limit)


# -- dense


def _put_dense(value: bytearray, index: int, count: int) -> bool:
    at, shift = HEADER + index * 6 // 8, index * 6 & 7
    pair = value[at] | (value[at + 1] << 8 if shift > 2 else 0)
    if pair >> shift & 63 >= count:
        return False
    pair = pair & ~(63 << shift) | count << shift
    value[at] = pair & 255
    if shift > 2:
        value[at + 1] = pair >> 8
    return True


def registers(value: bytes | bytearray) -> bytes:
    """All registers, a byte each. Raises Corrupt."""
    if value[4] == SPARSE:
        return b"".join([bytes((number,)) * length for number, length in _whole(value)])
    a, b, c = bytes(value[HEADER::3]), bytes(value[HEADER + 1 :: 3]), bytes(value[HEADER + 2 :: 3])
    spread = bytearray(REGISTERS)  # three bytes hold four registers: worked on in planes, which costs no loop
    spread[0::4] = a.translate(LOW6)
    spread[1::4] = _united(a.translate(HIGH2), b.translate(LOW4_UP))
    spread[2::4] = _united(b.translate(HIGH4), c.translate(LOW2_UP))
    spread[3::4] = c.translate(HIGH6)
    return bytes(spread)


LOW6 = bytes(n & 63 for n in range(256))
HIGH2 = bytes(n >> 6 for n in range(256))
LOW4_UP = bytes((n & 15) << 2 for n in range(256))
HIGH4 = bytes(n >> 4 for n in range(256))
LOW2_UP = bytes((n & 3) << 4 for n in range(256))
HIGH6 = bytes(n >> 2 for n in range(256))


def _united(a: bytes, b: bytes) -> bytes:
    """Unite two strings of one length bit by bit."""
    return (int.from_bytes(a, "little") | int.from_bytes(b, "little")).to_bytes(len(a), "little")


def densify(value: bytearray) -> bool:
    """Turn a sparse value into a dense one; tell whether it was sparse. Raises Corrupt."""
    if value[4] == DENSE:
        return False
    packed, at = 0, 0
    for number, length in _whole(value):
        if number:
            packed |= sum(number << 6 * n for n in range(length)) << at
        at += 6 * length
    value[HEADER:] = packed.to_bytes(DENSE_SIZE - HEADER, "little")
    value[4] = DENSE
    return True


# -- sparse


def runs(value: bytes | bytearray) -> Iterator[Run]:
    """The opcodes of a sparse value as (value of the registers, how many)."""
    at, end = HEADER, len(value)
    while at < end:
        opcode = value[at]
        if opcode & 128:
            yield (opcode >> 2 & 31) + 1, (opcode & 3) + 1
        elif opcode & 64:
            yield 0, ((opcode & 63) << 8 | (value[at + 1] if at + 1 < end else 0)) + 1
            at += 1
        else:
            yield 0, opcode + 1
        at += 1


def _whole(value: bytes | bytearray) -> list[Run]:
    """The same as a list, if they cover all registers and no more. Raises Corrupt."""
    found, total = [], 0
    for run in runs(value):
        total += run[1]
        if total > REGISTERS:
            raise Corrupt
        found.append(run)
    if total != REGISTERS:
        raise Corrupt
    return found


def listing(value: bytes | bytearray) -> str:
    """The opcodes of a sparse value as PFDEBUG DECODE prints them."""
    out, at = [], HEADER
    for number, length in runs(value):
        wide = value[at] & 192 == 64
        out.append(f"v:{number},{length}" if number else f"{'Z' if wide else 'z'}:{length}")
        at += 2 if wide else 1
    return " ".join(out)


def _zeros(length: int) -> bytes:
    """The opcode of so many registers at zero; none for none."""
    if length > LONGEST_ZERO:
        return bytes((64 | (length - 1) >> 8, (length - 1) & 255))
    return bytes((length - 1,)) if length else b""


def _values(number: int, length: int) -> bytes:
    """The opcode of up to four registers of one value; none for none."""
    return bytes((128 | (number - 1) << 2 | (length - 1),)) if length else b""


def _locate(value: bytearray, index: int) -> tuple[int, int, int, int]:
    """The opcode that covers a register: the place of the one before, its own, its first register, how many it covers.

    Raises Corrupt when no opcode does. The loop is what an addition costs, so it does no more than it must.
    """
    opcodes = iter(bytes(value[HEADER:]))
    spans, stop, span, wide, wide_before = SPANS, 0, 0, -1, -1  # wide: where the last XZERO stops
    for opcode in opcodes:
        span = spans[opcode]
        if not span:
            span = ((opcode & 63) << 8 | next(opcodes, 0)) + 1
            wide, wide_before = stop + span, wide
        stop += span
        if stop > index:
            break
    else:
        raise Corrupt
    first = stop - span
    at = len(value) - opcodes.__length_hint__() - 1  # type: ignore[attr-defined]
    if wide == stop:
        at, wide = at - 1, wide_before
    before = at - (2 if wide == first else 1) if first else at
    return before, at, first, span


def _put_sparse(value: bytearray, index: int, count: int, limit: int) -> bool:
    """Raise a register of a sparse value (hllSparseSet). Raises Corrupt."""
    if count > GREATEST_VALUE:
        return _promote(value, index, count)
    before, at, first, span = _locate(value, index)
    opcode = value[at]
    if opcode & 128 and (opcode >> 2 & 31) + 1 >= count:
        return False
    left, right = index - first, first + span - 1 - index
    if opcode & 128:
        old = (opcode >> 2 & 31) + 1
        opcodes = _values(old, left) + _values(count, 1) + _values(old, right)
    else:
        opcodes = _zeros(left) + _values(count, 1) + _zeros(right)
    length = 2 if opcode & 192 == 64 else 1
    if len(opcodes) > length and len(value) + len(opcodes) - length > limit:
        return _promote(value, index, count)
    value[at : at + length] = opcodes
    _merge(value, before)
    invalidate(value)
    return True


def _promote(value: bytearray, index: int, count: int) -> bool:
    densify(value)
    return _put_dense(value, index, count)


def _merge(value: bytearray, at: int) -> None:
    """Unite equal values that stand side by side, within five opcodes from here on."""
    for _ in range(5):
        if at + 1 >= len(value):
            break
        opcode, following = value[at], value[at + 1]
        if opcode & 192 == 64:
            at += 2
            continue
        if opcode & 128 and following & 128 and opcode >> 2 == following >> 2:
            length = (opcode & 3) + (following & 3) + 2
            if length <= LONGEST_VALUE:
                value[at : at + 2] = _values((opcode >> 2 & 31) + 1, length)
                continue
        at += 1


def fill(value: bytearray, highest: bytes, limit: int) -> None:
    """Raise each register to what ``highest``, a byte a register, has: the highest of this value and others."""
    for index, count in enumerate(highest):
        if value[4] == DENSE:
            break
        if count:
            _put_sparse(value, index, count, limit)
    if value[4] == DENSE:
        value[HEADER:] = _packed(highest)


def _packed(spread: bytes) -> bytes:
    """Registers of a byte each as 6 bits each."""
    out = bytearray(DENSE_SIZE - HEADER)
    a, b, c, d = spread[0::4], spread[1::4], spread[2::4], spread[3::4]
    out[0::3] = _united(a, b.translate(LOW2_HIGH))
    out[1::3] = _united(b.translate(HIGH6), c.translate(LOW4_HIGH))
    out[2::3] = _united(c.translate(HIGH4), d.translate(LOW6_HIGH))
    return bytes(out)


LOW2_HIGH = bytes((n & 3) << 6 for n in range(256))
LOW4_HIGH = bytes((n & 15) << 4 for n in range(256))
LOW6_HIGH = bytes((n & 63) << 2 for n in range(256))


# -- counting


def merged(values: Iterable[bytes | bytearray]) -> bytes:
    """The highest of each register in several values, a byte a register. Raises Corrupt."""
    out: bytes | None = None
    for value in values:
        each = registers(value)
        out = each if out is None else bytes(map(max, out, each))
    return bytes(REGISTERS) if out is None else out


def cardinality(value: bytes | bytearray) -> int:
    """Estimate how many different elements were added. Raises Corrupt."""
    if value[4] == DENSE:
        return estimate(registers(value))
    histogram = [0] * 64
    for number, length in _whole(value):
        histogram[number] += length
    return _estimate(histogram)


def estimate(all_registers: bytes) -> int:
    """The same of registers, a byte each."""
    rest = REGISTERS
    histogram = [0] * 64
    for number in range(64):
        if rest:
            histogram[number] = all_registers.count(number)
            rest -= histogram[number]
    return _estimate(histogram)


def _estimate(histogram: Sequence[int]) -> int:
    size = float(REGISTERS)
    z = size * _tau((size - histogram[HIGHEST]) / size)
    for number in range(HIGHEST - 1, 0, -1):
        z = (z + histogram[number]) * 0.5
    z += size * _sigma(histogram[0] / size)
    return floor(ALPHA * size * size / z + 0.5) if z else 1 << 63  # what a server makes of an infinity


def _tau(x: float) -> float:
    if x in (0.0, 1.0):
        return 0.0
    y, z, before = 1.0, 1 - x, -1.0
    while before != z:
        x = sqrt(x)
        before = z
        y *= 0.5
        z -= (1 - x) ** 2 * y
    return z / 3


def _sigma(x: float) -> float:
    if x == 1.0:
        return inf
    y, z, before = 1.0, x, -1.0
    while before != z:
        x *= x
        before = z
        z += x * y
        y += y
    return z
