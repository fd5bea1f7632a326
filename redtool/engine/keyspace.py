"""One numbered database: keys, values, expiries. The only place that alters a database.

Some of its keys may still lie in a file (``cold``): they come in when they are looked at. A key past its deadline is
removed when it is next looked up, and by ``expire_cycle``; both tell the owner through ``on_expired`` so that the
removal is journalled. So are the fields of a hash that have deadlines of their own, by ``get``, ``peek`` and
``field_cycle``, through ``on_fields_expired``.
"""

from __future__ import annotations

from itertools import islice

from redtool import errors
from redtool.engine.sampling import KeyArray

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random
    from typing import Any

    from redtool.engine.clock import Clock
    from redtool.engine.cold import Cold, Entry, Source
    from redtool.engine.deadlines import Deadlines
    from redtool.engine.meter import Meter
    from redtool.engine.packed import Packed
    from redtool.engine.sampling import Roll
    from redtool.engine.uses import Frequency, Recency

# A heap of deadlines keeps superseded entries; it is rebuilt when they outnumber the live ones.
HEAP_SLACK = 1024
NEVER = 1 << 63
ALL = 1 << 62
TRIES = 1000  # picks at random before all keys are looked at
BEYOND = 1 << 48  # cursors of a scan from here on tell of slots of the file, those below of keys in memory


