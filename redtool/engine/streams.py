"""The stream type: entries in order of id, consumer groups with their pending entries.

An id is a tuple (ms, sequence), so ids compare as tuples do. Files fill ``entries`` and ``pending`` directly; what
ranges need beside them (``Order``) is built when first asked for and kept in step from then on.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import chain, islice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    Id = tuple[int, int]
    Entry = tuple[Id, tuple[bytes, ...]]

FIRST: Id = (0, 0)
LAST: Id = (2**64 - 1, 2**64 - 1)
UNKNOWN_READ = -1  # entries_read of a group whose place in the stream's history is not known
SLACK = 512  # ids dropped from the front of an Order before it is compacted


def after(id: Id) -> Id | None:
    """The next id; None after the last."""
    ms, seq = id
    if seq < LAST[1]:
        return ms, seq + 1
    return (ms + 1, 0) if ms < LAST[0] else None


def before(id: Id) -> Id | None:
    """The id before; None before the first."""
    ms, seq = id
    if seq:
        return ms, seq - 1
    return (ms - 1, LAST[1]) if ms else None


class Order:
    """Ids in ascending order. Those at the front can be dropped, and greater ones added, in O(1)."""

    __slots__ = ("head", "ids")

    def __init__(self, ids: Iterable[Id] = ()) -> None:
        self.ids, self.head = list(ids), 0

    def __len__(self) -> int:
        return len(self.ids) - self.head

    def first(self) -> Id:
        return self.ids[self.head]

    def count_below(self, id: Id) -> int:
        return bisect_left(self.ids, id, self.head) - self.head

    def add(self, id: Id) -> None:
        """Add an id that is not there."""
        if not self.ids or id > self.ids[-1]:
            self.ids.append(id)
        else:
            self.ids.insert(bisect_left(self.ids, id, self.head), id)

    def discard(self, id: Id) -> None:
        place = bisect_left(self.ids, id, self.head)
        if place < len(self.ids) and self.ids[place] == id:
            if place == self.head:
                self.drop(1)
            else:
                del self.ids[place]

    def drop(self, count: int) -> list[Id]:
        """Take the first ``count`` ids out."""
        gone = self.ids[self.head : self.head + count]
        self.head += len(gone)
        if self.head == len(self.ids) or (self.head > SLACK and self.head * 2 > len(self.ids)):
            del self.ids[: self.head]
            self.head = 0
        return gone

    def between(self, first: Id, last: Id = LAST, count: int = 0, reverse: bool = False) -> list[Id]:
        """The ids from ``first`` to ``last``, both included; at most ``count`` unless that is 0."""
        low = bisect_left(self.ids, first, self.head)
        high = bisect_right(self.ids, last, low)
        if reverse:
            return self.ids[max(low, high - count) if count else low : high][::-1]
        return self.ids[low : min(high, low + count) if count else high]


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

    __slots__ = ("_order", "_owned", "consumers", "entries_read", "last_id", "pending")

    def __init__(self, last_id: Id = FIRST, entries_read: int = UNKNOWN_READ) -> None:
        self.last_id, self.entries_read = last_id, entries_read
        self.pending: dict[Id, list[Any]] = {}
        self.consumers: dict[bytes, Consumer] = {}
        self._order: Order | None = None
        self._owned: dict[bytes, Order] | None = None

    def copy(self) -> Group:
        other = Group(self.last_id, self.entries_read)
        other.pending = {id: list(delivery) for id, delivery in self.pending.items()}
        other.consumers = {name: Consumer(one.seen_ms, one.active_ms) for name, one in self.consumers.items()}
        return other

    @property
    def order(self) -> Order:
        """The ids of all pending entries."""
        if self._order is None:
            self._order = Order(sorted(self.pending))
        return self._order

    def owned(self, name: bytes) -> Order:
        """The ids of the entries pending for one consumer; not to be altered."""
        if self._owned is None:
            self._owned = {}
            for id in sorted(self.pending):
                self._line(self.pending[id][0]).add(id)
        return self._owned.get(name) or Order()

    def _line(self, name: bytes) -> Order:
        assert self._owned is not None
        line = self._owned.get(name)
        if line is None:
            line = self._owned[name] = Order()
        return line

    def deliver(self, id: Id, name: bytes, when: int, count: int) -> None:
        """Make an entry pending for this consumer, whoever had it before."""
        old = self.pending.get(id)
        if old is None:
            self.pending[id] = [name, when, count]
            if self._order is not None:
                self._order.add(id)
        else:
            if old[0] == name:
                old[1:] = when, count
                return
            if self._owned is not None:
                self._line(old[0]).discard(id)
            old[:] = name, when, count
        if self._owned is not None:
            self._line(name).add(id)

    def release(self, id: Id) -> bool:
        """Take an entry off the pending ones. True when it was there."""
        delivery = self.pending.pop(id, None)
        if delivery is None:
            return False
        if self._order is not None:
            self._order.discard(id)
        if self._owned is not None:
            self._line(delivery[0]).discard(id)
        return True

    def remove_consumer(self, name: bytes) -> int:
        """Forget a consumer and what was pending for it; gives how many entries that were."""
        gone = self.owned(name).between(FIRST)
        for id in gone:
            self.release(id)
        del self.consumers[name]
        return len(gone)


class Stream:
    """A stream. ``entries`` maps id to a flat tuple (field, value, field, value, …), in order of id."""

    __slots__ = ("_order", "entries", "entries_added", "groups", "last_id", "max_deleted_id", "packed_from")
    kind = b"stream"

    def __init__(self) -> None:
        self.entries: dict[Id, tuple[bytes, ...]] = {}
        self.last_id: Id = FIRST
        self.max_deleted_id: Id = FIRST
        self.entries_added = 0
        self.packed_from = 0  # entries added before the stream was last empty: nodes count from there
        self.groups: dict[bytes, Group] = {}
        self._order: Order | None = None

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def order(self) -> Order:
        """The ids of all entries."""
        if self._order is None:
            self._order = Order(self.entries)
        return self._order

    @property
    def first_id(self) -> Id:
        """The id of the oldest entry, 0-0 when there is none."""
        if self._order is not None:  # a dict that lost its first items is slow to give the first
            return self._order.first() if self.entries else FIRST
        return next(iter(self.entries), FIRST)

    @property
    def top_id(self) -> Id:
        """The id of the newest entry, 0-0 when there is none; ``last_id`` may be greater."""
        if self._order is not None:
            return self._order.ids[-1] if self.entries else FIRST
        return next(reversed(self.entries), FIRST)

    # -- entries

    def next_id(self, now: int) -> Id | None:
        """The id of an entry added at unix ms ``now``; None when all are used up."""
        return (now, 0) if now > self.last_id[0] else after(self.last_id)

    def append(self, id: Id, fields: tuple[bytes, ...]) -> None:
        """Add an entry whose id is greater than the last one's."""
        self.entries[id] = fields
        self.last_id = id
        self.entries_added += 1
        if self._order is not None:
            self._order.add(id)

    def range(self, first: Id, last: Id = LAST, count: int = 0, reverse: bool = False) -> list[Entry]:
        """The entries from one id to another, both included; at most ``count`` unless that is 0."""
        entries = self.entries
        return [(id, entries[id]) for id in self.order.between(first, last, count, reverse)]

    def discard(self, id: Id) -> bool:
        """Delete an entry. True when it was there."""
        if id not in self.entries:
            return False
        self.order.discard(id)
        del self.entries[id]
        self.max_deleted_id = max(self.max_deleted_id, id)
        self._emptied()
        return True

    def drop_first(self, count: int) -> int:
        """Trim the oldest entries away; gives how many went. No gap: ``max_deleted_id`` stays."""
        if count > 0:
            for id in self.order.drop(count):
                del self.entries[id]
            self._emptied()
        return count

    def cut(self, ids: Iterable[Id]) -> None:
        """Trim entries away that need not be the oldest ones; ``max_deleted_id`` stays all the same."""
        for id in ids:
            self.order.discard(id)
            del self.entries[id]
        self._emptied()

    def referenced(self, id: Id) -> bool:
        """Tell whether a group has this entry pending or has still to read it."""
        return any(id > group.last_id or id in group.pending for group in self.groups.values())

    def release(self, id: Id, released: dict[bytes, list[Id]]) -> None:
        """Take an entry off what the groups have pending, and note which did."""
        for name, group in self.groups.items():
            if group.release(id):
                released.setdefault(name, []).append(id)

    def _emptied(self) -> None:
        if not self.entries:
            self.packed_from = self.entries_added

    def set_added(self, count: int) -> None:
        """Correct how many entries were ever added."""
        self.packed_from += count - self.entries_added
        self.entries_added = count

    def _head_room(self, size: int) -> int:
        """How many entries the first node still has, if those that left were the oldest."""
        return size - (self.entries_added - self.packed_from - len(self)) % size

    def whole_nodes(self, excess: int, size: int, limit: int) -> int:
        """How many of the ``excess`` oldest entries an approximate trim removes: whole nodes, ``limit`` at most.

        A server packs entries into nodes of ``size`` as they are added and removes whole ones only.
        """
        head = self._head_room(size)
        if excess >= len(self) and (not limit or len(self) <= limit):
            return len(self)
        most = min(excess, limit) if limit else excess
        return head + (most - head) // size * size if most >= head else 0

    def nodes(self, size: int) -> list[Id]:
        """The first id of each node, as a server would pack the entries."""
        order = self.order
        return [order.first(), *order.ids[order.head + self._head_room(size) :: size]] if len(self) else []

    # -- how far a group has come

    def has_gap_from(self, id: Id) -> bool:
        """Tell whether an entry from this id on was deleted, so that counting on is not safe."""
        return bool(self.entries) and FIRST != self.max_deleted_id >= id

    def number_of(self, id: Id) -> int:
        """How many entries were ever added up to this id; UNKNOWN_READ where that cannot be told."""
        if not self.entries_added:
            return 0
        if not self.entries and id <= self.last_id:
            return self.entries_added
        if id != FIRST and id < self.max_deleted_id:
            return UNKNOWN_READ
        if id == self.last_id:
            return self.entries_added
        first = self.first_id
        if id > self.last_id or id > first or self.max_deleted_id >= first:
            return UNKNOWN_READ
        return self.entries_added - len(self) + (id == first)

    def advance(self, group: Group, id: Id) -> None:
        """Note that the group has read the entry with this id."""
        if id <= group.last_id:
            return
        known = group.entries_read != UNKNOWN_READ and group.last_id >= self.first_id
        if known and not self.has_gap_from(group.last_id):
            group.entries_read += 1
        else:
            group.entries_read = self.number_of(id)
        group.last_id = id

    def lag(self, group: Group) -> int | None:
        """How many entries the group has still to read; None where that cannot be told.

        As Valkey 9 counts: those trimmed away unread are still to read. Redis 7.4 leaves them out.
        """
        if not self.entries_added:
            return 0
        read = group.entries_read
        if read == UNKNOWN_READ or self.has_gap_from(group.last_id):
            read = self.number_of(group.last_id)
        return None if read == UNKNOWN_READ else self.entries_added - read

    # -- what every value has

    def copy(self) -> Stream:
        other = Stream()
        other.entries = self.entries.copy()
        other.last_id, other.max_deleted_id, other.entries_added = self.last_id, self.max_deleted_id, self.entries_added
        other.packed_from = self.packed_from
        other.groups = {name: group.copy() for name, group in self.groups.items()}
        return other

    def encoding(self, limits: Mapping[str, Any]) -> bytes:
        return b"stream"

    def nbytes(self, samples: int) -> int:
        """Bytes held; the size of entries is estimated from ``samples`` of them (0: from all)."""
        from redtool.engine.memory import ID, container, strings

        count = len(self.entries)
        taken = min(samples or count, count)
        size = container(self) + container(self.entries) + container(self.groups) + _order_bytes(self._order)
        if count:
            size += count * ID + sum(map(container, islice(self.entries.values(), taken))) * count // taken
            size += strings(chain.from_iterable(islice(self.entries.values(), taken)), 0, 0) * count // taken
        return size + sum(_group_bytes(name, group) for name, group in self.groups.items())


