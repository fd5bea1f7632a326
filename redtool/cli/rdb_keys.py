"""``redtool rdb keys``: a row a key of an RDB file, as they come or sorted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from heapq import nsmallest
from itertools import islice
from time import time
from typing import Any

from redtool.cli.dump import short
from redtool.cli.estimate import elements, largest, memory
from redtool.cli.output import Field, show_many, size_text
from redtool.options import Options
from redtool.persist.walk import Entry

NEVER = 1 << 62


def _ttl(seconds: int) -> object:
    from redtool.render.cells import duration

    return "-" if seconds < 0 else duration(seconds) if seconds else "over"


FIELDS = (Field("db"), Field("type"), Field("encoding"), Field("elements", "number"), Field("longest", "number"),
          Field("bytes", "number", size_text), Field("memory", "number", size_text), Field("ttl", "time", _ttl),
          Field("key", "key", short))  # fmt: skip
Row = tuple[object, ...]
# Column to sort by -> what makes the wanted row the least
ORDERS: dict[str, Callable[[Any], Any]] = {
    "memory": lambda row: -row[6],
    "bytes": lambda row: -row[5],
    "elements": lambda row: -(row[3] or 0),
    "longest": lambda row: -(row[4] or 0),
    "ttl": lambda row: row[7] if row[7] >= 0 else NEVER,
    "key": lambda row: row[8],
}


def show(entries: Iterable[Entry], sort: str, limit: int, options: Options) -> None:
    """Print the rows of keys."""
    rows: Iterator[Row] = map(_Rows().of, entries)
    if sort:
        order = ORDERS[sort]
        rows = iter(nsmallest(limit, rows, key=order) if limit else sorted(rows, key=order))
    elif limit:
        rows = islice(rows, limit)
    show_many(FIELDS, rows, options, lambda total: _told(total, limit))


def _told(total: int, limit: int) -> str:
    """What stands below the last row."""
    from redtool.render.cells import plural

    return plural(total, "key") + (", no more by --limit" if total == limit else "") if total else "(no keys)"


class _Rows:
    """Makes rows at one moment."""

    def __init__(self) -> None:
        self.now = int(time() * 1000)

    def of(self, entry: Entry) -> Row:
        value, deadline = entry.value, entry.deadline
        ttl = -1 if deadline is None else max((deadline - self.now) // 1000, 0)
        return (entry.db, entry.type, entry.encoding, elements(value), largest(value), entry.size,
                memory(entry.key, value, deadline is not None), ttl, entry.key)  # fmt: skip

