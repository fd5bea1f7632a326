"""Write RDB files: version 10 with the plain types, which Redis 7.0 to 8.2 and Valkey 8 and 9 all load, or another.

Databases are (number, keys, keys with a deadline, entries), entries (key, value, deadline in unix ms or None).
Hash fields with deadlines do not fit version 10: when one is met the file becomes ``fields_version``. So the nine
bytes of the header are known last; the checksum is summed without them and joined with theirs at the end.
What the versions given have no place for is refused (errors.Unfit), never left out.
"""

from __future__ import annotations

import os
from time import time

from redtool import errors
from redtool.persist.codecs import LENGTH, SAVERS, pack_i64, pack_int, pack_length, quoted, save_string
from redtool.persist.crc64 import IMPORT_FROM, crc64, fast, join
from redtool.persist.files import write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    Told = Callable[[bytes], tuple[int | None, int | None]]  # idle seconds or frequency of a key
    Entries = Iterable[tuple[bytes, Any, int | None]]
    Databases = Iterable[tuple[int, int, int, Entries]]
    Aux = Iterable[tuple[str, object]]

VERSION = 10  # REDIS0010
FIELDS_REDIS, FIELDS_VALKEY = 12, 80  # versions that hold deadlines of hash fields
FUNCTIONS_FROM = 10  # the version that brought libraries of functions
# What ``rdb-format`` may be: version, and version once deadlines of fields are met (0: they are refused)
FORMATS = {"0009": (9, 0), "0010": (VERSION, FIELDS_REDIS), "0012": (12, FIELDS_REDIS),
           "valkey080": (80, FIELDS_VALKEY)}  # fmt: skip
# The same for the base of a journal: a server that knows no version but 9 does not know journals in parts either
BASES = {**FORMATS, "0009": FORMATS["0010"]}
SERVER_VERSION = "7.0.15"  # what the file says wrote it: the first server that reads version 10
EXPIRE_MS, SIZES, SELECT, AUX, FUNCTION, EOF = b"\xfc", b"\xfb", b"\xfe", b"\xfa", b"\xf5", b"\xff"
IDLE, FREQ = b"\xf8", 0xF9
FIRST_OF_FIELDS = 22  # types from here on are those of fields with deadlines
CHUNK_PARTS, CHUNK_BYTES = 16_384, 1 << 18  # a piece is written at either
STRING = [bytes([0, size]) for size in range(64)]  # type byte and length of a key


