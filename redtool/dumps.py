"""Open a dump of any size, read-only: its keys are found through an index and come in when they are looked at.

The index lies beside the dump, if its owner made one, else in the cache directory: the first opening makes it, in one
pass over the file. What was read is forgotten again when it grows large, so memory stays small however large the dump.
"""

from __future__ import annotations

import os
from time import time

from redtool import errors, loading
from redtool.config import Config
from redtool.loading import Sink, load_dump
from redtool.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from redtool.persist.index import Index

    Warn = Callable[[str], None]

WHOLE = 1 << 20  # dumps below this many bytes are loaded
TELL_FROM = 1 << 26  # bytes of a dump from which a person is told how far the first pass is


def open_dump(path: str, warn: Warn | None = None) -> Store:
    """A read-only store of the keys of a dump. Raises StoreError, CorruptFile."""
    store = Store(Config())
    loading.begin(store)
    try:
        index = _index(path) if os.path.getsize(path) >= WHOLE else None
        if index is None:
            load_dump(path, store, warn)
        else:
            Sink(store).attach(index, int(time() * 1000), fixed=True)
    except errors.CorruptFile as error:
        hint = f"redtool rdb check {path}" if error.offset else ""  # else it is no dump at all
        raise errors.CorruptFile(path, error.offset, error.reason, hint) from None
    except FileNotFoundError:
        raise errors.StoreError(f"cannot open {path}: no such file") from None
    except OSError as error:
        raise errors.StoreError(f"cannot open {path}: {(error.strerror or '').lower()}") from None
    loading.end(store)
    store.refuse_writes("read-only")
    return store


def _index(path: str) -> Index | None:
    """The dump with an index, made if need be; None for a dump that cannot have one, which is loaded then."""
    from redtool.persist.index import open_index

    cached = cache_path(path)
    index = open_index(path) or open_index(path, cached)
    if index is not None:
        return index
    from redtool.persist.files import sweep
    from redtool.persist.indexing import write_index

    try:
        os.makedirs(os.path.dirname(cached), 0o700, exist_ok=True)
        sweep(os.path.dirname(cached))
        write_index(path, cached, _progress(path))
    except errors.CorruptFile:
        raise
    except errors.StoreError:  # a form of file that the index has no place for
        return None
    except OSError:  # no room for a cache
        return _in_memory(path)
    return open_index(path, cached)


def _in_memory(path: str) -> Index:
    from mmap import ACCESS_READ, mmap

    from redtool.persist.index import Index
    from redtool.persist.indexing import index_of

    with open(path, "rb", buffering=0) as file:
        data = mmap(file.fileno(), 0, access=ACCESS_READ)
    return Index(path, data, index_of(data, path, 0, _progress(path)))


def cache_path(path: str) -> str:
    """Where the index of a dump that is not ours lies: named after the dump's place."""
    from zlib import crc32

    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    place = os.path.abspath(path)
    name = f"{os.path.basename(place)}-{crc32(os.fsencode(place)):08x}.idx"
    return os.path.join(base, "redtool", name)


def _progress(path: str) -> Callable[[int], None] | None:
    """Tells a person at a terminal how far the pass over a large dump is."""
    import sys

    size = os.path.getsize(path)
    if size < TELL_FROM or not sys.stderr.isatty():
        return None
    name = os.path.basename(path)
    told = [-1]

    def advance(at: int) -> None:
        percent = at * 100 // size
        if percent != told[0]:
            told[0] = percent
            end = "\r\x1b[K" if percent >= 99 else ""
            sys.stderr.write(f"\rreading {name} for the first time: {percent} %{end}")
            sys.stderr.flush()

    return advance
