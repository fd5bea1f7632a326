"""What a database takes of the process's memory, kept up to date while it changes.

Nothing counts along inside the types. A string is measured when it is stored. A collection that was written to is
measured anew when the total is asked for, a large one only when so much was written that its size may have changed
noticeably (so each write pays for a few elements, whatever the size); it follows the number of its elements until then.
``revisit`` finds what grew without a write: the order of a sorted set, or the array behind a scan, that a read built.
"""

from __future__ import annotations

from sys import getsizeof

from redtool.engine.memory import NUMBER, PAIR, SIZES, array, container, deadlines, measure, whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from redtool.engine.keyspace import Keyspace

LARGE = 4096  # bytes from which a collection is not measured because of each write
SHARE = 8  # of a large one may have been written before it is measured again: one part in so many
FEW = 64  # keys that may come or go before the tables are measured again, or a part in so many of all
TABLES = {b"zset": "scores", b"stream": "entries", b"vectorset": "nodes"}  # of what is not a dict or list itself
ROUND = 1 << 16  # bytes that one round of ``revisit`` measures
VAST = 1 << 20  # bytes from which a collection that was not written to is told by what is around its elements


class Large:
    """What is known of a large collection: its size in bytes when it was measured, how many elements it had then.

    ``frame`` is the size told from one element: it changes when something besides the elements does. ``written`` are
    bytes that came since; ``table`` is what the table of the elements took.
    """

    __slots__ = ("count", "frame", "size", "table", "written")

    def __init__(self, value: Any, size: int) -> None:
        self.size, self.count, self.frame, self.written = size, extent(value), value.nbytes(1), 0
        self.table = table(value)

    def now(self, value: Any, argv: Sequence[bytes]) -> int | None:
        """The likely size after a command has altered it; None when it must be measured."""
        count = extent(value)
        each = self.size // (self.count or 1)
        self.written += sum(map(len, argv))
        if (abs(count - self.count) * each + self.written + abs(table(value) - self.table)) * SHARE > self.size:
            return None
        return self.size * count // (self.count or 1)


class Meter:
    """Bytes that the keys of one database take: ``held`` is without the tables that hold them.

    ``weights`` maps a key to the size of its value, where that is not one string; those in ``stale`` have been written
    to since.
    """

    __slots__ = ("_due", "_tables", "_waiting", "handed", "held", "large", "stale", "weights")

    def __init__(self, db: Keyspace) -> None:
        self.held = self._tables = self._due = 0
        self.weights: dict[bytes, int] = {}
        self.large: dict[bytes, Large] = {}
        self.handed: tuple[int, Large | None] | None = None  # what is known already of the value that is put next
        self.stale: set[bytes] = set()
        self._waiting: list[bytes] = []  # keys that ``revisit`` comes to
        self.fill(db.data)

    def fill(self, data: dict[bytes, Any]) -> None:
        """Measure every key."""
        size = SIZES.__getitem__
        self.held = sum(map(size, map(len, data)))
        self.held += sum([whole(value) for value in data.values() if isinstance(value, bytes)])
        self.weights.clear()
        self.large.clear()
        self.stale.clear()
        for key, value in data.items():
            if not isinstance(value, bytes):
                self._measure(key, value)
        self._due = 0

    def total(self, db: Keyspace) -> int:
        """Bytes of the database: keys, values, tables."""
        while self.stale:
            key = self.stale.pop()
            self._measure(key, db.data[key])
        if self._due <= 0:
            self._due = max(FEW, len(db.data) // FEW)
            self._tables = tables(db)
            if self.weights:
                self._tables += container(self.weights) + NUMBER * len(self.weights)
        return self.held + self._tables

    def look_anew(self) -> None:
        """Measure the tables when the total is asked for next."""
        self._due = 0

    def put(self, key: bytes, old: Any, value: Any) -> None:
        """A value comes in the place of ``old``, which is None for a new key."""
        if old is None:
            self.held += SIZES[len(key)]
            self._due -= 1
        elif isinstance(old, bytes):
            self.held -= whole(old)
        else:
            if old is value:
                return
            self._drop(key)
        if isinstance(value, bytes):
            self.held += whole(value)
        elif self.handed is None:
            self._measure(key, value)
        else:
            (self.weights[key], large), self.handed = self.handed, None
            self.held += self.weights[key]
            if large is not None:
                self.large[key] = large

    def hand(self, key: bytes) -> None:
        """Before a value gets another key: remember its size, so that it is not measured again."""
        if key in self.weights and key not in self.stale:
            self.handed = self.weights[key], self.large.get(key)

    def remove(self, key: bytes, value: Any) -> None:
        """A key goes."""
        self._due -= 1
        self.held -= SIZES[len(key)]
        if isinstance(value, bytes):
            self.held -= whole(value)
        else:
            self._drop(key)

    def _drop(self, key: bytes) -> None:
        self.held -= self.weights.pop(key, 0)
        self.stale.discard(key)
        if self.large:
            self.large.pop(key, None)

    def altered(self, key: bytes, value: Any, argv: Sequence[bytes]) -> None:
        """The value of a key in ``weights`` has been written to, by a command of these words; None: it is gone."""
        if value is None or key not in self.weights:
            return
        large = self.large.get(key) if self.large else None
        size = large.now(value, argv) if large is not None else None
        if size is None:
            self.stale.add(key)
        else:
            self.held += size - self.weights[key]
            self.weights[key] = size

    def _measure(self, key: bytes, value: Any) -> None:
        size = measure(value)
        self.held += size - self.weights.get(key, 0)
        self.weights[key] = size
        if size >= LARGE and type(value) is not bytearray:
            self.large[key] = Large(value, size)
        elif self.large:
            self.large.pop(key, None)

    def revisit(self, data: dict[bytes, Any]) -> None:
        """Measure some collections again, each in its turn."""
        left = ROUND
        while left > 0 and self.weights:
            if not self._waiting:
                self._waiting = list(self.weights)
                left = 0  # one pass over a few keys is enough for a round
            key = self._waiting.pop()
            value = data.get(key)
            if key in self.weights and key not in self.stale and value is not None:
                left -= self._look(key, value)

    def _look(self, key: bytes, value: Any) -> int:
        """Measure one again; gives how many bytes were looked at, roughly."""
        large = self.large.get(key)
        if large is None or large.size < VAST:
            self._measure(key, value)
            return self.weights[key]
        if not large.written:
            frame = value.nbytes(1)
            self.held += frame - large.frame
            self.weights[key] += frame - large.frame
            large.size, large.frame = self.weights[key], frame
        return LARGE


def extent(value: Any) -> int:
    """How many elements a collection has; of a stream with what is pending in its groups."""
    count = len(value)
    return count + sum([len(group.pending) for group in value.groups.values()]) if value.kind == b"stream" else count


def table(value: Any) -> int:
    """Bytes of what holds the elements of a collection, without them."""
    return getsizeof(getattr(value, TABLES[value.kind]) if value.kind in TABLES else value)


def tables(db: Keyspace) -> int:
    """Bytes that a database takes besides its keys and values; an empty one none."""
    if not db.data:
        return 0
    size = container(db.data) + container(db.expires) + NUMBER * len(db.expires) + container(db.access)
    size += array(db._array) + deadlines(db.timed)
    if db._roll is not None:
        size += container(db._roll.keys)
    if db._timed_roll is not None:
        size += container(db._timed_roll.keys)
    if db._heap is not None:
        size += container(db._heap) + PAIR * len(db._heap)
    return size
