"""What the data of a store take in memory, for INFO, MEMORY and maxmemory: kept up to date once somebody has asked.

``engine.meter`` does it for a database. A store that nobody asks pays nothing for it.
"""

from __future__ import annotations

from redtool.engine.meter import Meter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.session import Argv
    from redtool.store import Store


def used_memory(store: Store, exact: bool = False) -> int:
    """Bytes that the data take, those still in a file as if they were loaded; the first time walks all of them.

    Unless it is to be ``exact``, the tables of a database may have grown a little since they were last looked at.
    """
    if not store.metered:
        store.metered = True
        for db in store.databases:
            db.meter = Meter(db)
        store.review()
    used = 0
    for db in store.databases:
        if exact and db.meter is not None:
            db.meter.look_anew()
        if db.data or db.cold is not None:
            used += db.used if db.cold is None else db.used + db.cold.memory
    return used


def weigh(store: Store, argv: Argv) -> None:
    """Take note of what a command of these words has altered."""
    for db, key in store.touched:
        if db.meter is not None:
            db.meter.altered(key, db.data.get(key), argv)
    store.touched.clear()


def remeasure(store: Store) -> None:
    """Find what has grown without a write."""
    store.touched.clear()  # what expired
    for db in store.databases:
        if db.meter is not None:
            db.meter.revisit(db.data)
