"""MEMORY: what keys, values and the whole store take, in the bytes that Python really holds.

The dataset is estimated from a sample of each database's values, so that INFO stays cheap on a large one.
"""

from __future__ import annotations

from sys import getsizeof

from redtool import errors
from redtool.commands.table import declare_help, group
from redtool.engine import strings
from redtool.numeric import to_int
from redtool.resp import OK, Verbatim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from redtool.engine.keyspace import Keyspace
    from redtool.resp import Reply
    from redtool.session import Session
    from redtool.store import Store

command = group("server")

SAMPLES = 5  # elements of a collection that MEMORY USAGE measures unless told
SAMPLED_KEYS = 64  # values of a database that an estimate of the whole measures
NUMBER = getsizeof(1 << 40)  # a time as a Python int
QUIET = 5 << 20  # below this there is nothing to advise on


def value_size(value: Any, samples: int) -> int:
    """Bytes that a value holds; a collection's from ``samples`` of its elements, 0 = all."""
    if isinstance(value, (bytes, bytearray)):
        return strings.nbytes(value)
    size: int = value.nbytes(samples)
    return size


def key_overhead(db: Keyspace, key: bytes) -> int:
    """Bytes that a key costs besides its value: its name and its share of the database's tables."""
    size = getsizeof(key) + getsizeof(db.data) // len(db.data)
    if key in db.access:
        size += getsizeof(db.access) // len(db.access) + NUMBER
    if key in db.expires:
        size += getsizeof(db.expires) // len(db.expires) + NUMBER
    return size


class Measure:
    """What a store takes: ``used`` = ``overhead`` + ``dataset``, ``rss`` of the whole process, ``keys``, all bytes."""

    __slots__ = ("databases", "dataset", "journal", "keys", "overhead", "rss", "used")

    def __init__(self, store: Store) -> None:
        self.keys = self.dataset = self.overhead = 0
        self.databases: dict[int, tuple[int, int]] = {}  # tables of keys, tables of deadlines
        for db in store.databases:
            if db.data:
                self._add(db)
        self.journal = len(store.journal.pending) if store.journal is not None else 0
        self.overhead += self.journal
        self.used = self.dataset + self.overhead
        self.rss = resident()
        store.peak_memory = max(store.peak_memory, self.used)

    def _add(self, db: Keyspace) -> None:
        count = len(db.data)
        sample = [(key, value) for (key, value), _ in zip(db.data.items(), range(SAMPLED_KEYS), strict=False)]
        held = sum(getsizeof(key) + value_size(value, SAMPLES) for key, value in sample)
        main = getsizeof(db.data) + getsizeof(db.access) + NUMBER * len(db.access)
        expires = getsizeof(db.expires) + NUMBER * len(db.expires)
        self.databases[db.index] = main, expires
        self.keys += count
        self.dataset += held * count // len(sample)
        self.overhead += main + expires

    def ratio(self) -> float:
        """Resident memory over what the store accounts for; the interpreter's own share is in it."""
        return self.rss / self.used if self.used else 0.0


def resident() -> int:
    """Resident memory of this process."""
    from os import sysconf

    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        from resource import RUSAGE_SELF, getrusage

        return getrusage(RUSAGE_SELF).ru_maxrss * 1024


@command("MEMORY USAGE key [SAMPLES count]", "readonly", since="4.0.0", complexity="O(N) samples")
def memory_usage(c: Session, key: bytes, *words: bytes) -> Reply:
    """Measure the bytes that a key and its value take, by samples (0: all).

    > SET greeting hello
    OK
    > MEMORY USAGE greeting
    (integer) …
    > MEMORY USAGE nothing
    (nil)
    """
    samples = SAMPLES
    for at in range(0, len(words), 2):
        if words[at].upper() != b"SAMPLES" or at + 1 == len(words):
            raise errors.SyntaxError_
        samples = to_int(words[at + 1])
        if samples < 0:
            raise errors.SyntaxError_
    value = c.db.peek(key)
    if value is None:
        return None
    return key_overhead(c.db, key) + value_size(value, samples)


