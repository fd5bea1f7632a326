"""What a store does between commands, ten times a second and for a bounded time: expiry, reading ahead, saving."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.store import Store

SAMPLE_NS = 2_000_000_000  # how far back the rates of INFO look, at most
SLICES_NS = 4_000_000  # between rounds while a snapshot is written in slices
EXPIRED = 1000  # keys, and fields, that a round may expire in a database
THAW_NS, THAW_KEYS = 20_000_000, 256  # how long reading keys from a file may take at a time, and how many then
READ_AHEAD = 2  # keys that are read for one that was looked for
ALL = 1 << 62


def go_round(store: Store) -> int:
    """One round; gives the ns after which the next is wanted, 0 for the usual time."""
    asked, now = 0, store.clock.ns
    for db in store.databases:
        if db.cold is not None:
            asked += db.cold.asked
            db.cold.asked = 0
        if db.expiring and store.active_expire:
            db.expire_cycle(EXPIRED)
        if db.timed and store.active_expire:
            db.field_cycle(EXPIRED)
    store.took(b"expire-cycle", now)
    if asked and store.databases[0].lazy:  # not at opening, which is to be short
        thaw(store, READ_AHEAD * asked)
    if store.metered:
        from redtool.metering import remeasure

        remeasure(store)
    if store.limit and not store.collects:
        store.make_room()
    if now - store.sample[0] > SAMPLE_NS:
        store.sample = (now, *store.totals())
    wait = 0
    if store.persistence is not None and store.databases[0].lazy:
        store.persistence.cron()
        wait = SLICES_NS if store.persistence.slicing else 0
    if store.guard:
        store.retry()
    return wait


def thaw(store: Store, most: int = ALL) -> bool:
    """Read a little more of the keys that still lie in a file, where memory allows; False when none are left.

    ``most`` keys at most: who looks at many pays a little more now, and less for each once they are in memory.
    """
    for db in store.databases:
        if db.cold is not None and not db.cold.fixed and not db.cold.torn and db.cold.memory < spare_memory():
            until = store.time_ns() + THAW_NS
            while most > 0 and db.thaw(THAW_KEYS) and store.time_ns() < until:
                most -= THAW_KEYS
            return True
    return False


def spare_memory() -> int:
    """Bytes that keys read ahead may take: half of the machine's."""
    from os import sysconf

    return sysconf("SC_PAGE_SIZE") * sysconf("SC_PHYS_PAGES") // 2
