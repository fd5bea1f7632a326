"""A store's directory: its lock, configuration and journal, opened and closed."""

from __future__ import annotations

import os
from time import monotonic, sleep

from redtool import errors, loading
from redtool.config import Config
from redtool.loading import Sink, load_dump
from redtool.persist.aof import Journal
from redtool.saving import LOCK_FILE, Saving, contents
from redtool.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Configure = Callable[[Config, str], str | None]

CONFIG_FILE = "redtool.conf"
QUIET_NS = 1_000_000_000  # how long nobody must have asked for anything before idle work begins
SMALL = 1 << 18  # bytes of a journal that is read in no time


class Persistence(Saving):
    """The files of one open store directory."""

    @classmethod
    def open(cls, directory: str, *, warn: Callable[[str], None] | None = None, wait: float = 5.0,
             fork: bool = False, configure: Configure | None = None) -> Persistence:  # fmt: skip
        """Lock the directory, read its configuration and load its data.

        ``configure`` fills the configuration, where that is not what the store's own file says, and names its file.
        """
        if not os.path.exists(os.path.join(directory, LOCK_FILE)):
            refuse_beside_server(directory)
        lock = take_lock(directory, wait)
        directory = os.path.abspath(directory)  # wherever the process goes
        try:
            config = Config()
            config_path = (configure or own_file)(config, directory)
            config["dir"] = directory
            store = Store(config)
            store.config_path = config_path
            self = cls(directory, store, lock, fork)
            store.persistence = self
            loading.begin(store)
            if config["appendonly"]:
                self.journal = Journal.open(directory, config, Sink(store), warn=warn)
            else:
                load_dump(os.path.join(directory, config["dbfilename"]), store, warn)
            loading.end(store)
            store.journal = self.journal
            config.on_change("appendonly", self.switch_journal)
            if config.users or config["requirepass"] or "aclfile" in config:
                from redtool import aclfile

                aclfile.restore(store)
        except BaseException:
            os.close(lock)
            raise
        return self

    def switch_journal(self, on: bool) -> None:
        """CONFIG SET appendonly: begin a journal from the data in memory, or save a snapshot and end it."""
        if on == (self.journal is not None):
            return
        self.poll(block=True)
        self.rewrite_scheduled = False
        if self.journal is None:
            try:
                self.keep_place()
                store = self.store
                self.journal = Journal.start(self.directory, store.config, contents(store), store.functions)
            except errors.StoreError as error:
                raise errors.ReplyError(str(error)) from None
        else:
            self.save()
            journal, self.journal = self.journal, None
            self.store.journal = None
            try:  # noqa: SIM105 - contextlib is slow to import
                journal.close()
            except errors.StoreError:
                pass  # what it could not take is in the snapshot
            self.store.refuse_writes("")
        self.store.journal = self.journal

    def idle(self) -> None:
        """Nobody has asked for anything for a while: shorten a long journal."""
        if self.fork and self.job is None and self.journal is not None and self.journal.size > SMALL:
            from redtool.compaction import is_long

            quiet = self.store.clock.ns - max((s.seen for s in self.store.sessions.values()), default=0)
            if quiet > QUIET_NS and is_long(self):
                self.bgrewriteaof()

    def disown(self) -> None:
        """Let go of copies of the descriptors: after a fork, in the child that does not own the store."""
        if self.lock >= 0:
            os.close(self.lock)
            self.lock = -1
        if self.journal is not None and self.journal.fd >= 0:
            os.close(self.journal.fd)
            self.journal.fd = -1
        self.journal = self.store.journal = None

    def abandon(self) -> None:
        """Keep what is in the files and leave what is in memory: it holds the work of half a script."""
        if self.job is not None:
            self.kill_save()
        if self.journal is not None:
            self.journal.close()
        self.disown()
        self.saved_changes = self.store.changes

    def close(self, save: bool = True) -> None:
        """Finish a running rewrite, sync and close. A running BGSAVE goes on in its child.

        Without a journal what has changed is saved now: nothing else would keep it. Unless ``save`` is False.
        """
        try:
            if self.owed:
                self.wait()
            if self.journal is not None:
                try:
                    self._tidy()
                finally:
                    self.journal.close()
                    self.journal = self.store.journal = None
            else:
                if save and self.store.changes != self.saved_changes:
                    self._save_or_fail()
                self._tidy()
        finally:
            self._unmap()
            if self.job is not None:
                self.job.leave()
            if self.lock >= 0:
                os.close(self.lock)
                self.lock = -1

    def _unmap(self) -> None:
        """Let go of the file in which keys still lie: its room may be wanted before garbage is collected."""
        for db in self.store.databases:
            if db.cold is not None:
                db.cold.source.close()
                db.cold = db._rest = None

    def _tidy(self) -> None:
        """Leave a store that opens quickly the next time; a small one does in any case."""
        if self.journal is None or self.journal.size > SMALL:
            from redtool.compaction import leave

            leave(self)


def own_file(config: Config, directory: str) -> str:
    """Read the store's own configuration file, if it is there; gives its path."""
    path = os.path.join(directory, CONFIG_FILE)
    if os.path.exists(path):
        config.read(path)
    return path


def refuse_beside_server(directory: str) -> None:
    """A directory without a lock file may be that of a server at work, or of an owner whose file was deleted.

    Raises StoreError; StoreLocked for an owner.
    """
    from redtool.persist.neighbours import owner_of, server_on

    if number := owner_of(directory, LOCK_FILE):
        raise errors.StoreLocked(f"the lock of {directory} was deleted, but the store is in use by process {number}")
    if found := server_on(directory):
        raise errors.StoreError(f"{directory} is in use by a server ({found}); connect to it, or stop it first")


def take_lock(directory: str, wait: float) -> int:
    """Make the directory if it is missing and become its owner; gives the descriptor that holds the lock."""
    from fcntl import LOCK_EX, LOCK_NB, flock

    path = os.path.join(directory, LOCK_FILE)
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    try:
        try:
            lock = os.open(path, flags, 0o600)
        except FileNotFoundError:
            os.makedirs(directory, 0o700, exist_ok=True)
            lock = os.open(path, flags, 0o600)
    except OSError as error:
        raise errors.StoreError(f"cannot open the store {directory}: {(error.strerror or '').lower()}") from None
    until, pause = monotonic() + wait, 0.0005
    while True:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
            break
        except BlockingIOError:
            if monotonic() >= until:
                owner = os.pread(lock, 20, 0).decode("ascii", "replace").strip("\0 \n") or "unknown"
                os.close(lock)
                raise errors.StoreLocked(f"the store {directory} is in use by process {owner}") from None
            sleep(pause)
            pause = min(pause * 2, 0.02)
    os.pwrite(lock, b"%-10d\n" % os.getpid(), 0)
    return lock
