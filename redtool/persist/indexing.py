"""Build the index of a snapshot in one pass over it. What it looks like is in ``index``."""

from __future__ import annotations

import os
from array import array
from zlib import crc32

from redtool import errors
from redtool.persist import rdb
from redtool.persist.codecs import DAMAGE, REDIS, VALKEY, Damaged, i64, length, string
from redtool.persist.crc64 import crc64_of
from redtool.persist.files import INDEX, replace, write_all
from redtool.persist.index import DIRECTORY, HEAD, MAGIC, SMALLEST, before_key, pages_of
from redtool.persist.rdb import EXPIRE_MS, EXPIRE_S, FREQ, IDLE
from redtool.persist.skip import REDIS_STEPS, VALKEY_STEPS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from redtool.persist.codecs import Buffer

    Advance = Callable[[int], object]

ENDLESS = 1 << 62
MANY = 1 << 16  # pages that a checksum each is kept for, at most
CHAIN = 4096  # slots that a key may be away from its own; more is no accident
TELL = 1 << 20  # bytes between two tellings of how far the pass is
HARD_TYPE = 7  # values of modules, which may be left out
BEFORE_KEYS = (EXPIRE_MS, EXPIRE_S, IDLE, FREQ)  # opcodes that tell of the key that follows
EMPTY_TYPES = (1, 2, 3, 4, 5, 14, 18)  # begin with a count: 0 is no key
# Bytes of memory beside those in the file, roughly: a key with its value, a byte of a collection
OVERHEAD, SPREAD = 190, 4


class _Database:
    """What the pass finds of one database."""

    def __init__(self, number: int, start: int) -> None:
        self.number, self.start, self.end = number, start, start
        self.codes, self.places = array("I"), array("Q")
        self.deadlines: list[tuple[int, int]] = []
        self.memory = 0

    def forget(self) -> None:
        """Give back the memory of what has been written down."""
        del self.codes[:], self.places[:], self.deadlines[:]


class _Pass:
    """One pass over a snapshot."""

    def __init__(self, data: Buffer, path: str, advance: Advance | None) -> None:
        self.data, self.path, self.advance = data, path, advance
        self.version, self.valkey = rdb.header(data, path)
        self.steps = VALKEY_STEPS if self.valkey else REDIS_STEPS
        self.functions: list[int] = []
        self.databases: list[_Database] = []
        self.pos = 9

    def run(self) -> None:
        """Find every key. Raises CorruptFile, and StoreError for a file that has no index."""
        try:
            while self._keys() != rdb.EOF:
                self._opcode()
        except DAMAGE as error:
            reason = str(error) if isinstance(error, Damaged) else "cut short or damaged"
            raise errors.CorruptFile(self.path, self.pos, reason) from None
        end = self.pos + 1
        if self.version >= 5:
            stored = int.from_bytes(self.data[end : end + 8], "little")
            if end + 8 > len(self.data) or (stored and stored != crc64_of(self.data, 0, end)):
                raise errors.CorruptFile(self.path, end, "the checksum does not match")

    def _keys(self) -> int:
        """Take keys until there is something else, and give its first byte. This loop is the time the pass takes."""
        data, pos, steps, told = self.data, self.pos, self.steps, self.pos
        if not self.databases:
            self.databases.append(_Database(0, pos))
        found = self.databases[-1]
        add_code, add_place = found.codes.append, found.places.append
        memory = 0
        at = pos
        try:
            while True:
                at = pos
                when, kind, pos = -1, data[pos], pos + 1
                if kind == EXPIRE_MS:
                    when, kind, pos = i64(data, pos)[0], data[pos + 8], pos + 9
                if kind not in steps:
                    if data[at] not in BEFORE_KEYS:
                        return data[at]
                    kind, deadline, _, _, pos = before_key(data, at)
                    when = -1 if deadline is None else deadline
                    if kind not in steps:
                        raise Damaged(f"value type {kind} is not supported")
                size = data[pos]
                if size < 64:
                    start, pos = pos + 1, pos + 1 + size
                    key = data[start:pos]
                else:
                    key, pos = string(data, pos)
                start = pos
                if kind:
                    pos = steps[kind](data, pos)
                    memory += SPREAD * (pos - start)
                    if (not data[start] and kind in EMPTY_TYPES) or (kind == HARD_TYPE and self._foreign(start)):
                        continue
                elif data[pos] < 64:
                    pos += 1 + data[pos]
                else:
                    pos = steps[0](data, pos)
                if pos > len(data):
                    raise IndexError
                memory += pos - at
                add_code(crc32(key))
                add_place(at)
                if when != -1:
                    found.deadlines.append((max(when, 0), at))
                if self.advance is not None and pos - told > TELL:
                    told = pos
                    self.advance(pos)
        finally:
            self.pos = found.end = at
            found.memory += memory

    def _foreign(self, pos: int) -> bool:
        """Whether a module's value is of a kind that is left out."""
        value = (VALKEY if self.valkey else REDIS)[HARD_TYPE](self.data, pos)[0]
        return value is None or value.kind == b"module"

    def _opcode(self) -> None:
        data, kind, pos = self.data, self.data[self.pos], self.pos + 1
        if kind == rdb.SELECT:
            number, pos = length(data, pos)
            if any(number == other.number and other.places for other in self.databases):
                raise errors.StoreError(f"{self.path} comes to database {number} twice")
            self.databases = [db for db in self.databases if db.places]
            self.databases.append(_Database(number, pos))
        elif kind in (rdb.SIZES, rdb.AUX, rdb.SLOT_INFO):
            step = _number if kind != rdb.AUX else self.steps[0]
            for _ in range(3 if kind == rdb.SLOT_INFO else 2):
                pos = step(data, pos)
        elif kind == rdb.FUNCTION:
            self.functions.append(pos)
            pos = self.steps[0](data, pos)
        elif kind == rdb.MODULE_AUX:
            from redtool.persist.modules import skip

            for _ in range(3):
                _, pos = length(data, pos)
            pos = skip(data, pos)
        else:
            raise Damaged(f"type or opcode {kind} is not supported")
        if pos > len(data):
            raise IndexError
        self.pos = pos
        if self.databases and not self.databases[-1].places:
            self.databases[-1].start = pos
        elif kind != rdb.SELECT:
            raise errors.StoreError(f"{self.path} has more than keys among its keys")


