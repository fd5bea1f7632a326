"""What values take of the process's memory: the sizes that Python tells, as its allocator rounds them.

Objects of up to 512 bytes come from pools of blocks that are a multiple of 16 bytes long, larger ones from the
system's ``malloc``, which puts 8 bytes before each and rounds to 16 too. Strings of no or one byte exist once.
"""

from __future__ import annotations

from itertools import islice
from sys import getsizeof

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterable
    from typing import Any

    from redtool.engine.deadlines import Deadlines
    from redtool.engine.sampling import KeyArray
else:
    from _collections import deque  # as in ``lists``

POOLED = 512  # bytes of the largest object that comes from a pool
SMALL_INTS = 257  # so many whole numbers from 0 exist once
TABLED = 1024  # lengths of strings whose sizes are at hand


def block(size: int) -> int:
    """Bytes that an object of this size takes."""
    return (size + 15) & ~15 if size <= POOLED else (size + 23) & ~15


class _Sizes(dict[int, int]):
    """Length of a ``bytes`` -> the bytes that it takes."""

    def __missing__(self, length: int) -> int:
        return block(EMPTY + length)


EMPTY = getsizeof(b"")
SIZES = _Sizes({length: block(EMPTY + length) if length > 1 else 0 for length in range(TABLED)})
NUMBER = block(getsizeof(1 << 40))  # a time, a position, a score
PAIR = block(getsizeof((1, 2)))
ID = PAIR + NUMBER  # of an entry of a stream: the time is a number of its own, the sequence is small as a rule
DEQUE_BLOCK = getsizeof(deque(range(65))) - getsizeof(deque())
DEQUE = getsizeof(deque()) - DEQUE_BLOCK
ATTRIBUTES = 320  # the dict of the attributes that few sets, hashes and sorted sets have
COLLECTED = 16  # bytes before an object that the garbage collector looks at
_size = SIZES.__getitem__


def strings(items: Iterable[bytes], total: int, samples: int) -> int:
    """Bytes that ``total`` strings take, estimated from the first ``samples`` of them (0: count all)."""
    if not samples or samples >= total:
        return sum(map(_size, map(len, items)))
    return sum(map(_size, map(len, islice(items, samples)))) * total // samples


def whole(value: bytes) -> int:
    """Bytes that a value takes that is one string: a string, or what lies packed."""
    return SIZES[len(value)] if type(value) is bytes else SIZES[len(value) + COLLECTED]


def measure(value: Any, samples: int = 0) -> int:
    """Bytes that a value of any type takes; a collection's from ``samples`` of its elements, 0 = all."""
    if isinstance(value, bytes):
        return whole(value)
    if type(value) is bytearray:
        from redtool.engine.strings import nbytes

        return nbytes(value)
    size: int = value.nbytes(samples)
    return size


def container(value: Any) -> int:
    """Bytes that a dict, list, set or object takes without what it holds."""
    return block(getsizeof(value))


def numbers(count: int) -> int:
    """Bytes that the whole numbers below ``count`` take."""
    return NUMBER * max(count - SMALL_INTS, 0)


def array(keys: KeyArray | None) -> int:
    """Bytes that the array for random picks and scans takes beside the elements; None: there is none."""
    if keys is None:
        return 0
    return container(keys) + container(keys.items) + container(keys.places) + numbers(len(keys.items))


def deadlines(times: Deadlines | None) -> int:
    """Bytes that deadlines take, with names of their own as the command that set them brought; None: there are none."""
    if times is None:
        return 0
    return container(times) + strings(times, 0, 0) + NUMBER * len(times) + heap(times._heap)


def heap(entries: list[tuple[int, bytes]] | None) -> int:
    """Bytes of a heap of (when, name), the numbers and names excepted."""
    return 0 if entries is None else container(entries) + PAIR * len(entries)


def deque_blocks(value: deque[bytes]) -> int:
    """Bytes of a deque without its elements: the object, and blocks of 64 places."""
    size = getsizeof(value)
    return block(DEQUE) + (size - DEQUE) // DEQUE_BLOCK * block(DEQUE_BLOCK)
