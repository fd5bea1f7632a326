"""Count what an RDB file holds, in one pass: by database, by type and encoding, by expiry, and the largest keys."""

from __future__ import annotations

from collections import defaultdict
from heapq import heappush, heappushpop
from time import time

from redtool.cli.estimate import elements, memory
from redtool.persist.walk import Entry

HOUR = 3600_000
# Up to which age in milliseconds from now -> name
TERMS = (("over", 0), ("within_an_hour", HOUR), ("within_a_day", 24 * HOUR), ("within_a_week", 168 * HOUR),
         ("later", 1 << 64))  # fmt: skip

Large = tuple[int, int, Entry]  # memory, a number to tell equals apart, the key without its value


class Tally:
    """Sums over some keys."""

    __slots__ = ("bytes", "elements", "expires", "keys", "memory")

    def __init__(self) -> None:
        self.keys = self.expires = self.elements = self.bytes = self.memory = 0

    def add(self, entry: Entry, size: int, count: int) -> None:
        self.keys += 1
        self.expires += entry.deadline is not None
        self.elements += count
        self.bytes += entry.size
        self.memory += size


class Census:
    """What was counted so far."""

    def __init__(self, top: int) -> None:
        self.top = top
        self.now = int(time() * 1000)
        self.all = Tally()
        self.databases: defaultdict[int, Tally] = defaultdict(Tally)
        self.forms: defaultdict[tuple[str, str], Tally] = defaultdict(Tally)
        self.terms = dict.fromkeys((name for name, _ in TERMS), 0)
        self._largest: list[Large] = []

    def add(self, entry: Entry) -> None:
        """Count a key."""
        size, count = memory(entry.key, entry.value, entry.deadline is not None), elements(entry.value) or 0
        form = entry.type, entry.encoding
        for tally in (self.all, self.databases[entry.db], self.forms[form]):
            tally.add(entry, size, count)
        if entry.deadline is not None:
            left = entry.deadline - self.now
            self.terms[next(name for name, most in TERMS if left <= most)] += 1
        if self.top:
            self._note_large(entry, size, count)

    def _note_large(self, entry: Entry, size: int, count: int) -> None:
        if len(self._largest) == self.top and size <= self._largest[0][0]:
            return
        entry.value = count  # the value itself is not held
        place = (size, -self.all.keys, entry)
        if len(self._largest) < self.top:
            heappush(self._largest, place)
        else:
            heappushpop(self._largest, place)

    def largest(self) -> list[tuple[int, Entry]]:
        """(memory, key) of the largest, in order; an entry's value is how many elements it has."""
        return [(size, entry) for size, _, entry in sorted(self._largest, reverse=True, key=lambda large: large[:2])]
