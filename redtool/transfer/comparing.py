"""Compare the keys of two backends, a chunk at a time: those of one, and then what only the other has."""

from __future__ import annotations

from redtool.errors import ReplyError
from redtool.transfer.asking import ask, select
from redtool.transfer.differences import Difference, difference, short
from redtool.transfer.items import Item, Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Pairs = Sequence[tuple[int, int]]
    Found = Iterator[tuple[int, Difference]]  # database of the first side, difference

ABSENT = "-"


class Comparison:
    """One comparison, iterated for the differences as they are found. ``tolerance`` in ms; None: TTLs do not count."""

    def __init__(self, a: Reader, b: Reader, tolerance: int | None, *, names: bool = False,
                 advance: Callable[[int], None] = lambda done: None) -> None:  # fmt: skip
        self.a, self.b, self.tolerance, self.names, self.advance = a, b, tolerance, names, advance
        self.keys = 0  # looked at on the first side
        self.only_a = self.only_b = self.apart = self.libraries = 0
        self._told: set[int] = set()  # hashes of keys that differ: SCAN may give a key twice

    @property
    def differences(self) -> int:
        return self.only_a + self.only_b + self.apart + self.libraries

    def run(self, pairs: Pairs, both: bool = True) -> Found:
        """The differences of databases; without ``both`` keys that only the second side has are none."""
        for db, other in pairs:
            select(self.a.backend, db)
            select(self.b.backend, other)
            self._told.clear()
            for apart in self._first():
                yield db, apart
            for apart in self._second() if both else ():
                yield db, apart

    def _first(self) -> Iterator[Difference]:
        """Keys of the first side."""
        for items in self._kinds() if self.names else self.a.items():
            self.keys += len(items)
            keys = [item.key for item in items]
            others = self.b.fetch_kinds(keys) if self.names else self.b.fetch(keys)
            for item, other in zip(items, others, strict=True):
                if other is None:
                    found: Difference | None = Difference(item.key, "missing", short(item), ABSENT)
                else:
                    found = difference(item, other, self.tolerance)
                if found is not None and self._new(item.key):
                    self.only_a += other is None
                    self.apart += other is not None
                    yield found
            self.advance(self.keys)

    def _kinds(self) -> Iterator[list[Item]]:
        for keys in self.a.pages():
            yield [item for item in self.a.fetch_kinds(keys) if item is not None]

    def _second(self) -> Iterator[Difference]:
        """Keys that only the second side has."""
        looked = self.keys
        for keys in self.b.pages():
            looked += len(keys)
            kinds = ask(self.a.backend, [(b"TYPE", key) for key in keys])
            refused = next((reply for reply in kinds if isinstance(reply, ReplyError)), None)
            if refused is not None:
                raise refused
            there = dict(zip(keys, map(bytes, kinds), strict=True))
            missing = [key for key, kind in there.items() if kind == b"none" and self._new(key)]
            for item in self._fetched(missing):
                self.only_b += 1
                yield Difference(item.key, "missing", ABSENT, short(item))
            for key, kind in there.items() if self.b.kind else ():  # the first pass has met its own type only
                if kind not in (b"none", self.b.kind.lower()) and self._new(key):
                    self.apart += 1
                    yield Difference(key, "type", kind.decode(), self.b.kind.decode())
            self.advance(looked)

    def _fetched(self, keys: list[bytes]) -> Iterator[Item]:
        """Keys of the second side, those that are still there."""
        while keys:
            count = self.b.chunk
            found = self.b.fetch_kinds(keys[:count]) if self.names else self.b.fetch(keys[:count])
            yield from (item for item in found if item is not None)
            keys = keys[count:]

    def _new(self, key: bytes) -> bool:
        """Whether a key is told for the first time."""
        mark = hash(key)
        if mark in self._told:
            return False
        self._told.add(mark)
        return True


def pairs_of(a: list[tuple[int, int]], b: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The databases that have keys on one side at least."""
    return [(db, db) for db in sorted({db for db, _ in a} | {db for db, _ in b})]


def compare_libraries(a: dict[bytes, bytes], b: dict[bytes, bytes]) -> Iterator[Difference]:
    """Libraries of functions that are not the same."""
    for name in sorted(a.keys() | b.keys()):
        if a.get(name) != b.get(name):
            yield Difference(name, "library" if name in a and name in b else "missing", *(
                f"library, {len(side[name])} bytes" if name in side else ABSENT for side in (a, b)))  # fmt: skip

