"""Up to which sizes Redis packs hashes, sets and sorted sets: for the values, to notice when they go below again.

OBJECT ENCODING is derived from what a value holds. Only this must be remembered: that a value once was too
large to be packed, as it stays unpacked when it shrinks. So values look at these limits where something is removed or
overwritten, and nowhere else. There is one set of them a process: of several stores with different
limits in their configurations the one that was configured last is heeded.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from redtool.engine.keyspace import Keyspace

CURRENT = {
    "hash-max-listpack-entries": 512,
    "hash-max-listpack-value": 64,
    "set-max-intset-entries": 512,
    "set-max-listpack-entries": 128,
    "set-max-listpack-value": 64,
    "zset-max-listpack-entries": 128,
    "zset-max-listpack-value": 64,
}
hash_entries = 512  # the same again as plain names, which cost less to look at
hash_value = 64
intset_entries = 512
set_entries = 128
set_value = 64
set_many = 128  # more words than this in one command need a closer look; 0 where an intset outgrows a listpack
zset_entries = 128
zset_value = 64


def change(config: Mapping[str, int], databases: Iterable[Keyspace]) -> None:
    """Heed the limits of a configuration; values that the former ones kept unpacked stay so."""
    if all(config[parameter] == limit for parameter, limit in CURRENT.items()):
        return
    for db in databases:
        for key, value in db.data.items():
            if db.packed and hasattr(value, "unpack"):
                settled = value.unpack()
                settled.settle()
                if settled.upgraded:  # no place for that while it lies packed
                    db.unpack(key, value).settle()
            elif hasattr(value, "settle"):
                value.settle()
    CURRENT.update((parameter, config[parameter]) for parameter in CURRENT)
    for parameter, limit in CURRENT.items():
        kind, _, form, what = parameter.split("-")
        globals()[f"{'intset' if form == 'intset' else kind}_{what}"] = limit
    globals().update(set_many=set_entries if set_entries <= intset_entries else 0)
