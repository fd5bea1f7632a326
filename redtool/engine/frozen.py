"""A database as it was at one moment, read a little at a time while commands go on changing it.

It is told of each key before that is looked at (``Keyspace.before``): a value not read yet is then put aside, a copy
if commands alter it in place. ``Keyspace.clear`` takes new dicts and lets the old ones be, and ``Keyspace.swap``
takes ``before`` along with them, so this keeps to the dicts and asks the keyspace nothing.
"""

from __future__ import annotations

from redtool.engine.keyspace import copy_of
from redtool.engine.uses import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from redtool.engine.keyspace import Keyspace

    Entry = tuple[bytes, Any, int | None]

BATCH = 256  # keys that are taken at a time
BLOCK = 1 << 14  # keys in a set: one large set would stop everything whenever it grows


class Frozen:
    """The keys, values and deadlines of a database as of now. One at a time of each database.

    ``read`` counts the keys that were given.
    """

    def __init__(self, db: Keyspace) -> None:
        self.index, self.count, self.expiring = db.index, len(db), db.expiring
        self._data, self._expires = db.data, db.expires
        self._keys = list(db.data)
        self._keys.reverse()  # they are taken from the end
        self._uses = db.uses
        self._cold = None if db.cold is None else db.cold.copy()
        self._taken = 0
        self._batch: list[Entry] = []  # what was taken last, and not given yet
        self._blocks: list[set[bytes]] = [set()]  # the keys taken so far
        self._touched: set[bytes] = set()  # keys that commands have met since
        self._aside: list[Entry] = []
        db.before = self.keep

    @property
    def read(self) -> int:
        return self._taken - len(self._batch)

    def keep(self, key: bytes) -> None:
        """Put a key aside before it may change."""
        if key in self._touched:
            return
        self._touched.add(key)
        for block in self._blocks:
            if key in block:
                self._protect(key)
                return
        value = self._data.get(key)
        if value is not None:
            self._aside.append((key, own(value), self._expires.get(key)))

    def _protect(self, key: bytes) -> None:
        """See that a key that was taken but not given yet is given as it is now."""
        for at, (name, value, deadline) in enumerate(self._batch):
            if name == key:
                self._batch[at] = key, own(value), deadline

    def items(self) -> Iterator[Entry]:
        """(key, value, deadline in unix ms or None) of every key, once. A value may change once the next is asked for.

        Commands may run between two of them.
        """
        keys, batch, aside = self._keys, self._batch, self._aside
        while keys or aside:
            if aside:
                self._taken += len(aside)
                batch += aside
                aside.clear()
            else:
                self._take()
            while batch:
                yield batch.pop()
        if self._cold is not None:
            for entry in shown(self._cold.entries(), self._uses):
                self._taken += 1
                yield entry

    def _take(self) -> None:
        names = self._keys[-BATCH:]
        del self._keys[-BATCH:]
        if self._touched:
            names = [key for key in names if key not in self._touched]
        if len(self._blocks[-1]) >= BLOCK:
            self._blocks.append(set())
        self._blocks[-1].update(names)
        self._taken += len(names)
        self._batch += zip(names, map(self._data.__getitem__, names), map(self._expires.get, names), strict=True)

    def drop(self) -> None:
        """Let go of everything, little by little: another thread may take its turn between any two steps."""
        while self._blocks:
            self._blocks.pop()


def own(value: Any) -> Any:
    """A value that stays as it is, whatever commands do; also of a type that COPY refuses."""
    twin = getattr(value, "twin", None)
    return copy_of(value) if twin is None else twin()
