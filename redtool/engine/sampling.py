"""What a dict lacks: random members in O(1) and stateless cursors, by a swap-remove array beside it.

An element that leaves is replaced by the last one, so elements only ever move to a *lower* index. A scan that
walks from the high end downward, with "how many are still to visit" as its cursor, therefore cannot jump over an
element that was there all the time; it can at most give one twice. This is the promise of SCAN, kept with one
integer and no state between the calls, and the cursor falls with every page, so every scan ends.
"""

from __future__ import annotations

from itertools import islice
from sys import getsizeof

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, Protocol

    Drawn = tuple[bytes, int]  # a key, and its place in a roll, NOWHERE if it was not drawn from one

    class Random(Protocol):
        """A source of randomness: ``random.Random``, or the lighter ``_random.Random``."""

        def random(self) -> float: ...

    class Sampled(Protocol):
        """A dict or set with room for the array over its elements."""

        sampler: KeyArray | None

        def __len__(self) -> int: ...

        def __iter__(self) -> Iterator[bytes]: ...


NOWHERE = 1 << 62
SPARE = 8  # one part in so many is to be free in a table made anew
SLOT = 18  # bytes of a place in a dict, about
SLACK = 64  # keys that have left which a roll may hold besides as many as there are
SMALL = 128  # up to so many elements, a walk is cheaper than keeping an array


class KeyArray:
    """The elements of a dict or set as an array, with each element's position beside it."""

    __slots__ = ("items", "places")

    def __init__(self, items: Iterable[bytes] = ()) -> None:
        self.items = list(items)
        self.places = dict(zip(self.items, range(len(self.items)), strict=True))

    def __len__(self) -> int:
        return len(self.items)

    def __contains__(self, item: object) -> bool:
        return item in self.places

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.items)

    def add(self, item: bytes) -> None:
        """Put ``item`` at the end unless it is there."""
        if item not in self.places:
            self.places[item] = len(self.items)
            self.items.append(item)

    def discard(self, item: bytes) -> None:
        """Take ``item`` out if it is there; the last element fills the gap."""
        place = self.places.pop(item, None)
        if place is None:
            return
        last = self.items.pop()
        if place < len(self.items):
            self.items[place] = last
            self.places[last] = place

    def pick(self, rng: Random) -> bytes:
        """Give one element at random. Raises IndexError when there are none."""
        return self.items[int(rng.random() * len(self.items))]

    def sample(self, rng: Random, count: int) -> list[bytes]:
        """Give ``count`` different elements at random, or all of them when there are fewer."""
        return [self.items[i] for i in positions(rng, len(self.items), count)]

    def page(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """Give the next cursor and up to ``count`` elements (at least one asked for).

        Cursor 0 starts a scan and ends it. Every element present from its start to its end is given at least once,
        whatever is added and discarded between the pages.
        """
        n = len(self.items)
        end = min(cursor, n) if cursor else n
        start = max(end - max(count, 1), 0)
        return start, self.items[start:end][::-1]


class Roll:
    """Keys of a dict to draw from, in a tenth of the memory of a KeyArray: those that left are found out when drawn.

    Who adds a key that was not in the dict tells it; one that left and came again may be in twice for a while, unless
    who took it out said where it stood.
    """

    __slots__ = ("keys", "members")

    def __init__(self, members: dict[bytes, Any]) -> None:
        self.members = members
        self.keys = list(members)

    def add(self, key: bytes) -> None:
        """Take note of a new key."""
        self.keys.append(key)
        count = len(self.members)
        if len(self.keys) > count + count // SPARE + SLACK:
            self.keys = [*self.members, key]

    def draw(self, rng: Random, count: int) -> list[Drawn]:
        """Give ``count`` keys at random with their places, not all different; fewer only if there are none at all."""
        found: list[Drawn] = []
        keys, members = self.keys, self.members
        while len(found) < count and keys:
            at = int(rng.random() * len(keys))
            key = keys[at]
            if key in members:
                found.append((key, at))
            else:
                self._take(at)
        return found

    def discard(self, key: bytes, at: int) -> None:
        """Take a key out that leaves the dict, if it still stands where it was drawn."""
        if at < len(self.keys) and self.keys[at] == key:
            self._take(at)

    def _take(self, at: int) -> None:
        last = self.keys.pop()
        if at < len(self.keys):
            self.keys[at] = last


def loose(table: dict[bytes, Any]) -> bool:
    """Whether a copy of a dict would take half of its room and still have some to spare.

    CPython gives a dict that is full room for three times its elements and more, a copy room for one and a half.
    """
    count = len(table)
    slots = 1 << (count * 3 // 2).bit_length()
    return slots * 2 // 3 > count + count // SPARE and getsizeof(table) > slots * SLOT * 3 // 2


def array_of(value: Sampled) -> KeyArray:
    """The elements of a set or hash as an array; kept from then on if it is large."""
    if value.sampler is not None:
        return value.sampler
    array = KeyArray(value)
    if len(value) > SMALL:
        value.sampler = array
    return array


def pick_of(value: Sampled, rng: Random) -> bytes:
    """Give one element of a set or hash at random; there must be one."""
    if value.sampler is None and len(value) <= SMALL:
        return next(islice(value, int(rng.random() * len(value)), None))
    return array_of(value).pick(rng)


def positions(rng: Random, n: int, count: int) -> list[int]:
    """Give ``count`` different indexes below ``n`` in random order, or all when there are fewer."""
    if count * 3 < n:  # few of many: draw again on a repeat
        drawn: dict[int, None] = {}
        while len(drawn) < count:
            drawn[int(rng.random() * n)] = None
        return list(drawn)
    deck = list(range(n))
    for i in range(min(count, n)):
        j = i + int(rng.random() * (n - i))
        deck[i], deck[j] = deck[j], deck[i]
    return deck[:count]
