"""Values of modules in RDB files (type 7): stepped over, except those of types that redtool has itself."""

from __future__ import annotations

from redtool.persist.codecs import Damaged, home_of, length, string

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from redtool.persist.codecs import Buffer

END, SIGNED, UNSIGNED, FLOAT, DOUBLE, STRING = range(6)
SIZES = {FLOAT: 4, DOUBLE: 8}
HOMES = {"vectorset": "vectors"}  # a type's name -> the module whose ``load`` reads its data
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class ModuleValue:
    """A value that was stepped over; ``name`` is its type as the module registered it."""

    __slots__ = ("name",)
    kind = b"module"

    def __init__(self, name: str) -> None:
        self.name = name


def load(data: Buffer, pos: int) -> tuple[Any, int]:
    number, pos = length(data, pos)
    name = type_name(number)
    home = HOMES.get(name)
    if home is None:
        return ModuleValue(name), skip(data, pos)
    value, pos = home_of(home).load(data, pos, number & 0x3FF)
    return value, pos


def type_name(number: int) -> str:
    """Nine characters of six bits, above ten bits of version."""
    return "".join(LETTERS[number >> shift & 63] for shift in range(58, 9, -6))


def skip(data: Buffer, pos: int) -> int:
    """Step over a module's data: tagged items up to the end tag."""
    while True:
        tag, pos = length(data, pos)
        if tag == END:
            return pos
        if tag in (SIGNED, UNSIGNED):
            _, pos = length(data, pos)
        elif tag in SIZES:
            pos += SIZES[tag]
        elif tag == STRING:
            _, pos = string(data, pos)
        else:
            raise Damaged("unknown item in a module's data")


LOADERS = {7: load}
