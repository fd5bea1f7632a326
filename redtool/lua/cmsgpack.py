"""The module ``cmsgpack``: MessagePack of Lua values."""

from __future__ import annotations

import struct

from redtool.lua.faults import Fault, whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from redtool.lua.machine import Machine, Value

NAMES: dict[bytes, object] = {
    b"_NAME": b"cmsgpack", b"_VERSION": b"lua-cmsgpack 0.4.0", b"_COPYRIGHT": b"none", b"_DESCRIPTION":
    b"MessagePack for Lua",
}  # fmt: skip


class Short(Exception):
    """The data end too early."""


class Bad(Exception):
    """The data are no MessagePack."""


def load(machine: Machine) -> None:
    """Put the walk in place, once the interpreter stands."""
    machine.flatten = machine.safely(machine.chunk("msgpack.lua", machine.contents_of))


def functions(machine: Machine) -> dict[bytes, object]:
    """The functions of the module."""
    places = machine.places

    def pack(*args: Value) -> bytes:
        if not args:
            raise places.argument(0, b"MessagePack pack needs input.")
        return b"".join(packed(machine, value) for value in args)

    def unpack(*args: Value) -> tuple[Any, ...]:
        return _unpack(places.string(args, 0), 0, 0, full=True)

    def unpack_one(*args: Value) -> tuple[Any, ...]:
        offset = whole(places.number(args, 1)) if len(args) > 1 else 0
        return _unpack(places.string(args, 0), 1, offset)

    def unpack_limit(*args: Value) -> tuple[Any, ...]:
        limit = whole(places.number(args, 1))
        offset = whole(places.number(args, 2)) if len(args) > 2 else 0
        return _unpack(places.string(args, 0), limit, offset)

    def _unpack(data: bytes, limit: int, offset: int, full: bool = False) -> tuple[Any, ...]:
        if offset < 0 or limit < 0:
            raise places.fault(b"Invalid request to unpack with offset of %d and limit of %d." % (offset, len(data)))
        if offset > len(data):
            raise places.fault(b"Start offset %d greater than input length %d." % (offset, len(data)))
        if full:
            limit = 2**31 - 1
        machine.room(len(data) * 24)
        found: list[Any] = []
        at = offset
        while at < len(data) and len(found) < limit:
            try:
                value, at = unpacked(machine, data, at, 0)
            except Short:
                raise places.fault(b"Missing bytes in input.") from None
            except (Bad, RecursionError):
                raise places.fault(b"Bad data format in input.") from None
            found.append(value)
        if not full:
            found.insert(0, -1 if at >= len(data) else at)
        return tuple(found)

    return {b"pack": pack, b"unpack": unpack, b"unpack_one": unpack_one, b"unpack_limit": unpack_limit, **NAMES}


def packed(machine: Machine, value: Value) -> bytes:
    """The MessagePack of one Lua value."""
    if isinstance(value, bytes):
        return text(value)
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int | float):
        return number(value)
    if value is None:
        return b"\xc0"
    ok, flat = machine.flatten(value)
    if not ok:
        raise MemoryError
    items = machine.take(flat, int(flat[0]))
    machine.room(sum(len(item) if isinstance(item, bytes) else 9 for item in items))
    out: list[bytes] = []
    take = iter(items).__next__
    fixed = {3: b"\xc3", 4: b"\xc2", 5: b"\xc0"}
    for kind in iter(lambda: next_or_none(take), None):
        if kind == 1:
            out.append(text(take()))  # type: ignore[arg-type]
        elif kind == 2:
            out.append(number(take()))  # type: ignore[arg-type]
        elif kind in fixed:
            out.append(fixed[kind])
        else:
            count = int(take())  # type: ignore[call-overload]
            out.append(header(count, 0x90, 0xDC) if kind == 6 else header(count, 0x80, 0xDE))
    return b"".join(out)


def next_or_none(take: Any) -> object:
    """The next item, or None at the end."""
    try:
        return take()
    except StopIteration:
        return None


def header(count: int, fix: int, wide: int) -> bytes:
    """The bytes before an array or a map of this length."""
    if count < 16:
        return bytes((fix | count,))
    if count < 65536:
        return struct.pack(">BH", wide, count)
    return struct.pack(">BI", wide + 1, count)


