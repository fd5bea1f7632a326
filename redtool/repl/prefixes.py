"""Find the keys of a large database that begin with a prefix, fast enough for every keystroke.

Sorting a million keys at once would hold the line up for a second, so a snapshot of the keys is sorted in slices, one
``step`` at a time while the person is not typing. A search bisects the slices that are sorted and walks the rest for a
bounded time. Keys that came after the snapshot are the last of the dict, which keeps the order of insertion, and are
looked at there; keys that are gone are left to the caller, who looks each up anyway.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import islice
from time import perf_counter
from typing import Any

SLICE = 20_000  # keys sorted in one step: some milliseconds
NEWEST = 5_000  # keys at the end of the dict that every search looks at
WALK = 0.003  # seconds a search may walk over what is not sorted
MOST = 2_000_000  # keys of a file that are taken in, so that memory stays bounded
ENOUGH = 1_000  # names a walk gathers at most


class PrefixIndex:
    """A snapshot of the keys of ``data``, being sorted. ``made_at`` is the caller's change count at that time.

    ``more`` gives keys that lie in a file; MOST of them at most are taken in, a slice at each step.
    """

    def __init__(self, data: dict[bytes, Any], made_at: int, more: Iterator[bytes] | None = None) -> None:
        self.data, self.made_at = data, made_at
        self._unsorted = list(data)
        self._more = None if more is None else islice(more, MOST)
        self._slices: list[list[bytes]] = []

    @property
    def ready(self) -> bool:
        """Whether all of it is sorted."""
        return not self._unsorted and self._more is None

    def step(self) -> None:
        """Sort one more slice, the newest keys first."""
        part = self._unsorted[-SLICE:]
        del self._unsorted[-SLICE:]
        if not part and self._more is not None:
            part = list(islice(self._more, SLICE))
            self._more = self._more if part else None
        part.sort()
        self._slices.append(part)

    def find(self, prefix: bytes) -> Iterator[bytes]:
        """Give keys with the prefix in order, now and then one that is gone; not all while it is not ready."""
        found = walk(reversed(self.data), prefix, NEWEST)
        if self._unsorted:
            found += walk(reversed(self._unsorted), prefix)
        last = None
        for key in merge(sorted(found), *(_from(part, prefix) for part in self._slices)):
            if key != last:
                last = key
                yield key


def _from(part: list[bytes], prefix: bytes) -> Iterator[bytes]:
    for at in range(bisect_left(part, prefix), len(part)):
        if not part[at].startswith(prefix):
            return
        yield part[at]


def walk(keys: Iterable[bytes], prefix: bytes, most: int = 1 << 62) -> list[bytes]:
    """Gather keys with a prefix among the first ``most``, for no longer than WALK; not all of very many."""
    found: list[bytes] = []
    until = perf_counter() + WALK
    rest = islice(keys, most)
    while part := list(islice(rest, 1000)):
        found += [key for key in part if key.startswith(prefix)]
        if len(found) >= ENOUGH or perf_counter() > until:
            break
    return found
