"""Bits of strings: bit 0 is the highest bit of the first byte; beyond the end all bits are 0.

Ranges of bits are inclusive and lie inside the string. Whole strings are worked on as one big integer, which is what
makes a count or a combination of megabytes quick.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

CHUNK = 1 << 16  # bytes looked through at once: a bit found early costs no copy of the whole
INVERTED = bytes(range(255, -1, -1))


def widened(value: bytes | bytearray | None, last: int) -> bytearray:
    """Give the string with room for bit ``last``, zero-filled; alters a bytearray in place."""
    out = value if type(value) is bytearray else bytearray(value or b"")
    lacking = (last >> 3) + 1 - len(out)
    if lacking > 0:
        out.extend(bytes(lacking))
    return out


def get_bit(value: bytes | bytearray, offset: int) -> int:
    """Give one bit."""
    at = offset >> 3
    return value[at] >> (7 - (offset & 7)) & 1 if at < len(value) else 0


def set_bit(value: bytearray, offset: int, bit: int) -> int:
    """Set a bit that lies inside; give the one that was there."""
    at, mask = offset >> 3, 128 >> (offset & 7)
    old = value[at]
    value[at] = old | mask if bit else old & ~mask
    return 1 if old & mask else 0


def get_field(value: bytes | bytearray, offset: int, width: int, signed: bool) -> int:
    """Give ``width`` bits as a number."""
    start, stop = offset >> 3, (offset + width + 7) >> 3
    piece = value[start:stop]
    number = int.from_bytes(piece, "big") << 8 * (stop - start - len(piece))
    number = number >> (stop * 8 - offset - width) & ((1 << width) - 1)
    return number - (1 << width) if signed and number >> (width - 1) else number


def set_field(value: bytearray, offset: int, width: int, number: int) -> None:
    """Write a number as ``width`` bits that lie inside."""
    start, stop = offset >> 3, (offset + width + 7) >> 3
    shift, mask = stop * 8 - offset - width, (1 << width) - 1
    old = int.from_bytes(value[start:stop], "big")
    value[start:stop] = (old & ~(mask << shift) | (number & mask) << shift).to_bytes(stop - start, "big")


def fitted(number: int, width: int, signed: bool, saturate: bool) -> int:
    """Bring a number that does not fit into ``width`` bits there: to the nearest one, or by dropping high bits."""
    least = -(1 << (width - 1)) if signed else 0
    most = least + (1 << width) - 1
    if least <= number <= most:
        return number
    if saturate:
        return most if number > most else least
    return (number - least) % (1 << width) + least


def count(value: bytes | bytearray, first: int, last: int) -> int:
    """Count the ones in a range."""
    number = int.from_bytes(value[first >> 3 : (last >> 3) + 1], "big") >> (7 - (last & 7))
    if first & 7:
        number &= (1 << (last - first + 1)) - 1
    return number.bit_count()


def position(value: bytes | bytearray, bit: int, first: int, last: int) -> int | None:
    """Find the first bit of this kind in a range; None when there is none."""
    start, stop = first >> 3, (last >> 3) + 1
    for at in range(start, stop, CHUNK):
        piece = bytes(value[at : min(at + CHUNK, stop)])
        if not bit:
            piece = piece.translate(INVERTED)
        if at == start:
            piece = bytes((piece[0] & 255 >> (first & 7),)) + piece[1:]
        rest = piece.lstrip(b"\0")
        if rest:
            found = (at + len(piece) - len(rest)) * 8 + 8 - rest[0].bit_length()
            return found if found <= last else None
    return None


def inverted(value: bytes | bytearray) -> bytearray:
    """Turn every bit over."""
    return bytearray(value.translate(INVERTED))


def combined(operation: bytes, values: Sequence[bytes | bytearray]) -> bytearray:
    """Combine strings bit by bit by AND, OR or XOR; the shorter ones are filled up with zeros."""
    size = max(map(len, values))
    total = int.from_bytes(values[0], "little")
    for value in values[1:]:
        number = int.from_bytes(value, "little")
        if operation == b"AND":
            total &= number
        elif operation == b"OR":
            total |= number
        else:
            total ^= number
    return bytearray(total.to_bytes(size, "little"))
