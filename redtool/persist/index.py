"""The index beside a snapshot: where each key's entry lies, so that a store opens without reading it.

An index is mapped, never read whole, and believed page by page: its head has a checksum, the head holds checksums of
the pages of the rest and of the snapshot, and a page is checked when it is first looked at. The head names the
snapshot by size and checksum (and time, where that has none). Little-endian throughout:

    head    MAGIC; u32 bytes of the head, u32 its CRC-32 taken with 0 here; u64 snapshot's size, u64 its last eight
            bytes, u64 mtime in ns; u32 page sizes as powers of two: the snapshot's, the body's; u32 databases, u32
            function libraries; a DIRECTORY record a database; u64 position of each library; u32 CRC-32 of each page
            of the snapshot, then of each page of the body
    body    for each database ``slots`` u64: 0, or the position of an entry plus 1 in the upper 48 bits and the lower 16
            bits of the key's CRC-32 in the others; a key is in the first slot from ``crc32 * slots >> 32`` on that was
            free. Then (deadline in ms, position) of the keys that have one, the soonest first, u64 each

``indexing`` builds it.
"""

from __future__ import annotations

import os
from struct import Struct, error
from zlib import crc32

from redtool import errors
from redtool.persist.codecs import DAMAGE, PACKED, REDIS_HOMES, Damaged, i32, i64, length, string
from redtool.persist.files import INDEX
from redtool.persist.rdb import EXPIRE_MS, EXPIRE_S, FREQ, IDLE, header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from redtool.engine.cold import Entry
    from redtool.persist.codecs import Buffer

MAGIC = b"RTINDEX1"
HEAD = Struct("<8sIIQQQIIII")
DIRECTORY = Struct("<IIQQQQQQQ")  # number, 0, keys, expires, slots, memory, first slot's u64, first key, after the last
SMALLEST, LARGEST = 12, 40  # powers of two that a page may have
MOST = 1 << 16  # databases, libraries


class Stale(Exception):
    """The index belongs to another snapshot, or is damaged."""


