"""Keep a store quick to open: what the next process would have to read or replay is brought into shape beside it.

A journal that has grown long is rewritten, a base that has no index gets one. A process of redtool's own leaves that,
when it closes a store, to a child that outlives it; the store is free meanwhile, and the child takes its lock only to
put its work in place. Inside a host program, which must not be forked, it is done before the store is closed.
"""

from __future__ import annotations

import os
from time import sleep

from redtool import errors
from redtool.persist.files import INDEX, create, remove, sweep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from redtool.persistence import Persistence

COMMANDS = 25_000  # in a journal from which it is rewritten: one or two tenths of a second to replay
BYTES = 64 << 20  # the same for the size of its increments
INDEX_FROM = 1 << 18  # bytes of a base from which an index is worth having
LOCK_FILE = "compact.lock"
PAUSE = 1.0  # seconds that the child waits: what its parent's owner does next comes first, be it to delete the store
PATIENCE = 60.0  # seconds that finished work waits for the store to be free before it is given up


def is_long(files: Persistence) -> bool:
    """Whether the journal takes long to replay; never where CONFIG says that it is not rewritten by itself."""
    journal = files.journal
    if journal is None or files.job is not None or files.store.guard or files.rewrites_failed:
        return False
    if not files.store.config["auto-aof-rewrite-percentage"]:
        return False
    return journal.commands >= COMMANDS or journal.increment_size >= BYTES


def lacks_index(path: str) -> bool:
    """Whether a snapshot is large and has no index beside it, or one that is older."""
    try:
        snapshot = os.stat(path)
    except OSError:
        return False
    if snapshot.st_size < INDEX_FROM:
        return False
    try:
        return os.stat(path + INDEX).st_mtime_ns < snapshot.st_mtime_ns
    except OSError:
        return True


def leave(files: Persistence) -> None:
    """Called when a store is about to be closed, its lock still held: do what is due, or have it done."""
    long = is_long(files)
    base = files.journal.base_path if files.journal is not None else files.dump_path
    if not long and not lacks_index(base):
        return
    from redtool.persist.neighbours import server_on

    if server_on(files.directory):
        return  # it would go on writing to files that are gone
    try:
        if files.fork:
            _fork(files, long, base)
            return
        if long and files.journal is not None:
            files.bgrewriteaof()
            files.wait()
            base = files.journal.base_path
        index(base)
    except (errors.StoreError, errors.ReplyError, OSError):
        return  # the store is whole as it is; the next to close it tries again


def index(path: str) -> None:
    """Give a snapshot an index if it is large. One that cannot have one gets an empty file, which says so."""
    from redtool.persist.indexing import write_index

    if lacks_index(path):
        try:
            write_index(path)
        except (errors.StoreError, errors.CorruptFile):
            os.close(create(path + INDEX))


def is_tired(files: Persistence, path: str) -> bool:
    """Whether so many rewrites have come to nothing, the latest when ``path`` was made, that the next is to wait.

    Each leaves an increment.
    """
    from redtool.saving import rests

    failed = 0 if files.journal is None else len(files.journal.manifest.increments) - 1
    try:
        return rests(failed, (files.store.time_ns() - os.stat(path).st_mtime_ns) / 1e9)
    except OSError:
        return False


def _fork(files: Persistence, long: bool, base: str) -> None:
    """Start the child, unless another process's is at work. Raises OSError, StoreError."""
    from fcntl import LOCK_EX, LOCK_NB, flock

    files.keep_place()
    path = os.path.join(files.directory, LOCK_FILE)
    if long and is_tired(files, path):
        return
    lock = create(path)
    try:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            return
        sweep(os.path.dirname(base))
        if long and files.journal is not None:
            files.store.flush()
            files.journal.begin_rewrite()
        if not os.fork():
            _work(files, long, base, lock)
    finally:
        os.close(lock)


def _work(files: Persistence, long: bool, base: str, lock: int) -> NoReturn:
    """What the child does; ``lock`` shows others that it is at work until it ends."""
    status = 1
    try:
        from redtool.child import alone

        alone(lock)
        os.setsid()  # what ends its parent's terminal does not end it
        os.nice(10)
        sleep(PAUSE)
        if long:
            _rewrite(files)
        else:
            index(base)
        status = 0
    finally:
        os._exit(status)


def _rewrite(files: Persistence) -> None:
    """Write the new base beside the store, then put it in its place if nobody was quicker."""
    from redtool.persist.neighbours import server_on
    from redtool.persistence import take_lock
    from redtool.saving import contents

    journal = files.journal
    assert journal is not None
    journal.take_over()
    snapshot = files.new_base(contents(files.store))
    try:
        snapshot.write()
        index(snapshot.temporary)
        os.stat(snapshot.temporary)  # the store is still there: to take its lock would make another
        held = take_lock(files.directory, PATIENCE)
        try:
            if not server_on(files.directory):  # one that began meanwhile may be reading what is to go
                journal.finish_elsewhere()
        finally:
            os.close(held)
    finally:
        remove(snapshot.temporary)
        remove(snapshot.temporary + INDEX)
