"""The keys of a database that still lie in a file, mapped but not read: they come in when they are first looked at.

The file never changes. What does is which of its keys count no longer, because they have come in or are gone: these
are in ``gone``. A command on the whole database walks the file and the keys in memory together.
"""

from __future__ import annotations

from redtool import errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Protocol

    from redtool.engine.sampling import Random

    Entry = tuple[bytes, Any, int | None, int | None, int | None]  # key, value, deadline ms, idle s, frequency

    class Source(Protocol):
        """One database of a snapshot with an index: ``slots`` places, some empty, each with at most one key."""

        keys: int
        expires: int
        slots: int
        memory: int  # bytes that all keys would take once loaded, roughly
        taken: int  # bytes of the file that have been decoded

        def find(self, key: bytes) -> int: ...  # position of the key's entry in the file, -1 for none
        def at(self, slot: int) -> int: ...  # position of the entry in a slot, -1 for none
        def name(self, place: int) -> tuple[bytes, int | None]: ...  # its key and deadline
        def kind(self, place: int) -> bytes: ...  # TYPE's answer
        def load(self, place: int) -> Entry: ...
        def entries(self) -> Iterator[Entry]: ...  # all of them, in the order of the file
        def names(self) -> Iterator[tuple[bytes, int | None]]: ...
        def due(self, number: int) -> tuple[int, int]: ...  # (deadline, place), number 0 the soonest
        def passed(self, now: int) -> int: ...  # how many deadlines lie at or before now
        def close(self) -> None: ...  # nobody looks any more


NEVER = 1 << 63
LOOKS = 4096  # deadlines looked at for a random key that has one
TRIES = 64  # slots looked at for a random key before the file is walked instead
KEPT = 64 << 20  # bytes of entries of a read-only file that stay in memory once they were read


