"""The hash type: a dict of fields, plus random fields and scan pages once somebody asks for them."""

from __future__ import annotations

from sys import getsizeof

from redtool.engine.lists import held
from redtool.engine.sampling import KeyArray, array_of, pick_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any

    from redtool.engine.sampling import Random


class Hash(dict[bytes, bytes]):
    """Fields and values. ``put``, ``alter`` and ``take`` keep the rest in step; dict's own mutators do not.

    ``deadlines`` maps a field to its deadline in unix ms, None when no field has one. ``sampler`` is the array
    behind random picks and scans of a large hash, built on first need. Both are class defaults and the slot a
    dict: so making a hash runs no Python code, and one without either pays 8 bytes.
    """

    __slots__ = ("__dict__",)
    kind = b"hash"
    deadlines: dict[bytes, int] | None = None
    sampler: KeyArray | None = None

    def put(self, pairs: Sequence[bytes]) -> int:
        """Set field, value, field, value, …; gives how many fields are new. A field set anew loses its deadline."""
        before = len(self)
        if len(pairs) == 2:
            self[pairs[0]] = pairs[1]
        else:
            self.update(zip(pairs[::2], pairs[1::2], strict=True))
        if self.sampler is not None:
            for field in pairs[::2]:
                self.sampler.add(field)
        if self.deadlines is not None:
            for field in pairs[::2]:
                self.deadlines.pop(field, None)
        return len(self) - before

    def alter(self, field: bytes, value: bytes) -> None:
        """Set one field and leave its deadline."""
        self[field] = value
        if self.sampler is not None:
            self.sampler.add(field)

    def take(self, fields: Collection[bytes]) -> int:
        """Remove fields; gives how many were there."""
        before = len(self)
        for field in fields:
            self.pop(field, None)
        if self.sampler is not None:
            for field in fields:
                self.sampler.discard(field)
        if self.deadlines is not None:
            for field in fields:
                self.deadlines.pop(field, None)
        return before - len(self)

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
        """Tell how Redis would store it: listpack (listpackex with field deadlines) or hashtable."""
        if len(self) <= limits["hash-max-listpack-entries"]:
            longest = limits["hash-max-listpack-value"]
            if max(map(len, self), default=0) <= longest and max(map(len, self.values()), default=0) <= longest:
                return b"listpackex" if self.deadlines else b"listpack"
        return b"hashtable"

    def nbytes(self, samples: int) -> int:
        """Python bytes held: table, fields and values estimated from ``samples`` of them (0: all), and the rest."""
        size = getsizeof(self) + held(self, len(self), samples) + held(self.values(), len(self), samples)
        if self.deadlines is not None:
            size += getsizeof(self.deadlines) + 32 * len(self.deadlines)
        if self.sampler is not None:
            size += getsizeof(self.sampler.items) + getsizeof(self.sampler.places)
        return size

    def copy(self) -> Hash:
        """Give a hash of its own with the same fields, values and deadlines."""
        twin = Hash(self)
        if self.deadlines is not None:
            twin.deadlines = self.deadlines.copy()
        return twin