def text(value: bytes) -> bytes:
    """A string with its length."""
    size = len(value)
    if size < 32:
        return bytes((0xA0 | size,)) + value
    if size < 256:
        return b"\xd9" + bytes((size,)) + value
    if size < 65536:
        return struct.pack(">BH", 0xDA, size) + value
    return struct.pack(">BI", 0xDB, size) + value


def number(value: float) -> bytes:
    """A number: an integer in the fewest bytes, else a float if it holds it, else a double."""
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf")) or value != int(value)):
        return real(value)
    number = int(value)
    if not -(2**63) <= number < 2**63:
        return real(float(value))
    if number >= 0:
        if number < 128:
            return bytes((number,))
        for limit, code, form in ((1 << 8, 0xCC, ">BB"), (1 << 16, 0xCD, ">BH"), (1 << 32, 0xCE, ">BI")):
            if number < limit:
                return struct.pack(form, code, number)
        return struct.pack(">BQ", 0xCF, number)
    if number >= -32:
        return struct.pack(">b", number)
    for limit, code, form in ((1 << 7, 0xD0, ">Bb"), (1 << 15, 0xD1, ">Bh"), (1 << 31, 0xD2, ">Bi")):
        if number >= -limit:
            return struct.pack(form, code, number)
    return struct.pack(">Bq", 0xD3, number)


def real(value: float) -> bytes:
    """A float where that is exact, else a double."""
    try:
        short = struct.pack(">f", value)
    except OverflowError:
        return struct.pack(">Bd", 0xCB, value)
    if struct.unpack(">f", short)[0] == value:
        return b"\xca" + short
    return struct.pack(">Bd", 0xCB, value)


FIXED = {0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q", 0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q",
         0xCA: ">f", 0xCB: ">d"}  # fmt: skip
LENGTHS = {0xD9: 1, 0xDA: 2, 0xDB: 4}
ARRAYS = {0xDC: 2, 0xDD: 4}
MAPS = {0xDE: 2, 0xDF: 4}


def unpacked(machine: Machine, data: bytes, at: int, depth: int) -> tuple[Any, int]:
    """Read one value: it and where the next one begins."""
    if at >= len(data):
        raise Short
    code = data[at]
    at += 1
    if code < 0x80:
        return code, at
    if code >= 0xE0:
        return code - 256, at
    if 0xA0 <= code < 0xC0:
        return _slice(data, at, code & 31)
    if code < 0x90:
        return _map(machine, data, at, code & 15, depth)
    if code < 0xA0:
        return _array(machine, data, at, code & 15, depth)
    if code in (0xC0, 0xC2, 0xC3):
        return (None, False, True)[(0xC0, 0xC2, 0xC3).index(code)], at
    if code in FIXED:
        piece, end = _slice(data, at, struct.calcsize(FIXED[code]))
        value = struct.unpack(FIXED[code], piece)[0]
        return float(value) if code == 0xCF else value, end
    width = LENGTHS.get(code) or ARRAYS.get(code) or MAPS.get(code)
    if not width:
        raise Bad
    piece, at = _slice(data, at, width)
    count = int.from_bytes(piece, "big")
    if code in LENGTHS:
        return _slice(data, at, count)
    return (_array if code in ARRAYS else _map)(machine, data, at, count, depth)


def _slice(data: bytes, at: int, size: int) -> tuple[bytes, int]:
    end = at + size
    if end > len(data):
        raise Short
    return data[at:end], end


def _array(machine: Machine, data: bytes, at: int, count: int, depth: int) -> tuple[Any, int]:
    items = []
    for _ in range(count):
        value, at = unpacked(machine, data, at, depth + 1)
        items.append(value)
    return machine.table(items), at


def _map(machine: Machine, data: bytes, at: int, count: int, depth: int) -> tuple[Any, int]:
    table = machine.table({})
    for _ in range(count):
        key, at = unpacked(machine, data, at, depth + 1)
        value, at = unpacked(machine, data, at, depth + 1)
        if key is None or key != key:
            raise Fault(b"table index is nil" if key is None else b"table index is NaN")
        table[key] = value
    return table, at
