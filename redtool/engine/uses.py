"""When, or how often, the keys of a database were last used: what the LRU and LFU eviction policies go by.

Kept only where a policy, or OBJECT IDLETIME, asks for it. Of a key that was there before, and of which nothing has
been noted, it is taken that it was last used when the keeping began. A score tells which key may rather go.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from redtool.engine.clock import Clock
    from redtool.engine.cold import Entry
    from redtool.engine.sampling import Random


TICK = 10_000_000  # ns: finer than the second of a server, so that order is kept within a short run
TICKS = 100  # in a second
MINUTE = 60_000_000_000  # ns
MOST = 255  # what a frequency counter reaches
WHILE = 2048  # keys of a file that are written to another at a time, at most
FRESH = 5  # what it begins with: less would let new keys go before they can be used again


class Recency:
    """The time of each key's last use."""

    __slots__ = ("_now", "at", "clock", "since")

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.since = self._now = clock.ns // TICK
        self.at: dict[bytes, int] = {}

    def touch(self, key: bytes) -> None:
        """Note that a key is used."""
        now = self.clock.ns // TICK
        if now != self._now:
            self._now = now
        self.at[key] = self._now  # one int for all keys of a tick

    def put(self, key: bytes, altered: bool) -> None:
        """Note that a value is stored: that is a use."""
        self.touch(key)

    def score(self, key: bytes) -> int:
        """The longer ago, the more."""
        return self.clock.ns // TICK - self.at.get(key, self.since)

    def idle(self, key: bytes) -> int:
        """Whole seconds since the last use, as a clock of seconds shows it."""
        return max(self.clock.ns // (TICK * TICKS) - self.at.get(key, self.since) // TICKS, 0)

    def note(self, key: bytes, idle: int | None, frequency: int | None, then: bool = False) -> None:
        """Take over what a file or RESTORE says of a key, of now or of ``then``, the beginning; None: nothing."""
        if idle is not None:
            self.at[key] = (self.since if then else self.clock.ns // TICK) - idle * TICKS

    def told(self, key: bytes) -> tuple[int | None, int | None]:
        """What a file is to say of a key: its idle seconds, no frequency."""
        return self.idle(key), None


class Frequency:
    """How often each key is used: a counter that grows ever more slowly, and falls with time.

    It is Redis's: with ``factor`` 10 a million uses bring it to its end, 255; each ``decay`` minutes without use take
    one off, none with 0. ``at`` maps a key to (minute << 8 | counter).
    """

    __slots__ = ("_codes", "_minute", "at", "clock", "decay", "factor", "rng", "since")

    def __init__(self, clock: Clock, rng: Random, factor: int = 10, decay: int = 1) -> None:
        self.clock, self.rng, self.factor, self.decay = clock, rng, factor, decay
        self.since = clock.ns // MINUTE
        self._minute = -1
        self._codes: list[int] = []  # of this minute
        self.at: dict[bytes, int] = {}

    def touch(self, key: bytes) -> None:
        """Note that a key is used: the more often it was, the less likely its counter goes up."""
        count = self.count(key)
        above = count - FRESH
        if count < MOST and (above <= 0 or self.rng.random() * (above * self.factor + 1) < 1):
            count += 1
        self._set(key, count)

    def put(self, key: bytes, altered: bool) -> None:
        """Note that a value is stored: a use if it replaces one, none if it was looked at and is ``altered`` only."""
        if key not in self.at:
            self._set(key, FRESH)
        elif not altered:
            self.touch(key)

    def count(self, key: bytes) -> int:
        """The counter as it stands now: OBJECT FREQ."""
        code = self.at.get(key)
        since, count = (self.since, FRESH) if code is None else (code >> 8, code & MOST)
        minutes = self.clock.ns // MINUTE - since
        if minutes > 0 and self.decay:
            return max(count - minutes // self.decay, 0)
        return count

    def score(self, key: bytes) -> int:
        """The less often, the more."""
        return MOST - self.count(key)

    def note(self, key: bytes, idle: int | None, frequency: int | None, then: bool = False) -> None:
        """Take over what a file or RESTORE says of a key, of now or of ``then``, the beginning; None: nothing."""
        if frequency is not None and then:
            self.at[key] = self.since << 8 | frequency
        elif frequency is not None:
            self._set(key, frequency)

    def told(self, key: bytes) -> tuple[int | None, int | None]:
        """What a file is to say of a key: no idle seconds, its frequency."""
        return None, self.count(key)

    def _set(self, key: bytes, count: int) -> None:
        minute = self.clock.ns // MINUTE
        if minute != self._minute:
            self._minute, self._codes = minute, [minute << 8 | each for each in range(MOST + 1)]
        self.at[key] = self._codes[count]  # one int for all keys with this count in this minute


def shown(entries: Iterable[Entry], uses: Recency | Frequency | None) -> Iterator[tuple[bytes, Any, int | None]]:
    """Keys of a file with values and deadlines; for a while after each ``uses`` tells what the file says of it."""
    from collections import deque

    noted: deque[tuple[bytes, int | None]] = deque()
    for key, value, deadline, idle, frequency in entries:
        if uses is not None and key not in uses.at:
            uses.note(key, idle, frequency, then=True)
            noted.append((key, uses.at.get(key)))
            if len(noted) > WHILE:
                old, code = noted.popleft()
                if uses.at.get(old) is code:  # has not been used meanwhile
                    uses.at.pop(old, None)
        yield key, value, deadline
