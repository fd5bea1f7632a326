"""DEBUG RELOAD and DEBUG LOADAOF: bring the dataset back from what was saved of it, within a running store."""

from __future__ import annotations

from redtool import errors, loading
from redtool.loading import Sink
from redtool.persist import rdb
from redtool.persist.aof import Journal
from redtool.persist.save import save as save_to
from redtool.saving import contents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from redtool.engine.hashes import Hash
    from redtool.engine.keyspace import Keyspace
    from redtool.store import Store


SLICE = 1 << 20  # keys read from a file at a time


class Apart(Sink):
    """Takes a file's keys without touching the store's."""

    packs = False

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.databases: dict[int, tuple[dict[bytes, Any], dict[bytes, int]]] = {}
        self.timed: list[tuple[Keyspace, bytes, Hash]] = []  # hashes with fields that have deadlines
        self.uses: list[tuple[Keyspace, bytes, int | None, int | None]] = []  # keys that were last used a while ago

    def select(self, db: int) -> tuple[dict[bytes, Any], dict[bytes, int]]:
        super().select(db)  # refuses a number that the store has not
        return self.databases.setdefault(db, ({}, {}))

    def fields(self, key: bytes, value: Hash) -> None:
        self.timed.append((self.filled, key, value))

    def access(self, key: bytes, idle: int | None, freq: int | None) -> None:
        self.uses.append((self.filled, key, idle, freq))

    def function(self, code: bytes) -> None:
        """The libraries stay as they are."""


def reload(store: Store, save: bool, flush: bool, merge: bool) -> None:
    """Save, unless told to take what is saved already, and load it in place of the dataset or into it.

    A key that is in both is an error unless they are to be merged; then the saved one counts.
    """
    if store.persistence is not None:
        store.persistence.poll(block=True)  # a snapshot in slices is not told of what follows
    found = Apart(store)
    try:
        rdb.load(saved(store, save), found, now=store.clock.ns // 1_000_000)
    except errors.StoreError:
        raise errors.ReloadFailed from None
    for db in store.databases:
        while db.thaw(SLICE):
            continue
    pairs = [(db, *found.databases.get(db.index, ({}, {}))) for db in store.databases]
    if not flush and not merge and any(not db.data.keys().isdisjoint(data) for db, data, _ in pairs):
        raise errors.ReloadFailed
    for db, data, expires in pairs:
        if flush:
            db.clear()
        for key in data.keys() & db.expires.keys():
            del db.expires[key]
        db.data.update(data)
        db.expires.update(expires)
        db.loaded()
        store.touch_all(db)
    for db, key, value in found.timed:
        db.note_fields(key, value)
    for db, key, idle, freq in found.uses:
        db.told(key, idle, freq)
    if store.persistence is not None and store.journal is not None and not (save and flush):
        store.persistence.bgrewriteaof()  # the journal does not tell of this


def saved(store: Store, save: bool) -> bytes:
    """The bytes of an RDB file: of the directory's own, else of one that is never written."""
    files = store.persistence
    if files is None:
        if not save:
            raise errors.ReloadFailed
        pieces: list[bytes] = []
        save_to(pieces.append, contents(store), store.functions)
        return b"".join(pieces)
    if save:
        files.save()
    try:
        with open(files.dump_path, "rb") as file:
            return file.read()
    except OSError:
        raise errors.ReloadFailed from None


def replay(store: Store) -> None:
    """Empty the store and load its journal. Raises ReplyError; StoreError when the journal is damaged."""
    files = store.persistence
    if files is None or files.journal is None:
        raise errors.ReplyError("the append only file is off: CONFIG SET appendonly yes")
    files.wait()
    store.flush()
    files.journal.close()
    files.journal = store.journal = None
    changes = store.changes
    for db in store.databases:
        db.clear()
        store.touch_all(db)
    store.functions.clear()
    loading.begin(store)
    files.journal = Journal.open(files.directory, store.config, Sink(store))
    loading.end(store)
    store.journal, store.changes = files.journal, changes
