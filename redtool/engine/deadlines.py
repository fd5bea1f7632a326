"""Deadlines by name, with those that come first at hand: of the fields of a hash, and of the hashes that have such."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SLACK = 64  # superseded entries that a heap may hold before it is built anew
NEVER = 1 << 63


class Deadlines(dict[bytes, int]):
    """Name -> deadline in unix ms. Set with ``set``; dict's ways to remove a name are all right.

    The heap is built when somebody asks what comes first. An entry of it counts only while the dict says the same.
    """

    __slots__ = ("_heap",)

    def __init__(self, items: Mapping[bytes, int] | Iterable[tuple[bytes, int]] = ()) -> None:
        super().__init__(items)
        self._heap: list[tuple[int, bytes]] | None = None

    def set(self, name: bytes, when: int) -> None:
        """Set the deadline of a name."""
        self[name] = when
        if self._heap is not None:
            if len(self._heap) > 2 * len(self) + SLACK:
                self._heap = None
            else:
                heappush(self._heap, (when, name))

    def _ordered(self) -> list[tuple[int, bytes]]:
        """The heap, with an entry that counts in front."""
        heap = self._heap
        if heap is None:
            heap = self._heap = [(when, name) for name, when in self.items()]
            heapify(heap)
        while heap and self.get(heap[0][1]) != heap[0][0]:
            heappop(heap)
        return heap

    def soonest(self) -> int:
        """The deadline that comes first; NEVER when there is none."""
        heap = self._ordered()
        return heap[0][0] if heap else NEVER

    def due(self, now: int, most: int) -> list[bytes]:
        """Take out names whose deadline has passed, ``most`` at most, the longest passed first."""
        names: list[bytes] = []
        while len(names) < most and self.soonest() <= now:
            name = heappop(self._ordered())[1]
            del self[name]
            names.append(name)
        return names

    def copy(self) -> Deadlines:
        """Give deadlines of its own with the same names."""
        return Deadlines(self)
