"""``redtool rdb keys``: a row a key of an RDB file, as they come or sorted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from heapq import nsmallest
from itertools import islice
from time import time
from typing import Any

from redtool import oneshot
from redtool.cli.dump import short
from redtool.cli.estimate import elements, largest, memory
from redtool.cli.output import Field, draw, encoded, line, size_text, write_text
from redtool.options import Options
from redtool.persist.walk import Entry

SCREEN = 250  # rows that are laid out together on a terminal
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
    name = oneshot.format_of(options)
    if name == "human":
        _screens(rows, limit, options)
        return
    if name == "csv":
        oneshot.write(b",".join(field.name.encode() for field in FIELDS) + b"\n")
    while block := list(islice(rows, SCREEN)):
        oneshot.write(b"".join(line(FIELDS, row, name) for row in block))


class _Rows:
    """Makes rows at one moment."""

    def __init__(self) -> None:
        self.now = int(time() * 1000)

    def of(self, entry: Entry) -> Row:
        value, deadline = entry.value, entry.deadline
        ttl = -1 if deadline is None else max((deadline - self.now) // 1000, 0)
        return (entry.db, entry.type, entry.encoding, elements(value), largest(value), entry.size,
                memory(entry.key, value, deadline is not None), ttl, entry.key)  # fmt: skip


def _screens(rows: Iterator[Row], limit: int, options: Options) -> None:
    """Tables for people, one of all rows when they are few."""
    from redtool.render.cells import plural
    from redtool.render.shape.kinds import Column, Empty, Table

    heads = tuple(Column(field.name, field.role) for field in FIELDS)
    total = 0
    while True:
        block = list(islice(rows, SCREEN))
        first, total = not total, total + len(block)
        cells = [tuple(encoded(field.for_people(value)) for field, value in zip(FIELDS, row, strict=True))
                 for row in block]  # fmt: skip
        text = draw(Table(heads, cells, len(cells), ""), options) if cells else ""
        if len(block) == SCREEN:
            oneshot.write(text.encode("utf-8", "surrogateescape"))
            continue
        told = plural(total, "key") + (", no more by --limit" if total == limit else "") if total else "(no keys)"
        text += draw(Empty(told), options)
        if first:
            write_text(text, options)
        else:
            oneshot.write(text.encode("utf-8", "surrogateescape"))
        return