@command("MEMORY STATS", "", since="4.0.0", complexity="O(N) databases")
def memory_stats(c: Session) -> Reply:
    """Tell where the memory goes, by name.

    > MEMORY STATS
     1) "peak.allocated"
     2) (integer) …
    …
    """
    m = Measure(c.store)
    stats: dict[Reply, Reply] = {
        b"peak.allocated": c.store.peak_memory, b"total.allocated": m.used, b"startup.allocated": 0,
        b"replication.backlog": 0, b"clients.slaves": 0, b"clients.normal": 0, b"cluster.links": 0,
        b"aof.buffer": m.journal, b"lua.caches": 0, b"functions.caches": sum(map(getsizeof, c.store.functions)),
    }  # fmt: skip
    for index, (main, expires) in m.databases.items():
        stats[b"db.%d" % index] = {b"overhead.hashtable.main": main, b"overhead.hashtable.expires": expires}
    stats |= {
        b"overhead.db.hashtable.lut": sum(map(sum, m.databases.values())), b"overhead.db.hashtable.rehashing": 0,
        b"overhead.total": m.overhead, b"db.dict.rehashing.count": 0, b"keys.count": m.keys,
        b"keys.bytes-per-key": m.used // m.keys if m.keys else 0, b"dataset.bytes": m.dataset,
        b"dataset.percentage": m.dataset * 100 / m.used if m.used else 0.0,
        b"peak.percentage": m.used * 100 / c.store.peak_memory if c.store.peak_memory else 0.0,
        b"allocator.allocated": m.used, b"allocator.active": m.rss, b"allocator.resident": m.rss,
        b"allocator.muzzy": 0, b"allocator-fragmentation.ratio": m.ratio(),
        b"allocator-fragmentation.bytes": m.rss - m.used, b"allocator-rss.ratio": 1.0, b"allocator-rss.bytes": 0,
        b"rss-overhead.ratio": 1.0, b"rss-overhead.bytes": 0, b"fragmentation": m.ratio(),
        b"fragmentation.bytes": m.rss - m.used,
    }  # fmt: skip
    return stats


@command("MEMORY DOCTOR", "", since="4.0.0")
def memory_doctor(c: Session) -> Reply:
    """Give advice on the memory that the store takes.

    > MEMORY DOCTOR
    …
    """
    m = Measure(c.store)
    if m.used < QUIET:
        return Verbatim(b"The store is empty or small: there is nothing to say about its memory yet.\n")
    limit = c.config["maxmemory"]
    advice = []
    if limit and m.used > limit * 9 // 10:
        advice.append(f"The dataset takes {m.used * 100 // limit}% of maxmemory ({limit} bytes).")
    if limit and c.config["maxmemory-policy"] == "noeviction":
        advice.append("With maxmemory-policy noeviction writes fail once maxmemory is reached.")
    if c.store.peak_memory > m.used * 3 // 2:
        advice.append("The dataset was half as large again before; Python keeps freed memory for later use.")
    if m.overhead > m.dataset:
        advice.append("More than half goes to tables, not data: many tiny keys. Hashes hold them in less.")
    return Verbatim(("\n".join(advice) or "No problem found.").encode() + b"\n")


@command("MEMORY MALLOC-STATS", "loading", since="4.0.0", complexity="O(1)")
def memory_malloc_stats(c: Session) -> Reply:
    """Show what Python's allocator tells about itself.

    > MEMORY MALLOC-STATS
    …
    """
    from gc import get_count, get_threshold
    from sys import getallocatedblocks

    text = f"allocator: python\nallocated blocks: {getallocatedblocks()}\nresident bytes: {resident()}\n"
    text += f"collector counts: {get_count()}\ncollector thresholds: {get_threshold()}\n"
    return Verbatim(text.encode())


@command("MEMORY PURGE", "loading", since="4.0.0", complexity="O(N) objects")
def memory_purge(c: Session) -> Reply:
    """Collect what is no longer reachable.

    > MEMORY PURGE
    OK
    """
    from gc import collect

    collect()
    return OK


declare_help(command, "MEMORY", since="4.0.0")
