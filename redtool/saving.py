"""SAVE, BGSAVE and BGREWRITEAOF of a store's directory, and the save points that ask for them.

One job is at work at a time, as on a server: a child where this process may fork (``child``), else a snapshot that is
written in slices between commands (``slices``). What cannot start beside it is scheduled, and started by ``cron``.
"""

from __future__ import annotations

import os
from time import monotonic

from redtool import errors
from redtool.persist.files import sweep
from redtool.resp import OK, Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from redtool.child import Child
    from redtool.persist.aof import Journal
    from redtool.persist.save import Databases, Entries
    from redtool.persist.snapshot import Snapshot
    from redtool.slices import Slices
    from redtool.store import Store

LOCK_FILE = "lock"
SAVE, REWRITE = "save", "rewrite"
RETRY = 5  # seconds that a save point waits after a save that failed
PATIENCE = 3  # rewrites that may fail in a row before the next waits for 1, 2, 4 … 64 minutes
LONGEST = 6


class Saving:
    """Snapshots and rewrites of one open store directory, and the job that writes one now.

    Times are unix seconds, except ``began`` (monotonic).
    """

    def __init__(self, directory: str, store: Store, lock: int, fork: bool) -> None:
        self.directory, self.store, self.fork = directory, store, fork
        self.lock = lock
        self.journal: Journal | None = None
        self.job: Child | Slices | None = None
        self.task = ""  # what the job does: SAVE or REWRITE
        self.began = 0.0  # the latest job
        self.on_slices: Callable[[], None] | None = None  # told when a snapshot in slices begins; calls ``poll``
        self.save_scheduled = self.rewrite_scheduled = False
        self.last_save_ok = self.last_rewrite_ok = True
        self.saves = self.rewrites = self.rewrites_failed = 0  # tried so far; the last: without one that worked since
        self.save_took = self.rewrite_took = -1  # seconds, -1: none yet
        self.save_cow = self.rewrite_cow = 0  # bytes of memory that the last one copied
        self.saved_changes = 0  # how far the store's changes are in the snapshot
        self.saved_at = store.started // 1_000_000_000
        self.save_tried = self.rewrite_tried = 0
        self.last_fork_us = self.forks = 0
        self._changes = 0  # the store's when the running save began
        for name in ("save", "stop-writes-on-bgsave-error"):
            store.config.on_change(name, lambda value: store.review())

    @property
    def dump_path(self) -> str:
        return os.path.join(self.directory, self.store.config["dbfilename"])

    def keep_place(self) -> None:
        """Before files are put in place: raises StoreError where the directory was deleted, or is another store's."""
        try:
            there = os.stat(os.path.join(self.directory, LOCK_FILE))
            if os.path.samestat(there, os.fstat(self.lock)):
                return
        except OSError:
            pass
        raise errors.StoreError(f"{self.directory} is not the store any more that was opened")

    @property
    def lastsave(self) -> int:
        """Unix time of the last snapshot, else of the opening."""
        try:
            return int(os.stat(self.dump_path).st_mtime)
        except OSError:
            return self.store.started // 1_000_000_000

    @property
    def stops_writes(self) -> bool:
        """Whether writes are refused because the last save in the background failed."""
        config = self.store.config
        return bool(not self.last_save_ok and config["save"] and config["stop-writes-on-bgsave-error"])

    def running(self, task: str) -> int:
        """For how many seconds this has been running; -1 when it is not."""
        return int(monotonic() - self.began) if self.task == task else -1

    def reset_statistics(self) -> None:
        """CONFIG RESETSTAT."""
        self.last_fork_us = self.forks = self.rewrites_failed = 0

    @property
    def slicing(self) -> bool:
        """Whether a snapshot is being written in slices."""
        return self.job is not None and not self.job.forked

    @property
    def _now(self) -> int:
        return self.store.clock.ns // 1_000_000_000

    # -- what commands ask for

    def save(self) -> Status:
        """Write dump.rdb now. Raises ReplyError."""
        if self.task == SAVE:
            raise errors.SaveInProgress
        try:
            self._write_dump()
        except errors.Unfit as error:
            raise errors.ReplyError(str(error)) from None
        return OK

    def _write_dump(self, form: str = "") -> None:
        """Write dump.rdb in a format of ``save.FORMATS``, the one that is set. Raises ReplyError, Unfit."""
        self.saves += 1
        try:
            self.keep_place()
            sweep(self.directory)
            self._dump(contents(self.store), form).write()
        except errors.Unfit:
            raise
        except errors.StoreError as error:
            raise errors.ReplyError(str(error)) from None
        except OSError as error:
            raise errors.ReplyError(f"cannot write {self.dump_path}: {error.strerror}") from None
        self._saved(self.store.changes)

    def _save_or_fail(self) -> None:
        """Save while there is still time: what does not fit the format that is set, in one that holds everything."""
        try:
            try:
                self._write_dump()
            except errors.Unfit as error:
                self._write_dump("0010")
                raise errors.StoreError(f"{error}; {self.dump_path} is written in format 0010 instead") from None
        except errors.ReplyError as error:
            raise errors.StoreError(error.message.removeprefix("ERR ")) from None

    def bgsave(self, schedule: bool = False) -> Status:
        """Write dump.rdb in the background; ``schedule``: once a running rewrite has ended. Raises ReplyError."""
        self.poll()
        if self.task == SAVE:
            raise errors.SaveInProgress
        if self.store.collects or (self.job is not None and schedule):  # not in the middle of a transaction
            self.save_scheduled = True
            return Status(b"Background saving scheduled")
        if self.job is not None:
            raise errors.RewriteBlocksSave
        self._begin_save()
        return Status(b"Background saving started")

    def cancel(self) -> Status:
        """BGSAVE CANCEL: end a running save, or forget a scheduled one."""
        self.poll()
        if self.task == SAVE:
            self.kill_save()
            return Status(b"Background saving cancelled")
        if not self.save_scheduled:
            raise errors.NoSaveToCancel
        self.save_scheduled = False
        return Status(b"Scheduled background saving cancelled")

    def bgrewriteaof(self) -> Status:
        """Rewrite the journal as a new base and an empty increment, in the background. Raises ReplyError."""
        self.poll()
        if self.task == REWRITE:
            raise errors.RewriteInProgress
        if self.journal is None:
            raise errors.ReplyError("the append only file is off: CONFIG SET appendonly yes")
        if self.job is not None or self.store.collects:
            self.rewrite_scheduled, self.rewrites_failed = True, 0
            return Status(b"Background append only file rewriting scheduled")
        self._begin_rewrite()
        return Status(b"Background append only file rewriting started")

    def emptied(self) -> None:
        """FLUSHALL: a snapshot of what is gone is of no use; with save points an empty one replaces it now."""
        self.kill_save()
        if self.store.config["save"]:
            try:
                self.save()
            except errors.ReplyError:
                return  # a save point tries again

    def kill_save(self) -> None:
        """End a running save; that is no failure."""
        self.poll()
        if self.job is not None and self.task == SAVE:
            self.job.cancel()
            self._end(False)

    # -- jobs

    def cron(self) -> None:
        """See to the job, and start what is due. Between commands, never inside one."""
        self.poll()
        if self.job is None:
            try:
                self._start_due()
            except errors.ReplyError:
                return  # INFO tells

    def poll(self, block: bool = False) -> None:
        """Let the job go on, until its end if asked, and take note of that."""
        if self.job is not None:
            done = self.job.poll(block)
            if done is not None:
                self._end(done)

    def wait(self) -> None:
        """Wait until no background work is left, and none is scheduled."""
        self.poll(block=True)
        while (self.save_scheduled or self.rewrite_scheduled) and not self.store.collects:
            self.cron()
            if self.job is None:
                return
            self.poll(block=True)

    @property
    def owed(self) -> bool:
        """Whether there is work that has to be done before the store is closed."""
        detached = self.job is not None and self.job.forked and self.task == SAVE and self.journal is not None
        return (self.job is not None and not detached) or self.rewrite_scheduled

    def _start_due(self) -> None:
        """Start what save points, the size of the journal or a schedule ask for."""
        rested = self.last_save_ok or self._now - self.save_tried > RETRY
        if rested and self._point_reached():
            self._begin_save()
        elif self.journal is not None and self._wants_rewrite(self.journal) and not self._tired():
            self._begin_rewrite()
        elif rested and self.save_scheduled:
            self._begin_save()

    def _point_reached(self) -> bool:
        changes, since = self.store.changes - self.saved_changes, self._now - self.saved_at
        return any(changes >= count and since > seconds for seconds, count in self.store.config["save"])

    def _wants_rewrite(self, journal: Journal) -> bool:
        """Whether a rewrite is due: by its size, as scheduled, or because no sync after one that failed tells much."""
        return self.rewrite_scheduled or journal.rewrite_due or (journal.doubtful and not self.store.guard)

    def _tired(self) -> bool:
        """Whether so many rewrites have failed that the next is to wait: each leaves an increment."""
        return rests(self.rewrites_failed, self._now - self.rewrite_tried)

    def _begin_save(self) -> None:
        self.saves += 1
        self.save_scheduled = False
        self.save_tried, self._changes = self._now, self.store.changes
        try:
            self.keep_place()
            sweep(self.directory)
            self._start(SAVE, self._dump)
        except (errors.StoreError, OSError) as error:
            self.last_save_ok = False
            self.store.review()
            reason = error.strerror if isinstance(error, OSError) else error
            raise errors.ReplyError(f"cannot save in the background: {reason}") from None

    def _begin_rewrite(self) -> None:
        assert self.journal is not None
        self.rewrites += 1
        self.rewrite_scheduled = False
        self.rewrite_tried = self._now
        try:
            self.store.flush()
            self.keep_place()
            sweep(self.journal.folder)
            self.journal.begin_rewrite()
            self._start(REWRITE, self.new_base)
        except (errors.StoreError, OSError) as error:
            self._rewritten(False)
            if self.journal.rewriting:
                self.journal.abort_rewrite()
            reason = error.strerror if isinstance(error, OSError) else error
            raise errors.ReplyError(f"cannot rewrite the journal in the background: {reason}") from None

    def _start(self, task: str, make: Callable[[Databases], Snapshot]) -> None:
        if self.fork:
            from redtool.child import Child

            started, began = self.store.time_ns(), monotonic()
            self.job = Child(self.store, make)
            self.last_fork_us = int((monotonic() - began) * 1e6)
            self.forks += 1
            self.store.took(b"fork", started)
        else:
            from redtool.slices import Slices

            if self.journal is not None:
                self.journal.start_syncing()  # what a sync takes beside so much writing, no command is to wait for
            self.job = Slices(self.store, make)
            if self.on_slices is not None:
                self.on_slices()
        self.task, self.began = task, monotonic()

    def _dump(self, databases: Databases, form: str = "") -> Snapshot:
        from redtool.persist.save import FORMATS
        from redtool.persist.snapshot import dump

        versions = FORMATS[form or self.store.config["rdb-format"]]
        snapshot = dump(self.dump_path, databases, list(self.store.functions), (("aof-base", 0),), *versions)
        return self._with_uses(snapshot)

    def new_base(self, databases: Databases) -> Snapshot:
        """A base for the journal, to be written."""
        assert self.journal is not None
        return self._with_uses(self.journal.base(databases, list(self.store.functions)))

    def _with_uses(self, snapshot: Snapshot) -> Snapshot:
        """Have it say how long keys were idle, or how often used, if that is what the eviction policy goes by."""
        if self.store.config["maxmemory-policy"].endswith(("-lru", "-lfu")):
            snapshot.body.told = {db.index: db.uses.told for db in self.store.databases if db.uses is not None}
        return snapshot

    def _end(self, done: bool) -> None:
        """Take note of the end of the job."""
        job, task = self.job, self.task
        assert job is not None
        self.job, self.task = None, ""
        took = int(monotonic() - self.began)
        if task == REWRITE:
            self.rewrite_took, self.rewrite_cow = took, job.cow
            self._finish_rewrite(done, job.cancelled)
            return
        self.save_took, self.save_cow = took, job.cow
        if done:
            self._saved(self._changes)
            return
        job.clean(self.directory)
        if not job.cancelled:
            self.last_save_ok = False
            self.store.review()

    def _saved(self, changes: int) -> None:
        self.saved_changes, self.saved_at = changes, self._now
        self.last_save_ok = True
        self.store.review()

    def _finish_rewrite(self, done: bool, cancelled: bool) -> None:
        assert self.journal is not None
        if done:
            try:
                self.journal.finish_rewrite()
            except errors.StoreError:
                done = False
        else:
            self.journal.abort_rewrite()
        if done or not cancelled:
            self._rewritten(done)

    def _rewritten(self, done: bool) -> None:
        self.last_rewrite_ok = done
        self.rewrites_failed = 0 if done else self.rewrites_failed + 1


def rests(failed: int, seconds: float) -> bool:
    """Whether after so many failures in a row, the last one so long ago, the next try is to wait."""
    over = min(failed - PATIENCE, LONGEST)
    return over >= 0 and seconds < 60 << over


def contents(store: Store, through: Callable[[Entries], Entries] | None = None) -> Iterator[
        tuple[int, int, int, Entries]]:  # fmt: skip
    """What a snapshot holds: (database, keys, expires, entries) for each that has keys."""
    for db in store.databases:
        if len(db):
            yield db.index, len(db), db.expiring, db.items() if through is None else through(db.items())
