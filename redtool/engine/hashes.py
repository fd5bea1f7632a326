"""The hash type: a dict of fields, plus random fields and scan pages once somebody asks for them."""

from __future__ import annotations

from redtool.engine import limits as sizes
from redtool.engine.sampling import KeyArray, array_of, pick_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any

    from redtool.engine.deadlines import Deadlines
    from redtool.engine.sampling import Random


class Hash(dict[bytes, bytes]):
    """Fields and values. ``put``, ``alter`` and ``take`` keep the rest in step; dict's own mutators do not.

    ``deadlines`` maps a field to its deadline in unix ms, None when no field has one. ``sampler`` is the array
    behind random picks and scans of a large hash, built on first need. Both are class defaults and the slot a
    dict: so making a hash runs no Python code, and one without either pays 8 bytes.
    """

    __slots__ = ("__dict__",)
    kind = b"hash"
    deadlines: Deadlines | None = None
    sampler: KeyArray | None = None
    upgraded = False  # was too large for a listpack once

    def put(self, pairs: Sequence[bytes]) -> int:
        """Set field, value, field, value, …; gives how many fields are new. A field set anew loses its deadline."""
        if len(pairs) == 2:
            field, value = pairs
            old = self.get(field)
            self[field] = value
            added = 1
            if old is not None:
                added = 0
                if len(old) > sizes.hash_value:
                    self.upgraded = True
        else:
            added = self._put_several(pairs)
        if self.sampler is not None:
            for field in pairs[::2]:
                self.sampler.add(field)
        if self.deadlines is not None:
            for field in pairs[::2]:
                self.deadlines.pop(field, None)
        return added

    def _put_several(self, pairs: Sequence[bytes]) -> int:
        fields, before = pairs[::2], len(self)
        if not before:
            self.update(zip(fields, pairs[1::2], strict=True))
            if len(self) < len(fields) and max(map(len, pairs)) > sizes.hash_value:
                self.upgraded = True  # a value may be gone again already; to a server it was there
        else:
            get, longest = self.get, sizes.hash_value
            for field, value in zip(fields, pairs[1::2], strict=True):
                old = get(field)
                self[field] = value
                if old is not None and len(old) > longest:
                    self.upgraded = True
        if len(fields) > sizes.hash_entries:  # a server makes room for so many, even if they turn out to be fewer
            self.upgraded = True
        return len(self) - before

    def alter(self, field: bytes, value: bytes) -> None:
        """Set one field and leave its deadline."""
        if len(self.get(field, b"")) > sizes.hash_value:
            self.upgraded = True
        self[field] = value
        if self.sampler is not None:
            self.sampler.add(field)

    def take(self, fields: Collection[bytes]) -> int:
        """Remove fields; gives how many were there."""
        before, longest = len(self), sizes.hash_value
        if before > sizes.hash_entries:
            self.upgraded = True
        for field in fields:
            value = self.pop(field, None)
            if value is not None and (len(value) > longest or len(field) > longest):
                self.upgraded = True
        if self.sampler is not None:
            for field in fields:
                self.sampler.discard(field)
        if self.deadlines is not None:
            for field in fields:
                self.deadlines.pop(field, None)
        return before - len(self)

    def expire_at(self, field: bytes, when: int) -> None:
        """Give a field that exists a deadline."""
        if self.deadlines is None:
            from redtool.engine.deadlines import Deadlines

            self.deadlines = Deadlines()
        self.deadlines.set(field, when)

    def persist(self, field: bytes) -> bool:
        """Take the deadline from a field. True when it had one."""
        return self.deadlines is not None and self.deadlines.pop(field, None) is not None

    def expire(self, now: int, most: int) -> list[bytes]:
        """Remove fields whose deadline has passed, ``most`` at most; gives their names."""
        fields = self.deadlines.due(now, most) if self.deadlines else []
        self.take(fields)
        return fields

    def array(self) -> KeyArray:
        """The fields as an array; kept from then on if the hash is large."""
        return array_of(self)

    def pick(self, rng: Random) -> bytes:
        """Give one field at random; the hash must not be empty."""
        return pick_of(self, rng)

    def packed(self, limits: Mapping[str, Any]) -> list[bytes] | None:
        """Give the fields in one go if Redis would keep them in a listpack, else None."""
        return None if self.encoding(limits) == b"hashtable" else list(self)

    def encoding(self, limits: Mapping[str, Any]) -> bytes:
        """Tell how Redis would store it: listpack (listpackex once a field had a deadline) or hashtable."""
        if not self.upgraded and len(self) <= limits["hash-max-listpack-entries"]:
            longest = limits["hash-max-listpack-value"]
            if max(map(len, self), default=0) <= longest and max(map(len, self.values()), default=0) <= longest:
                return b"listpack" if self.deadlines is None else b"listpackex"
        return b"hashtable"

    def settle(self) -> None:
        """Remember that it is too large for a listpack, before the limits change."""
        self.upgraded = self.encoding(sizes.CURRENT) == b"hashtable"

    def nbytes(self, samples: int) -> int:
        """Python bytes held: table, fields and values estimated from ``samples`` of them (0: all), and the rest."""
        from redtool.engine.memory import ATTRIBUTES, array, container, deadlines, strings

        size = container(self) + strings(self, len(self), samples) + strings(self.values(), len(self), samples)
        if self.upgraded or self.deadlines is not None or self.sampler is not None:
            size += ATTRIBUTES + deadlines(self.deadlines) + array(self.sampler)
        return size

    def copy(self) -> Hash:
        """Give a hash of its own with the same fields, values and deadlines."""
        twin = Hash(self)
        if self.deadlines is not None:
            twin.deadlines = self.deadlines.copy()
        if self.upgraded:
            twin.upgraded = True
        return twin
