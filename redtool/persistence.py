"""A store's directory: its lock, configuration and journal; SAVE, BGSAVE and BGREWRITEAOF."""

from __future__ import annotations

import os
from time import monotonic, sleep, time

from redtool import errors
from redtool.config import Config
from redtool.persist.aof import Journal
from redtool.resp import OK, Status
from redtool.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from redtool.engine.hashes import Hash
    from redtool.engine.keyspace import Keyspace

CONFIG_FILE = "redtool.conf"
LOCK_FILE = "lock"


class Sink:
    """What the journal's loader fills: databases straight into their dicts, commands through the store."""

    def __init__(self, store: Store) -> None:
        from redtool.session import Session

        self.store = store
        self.session = Session(store)
        store.forget(self.session)  # no client
        self.filled = store.databases[0]

    def select(self, db: int) -> tuple[dict[bytes, Any], dict[bytes, int]]:
        if db >= len(self.store.databases):
            most = len(self.store.databases)
            raise errors.StoreError(f"the file has database {db}, the store only {most}; see databases in redtool.conf")
        keyspace = self.filled = self.store.databases[db]
        return keyspace.data, keyspace.expires

    def aux(self, name: bytes, value: bytes) -> None:
        """Facts about the file; nothing here depends on them."""

    def sizes(self, keys: int, expires: int) -> None:
        """How many keys follow; Python's dicts grow by themselves."""

    def fields(self, key: bytes, value: Hash) -> None:
        """A hash has come some of whose fields have deadlines."""
        self.filled.note_fields(key, value)

    def function(self, code: bytes) -> None:
        self.store.functions.append(code)

    def use(self, db: int) -> None:
        self.select(db)
        self.session.db = self.store.databases[db]

    def command(self, argv: list[bytes]) -> None:
        if len(argv[0]) == 8 and argv[0].upper() == b"FUNCTION" and keep_library(self.store.functions, argv):
            return
        self.store.execute(self.session, tuple(argv))


class Persistence:
    """The files of one open store directory."""

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

    @classmethod
    def open(cls, directory: str, *, warn: Callable[[str], None] | None = None, wait: float = 5.0,
             fork: bool = False) -> Persistence:  # fmt: skip
        """Lock the directory, read its configuration and load its data."""
        lock = take_lock(directory, wait)
        try:
            config = Config()
            config_path = os.path.join(directory, CONFIG_FILE)
            if os.path.exists(config_path):
                config.read(config_path)
            config["dir"] = os.path.abspath(directory)
            store = Store(config)
            store.config_path = config_path
            self = cls(directory, store, lock, fork)
            store.persistence = self
            store.load()
            if config["appendonly"]:
                self.journal = Journal.open(directory, config, Sink(store), warn=warn)
            else:
                load_dump(os.path.join(directory, config["dbfilename"]), store, warn)
            store.loaded()
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
        if self.journal is None:
            try:
                store = self.store
                self.journal = Journal.start(self.directory, store.config, contents(store), store.functions)
            except errors.StoreError as error:
                raise errors.ReplyError(str(error)) from None
        else:
            self.save()
            self.journal.close()
            self.journal = None
        self.store.journal = self.journal

    # -- snapshots

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
        self._write_dump()
        self.saved_changes = self.store.changes
        return OK

    def _write_dump(self) -> None:
        from redtool.persist.snapshot import write_dump

        try:
            write_dump(self.dump_path, contents(self.store), functions=self.store.functions)
        except OSError as error:
            self.last_save_ok = False
            raise errors.ReplyError(f"cannot write {self.dump_path}: {error.strerror}") from None
        self.last_save_ok = True
        self.saves += 1

    def _save_or_fail(self) -> None:
        try:
            self.save()
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

    def close(self) -> None:
        """Finish a running rewrite, sync and close. A running BGSAVE goes on in its child.

        Without a journal what has changed is saved now: nothing else would keep it.
        """
        try:
            if self.rewrite_child or (self.save_child and self.journal is None):
                self.poll(block=True)
            if self.journal is not None:
                self.journal.close()
                self.journal = self.store.journal = None
            elif self.store.changes != self.saved_changes or not self.last_save_ok:
                self._save_or_fail()
        finally:
            if self.lock >= 0:
                os.close(self.lock)
                self.lock = -1


def keep_library(functions: list[bytes], argv: list[bytes]) -> bool:
    """Do what a FUNCTION command of a server's journal says to the libraries kept; False for what is none.

    Their code is not run here: it is compiled when a function is first called.
    """
    words = [word.upper() for word in argv[:2]]
    if words == [b"FUNCTION", b"FLUSH"]:
        functions.clear()
    elif words == [b"FUNCTION", b"DELETE"] and len(argv) == 3:
        functions[:] = [code for code in functions if library_name(code) != argv[2]]
    elif words == [b"FUNCTION", b"LOAD"] and len(argv) in (3, 4):
        keep(functions, argv[-1])
    elif words == [b"FUNCTION", b"RESTORE"] and len(argv) in (3, 4):
        from redtool.persist.payload import unpack_functions

        codes = unpack_functions(argv[2])
        if argv[-1].upper() == b"FLUSH":
            functions.clear()
        for code in codes:
            keep(functions, code)
    else:
        return False
    return True


def keep(functions: list[bytes], code: bytes) -> None:
    """Add a library, in the place of one of the same name."""
    functions[:] = [old for old in functions if library_name(old) != library_name(code)]
    functions.append(code)


def library_name(code: bytes) -> bytes:
    """The name in the first line of a library: ``#!lua name=mylib``."""
    words = code.partition(b"\n")[0].split()
    return next((word[5:] for word in words if word[:5].lower() == b"name="), b"")


def _ended(pid: int, flags: int) -> bool | None:
    """Whether a child ended well; None while it runs."""
    done, status = os.waitpid(pid, flags)
    return None if done == 0 else status == 0


def contents(store: Store) -> Iterator[tuple[int, int, int, Iterator[tuple[bytes, Any, int | None]]]]:
    """What a snapshot holds: (database, keys, expires, entries) for each that has keys."""
    for db in store.databases:
        if db.data:
            yield db.index, len(db.data), len(db.expires), entries(db)


def entries(db: Keyspace) -> Iterator[tuple[bytes, Any, int | None]]:
    """(key, value, deadline in unix ms or None) of every key."""
    deadline = db.expires.get
    for key, value in db.data.items():
        yield key, value, deadline(key)


def load_dump(path: str, store: Store, warn: Callable[[str], None] | None = None) -> None:
    """Load an RDB file into an empty store; nothing to do when there is none."""
    from redtool.persist.rdb import load_file

    try:
        load_file(path, Sink(store), now=int(time() * 1000), warn=warn)
    except FileNotFoundError:
        return
    except OSError as error:
        raise errors.StoreError(f"cannot read {path}: {(error.strerror or '').lower()}") from None


def open_dump(path: str) -> Store:
    """Open a dump as a read-only store in memory."""
    if not os.path.exists(path):
        raise errors.StoreError(f"cannot open {path}: no such file")
    store = Store(Config())
    store.load()
    load_dump(path, store)
    store.loaded()
    store.refuse_writes("read-only")
    return store


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