class Cold:
    """The part of a database that lies in ``source``.

    Keys whose deadline lies at or before ``since`` (unix ms) never were there. With ``fixed`` nothing of the database
    is ever altered, so what has come in may be forgotten again.
    """

    __slots__ = ("_dead", "_timed_gone", "_turn", "asked", "fixed", "gone", "since", "source", "torn")

    def __init__(self, source: Source, since: int = 0, fixed: bool = False) -> None:
        self.source, self.since, self.fixed = source, since, fixed
        self.asked = 0  # looks at the file since somebody set it back
        self.torn = False  # not all of it can be read
        self.gone: set[bytes] = set()
        self._dead = self._turn = source.passed(since) if since else 0
        self._timed_gone = 0  # of ``gone``, those that have a deadline in the file

    def __len__(self) -> int:
        return self.source.keys - self._dead - len(self.gone)

    @property
    def expires(self) -> int:
        """How many of the keys have a deadline."""
        return self.source.expires - self._dead - self._timed_gone

    @property
    def full(self) -> bool:
        """Whether so much was read of a fixed database that it is to be forgotten."""
        return self.fixed and self.source.taken > KEPT

    @property
    def memory(self) -> int:
        """Bytes that the keys would take once loaded, roughly."""
        return self.source.memory * len(self) // max(self.source.keys, 1)

    def find(self, key: bytes) -> int:
        """The place of a key that counts, else -1."""
        self.asked += 1
        if key in self.gone:
            return -1
        place = self.source.find(key)
        if place >= 0 and self.since:
            deadline = self.source.name(place)[1]
            if deadline is not None and deadline <= self.since:
                return -1
        return place

    def take(self, key: bytes) -> Entry | None:
        """Read a key that counts; from now on it does not. None when it is not there."""
        place = self.find(key)
        if place < 0:
            return None
        entry = self.source.load(place)
        self.leave(key, entry[2])
        return entry if entry[1] is not None else None  # an empty collection: servers leave it out

    def drop(self, key: bytes, now: int) -> bool:
        """Let a key count no longer, unread; False when it is there and past its deadline."""
        place = self.find(key)
        if place < 0:
            return True
        deadline = self.source.name(place)[1] if self.source.expires else None
        if deadline is not None and deadline <= now:
            return False
        self.leave(key, deadline)
        return True

    def leave(self, key: bytes, deadline: int | None) -> None:
        """Let a key count no longer."""
        self.gone.add(key)
        self._timed_gone += deadline is not None

    def entries(self) -> Iterator[Entry]:
        """All keys that count, read one after the other, in the order of the file."""
        gone, since = self.gone, self.since
        for entry in self.source.entries():
            if entry[0] not in gone and (entry[2] is None or entry[2] > since):
                yield entry

    def names(self) -> Iterator[tuple[bytes, int | None]]:
        """Keys that count, with their deadlines, in the order of the file."""
        gone, since = self.gone, self.since
        for name in self.source.names():
            if name[0] not in gone and (name[1] is None or name[1] > since):
                yield name

    def kind(self, key: bytes, now: int) -> bytes | None:
        """TYPE's answer for a key that counts and is not past its deadline."""
        place = self.find(key)
        if place < 0:
            return None
        deadline = self.source.name(place)[1]
        return None if deadline is not None and deadline <= now else self.source.kind(place)

    def soonest(self) -> int:
        """The deadline that comes first of those not yet given by ``due``; NEVER when none can be read."""
        try:
            return self.source.due(self._turn)[0] if self._turn < self.source.expires else NEVER
        except errors.Unreadable:
            return NEVER

    def deadlines(self) -> Iterator[int]:
        """The deadlines not yet given by ``due``, in order."""
        return (self.source.due(number)[0] for number in range(self._turn, self.source.expires))

    def due(self, now: int, most: int) -> list[bytes]:
        """Keys that count whose deadline has passed, each given once, ``most`` at most."""
        found: list[bytes] = []
        while self._turn < self.source.expires and len(found) < most:
            try:
                deadline, place = self.source.due(self._turn)
                if deadline > now:
                    break
                self._turn += 1
                key = self.source.name(place)[0]
            except errors.Unreadable:
                self._turn += 1
                continue
            if key not in self.gone:
                found.append(key)
        return found

    def page(self, slot: int, count: int, data: dict[bytes, Any], now: int) -> tuple[int, list[bytes]]:
        """Keys of about ``count`` occupied slots below ``slot``, and the slot to go on from, 0 at the end.

        A key that has come in counts if it is in ``data``: so a scan meets here all that ever was in the file. One
        whose deadline has passed and that has not come in is left out.
        """
        since = max(self.since, now)
        source, found = self.source, list[bytes]()
        slot = min(slot, source.slots)
        while slot > 0 and len(found) < count:
            slot -= 1
            place = source.at(slot)
            if place >= 0:
                key, deadline = source.name(place)
                dead = deadline is not None and deadline <= since
                if key in data or not (dead or key in self.gone):
                    found.append(key)
        return slot, found

    def pick(self, rng: Random) -> bytes:
        """One of the keys that count, at random; there must be one."""
        source = self.source
        for _ in range(TRIES):
            place = source.at(int(rng.random() * source.slots))
            if place >= 0:
                key, deadline = source.name(place)
                if key not in self.gone and (deadline is None or deadline > self.since):
                    return key
        wanted = int(rng.random() * len(self))
        key = b""
        for number, (key, _) in enumerate(self.names()):  # noqa: B007
            if number >= wanted:
                break
        return key

    def pick_expiring(self, rng: Random) -> bytes | None:
        """One of the keys that count and have a deadline, at random; None when none was found in many tries."""
        ahead, number = self.source.expires - self._turn, 0
        for turn in range(LOOKS if ahead > 0 else 0):
            # If few are left, the next from the last place
            number = int(rng.random() * ahead) if turn < TRIES else (number + 1) % ahead
            key = self.source.name(self.source.due(self._turn + number)[1])[0]
            if key not in self.gone:
                return key
        return None

    def copy(self) -> Cold:
        """The keys that count now, whatever becomes of them: for a snapshot."""
        twin = Cold(self.source, self.since, self.fixed)
        twin.gone, twin._dead, twin._timed_gone = set(self.gone), self._dead, self._timed_gone
        return twin

    def forget(self, now: int) -> None:
        """Let every key count again that a fixed database has read; those past their deadline never were there."""
        self.gone.clear()
        self._timed_gone, self.since, self.source.taken = 0, now, 0
        self._dead = self._turn = self.source.passed(now)
