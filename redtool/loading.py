"""Filling a store from files: what the loaders of snapshots and journals hand their finds to."""

from __future__ import annotations

import os
from time import time

from redtool import errors
from redtool.entries import Entries, Journalled
from redtool.persist.files import INDEX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from redtool.engine.hashes import Hash
    from redtool.persist.index import Index
    from redtool.resp import Reply
    from redtool.store import Store


def begin(store: Store) -> None:
    """Switch a store to loading: only journalled deletions remove keys."""
    store.entries = Journalled(store.config.renames)
    store.limit = 0  # nothing is dropped meanwhile
    for db in store.databases:
        db.lazy = False


def end(store: Store) -> None:
    """Back to serving: deadlines count again, loading was no change, and pauses nobody."""
    if store.pause is not None:
        store.waiting.unpause()
    for db in store.databases:
        db.lazy = True
        db.loaded()
    store.changes = 0
    store.limit = store.config["maxmemory"]
    store.full = store.limit > 0  # for all that is known yet
    store.review()
    store.entries = Entries(store.config.renames)


class Sink:
    """What the journal's loader fills: databases straight into their dicts, commands through the store."""

    packs = True  # small hashes stay packed, see ``engine.packed``

    def __init__(self, store: Store) -> None:
        from redtool.session import Session

        self.store = store
        self.session = Session(store)
        store.forget(self.session)  # no client
        self.session.deny_block = True  # what would wait finds nothing, as it did when it was journalled
        self.filled = store.databases[0]

    def select(self, db: int) -> tuple[dict[bytes, Any], dict[bytes, int]]:
        if db >= len(self.store.databases):
            most = len(self.store.databases)
            raise errors.StoreError(f"the file has database {db}, the store only {most}; see databases in redtool.conf")
        keyspace = self.filled = self.store.databases[db]
        keyspace.packed = keyspace.packed or self.packs
        return keyspace.data, keyspace.expires

    def aux(self, name: bytes, value: bytes) -> None:
        """Facts about the file; nothing here depends on them."""

    def sizes(self, keys: int, expires: int) -> None:
        """How many keys follow; Python's dicts grow by themselves."""

    def access(self, key: bytes, idle: int | None, freq: int | None) -> None:
        """Idle seconds or the frequency of a key have come."""
        self.filled.told(key, idle, freq)

    def fields(self, key: bytes, value: Hash) -> None:
        """A hash has come some of whose fields have deadlines."""
        self.filled.note_fields(key, value)

    def function(self, code: bytes) -> None:
        self.store.functions.append(code)

    def indexed(self, path: str, since: int = 0) -> bool:
        """Attach a snapshot that has an index beside it; False where it must be loaded. Raises FileNotFoundError."""
        if not os.path.exists(path + INDEX):
            return False
        from redtool.persist.index import open_index

        index = open_index(path)
        if index is not None:
            self.attach(index, since)
        return index is not None

    def attach(self, index: Index, since: int = 0, fixed: bool = False) -> None:
        """Take a snapshot as it lies there: its keys come in when they are looked at. See ``engine.cold``."""
        for table in index.tables:
            self.select(table.number)
            self.filled.chill(table, since, fixed)
        for code in index.functions:
            self.function(code)

    def use(self, db: int) -> None:
        self.select(db)
        self.session.db = self.store.databases[db]

    def run(self, batch: list[list[bytes]]) -> tuple[int, errors.ReplyError | None]:
        """Run commands up to one that fails: how many that were, and the error."""
        first = batch[0]
        if len(first[0]) == 8 and first[0].upper() == b"FUNCTION" and keep_library(self.store.functions, first):
            return 1, None
        for number, argv in enumerate(batch):
            if number and len(argv[0]) == 8 and argv[0].upper() == b"FUNCTION":
                batch = batch[:number]
                break
        replies: list[Reply] = []
        self.store.run(self.session, batch, replies, stop=True)
        failed = replies[-1]
        return len(replies), failed if isinstance(failed, errors.ReplyError) else None


def load_dump(path: str, store: Store, warn: Callable[[str], None] | None = None) -> None:
    """Load an RDB file into an empty store, or only its index if it has one; nothing to do when there is none."""
    from redtool.persist.rdb import load_file

    now, sink = int(time() * 1000), Sink(store)
    try:
        if not sink.indexed(path, now):
            load_file(path, sink, now=now, warn=warn)
    except FileNotFoundError:
        return
    except OSError as error:
        raise errors.StoreError(f"cannot read {path}: {(error.strerror or '').lower()}") from None


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
