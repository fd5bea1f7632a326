"""A small hash that nobody has touched yet, as one string: a fifth of the memory.

It is what an RDB file holds of it (type 4, a count and then each field and value behind its length), where the count
and all lengths are below 64 and so take a byte each. Whoever looks at the key gets a ``Hash`` in its place; see
``Keyspace.unpack``. A small hash from a file begins like this, and one that a command makes with several fields. One
that was touched is not packed again: that would give nothing back to the system, since keys lie among what is freed.
"""

from __future__ import annotations

from redtool.engine.hashes import Hash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SHORT = 64  # fields of a hash, and bytes of each field and value, that are still packed are fewer
BYTES = [bytes((n,)) for n in range(SHORT)]
_before = BYTES.__getitem__


class Packed(bytes):
    """A hash in one piece. It never changes."""

    __slots__ = ()
    kind = b"hash"

    def unpack(self) -> Hash:
        """The hash itself."""
        data, pos, end = bytes(self), 1, len(self)
        items: list[bytes] = []
        add = items.append
        while pos < end:
            start = pos + 1
            pos = start + data[pos]
            add(data[start:pos])
        return Hash(zip(items[::2], items[1::2], strict=True))


def pack(value: Hash | Packed) -> Packed | None:
    """The hash in one piece; None where it cannot be or is: too large, or more than fields and values."""
    if type(value) is not Hash or not 0 < len(value) < SHORT:
        return None
    if value.upgraded or value.deadlines is not None or value.sampler is not None:
        return None
    return join([item for pair in value.items() for item in pair])


def join(items: Sequence[bytes]) -> Packed | None:
    """The same from fields and values in turn; None too where a field is there twice."""
    count = len(items) >> 1
    try:
        parts = [BYTES[count]]
        for item in items:
            parts += (_before(len(item)), item)
    except IndexError:
        return None
    return Packed(b"".join(parts)) if len(set(items[::2])) == count else None
