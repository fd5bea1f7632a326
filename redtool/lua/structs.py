"""The module ``struct``: numbers and strings packed as C would lay them out."""

from __future__ import annotations

import struct as native
import sys

from redtool.lua.faults import whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from redtool.lua.machine import Machine, Value

MAX_ALIGN = 8
MAX_INTEGER = 32  # bytes
MAX_SIZE = 2**31 - 1
SIZES = {"b": 1, "B": 1, "h": 2, "H": 2, "l": 8, "L": 8, "T": 8, "f": 4, "d": 8, "x": 1}


class Format:
    """Reads a format: options with their sizes, alignment and byte order."""

    def __init__(self, text: bytes, fault: Callable[[bytes], Exception]) -> None:
        self.text, self.at, self.fault = text.decode("latin-1"), 0, fault
        self.order = sys.byteorder
        self.align = 1

    def number(self, default: int) -> int:
        """The digits after an option."""
        start = self.at
        value = 0
        while self.text[self.at : self.at + 1].isdigit() and self.text[self.at].isascii():
            digit = int(self.text[self.at])
            if value > MAX_SIZE // 10 or value * 10 > MAX_SIZE - digit:
                raise self.fault(b"integral size overflow")
            value = value * 10 + digit
            self.at += 1
        return value if self.at > start else default

    def options(self) -> Iterator[tuple[str, int]]:
        """Each option with its size."""
        while self.at < len(self.text):
            option = self.text[self.at]
            self.at += 1
            yield option, self.size(option)

    def size(self, option: str) -> int:
        """An option's size in bytes; 0 for one that has none or is a matter of order."""
        if option in SIZES:
            return SIZES[option]
        if option == "c":
            return self.number(1)
        if option in "iI":
            size = self.number(4)
            if size > MAX_INTEGER:
                raise self.fault(b"integral size %d is larger than limit of %d" % (size, MAX_INTEGER))
            return size
        return 0

    def padding(self, size: int, option: str, at: int) -> int:
        """How many bytes come before an item so that it is aligned."""
        if size == 0 or option == "c" or self.align <= 1:
            return 0
        unit = min(size, self.align)
        return (unit - (at & (unit - 1))) & (unit - 1)

    def control(self, option: str) -> None:
        """An option that changes order or alignment."""
        if option == " ":
            return
        if option == ">":
            self.order = "big"
        elif option == "<":
            self.order = "little"
        elif option == "!":
            unit = self.number(MAX_ALIGN)
            if unit == 0 or unit & (unit - 1):
                raise self.fault(b"alignment is not a power of 2")
            self.align = unit
        else:
            raise ValueError(option)


def functions(machine: Machine) -> dict[bytes, object]:
    """The functions of the module."""
    places = machine.places

    def bad_option(option: str) -> Exception:
        return places.argument(1, b"invalid format option '%b'" % option.encode("latin-1"))

    def pack(*args: Value) -> bytes:
        form = Format(places.string(args, 0), places.fault)
        out = bytearray()
        index = 1
        for option, size in form.options():
            out += bytes(form.padding(size, option, len(out)))
            if option in "bBhHlLTiI":
                value = unsigned(places.number(args, index))
                index += 1
                out += integer_bytes(value, size, form.order)
            elif option == "x":
                out.append(0)
            elif option in "fd":
                out += float_bytes(places.number(args, index), option, form.order)
                index += 1
            elif option in "cs":
                text = places.string(args, index)
                index += 1
                size = size or len(text)
                if option == "s":
                    out += text + b"\0"
                    continue
                if len(text) < size:
                    raise places.argument(index + 1, b"string too short")
                out += text[:size]
            else:
                try:
                    form.control(option)
                except ValueError:
                    raise bad_option(option) from None
            machine.room(len(out))
        return bytes(out)

    def unpack(*args: Value) -> tuple[Value, ...]:
        form = Format(places.string(args, 0), places.fault)
        data = places.string(args, 1)
        at = whole(places.number(args, 2)) - 1 if len(args) > 2 and args[2] is not None else 0
        if at < 0:
            raise places.argument(3, b"offset must be 1 or greater")
        found: list[Value] = []
        for option, size in form.options():
            at += form.padding(size, option, at)
            if size > len(data) - at:
                raise places.argument(2, b"data string too short")
            if option in "bBhHlLTiI":
                found.append(integer_value(data[at : at + size], option, form.order))
            elif option in "fd":
                found.append(native.unpack((">" if form.order == "big" else "<") + option, data[at : at + size])[0])
            elif option == "c":
                if size == 0:
                    size = _length(found, places.fault)
                    if size > len(data) - at:
                        raise places.argument(2, b"data string too short")
                found.append(data[at : at + size])
            elif option == "s":
                end = data.find(b"\0", at)
                if end < 0:
                    raise places.fault(b"unfinished string in data")
                found.append(data[at:end])
                size = end - at + 1
            elif option != "x":
                try:
                    form.control(option)
                except ValueError:
                    raise bad_option(option) from None
            at += size
        return (*found, at + 1)

    def size_of(*args: Value) -> int:
        form = Format(places.string(args, 0), places.fault)
        at = 0
        for option, size in form.options():
            at += form.padding(size, option, at)
            if option == "s":
                raise places.argument(1, b"option 's' has no fixed size")
            if option == "c" and size == 0:
                raise places.argument(1, b"option 'c0' has no fixed size")
            if option not in "bBhHlLTiIfdxc":
                try:
                    form.control(option)
                except ValueError:
                    raise bad_option(option) from None
            at += size
        return at

    return {b"pack": pack, b"unpack": unpack, b"size": size_of}


def _length(found: list[Value], fault: Callable[[bytes], Exception]) -> int:
    if not found or isinstance(found[-1], bytes):
        raise fault(b"format 'c0' needs a previous size")
    return unsigned(found.pop())  # type: ignore[arg-type]


def unsigned(value: float) -> int:
    """A double as C casts it to an unsigned 64-bit number, a negative one by way of a signed."""
    if value != value:
        return 1 << 63
    if value < 0:
        return whole(value) & (1 << 64) - 1
    return int(value) if value < 2.0**64 else 0


def integer_bytes(value: int, size: int, order: str) -> bytes:
    """The low bytes of a 64-bit number; what lies beyond them is zero."""
    low = (value & (1 << 64) - 1) & (1 << 8 * size) - 1
    return low.to_bytes(size, "big" if order == "big" else "little")


def integer_value(data: bytes, option: str, order: str) -> float:
    """A number from its bytes, of which C keeps the low 64 bits."""
    value = int.from_bytes(data, "big" if order == "big" else "little") & (1 << 64) - 1
    if option.islower():
        bits = min(8 * len(data), 64)
        if bits and value >> (bits - 1):
            value -= 1 << bits
    return float(value)


def float_bytes(value: float, option: str, order: str) -> bytes:
    """A float or a double; what is too large for a float is infinite."""
    sign = ">" if order == "big" else "<"
    try:
        return native.pack(sign + option, value)
    except OverflowError:
        return native.pack(sign + option, float("inf") if value > 0 else float("-inf"))