class Body:
    """The pieces of a file after its header; ``version`` is right once they have all been taken.

    ``lenient``: a file for redtool itself, which reads any value in a file of any version. ``parts`` is about how many
    bits and pieces of keys and values are put together at a time.
    """

    parts = CHUNK_PARTS

    def __init__(self, databases: Databases, functions: Iterable[bytes] = (), aux: Aux = (), version: int = VERSION,
                 fields_version: int = FIELDS_REDIS, lenient: bool = False) -> None:  # fmt: skip
        self.databases, self.functions, self.aux = databases, functions, aux
        self.told: Mapping[int, Told] = {}  # what a database says of the last uses of its keys
        self.version, self.fields_version, self.lenient = version, fields_version, lenient

    @property
    def header(self) -> bytes:
        return b"VALKEY%03d" % self.version if self.version >= FIELDS_VALKEY else b"REDIS%04d" % self.version

    def __iter__(self) -> Iterator[bytes]:
        yield self._preface()
        for number, keys, expires, entries in self.databases:
            yield SELECT + pack_length(number) + SIZES + pack_length(keys) + pack_length(expires)
            yield from self._entries(entries, self.told.get(number))
        yield EOF

    def _preface(self) -> bytes:
        out: list[bytes] = []
        facts = [("redis-ver", SERVER_VERSION), ("redis-bits", 64), ("ctime", int(time())), *self.aux]
        for name, value in facts:
            out.append(AUX)
            save_string(name.encode(), out.append, self.version)
            save_string(str(value).encode(), out.append, self.version)
        for code in self.functions:
            if self.version < FUNCTIONS_FROM:
                raise errors.Unfit(f"functions cannot be written as {self.header.decode()}")
            out.append(FUNCTION)
            save_string(code, out.append, self.version)
        return b"".join(out)

    def _entries(self, entries: Entries, told: Told | None) -> Iterator[bytes]:
        """Encode keys and values. This loop is the time a large file takes: strings are encoded in place."""
        out: list[bytes] = []
        add = out.append
        heavy, parts = 0, self.parts  # bytes of long strings since the last piece
        for key, value, deadline in entries:
            if deadline is not None:
                add(EXPIRE_MS)
                add(pack_i64(deadline))
            if told is not None:
                idle, frequency = told(key)
                if idle is not None:
                    add(IDLE + pack_length(idle))
                elif frequency is not None:
                    add(bytes([FREQ, frequency]))
            kind = type(value)
            if kind is not bytes and kind is not bytearray:
                heavy += self._value(key, value, out)
            else:
                size = len(key)
                add(STRING[size] if size < 64 else b"\0" + pack_length(size))
                add(key)
                size = len(value)
                if size < 12 and (value.isdigit() or value[:1] == b"-") and (number := pack_int(value)):
                    add(number)
                elif size < 64:
                    add(LENGTH[size])
                    add(value)
                else:
                    add(pack_length(size))
                    add(value)
                    heavy += size
            if len(out) > parts or heavy > CHUNK_BYTES:
                yield b"".join(out)
                out.clear()
                heavy = 0
        yield b"".join(out)

    def _value(self, key: bytes, value: Any, out: list[bytes]) -> int:
        """Encode one key of any type; gives a measure of its weight."""
        at = len(out)
        out.append(b"")
        form = self.version if self.version >= FIELDS_REDIS or not _field_deadlines(value) else self.fields_version
        try:
            kind = SAVERS[type(value)](value, out.append, form)
        except errors.Unfit as error:
            if not self.lenient:
                raise errors.Unfit(f"key {quoted(key)}: {error} cannot be written as {self.header.decode()}") from None
            del out[at + 1 :]
            kind = SAVERS[type(value)](value, out.append, FIELDS_REDIS)
        if kind >= FIRST_OF_FIELDS:
            self.version = form
        out[at] = bytes([kind]) + pack_length(len(key)) + key
        return len(out) - at


def check_fits(databases: Databases, functions: Iterable[bytes], version: int, fields_version: int) -> None:
    """Raise Unfit where writing such a file would."""
    for _ in Body(databases, functions, (), version, fields_version):
        continue


def _field_deadlines(value: Any) -> bool:
    return bool(getattr(value, "deadlines", None))


def save(write: Callable[[bytes], object], databases: Databases, functions: Iterable[bytes] = (), aux: Aux = (),
         version: int = VERSION, fields_version: int = FIELDS_REDIS) -> int:  # fmt: skip
    """Write a whole file through ``write``, keeping it in memory meanwhile; gives the version it has."""
    body = Body(databases, functions, aux, version, fields_version)
    data = b"".join(body)
    data = body.header + data
    write(data)
    write(crc64(data).to_bytes(8, "little"))
    return body.version


def write_body(fd: int, body: Body) -> Iterator[int]:
    """Write a whole file to an empty file's descriptor piece by piece: gives the bytes so far, all of them at the end.

    Nothing is synced. Raises OSError, Unfit.
    """
    os.lseek(fd, len(body.header), os.SEEK_SET)
    pieces: list[bytes] = []
    size = crc = 0
    for piece in body:
        if size <= IMPORT_FROM < size + len(piece):  # large: from here on sum while writing
            for early in pieces:
                crc = fast()(early, crc)
            pieces.clear()
        size += len(piece)
        if size > IMPORT_FROM:
            crc = fast()(piece, crc)
        else:
            pieces.append(piece)
        write_all(fd, piece)
        yield size
    header = body.header
    crc = join(crc64(header), crc, size) if size > IMPORT_FROM else crc64(b"".join((header, *pieces)))
    write_all(fd, crc.to_bytes(8, "little"))
    os.pwrite(fd, header, 0)
    yield len(header) + size + 8