class Index:
    """A snapshot and its index, both mapped. ``tables`` are its databases, ``functions`` the sources of libraries."""

    def __init__(self, path: str, data: Buffer, index: bytes | memoryview) -> None:
        """Raises Stale."""
        self.path, self.data, self.lost = path, data, ""
        try:
            self._read(index)
        except (error, IndexError, ValueError, OverflowError):
            raise Stale("damaged") from None

    def _read(self, index: bytes | memoryview) -> None:
        magic, size, crc, length_, tail, self.mtime, shift, own_shift, databases, libraries = HEAD.unpack_from(index)
        head = bytes(index[:size])
        if magic != MAGIC or len(head) != size or size % 8 or crc != crc32(head[:12] + bytes(4) + head[16:]):
            raise Stale("damaged")
        if length_ != len(self.data) or tail != int.from_bytes(self.data[-8:], "little"):
            raise Stale("of another snapshot")
        if not (SMALLEST <= shift <= LARGEST and SMALLEST <= own_shift <= LARGEST and max(databases, libraries) < MOST):
            raise Stale("damaged")
        at = HEAD.size
        records = [DIRECTORY.unpack_from(head, at + n * DIRECTORY.size) for n in range(databases)]
        at += databases * DIRECTORY.size
        places = [int.from_bytes(head[at + 8 * n : at + 8 * n + 8], "little") for n in range(libraries)]
        at += 8 * libraries
        pages = pages_of(len(self.data), shift)
        body = memoryview(index)[size:]
        if at + 4 * (pages + pages_of(len(body), own_shift)) > size:
            raise Stale("damaged")
        self.pages = Pages(self.data, shift, head, at)
        self.body = Pages(body, own_shift, head, at + 4 * pages)
        self.words = body[: len(body) // 8 * 8].cast("Q")
        self.valkey = header(self.data, self.path)[1]
        self.functions = [string(self.data, place)[0] for place in places]
        self.tables = [Table(self, record) for record in records]

    def renew(self) -> None:
        """Make the index anew in memory: a page of the one on disk is damaged. Raises Unreadable."""
        from redtool.persist.indexing import index_of

        if not self.lost:
            try:
                self._read(index_of(self.data, self.path))
                return
            except (errors.StoreError, errors.CorruptFile, Stale) as error:
                self.lost = str(error)  # once is enough: the file does not change
        raise errors.Unreadable(self.lost)


class Pages:
    """Checksums of the pages of a buffer; each page is checked once."""

    __slots__ = ("at", "checked", "data", "head", "shift")

    def __init__(self, data: Buffer | memoryview, shift: int, head: bytes, at: int) -> None:
        self.data, self.shift, self.head, self.at = data, shift, head, at
        self.checked = bytearray(pages_of(len(data), shift))

    def good(self, start: int, end: int) -> bool:
        """Whether the pages that hold ``start`` to ``end`` are as they were written."""
        checked, shift = self.checked, self.shift
        for page in range(start >> shift, ((end - 1) >> shift) + 1):
            if not checked[page]:
                at = self.at + 4 * page
                part = self.data[page << shift : (page + 1) << shift]
                if crc32(part) != int.from_bytes(self.head[at : at + 4], "little"):
                    return False
                checked[page] = 1
        return True


class Table:
    """One database of an indexed snapshot: a ``Source`` of ``engine.cold``. Its errors are Unreadable."""

    def __init__(self, index: Index, record: tuple[int, ...]) -> None:
        self.index = index
        self.number, _, self.keys, self.expires, self.slots, self.memory, self.first, self.start, self.end = record
        if self.first + self.slots + 2 * self.expires > len(index.words) or not self.slots > self.keys >= self.expires:
            raise Stale("damaged")
        if not 0 < self.start <= self.end < len(index.data):
            raise Stale("damaged")
        self.taken = 0
        self.loaders = PACKED[index.valkey]

    def close(self) -> None:
        """Leave no ring of references: who lets go of the tables lets go of the files."""
        self.index.tables.clear()

    def _word(self, number: int) -> int:
        """A u64 of the body."""
        index, page = self.index, number >> self.index.body.shift - 3
        try:
            if not index.body.checked[page] and not index.body.good(8 * number, 8 * number + 8):
                index.renew()
            return index.words[number]
        except IndexError:  # the index made anew has another form
            raise errors.Unreadable(f"the index of {index.path} is damaged") from None

    def find(self, key: bytes) -> int:
        code = crc32(key)
        slot, tag, slots = code * self.slots >> 32, code & 0xFFFF, self.slots
        words, checked, shift, first = self.index.words, self.index.body.checked, self.index.body.shift - 3, self.first
        for _ in range(slots):
            number = first + slot
            word = words[number] if checked[number >> shift] else self._word(number)
            if not word:
                break
            if word & 0xFFFF == tag and self._is(key, (word >> 16) - 1):
                return (word >> 16) - 1
            slot = slot + 1 if slot + 1 < slots else 0
        return -1

    def _is(self, key: bytes, place: int) -> bool:
        """Whether the entry is this key's; most are told by a look."""
        data, size = self.index.data, len(key)
        end = place + 2 + size
        if size < 64 and end < len(data) and data[place] < IDLE:
            self._sound(place, end)
            return data[place + 1] == size and data[place + 2 : end] == key
        return self.name(place)[0] == key

    def at(self, slot: int) -> int:
        return (self._word(self.first + slot) >> 16) - 1

    def due(self, number: int) -> tuple[int, int]:
        at = self.first + self.slots + 2 * number
        return self._word(at), self._word(at + 1)

    def passed(self, now: int) -> int:
        low, high = 0, self.expires
        while low < high:
            middle = (low + high) // 2
            if self.due(middle)[0] <= now:
                low = middle + 1
            else:
                high = middle
        return low

    def name(self, place: int) -> tuple[bytes, int | None]:
        try:
            _, deadline, _, _, pos = before_key(self.index.data, place)
            key, end = string(self.index.data, pos)
        except DAMAGE as error:
            raise self._unreadable(place, error) from None
        self._sound(place, end)
        return key, deadline

    def kind(self, place: int) -> bytes:
        try:
            kind = KINDS.get(before_key(self.index.data, place)[0])
        except DAMAGE as error:
            raise self._unreadable(place, error) from None
        found: bytes = kind or self.load(place)[1].kind
        return found

    def load(self, place: int) -> Entry:
        entry, end = self._load(place)
        self._sound(place, end)
        self.taken += end - place
        return entry

    def _load(self, place: int) -> tuple[Entry, int]:
        data = self.index.data
        try:
            kind, deadline, idle, freq, pos = (data[place], None, None, None, place + 1)
            if kind >= IDLE:
                kind, deadline, idle, freq, pos = before_key(data, place)
            key, pos = string(data, pos)
            value, end = self.loaders[kind](data, pos)
            if end > len(data):
                raise IndexError
        except DAMAGE as error:
            raise self._unreadable(place, error) from None
        return (key, value, deadline, idle, freq), end

    def entries(self) -> Iterator[Entry]:
        data, place, last, shift = self.index.data, self.start, self.end, self.index.pages.shift
        sound = 0  # what lies before is as it was written
        while place < last:
            if not data[place] and (size := data[place + 1]) < 64:  # most often: a short string without a deadline
                start = place + 2
                stop = start + size
                end = stop + 1 + data[stop]
                if data[stop] < 64 and end <= sound:
                    yield data[start:stop], data[stop + 1 : end], None, None, None
                    place = end
                    continue
            entry, end = self._load(place)
            self._sound(place, end)
            sound = (((end - 1) >> shift) + 1) << shift
            if entry[1] is not None and (type(entry[1]) is bytes or entry[1].kind != b"module"):
                yield entry
            place = end

    def names(self) -> Iterator[tuple[bytes, int | None]]:
        for slot in range(self.slots):
            place = self.at(slot)
            if place >= 0:
                yield self.name(place)

    def _sound(self, start: int, end: int) -> None:
        pages = self.index.pages
        page = start >> pages.shift
        if pages.checked[page] and page == (end - 1) >> pages.shift:
            return
        if not pages.good(start, end):
            raise errors.Unreadable(f"{self.index.path}: the checksum of the entry at byte {start} does not match")

    def _unreadable(self, place: int, error: Exception) -> errors.ReplyError:
        reason = str(error) if isinstance(error, Damaged) else "cut short or damaged"
        return errors.Unreadable(f"{self.index.path}: {reason} at byte {place}")


NAMES = {"lists": b"list", "sets": b"set", "zsets": b"zset", "hashes": b"hash", "streams": b"stream"}
# Type byte -> TYPE's answer; what a module's value is its loader knows
KINDS = {0: b"string", **{kind: NAMES[home] for kind, home in REDIS_HOMES.items() if home in NAMES}}


def before_key(data: Buffer, place: int) -> tuple[int, int | None, int | None, int | None, int]:
    """The type byte of an entry, deadline, idle seconds, frequency, position of the key. Raises one of DAMAGE."""
    deadline, idle, freq = None, None, None
    while (kind := data[place]) >= IDLE:
        if kind == EXPIRE_MS:
            deadline, place = i64(data, place + 1)[0], place + 9
        elif kind == EXPIRE_S:
            deadline, place = i32(data, place + 1)[0] * 1000, place + 5
        elif kind == IDLE:
            idle, place = length(data, place + 1)
        elif kind == FREQ:
            freq, place = data[place + 1], place + 2
        else:
            raise Damaged(f"opcode {kind} where a key was to come")
    return kind, None if deadline == -1 else deadline, idle, freq, place + 1


def pages_of(size: int, shift: int) -> int:
    """How many pages hold so many bytes."""
    return (size + (1 << shift) - 1) >> shift


def open_index(path: str, index_path: str = "") -> Index | None:
    """A snapshot with its index, by default the one beside it; None where there is none that is true of it.

    Raises FileNotFoundError when there is no snapshot, StoreError when it cannot be read.
    """
    from mmap import ACCESS_READ, mmap

    try:
        with open(index_path or path + INDEX, "rb", buffering=0) as file:
            found = mmap(file.fileno(), 0, access=ACCESS_READ)
    except (OSError, ValueError):  # ValueError: empty
        return None
    try:
        with open(path, "rb", buffering=0) as file:
            data = mmap(file.fileno(), 0, access=ACCESS_READ)
            changed = os.fstat(file.fileno()).st_mtime_ns
    except FileNotFoundError:
        raise
    except ValueError:
        return None
    except OSError as error:
        raise errors.StoreError(f"cannot read {path}: {error.strerror}") from None
    try:
        index = Index(path, data, memoryview(found))
    except (Stale, errors.StoreError):
        return None
    return index if index.mtime in (0, changed) else None
