"""Walk over an RDB file of any size, a key at a time, without holding the dataset.

A ``Walk`` is iterated for its keys; ``facts``, ``functions`` and ``db`` follow where it is. A value that is damaged
but whose end can be found is an Entry with a ``problem``, and the walk goes on; anything worse raises CorruptFile.
"""

from __future__ import annotations

from contextlib import contextmanager

from redtool import errors
from redtool.persist.codecs import DAMAGE, LZF, REDIS, VALKEY, Damaged, string
from redtool.persist.crc64 import crc64_of
from redtool.persist.rdb import EOF, MAP_FROM, Load, header
from redtool.persist.skip import INTEGERS, skip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from redtool.persist.codecs import Buffer

    Wanted = Callable[[int, str, bytes], bool]

# Type byte -> TYPE's answer, and how the file holds it
FORMS = {
    0: ("string", "raw"), 1: ("list", "linkedlist"), 2: ("set", "hashtable"), 3: ("zset", "skiplist"),
    4: ("hash", "hashtable"), 5: ("zset", "skiplist"), 7: ("module", "module"), 9: ("hash", "zipmap"),
    10: ("list", "ziplist"), 11: ("set", "intset"), 12: ("zset", "ziplist"), 13: ("hash", "ziplist"),
    14: ("list", "quicklist"), 15: ("stream", "stream"), 16: ("hash", "listpack"), 17: ("zset", "listpack"),
    18: ("list", "quicklist"), 19: ("stream", "stream"), 20: ("set", "listpack"), 21: ("stream", "stream"),
    22: ("hash", "hashtable"), 23: ("hash", "listpackex"), 24: ("hash", "hashtable"), 25: ("hash", "listpackex"),
}  # fmt: skip
STEPS = 1024  # keys or so between two tellings of how far the walk is
OK, OFF, NONE, WRONG = "ok", "off", "none", "wrong"  # what becomes of the checksum


class Entry:
    """One key of the file.

    ``value`` is None where it was not wanted, or could not be read (``problem`` says why). ``deadline`` is unix ms,
    ``idle`` seconds; both None where there is none. ``size`` bytes from ``offset`` on are the key and its value.
    """

    __slots__ = ("db", "deadline", "encoding", "freq", "idle", "key", "offset", "problem", "size", "type", "value")

    def __init__(self, db: int, key: bytes, type: str, encoding: str, offset: int) -> None:
        self.db, self.key, self.type, self.encoding, self.offset = db, key, type, encoding, offset
        self.size = 0
        self.value: Any = None
        self.deadline: int | None = None
        self.idle: int | None = None
        self.freq: int | None = None
        self.problem = ""


class _Facts:
    """What the pass reports beside keys."""

    def __init__(self) -> None:
        self.db = 0
        self.facts: dict[bytes, bytes] = {}
        self.functions: list[bytes] = []

    def select(self, db: int) -> tuple[dict[bytes, Any], dict[bytes, int]]:
        self.db = db
        return {}, {}

    def sizes(self, keys: int, expires: int) -> None:
        """What is there is counted."""

    def aux(self, name: bytes, value: bytes) -> None:
        self.facts[name] = value

    def function(self, code: bytes) -> None:
        self.functions.append(code)


class Walk(Load):
    """One pass over a file. ``pos`` is how far it is; ``keys_seen`` counts the keys, wanted or not.

    ``advance`` is called with the position now and then.
    """

    def __init__(self, data: Buffer, path: str, wanted: Wanted | None = None,
                 warn: Callable[[str], None] | None = None,
                 advance: Callable[[int], None] | None = None) -> None:  # fmt: skip
        self.version, valkey = header(data, path)
        self.format = data[:9].decode("ascii")  # REDIS0010, VALKEY080
        self.found = _Facts()
        self.wanted, self.advance = wanted, advance
        self.entry: Entry | None = None
        self.keys_seen = self.trailing = 0
        self.checksum = NONE  # before version 5
        self.reading = b""  # the key that was begun last
        super().__init__(data, self.found, path, None, warn, valkey)

    def __iter__(self) -> Iterator[Entry]:
        steps = 0
        while (kind := self._byte()) != EOF:
            self.reading = b""
            steps += 1
            if self.advance is not None and not steps % STEPS:
                self.advance(self.pos)
            self._step(kind)
            if self.entry is not None:
                entry, self.entry = self.entry, None
                yield entry
        self.pos += 1
        self._sum_up()

    def _key(self, kind: int, pos: int) -> None:
        data, at = self.data, self.pos
        loader = (VALKEY if self.valkey else REDIS)[kind]
        self.reading, pos = string(data, pos)
        type, encoding = FORMS[kind]
        entry = Entry(self.found.db, self.reading, type, encoding, at)
        entry.deadline = None if self.deadline == -1 else self.deadline
        entry.idle, entry.freq = self.idle, self.freq
        self.deadline = self.idle = self.freq = None
        self.keys_seen += 1
        if kind == 0:
            first = data[pos]
            entry.encoding = "int" if first in INTEGERS else "lzf" if first == LZF else "raw"
        if self.wanted is not None and not self.wanted(entry.db, type, entry.key):
            self.pos = skip(data, pos, kind, self.valkey)
            return
        try:
            entry.value, end = loader(data, pos)
            if end > len(data):
                raise IndexError
        except DAMAGE as error:
            end = skip(data, pos, kind, self.valkey)
            entry.problem = str(error) if isinstance(error, Damaged) else "damaged value"
        if type == "module" and entry.value is not None:
            self._name_module(entry)
        entry.size, self.pos, self.entry = end - at, end, entry

    @staticmethod
    def _name_module(entry: Entry) -> None:
        kind = entry.value.kind.decode()
        if kind == "module":
            entry.encoding = entry.value.name
        else:
            entry.type = entry.encoding = kind

    def _close_database(self) -> None:
        """Keys are not held, so none is found twice."""

    def _sum_up(self) -> None:
        """Compare the checksum. Raises CorruptFile where the file ends before it."""
        if self.version < 5:
            return
        data, end = self.data, self.pos
        if end + 8 > len(data):
            raise errors.CorruptFile(self.path, len(data), "the file ends too early")
        stored = int.from_bytes(data[end : end + 8], "little")
        self.checksum = OFF if not stored else OK if stored == crc64_of(data, 0, end) else WRONG
        self.pos += 8
        self.trailing = len(data) - self.pos


@contextmanager
def opened(path: str) -> Iterator[Buffer]:
    """A file's bytes: small ones read, others mapped. Raises StoreError."""
    try:
        data = _bytes_of(path)
    except OSError as error:
        raise errors.StoreError(f"cannot read {path}: {(error.strerror or '').lower()}") from None
    try:
        yield data
    finally:
        if not isinstance(data, bytes):
            data.close()


def _bytes_of(path: str) -> Buffer:
    with open(path, "rb", buffering=0) as file:
        size = file.seek(0, 2)
        if size < MAP_FROM:
            file.seek(0)
            return file.read()
        from mmap import ACCESS_READ, mmap

        return mmap(file.fileno(), 0, access=ACCESS_READ)
