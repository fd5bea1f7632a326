"""SAVE, BGSAVE and BGREWRITEAOF of a store's directory: in a child where that may fork, else here."""

from __future__ import annotations

import os
from time import monotonic

from redtool import errors
from redtool.resp import OK, Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from redtool.persist.aof import Journal
    from redtool.store import Store


class Saving:
    """Snapshots and rewrites of one open store directory, and the children that write them."""

    def __init__(self, directory: str, store: Store, lock: int, fork: bool) -> None:
        self.directory, self.store, self.fork = directory, store, fork
        self.lock = lock
        self.journal: Journal | None = None
        self.last_save_ok = self.last_rewrite_ok = True
        self.saved_changes = 0
        self.save_child = self.rewrite_child = 0  # pids of running children, 0 = none
        self.saves = self.rewrites = self.rewrites_failed = 0  # so far; the last: without one that worked since
        self.save_began = self.rewrite_began = 0.0  # monotonic time of the running or last one
        self.save_took = self.rewrite_took = -1  # seconds, -1: none yet
        self.last_fork_us = self.forks = 0

    @property
    def dump_path(self) -> str:
        return os.path.join(self.directory, self.store.config["dbfilename"])

    @property
    def lastsave(self) -> int:
        """Unix time of the last snapshot, else of the opening."""
        try:
            return int(os.stat(self.dump_path).st_mtime)
        except OSError:
            return self.store.started // 1_000_000_000

    def save(self) -> Status:
        """Write dump.rdb now."""
        if self.save_child:
            raise errors.SaveInProgress
        try:
            self._write_dump()
        except errors.Unfit as error:
            self.last_save_ok = False
            raise errors.ReplyError(str(error)) from None
        self.saved_changes = self.store.changes
        return OK

    def _write_dump(self, form: str = "") -> None:
        """Write dump.rdb in a format of ``save.FORMATS``, the one that is set. Raises ReplyError, Unfit."""
        from redtool.persist.save import FORMATS
        from redtool.persist.snapshot import write_dump

        version, fields_version = FORMATS[form or self.store.config["rdb-format"]]
        try:
            write_dump(self.dump_path, contents(self.store), self.store.functions, version=version,
                       fields_version=fields_version)  # fmt: skip
        except OSError as error:
            self.last_save_ok = False
            raise errors.ReplyError(f"cannot write {self.dump_path}: {error.strerror}") from None
        self.last_save_ok = True
        self.saves += 1

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
        """Write dump.rdb in a child; without fork (a host program's process), now."""
        if self.save_child:
            raise errors.SaveInProgress
        if self.rewrite_child:
            if schedule:
                self.wait()
            else:
                raise errors.RewriteBlocksSave
        if self.fork:
            self.saved_changes = self.store.changes
            self.save_began = monotonic()
            self.save_child = self._fork(self._write_dump)
        else:
            self.save()
        return Status(b"Background saving started")

    def bgrewriteaof(self) -> Status:
        """Rewrite the journal as a new base and an empty increment."""
        if self.rewrite_child:
            raise errors.RewriteInProgress
        if self.journal is None:
            raise errors.ReplyError("the append only file is off: CONFIG SET appendonly yes")
        self.store.flush()
        if self.save_child:
            self.wait()
        try:
            self.rewrite_began = monotonic()
            if self.fork:
                self.journal.begin_rewrite()
                self.rewrite_child = self._fork(self._write_base)
            else:
                self.journal.rewrite(contents(self.store), self.store.functions)
                self._rewritten(True)
        except errors.StoreError as error:
            raise errors.ReplyError(str(error)) from None
        return Status(b"Background append only file rewriting started")

    def _write_base(self) -> None:
        assert self.journal is not None
        self.journal.write_base(contents(self.store), functions=self.store.functions)

    def _fork(self, work: Callable[[], None]) -> int:
        started = self.store.time_ns()
        pid = os.fork()
        if pid:
            self.last_fork_us = (self.store.time_ns() - started) // 1000
            self.forks += 1
            self.store.took(b"fork", started)
            return pid
        status = 1
        try:
            os.close(self.lock)  # the store stays this child's parent's, and free when it ends
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):  # who reads the parent's output must not wait for the child
                os.dup2(nowhere, stream)
            work()
            status = 0
        except BaseException:
            status = 1
        finally:
            os._exit(status)

    def poll(self, block: bool = False) -> None:
        """Take note of children that have ended."""
        flags = 0 if block else os.WNOHANG
        if self.save_child and (done := _ended(self.save_child, flags)) is not None:
            self.save_child, self.last_save_ok = 0, done
            self.save_took = int(monotonic() - self.save_began)
            self.saves += done
        if self.rewrite_child and (done := _ended(self.rewrite_child, flags)) is not None:
            self.rewrite_child = 0
            self._rewritten(done)
            assert self.journal is not None
            if done:
                self.journal.finish_rewrite()
            else:
                self.journal.abort_rewrite()
        if self.journal is not None and self.journal.rewrite_due and not self.save_child and not self.rewrite_child:
            self.bgrewriteaof()

    def _rewritten(self, done: bool) -> None:
        self.last_rewrite_ok = done
        self.rewrite_took = int(monotonic() - self.rewrite_began)
        self.rewrites += done
        self.rewrites_failed = 0 if done else self.rewrites_failed + 1

    def wait(self) -> None:
        """Wait until no background work is left."""
        self.poll(block=True)


def _ended(pid: int, flags: int) -> bool | None:
    """Whether a child ended well; None while it runs."""
    done, status = os.waitpid(pid, flags)
    return None if done == 0 else status == 0


def contents(store: Store) -> Iterator[tuple[int, int, int, Iterator[tuple[bytes, Any, int | None]]]]:
    """What a snapshot holds: (database, keys, expires, entries) for each that has keys."""
    for db in store.databases:
        if len(db):
            yield db.index, len(db), db.expiring, db.items()
