"""The data of a server key by key, as ``redtool copy`` reads them: for servers that do not send their dump.

It is not the state of one moment: what is written meanwhile may be in it or not, each key by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from redtool import errors
from redtool.cli.facts import info, number
from redtool.transfer.asking import select
from redtool.transfer.copying import libraries
from redtool.transfer.items import Reader
from redtool.words import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.backends import Backend
    from redtool.transfer.items import Item

    Entries = Iterator[tuple[bytes, Any, int | None]]

def databases(backend: Backend, advance: Callable[[int], None]) -> Iterator[tuple[int, int, int, Entries]]:
    """What a snapshot is written from. Raises ReplyError for what the server refuses, StoreError for odd values."""
    done = 0

    def counted(entries: Entries) -> Entries:
        nonlocal done
        for entry in entries:
            done += 1
            advance(done)
            yield entry

    for name, text in info(backend, b"keyspace").items():
        counts = dict(part.partition("=")[::2] for part in text.split(","))
        if name[:2] == "db" and name[2:].isdigit():
            db = int(name[2:])
            yield db, number(counts, "keys"), number(counts, "expires"), counted(_entries(backend, db))


def functions(backend: Backend) -> list[bytes]:
    """The code of the server's libraries; none where it has no functions."""
    return list(libraries(backend).values())


def _entries(backend: Backend, db: int) -> Entries:
    """Every key of a database once, though SCAN may give one twice."""
    select(backend, db)
    seen: set[bytes] = set()
    for items in Reader(backend).items():
        for item in items:
            if item.key not in seen:
                seen.add(item.key)
                yield item.key, _value(item), item.deadline


def _value(item: Item) -> Any:
    try:
        return item.value
    except errors.ReplyError as error:
        raise errors.StoreError(f"the value of {quote(item.key).decode()} cannot be read: {error.message}") from None