def _order_bytes(order: Order | None) -> int:
    from redtool.engine.memory import container

    return 0 if order is None else container(order) + container(order.ids)


def _group_bytes(name: bytes, group: Group) -> int:
    """Bytes of a group. The ids of what is pending are the entries' own; each command names its consumer anew."""
    from redtool.engine.memory import NUMBER, SIZES, container, strings

    size = sum(map(container, (group, group.pending, group.consumers, *group.pending.values())))
    size += strings([name, *group.consumers], 0, 0) + NUMBER * len(group.pending)
    owner = b""
    for delivery in group.pending.values():
        if delivery[0] is not owner:
            owner = delivery[0]
            size += SIZES[len(owner)]
    size += sum(map(container, group.consumers.values())) + 2 * NUMBER * len(group.consumers)
    size += _order_bytes(group._order)
    if group._owned is not None:
        size += container(group._owned) + sum(map(_order_bytes, group._owned.values()))
    return size


def radix_size(keys: list[bytes], depth: int = 0) -> int:
    """How many nodes Redis's radix tree has that holds these keys, sorted and equally long."""
    if not keys:
        return 1
    width, low, high = len(keys[0]), keys[0], keys[-1]
    shared = depth
    while shared < width and low[shared] == high[shared]:
        shared += 1
    run = 1 if shared > depth else 0
    if shared == width:
        return run + 1
    branches: dict[int, list[bytes]] = {}
    for key in keys:
        branches.setdefault(key[shared], []).append(key)
    return run + 1 + sum(radix_size(branch, shared + 1) for branch in branches.values())
