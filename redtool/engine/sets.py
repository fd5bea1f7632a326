"""The set type: a Python set, plus random members and scan pages once somebody asks for them."""

from __future__ import annotations

from itertools import takewhile

from redtool.engine import limits as sizes
from redtool.engine.sampling import KeyArray, array_of, pick_of
from redtool.numeric import INT64_MAX, INT64_MIN, is_int

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from collections.abc import Set as AbstractSet
    from typing import Any

    from redtool.engine.sampling import Random


INTSET, LISTPACK, TABLE = range(3)  # encodings, each wider than the one before
NAMES = (b"intset", b"listpack", b"hashtable")


class Set(set[bytes]):
    """Members. ``put``, ``take`` and ``pop_random`` keep the array in step; set's own mutators do not.

    ``sampler`` is the array behind random picks and scans of a large set, built on first need. It is a class
    default and the slot a dict: so making a set runs no Python code, and one without a sampler pays 8 bytes.
    """

    __slots__ = ("__dict__",)
    kind = b"set"
    sampler: KeyArray | None = None
    floor = INTSET  # the least encoding that what it once held has left to it

    def put(self, members: Collection[bytes]) -> int:
        """Add members; gives how many are new."""
        before = len(self)
        if len(members) > sizes.set_many:
            self._expect(members)
        self.update(members)
        if self.sampler is not None:
            for member in members:
                self.sampler.add(member)
        return len(self) - before

    def take(self, members: Collection[bytes]) -> int:
        """Remove members; gives how many were there."""
        before = len(self)
        if not self.floor or before > sizes.set_entries:
            self._note(members)
        elif self.floor == LISTPACK:
            self._note_long(members)
        self.difference_update(members)
        if self.sampler is not None:
            for member in members:
                self.sampler.discard(member)
        return before - len(self)

    def _expect(self, members: Collection[bytes]) -> None:
        """Before many words come: a server makes room for so many, even if they turn out to be few members.

        And an intset that grows too large becomes a table, even where a listpack would hold as many.
        """
        if self:
            kind = self.encoding(sizes.CURRENT)
            expected = len(members)
            if kind == b"intset":  # which grows number by number until something else comes
                expected = max(expected, len(self.union(takewhile(is_int, members))))
            if expected > (sizes.set_entries if kind == b"listpack" else sizes.intset_entries):
                self.floor = TABLE
        elif len(members) > sizes.intset_entries or not is_int(next(iter(members))):
            self.floor = TABLE if len(members) > sizes.set_entries else LISTPACK

    def _note(self, members: Collection[bytes]) -> None:
        """Before members go: remember what they made of the set, where the rest would not tell."""
        size, gone = len(self), self.intersection(members)
        if size <= sizes.set_entries:
            if size > sizes.intset_entries or not all(map(is_int, gone)):
                self.floor = LISTPACK
                self._note_long(gone)
            elif max(map(len, gone), default=0) > sizes.set_value and not all(map(is_int, self)):
                self.floor = TABLE
            return
        if gone and (
            self.floor
            or size > sizes.intset_entries
            or not all(map(is_int, gone))
            or (size - len(gone) <= sizes.set_entries and not all(map(is_int, self)))
        ):
            self.floor = TABLE

    def _note_long(self, members: Collection[bytes]) -> None:
        for member in members:
            if len(member) > sizes.set_value and member in self:
                self.floor = TABLE

    def settle(self) -> None:
        """Remember the encoding, before the limits change."""
        self.floor = NAMES.index(self.encoding(sizes.CURRENT))

    def array(self) -> KeyArray:
        """The members as an array; kept from then on if the set is large."""
        return array_of(self)

    def pick(self, rng: Random) -> bytes:
        """Give one member at random; the set must not be empty."""
        return pick_of(self, rng)

    def pop_random(self, rng: Random) -> bytes:
        """Remove and give one member at random."""
        member = self.pick(rng)
        self.take((member,))
        return member

    def packed(self, limits: Mapping[str, Any]) -> list[bytes] | None:
        """Give the members in one go if Redis would keep them in an intset or listpack, else None."""
        return None if self.floor == TABLE else packed(self, limits)

    def encoding(self, limits: Mapping[str, Any]) -> bytes:
        """Tell how Redis would store it: intset, listpack or hashtable."""
        if not self.floor and by_number(self) is not None:
            return b"intset" if len(self) <= limits["set-max-intset-entries"] else b"hashtable"
        return b"hashtable" if self.floor == TABLE or not fits(self, limits) else b"listpack"

    def nbytes(self, samples: int) -> int:
        """Python bytes held: table, members estimated from ``samples`` of them (0: all), and the array."""
        from redtool.engine.memory import ATTRIBUTES, array, container, strings

        size = container(self) + strings(self, len(self), samples)
        if self.floor or self.sampler is not None:
            size += ATTRIBUTES + array(self.sampler)
        return size

    def copy(self) -> Set:
        """Give a set of its own with the same members."""
        twin = Set(self)
        if self.floor:
            twin.floor = self.floor
        return twin


def by_number(members: AbstractSet[bytes]) -> list[bytes] | None:
    """Give different members in numeric order when each is a canonical 64-bit integer, else None."""
    try:
        values = sorted(map(int, members))
    except ValueError:
        return None
    if values and not INT64_MIN <= values[0] <= values[-1] <= INT64_MAX:
        return None
    texts = [b"%d" % value for value in values]
    return texts if members == set(texts) else None


def fits(members: AbstractSet[bytes], limits: Mapping[str, Any]) -> bool:
    """Tell whether a listpack would hold the members."""
    longest: int = limits["set-max-listpack-value"]
    return len(members) <= int(limits["set-max-listpack-entries"]) and max(map(len, members), default=0) <= longest


def packed(members: AbstractSet[bytes], limits: Mapping[str, Any]) -> list[bytes] | None:
    """Give members in a fixed order if Redis would keep them packed, else None.

    An intset's are by number, as in Redis; a listpack's by bytes, as the order of insertion is not kept here.
    """
    if len(members) <= limits["set-max-intset-entries"]:
        numbers = by_number(members)
        if numbers is not None:
            return numbers
    return sorted(members) if fits(members, limits) else None


def listed(members: AbstractSet[bytes], limits: Mapping[str, Any]) -> list[bytes]:
    """Give members as a list, few of them in the same order every time."""
    return packed(members, limits) or list(members)