class Keyspace:
    """Keys and values of one database.

    ``data`` maps key to value, ``expires`` key to deadline (unix ms). ``uses`` has when or how often
    each key was used, None where nobody asks.
    ``watched`` and ``blocked`` map a key to the sessions that watch it or wait for it. ``timed`` maps a hash some
    of whose fields have deadlines to a time before which none of them passes; None until there is one. ``careful``
    says that a look at a key takes more than a look into ``data``: because of ``timed``, ``cold`` or ``before``, or to
    note the access; ``noting`` that storing or removing one takes more than the dict. ``before`` is told a key before
    it is looked at, stored or removed: a snapshot that is being taken in slices saves it first.
    """

    __slots__ = ("_array", "_before", "_heap", "_meter", "_on_new", "_rest", "_roll", "_soonest", "_timed_roll",
                 "_uses", "blocked", "careful", "clock", "cold", "data", "expires", "held", "index", "lazy", "noting",
                 "on_expired", "on_fields_expired", "packed", "still", "timed", "watched")  # fmt: skip

    def __init__(self, index: int, clock: Clock) -> None:
        self.index = index
        self.clock = clock
        self.data: dict[bytes, Any] = {}
        self.expires: dict[bytes, int] = {}
        self.watched: dict[bytes, set[Any]] = {}
        self.blocked: dict[bytes, list[Any]] = {}
        self.on_expired: Callable[[Keyspace, bytes], None] = _ignore
        self.on_fields_expired: Callable[[Keyspace, bytes, list[bytes]], None] = _ignore_fields
        self.timed: Deadlines | None = None
        self._on_new: Callable[[Keyspace, bytes], None] | None = None
        self._before: Callable[[bytes], None] | None = None
        self.cold: Cold | None = None
        self._rest: Iterator[Entry] | None = None  # what ``thaw`` has still to read
        self._uses: Recency | Frequency | None = None
        self._meter: Meter | None = None
        self.packed = False  # there may be values that lie packed until they are looked at
        self.careful = self.noting = False
        self.lazy = True  # False while loading: then only journalled DELs remove a key
        self.held = False  # CLIENT PAUSE: keys past their deadline are not to be seen, and stay
        self.still = False  # CLIENT NO-TOUCH: a look at a key is not noted
        self._heap: list[tuple[int, bytes]] | None = None  # built when the first deadline comes
        self._soonest = NEVER  # no deadline lies before this
        self._array: KeyArray | None = None
        self._roll: Roll | None = None  # what eviction draws from: all keys, and those with a deadline
        self._timed_roll: Roll | None = None

    def __len__(self) -> int:
        return len(self.data) + (len(self.cold) if self.cold is not None else 0)

    def __contains__(self, key: bytes) -> bool:
        """Whether the key is there, be it past its deadline."""
        return key in self.data or (self.cold is not None and self.cold.find(key) >= 0)

    @property
    def expiring(self) -> int:
        """How many keys have a deadline."""
        return len(self.expires) + (self.cold.expires if self.cold is not None else 0)

    def deadlines(self) -> Iterator[int]:
        """Deadlines of keys, in unix ms and no order."""
        yield from self.expires.values()
        if self.cold is not None:
            yield from self.cold.deadlines()

    @property
    def before(self) -> Callable[[bytes], None] | None:
        """Told of each key before it is looked at, stored or removed; None: nobody asks."""
        return self._before

    @before.setter
    def before(self, tell: Callable[[bytes], None] | None) -> None:
        self._before = tell
        self._review()

    @property
    def uses(self) -> Recency | Frequency | None:
        """When or how often each key was used: OBJECT IDLETIME and FREQ, eviction."""
        return self._uses

    @uses.setter
    def uses(self, uses: Recency | Frequency | None) -> None:
        self._uses = uses
        self._review()

    @property
    def access(self) -> dict[bytes, int]:
        """What ``uses`` holds of each key; nothing where nobody asks."""
        return {} if self._uses is None else self._uses.at

    @property
    def on_new(self) -> Callable[[Keyspace, bytes], None] | None:
        """Told of each key that was not there before; None: nobody asks."""
        return self._on_new

    @on_new.setter
    def on_new(self, tell: Callable[[Keyspace, bytes], None] | None) -> None:
        self._on_new = tell
        self._review()

    @property
    def meter(self) -> Meter | None:
        """What the keys in memory take, kept up to date; None where nobody asks."""
        return self._meter

    @meter.setter
    def meter(self, meter: Meter | None) -> None:
        self._meter = meter
        self._review()

    @property
    def used(self) -> int:
        """Bytes that the keys in memory take, while there is a ``meter``."""
        return 0 if self._meter is None else self._meter.total(self)

    def _review(self) -> None:
        self.careful = bool(self._uses is not None or self.timed or self.cold is not None or self._before is not None)
        self.noting = bool(self.careful or self._on_new is not None or self._array is not None
                           or self._roll is not None or self._meter is not None)  # fmt: skip

    def get(self, key: bytes) -> Any:
        """Give the value under ``key`` and note the access; None when missing or past its deadline."""
        if self.careful:
            value = self.peek(key)
            if value is not None and self._uses is not None and not self.still:
                self._uses.touch(key)
            return value
        when = self.expires.get(key)
        if when is not None and when <= self.clock.ns // 1_000_000 and self.lazy:
            self.expire(key)
            return None
        return self._opened(key) if self.packed else self.data.get(key)

    def peek(self, key: bytes) -> Any:
        """Like ``get`` but leaves the access time alone."""
        if self.careful:
            self._bring(key)
        if self.expires and self.is_stale(key):
            self.expire(key)
            return None
        if self.timed and self._has_stale_fields(key):
            self.expire_fields(key)
        return self._opened(key) if self.packed else self.data.get(key)

    def _opened(self, key: bytes) -> Any:
        value: Any = self.data.get(key)
        return value if getattr(value, "unpack", None) is None else self.unpack(key, value)

    def unpack(self, key: bytes, value: Packed) -> Any:
        """Put the value that lies packed under ``key`` into its usual form; gives that."""
        hash = value.unpack()
        if self._meter is not None:
            self._meter.put(key, value, hash)
        self.data[key] = hash
        return hash

    def kind(self, key: bytes) -> bytes | None:
        """TYPE's answer for a key, without reading its value; None when missing or past its deadline."""
        if self.cold is not None and key not in self.data:
            return self.cold.kind(key, self.clock.ns // 1_000_000 if self.lazy else 0)
        if self.packed and self._before is None and not self.is_stale(key):
            value = self.data.get(key)  # as it lies
        else:
            value = self.peek(key)
        return None if value is None else kind_of(value)

    def is_stale(self, key: bytes) -> bool:
        """Tell whether the key's deadline has passed."""
        when = self.expires.get(key)
        return when is not None and self.lazy and when <= self.clock.ns // 1_000_000

    def put(self, key: bytes, value: Any, keep_ttl: bool = False) -> None:
        """Store ``value`` under ``key``, replacing what was there and, unless told, its deadline."""
        if self.careful and (keep_ttl or not self._superseded(key)):
            self._bring(key)
        if self.expires and not keep_ttl:
            when = self.expires.pop(key, None)
            if when is not None and when <= self.clock.ns // 1_000_000 and self.lazy:
                self.expire(key)  # what was there had ended: this is a new key
        if self.noting:
            self._note_put(key, value, keep_ttl)
        self.data[key] = value

    def _note_put(self, key: bytes, value: Any, altered: bool) -> None:
        """What a value brings with it besides its place in ``data``; ``altered``: it comes of the one there was."""
        if self._uses is not None:
            self._uses.put(key, altered)
        if self.timed:
            self.timed.pop(key, None)
        if self._meter is not None:
            self._meter.put(key, self.data.get(key), value)
        if key not in self.data:
            if self._array is not None:
                self._array.add(key)
            if self._roll is not None:
                self._roll.add(key)
            if self._on_new is not None:
                self._on_new(self, key)

    def remove(self, key: bytes) -> bool:
        """Delete a key. True when it was there."""
        if self.careful:
            self._bring(key)
        value = self.data.pop(key, None)
        if value is None:
            return False
        if self.expires:
            self.expires.pop(key, None)
        if self.noting:
            self._note_remove(key, value)
        return True

    def vacate(self, key: bytes) -> None:
        """Delete a key, if it is there, for a new one to take its name, to which a scan may have still to come.

        So the name keeps its place in the array; ``put`` must follow.
        """
        array, self._array = self._array, None
        try:
            self.remove(key)
        finally:
            self._array = array

    def _note_remove(self, key: bytes, value: Any) -> None:
        if self._uses is not None:
            self._uses.at.pop(key, None)
        if self.timed:
            self.timed.pop(key, None)
        if self._meter is not None:
            self._meter.remove(key, value)
        if self._array is not None:
            self._array.discard(key)

    # -- keys in a file

    def chill(self, source: Source, since: int = 0, fixed: bool = False) -> None:
        """Hold the keys of a file besides those in memory; see ``Cold``."""
        from redtool.engine.cold import Cold

        self.cold = Cold(source, since, fixed)
        self._soonest, self.packed = 0, True
        self._review()

    def _bring(self, key: bytes) -> None:
        """Do what must be done before a key is looked at, stored or removed: save it, read it."""
        if self._before is not None:
            self._before(key)
        cold = self.cold
        if cold is not None and key not in self.data:
            if cold.full:
                self._forget()
            entry = cold.take(key)
            if entry is not None:
                self._came(*entry)

    def _superseded(self, key: bytes) -> bool:
        """Whether what the file holds of a key can be dropped unread, since another value comes."""
        if self.cold is None or self._on_new is not None or key in self.data:
            return False
        if self._before is not None:
            self._before(key)
        return self.cold.drop(key, self.clock.ns // 1_000_000 if self.lazy else 0)

    def _came(self, key: bytes, value: Any, deadline: int | None, idle: int | None, freq: int | None) -> None:
        """Take in a key that has come from the file."""
        if deadline is not None:
            self.expire_at(key, deadline)
        self.told(key, idle, freq)
        if self._array is not None:
            self._array.add(key)
        if self._roll is not None:
            self._roll.add(key)
        if self._meter is not None:
            self._meter.put(key, None, value)
        self.data[key] = value
        self.note_fields(key, value)

    def told(self, key: bytes, idle: int | None, freq: int | None) -> None:
        """Take over what a file says of a key's last use. That it was so many seconds ago is kept in any case."""
        if self._uses is None and idle is not None:
            from redtool.engine.uses import Recency

            self.uses = Recency(self.clock)
        if self._uses is not None:
            self._uses.note(key, idle, freq, then=True)

    def _forget(self) -> None:
        """Drop what a database that never changes has read; it lies in the file."""
        assert self.cold is not None
        self.data, self.expires = {}, {}
        self._heap = self._array = self._roll = self._timed_roll = self.timed = None
        if self._uses is not None:
            self._uses.at = {}
        self.cold.forget(self.clock.ns // 1_000_000)
        self._soonest = 0
        self._measure()
        self._review()

    def _measure(self) -> None:
        """Measure all keys, after they have changed in other ways than by ``put`` and ``remove``."""
        if self._meter is not None:
            self._meter.fill(self.data)

    def thaw(self, most: int) -> bool:
        """Read at most ``most`` more keys of the file into memory. False when none are left in it that can be read."""
        cold = self.cold
        if cold is None:
            return False
        if self._rest is None:
            self._rest = cold.entries()
        try:
            for entry in islice(self._rest, most):
                if self._before is not None:
                    self._before(entry[0])
                cold.leave(entry[0], entry[2])
                if entry[0] not in self.data:
                    self._came(*entry)
                most -= 1
        except errors.Unreadable:  # the others stay where they are, and come in when they are looked at
            cold.torn, self._rest = True, None
            return False
        if most > 0:
            self.cold = self._rest = None
            self._review()
        return self.cold is not None

    def items(self) -> Iterator[tuple[bytes, Any, int | None]]:
        """(key, value, deadline in unix ms or None) of every key, those past their deadline included."""
        deadline = self.expires.get
        for key, value in self.data.items():
            yield key, value, deadline(key)
        if self.cold is not None:
            from redtool.engine.uses import shown

            for entry in shown(self.cold.entries(), self._uses):
                if entry[0] not in self.data:  # else a damaged index had not found it
                    yield entry

    def rename(self, key: bytes, newkey: bytes) -> None:
        """Move an existing key's value and deadline to ``newkey``, replacing what was there."""
        when = self.expires.get(key)
        value = self.data[key]
        if self.peek(newkey) is not None:
            self.vacate(newkey)
        if self._meter is not None:
            self._meter.hand(key)
        self.remove(key)
        self.put(newkey, value)
        if when is not None:
            self.expire_at(newkey, when)
        self.note_fields(newkey, value)

    def clear(self) -> int:
        """Delete every key; gives how many there were."""
        count = len(self)
        self.data, self.expires, self.packed = {}, {}, False
        self._heap = self._array = self._roll = self._timed_roll = None
        self.timed = self.cold = self._rest = self._before = None
        if self._uses is not None:
            self._uses.at = {}
        self._soonest = NEVER
        self._measure()
        self._review()
        return count

    def swap(self, other: Keyspace) -> None:
        """Exchange the contents, as SWAPDB does; watchers and waiters stay with their number."""
        for name in ("data", "expires", "timed", "cold", "packed", "_meter", "_uses", "_heap", "_soonest", "_array",
                     "_roll", "_timed_roll", "_before", "_rest"):  # fmt: skip
            mine = getattr(self, name)
            setattr(self, name, getattr(other, name))
            setattr(other, name, mine)
        for db in (self, other):
            db._review()

    def expire_at(self, key: bytes, when: int) -> None:
        """Set the deadline of an existing key, in unix ms."""
        if self._timed_roll is not None and key not in self.expires:
            self._timed_roll.add(key)
        self.expires[key] = when
        if when < self._soonest:
            self._soonest = when
        if self._heap is not None:
            from heapq import heappush

            heappush(self._heap, (when, key))
            if len(self._heap) > 2 * len(self.expires) + HEAP_SLACK:
                self._heap = None

    def loaded(self) -> None:
        """Take note that ``data`` and ``expires`` were filled from a file."""
        self._soonest = 0
        self._heap = self._array = self._roll = self._timed_roll = None
        self._measure()
        self._review()

    def persist(self, key: bytes) -> bool:
        """Drop the deadline of a key. True when it had one."""
        return self.expires.pop(key, None) is not None

    def expire(self, key: bytes) -> None:
        """Remove a key whose deadline has passed and tell the owner."""
        if self.held:
            return
        self.remove(key)
        self.on_expired(self, key)

    def expire_cycle(self, budget: int) -> int:
        """Remove at most ``budget`` keys past their deadline; gives how many went."""
        now = self.clock.ms
        if now < self._soonest or not self.lazy or self.held or not (self.expires or self.cold is not None):
            return 0
        if not self._soonest:
            self._soonest = self._first_deadline()
            if now < self._soonest:
                return 0
        if self.cold is not None:
            for key in self.cold.due(now, budget):
                self._bring_due(key)
        from heapq import heappop

        heap, gone = self._heaped(), 0
        while heap and heap[0][0] <= now and gone < budget:
            when, key = heappop(heap)
            if self.expires.get(key) == when:
                self.expire(key)
                gone += 1
        self._soonest = heap[0][0] if heap else NEVER
        if self.cold is not None:
            self._soonest = min(self._soonest, self.cold.soonest())
        return gone

    def _bring_due(self, key: bytes) -> None:
        try:
            self._bring(key)
        except errors.Unreadable:  # it stays; a look at it says why
            return

    def _first_deadline(self) -> int:
        first = min(self.expires.values(), default=NEVER)
        return first if self.cold is None else min(first, self.cold.soonest())

    def _heaped(self) -> list[tuple[int, bytes]]:
        """The heap of deadlines; an entry counts if the key still has that deadline."""
        if self._heap is None:
            from heapq import heapify

            self._heap = [(when, key) for key, when in self.expires.items()]
            heapify(self._heap)
        return self._heap

    # -- fields of hashes

    def note_fields(self, key: bytes, value: Any) -> None:
        """Take note of a value put under ``key``, or of new deadlines in it, if it is a hash that has any."""
        deadlines = getattr(value, "deadlines", None)
        if deadlines:
            if self.timed is None:
                from redtool.engine.deadlines import Deadlines

                self.timed = Deadlines()
            self.careful = self.noting = True
            soonest = deadlines.soonest()
            if self.timed.get(key) != soonest:
                self.timed.set(key, soonest)

    def _has_stale_fields(self, key: bytes) -> bool:
        when = self.timed.get(key) if self.timed else None
        return when is not None and self.lazy and when <= self.clock.ns // 1_000_000

    def expire_fields(self, key: bytes, most: int = ALL) -> int:
        """Remove fields past their deadline, ``most`` at most, and the key with its last one; gives how many went."""
        if self._before is not None:
            self._before(key)
        value = self.data[key]
        fields = value.expire(self.clock.ns // 1_000_000, most)
        if self._meter is not None:
            self._meter.altered(key, value, fields)
        if not value:
            self.remove(key)
        elif value.deadlines:
            self.note_fields(key, value)
        elif self.timed:
            self.timed.pop(key, None)
        if fields:
            self.on_fields_expired(self, key, fields)
        return len(fields)

    def field_cycle(self, budget: int = ALL) -> int:
        """Remove at most ``budget`` fields past their deadline; gives how many, with hashes looked at in vain."""
        now, gone = self.clock.ns // 1_000_000, 0
        while self.timed and self.lazy and not self.held and gone < budget and (keys := self.timed.due(now, 1)):
            gone += self.expire_fields(keys[0], budget - gone) or 1
        return gone

    def array(self) -> KeyArray:
        """The sampling array over all keys, built on first need and kept in step from then on."""
        if self._array is None:
            self._array = KeyArray(self.data)
            self.noting = True
        return self._array

    def page(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """One SCAN step: the next cursor (0 = done) and keys; of those in memory, stale ones too.

        First come the keys of the file, slot by slot, and those that have come in from it with them; then those
        that are in memory alone.
        """
        self.field_cycle()
        if self.cold is None:
            return self.array().page(cursor if cursor < BEYOND else 0, count)
        found: list[bytes] = []
        if not cursor or cursor >= BEYOND:
            now = self.clock.ns // 1_000_000 if self.lazy else 0
            slot, found = self.cold.page(cursor - BEYOND if cursor else ALL, max(count, 1), self.data, now)
            if slot:
                return BEYOND + slot, found
            cursor, count = len(self.array()), count - len(found)
            if count <= 0 or not cursor:
                return cursor, found
        cursor, live = self.array().page(cursor, count)
        return cursor, found + [key for key in live if key not in self.cold.gone]

    def random_key(self, rng: Random) -> bytes | None:
        """A key picked uniformly among those not past their deadline; None when there is none."""
        self.field_cycle()
        if self.held:
            live = list(self.live_keys())
            return rng.choice(live) if live else None
        tries = 0
        while (count := len(self)) and tries < TRIES:
            inside = self.cold is None or int(rng.random() * count) < len(self.data)
            key = self.array().pick(rng) if inside or self.cold is None else self.cold.pick(rng)
            if self.peek(key) is not None:
                return key
            tries += self.cold is not None  # one that is not found is still counted, where an index is damaged
        return next((key for key in self.live_keys() if self.peek(key) is not None), None) if count else None

    def live_keys(self) -> Iterator[bytes]:
        """All keys not past their deadline."""
        self.field_cycle()
        keys = list(self.data) if not self.expires else [key for key in self.data if not self.is_stale(key)]
        if self.cold is not None:
            now = self.clock.ns // 1_000_000 if self.lazy else 0
            keys += [key for key, when in self.cold.names() if when is None or when > now]
        return iter(keys)


def kind_of(value: Any) -> bytes:
    """The answer of TYPE for a value."""
    return getattr(value, "kind", b"string")


def copy_of(value: Any) -> Any:
    """A value of its own, for another key."""
    return value if isinstance(value, bytes) else value.copy()


def _ignore(keyspace: Keyspace, key: bytes) -> None:
    """The owner's part when there is no owner (a keyspace under test)."""


def _ignore_fields(keyspace: Keyspace, key: bytes, fields: list[bytes]) -> None:
    """The same for fields."""
