"""Put the whole dataset of a store into an indexed snapshot, as if it had just been opened: every key is cold."""

from __future__ import annotations

from redtool.persist.index import Index
from redtool.persist.indexing import index_of
from redtool.persist.save import save
from redtool.saving import contents
from redtool.store import Store


def chill(store: Store, since: int = 0, fixed: bool = False) -> Index | None:
    """Every key goes into a snapshot in memory; None when there is none. Who watches or waits for keys goes on so."""
    if not any(len(db) for db in store.databases):
        return None
    pieces: list[bytes] = []
    save(pieces.append, contents(store), version=12)
    data = b"".join(pieces)
    index = Index("snapshot", data, index_of(data, "snapshot"))
    for db in store.databases:
        before = db.before
        db.clear()
        db.before = before
    for table in index.tables:
        store.databases[table.number].chill(table, since, fixed)
    return index
