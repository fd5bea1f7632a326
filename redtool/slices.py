"""A snapshot that this process writes itself, in slices between commands: where it must not fork.

What is written is the dataset of the moment at which it began (``engine.frozen``).
"""

from __future__ import annotations

from threading import Thread
from time import monotonic

from redtool import errors
from redtool.engine.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from redtool.persist.save import Databases
    from redtool.persist.snapshot import Snapshot
    from redtool.store import Store

SLICE = 0.002  # seconds that a slice takes, unless one value takes longer
PARTS = 1024  # pieces of a file that are put together at a time: a fraction of a slice
FOREVER = 1e9


class Slices:
    """A snapshot at work; the same to its owner as a ``Child``. Raises OSError when the file cannot be begun."""

    forked = False
    cow = peak = 0  # nothing is shared with another process

    def __init__(self, store: Store, make: Callable[[Databases], Snapshot]) -> None:
        self.total = sum(map(len, store.databases))
        self.heard = monotonic()
        self.cancelled = False
        self._store = store
        self._snapshot = make(self._contents())
        self._snapshot.body.parts = PARTS
        self._frozen = [Frozen(db) for db in store.databases if len(db)]
        self._steps = self._snapshot.steps()
        self._failed = self._done = False
        self._last: Thread | None = None

    def _contents(self) -> Iterator[tuple[int, int, int, Iterator[tuple[bytes, Any, int | None]]]]:
        for db in self._frozen:
            yield db.index, db.count, db.expiring, db.items()

    @property
    def keys(self) -> int:
        """How many keys are written."""
        return sum(db.read for db in self._frozen)

    def poll(self, block: bool = False) -> bool | None:
        """Write a slice, or all the rest; whether all is on disk, None while it is not."""
        if not (self._last or self._failed or self._done):
            self._write(monotonic() + (FOREVER if block else SLICE))
        if self._last is not None:
            if block:
                self._last.join()
            if self._last.is_alive():
                return None
        elif not (self._failed or self._done):
            return None
        self._end()
        return not self._failed

    def _write(self, until: float) -> None:
        try:
            for _ in self._steps:
                if monotonic() >= until:
                    return
        except (OSError, errors.StoreError, errors.Unreadable):
            self._failed = True
            return
        self._thaw()
        last = Thread(target=self._finish, name="redtool-snapshot", daemon=True)  # syncing may take long
        try:
            last.start()
        except RuntimeError:  # no more threads, or the interpreter ends
            self._finish()
            self._done = True
            return
        self._last = last

    def _finish(self) -> None:
        try:
            self._snapshot.finish()
        except OSError:
            self._failed = True
        for db in self._frozen:
            db.drop()

    def cancel(self) -> None:
        """Give it up."""
        if self._last is not None:
            self._last.join()
        self._failed = self.cancelled = True
        self._end()

    def leave(self) -> None:
        """The store is closed for a failure: it comes to nothing."""
        self.cancel()

    def clean(self, folder: str) -> None:
        """Nothing is left: the file has been discarded."""

    def _end(self) -> None:
        if self._failed:
            self._thaw()
            self._snapshot.discard()

    def _thaw(self) -> None:
        for db in self._store.databases:
            db.before = None
