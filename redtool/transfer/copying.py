"""Copy keys from one backend into another, a chunk at a time, and keep count of what became of them.

Begun again after a break, it goes on by itself: what is there already and equal is passed over. What is there and
different is left as it is and told, unless everything is to be replaced.
"""

from __future__ import annotations

from time import sleep, time

from redtool.errors import ConnectError, ReplyError, StoreError
from redtool.persist.payload import unpack_functions
from redtool.transfer.asking import ask, select
from redtool.transfer.differences import difference
from redtool.transfer.items import Reader
from redtool.transfer.writer import Writer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from redtool.backends import Backend
    from redtool.transfer.items import Item
    from redtool.transfer.writer import Outcome

    Pairs = Sequence[tuple[int, int]]  # a database of the source, and the one of the target that takes its keys

PAUSES = (0.1, 1.0, 3.0)  # seconds before a lost target is tried again
TOLERANCE = 1000  # ms by which deadlines may differ where one was measured against a clock
KEPT = 1000  # keys left out that are remembered with the reason
TTL_KEPT, TTL_DROPPED = -1, 0  # what the lifetime of the copies may be besides a number of ms


class Left:
    """A key that was not copied, and why."""

    __slots__ = ("db", "key", "why")

    def __init__(self, db: int, key: bytes, why: str) -> None:
        self.db, self.key, self.why = db, key, why


class Counts:
    """What became of the keys: copied (some in the place of others), there already and equal, different, failed."""

    def __init__(self) -> None:
        self.keys = self.copied = self.replaced = self.equal = self.different = self.failed = 0
        self.left: list[Left] = []

    def leave(self, db: int, key: bytes, why: str) -> None:
        if len(self.left) < KEPT:
            self.left.append(Left(db, key, why))


class Stopped(StoreError):
    """A key could not be copied, and the rest was not tried."""


class Copy:
    """One copy. ``counts`` is right at any moment, also when it is broken off."""

    def __init__(self, source: Reader, target: Backend, *, replace: bool = False, lifetime: int = TTL_KEPT,
                 dry: bool = False, keep_going: bool = False,
                 advance: Callable[[int], None] = lambda done: None) -> None:  # fmt: skip
        self.source, self.replace, self.lifetime, self.dry = source, replace, lifetime, dry
        self.keep_going, self.advance = keep_going, advance
        self.writer, self.there = Writer(target, replace), Reader(target)
        self.counts = Counts()

    def run(self, pairs: Pairs) -> None:
        """Copy databases. Raises ReplyError, ConnectError, and Stopped at the first key that cannot be copied."""
        for db, other in pairs:
            select(self.source.backend, db)
            if not self.dry or self.there.backend.db != other:
                select(self.there.backend, other)
            for items in self.source.items():
                self._take(db, items)
                self.advance(self.counts.keys)

    def _take(self, db: int, items: list[Item]) -> None:
        """Copy a chunk."""
        self._time(items)
        self.counts.keys += len(items)
        if self.dry:
            self._look(db, items)
            return
        outcomes = self._store(items)
        busy = [item for item, outcome in zip(items, outcomes, strict=True) if outcome is False]
        self.counts.copied += sum(outcome is True for outcome in outcomes)
        self._compare(db, busy)
        self._fail(db, items, outcomes)

    def _store(self, items: list[Item]) -> list[Outcome]:
        """Store a chunk, again when the connection was lost meanwhile: what had arrived is there then, and equal."""
        for pause in PAUSES:
            try:
                return self.writer.store(items)
            except ConnectError:
                sleep(pause)
        return self.writer.store(items)

    def _time(self, items: list[Item]) -> None:
        """Give the copies the lifetime that is wanted."""
        if self.lifetime != TTL_KEPT:
            when = int(time() * 1000) + self.lifetime if self.lifetime else None
            for item in items:
                item.deadline = when

    def _look(self, db: int, items: list[Item]) -> None:
        """Count what would become of a chunk."""
        found = self.there.fetch([item.key for item in items])
        busy = [item for item, there in zip(items, found, strict=True) if there is not None]
        self.counts.copied += len(items) if self.replace else len(items) - len(busy)
        self.counts.replaced += len(busy) if self.replace else 0
        if not self.replace:
            self._compare(db, busy)

    def _compare(self, db: int, items: list[Item]) -> None:
        """See whether what is there instead is the same."""
        if not items:
            return
        tolerance = TOLERANCE if self.lifetime == TTL_KEPT else None
        for item, there in zip(items, self.there.fetch([item.key for item in items]), strict=True):
            apart = difference(item, there, tolerance) if there is not None else None
            if there is None:  # gone by now: it expired, most likely
                self.counts.failed += 1
                self.counts.leave(db, item.key, "there was something under it at first, and then not")
            elif apart is None:
                self.counts.equal += 1
            else:
                self.counts.different += 1
                self.counts.leave(db, item.key, f"is there already with another {_named(apart.what)}")

    def _fail(self, db: int, items: Sequence[Item], outcomes: Sequence[Outcome]) -> None:
        for item, outcome in zip(items, outcomes, strict=True):
            if isinstance(outcome, Exception):
                self.counts.failed += 1
                self.counts.leave(db, item.key, outcome.message if isinstance(outcome, ReplyError) else str(outcome))
        if self.counts.failed and not self.keep_going:
            raise Stopped("the copy stopped at a key that could not be copied; --keep-going leaves such keys out")


def _named(what: str) -> str:
    return what.replace("ttl", "TTL").replace(", ", " and ")


def libraries(backend: Backend) -> dict[bytes, bytes]:
    """Name -> code of the libraries of functions; none where the server has no functions."""
    try:
        payload = backend.execute(b"FUNCTION", b"DUMP")
    except ReplyError as error:
        if error.code == "NOPERM":
            raise
        return {}
    from redtool.loading import library_name

    codes = unpack_functions(payload) if isinstance(payload, bytes) else []
    return {library_name(code): code for code in codes}


def copy_libraries(source: Backend, target: Backend, replace: bool, counts: Counts) -> int:
    """Copy libraries of functions, as keys are copied; gives how many."""
    ours, theirs = libraries(source), libraries(target)
    missing = {name: code for name, code in ours.items() if theirs.get(name) != code}
    free = {name: code for name, code in missing.items() if replace or name not in theirs}
    mode = (b"REPLACE",) if replace else ()
    replies = ask(target, [(b"FUNCTION", b"LOAD", *mode, code) for code in free.values()]) if free else []
    for name, reply in zip(free, replies, strict=True):
        if isinstance(reply, ReplyError):
            counts.failed += 1
            counts.leave(0, name, f"library: {reply.message}")
    for name in missing.keys() - free.keys():
        counts.different += 1
        counts.leave(0, name, "library: is there already with other code")
    return sum(not isinstance(reply, ReplyError) for reply in replies)
