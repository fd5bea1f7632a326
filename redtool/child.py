"""A forked child that writes a snapshot, and what it tells its parent meanwhile through a pipe."""

from __future__ import annotations

import os
from signal import SIG_DFL, SIG_IGN, SIGINT, SIGTERM, SIGUSR1, signal
from struct import Struct
from time import monotonic

from redtool.compaction import index
from redtool.persist.files import remove
from redtool.saving import contents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, NoReturn

    from redtool.persist.save import Databases, Entries
    from redtool.persist.snapshot import Snapshot
    from redtool.store import Store

    Tell = Callable[[int], None]

REPORT = Struct("<qqq")  # keys written, private bytes, whether it is done
BATCH = 1024  # keys between two looks at the clock
EVERY = 1.0  # seconds between reports
STANDARD = 3  # the descriptors of stdin, stdout, stderr


class Child:
    """A child at work, as its parent sees it. Raises OSError when there can be none.

    ``keys`` of ``total`` are written; ``cow`` bytes of memory were no longer shared with the parent at ``heard``
    (monotonic time), ``peak`` at most.
    """

    forked = True

    def __init__(self, store: Store, make: Callable[[Databases], Snapshot]) -> None:
        self.keys = self.cow = self.peak = 0
        self.total = sum(map(len, store.databases))
        self.heard = monotonic()
        self.done = self.cancelled = False
        self._pipe, out = os.pipe()
        try:
            self.pid = os.fork()
        except OSError:
            os.close(out)
            os.close(self._pipe)
            raise
        if not self.pid:
            _work(store, make, out)
        os.close(out)
        os.set_blocking(self._pipe, False)

    def poll(self, block: bool = False) -> bool | None:
        """Whether the child ended well; None while it is at work. Not to be called again after its end."""
        self._listen()
        try:
            pid, status = os.waitpid(self.pid, 0 if block else os.WNOHANG)
        except ChildProcessError:  # the host program lets the system forget children: the pipe tells
            pid, status = self.pid, 0
        if not pid:
            return None
        self._listen()
        os.close(self._pipe)
        self.cancelled = os.WIFSIGNALED(status) and os.WTERMSIG(status) == SIGUSR1
        return self.done and not status

    def cancel(self) -> None:
        """End the child and wait for that."""
        os.kill(self.pid, SIGUSR1)
        self.poll(block=True)
        self.cancelled = True  # be it that it had done its work

    def leave(self) -> None:
        """Let it go on, and listen no more."""
        os.close(self._pipe)

    def clean(self, folder: str) -> None:
        """Remove what a child that did not end well has left in the store's directory."""
        remove(os.path.join(folder, f"temp-{self.pid}.rdb"))

    def _listen(self) -> None:
        try:
            told = os.read(self._pipe, 1 << 16)
        except BlockingIOError:
            return
        for keys, cow, done in REPORT.iter_unpack(told):
            self.keys, self.cow, self.done = keys, cow, bool(done)
            self.peak, self.heard = max(self.peak, cow), monotonic()


def _work(store: Store, make: Callable[[Databases], Snapshot], out: int) -> NoReturn:
    """What the child does: write, report, end, whatever happens."""
    status = 1
    try:
        out = alone(out)
        report = Report(out)
        snapshot = make(contents(store, report.entries))
        snapshot.write()
        if not snapshot.target or store.journal is None:  # the store is opened from it
            index(snapshot.target or snapshot.temporary)
        report.send(done=True)
        status = 0
    finally:
        os._exit(status)


def alone(out: int) -> int:
    """Let go of all that is the parent's but ``out``: descriptors, Ctrl-C, garbage. Gives the new number of ``out``.

    The store's lock stays the parent's and is free when it ends; clients whose connection it closes notice; who reads
    its output does not wait for the child.
    """
    import gc

    gc.disable()  # a collection would touch, and so copy, every page
    signal(SIGINT, SIG_IGN)
    for number in (SIGTERM, SIGUSR1):
        signal(number, SIG_DFL)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(STANDARD):
        os.dup2(nowhere, stream)
    os.dup2(out, STANDARD, inheritable=False)
    os.closerange(STANDARD + 1, os.sysconf("SC_OPEN_MAX"))
    os.set_blocking(STANDARD, False)
    return STANDARD


class Report:
    """The child's end of the pipe."""

    def __init__(self, out: int) -> None:
        self.out, self.keys, self.next = out, 0, monotonic() + EVERY

    def entries(self, entries: Entries) -> Iterator[tuple[bytes, Any, int | None]]:
        """Hand on keys to be written, and tell the parent of them now and then."""
        from itertools import islice

        rest = iter(entries)
        while batch := list(islice(rest, BATCH)):
            yield from batch
            self.keys += len(batch)
            if monotonic() >= self.next:
                self.send()
                self.next = monotonic() + EVERY

    def send(self, done: bool = False) -> None:
        try:
            os.write(self.out, REPORT.pack(self.keys, private_bytes(), done))
        except OSError:  # nobody is there any more, or reads
            return


def private_bytes() -> int:
    """How much of this process's memory was written to since it was shared with the parent; 0 where unknown."""
    try:
        with open("/proc/self/smaps_rollup", "rb") as file:
            return sum(int(line.split()[1]) << 10 for line in file if line.startswith(b"Private_Dirty"))
    except OSError:
        return 0
