"""Bitmap commands: bits and small integers inside strings."""

from __future__ import annotations

from redtool import errors
from redtool.commands.table import group
from redtool.engine import bitmaps
from redtool.numeric import INT64_MIN, to_int

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from redtool.resp import Reply
    from redtool.session import Session

command = group("bitmap")

UINT64 = 2**64


def to_offset(c: Session, text: bytes, width: int = 0) -> int:
    """Read the offset of a bit; with a ``width``, ``#n`` is that of the n-th field."""
    counted = width and text[:1] == b"#"
    offset = to_int(text[1:] if counted else text, errors.BitOffset)
    if counted:
        offset = (offset * width - INT64_MIN) % UINT64 + INT64_MIN  # a product that wraps, as in bitops.c
    if offset < 0 or offset >> 3 >= c.config.get("proto-max-bulk-len", 536870912):
        raise errors.BitOffset
    return offset


@command("SETBIT key offset value", "write denyoom", since="2.2.0")
def setbit(c: Session, key: bytes, offset: bytes, value: bytes) -> Reply:
    """Set or clear one bit of a string; gives the bit that was there.

    > SETBIT seen:2026-01-05 7 1
    (integer) 0
    > SETBIT seen:2026-01-05 7 1
    (integer) 1
    > GETBIT seen:2026-01-05 7
    (integer) 1
    """
    at = to_offset(c, offset)
    bit = to_int(value, errors.BitValue)
    if bit not in (0, 1):
        raise errors.BitValue
    text, grown = room(c, key, at)
    old = bitmaps.set_bit(text, at, bit)
    c.changed(key, b"setbit", grown or old != bit)
    return old


def room(c: Session, key: bytes, last: int) -> tuple[bytearray, bool]:
    """The string under a key with room for bit ``last``, to be altered in place, and whether it had to grow."""
    old = c.writable(key, bytes)
    size = -1 if old is None else len(old)
    text = bitmaps.widened(old, last)
    if text is not old:
        c.put(key, text, keep_ttl=True)
    return text, len(text) != size


@command("GETBIT key offset", "readonly fast", since="2.2.0")
def getbit(c: Session, key: bytes, offset: bytes) -> Reply:
    """Give one bit of a string.

    > SETBIT seen:2026-01-05 7 1
    (integer) 0
    > GETBIT seen:2026-01-05 7
    (integer) 1
    > GETBIT seen:2026-01-05 100
    (integer) 0
    """
    at = to_offset(c, offset)
    value = c.readable(key, bytes)
    return 0 if value is None else bitmaps.get_bit(value, at)


def in_bits(args: tuple[bytes, ...]) -> bool:
    """Tell whether the range ``start end [BYTE | BIT]`` counts bits."""
    if len(args) > 3:
        raise errors.SyntaxError_
    unit = args[2].upper() if len(args) == 3 else b"BYTE"
    if unit not in (b"BYTE", b"BIT"):
        raise errors.SyntaxError_
    return unit == b"BIT"


def bit_range(size: int, first: int, last: int, bits: bool) -> tuple[int, int]:
    """The bits of a range of bytes or bits, negative ones from the end, as far as they lie in ``size`` bytes."""
    total = size * 8 if bits else size
    first = max(first + total if first < 0 else first, 0)
    last = min(max(last + total if last < 0 else last, 0), total - 1)
    return (first, last) if bits else (first * 8, last * 8 + 7)


@command("BITCOUNT key [start [end [BYTE | BIT]]]", "readonly", since="2.6.0", complexity="O(N) bytes", arity=-2)
def bitcount(c: Session, key: bytes, *args: bytes) -> Reply:
    r"""Count the ones in a string, or in a range of it.

    > SET flags "\xff\x01"
    OK
    > BITCOUNT flags
    (integer) 9
    > BITCOUNT flags 0 0
    (integer) 8
    > BITCOUNT flags 0 3 BIT
    (integer) 4
    """
    if len(args) > 3:
        raise errors.SyntaxError_
    first = to_int(args[0]) if args else 0
    bits = in_bits(args)
    last = to_int(args[1]) if len(args) > 1 else -1
    value = c.readable(key, bytes)
    if not value or last < first < 0:
        return 0
    first, last = bit_range(len(value), first, last, bits)
    return bitmaps.count(value, first, last) if first <= last else 0


@command("BITPOS key bit [start [end [BYTE | BIT]]]", "readonly", since="2.8.7", complexity="O(N) bytes", arity=-3)
def bitpos(c: Session, key: bytes, bit: bytes, *args: bytes) -> Reply:
    r"""Find the first bit that is set, or clear, in a string or a range of it.

    > SET flags "\x00\x0f"
    OK
    > BITPOS flags 1
    (integer) 12
    > BITPOS flags 0 1 1
    (integer) 8
    """
    wanted = to_int(bit)
    if wanted not in (0, 1):
        raise errors.BitArgument
    if len(args) > 3:
        raise errors.SyntaxError_
    first = to_int(args[0]) if args else 0
    bits = in_bits(args)
    last = to_int(args[1]) if len(args) > 1 else -1
    value = c.readable(key, bytes)
    if value is None:
        return -1 if wanted else 0
    first, last = bit_range(len(value), first, last, bits)
    if first > last:
        return -1
    found = bitmaps.position(value, wanted, first, last)
    if found is None:  # a string without an end given goes on with zeros
        return -1 if wanted or len(args) > 1 else len(value) * 8
    return found


