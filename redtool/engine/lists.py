"""The list type: a deque, with the work in its middle done by blocks and not element by element."""

from __future__ import annotations

from itertools import islice

from redtool.numeric import is_int

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterator, Mapping
    from typing import Any
else:
    from _collections import deque  # the package around it costs a one-shot a millisecond

NODE_BYTES = (4096, 8192, 16384, 32768, 65536)  # list-max-listpack-size -1 … -5
COUNTED_BYTES = 8192  # a limit on the number of elements bounds the bytes, too
HOPS = 24  # up to so many elements, indexing each is cheaper than turning the deque


class List(deque[bytes]):
    """Elements from head (left) to tail. Pushing and popping are the deque's own methods."""

    __slots__ = ()
    kind = b"list"

    def span(self, start: int, stop: int) -> list[bytes]:
        """Give the elements of ``range(start, stop)``; both within the list."""
        size = stop - start
        if start < 4 * size:
            return list(islice(self, start, stop))
        if size <= HOPS:
            return [self[i] for i in range(start, stop)]
        self.rotate(-start)  # moves whole blocks of pointers from the nearer end
        found = list(islice(self, size))
        self.rotate(start)
        return found

    def trim(self, start: int, stop: int) -> None:
        """Keep ``range(start, stop)`` only; both within the list."""
        size = stop - start
        if len(self) - size > size:
            kept = self.span(start, stop)
            self.clear()
            self.extend(kept)
            return
        for _ in range(len(self) - stop):
            self.pop()
        for _ in range(start):
            self.popleft()

    def take(self, count: int, left: bool) -> list[bytes]:
        """Remove and give up to ``count`` elements from one end, the outermost first."""
        if count >= len(self):
            taken = list(self) if left else list(reversed(self))
            self.clear()
            return taken
        pop = self.popleft if left else self.pop
        return [pop() for _ in range(count)]

    def put_beside(self, pivot: bytes, element: bytes, after: bool) -> bool:
        """Insert ``element`` next to the first ``pivot``. False when there is none."""
        try:
            place = self.index(pivot)
        except ValueError:
            return False
        self.insert(place + after, element)
        return True

    def cut(self, element: bytes, count: int) -> int:
        """Remove the first ``count`` equal elements, the last ``-count``, or all for 0; gives how many went."""
        if count == 1:  # the acknowledged job of a queue
            try:
                self.remove(element)
            except ValueError:
                return 0
            return 1
        before = len(self)
        if count == 0:
            kept = [item for item in self if item != element]
        elif count > 0:
            kept = _without(list(self), element, count)
        else:
            kept = _without(list(reversed(self)), element, -count)
            kept.reverse()
        if len(kept) < before:
            self.clear()
            self.extend(kept)
        return before - len(kept)

    def places(self, element: bytes, rank: int, count: int, limit: int) -> list[int]:
        """Find where ``element`` stands: up to ``count`` (0: all) indexes from the match number ``rank`` on.

        A negative rank searches from the tail. ``limit`` bounds the comparisons, 0 does not.
        """
        found = self._matches(element, rank < 0, limit or len(self))
        first = min(abs(rank) - 1, len(self))
        return list(islice(found, first, first + min(count, len(self)) if count else None))

    def _matches(self, element: bytes, backward: bool, limit: int) -> Iterator[int]:
        if backward:
            last = len(self) - 1
            return (last - i for i, item in enumerate(islice(reversed(self), limit)) if item == element)
        return (i for i, item in enumerate(islice(self, limit)) if item == element)

    def encoding(self, limits: Mapping[str, Any]) -> bytes:
        """One listpack while it fits ``list-max-listpack-size``, else a quicklist."""
        fill = limits["list-max-listpack-size"]
        room = COUNTED_BYTES if fill >= 0 else NODE_BYTES[min(-fill, len(NODE_BYTES)) - 1]
        if len(self) > (max(fill, 1) if fill >= 0 else room // 2):
            return b"quicklist"
        room -= 7  # header and end mark
        for item in self:
            room -= packed_size(item)
            if room < 0:
                return b"quicklist"
        return b"listpack"

    def nbytes(self, samples: int) -> int:
        """Python bytes held: the deque and its elements, estimated from ``samples`` of them (0: all)."""
        from redtool.engine.memory import deque_blocks, strings

        return deque_blocks(self) + strings(self, len(self), samples)

    def copy(self) -> List:
        """Give a list of its own with the same elements."""
        return List(self)


def packed_size(item: bytes) -> int:
    """Bytes that one element takes in a listpack: header, content, length for walking back."""
    size = len(item)
    if size <= 20 and is_int(item):
        return 1 + _int_size(int(item))
    size += 1 if size < 64 else 2 if size < 4096 else 5
    back = 1
    while size >> 7 * back and back < 5:
        back += 1
    return size + back


def _int_size(value: int) -> int:
    if 0 <= value <= 127:
        return 1
    if -4096 <= value <= 4095:
        return 2
    for width in (2, 3, 4):
        if -(1 << 8 * width - 1) <= value < 1 << 8 * width - 1:
            return 1 + width
    return 9


def _without(items: list[bytes], element: bytes, count: int) -> list[bytes]:
    """Give ``items`` less its first ``count`` elements equal to ``element``."""
    kept: list[bytes] = []
    start = 0
    for _ in range(count):
        try:
            place = items.index(element, start)
        except ValueError:
            break
        kept += items[start:place]
        start = place + 1
    return kept + items[start:]
