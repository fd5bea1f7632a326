"""Lengths and strings of the RDB format, and which module reads and writes each value type.

A loader is ``load(data, pos) -> (value, pos)`` over bytes or an mmap; damaged data raises one of DAMAGE, which
the caller turns into an error with the offset. It gives None for an empty collection, which real
servers skip. A saver is ``save(value, add, form) -> type byte``; it calls ``add`` with pieces of bytes.
A type's codec is the module here with the name of its engine module: ``LOADERS`` by type byte, ``save`` and ``CLASS``.
"""

from __future__ import annotations

from struct import Struct, error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from mmap import mmap
    from typing import Any

    Buffer = bytes | mmap
    Loader = Callable[[Buffer, int], tuple[Any, int]]
    Add = Callable[[bytes], object]
    Saver = Callable[[Any, Add, int], int]


class Damaged(ValueError):
    """What is wrong with a file, in words for a person."""


DAMAGE = (ValueError, IndexError, error, OverflowError, MemoryError)  # what reading damaged data raises

u32be = Struct(">I").unpack_from
u64be = Struct(">Q").unpack_from
i16, i32, i64, f64 = (Struct(form).unpack_from for form in ("<h", "<i", "<q", "<d"))
pack_i64, pack_f64 = Struct("<q").pack, Struct("<d").pack

INT8 = [b"%d" % (n - 256 if n > 127 else n) for n in range(256)]  # by the unsigned byte in the file
LENGTH = [bytes([n]) for n in range(64)]  # the one-byte forms
LZF = 0xC3


def length(data: Buffer, pos: int) -> tuple[int, int]:
    """Read a length: (length, position after it)."""
    first = data[pos]
    if first < 64:
        return first, pos + 1
    if first < 128:
        return (first & 63) << 8 | data[pos + 1], pos + 2
    if first == 0x80:
        return u32be(data, pos + 1)[0], pos + 5
    if first == 0x81:
        return u64be(data, pos + 1)[0], pos + 9
    raise Damaged(f"no length starts with 0x{first:02x}")


def string(data: Buffer, pos: int) -> tuple[bytes, int]:
    """Read a string in any of its forms: raw, an integer, compressed."""
    first = data[pos]
    if first < 0xC0:
        size, pos = (first, pos + 1) if first < 64 else length(data, pos)
        end = pos + size
        if end > len(data):
            raise IndexError
        return data[pos:end], end
    if first == 0xC0:
        return INT8[data[pos + 1]], pos + 2
    if first == 0xC1:
        return b"%d" % i16(data, pos + 1)[0], pos + 3
    if first == 0xC2:
        return b"%d" % i32(data, pos + 1)[0], pos + 5
    if first == LZF:
        from redtool.persist.lzf import decompress

        packed, pos = length(data, pos + 1)
        size, pos = length(data, pos)
        end = pos + packed
        if end > len(data):
            raise IndexError
        return decompress(data[pos:end], size), end
    raise Damaged(f"no string starts with 0x{first:02x}")


def quoted(name: bytes) -> str:
    """A key or a name in a message for a person."""
    from redtool.words import quote

    return quote(name).decode("ascii")


def strings(data: Buffer, pos: int, count: int) -> tuple[list[bytes], int]:
    """Read ``count`` strings."""
    out: list[bytes] = []
    add = out.append
    for _ in range(count):
        size = data[pos]
        if size < 64:
            start = pos + 1
            pos = start + size
            add(data[start:pos])
        else:
            item, pos = string(data, pos)
            add(item)
    if pos > len(data):
        raise IndexError
    return out, pos


def load_string(data: Buffer, pos: int) -> tuple[Any, int]:
    """Type 0."""
    return string(data, pos)


def pack_length(size: int) -> bytes:
    """Write a length in its shortest form."""
    if size < 64:
        return LENGTH[size]
    if size < 1 << 14:
        return (size | 0x4000).to_bytes(2, "big")
    if size < 1 << 32:
        return b"\x80" + size.to_bytes(4, "big")
    return b"\x81" + size.to_bytes(8, "big")


