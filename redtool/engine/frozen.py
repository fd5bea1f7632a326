"""A database as it was at one moment, read a little at a time while commands go on changing it.

It is told of each key before that is looked at (``Keyspace.before``): a value not read yet is then put aside, a copy
if commands alter it in place. ``Keyspace.clear`` takes new dicts and lets the old ones be, and ``Keyspace.swap``
takes ``before`` along with them, so this keeps to the dicts and asks the keyspace nothing.
"""

from __future__ import annotations

from redtool.engine.keyspace import copy_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from redtool.engine.keyspace import Keyspace

    Entry = tuple[bytes, Any, int | None]

SHARDS = 256  # one large set would stop everything whenever it grows


class Frozen:
    """The keys, values and deadlines of a database as of now. One at a time of each database."""

    def __init__(self, db: Keyspace) -> None:
        self.index, self.count, self.expiring = db.index, len(db), db.expiring
        self._data, self._expires = db.data, db.expires
        self._keys = list(db.data)
        self._keys.reverse()  # they are taken from the end
        self._cold = None if db.cold is None else db.cold.copy()
        self._seen: list[set[bytes]] = [set() for _ in range(SHARDS)]  # read, put aside, or not there at that moment
        self._aside: list[Entry] = []
        db.before = self.keep

    def keep(self, key: bytes) -> None:
        """Put a key aside before it may change."""
        seen = self._seen[hash(key) % SHARDS]
        if key not in seen:
            seen.add(key)
            value = self._data.get(key)
            if value is not None:
                self._aside.append((key, copy_of(value), self._expires.get(key)))

    def items(self) -> Iterator[Entry]:
        """(key, value, deadline in unix ms or None) of every key, once. A value may change once the next is asked for.

        Commands may run between two of them.
        """
        keys, data, deadline, aside, shards = self._keys, self._data, self._expires.get, self._aside, self._seen
        while keys or aside:
            while aside:
                yield aside.pop()
            if keys:
                key = keys.pop()
                seen = shards[hash(key) % SHARDS]
                if key not in seen:
                    seen.add(key)
                    yield key, data[key], deadline(key)
        if self._cold is not None:
            for key, value, when, _, _ in self._cold.entries():
                yield key, value, when
