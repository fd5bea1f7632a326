"""The stream type: entries in order of id, consumer groups with their pending entries.

An id is a tuple (ms, sequence), so ids compare as tuples do.
"""

from __future__ import annotations

from sys import getsizeof

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Id = tuple[int, int]

FIRST: Id = (0, 0)
UNKNOWN_READ = -1  # entries_read of a group whose place in the stream's history is not known


class Consumer:
    """One reader of a group. ``seen_ms`` its last attempt, ``active_ms`` its last success (-1: none yet)."""

    __slots__ = ("active_ms", "seen_ms")

    def __init__(self, seen_ms: int, active_ms: int = -1) -> None:
        self.seen_ms, self.active_ms = seen_ms, active_ms


class Group:
    """A consumer group.

    ``pending`` maps the id of a delivered entry to [consumer's name, delivery time in unix ms, delivery count];
    ``consumers`` maps a name to its Consumer.
    """

    __slots__ = ("consumers", "entries_read", "last_id", "pending")

    def __init__(self, last_id: Id = FIRST, entries_read: int = UNKNOWN_READ) -> None:
        self.last_id, self.entries_read = last_id, entries_read
        self.pending: dict[Id, list[Any]] = {}
        self.consumers: dict[bytes, Consumer] = {}

    def copy(self) -> Group:
        other = Group(self.last_id, self.entries_read)
        other.pending = {id: list(delivery) for id, delivery in self.pending.items()}
        other.consumers = {name: Consumer(one.seen_ms, one.active_ms) for name, one in self.consumers.items()}
        return other


class Stream:
    """A stream. ``entries`` maps id to a flat tuple (field, value, field, value, …), in order of id."""

    __slots__ = ("entries", "entries_added", "groups", "last_id", "max_deleted_id")
    kind = b"stream"

    def __init__(self) -> None:
        self.entries: dict[Id, tuple[bytes, ...]] = {}
        self.last_id: Id = FIRST
        self.max_deleted_id: Id = FIRST
        self.entries_added = 0
        self.groups: dict[bytes, Group] = {}

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def first_id(self) -> Id:
        """The id of the oldest entry, 0-0 when there is none."""
        return next(iter(self.entries), FIRST)

    def copy(self) -> Stream:
        other = Stream()
        other.entries = self.entries.copy()
        other.last_id, other.max_deleted_id, other.entries_added = self.last_id, self.max_deleted_id, self.entries_added
        other.groups = {name: group.copy() for name, group in self.groups.items()}
        return other

    def encoding(self, limits: Mapping[str, Any]) -> bytes:
        return b"stream"

    def nbytes(self, samples: int) -> int:
        """Bytes held; the size of entries is estimated from ``samples`` of them (0: from all)."""
        total = getsizeof(self.entries) + sum(_group_bytes(group) for group in self.groups.values())
        taken = seen = 0
        for id, fields in self.entries.items():
            taken += getsizeof(id) + 64 + getsizeof(fields) + sum(map(getsizeof, fields))
            seen += 1
            if seen == samples:
                break
        return total + (taken * len(self.entries) // seen if seen else 0)


def _group_bytes(group: Group) -> int:
    return getsizeof(group.pending) + 260 * len(group.pending) + getsizeof(group.consumers) + 120 * len(group.consumers)