def pack_int(text: bytes) -> bytes | None:
    """The integer form of a string of at most 11 bytes; None if it is not a canonical 32-bit integer."""
    try:
        value = int(text)
    except ValueError:
        return None
    if b"%d" % value != text:
        return None
    if -128 <= value < 128:
        return b"\xc0" + value.to_bytes(1, "little", signed=True)
    if -32768 <= value < 32768:
        return b"\xc1" + value.to_bytes(2, "little", signed=True)
    if -(1 << 31) <= value < 1 << 31:
        return b"\xc2" + value.to_bytes(4, "little", signed=True)
    return None


def save_string(value: bytes, add: Add, form: int) -> int:
    """Type 0: an integer where it is one, else raw."""
    packed = pack_int(value) if len(value) < 12 else None
    if packed is not None:
        add(packed)
    else:
        add(pack_length(len(value)))
        add(value)
    return 0


def save_strings(items: Iterable[bytes], add: Add) -> None:
    """Write strings raw."""
    for item in items:
        size = len(item)
        add(LENGTH[size] if size < 64 else pack_length(size))
        add(item)


# Where a type byte is at home; REDIS and VALKEY files give types from 22 on different meanings.
HOMES = {
    **dict.fromkeys((1, 10, 14, 18), "lists"),
    **dict.fromkeys((2, 11, 20), "sets"),
    **dict.fromkeys((3, 5, 12, 17), "zsets"),
    **dict.fromkeys((4, 9, 13, 16), "hashes"),
    **dict.fromkeys((15, 19, 21), "streams"),
    7: "modules",
}
REDIS_HOMES = {**HOMES, **dict.fromkeys((22, 23, 24, 25), "hashes")}
VALKEY_HOMES = {**HOMES, 22: "hashes"}

FUTURE = {
    False: {6: "MODULE_PRE_GA", 26: "STREAM_4", 27: "STREAM_5", 28: "ARRAY", 29: "HASH_TEMPLATE",
            30: "HASH_TEMPLATE", 31: "HASH_TEMPLATE", 32: "HASH_TEMPLATE", 33: "GCRA"},
    True: {6: "MODULE_PRE_GA", 23: "PATH_HASH"},
}  # fmt: skip


class Loaders(dict[int, "Loader"]):
    """Type byte -> loader of one family; a codec module is imported when its first value is met."""

    def __init__(self, valkey: bool, packs: bool = False) -> None:
        super().__init__({0: load_string})
        self.valkey, self.packs = valkey, packs
        self.homes = VALKEY_HOMES if valkey else REDIS_HOMES

    def __missing__(self, kind: int) -> Loader:
        home = self.homes.get(kind)
        if home is None:
            name = FUTURE[self.valkey].get(kind)
            raise Damaged(f"value type {kind}{f' ({name})' if name else ''} is not supported")
        module = home_of(home)
        self.update((kind, load) for kind, load in module.LOADERS.items() if self.homes.get(kind) == home)
        if self.valkey:
            self.update(getattr(module, "VALKEY_LOADERS", {}))
        if self.packs:
            self.update(getattr(module, "PACKED_LOADERS", {}))
        return self[kind]


class Savers(dict[type, "Saver"]):
    """Class of a value -> saver."""

    def __missing__(self, cls: type) -> Saver:
        save: Saver = home_of(cls.__module__.rpartition(".")[2]).save
        self[cls] = save
        return save


def home_of(name: str) -> Any:
    """The codec module of this name."""
    from importlib import import_module

    return import_module(f"redtool.persist.{name}")


REDIS, VALKEY = Loaders(False), Loaders(True)
PACKED = Loaders(False, True), Loaders(True, True)  # small hashes stay packed
SAVERS = Savers({bytes: save_string, bytearray: save_string})
