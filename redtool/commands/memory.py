"""MEMORY: what keys, values and the whole store take, in the bytes that Python really holds.

The first question about the whole store measures every value; from then on the sizes are kept up to date.
"""

from __future__ import annotations

from redtool import errors
from redtool.commands.table import declare_help, group
from redtool.engine.memory import NUMBER, SIZES, container, measure
from redtool.engine.meter import tables
from redtool.numeric import to_int
from redtool.resp import OK, Verbatim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from redtool.engine.keyspace import Keyspace
    from redtool.resp import Reply
    from redtool.session import Session
    from redtool.store import Store

command = group("server")

SAMPLES = 5  # elements of a collection that MEMORY USAGE measures unless told
QUIET = 5 << 20  # below this there is nothing to advise on
FRAGMENTED = 0.4  # unused memory for each byte of data, from which it is worth a word
UNUSED = 10 << 20  # bytes of it that are always right
MANY_SCRIPTS = 1000


def key_overhead(db: Keyspace, key: bytes) -> int:
    """Bytes that a key costs besides its value: its name and its share of the database's tables."""
    size = SIZES[len(key)] + container(db.data) // len(db.data)
    if key in db.access:
        size += container(db.access) // len(db.access)
    if key in db.expires:
        size += container(db.expires) // len(db.expires) + NUMBER
    return size


class Measure:
    """What a store takes: ``used`` = ``overhead`` + ``dataset``, ``rss`` of the whole process, ``keys``, all bytes."""

    __slots__ = ("databases", "dataset", "journal", "keys", "overhead", "rss", "scripts", "used")
    others = 1 << 62  # the least that the process was ever seen to take besides: the interpreter, a host program

    def __init__(self, store: Store) -> None:
        self.keys = self.overhead = 0
        self.databases: dict[int, tuple[int, int]] = {}  # tables of keys, tables of deadlines
        self.journal = sum([sum(map(len, argv)) for argv in store.journal.pending]) if store.journal is not None else 0
        self.scripts = sum(map(len, store.functions)) + (store.scripts.bodies if store.scripts is not None else 0)
        self.used = store.used_memory(exact=True) + self.journal + self.scripts
        for db in store.databases:
            if len(db):
                self._add(db)
        self.overhead += self.journal + self.scripts
        self.dataset = self.used - self.overhead
        self.rss = resident()
        Measure.others = min(Measure.others, self.rss - self.used)
        store.peak_memory = max(store.peak_memory, self.used)

    def _add(self, db: Keyspace) -> None:
        whole = tables(db)
        expires = container(db.expires) + NUMBER * len(db.expires)
        self.databases[db.index] = whole - expires, expires
        self.keys += len(db)
        self.overhead += whole

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
    return key_overhead(c.db, key) + measure(value, samples)


@command("MEMORY STATS", "", since="4.0.0", complexity="O(N) databases")
def memory_stats(c: Session) -> Reply:
    """Tell where the memory goes, by name.

    > MEMORY STATS
     1) "peak.allocated"
     2) (integer) …
    …
    """
    m, libraries = Measure(c.store), sum(map(len, c.store.functions))
    stats: dict[Reply, Reply] = {
        b"peak.allocated": c.store.peak_memory, b"total.allocated": m.used, b"startup.allocated": 0,
        b"replication.backlog": 0, b"clients.slaves": 0, b"clients.normal": 0, b"cluster.links": 0,
        b"aof.buffer": m.journal, b"lua.caches": m.scripts - libraries, b"functions.caches": libraries,
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
    return Verbatim(("\n".join(advice(c.store, m)) or "No problem found.").encode() + b"\n")


def advice(store: Store, m: Measure) -> Iterator[str]:
    """What a server looks for, where it can occur here, and what maxmemory may bring; with what to do about it."""
    limit = store.config["maxmemory"]
    if store.peak_memory > m.used * 3 // 2:
        yield ("Peak: the store has held half as much again as now, or more. Python keeps freed memory for later use, "
               "so the process stays larger than its data until it ends.")  # fmt: skip
    unused = m.rss - m.used - m.others
    if unused > FRAGMENTED * m.used and unused > UNUSED:
        yield (f"Fragmentation: the process has {unused >> 20} MB more than its data take, and gave nothing back. "
               "MEMORY PURGE may help; opening the store anew does.")  # fmt: skip
    if store.scripts is not None and store.scripts.count > MANY_SCRIPTS:
        yield (f"Scripts: {store.scripts.count} are cached. Give what varies as KEYS and ARGV, not in the text of the "
               "script, and clear the cache with SCRIPT FLUSH.")  # fmt: skip
    if limit and m.used > limit * 9 // 10:
        yield f"Limit: the data take {m.used * 100 // limit}% of maxmemory ({limit} bytes)."
        if store.config["maxmemory-policy"] == "noeviction":
            yield "Policy: with maxmemory-policy noeviction writes fail once maxmemory is reached."
    if m.overhead > m.dataset:
        yield "Overhead: more than half goes to tables, not data: many tiny keys. Hashes hold them in less."


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