def _number(data: Buffer, pos: int) -> int:
    return length(data, pos)[1]


def index_of(data: Buffer, path: str, mtime: int = 0, advance: Advance | None = None) -> bytes:
    """The index of a snapshot. Raises CorruptFile, and StoreError for a file that cannot have one."""
    return b"".join(_parts(data, path, mtime, advance))


def _parts(data: Buffer, path: str, mtime: int, advance: Advance | None) -> tuple[bytes, bytearray]:
    """The head of the index and its body, which may be large."""
    found = _Pass(data, path, advance)
    found.run()
    databases = [db for db in found.databases if db.places]
    body, records = bytearray(), []
    for db in databases:
        slots = len(db.places) * 3 // 2 + 1
        records.append((db.number, 0, len(db.places), len(db.deadlines), slots, db.memory + OVERHEAD * len(db.places),
                        len(body) // 8, db.start, db.end))  # fmt: skip
        body += _table(db, slots, data, path)
        db.deadlines.sort()
        times = array("Q")
        for pair in db.deadlines:
            times.extend(pair)
        body += times.tobytes()
        db.forget()
    tail = int.from_bytes(data[-8:], "little")
    shift, own_shift = _shift(len(data)), _shift(len(body))
    fixed = [*(DIRECTORY.pack(*record) for record in records), *(p.to_bytes(8, "little") for p in found.functions)]
    sums = array("I", (*_sums(data, shift), *_sums(body, own_shift)))
    rest = b"".join((*fixed, sums.tobytes()))
    rest += bytes(-(HEAD.size + len(rest)) % 8)
    facts = (len(data), tail, mtime, shift, own_shift, len(records), len(found.functions))
    size = HEAD.size + len(rest)
    crc = crc32(HEAD.pack(MAGIC, size, 0, *facts) + rest)
    return HEAD.pack(MAGIC, size, crc, *facts) + rest, body


def _table(db: _Database, slots: int, data: Buffer, path: str) -> bytes:
    """The slots of one database. Raises CorruptFile for a key that is there twice."""
    table = array("Q", bytes(8 * slots))
    for code, place in zip(db.codes, db.places, strict=True):
        slot, tag = code * slots >> 32, code & 0xFFFF
        steps = 0
        while word := table[slot]:
            if word & 0xFFFF == tag and _name(data, (word >> 16) - 1) == _name(data, place):
                raise errors.CorruptFile(path, place, "a key is there twice in its database")
            slot = slot + 1 if slot + 1 < slots else 0
            steps += 1
            if steps > CHAIN:
                raise errors.StoreError(f"{path} cannot have an index: too many keys of the same checksum")
        table[slot] = (place + 1) << 16 | tag
    return table.tobytes()


def _name(data: Buffer, place: int) -> bytes:
    """The key of an entry that the pass has gone over."""
    return string(data, before_key(data, place)[4])[0]


def _shift(size: int) -> int:
    """The power of two that pages of a buffer have."""
    shift = SMALLEST
    while pages_of(size, shift) > MANY:
        shift += 1
    return shift


def _sums(data: Buffer | bytearray, shift: int) -> list[int]:
    with memoryview(data) as view:
        return [crc32(view[at : at + (1 << shift)]) for at in range(0, len(data), 1 << shift)]


def write_index(path: str, index_path: str = "", advance: Advance | None = None) -> None:
    """Build the index of the snapshot at ``path`` and put it in its place. Raises OSError, StoreError, CorruptFile."""
    from mmap import ACCESS_READ, mmap

    index_path = index_path or path + INDEX
    with open(path, "rb", buffering=0) as file:
        changed = os.fstat(file.fileno()).st_mtime_ns
        with mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            parts = _parts(data, path, 0 if _summed(data) else changed, advance)

    def fill(fd: int) -> None:
        for part in parts:
            write_all(fd, part)
        os.fsync(fd)  # or a crash may leave zeros, which mean that there is no such key

    folder, name = os.path.split(index_path)
    replace(index_path, os.path.join(folder, f"temp-{name}-{os.getpid()}.idx"), fill)


def _summed(data: Buffer) -> bool:
    """Whether the file ends in a checksum, which tells it from every other."""
    return data[5:9] >= b"0005" and data[-8:] != bytes(8)