@command("BITOP <AND | OR | XOR | NOT> destkey key [key ...]", "write denyoom", since="2.6.0",
         complexity="O(N) bytes")  # fmt: skip
def bitop(c: Session, operation: bytes, destkey: bytes, *keys: bytes) -> Reply:
    r"""Combine strings bit by bit and store the outcome; gives its length.

    > MSET mon "\x06" tue "\x03"
    OK
    > BITOP AND both mon tue
    (integer) 1
    > BITCOUNT both
    (integer) 1
    """
    how = operation.upper()
    if how not in (b"AND", b"OR", b"XOR", b"NOT"):
        raise errors.SyntaxError_
    if how == b"NOT" and len(keys) > 1:
        raise errors.BitopNot
    values = [c.readable(key, bytes) or b"" for key in keys]
    out = bitmaps.inverted(values[0]) if how == b"NOT" else bitmaps.combined(how, values)
    if out:
        c.put(destkey, out)
        c.changed(destkey, b"set")
    elif c.remove(destkey):
        c.changed(destkey, b"del")
    return len(out)


class Field:
    """One step of BITFIELD: GET, SET or INCRBY on ``width`` bits at ``offset``; ``number`` is None for GET."""

    __slots__ = ("add", "number", "offset", "overflow", "signed", "width")

    def __init__(self, c: Session, kind: bytes, offset: bytes) -> None:
        self.width = to_int(kind[1:], errors.BitfieldType) if kind[:1] in (b"i", b"u") else 0
        self.signed = kind[:1] == b"i"
        if not 1 <= self.width <= 63 + self.signed:
            raise errors.BitfieldType
        self.offset = to_offset(c, offset, self.width)
        self.number: int | None = None
        self.add, self.overflow = False, b"WRAP"

    def read(self, value: bytes | bytearray) -> int:
        return bitmaps.get_field(value, self.offset, self.width, self.signed)

    def write(self, value: bytearray) -> tuple[int | None, bool]:
        """Carry out SET or INCRBY; give the reply and whether anything changed."""
        assert self.number is not None
        old, number = self.read(value), self.number
        if self.add:
            number += old
        elif not self.signed:
            number %= UINT64  # a negative number is a great one to an unsigned field
        new = bitmaps.fitted(number, self.width, self.signed, self.overflow == b"SAT")
        if new != number and self.overflow == b"FAIL":
            return None, False
        bitmaps.set_field(value, self.offset, self.width, new)
        return (new if self.add else old), new != old


WORDS = {b"GET": 2, b"SET": 3, b"INCRBY": 3, b"OVERFLOW": 1}  # how many words each takes


def fields(c: Session, args: tuple[bytes, ...]) -> list[Field]:
    """Read the steps of BITFIELD."""
    out: list[Field] = []
    overflow, i = b"WRAP", 0
    while i < len(args):
        word = args[i].upper()
        step = args[i + 1 : i + 1 + WORDS.get(word, 0)]
        if not step or len(step) < WORDS[word]:
            raise errors.SyntaxError_
        i += 1 + len(step)
        if word == b"OVERFLOW":
            overflow = step[0].upper()
            if overflow not in (b"WRAP", b"SAT", b"FAIL"):
                raise errors.OverflowType
            continue
        field = Field(c, step[0], step[1])
        if word != b"GET":
            field.number, field.add, field.overflow = to_int(step[2]), word == b"INCRBY", overflow
        out.append(field)
    return out


def read_fields(c: Session, key: bytes, steps: list[Field]) -> Reply:
    value = c.readable(key, bytes) or b""
    return [step.read(value) for step in steps]


@command("BITFIELD key [GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] <SET encoding offset value"
         " | INCRBY encoding offset increment> [GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>]"
         " <SET encoding offset value | INCRBY encoding offset increment> ...]]",
         "write denyoom", since="3.2.0", complexity="O(1) a step")  # fmt: skip
def bitfield(c: Session, key: bytes, *args: bytes) -> Reply:
    """Read and alter integers of any width inside a string.

    > BITFIELD player:1 SET u8 #0 100 INCRBY i5 8 -3
    1) (integer) 0
    2) (integer) -3
    > BITFIELD player:1 OVERFLOW SAT INCRBY u8 #0 200
    1) (integer) 255
    """
    steps = fields(c, args)
    writes = [step.offset + step.width - 1 for step in steps if step.number is not None]
    if not writes:
        return read_fields(c, key, steps)
    value, grown = room(c, key, max(writes))
    replies: list[Any] = []
    changes = 0
    for step in steps:
        if step.number is None:
            replies.append(step.read(value))
        else:
            reply, changed = step.write(value)
            replies.append(reply)
            changes += changed or (grown and reply is not None)
    # Grown: a key that came to be by steps that all failed is journalled, but no event tells of it.
    c.changed(key, b"setbit" if changes else b"", changes or grown)
    return replies


@command("BITFIELD_RO key [GET encoding offset [GET encoding offset ...]]", "readonly fast", since="6.0.0",
         complexity="O(1) a step")  # fmt: skip
def bitfield_ro(c: Session, key: bytes, *args: bytes) -> Reply:
    """Read integers of any width inside a string.

    > BITFIELD player:1 SET u8 0 42
    1) (integer) 0
    > BITFIELD_RO player:1 GET u8 0 GET u4 4
    1) (integer) 42
    2) (integer) 10
    """
    steps = fields(c, args)
    if any(step.number is not None for step in steps):
        raise errors.BitfieldReadOnly
    return read_fields(c, key, steps)
